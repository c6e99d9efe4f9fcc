//! Downloads of a customer's history as CSV. They are plain routes, so that the browser saves them as files, and they are sent piece by piece.

use std::{convert::Infallible, future::Future};

use axum::{
    body::Body,
    extract::{Extension, Path, RawQuery},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use domain::{role::Role, run::Action};
use futures::stream;
use store::AuditFilter;
use sync::{
    SyncError,
    exports::{self, Piece},
};
use uuid::Uuid;

use crate::{
    access::{self, Desk, Portal, Query},
    error::AppError,
};

/// `GET /customers/{slug}/sync-history/{run}/changes.csv`: what a run did, of the kind that `action` in the query names.
pub(super) async fn run_changes(
    Extension(portal): Extension<Portal>,
    headers: HeaderMap,
    Path((slug, run)): Path<(String, Uuid)>,
    RawQuery(query): RawQuery,
) -> Response {
    let desk = match desk(&portal, &headers, &slug).await {
        Ok(desk) => desk,
        Err(refused) => return refused,
    };
    let found = match desk.customer.run(run).await {
        Ok(Some(found)) => found.id,
        Ok(None) => return refusal(&AppError::NotFound),
        Err(error) => return refusal(&access::store_error(&error)),
    };
    let action = Action::named(Query::read(&query.unwrap_or_default()).get("action"));
    let customer = desk.customer;
    file(&format!("changes-{run}.csv"), move |after: Option<i64>| {
        let customer = customer.clone();
        async move { exports::run_changes(&customer, found, action, after.unwrap_or(0)).await }
    })
}

/// `GET /customers/{slug}/audit-log/audit-log.csv`: the entries that the filter in the query shows.
pub(super) async fn audit_log(
    Extension(portal): Extension<Portal>,
    headers: HeaderMap,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let desk = match desk(&portal, &headers, &slug).await {
        Ok(desk) => desk,
        Err(refused) => return refused,
    };
    let query = Query::read(&query.unwrap_or_default());
    let filter = AuditFilter {
        actor: query.get("actor").to_owned(),
        action: query.get("action").to_owned(),
        text: query.get("text").to_owned(),
    };
    let of_portal = query.get("log") == "portal";
    if of_portal && desk.session.administrator.every_customer_role != Some(Role::Administrator) {
        return refusal(&AppError::Forbidden);
    }
    let Desk { portal, customer, .. } = desk;
    file(&format!("audit-log-{slug}.csv"), move |before: Option<i64>| {
        let (store, customer, filter) = (portal.engine.store.clone(), customer.clone(), filter.clone());
        async move {
            if of_portal {
                exports::portal_audit(&store, &filter, before).await
            } else {
                exports::audit(&customer, &filter, before).await
            }
        }
    })
}

async fn desk(portal: &Portal, headers: &HeaderMap, slug: &str) -> Result<Desk, Response> {
    access::require_plain(portal, headers, slug, Role::Viewer).await.map_err(|error| refusal(&error))
}

/// What a browser is told that may not have the file, or for which there is none.
fn refusal(error: &AppError) -> Response {
    let status = match error {
        AppError::SignedOut => return Redirect::to("/login").into_response(),
        AppError::Forbidden => StatusCode::FORBIDDEN,
        AppError::NotFound => StatusCode::NOT_FOUND,
        AppError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Internal { .. } | AppError::Unreachable => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, format!("{error}\n")).into_response()
}

/// A file that is sent as `piece` hands it out. One that breaks off in the middle ends with a line that says so: its head is sent by then.
fn file<Next>(name: &str, piece: impl Fn(Option<i64>) -> Next + Send + 'static) -> Response
where
    Next: Future<Output = Result<Piece, SyncError>> + Send + 'static,
{
    let pieces = stream::unfold((piece, Some(None)), |(piece, at)| async move {
        let (text, next) = match piece(at?).await {
            Ok((text, next)) => (text, next),
            Err(error) => {
                tracing::warn!(%error, "an export broke off");
                ("\"The export broke off here. Try again.\"\r\n".to_owned(), None)
            }
        };
        Some((Ok::<_, Infallible>(text), (piece, next.map(Some))))
    });
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, disposition.unwrap_or_else(|_| HeaderValue::from_static("attachment"))),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}
