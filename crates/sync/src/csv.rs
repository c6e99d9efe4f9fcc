//! CSV as RFC 4180 has it, in UTF-8, with no cell that a spreadsheet would read as a formula.

/// A line of these cells, each in quotes.
pub(crate) fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<_> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

/// What a spreadsheet would take for the beginning of a formula gets an apostrophe before it, which it shows as text.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let mark = if formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_keeps_quotes_commas_and_line_breaks() {
        assert_eq!(
            line(["Ada \"Countess\" Byron, née\r\nX", ""]),
            "\"Ada \"\"Countess\"\" Byron, née\r\nX\",\"\"\r\n"
        );
    }

    #[test]
    fn a_cell_never_starts_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert!(cell(text).starts_with("\"'"), "{text:?}");
        }
        assert_eq!(cell("Ada = Byron"), "\"Ada = Byron\"");
    }
}
