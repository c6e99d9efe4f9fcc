//! Users in conflict as CSV: RFC 4180, UTF-8, and no cell that a spreadsheet would read as a formula.

use domain::{Timestamp, settings::DeleteAfter};
use store::{ConflictFilter, ConflictRow, CustomerStore};

use super::{Selection, deletion_setting};
use crate::SyncError;

/// The first line.
const HEAD: [&str; 10] = [
    "name",
    "primary_address",
    "source",
    "reason",
    "missing_since",
    "delete_on",
    "state",
    "ignored_until",
    "note",
    "user_id",
];

/// How many rows are read at once.
const CHUNK: i64 = 1_000;

/// The selected users as CSV. All that match are exported however many they are: nothing hangs on the count that was shown.
///
/// # Errors
/// When the database cannot answer.
pub async fn csv(customer: &CustomerStore, selection: &Selection) -> Result<String, SyncError> {
    let setting = deletion_setting(customer).await?;
    let mut text = line(HEAD.map(str::to_owned));
    match selection {
        Selection::Users(ids) => {
            for row in customer.conflicts_of(ids).await? {
                text.push_str(&record(&row, setting));
            }
        }
        Selection::All { filter, .. } => write_all(customer, filter, setting, &mut text).await?,
    }
    Ok(text)
}

async fn write_all(
    customer: &CustomerStore,
    filter: &ConflictFilter,
    setting: Option<DeleteAfter>,
    text: &mut String,
) -> Result<(), SyncError> {
    let mut after = None;
    loop {
        let rows = customer.conflicts_where(filter, after.take(), CHUNK).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.cursor());
        for row in &rows {
            text.push_str(&record(row, setting));
        }
    }
}

fn record(row: &ConflictRow, setting: Option<DeleteAfter>) -> String {
    let conflict = &row.conflict;
    let moment = |at: Option<Timestamp>| at.map(Timestamp::rfc3339).unwrap_or_default();
    line([
        row.display_name.clone(),
        row.primary_address.clone(),
        row.source.label().to_owned(),
        conflict.reason.label().to_owned(),
        conflict.missing_since.rfc3339(),
        moment(setting.and_then(|setting| conflict.delete_on(setting))),
        conflict.state.label().to_owned(),
        moment(conflict.ignored_until),
        conflict.note.clone(),
        row.public_id.to_string(),
    ])
}

fn line<const CELLS: usize>(cells: [String; CELLS]) -> String {
    let cells = cells.map(|text| cell(&text));
    format!("{}\r\n", cells.join(","))
}

/// A cell in quotes. What a spreadsheet would take for the beginning of a formula gets an apostrophe before it, which it shows as text.
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
        assert_eq!(cell("Ada \"Countess\" Byron, née\r\nX"), "\"Ada \"\"Countess\"\" Byron, née\r\nX\"");
    }

    #[test]
    fn a_cell_never_starts_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert!(cell(text).starts_with("\"'"), "{text:?}");
        }
        assert_eq!(cell("Ada = Byron"), "\"Ada = Byron\"");
    }
}
