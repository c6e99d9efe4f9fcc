//! The second half of what Graph's gateway does: binding names and types (→ `BadRequest`).
//!
//! Problems come out in the order in which the OData library would meet them, left to right and inside out;
//! it stops at the first, this goes on, so that everything wrong can be underlined at once.

use crate::{
    ast::{ArithmeticOp, CompareOp, Expr, ExprKind, Lambda, Literal, Path},
    capability::{EdmType, Resource},
    datetime,
    problem::{Problem, Span},
    resolve::{Target, Variable, resolve},
};

/// The type of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    Edm(&'static str),
    Null,
    /// Undeclared, or already complained about: goes with everything.
    Open,
    Complex(String),
    Collection,
}

pub(super) const TEXT: Type = Type::Edm("Edm.String");
pub(super) const BOOL: Type = Type::Edm("Edm.Boolean");

impl Type {
    fn name(&self) -> &str {
        match self {
            Type::Edm(name) => name,
            Type::Complex(name) => name,
            Type::Null | Type::Open => "<null>",
            Type::Collection => "Collection",
        }
    }

    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self, Type::Edm(own) if *own == name)
    }

    pub(super) fn is_number(&self) -> bool {
        ["Edm.Int32", "Edm.Int64", "Edm.Single", "Edm.Double", "Edm.Decimal"].iter().any(|name| self.is(name))
    }

    pub(super) fn is_loose(&self) -> bool {
        matches!(self, Type::Null | Type::Open)
    }

    /// Whether two single values can be compared.
    fn meets(&self, other: &Type) -> bool {
        let days = |one: &Type| one.is("Edm.Date") || one.is("Edm.DateTimeOffset");
        let complex = |one: &Type, other: &Type| matches!(one, Type::Complex(_)) && *other == Type::Null;
        match (self, other) {
            (Type::Complex(_), _) | (_, Type::Complex(_)) => complex(self, other) || complex(other, self),
            _ => {
                self.is_loose()
                    || other.is_loose()
                    || self == other
                    || (self.is_number() && other.is_number())
                    || (days(self) && days(other))
            }
        }
    }
}

pub(super) fn literal_type(literal: &Literal) -> Type {
    Type::Edm(match literal {
        Literal::Null => return Type::Null,
        // Any enumeration literal is of a type that no directory property has.
        Literal::Enum(_) => "Edm.Enum",
        Literal::Bool(_) => "Edm.Boolean",
        Literal::Text(_) => "Edm.String",
        Literal::Guid(_) => "Edm.Guid",
        Literal::DateTimeOffset(_) => "Edm.DateTimeOffset",
        Literal::Date(_) => "Edm.Date",
        Literal::TimeOfDay(_) => "Edm.TimeOfDay",
        Literal::Int32(_) => "Edm.Int32",
        Literal::Int64(_) => "Edm.Int64",
        Literal::Decimal(_) => "Edm.Decimal",
        Literal::Double(_) => "Edm.Double",
        Literal::Single(_) => "Edm.Single",
        Literal::Duration(_) => "Edm.Duration",
        Literal::Binary(_) => "Edm.Binary",
        Literal::Geography(_) => "Edm.Geography",
        Literal::Geometry(_) => "Edm.Geometry",
    })
}

/// Binds a whole filter: it has to say yes or no.
pub(super) fn bind(resource: Resource, text: &str, expr: &Expr) -> Vec<Problem> {
    let mut binder = Binder { resource, text, variables: Vec::new(), problems: Vec::new() };
    let found = binder.expr(expr);
    if binder.problems.is_empty() && !(found == BOOL || found.is_loose()) {
        binder.problems.push(
            Problem::clause("The $filter expression must evaluate to a single boolean value.", expr.span)
                .hint("A comparison is missing, such as eq 'value'."),
        );
    }
    binder.problems
}

pub(super) struct Binder<'t> {
    resource: Resource,
    pub(super) text: &'t str,
    variables: Vec<Variable>,
    pub(super) problems: Vec<Problem>,
}

