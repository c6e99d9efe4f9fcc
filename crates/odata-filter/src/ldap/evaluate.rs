//! Evaluates a search filter on one entry, and explains the answer.
//!
//! Without the server's schema every attribute is treated alike; the choices are these, and all here:
//!
//! * Text compares without regard to case, and runs of blanks count as one (caseIgnoreMatch). What is no text
//!   (`objectGUID`) compares byte by byte.
//! * `>=` and `<=` compare whole numbers as numbers, anything else as text; timestamps in one format sort so.
//! * `~=` is `=`, as in Active Directory.
//! * An attribute that the entry lacks makes an assertion false (so its negation true). A rule that cannot be
//!   evaluated makes it undefined, which no negation turns into a match (RFC 4511, 4.5.1.7).
//! * `cn` also asks `cn;lang-en`; names of supertypes are not resolved.

use std::borrow::Cow;

use super::{Comparison, Filter, FilterKind, Rule};
use crate::evaluate::{self, Explanation};

/// An entry of a directory.
pub trait Entry {
    /// The values of an attribute; none when the entry lacks it. `name` is as the filter spells it: names are
    /// compared without case, and one without options also means the attribute with any.
    fn values(&self, name: &str) -> Vec<&[u8]>;
}

impl Entry for [(String, Vec<Vec<u8>>)] {
    fn values(&self, name: &str) -> Vec<&[u8]> {
        let named = |known: &str| {
            known.eq_ignore_ascii_case(name)
                || known.split(';').next().is_some_and(|bare| bare.eq_ignore_ascii_case(name))
        };
        self.iter()
            .filter(|(known, _)| named(known))
            .flat_map(|(_, values)| values.iter().map(Vec::as_slice))
            .collect()
    }
}

impl Filter {
    /// Whether the filter takes `entry` in. "Undefined" is no.
    #[must_use]
    pub fn matches<E: Entry + ?Sized>(&self, entry: &E) -> bool {
        self.answer(entry) == Some(true)
    }

    /// Asks every part about `entry`, also those that the answer does not depend on.
    #[must_use]
    pub fn explain<E: Entry + ?Sized>(&self, entry: &E) -> Explanation {
        let mut found = None;
        let parts = match &self.kind {
            FilterKind::And(parts) | FilterKind::Or(parts) => {
                parts.iter().map(|part| part.explain(entry)).collect()
            }
            FilterKind::Not(part) => vec![part.explain(entry)],
            FilterKind::Present(attribute)
            | FilterKind::Compare(attribute, ..)
            | FilterKind::Substrings(attribute, ..)
            | FilterKind::Extensible { attribute: Some(attribute), .. } => {
                let values = entry.values(attribute);
                let shown: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value)).collect();
                found = (!shown.is_empty()).then(|| shown.join(", "));
                Vec::new()
            }
            FilterKind::Extensible { .. } => Vec::new(),
        };
        let rule = match &self.kind {
            FilterKind::And(_) => evaluate::Rule::And,
            FilterKind::Or(_) => evaluate::Rule::Or,
            FilterKind::Not(_) => evaluate::Rule::Not,
            _ => evaluate::Rule::Value,
        };
        Explanation { rule, span: self.span, holds: self.matches(entry), found, parts }
    }

    /// True, false, or undefined.
    fn answer<E: Entry + ?Sized>(&self, entry: &E) -> Option<bool> {
        match &self.kind {
            FilterKind::And(parts) => join(parts.iter().map(|part| part.answer(entry)), false),
            FilterKind::Or(parts) => join(parts.iter().map(|part| part.answer(entry)), true),
            FilterKind::Not(part) => part.answer(entry).map(|answer| !answer),
            FilterKind::Present(attribute) => Some(!entry.values(attribute).is_empty()),
            FilterKind::Compare(attribute, comparison, wanted) => {
                Some(entry.values(attribute).iter().any(|value| compare(value, *comparison, wanted)))
            }
            FilterKind::Substrings(attribute, first, middle, last) => {
                Some(entry.values(attribute).iter().any(|value| substrings(value, first, middle, last)))
            }
            FilterKind::Extensible { attribute: Some(attribute), dn: false, rule, value: wanted } => {
                let rule = rule.as_ref().map_or(Some(Rule::CaseIgnore), |rule| Rule::find(rule))?;
                let values = entry.values(attribute);
                // A value that the rule cannot read leaves the whole assertion undefined.
                rule_accepts(rule, wanted).then(|| values.iter().any(|value| ruled(rule, value, wanted)))
            }
            FilterKind::Extensible { .. } => None,
        }
    }
}

/// `and` (`decisive` false) or `or` (true) over three values.
fn join(answers: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut undefined = false;
    for answer in answers {
        match answer {
            Some(answer) if answer == decisive => return Some(decisive),
            Some(_) => {}
            None => undefined = true,
        }
    }
    (!undefined).then_some(!decisive)
}

fn compare(value: &[u8], comparison: Comparison, wanted: &[u8]) -> bool {
    let ordering = match (integer(value), integer(wanted)) {
        (Some(value), Some(wanted)) => value.cmp(&wanted),
        _ => fold(value, true).cmp(&fold(wanted, true)),
    };
    match comparison {
        Comparison::Equal | Comparison::Approximate => fold(value, true) == fold(wanted, true),
        Comparison::AtLeast => ordering.is_ge(),
        Comparison::AtMost => ordering.is_le(),
    }
}

fn substrings(value: &[u8], first: &[u8], middle: &[Vec<u8>], last: &[u8]) -> bool {
    let value = fold(value, true);
    let (first, last) = (fold(first, false), fold(last, false));
    let Some(mut rest) = value.strip_prefix(first.as_ref()) else { return false };
    for part in middle {
        let part = fold(part, false);
        let found = (0..=rest.len()).find_map(|at| rest.get(at..)?.strip_prefix(part.as_ref()));
        let Some(after) = found else { return false };
        rest = after;
    }
    rest.ends_with(&last)
}

fn rule_accepts(rule: Rule, wanted: &[u8]) -> bool {
    match rule {
        Rule::BitAnd | Rule::BitOr | Rule::Integer => integer(wanted).is_some(),
        Rule::CaseIgnore | Rule::CaseExact | Rule::Octets => true,
    }
}

fn ruled(rule: Rule, value: &[u8], wanted: &[u8]) -> bool {
    let numbers = |test: fn(i64, i64) -> bool| match (integer(value), integer(wanted)) {
        (Some(value), Some(wanted)) => test(value, wanted),
        _ => false,
    };
    match rule {
        Rule::BitAnd => numbers(|value, bits| value & bits == bits),
        Rule::BitOr => numbers(|value, bits| value & bits != 0),
        Rule::Integer => numbers(|value, wanted| value == wanted),
        Rule::CaseIgnore => fold(value, true) == fold(wanted, true),
        Rule::CaseExact | Rule::Octets => value == wanted,
    }
}

fn integer(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.trim().parse().ok()
}

/// Text in lower case with single blanks, at the ends none when `whole`; anything else as it is.
fn fold(bytes: &[u8], whole: bool) -> Cow<'_, [u8]> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Cow::Borrowed(bytes) };
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        let blank = c == ' ';
        if !(blank && (folded.ends_with(' ') || (whole && folded.is_empty()))) {
            folded.push(c);
        }
    }
    if whole {
        folded.truncate(folded.trim_end_matches(' ').len());
    }
    Cow::Owned(folded.into_bytes())
}
