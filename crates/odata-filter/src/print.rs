//! Writes a syntax tree back as a filter: keywords in lower case, the fewest parentheses, names and values as
//! they were. Reading the result gives the same tree again.

use std::fmt::{self, Display, Formatter, Write as _};

use crate::ast::{Expr, ExprKind, Lambda, Literal, Path};

/// How tightly a node binds; a child that binds less than its place demands is put in parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Or,
    And,
    Compare,
    Add,
    Multiply,
    Unary,
    In,
    Primary,
}

fn tightness(kind: &ExprKind) -> Tightness {
    match kind {
        ExprKind::Or(_) => Tightness::Or,
        ExprKind::And(_) => Tightness::And,
        ExprKind::Compare(crate::ast::CompareOp::Has, ..) | ExprKind::In(..) => Tightness::In,
        ExprKind::Compare(..) => Tightness::Compare,
        ExprKind::Arithmetic(operator, ..) if operator.is_additive() => Tightness::Add,
        ExprKind::Arithmetic(..) => Tightness::Multiply,
        ExprKind::Not(_) | ExprKind::Negate(_) => Tightness::Unary,
        _ => Tightness::Primary,
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Or(operands) => joined(f, operands, " or ", Tightness::And),
            ExprKind::And(operands) => joined(f, operands, " and ", Tightness::Compare),
            ExprKind::Not(operand) => {
                f.write_str("not ")?;
                child(f, operand, Tightness::Unary)
            }
            ExprKind::Negate(operand) => {
                f.write_char('-')?;
                // A sign directly before a number, or before another sign and a number, would join it.
                let place = if begins_with_sign_or_digit(operand) { None } else { Some(Tightness::Unary) };
                match place {
                    Some(place) => child(f, operand, place),
                    None => write!(f, "({operand})"),
                }
            }
            ExprKind::Compare(operator, left, right) => {
                let (outer, inner) = match tightness(&self.kind) {
                    Tightness::In => (Tightness::In, Tightness::Primary),
                    _ => (Tightness::Compare, Tightness::Add),
                };
                binary(f, left, operator.keyword(), right, outer, inner)
            }
            ExprKind::Arithmetic(operator, left, right) => {
                let (outer, inner) = if operator.is_additive() {
                    (Tightness::Add, Tightness::Multiply)
                } else {
                    (Tightness::Multiply, Tightness::Unary)
                };
                binary(f, left, operator.keyword(), right, outer, inner)
            }
            // Parentheses around anything but a list: `x in ('a')` is a list of one.
            ExprKind::In(left, right) => {
                child(f, left, Tightness::In)?;
                match &right.kind {
                    ExprKind::Literal(_) | ExprKind::List(_) => write!(f, " in {right}"),
                    _ => {
                        f.write_str(" in ")?;
                        child(f, right, Tightness::Primary)
                    }
                }
            }
            ExprKind::List(items) => {
                f.write_char('(')?;
                joined(f, items, ",", Tightness::Or)?;
                f.write_char(')')
            }
            ExprKind::Path(path) => path.fmt(f),
            ExprKind::Count(path) => write!(f, "{path}/$count"),
            ExprKind::Lambda(lambda) => lambda.fmt(f),
            ExprKind::Call(name, arguments) => {
                write!(f, "{}(", name.text)?;
                joined(f, arguments, ",", Tightness::Or)?;
                f.write_char(')')
            }
            ExprKind::Literal(literal) => literal.fmt(f),
        }
    }
}

fn begins_with_sign_or_digit(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Negate(_) => true,
        ExprKind::Compare(_, left, _) | ExprKind::In(left, _) => begins_with_sign_or_digit(left),
        _ => false,
    }
}

fn child(f: &mut Formatter<'_>, expr: &Expr, place: Tightness) -> fmt::Result {
    if tightness(&expr.kind) < place { write!(f, "({expr})") } else { expr.fmt(f) }
}

fn binary(
    f: &mut Formatter<'_>,
    left: &Expr,
    operator: &str,
    right: &Expr,
    outer: Tightness,
    inner: Tightness,
) -> fmt::Result {
    child(f, left, outer)?;
    write!(f, " {operator} ")?;
    child(f, right, inner)
}

fn joined(f: &mut Formatter<'_>, items: &[Expr], separator: &str, place: Tightness) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        child(f, item, place)?;
    }
    Ok(())
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Display for Lambda {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}(", self.path, if self.all { "all" } else { "any" })?;
        if let Some((variable, body)) = &self.body {
            write!(f, "{}:{body}", variable.text)?;
        }
        f.write_char(')')
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("null"),
            Literal::Bool(value) => write!(f, "{value}"),
            Literal::Text(value) => write!(f, "'{}'", value.replace('\'', "''")),
            Literal::Guid(raw)
            | Literal::DateTimeOffset(raw)
            | Literal::Date(raw)
            | Literal::TimeOfDay(raw)
            | Literal::Int32(raw)
            | Literal::Int64(raw)
            | Literal::Decimal(raw)
            | Literal::Double(raw)
            | Literal::Single(raw)
            | Literal::Duration(raw)
            | Literal::Binary(raw)
            | Literal::Geography(raw)
            | Literal::Geometry(raw)
            | Literal::Enum(raw) => f.write_str(raw),
        }
    }
}
