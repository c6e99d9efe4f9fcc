//! What the directory behind Graph says to one clause (→ `Request_UnsupportedQuery`).
//!
//! Two engines answer the same address: the default one, and the advanced one that a request reaches with
//! `ConsistencyLevel: eventual` and `$count=true`. For each clause this module finds out what either says,
//! from the capability tables and the general rules about `ne`, `not`, `in` and `null`.

use super::{
    support::{Asked, Support, asked, support},
    wording::{top_level, unsupported},
};
use crate::{
    ast::{CompareOp, Expr, ExprKind, Lambda, Literal, Path},
    capability::{self, EdmType, Found, Ops, Property, Resource},
    problem::{Code, Problem, Span},
    resolve::{Target, Variable, resolve},
};

/// What the engines say to one clause.
#[derive(Clone, Debug, Default)]
pub(super) struct Judgement {
    /// Why the default engine refuses it.
    pub default: Option<Problem>,
    /// Why the advanced engine refuses it.
    pub advanced: Option<Problem>,
    /// Why it is not certain to be accepted.
    pub doubt: Option<Problem>,
    /// Why the sync cannot follow it.
    pub not_followed: Option<Problem>,
    /// Taken by the default engine alone.
    pub default_only: bool,
    /// The properties of the object that it reads, in canonical case.
    pub roots: Vec<String>,
}

impl Judgement {
    fn refused(problem: Problem) -> Self {
        Self { default: Some(problem.clone()), advanced: Some(problem), ..Self::default() }
    }

    /// Joins the parts of a lambda's body: the first refusal counts.
    fn join(&mut self, other: Judgement) {
        self.default = self.default.take().or(other.default);
        self.advanced = self.advanced.take().or(other.advanced);
        self.doubt = self.doubt.take().or(other.doubt);
        self.not_followed = self.not_followed.take().or(other.not_followed);
        self.default_only |= other.default_only;
        for root in other.roots {
            if !self.roots.contains(&root) {
                self.roots.push(root);
            }
        }
    }
}

/// A clause: a part of the filter between its `and`, `or` and `not`.
pub(super) struct Leaf<'e> {
    pub expr: &'e Expr,
    /// Inside an odd or even number of `not`: either needs the advanced engine.
    pub negated: bool,
}

/// The clauses from left to right.
pub(super) fn leaves<'e>(expr: &'e Expr, negated: bool, found: &mut Vec<Leaf<'e>>) {
    match &expr.kind {
        ExprKind::Or(operands) | ExprKind::And(operands) => {
            operands.iter().for_each(|operand| leaves(operand, negated, found));
        }
        ExprKind::Not(operand) => leaves(operand, true, found),
        _ => found.push(Leaf { expr, negated }),
    }
}

/// Judges clauses of one filter.
pub(super) struct Judge<'t> {
    pub resource: Resource,
    pub text: &'t str,
}

