//! Whether the process lives, and whether it can serve.

use axum::{extract::Extension, http::StatusCode, response::IntoResponse};

use crate::access::Portal;

/// `GET /healthz`: the process answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database answers too.
pub(super) async fn ready(Extension(portal): Extension<Portal>) -> impl IntoResponse {
    match portal.engine.store.ping().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(error) => {
            tracing::warn!(?error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}
