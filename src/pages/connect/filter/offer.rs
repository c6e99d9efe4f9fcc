//! The completion list: what may follow at the cursor, and what the text is after one of it was taken.

use odata_filter::{ItemKind, Resource, complete};

use crate::components::markup::{escape, push};

/// The most entries of a list.
const MOST: usize = 60;

/// One entry of the list.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// What it reads.
    pub label: String,
    /// What it is.
    pub detail: String,
    /// What it puts in the place of the span, in bytes.
    insert: String,
    start: usize,
    end: usize,
}

impl Choice {
    /// The text with this taken, and the cursor behind it, in bytes.
    pub fn take(&self, text: &str) -> (String, usize) {
        let before = text.get(..self.start).unwrap_or_default();
        let after = text.get(self.end..).unwrap_or_default();
        // A blank that is there already is not doubled.
        let insert = if after.starts_with(' ') { self.insert.trim_end() } else { &self.insert };
        (format!("{before}{insert}{after}"), before.len() + insert.len())
    }
}

/// What is offered at a place.
#[derive(Debug)]
pub(super) struct Offer {
    /// The entries, best first.
    pub choices: Vec<Choice>,
    /// The property whose values would fit, and the part of the value that is there already.
    pub values_of: Option<(String, String)>,
    /// Whether something is typed that the first entry goes on with.
    pub is_begun: bool,
    start: usize,
    end: usize,
}

/// What may stand at the cursor, a byte offset.
pub(super) fn offer(text: &str, cursor: usize) -> Offer {
    let found = complete(Resource::Users, text, cursor);
    let typed = text.get(found.span.start..cursor).unwrap_or_default();
    let mut end = found.span.end;
    // Values replace the quotes around them as well.
    let quoted = typed.strip_prefix('\'');
    if quoted.is_some() && text.get(end..).is_some_and(|rest| rest.starts_with('\'')) {
        end += 1;
    }
    let choices = found
        .items
        .into_iter()
        .filter(|item| item.text != typed)
        .take(MOST)
        .map(|item| {
            let kind = match item.kind {
                ItemKind::Property => "property",
                ItemKind::Operator => "operator",
                ItemKind::Function => "function",
                ItemKind::Keyword | ItemKind::Literal => "",
            };
            let advanced = if item.advanced { "advanced query" } else { "" };
            let insert = with_what_follows(text, found.span.start, item.text.clone(), item.kind);
            let detail =
                [kind, advanced].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
            Choice { label: item.text, detail, insert, start: found.span.start, end }
        })
        .collect();
    let typed_value = quoted.unwrap_or(typed).replace("''", "'");
    Offer {
        choices,
        is_begun: !typed.is_empty(),
        values_of: found.values_of.map(|property| (property, typed_value)),
        start: found.span.start,
        end,
    }
}

/// What is inserted for an item: itself, and the blank or sign that always comes next.
fn with_what_follows(text: &str, start: usize, item: String, kind: ItemKind) -> String {
    let before = text.get(..start).unwrap_or_default();
    match kind {
        ItemKind::Property if !item.ends_with(':') => {
            let trial = format!("{before}{item} ");
            let next = complete(Resource::Users, &trial, trial.len()).items.into_iter().next();
            match next {
                Some(next) if next.text == "/" || next.text == "," => format!("{item}{}", next.text),
                _ => format!("{item} "),
            }
        }
        ItemKind::Operator => format!("{item} "),
        ItemKind::Keyword if item.ends_with(char::is_alphabetic) || item == ")" => format!("{item} "),
        ItemKind::Literal if item != "'" => format!("{item} "),
        _ => item,
    }
}

impl Offer {
    /// Puts values that occur before the rest.
    ///
    /// `values` has a line for each: the value, a tab, and how many people have it.
    pub fn with_values(mut self, values: &str) -> Self {
        let typed = self.values_of.as_ref().map(|(_, typed)| typed.to_ascii_lowercase()).unwrap_or_default();
        let (start, end) = (self.start, self.end);
        let lines = values.lines().filter_map(|line| line.split_once('\t'));
        let fitting = lines.filter(|(value, _)| value.to_ascii_lowercase().contains(&typed));
        let values = fitting.map(|(value, people)| {
            let insert = format!("'{}' ", value.replace('\'', "''"));
            Choice { label: value.to_owned(), detail: people.to_owned(), insert, start, end }
        });
        self.choices = values.chain(std::mem::take(&mut self.choices)).collect();
        self
    }
}