impl Judge<'_> {
    pub(super) fn judge(&self, expr: &Expr, negated: bool, variables: &mut Vec<Variable>) -> Judgement {
        match &expr.kind {
            ExprKind::Compare(operator, left, right) => match (&left.kind, &right.kind) {
                (ExprKind::Path(path), ExprKind::Literal(literal)) => {
                    let asked = asked(*operator, literal);
                    self.value(path, asked, &[right.as_ref()], expr, negated, variables)
                }
                (ExprKind::Count(path), ExprKind::Literal(literal)) => {
                    self.count(path, *operator, literal, expr)
                }
                (ExprKind::Literal(_), ExprKind::Path(_)) => {
                    Judgement::refused(self.reversed(expr, left, right))
                }
                (ExprKind::Path(path), ExprKind::Path(value)) => self.bare_word(path, value, expr, variables),
                (ExprKind::Call(..), ExprKind::Literal(Literal::Bool(value))) => {
                    let call = left.span.of(self.text);
                    let fix = if *value { call.to_owned() } else { format!("not {call}") };
                    let hint = "A function is a condition by itself, without a comparison.";
                    Judgement::refused(unsupported(expr.span).hint(hint).fix(expr.span, fix))
                }
                (ExprKind::Not(_), _) => Judgement::refused(
                    unsupported(expr.span)
                        .hint("'not' binds tighter than a comparison: put the comparison in parentheses."),
                ),
                _ => Judgement::refused(unsupported(expr.span)),
            },
            ExprKind::In(left, right) => match (&left.kind, &right.kind) {
                (ExprKind::Path(path), ExprKind::List(items)) => {
                    let null = items.iter().any(|item| item.kind == ExprKind::Literal(Literal::Null));
                    let asked = if null { Asked::InNull } else { Asked::In };
                    let items: Vec<&Expr> = items.iter().collect();
                    self.value(path, asked, &items, expr, negated, variables)
                }
                _ => Judgement::refused(unsupported(expr.span)),
            },
            ExprKind::Call(name, arguments) => self.call(&name.text, arguments, expr, negated, variables),
            ExprKind::Lambda(lambda) => self.lambda(lambda, expr, negated, variables),
            ExprKind::Path(path) => {
                let flag = matches!(
                    resolve(self.resource, path, variables),
                    Ok(Target::Property(row)) if row.edm == EdmType::Bool
                );
                let problem = match resolve(self.resource, path, variables) {
                    Ok(Target::Unknown) => self.unknown(path),
                    _ => unsupported(expr.span),
                };
                Judgement::refused(if flag {
                    problem.hint("Compare it.").fix(expr.span, format!("{} eq true", path.text()))
                } else {
                    problem
                })
            }
            _ => Judgement::refused(unsupported(expr.span)),
        }
    }

    /// A comparison of one value, an element or a member of one.
    fn value(
        &self,
        path: &Path,
        asked: Asked,
        literals: &[&Expr],
        expr: &Expr,
        negated: bool,
        variables: &[Variable],
    ) -> Judgement {
        let property = match resolve(self.resource, path, variables) {
            Ok(Target::Property(row) | Target::Extension(row)) => row,
            Ok(Target::Unknown) => return Judgement::refused(self.unknown(path)),
            Ok(Target::Unfilterable(name)) => {
                return Judgement::refused(self.invalid_clause(name, expr.span));
            }
            // The gateway has refused these already.
            Ok(Target::Collection(_) | Target::Complex(_)) | Err(_) => return Judgement::default(),
        };
        let mut judged = self.supported(property, path, asked, expr, negated);
        let date =
            literals.iter().find(|literal| matches!(literal.kind, ExprKind::Literal(Literal::Date(_))));
        if let (EdmType::DateTimeOffset, Some(date)) = (property.edm, date) {
            let message = "The type of the value doesn't match the property whose type is DateTime";
            let problem = Problem::unsupported(message, date.span)
                .hint("A date needs a time of day.")
                .fix(Span::new(date.span.end, date.span.end), "T00:00:00Z");
            judged.default.get_or_insert_with(|| problem.clone());
            judged.advanced.get_or_insert(problem);
        }
        if property.contradicted && property.path == "appRoleAssignments" {
            let id = match literals.first().map(|literal| &literal.kind) {
                Some(ExprKind::Literal(Literal::Text(id))) => id.as_str(),
                _ => "",
            };
            let message = format!("Invalid object identifier '{id}'.");
            return Judgement::refused(Problem::new(Code::RequestBadRequest, message, expr.span));
        }
        if asked == Asked::In && literals.is_empty() {
            let message = "An empty list takes nobody in; whether Graph accepts it is not documented.";
            judged.doubt = Some(Problem::new(Code::Uncertain, message, expr.span));
        }
        let long = literals.iter().find(|literal| match &literal.kind {
            ExprKind::Literal(Literal::Text(value)) => value.chars().count() > super::limits::MAX_VALUE,
            _ => false,
        });
        if let Some(long) = long {
            let hint = format!(
                "The default engine takes values of at most {} characters.",
                super::limits::MAX_VALUE
            );
            judged.default.get_or_insert_with(|| unsupported(long.span).hint(hint));
        }
        judged
    }

    fn supported(
        &self,
        property: &'static Property,
        path: &Path,
        asked: Asked,
        expr: &Expr,
        negated: bool,
    ) -> Judgement {
        let support = support(self.resource, property, asked, negated);
        let mut judged = Judgement { roots: vec![root(property, path)], ..Judgement::default() };
        if !capability::is_followed(property) {
            let message = "Graph filters by this, but a sync that reads the changes never sees it.";
            judged.not_followed = Some(Problem::new(Code::NotFollowed, message, expr.span));
        }
        match support {
            Support::Both => {}
            Support::DefaultOnly => {
                judged.default_only = true;
                judged.advanced = Some(self.invalid_clause(top_level(property, path), expr.span).hint(
                    "This property is taken only without the advanced query parameters, which 'not', 'ne' or \
                     another clause of this filter needs.",
                ));
            }
            Support::Advanced => {
                judged.default = Some(self.needs_advanced(property, path, asked, expr, negated))
            }
            Support::Doubtful => {
                judged.default = Some(self.needs_advanced(property, path, asked, expr, negated));
                let message = "The sources disagree on whether Graph takes this operator here; Test decides.";
                judged.doubt = Some(Problem::new(Code::Uncertain, message, expr.span));
            }
            Support::No => {
                let problem = self.refusal(property, path, asked, expr);
                judged.default = Some(match asked {
                    Asked::Ne | Asked::NeNull | Asked::EndsWith => {
                        self.needs_advanced(property, path, asked, expr, negated)
                    }
                    _ => problem.clone(),
                });
                judged.advanced = Some(problem);
            }
        }
        judged
    }

    fn lambda(
        &self,
        lambda: &Lambda,
        expr: &Expr,
        negated: bool,
        variables: &mut Vec<Variable>,
    ) -> Judgement {
        let collection = match resolve(self.resource, &lambda.path, variables) {
            Ok(Target::Collection(path)) => path,
            Ok(Target::Unknown | Target::Extension(_)) => {
                return Judgement::refused(self.unknown(&lambda.path));
            }
            Ok(Target::Unfilterable(name)) => {
                return Judgement::refused(self.invalid_clause(name, expr.span));
            }
            _ => return Judgement::default(),
        };
        if lambda.all {
            let hint = "Graph takes any(…) only; 'all' can be written as not(…/any(x:not …)).";
            return Judgement::refused(unsupported(expr.span).hint(hint));
        }
        let Some((variable, body)) = &lambda.body else {
            let problem = unsupported(expr.span).hint("Ask for the count instead.");
            return Judgement::refused(if capability::count(self.resource, collection).is_some() {
                problem.fix(expr.span, format!("{collection}/$count ne 0"))
            } else {
                problem
            });
        };
        if !variables.is_empty() {
            return Judgement::refused(unsupported(expr.span));
        }
        variables.push((variable.text.clone(), Some(collection)));
        let mut inner = Vec::new();
        leaves(body, false, &mut inner);
        let mut judged = Judgement::default();
        for leaf in &inner {
            let mut part = self.judge(leaf.expr, negated || leaf.negated, variables);
            if !reads_variable(leaf.expr, &variable.text) {
                part = Judgement::refused(
                    unsupported(leaf.expr.span)
                        .hint(format!("Inside any(…) only the element '{}' can be asked.", variable.text)),
                );
            } else if leaf.negated && part.advanced.is_none() {
                // `not` inside the lambda instead of around it: no source shows it.
                let message = "No source shows 'not' inside any(…); Test decides.";
                part.doubt.get_or_insert_with(|| Problem::new(Code::Uncertain, message, leaf.expr.span));
            }
            judged.join(part);
        }
        variables.pop();
        if collection == "identities" && judged.default.is_none() {
            self.identities(body, expr, &mut judged);
        }
        judged
    }

    /// G13: `identities` needs both members, joined by `and`.
    fn identities(&self, body: &Expr, expr: &Expr, judged: &mut Judgement) {
        let asks = |member: &str| {
            let conditions = match &body.kind {
                ExprKind::And(operands) => operands.as_slice(),
                _ => std::slice::from_ref(body),
            };
            conditions.iter().any(|condition| match &condition.kind {
                ExprKind::Compare(CompareOp::Eq, left, _) => {
                    matches!(&left.kind, ExprKind::Path(path)
                        if path.segments.last().is_some_and(|name| name.text.eq_ignore_ascii_case(member)))
                }
                _ => false,
            })
        };
        if !(asks("issuer") && asks("issuerAssignedId")) {
            let problem = unsupported(expr.span)
                .hint("Both are needed: i/issuerAssignedId eq '…' and i/issuer eq '…'.");
            judged.default = Some(problem.clone());
            judged.advanced = Some(problem);
        }
    }

    fn call(
        &self,
        name: &str,
        arguments: &[Expr],
        expr: &Expr,
        negated: bool,
        variables: &[Variable],
    ) -> Judgement {
        let asked = match name.to_ascii_lowercase().as_str() {
            "startswith" => Asked::StartsWith,
            "endswith" => Asked::EndsWith,
            "contains" => {
                return Judgement::refused(
                    Problem::unsupported("Operator: 'Contains' is not supported.", expr.span)
                        .hint("Users and groups can be asked for a beginning: startsWith(property,'text')."),
                );
            }
            _ => return Judgement::refused(unsupported(expr.span)),
        };
        match arguments {
            [property, value] => match (&property.kind, &value.kind) {
                (ExprKind::Path(path), ExprKind::Literal(Literal::Text(_))) => {
                    self.value(path, asked, &[value], expr, negated, variables)
                }
                (ExprKind::Literal(_), ExprKind::Path(_)) => {
                    let (value, property) = (property.span.of(self.text), value.span.of(self.text));
                    let problem = unsupported(expr.span).hint("The property comes first.");
                    Judgement::refused(problem.fix(expr.span, format!("{name}({property},{value})")))
                }
                _ => Judgement::refused(unsupported(expr.span)),
            },
            _ => Judgement::refused(unsupported(expr.span)),
        }
    }

    /// G5: only whether there are none (or, for some, exactly one).
    fn count(&self, path: &Path, operator: CompareOp, literal: &Literal, expr: &Expr) -> Judgement {
        let collection = match capability::find(self.resource, &path.text()) {
            Found::Collection(collection) => collection,
            Found::Unknown => return Judgement::refused(self.unknown(path)),
            // The gateway has refused these already.
            _ => return Judgement::default(),
        };
        let row = capability::count(self.resource, collection).filter(|row| row.is_filterable());
        let Some(row) = row else {
            let problem = self.invalid_clause(collection, expr.span);
            return Judgement::refused(problem.hint("This collection cannot be counted."));
        };
        let number = match literal {
            Literal::Int32(digits) => digits.parse().unwrap_or(-1),
            _ => -1,
        };
        let equality = matches!(operator, CompareOp::Eq | CompareOp::Ne);
        let listed = (number == 0 && row.advanced.has(Ops::COUNT_0))
            || (number == 1 && row.advanced.has(Ops::COUNT_1));
        if !(equality && listed) {
            let problem =
                unsupported(expr.span).hint("Counts are compared only by eq and ne, and only with 0.");
            let some = operator == CompareOp::Gt && number == 0 || operator == CompareOp::Ge && number == 1;
            return Judgement::refused(if some {
                problem.fix(expr.span, format!("{}/$count ne 0", row.path))
            } else {
                problem
            });
        }
        let mut judged = Judgement { default: Some(unsupported(expr.span)), ..Judgement::default() };
        judged.roots.push(row.root().to_owned());
        if !capability::is_followed(row) {
            let message = "Graph filters by this, but a sync that reads the changes never sees it.";
            judged.not_followed = Some(Problem::new(Code::NotFollowed, message, expr.span));
        }
        judged
    }

    /// The right side is a name: nearly always a value without its quotes, or `True`.
    fn bare_word(&self, left: &Path, value: &Path, expr: &Expr, variables: &[Variable]) -> Judgement {
        if let Ok(Target::Unknown) = resolve(self.resource, left, variables) {
            return Judgement::refused(self.unknown(left));
        }
        let word = value.text();
        let problem = unsupported(expr.span);
        let keyword =
            ["true", "false", "null"].into_iter().find(|keyword| keyword.eq_ignore_ascii_case(&word));
        Judgement::refused(match (keyword, resolve(self.resource, value, variables)) {
            (Some(keyword), _) => {
                problem.hint(format!("Written in lower case: {keyword}.")).fix(value.span(), keyword)
            }
            (None, Ok(Target::Unknown)) => {
                problem.hint("Text stands between quotes.").fix(value.span(), format!("'{word}'"))
            }
            _ => problem.hint("A property is compared with a value, not with another property."),
        })
    }
}

/// The property of the object to read; an extension property has no canonical spelling but its own.
fn root(property: &Property, path: &Path) -> String {
    if property.pattern { top_level(property, path).to_owned() } else { property.root().to_owned() }
}

fn reads_variable(expr: &Expr, variable: &str) -> bool {
    let path = match &expr.kind {
        ExprKind::Compare(_, left, _) | ExprKind::In(left, _) => &left.kind,
        ExprKind::Call(_, arguments) => {
            return arguments.iter().any(|argument| reads_variable(argument, variable));
        }
        kind => kind,
    };
    matches!(path, ExprKind::Path(path) if path.segments.first().is_some_and(|name| name.text == variable))
}
