//! Discovery documents, which libraries read before they ask for a token (contract 8.4).

use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::access_token;
use super::error::TokenError;
use super::frame;
use crate::origin::Origin;
use crate::state::Sim;

pub(super) async fn openid_configuration(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let known = sim.tenant();
    if !known.is_called(&tenant) {
        return TokenError::invalid_tenant(&tenant).into_response(&frame(
            &sim,
            &parts.headers,
            query.as_deref(),
        ));
    }
    let origin = Origin::of_parts(&parts);
    let base = format!("{}/{tenant}", origin.base());
    Json(json!({
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("{}/{}/v2.0", origin.base(), known.id()),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "ver"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": origin.host(),
    }))
    .into_response()
}

pub(super) async fn keys(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let known = sim.tenant();
    // The keys are the same for everybody, so `common` has them too.
    if tenant != "common" && !known.is_called(&tenant) {
        return TokenError::invalid_tenant(&tenant).into_response(&frame(
            &sim,
            &parts.headers,
            query.as_deref(),
        ));
    }
    let issuer = format!("{}/{}/v2.0", Origin::of_parts(&parts).base(), known.id());
    Json(access_token::key_set(&issuer)).into_response()
}

pub(super) async fn instance(State(sim): State<Sim>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let origin = Origin::of_parts(&parts);
    let authority = format!("{}/{}", origin.base(), sim.tenant().id());
    Json(json!({
        "tenant_discovery_endpoint": format!("{authority}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [{
            "preferred_network": origin.host(),
            "preferred_cache": origin.host(),
            "aliases": [origin.host()],
        }],
    }))
    .into_response()
}
