//! From the syntax tree to conditions: names in canonical case, text folded, dates parsed.

use super::{Condition, Constant, Filter, Kind, Operand, Relation, Source, semantics};
use crate::{
    ast::{CompareOp, Expr, ExprKind, Lambda, Literal, Path},
    capability::{self, Found, Resource},
    datetime::{Date, Instant},
    parser::parse,
    problem::{Problem, Span},
    resolve::{Target, Variable, resolve},
};

impl Filter {
    /// Reads a filter on objects of `resource`. Names that Graph does not know are taken as they are.
    ///
    /// # Errors
    /// A syntax error, or an expression that has no meaning for a directory object.
    pub fn compile(resource: Resource, text: &str) -> Result<Filter, Problem> {
        let expr = parse(text)?;
        let mut compiler = Compiler { resource, variables: Vec::new() };
        Ok(Filter { root: compiler.condition(&expr)? })
    }
}

struct Compiler {
    resource: Resource,
    variables: Vec<Variable>,
}

impl Compiler {
    fn condition(&mut self, expr: &Expr) -> Result<Condition, Problem> {
        let kind = match &expr.kind {
            ExprKind::And(operands) => Kind::And(self.conditions(operands)?),
            ExprKind::Or(operands) => Kind::Or(self.conditions(operands)?),
            ExprKind::Not(operand) => Kind::Not(Box::new(self.condition(operand)?)),
            ExprKind::Literal(Literal::Bool(answer)) => Kind::Constant(*answer),
            ExprKind::Path(path) => {
                Kind::Compare(self.operand(path, expr.span)?, Relation::Eq, Constant::Bool(true))
            }
            ExprKind::Compare(operator, left, right) => self.comparison(*operator, left, right, expr.span)?,
            ExprKind::In(left, right) => match (&left.kind, &right.kind) {
                (ExprKind::Path(path), ExprKind::List(items)) => {
                    let constants = items.iter().map(constant).collect::<Result<_, _>>()?;
                    Kind::In(self.operand(path, left.span)?, constants)
                }
                _ => return Err(meaningless(expr.span)),
            },
            ExprKind::Call(name, arguments) => {
                let relation = match name.text.to_ascii_lowercase().as_str() {
                    "startswith" => Relation::StartsWith,
                    "endswith" => Relation::EndsWith,
                    "contains" => Relation::Contains,
                    _ => return Err(meaningless(expr.span)),
                };
                match arguments.as_slice() {
                    [Expr { kind: ExprKind::Path(path), span }, value] => {
                        Kind::Compare(self.operand(path, *span)?, relation, constant(value)?)
                    }
                    _ => return Err(meaningless(expr.span)),
                }
            }
            ExprKind::Lambda(lambda) => self.lambda(lambda, expr.span)?,
            _ => return Err(meaningless(expr.span)),
        };
        Ok(Condition { kind, span: expr.span })
    }

    fn conditions(&mut self, operands: &[Expr]) -> Result<Vec<Condition>, Problem> {
        operands.iter().map(|operand| self.condition(operand)).collect()
    }

    fn comparison(
        &mut self,
        operator: CompareOp,
        left: &Expr,
        right: &Expr,
        span: Span,
    ) -> Result<Kind, Problem> {
        let relation = match operator {
            CompareOp::Eq => Relation::Eq,
            CompareOp::Ne => Relation::Ne,
            CompareOp::Ge => Relation::Ge,
            CompareOp::Le => Relation::Le,
            CompareOp::Gt => Relation::Gt,
            CompareOp::Lt => Relation::Lt,
            CompareOp::Has => return Err(meaningless(span)),
        };
        match (&left.kind, constant(right)?) {
            (ExprKind::Path(path), constant) => {
                Ok(Kind::Compare(self.operand(path, left.span)?, relation, constant))
            }
            (ExprKind::Count(path), Constant::Number(number)) => {
                Ok(Kind::Count(self.operand(path, left.span)?, relation, number))
            }
            _ => Err(meaningless(span)),
        }
    }

    fn lambda(&mut self, lambda: &Lambda, span: Span) -> Result<Kind, Problem> {
        let operand = self.operand(&lambda.path, span)?;
        let Some((variable, body)) = &lambda.body else {
            return Ok(Kind::Count(operand, Relation::Gt, 0));
        };
        let collection = match resolve(self.resource, &lambda.path, &self.variables) {
            Ok(Target::Collection(path)) => Some(path),
            _ => None,
        };
        self.variables.push((variable.text.clone(), collection));
        let body = self.condition(body);
        self.variables.pop();
        let body = Box::new(body?);
        Ok(if lambda.all { Kind::All(operand, body) } else { Kind::Any(operand, body) })
    }

    fn operand(&self, path: &Path, span: Span) -> Result<Operand, Problem> {
        let (first, rest) = path.segments.split_first().ok_or_else(|| meaningless(span))?;
        let members = |segments: &mut dyn Iterator<Item = &str>| segments.map(str::to_owned).collect();
        let depth = self.variables.iter().rev().position(|(name, _)| *name == first.text);
        if let Some(depth) = depth {
            let mut rest = rest.iter().map(|name| name.text.as_str());
            return Ok(Operand { source: Source::Element(depth), members: members(&mut rest) });
        }
        let written = path.text();
        let canonical = match capability::find(self.resource, &written) {
            Found::Value(row) => row.path,
            Found::Collection(path) | Found::Complex(path) => path,
            _ => &written,
        };
        // The short form that the documentation uses for a member of `authorizationInfo`.
        let canonical = if canonical == "certificateUserIds" {
            "authorizationInfo/certificateUserIds"
        } else {
            canonical
        };
        let mut segments = canonical.split('/');
        let root = segments.next().unwrap_or(canonical);
        Ok(Operand { source: Source::Property(root.to_owned()), members: members(&mut segments) })
    }
}

fn constant(expr: &Expr) -> Result<Constant, Problem> {
    let ExprKind::Literal(literal) = &expr.kind else { return Err(meaningless(expr.span)) };
    let moment = |moment: Option<Instant>| moment.map(Constant::Moment).ok_or_else(|| meaningless(expr.span));
    match literal {
        Literal::Null => Ok(Constant::Null),
        Literal::Bool(flag) => Ok(Constant::Bool(*flag)),
        Literal::Text(text) | Literal::Guid(text) => Ok(Constant::Text(semantics::fold(text).collect())),
        Literal::DateTimeOffset(text) => moment(Instant::parse(text)),
        Literal::Date(text) => moment(Date::parse(text).map(Date::midnight)),
        Literal::Int32(digits) | Literal::Int64(digits) => {
            let digits = digits.trim_end_matches(['l', 'L']);
            digits.parse().map(Constant::Number).map_err(|_| meaningless(expr.span))
        }
        _ => Err(meaningless(expr.span)),
    }
}

fn meaningless(span: Span) -> Problem {
    Problem::unsupported("Unsupported Query.", span)
        .hint("This has no meaning for a user or a group; the check says more.")
}
