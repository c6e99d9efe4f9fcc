//! `login.microsoftonline.com`: discovery documents, signing keys and the token endpoint for the client
//! credentials grant (contract 1 and 8.4). Errors have the frame and the wording of the real service.

pub(crate) mod access_token;
mod assertion;
mod discovery;
mod error;
mod grant;
mod wording;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use crate::clock::login_time;
use crate::origin::Origin;
use crate::state::Sim;

use error::{Frame, TokenError};
pub(crate) use wording::known_error;

pub(crate) fn router() -> Router<Sim> {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::openid_configuration))
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
        .route("/common/discovery/instance", get(discovery::instance))
}

async fn token(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let origin = Origin::of_parts(&parts);
    let frame = frame(&sim, &parts.headers, query.as_deref());
    let Ok(body) = axum::body::to_bytes(body, 1 << 20).await else {
        return TokenError::malformed_request().into_response(&frame);
    };
    match answer(&sim, &origin, &tenant, &parts.headers, &body) {
        Ok(token) => {
            let body = json!({
                "token_type": "Bearer",
                "expires_in": access_token::LIFETIME_SECONDS,
                "ext_expires_in": access_token::LIFETIME_SECONDS,
                "access_token": token,
            });
            let headers = [(header::CACHE_CONTROL, "no-store, no-cache"), (header::PRAGMA, "no-cache")];
            (StatusCode::OK, headers, Json(body)).into_response()
        }
        Err(error) => error.into_response(&frame),
    }
}

fn answer(
    sim: &Sim,
    origin: &Origin,
    tenant: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<String, TokenError> {
    let request = grant::Form::read(headers, body)?;
    if let Some(code) = sim.take_token_fault() {
        return Err(TokenError::switched(code, sim, tenant));
    }
    let client = grant::check(sim, origin, tenant, &request)?;
    access_token::issue(sim, client).ok_or_else(TokenError::server)
}

/// What stands around an error: ids and the time.
fn frame(sim: &Sim, headers: &HeaderMap, query: Option<&str>) -> Frame {
    let of_query = || {
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .find(|(name, _)| name == "client-request-id")
            .map(|(_, value)| value.into_owned())
    };
    let of_header = headers.get("client-request-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    Frame {
        timestamp: login_time(sim.now()),
        trace_id: sim.guid(),
        correlation_id: of_header.or_else(of_query).unwrap_or_else(|| sim.guid()),
    }
}