/// The list's entries.
pub(super) fn options(choices: &[Choice], active: Option<usize>) -> String {
    let mut markup = String::new();
    for (at, choice) in choices.iter().enumerate() {
        let selected = if active == Some(at) { "true" } else { "false" };
        let id = option_id(at);
        push(&mut markup, &["<li role=\"option\" id=\"", &id, "\" aria-selected=\"", selected, "\"><code>"]);
        escape(&mut markup, &choice.label);
        markup.push_str("</code><span class=\"soft\">");
        escape(&mut markup, &choice.detail);
        markup.push_str("</span></li>");
    }
    markup
}

/// The id of an entry.
pub(super) fn option_id(at: usize) -> String {
    format!("custom_filter-option-{at}")
}

/// The byte offset of a place that a browser names in UTF-16 units.
pub(super) fn byte_at(text: &str, utf16: u32) -> usize {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if units >= utf16 {
            return at;
        }
        units += u32::try_from(c.len_utf16()).unwrap_or_default();
    }
    text.len()
}

/// The same place as a browser names it.
pub(super) fn utf16_at(text: &str, byte: usize) -> u32 {
    let units = text.get(..byte).unwrap_or(text).encode_utf16().count();
    u32::try_from(units).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes the entry of that label at the bar; the result has the cursor as a bar.
    fn taken(marked: &str, label: &str, values: &[&str]) -> String {
        let cursor = marked.find('|').unwrap();
        let text = marked.replace('|', "");
        let values: Vec<_> = values.iter().map(|value| format!("{value}\t2 people")).collect();
        let offer = offer(&text, cursor).with_values(&values.join("\n"));
        let choice = offer.choices.iter().find(|choice| choice.label == label);
        let choice = choice.unwrap_or_else(|| panic!("{marked}: no {label} in {:?}", offer.choices));
        let (mut text, cursor) = choice.take(&text);
        text.insert(cursor, '|');
        text
    }

    #[test]
    fn what_is_taken_replaces_the_word_and_goes_on() {
        assert_eq!(taken("dep|", "department", &[]), "department |");
        assert_eq!(taken("dep| eq 'x'", "department", &[]), "department| eq 'x'");
        assert_eq!(taken("proxy|", "proxyAddresses", &[]), "proxyAddresses/|");
        assert_eq!(taken("proxyAddresses/|", "any(", &[]), "proxyAddresses/any(|");
        assert_eq!(taken("proxyAddresses/any(|", "x:", &[]), "proxyAddresses/any(x:|");
        assert_eq!(taken("startsWith(dep|", "department", &[]), "startsWith(department,|");
        assert_eq!(taken("department |", "eq", &[]), "department eq |");
        assert_eq!(taken("department in |", "(", &[]), "department in (|");
        assert_eq!(taken("department eq 'x' |", "and", &[]), "department eq 'x' and |");
        assert_eq!(taken("accountEnabled eq t|", "true", &[]), "accountEnabled eq true |");
    }

    #[test]
    fn a_value_replaces_its_quotes_and_doubles_those_inside() {
        assert_eq!(taken("department eq |", "Sales", &["Sales"]), "department eq 'Sales' |");
        assert_eq!(taken("department eq 'sa|'", "Sales", &["Sales", "Legal"]), "department eq 'Sales' |");
        assert_eq!(taken("department eq 'sa| and x", "Sales", &["Sales"]), "department eq 'Sales'| and x");
        assert_eq!(taken("startsWith(city,'|", "L'Aquila", &["L'Aquila"]), "startsWith(city,'L''Aquila' |");
    }

    #[test]
    fn only_values_that_hold_what_is_typed_are_offered() {
        let offer = offer("department eq 'sa", 17).with_values("Sales\t3 people\nLegal\t1 person");
        assert_eq!(offer.values_of, Some(("department".to_owned(), "sa".to_owned())));
        assert_eq!(offer.choices.iter().map(|choice| choice.label.as_str()).collect::<Vec<_>>(), ["Sales"]);
    }

    #[test]
    fn places_of_a_browser_are_found_behind_any_character() {
        let text = "ä😀x";
        for (byte, utf16) in [(0, 0), (2, 1), (6, 3), (7, 4)] {
            assert_eq!((byte_at(text, utf16), utf16_at(text, byte)), (byte, utf16));
        }
        assert_eq!(byte_at(text, 99), 7);
    }
}
