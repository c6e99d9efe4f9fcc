//! The query of a page's address, read on the server.

use std::borrow::Cow;

use super::query_value;

/// The parameters of a query. A mangled one reads as far as it goes: an address is nobody's form.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query, with or without its question mark.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let pairs = text.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The first value of that name, trimmed; empty when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.trim())
    }

    /// The value of that name as a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name).parse().ok()
    }

    /// `path` with the values of `kept` as they are here and `more` behind them; what is empty is left out.
    #[must_use]
    pub fn link(&self, path: &str, kept: &[&str], more: &[(&str, &str)]) -> String {
        let kept = kept.iter().map(|name| (*name, self.get(name)));
        let all: Vec<_> = kept
            .chain(more.iter().copied())
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", query_value(value)))
            .collect();
        if all.is_empty() { path.to_owned() } else { format!("{path}?{}", all.join("&")) }
    }
}

/// Undoes the encoding of a form's value.
fn decode(text: &str) -> String {
    let text: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                decoded.push(value);
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_a_browser_wrote_it() {
        let query = Query::read("?actor=ada%40portal.example&text=+M%C3%BCller+%26+co&after=7&mangled=%zz&bare");
        assert_eq!(query.get("actor"), "ada@portal.example");
        assert_eq!(query.get("text"), "Müller & co");
        assert_eq!(query.number("after"), Some(7));
        assert_eq!((query.get("mangled"), query.get("bare"), query.get("missing")), ("%zz", "", ""));
    }

    #[test]
    fn a_link_keeps_what_it_is_told_to_and_nothing_that_is_empty() {
        let query = Query::read("actor=a%26b&text=&before=9");
        assert_eq!(query.link("/log", &["actor", "text"], &[("before", "7")]), "/log?actor=a%26b&before=7");
        assert_eq!(query.link("/log", &[], &[]), "/log");
    }
}
