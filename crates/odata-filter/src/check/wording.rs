//! How the directory words its refusals.

use super::{clause::Judge, support::Asked};
use crate::{
    ast::{CompareOp, Expr, ExprKind, Path},
    capability::{self, Property, Shape},
    problem::{Problem, Span},
    suggest,
};

impl Judge<'_> {
    pub(super) fn reversed(&self, expr: &Expr, left: &Expr, right: &Expr) -> Problem {
        let operator = between(self.text, left.span, right.span).of(self.text);
        let turned = match operator.to_ascii_lowercase().as_str() {
            "ge" => "le",
            "le" => "ge",
            "gt" => "lt",
            "lt" => "gt",
            _ => operator,
        };
        let fix = format!("{} {turned} {}", right.span.of(self.text), left.span.of(self.text));
        unsupported(expr.span).hint("The property comes first.").fix(expr.span, fix)
    }

    pub(super) fn unknown(&self, path: &Path) -> Problem {
        let name = path.segments.first().map_or("", |name| name.text.as_str());
        let span = path.segments.first().map_or_else(Span::default, |name| name.span);
        let message =
            format!("Property '{name}' does not exist as a declared property or extension property.");
        let problem = Problem::unsupported(message, span);
        let known =
            capability::properties(self.resource).iter().filter(|row| row.is_filterable() && !row.pattern);
        let roots = known.map(|row| row.path.split('/').next().unwrap_or(row.path));
        match suggest::nearest(name, roots) {
            Some(near) => problem.hint(format!("Did you mean '{near}'?")).fix(span, near),
            None => problem,
        }
    }

    pub(super) fn invalid_clause(&self, name: &str, span: Span) -> Problem {
        let message = format!(
            "Unsupported or invalid query filter clause specified for property '{name}' of resource '{}'.",
            self.resource.type_name()
        );
        Problem::unsupported(message, span)
    }

    /// What the default engine says to something that only the advanced one takes.
    pub(super) fn needs_advanced(
        &self,
        property: &Property,
        path: &Path,
        asked: Asked,
        expr: &Expr,
        negated: bool,
    ) -> Problem {
        let span = expr.span;
        match asked {
            Asked::EndsWith => Problem::unsupported(
                "Operator 'endsWith' is not supported because the required parameters might be missing. Try adding \
                 $count=true query parameter and ConsistencyLevel:eventual header. Refer to \
                 https://aka.ms/graph-docs/advanced-queries for more information",
                span,
            ),
            Asked::Ne | Asked::NeNull => {
                Problem::unsupported("Filter operator 'NotEqualsMatch' is not supported.", span)
            }
            Asked::EqNull | Asked::InNull => unsupported(span),
            _ if negated => unsupported(span),
            _ => match path.segments.as_slice() {
                [root, member] if root.text.eq_ignore_ascii_case("onPremisesExtensionAttributes") => {
                    let message = format!(
                        "Property '{}' does not exist as a declared property or extension property.",
                        member.text
                    );
                    Problem::unsupported(message, span)
                }
                _ => self.invalid_clause(top_level(property, path), span),
            },
        }
    }

    /// What both engines say to an operator that the property does not have.
    pub(super) fn refusal(&self, property: &Property, path: &Path, asked: Asked, expr: &Expr) -> Problem {
        let span = expr.span;
        if !property.is_filterable() {
            return self
                .invalid_clause(top_level(property, path), span)
                .hint("Graph does not filter by this property.");
        }
        match asked {
            Asked::Strict(operator) => {
                let (meant, hint) = match operator {
                    CompareOp::Gt => ("ge", "Graph compares by 'ge' (at least), not by 'gt'."),
                    _ => ("le", "Graph compares by 'le' (at most), not by 'lt'."),
                };
                let problem = unsupported(span).hint(hint);
                match &expr.kind {
                    ExprKind::Compare(_, left, right) => {
                        problem.fix(between(self.text, left.span, right.span), meant)
                    }
                    _ => problem,
                }
            }
            Asked::Ne | Asked::NeNull if property.shape == Shape::Any => {
                Problem::unsupported("Filter operator 'NotEqualsMatch' is not supported.", span)
                    .hint("Inside any(…) write the opposite: not(…/any(x:x eq …)).")
            }
            Asked::EqNull | Asked::InNull => self
                .invalid_clause(top_level(property, path), span)
                .hint("Graph does not compare this property with null."),
            _ => {
                let (default, advanced) = property.operators();
                let words: Vec<&str> =
                    default.into_iter().chain(advanced).filter(|word| *word != "not").collect();
                self.invalid_clause(top_level(property, path), span)
                    .hint(format!("This property takes: {}.", words.join(", ")))
            }
        }
    }
}

/// The top-level property that a message names; an extension property has no spelling but the written one.
pub(super) fn top_level<'n>(property: &Property, path: &'n Path) -> &'n str
where
    'static: 'n,
{
    match path.segments.first() {
        Some(written) if property.pattern => &written.text,
        _ => property.path.split('/').next().unwrap_or(property.path),
    }
}

/// The operator between two operands.
fn between(text: &str, left: Span, right: Span) -> Span {
    let gap = Span::new(left.end, right.start).of(text);
    let skipped = gap.len() - gap.trim_start_matches([')', ' ', '\t', '\n', '\r']).len();
    let word = gap.get(skipped..).unwrap_or("").bytes().take_while(u8::is_ascii_alphabetic).count();
    Span::new(left.end + skipped, left.end + skipped + word)
}

/// The directory's answer to whatever it cannot translate.
pub(super) fn unsupported(span: Span) -> Problem {
    Problem::unsupported("Unsupported Query.", span)
}
