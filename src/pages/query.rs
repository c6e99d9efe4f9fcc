//! The query of a page's address, read and written on the server: a page hands it over as it stands, so that no browser code has to know what
//! is in it. Names and values may come several times.

use crate::access::query_value;

/// The longest query that is read; browsers and proxies take no longer addresses either.
const LONGEST: usize = 32 * 1024;

/// Names and values in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query, with or without the question mark. What cannot be decoded is read as it stands.
    pub(super) fn read(text: &str) -> Self {
        let text = text.trim_start_matches('?');
        let text = text.get(..text.len().min(LONGEST)).unwrap_or_default();
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self(pairs.collect())
    }

    /// The first value of that name; empty for none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(of, _)| of == name).map_or("", |(_, value)| value.as_str())
    }

    /// Every value of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    /// The same query without these names.
    pub(super) fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// The same query with a further value; an empty one adds nothing.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.0.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Names and values, for the hidden fields of a form.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        self.0.clone()
    }

    /// The query as text, without a question mark.
    pub(super) fn text(&self) -> String {
        let pairs: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{}={}", query_value(name), query_value(value)))
            .collect();
        pairs.join("&")
    }

    /// The address of a page with this query.
    pub(super) fn on(&self, path: &str) -> String {
        if self.0.is_empty() { path.to_owned() } else { format!("{path}?{}", self.text()) }
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (byte, hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            (byte, _) => {
                bytes.push(if byte == b'+' { b' ' } else { byte });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_a_form_writes_it_and_comes_back_the_same() {
        let query = Query::read("?q=Z%C3%B6e+%26+co&user=1&user=2&odd=%zz&empty=");
        assert_eq!(query.get("q"), "Zöe & co");
        assert_eq!(query.all("user").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(query.get("odd"), "%zz");
        assert_eq!(Query::read(&query.text()), query);
        assert_eq!(query.without(&["user", "odd", "empty"]).on("/x"), "/x?q=Z%C3%B6e%20%26%20co");
    }
}
