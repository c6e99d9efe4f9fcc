//! The export of User Conflicts: a plain route beside the page, with the page's query as the selection.

use axum::{
    extract::{Extension, Path, RawQuery},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use domain::role::Role;
use sync::conflicts::export;

use crate::{
    access::{self, Portal},
    error::AppError,
    pages::conflicts_selected,
};

/// The route.
pub const PATH: &str = "/customers/{slug}/service-settings/directory-services/entra-id/user-conflicts.csv";

/// `GET …/user-conflicts.csv`: the selected users as CSV.
pub async fn download(
    Extension(portal): Extension<Portal>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let selection = conflicts_selected(&query.unwrap_or_default());
    let made = async {
        let desk = access::require_plain(&portal, &headers, &slug, Role::Viewer).await?;
        export::csv(&desk.customer, &selection).await.map_err(|error| access::sync_error(&error))
    };
    match made.await {
        Ok(text) => {
            let name = format!("attachment; filename=\"user-conflicts-{slug}.csv\"");
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
                (header::CONTENT_DISPOSITION, name),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ];
            (headers, text).into_response()
        }
        Err(AppError::SignedOut) => Redirect::to("/login").into_response(),
        Err(error) => {
            let status = match error {
                AppError::Forbidden => StatusCode::FORBIDDEN,
                AppError::NotFound => StatusCode::NOT_FOUND,
                AppError::Busy => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            (status, format!("{error}\n")).into_response()
        }
    }
}
