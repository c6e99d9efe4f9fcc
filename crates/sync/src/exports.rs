//! What is handed out as CSV, piece by piece: however much there is, only one piece is in memory.
//!
//! Each function answers a piece and where the next one goes on; the first piece begins with the head line.

use domain::run::Action;
use store::{AuditFilter, AuditPage, Change, CustomerStore, Store};

use crate::{SyncError, csv::line};

/// How many rows are read for a piece.
const PIECE: i64 = 1_000;

/// A piece of CSV, and after or before which row to go on; `None` at the end.
pub type Piece = (String, Option<i64>);

/// Fields old and new in one cell, a line each.
fn fields(changes: &[Change]) -> String {
    let lines: Vec<_> =
        changes.iter().map(|change| format!("{}: {} → {}", change.field, change.old, change.new)).collect();
    lines.join("\n")
}

/// What a run did, of one kind or of all, `after` the change with that number (0 for all).
///
/// # Errors
/// When the database cannot answer.
pub async fn run_changes(
    customer: &CustomerStore,
    run_id: i64,
    action: Option<Action>,
    after: i64,
) -> Result<Piece, SyncError> {
    let rows = match action {
        Some(action) => customer.run_changes_of(run_id, action, after, PIECE).await?,
        None => customer.run_changes(run_id, after, PIECE).await?,
    };
    let mut text = String::new();
    if after == 0 {
        text.push_str(&line(["at", "object", "name", "address", "action", "changes", "reason", "id"]));
    }
    for row in &rows {
        let change = &row.change;
        text.push_str(&line([
            row.at.rfc3339().as_str(),
            change.object.name(),
            &change.display_name,
            &change.address,
            change.action.name(),
            &fields(&change.changes),
            &change.reason,
            &change.object_id.to_string(),
        ]));
    }
    let whole = i64::try_from(rows.len()).is_ok_and(|rows| rows == PIECE);
    Ok((text, rows.last().filter(|_| whole).map(|row| row.id)))
}

/// The entries of a customer's audit log that a filter shows, the latest first, `before` the one with that number.
///
/// # Errors
/// When the database cannot answer.
pub async fn audit(
    customer: &CustomerStore,
    filter: &AuditFilter,
    before: Option<i64>,
) -> Result<Piece, SyncError> {
    let page = customer.search_audit(filter, before, usize::try_from(PIECE).unwrap_or(0)).await?;
    Ok(entries(page, before))
}

/// The same of the portal's own log.
///
/// # Errors
/// When the database cannot answer.
pub async fn portal_audit(
    store: &Store,
    filter: &AuditFilter,
    before: Option<i64>,
) -> Result<Piece, SyncError> {
    let page = store.search_portal_audit(filter, before, usize::try_from(PIECE).unwrap_or(0)).await?;
    Ok(entries(page, before))
}

fn entries(page: AuditPage, before: Option<i64>) -> Piece {
    let mut text = String::new();
    if before.is_none() {
        text.push_str(&line(["at", "actor", "action", "object", "changes"]));
    }
    for row in page.rows {
        let entry = row.entry;
        let at = entry.at.rfc3339();
        text.push_str(&line([
            at.as_str(),
            &entry.actor,
            &entry.action,
            &entry.object,
            &fields(&entry.changes),
        ]));
    }
    (text, page.next)
}
