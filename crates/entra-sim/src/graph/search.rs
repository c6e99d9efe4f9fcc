//! `$search="displayName:al" OR "mail:al"` (contract 2.4): each clause in quotes, AND and OR in capitals between
//! them, AND before OR. Display name and description are compared word by word, other properties from their
//! beginning, all without regard to case.

use serde_json::Value;

use super::error::GraphError;
use crate::tenant::Object;

const BY_WORD: &[&str] = &["displayName", "description"];
const BY_BEGINNING: &[&str] =
    &["givenName", "mail", "mailNickname", "otherMails", "proxyAddresses", "surname", "userPrincipalName"];

/// Alternatives, each of conditions that all have to be met.
#[derive(Debug)]
pub(super) struct Search(Vec<Vec<Clause>>);

#[derive(Debug)]
struct Clause {
    property: &'static str,
    /// In lower case.
    wanted: String,
}

impl Search {
    pub(super) fn parse(text: &str) -> Result<Self, GraphError> {
        let mut alternatives = vec![Vec::new()];
        let mut rest = text.trim();
        loop {
            let (clause, after) = quoted(text, rest)?;
            if let Some(conditions) = alternatives.last_mut() {
                conditions.push(Clause::parse(&clause)?);
            }
            rest = after.trim_start();
            if rest.is_empty() {
                return Ok(Self(alternatives));
            }
            rest = if let Some(after) = rest.strip_prefix("AND ") {
                after.trim_start()
            } else if let Some(after) = rest.strip_prefix("OR ") {
                alternatives.push(Vec::new());
                after.trim_start()
            } else {
                return Err(syntax(text, rest));
            };
        }
    }

    pub(super) fn finds(&self, object: &Object) -> bool {
        self.0.iter().any(|conditions| conditions.iter().all(|clause| clause.finds(object)))
    }
}

/// The text between the quotes at the beginning, a backslash before a quote or backslash taken away, and what
/// comes after.
fn quoted<'a>(whole: &str, rest: &'a str) -> Result<(String, &'a str), GraphError> {
    let inner = rest.strip_prefix('"').ok_or_else(|| syntax(whole, rest))?;
    let mut clause = String::new();
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((clause, inner.get(at + 1..).unwrap_or_default())),
            '\\' => clause.extend(letters.next().map(|(_, letter)| letter)),
            letter => clause.push(letter),
        }
    }
    Err(GraphError::bad_request(format!(
        "There is an unterminated string literal at position {} in '{whole}'.",
        whole.chars().count()
    )))
}

fn syntax(whole: &str, rest: &str) -> GraphError {
    let position = whole.chars().count() - rest.chars().count().min(whole.chars().count());
    let message = match rest.chars().find(|letter| !letter.is_alphanumeric()) {
        // Without quotes the colon is the first thing that cannot be read.
        Some(letter) if !rest.starts_with('"') => {
            let at = position + rest.chars().position(|found| found == letter).unwrap_or_default();
            format!("Syntax error: character '{letter}' is not valid at position {at} in '{whole}'.")
        }
        _ => format!("Syntax error at position {position} in '{whole}'."),
    };
    GraphError::bad_request(message)
}

impl Clause {
    fn parse(text: &str) -> Result<Self, GraphError> {
        let unsupported = || GraphError::unsupported_query("Unsupported Query.");
        let (name, wanted) = text.split_once(':').ok_or_else(unsupported)?;
        let known = BY_WORD.iter().chain(BY_BEGINNING).find(|known| known.eq_ignore_ascii_case(name.trim()));
        Ok(Self { property: known.ok_or_else(unsupported)?, wanted: wanted.trim().to_lowercase() })
    }

    fn finds(&self, object: &Object) -> bool {
        let matches = |value: &str| {
            let value = value.to_lowercase();
            if !BY_WORD.contains(&self.property) {
                return value.starts_with(&self.wanted);
            }
            words(&self.wanted).all(|wanted| words(&value).any(|word| word.starts_with(wanted)))
        };
        match object.get(self.property) {
            Some(Value::String(value)) => matches(value),
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).any(matches),
            _ => false,
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty())
}
