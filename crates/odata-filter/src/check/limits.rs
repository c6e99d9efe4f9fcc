//! How much of a filter the engines take.
//!
//! The default engine limits alternatives, height and the length of values; the advanced one only the length
//! of the address. Reports of refusals by height, and of a collection under `or`, come from the default engine
//! and stand as refusals, unless the filter goes to the advanced engine for another reason anyway.

use crate::{
    ast::{Expr, ExprKind},
    capability::{self, Found, Resource},
    problem::{Code, Problem, Span},
};

/// Alternatives joined by `or`, or values in one `in` list (default engine).
pub const MAX_ALTERNATIVES: usize = 15;
/// Height of the tree of `and` and `or`, a clause counting one (default engine).
pub const MAX_HEIGHT: usize = 3;
/// Characters of a compared value (default engine).
pub const MAX_VALUE: usize = 120;
/// Characters of the filter in an address, encoded (both engines).
pub const MAX_ADDRESS: usize = 2_048;

/// What the limits say to a filter.
#[derive(Default)]
pub(super) struct Limits {
    /// Refused by the default engine, known to be taken by the advanced one.
    pub default: Option<Problem>,
    /// Refused by the default engine; nobody reported what the advanced one says.
    pub reported: Option<Problem>,
    /// Refused by both.
    pub both: Option<Problem>,
}

/// Holds a filter against the limits.
pub(super) fn check(resource: Resource, text: &str, expr: &Expr) -> Limits {
    let mut limits = Limits::default();
    let length = encoded_length(text);
    if length > MAX_ADDRESS {
        let message =
            format!("The filter takes {length} characters in an address; Graph takes {MAX_ADDRESS}.");
        limits.both = Some(Problem::new(Code::TooLong, message, Span::new(0, text.len())));
    }
    let alternatives = alternatives(expr);
    if alternatives > MAX_ALTERNATIVES {
        let message = format!(
            "Too many child clauses specified in search filter expression containing 'OR' operators: {alternatives}. \
             Max allowed: {MAX_ALTERNATIVES}."
        );
        limits.default = Some(Problem::unsupported(message, expr.span));
    }
    let height = height(expr);
    if height > MAX_HEIGHT {
        let message =
            format!("search filter expression has excessive height: {height}. Max allowed: {MAX_HEIGHT}");
        limits.reported =
            Some(Problem::unsupported(message, expr.span).hint("Nest 'and' and 'or' less deeply."));
    } else if let Some((collection, span, mixed)) = structured_under_or(resource, expr) {
        let message = format!("Complex query on property {collection} is not supported.");
        let problem = Problem::unsupported(message, span)
            .hint("A condition on this collection cannot be an alternative to another property.");
        // Alternatives on one and the same collection are in daily use with the advanced engine.
        if mixed { limits.reported = Some(problem) } else { limits.default = Some(problem) }
    }
    limits
}

/// The filter's share of an address: letters and digits count one, a blank is sent as `+`.
fn encoded_length(text: &str) -> usize {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" -._~'()*,:/$@!".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { 1 } else { 3 }).sum()
}

/// The largest number of alternatives in one place.
fn alternatives(expr: &Expr) -> usize {
    fn in_one_or(expr: &Expr) -> usize {
        match &expr.kind {
            ExprKind::Or(operands) => operands.iter().map(in_one_or).sum(),
            ExprKind::In(_, right) => match &right.kind {
                ExprKind::List(items) => items.len().max(1),
                _ => 1,
            },
            _ => 1,
        }
    }
    let inner = match &expr.kind {
        ExprKind::Or(operands) | ExprKind::And(operands) => {
            operands.iter().map(alternatives).max().unwrap_or(0)
        }
        ExprKind::Not(operand) => alternatives(operand),
        ExprKind::Lambda(lambda) => lambda.body.as_ref().map_or(0, |(_, body)| alternatives(body)),
        _ => 0,
    };
    inner.max(in_one_or(expr))
}

/// Levels of `and` and `or` above the clauses; parentheses around the same operator add none.
fn height(expr: &Expr) -> usize {
    fn under(expr: &Expr, parent: Option<bool>) -> usize {
        let (operands, or) = match &expr.kind {
            ExprKind::Or(operands) => (operands, true),
            ExprKind::And(operands) => (operands, false),
            ExprKind::Not(operand) => return under(operand, None),
            _ => return 1,
        };
        let below = operands.iter().map(|operand| under(operand, Some(or))).max().unwrap_or(0);
        if parent == Some(or) { below } else { below + 1 }
    }
    under(expr, None)
}

/// The first collection of structured elements that is an alternative, and whether the others differ from it.
/// Collections of plain strings may be alternatives: scripts in wide use join `mail eq …` and
/// `proxyAddresses/any(…)` by `or` without the advanced parameters.
fn structured_under_or(resource: Resource, expr: &Expr) -> Option<(&'static str, Span, bool)> {
    match &expr.kind {
        ExprKind::Or(operands) => {
            let mut members = Vec::new();
            operands.iter().for_each(|operand| clauses(operand, &mut members));
            let structured = |expr: &Expr| match &expr.kind {
                ExprKind::Lambda(lambda) => match capability::find(resource, &lambda.path.text()) {
                    Found::Collection(path) if capability::is_structured(resource, path) => Some(path),
                    _ => None,
                },
                _ => None,
            };
            let (first, span) = members.iter().find_map(|expr| Some((structured(expr)?, expr.span)))?;
            Some((first, span, members.iter().any(|expr| structured(expr) != Some(first))))
        }
        ExprKind::And(operands) => operands.iter().find_map(|operand| structured_under_or(resource, operand)),
        ExprKind::Not(operand) => structured_under_or(resource, operand),
        _ => None,
    }
}

fn clauses<'e>(expr: &'e Expr, found: &mut Vec<&'e Expr>) {
    match &expr.kind {
        ExprKind::Or(operands) | ExprKind::And(operands) => {
            operands.iter().for_each(|operand| clauses(operand, found));
        }
        ExprKind::Not(operand) => clauses(operand, found),
        _ => found.push(expr),
    }
}
