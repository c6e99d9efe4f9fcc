//! Files that a page offers: `GET /customers/{slug}/users.csv`, the users that a list shows, as CSV.
//!
//! RFC 4180 in UTF-8, written while it is read, a thousand users at a time; a cell never begins what a spreadsheet would take for a formula.

use axum::{
    body::{Body, Bytes},
    extract::{Extension, Path, RawQuery},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use domain::role::Role;
use futures::stream;
use store::{CustomerStore, StoreError, UserPage, UserRow};

use crate::{
    access::{self, Portal, Query, with_query},
    error::AppError,
    pages::users_page,
};

/// How many users are read at a time.
const CHUNK: i64 = 1_000;
/// Tells spreadsheets that the text is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{FEFF}";
const HEAD: [&str; 7] =
    ["name", "primary_address", "aliases", "source", "status", "sign_in_blocked", "last_change"];

/// What a plain route answers to somebody who may not, or cannot now.
pub(super) fn refusal(error: &AppError) -> Response {
    let status = match error {
        AppError::SignedOut => StatusCode::UNAUTHORIZED,
        AppError::Forbidden => StatusCode::FORBIDDEN,
        AppError::NotFound => StatusCode::NOT_FOUND,
        AppError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Internal { .. } | AppError::Unreachable => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, format!("{error}\n")).into_response()
}

/// The users of the list whose query this is.
pub(super) async fn users(
    Extension(portal): Extension<Portal>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let desk = match access::require_plain(&portal, &headers, &slug, Role::Viewer).await {
        Ok(desk) => desk,
        // A link that was kept: whoever signs in comes back to it.
        Err(AppError::SignedOut) => {
            let here = format!("/customers/{slug}/users");
            return Redirect::to(&with_query("/login", &[("next", access::local_path(&here))]))
                .into_response();
        }
        Err(error) => return refusal(&error),
    };
    let page = UserPage {
        limit: CHUNK,
        after: None,
        before: None,
        ..users_page(&Query::read(&query.unwrap_or_default()))
    };
    let date = portal.now().date();
    let name = format!("attachment; filename=\"users-{}-{date}.csv\"", desk.customer.customer().slug);
    let start = Some(Export { customer: desk.customer, page, begun: false });
    let chunks = stream::unfold(start, async |export| {
        let mut export = export?;
        match export.chunk().await {
            Ok((text, more)) => Some((Ok(Bytes::from(text)), more.then_some(export))),
            // The answer has begun, so it cannot be refused any more: it breaks off, and the browser says so.
            Err(error) => {
                tracing::warn!(?error, "an export of users broke off");
                Some((Err(error), None))
            }
        }
    });
    (
        [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        Body::from_stream(chunks),
    )
        .into_response()
}

struct Export {
    customer: CustomerStore,
    page: UserPage,
    begun: bool,
}

impl Export {
    /// The next lines, and whether there are more behind them.
    async fn chunk(&mut self) -> Result<(String, bool), StoreError> {
        let list = self.customer.users(self.page.clone()).await?;
        let ids: Vec<i64> = list.rows.iter().map(|row| row.id).collect();
        let mut aliases = self.customer.user_aliases(&ids).await?;
        let mut text = String::new();
        if !self.begun {
            self.begun = true;
            text.push_str(BYTE_ORDER_MARK);
            text.push_str(&line(&HEAD.map(str::to_owned)));
        }
        for row in &list.rows {
            text.push_str(&line(&cells(row, aliases.remove(&row.id).unwrap_or_default())));
        }
        self.page.after = list.rows.last().map(|row| row.cursor(self.page.order));
        Ok((text, list.has_next))
    }
}

fn cells(row: &UserRow, aliases: Vec<String>) -> [String; HEAD.len()] {
    [
        row.display_name.clone(),
        if row.address_lost { String::new() } else { row.primary_address.clone() },
        aliases.join("\n"),
        row.source.label().to_owned(),
        row.status.label().to_owned(),
        if row.sign_in_blocked { "yes" } else { "no" }.to_owned(),
        row.changed_at.rfc3339(),
    ]
}

fn line(cells: &[String]) -> String {
    let cells: Vec<_> = cells.iter().map(|text| cell(text)).collect();
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
    fn a_cell_keeps_its_text_and_never_begins_a_formula() {
        assert_eq!(cell("Ada \"Countess\"\r\nByron, née"), "\"Ada \"\"Countess\"\"\r\nByron, née\"");
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert!(cell(text).starts_with("\"'"), "{text:?}");
        }
    }
}
