//! How Graph compares, where nobody has written it down.
//!
//! Every choice that Microsoft's documentation leaves open is made in this file, once:
//!
//! * **Case.** Strings are compared without regard to case, for `eq`, `in`, `startsWith`, `endsWith` and the
//!   order of `ge` and `le`. (Documented as case-sensitive only for custom security attributes, which no sync
//!   reads.) So `proxyAddresses/any(p:p eq 'smtp:a@b.c')` finds `SMTP:a@b.c` too.
//! * **Null.** Logic has two values. A missing value equals `null` and nothing else; `ne` is the opposite of
//!   `eq`, so it includes objects without a value; `ge`, `le`, `startsWith` and `endsWith` are false for them.
//!   `not` turns the answer around: `not startsWith(mail,'A')` takes in people without mail, as a complement
//!   over an index does. (By the OData standard the null would carry through and drop them.)
//! * **Empty text** is a value, not null.
//! * **Collections.** A missing one has no elements: `any` is false, `all` true, its count 0.
//! * **Dates** are moments: `10:00+02:00` equals `08:00Z`, fractions count. A date alone is its midnight in UTC.
//! * **Another type** than the filter expects (a number in a text property) matches nothing but `ne`.

use std::cmp::Ordering;

use super::{Constant, Relation};
use crate::{
    datetime::Instant,
    value::{Node, Value},
};

/// `value relation constant`
pub(super) fn compare(value: Value<'_>, relation: Relation, constant: &Constant) -> bool {
    match relation {
        Relation::Eq => equals(value, constant),
        Relation::Ne => !equals(value, constant),
        Relation::Ge => order(value, constant).is_some_and(Ordering::is_ge),
        Relation::Le => order(value, constant).is_some_and(Ordering::is_le),
        Relation::Gt => order(value, constant).is_some_and(Ordering::is_gt),
        Relation::Lt => order(value, constant).is_some_and(Ordering::is_lt),
        Relation::StartsWith => text(value, constant, starts_with),
        Relation::EndsWith => text(value, constant, ends_with),
        Relation::Contains => text(value, constant, contains),
    }
}

pub(super) fn equals(value: Value<'_>, constant: &Constant) -> bool {
    match (value, constant) {
        (Value::Null, Constant::Null) => true,
        (Value::Bool(value), Constant::Bool(wanted)) => value == *wanted,
        (Value::Text(value), Constant::Text(wanted)) => folded_eq(value, wanted),
        (Value::Text(value), Constant::Moment(wanted)) => Instant::parse_lenient(value) == Some(*wanted),
        (Value::Node(Node::Number(value)), Constant::Number(wanted)) => value == wanted,
        _ => false,
    }
}

fn order(value: Value<'_>, constant: &Constant) -> Option<Ordering> {
    match (value, constant) {
        (Value::Text(value), Constant::Text(wanted)) => Some(fold(value).cmp(wanted.chars())),
        (Value::Text(value), Constant::Moment(wanted)) => {
            Instant::parse_lenient(value).map(|value| value.cmp(wanted))
        }
        (Value::Node(Node::Number(value)), Constant::Number(wanted)) => Some(value.cmp(wanted)),
        _ => None,
    }
}

fn text(value: Value<'_>, constant: &Constant, matches: fn(&str, &str) -> bool) -> bool {
    match (value, constant) {
        (Value::Text(value), Constant::Text(wanted)) => matches(value, wanted),
        _ => false,
    }
}

/// The lower-case form that strings are compared in.
pub(super) fn fold(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

// `wanted` is folded once, when the filter is compiled. Nearly all text is ASCII, which needs no tables.

fn folded_eq(value: &str, wanted: &str) -> bool {
    if value.is_ascii() { value.eq_ignore_ascii_case(wanted) } else { fold(value).eq(wanted.chars()) }
}

fn starts_with(value: &str, wanted: &str) -> bool {
    match value.get(..wanted.len()).filter(|_| value.is_ascii()) {
        Some(start) => start.eq_ignore_ascii_case(wanted),
        None if value.is_ascii() => false,
        None => fold(value).collect::<String>().starts_with(wanted),
    }
}

fn ends_with(value: &str, wanted: &str) -> bool {
    if !value.is_ascii() {
        return fold(value).collect::<String>().ends_with(wanted);
    }
    let start = value.len().checked_sub(wanted.len());
    start.and_then(|start| value.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(wanted))
}

fn contains(value: &str, wanted: &str) -> bool {
    fold(value).collect::<String>().contains(wanted)
}
