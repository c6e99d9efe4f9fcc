//! The query of a page's address, read on the server.

use leptos_router::{location::RequestUrl, params::ParamsMap};

use super::query_value;

/// The parameters of a query. A mangled one reads as far as it goes: an address is nobody's form.
#[derive(Clone, Debug, Default)]
pub struct Query(ParamsMap);

impl Query {
    /// Reads a query, with or without its question mark.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let url = RequestUrl::new(&format!("/?{}", text.trim_start_matches('?'))).parse();
        Self(url.map(|url| url.search_params().clone()).unwrap_or_default())
    }

    /// The value of that name, trimmed; empty when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.get_str(name).unwrap_or_default().trim()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_a_browser_wrote_it() {
        let query =
            Query::read("?actor=ada%40portal.example&text=+M%C3%BCller+%26+co&after=7&mangled=%zz&bare");
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
