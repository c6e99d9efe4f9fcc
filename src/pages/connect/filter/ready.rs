//! Filters to start from.

use crate::components::markup::{escape, push};

/// A filter to start from: what it does, and its text.
pub(super) struct Ready {
    /// What its button says.
    pub label: &'static str,
    /// The text. Where a value is to be filled in, it is empty.
    pub text: String,
}

/// The filters to start from, with the customer's own domain in them when it is known.
pub(super) fn ready(domain: Option<&str>) -> [Ready; 6] {
    let one = |label, text: &str| Ready { label, text: text.to_owned() };
    [
        one("Members only", "userType eq 'Member'"),
        one("Licensed only", "assignedLicenses/$count ne 0"),
        one("One department", "department eq ''"),
        one("One country", "country eq ''"),
        Ready { label: "One domain", text: format!("endsWith(mail,'@{}')", domain.unwrap_or_default()) },
        one(
            "No service accounts",
            "not(startsWith(userPrincipalName,'svc') or startsWith(userPrincipalName,'sync_'))",
        ),
    ]
}

/// A text with another filter as a further condition.
pub(super) fn joined(text: &str, further: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return further.to_owned();
    }
    // `and` binds closer than `or`, which need not be in the text: the parentheses do no harm.
    let plain = !text.to_ascii_lowercase().contains(" or ");
    if plain { format!("{text} and {further}") } else { format!("({text}) and {further}") }
}

/// Between the quotes, where a filter wants a value; else behind the text. In bytes.
pub(super) fn place_to_fill_in(text: &str) -> usize {
    if text.ends_with("''") {
        text.len() - 1
    } else if text.ends_with("'@')") {
        text.len() - 2
    } else {
        text.len()
    }
}

/// The filters as links. Without JavaScript they lead to the page with the filter in its field; with it, a click on one is heard by
/// `data-filter`.
pub(super) fn markup(ready: &[Ready], text: &str) -> String {
    let mut markup = "<span class=\"soft\">Start from: </span>".to_owned();
    for filter in ready {
        markup.push_str("<a class=\"chip\" rel=\"external\" href=\"?filter=");
        for byte in joined(text, &filter.text).bytes() {
            if byte.is_ascii_alphanumeric() {
                markup.push(char::from(byte));
            } else {
                markup.push_str(&format!("%{byte:02X}"));
            }
        }
        markup.push_str("#custom_filter\" data-filter=\"");
        escape(&mut markup, &filter.text);
        push(&mut markup, &["\">", filter.label, "</a>"]);
    }
    markup
}

#[cfg(test)]
mod tests {
    use odata_filter::{Resource, Verdict, check};

    use super::*;

    #[test]
    fn every_ready_filter_is_accepted_alone_and_beside_the_others() {
        let mut all = String::new();
        for filter in ready(Some("contoso.com")) {
            let text = filter.text.replace("''", "'x'");
            let report = check(Resource::Users, &text);
            assert!(report.verdict != Verdict::Rejected && report.problem.is_none(), "{text}: {report:?}");
            all = joined(&all, &text);
        }
        assert_eq!(check(Resource::Users, &all).verdict, Verdict::AcceptedAdvanced, "{all}");
    }

    #[test]
    fn a_further_condition_narrows_what_was_there() {
        assert_eq!(joined(" ", "city eq 'x'"), "city eq 'x'");
        assert_eq!(joined("a eq 1", "b eq 2"), "a eq 1 and b eq 2");
        assert_eq!(joined("a eq 1 or c eq 3", "b eq 2"), "(a eq 1 or c eq 3) and b eq 2");
    }
}