impl Binder<'_> {
    pub(super) fn complain(&mut self, problem: Problem) -> Type {
        self.problems.push(problem);
        Type::Open
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Type {
        match &expr.kind {
            ExprKind::Literal(literal) => literal_type(literal),
            ExprKind::List(_) => Type::Collection,
            ExprKind::Path(path) => self.path(path),
            ExprKind::Count(path) => self.count(path, expr.span),
            ExprKind::Lambda(lambda) => self.lambda(lambda, expr.span),
            ExprKind::Call(name, arguments) => self.call(name, arguments, expr.span),
            ExprKind::Or(operands) => self.logical(operands, "Or"),
            ExprKind::And(operands) => self.logical(operands, "And"),
            ExprKind::Not(operand) => self.not(operand, expr.span),
            ExprKind::Negate(operand) => {
                let found = self.expr(operand);
                if found.is_number() || found.is("Edm.Duration") || found.is_loose() {
                    return found;
                }
                self.complain(unary(&found, "Negate", expr.span))
            }
            ExprKind::Compare(operator, left, right) => self.compare(*operator, left, right, expr.span),
            ExprKind::Arithmetic(operator, left, right) => self.arithmetic(*operator, left, right, expr.span),
            ExprKind::In(left, right) => self.in_list(left, right, expr.span),
        }
    }

    fn path(&mut self, path: &Path) -> Type {
        match resolve(self.resource, path, &self.variables) {
            Ok(Target::Property(row)) => edm_type(row.edm),
            Ok(Target::Extension(_) | Target::Unfilterable(_) | Target::Unknown) => Type::Open,
            Ok(Target::Collection(_)) => Type::Collection,
            Ok(Target::Complex(name)) => Type::Complex(name),
            Err(problem) => self.complain(problem),
        }
    }

    fn count(&mut self, path: &Path, span: Span) -> Type {
        match self.path(path) {
            Type::Collection | Type::Open => Type::Edm("Edm.Int64"),
            Type::Complex(_) if path.segments.len() == 1 => Type::Edm("Edm.Int64"),
            _ => self.complain(Problem::clause("$count may only be used following a collection.", span)),
        }
    }

    fn lambda(&mut self, lambda: &Lambda, span: Span) -> Type {
        let target = resolve(self.resource, &lambda.path, &self.variables);
        let collection = match target {
            Ok(Target::Collection(path)) => Some(path),
            Ok(Target::Unknown | Target::Unfilterable(_) | Target::Extension(_)) => None,
            Ok(Target::Property(_) | Target::Complex(_)) => {
                return self.complain(
                    Problem::clause("Any/All may only be used following a collection.", span)
                        .hint("This property has a single value: compare it directly."),
                );
            }
            Err(problem) => return self.complain(problem),
        };
        if let Some((variable, body)) = &lambda.body {
            self.variables.push((variable.text.clone(), collection));
            let found = self.expr(body);
            self.variables.pop();
            if found != BOOL && !found.is_loose() {
                let message = "The Any/All query expression must evaluate to a single boolean value.";
                return self.complain(Problem::clause(message, body.span));
            }
        }
        BOOL
    }

    fn logical(&mut self, operands: &[Expr], kind: &str) -> Type {
        let types: Vec<Type> = operands.iter().map(|operand| self.expr(operand)).collect();
        let wrong = types.iter().position(|found| *found != BOOL && !found.is_loose());
        if let Some(wrong) = wrong {
            let (left, right) = match wrong {
                0 => (types.first(), types.get(1)),
                _ => (Some(&BOOL), types.get(wrong)),
            };
            let (left, right) = (left.unwrap_or(&BOOL), right.unwrap_or(&BOOL));
            let span = operands.get(wrong).map_or(Span::default(), |operand| operand.span);
            self.complain(
                incompatible(left, right, kind, span).hint("Each side of 'and' and 'or' is a condition."),
            );
        }
        BOOL
    }

    fn not(&mut self, operand: &Expr, span: Span) -> Type {
        let found = self.expr(operand);
        if found == BOOL || found.is_loose() {
            return BOOL;
        }
        self.complain(
            unary(&found, "Not", span).hint(
                "'not' binds tighter than a comparison: write not(… eq …), with parentheses around it.",
            ),
        )
    }

    fn compare(&mut self, operator: CompareOp, left: &Expr, right: &Expr, span: Span) -> Type {
        let (left_type, right_type) = (self.expr(left), self.expr(right));
        if left_type == Type::Collection || right_type == Type::Collection {
            let problem = Problem::clause(
                format!(
                    "The operand for a binary operator '{}' is not a single value. Binary operators require both \
                     operands to be single values.",
                    operator.kind()
                ),
                span,
            );
            let problem = match &left.kind {
                ExprKind::Path(path) if matches!(right.kind, ExprKind::Literal(Literal::Null)) => {
                    let count = format!("{}/$count {} 0", path.text(), operator.keyword());
                    problem.hint("A collection is never null; ask for its count.").fix(span, count)
                }
                ExprKind::Path(path) => {
                    let value = right.span.of(self.text);
                    let any = format!("{}/any(x:x {} {value})", path.text(), operator.keyword());
                    problem.hint("A collection is asked for an element.").fix(span, any)
                }
                _ => problem,
            };
            self.complain(problem);
            return BOOL;
        }
        let fits =
            if operator == CompareOp::Has { left_type.is_loose() } else { left_type.meets(&right_type) };
        if !fits {
            let problem = incompatible(&left_type, &right_type, operator.kind(), span);
            let problem = literal_advice(self.text, &left_type, right, problem);
            self.complain(problem);
        }
        BOOL
    }

    fn arithmetic(&mut self, operator: ArithmeticOp, left: &Expr, right: &Expr, span: Span) -> Type {
        let (left_type, right_type) = (self.expr(left), self.expr(right));
        let temporal = |one: &Type| {
            ["Edm.Duration", "Edm.Date", "Edm.DateTimeOffset", "Edm.TimeOfDay"]
                .iter()
                .any(|name| one.is(name))
        };
        match (&left_type, &right_type) {
            (Type::Open, _) | (_, Type::Open) => Type::Open,
            (left, right) if left.is_number() && right.is_number() => left_type,
            (left, right) if temporal(left) && temporal(right) && operator.is_additive() => left_type,
            (left, right) => {
                let problem = incompatible(left, right, operator.kind(), span);
                self.complain(problem)
            }
        }
    }

    fn in_list(&mut self, left: &Expr, right: &Expr, span: Span) -> Type {
        let left_type = self.expr(left);
        if left_type == Type::Collection {
            let message = "The left operand for the IN operation is not a single value. IN operations require the \
                           left operand to be a single value and the right operand to be a collection value.";
            self.complain(Problem::clause(message, span).hint("Use any(x:x in (…)) on a collection."));
            return BOOL;
        }
        let ExprKind::List(items) = &right.kind else {
            let message = "The right operand for the IN operation is not a collection value. IN operations require \
                           the left operand to be a single value and the right operand to be a collection value.";
            let problem = Problem::clause(message, right.span).hint("'in' is followed by a list: ('a','b').");
            let literal = matches!(right.kind, ExprKind::Literal(_));
            let list = format!("({})", right.span.of(self.text));
            self.complain(if literal { problem.fix(right.span, list) } else { problem });
            return BOOL;
        };
        for item in items {
            let found = self.expr(item);
            if !left_type.meets(&found) {
                let problem = incompatible(&left_type, &found, CompareOp::Eq.kind(), item.span);
                let problem = literal_advice(self.text, &left_type, item, problem);
                self.complain(problem);
            }
        }
        BOOL
    }
}

