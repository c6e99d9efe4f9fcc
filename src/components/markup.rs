//! HTML as text, for parts of a page that are replaced whole at every keystroke: building them as views would cost the browser several times
//! their size in code. Foreign text goes through [`escape`], always.

/// Appends pieces of markup.
pub fn push(markup: &mut String, pieces: &[&str]) {
    for piece in pieces {
        markup.push_str(piece);
    }
}

/// Appends text as text: in an element or in a quoted attribute.
pub fn escape(markup: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => markup.push_str("&amp;"),
            '<' => markup.push_str("&lt;"),
            '>' => markup.push_str("&gt;"),
            '"' => markup.push_str("&quot;"),
            c => markup.push(c),
        }
    }
}

/// Appends an icon, as [`Icon`](super::Icon) makes it.
pub fn icon(markup: &mut String, name: &str) {
    let svg = "<svg class=\"icon\" aria-hidden=\"true\" focusable=\"false\"><use href=\"/icons.svg#";
    push(markup, &[svg, name, "\"></use></svg>"]);
}

/// The markup inside a `<textarea>`, where a view in it would not do: Leptos escapes nothing in one, and writes an empty text as a blank,
/// which the field then shows.
#[must_use]
pub fn inside_of_area(text: &str) -> String {
    let mut markup = String::new();
    // A line break right behind the tag is not part of the text, to a browser that reads the page. One that builds it sets the inside alone.
    if cfg!(feature = "ssr") {
        markup.push('\n');
    }
    escape(&mut markup, text);
    markup
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let mut markup = String::new();
        escape(&mut markup, "<a href=\"x\">'&'</a>");
        assert_eq!(inside_of_area("\n</textarea>"), "\n\n&lt;/textarea&gt;");
        assert_eq!(markup, "&lt;a href=&quot;x&quot;&gt;'&amp;'&lt;/a&gt;");
    }
}