fn edm_type(edm: EdmType) -> Type {
    match edm {
        EdmType::Text => TEXT,
        EdmType::Bool => BOOL,
        EdmType::Guid => Type::Edm("Edm.Guid"),
        EdmType::DateTimeOffset => Type::Edm("Edm.DateTimeOffset"),
        EdmType::Int => Type::Edm("Edm.Int32"),
        EdmType::Any | EdmType::Complex => Type::Open,
        EdmType::Collection => Type::Collection,
    }
}

fn incompatible(left: &Type, right: &Type, kind: &str, span: Span) -> Problem {
    Problem::clause(
        format!(
            "A binary operator with incompatible types was detected. Found operand types '{}' and '{}' for operator \
             kind '{kind}'.",
            left.name(),
            right.name()
        ),
        span,
    )
}

fn unary(found: &Type, kind: &str, span: Span) -> Problem {
    Problem::clause(
        format!(
            "A unary operator with an incompatible type was detected. Found operand type '{}' for operator kind \
             '{kind}'.",
            found.name()
        ),
        span,
    )
}

/// How the literal should have been written for a property of type `wanted`.
fn literal_advice(text: &str, wanted: &Type, literal: &Expr, problem: Problem) -> Problem {
    let span = literal.span;
    let ExprKind::Literal(value) = &literal.kind else { return problem };
    let raw = span.of(text);
    match value {
        Literal::Text(value) if wanted.is("Edm.Boolean") => {
            match ["true", "false"].iter().find(|word| word.eq_ignore_ascii_case(value.trim())) {
                Some(word) => problem.hint("true and false stand without quotes.").fix(span, *word),
                None => problem.hint("This property is true or false."),
            }
        }
        Literal::Text(value) if wanted.is("Edm.Guid") && datetime::is_guid(value) => {
            problem.hint("This GUID stands without quotes.").fix(span, value.clone())
        }
        Literal::Text(value) if wanted.is("Edm.DateTimeOffset") => {
            let problem = problem.hint("Dates stand without quotes, as 2024-01-31T00:00:00Z.");
            if datetime::Instant::parse(value).is_some() {
                problem.fix(span, value.clone())
            } else if datetime::Date::parse(value).is_some() {
                problem.fix(span, format!("{value}T00:00:00Z"))
            } else {
                problem
            }
        }
        Literal::Text(value) if value.parse::<i64>().is_ok() && wanted.is_number() => {
            problem.hint("Numbers stand without quotes.").fix(span, value.clone())
        }
        Literal::Text(_) => problem,
        _ if *wanted == TEXT => problem
            .hint("This property is text: the value stands between quotes.")
            .fix(span, format!("'{raw}'")),
        _ => problem,
    }
}
