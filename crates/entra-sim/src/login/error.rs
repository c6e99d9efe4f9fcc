//! The errors of the token endpoint (contract 1.3) and the JSON around them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::wording::known_error;
use crate::state::Sim;

/// Ids and the time of one answer.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) timestamp: String,
    pub(super) trace_id: String,
    pub(super) correlation_id: String,
}

/// An error with its wording filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenError {
    code: u32,
    error: &'static str,
    text: String,
}

impl TokenError {
    fn known(code: u32) -> Self {
        match known_error(code) {
            Some(known) => Self { code, error: known.error, text: known.text.to_owned() },
            None => Self::server(),
        }
    }

    fn about(code: u32, app: &str, tenant: &str) -> Self {
        let known = Self::known(code);
        Self { text: known.text.replace("{app}", app).replace("{tenant}", tenant), ..known }
    }

    fn worded(code: u32, text: String) -> Self {
        Self { text, ..Self::known(code) }
    }

    /// Any error, because a test switched it on.
    pub(super) fn switched(code: u32, sim: &Sim, tenant: &str) -> Self {
        Self::about(code, &sim.client_id(), tenant)
    }

    pub(super) fn server() -> Self {
        Self {
            code: 50033,
            error: "server_error",
            text: "A transient error has occurred. Please try again.".to_owned(),
        }
    }

    pub(super) fn malformed_request() -> Self {
        Self::known(9002313)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::worded(900144, format!("The request body must contain the following parameter: '{parameter}'."))
    }

    pub(super) fn unsupported_grant(grant: &str) -> Self {
        Self::worded(70003, format!("The app requested an unsupported grant type '{grant}'."))
    }

    pub(super) fn tenant_not_found(tenant: &str) -> Self {
        Self::about(90002, "", tenant)
    }

    /// The same on a discovery document, where it has another OAuth code.
    pub(super) fn invalid_tenant(tenant: &str) -> Self {
        Self { error: "invalid_tenant", ..Self::tenant_not_found(tenant) }
    }

    pub(super) fn tenant_malformed(tenant: &str) -> Self {
        Self::about(900023, "", tenant)
    }

    /// `common` and its like: an application has no tenant of its own to be signed in to.
    pub(super) fn no_tenant() -> Self {
        Self::known(50059)
    }

    pub(super) fn unknown_application(app: &str, tenant: &str) -> Self {
        Self::about(700016, app, tenant)
    }

    pub(super) fn invalid_scope(scope: &str) -> Self {
        Self::worded(
            70011,
            format!(
                "The provided request must include a 'scope' input parameter. The provided value for \
                 the input parameter 'scope' is not valid. The scope {scope} is not valid."
            ),
        )
    }

    pub(super) fn several_resources(scope: &str) -> Self {
        Self::worded(
            700022,
            format!(
                "The provided value for the input parameter 'scope' is not valid because it contains \
                 more than one resource. Scope {scope} is not valid."
            ),
        )
    }

    pub(super) fn unknown_resource(resource: &str, tenant: &str) -> Self {
        Self::worded(
            500011,
            format!(
                "The resource principal named {resource} was not found in the tenant named {tenant}. \
                 This can happen if the application has not been installed by the administrator of \
                 the tenant or consented to by any user in the tenant. You might have sent your \
                 authentication request to the wrong tenant."
            ),
        )
    }

    pub(super) fn no_credential() -> Self {
        Self::known(7000218)
    }

    pub(super) fn assertion_type(sent: &str) -> Self {
        Self::worded(
            7000216,
            format!(
                "'client_assertion', 'client_secret' or 'request' is required for the \
                 'client_credentials' grant type; the client assertion type '{sent}' is not \
                 supported."
            ),
        )
    }

    pub(super) fn wrong_secret(app: &str) -> Self {
        Self::about(7000215, app, "")
    }

    pub(super) fn expired_secret(app: &str) -> Self {
        Self::about(7000222, app, "")
    }

    pub(super) fn malformed_assertion(reason: &str) -> Self {
        Self::worded(50027, format!("Invalid JWT token. {reason}"))
    }

    pub(super) fn invalid_assertion(reason: &str) -> Self {
        Self::worded(50013, format!("Assertion failed validation. {reason}"))
    }

    pub(super) fn assertion_signature(thumbprint: &str) -> Self {
        Self::worded(
            50012,
            format!(
                "Client assertion contains an invalid signature. [Reason - The key was found, but use \
                 of the key to verify the signature failed., Thumbprint of key used by client: \
                 '{thumbprint}']"
            ),
        )
    }

    pub(super) fn assertion_application() -> Self {
        Self::known(700021)
    }

    pub(super) fn assertion_audience() -> Self {
        Self::known(700023)
    }

    pub(super) fn assertion_time(now: &str, from: &str, until: &str) -> Self {
        Self::worded(
            700024,
            format!(
                "Client assertion is not within its valid time range. Current time: {now}, assertion \
                 valid from {from}, expiry time of assertion {until}."
            ),
        )
    }

    pub(super) fn unregistered_certificate(reason: &str, thumbprint: &str, app: &str) -> Self {
        Self::worded(
            700027,
            format!(
                "The certificate with identifier used to sign the client assertion is not registered on \
                 application. [Reason - {reason}, Thumbprint of key used by client: '{thumbprint}', \
                 Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see \
                 configured keys for app Id '{app}'.]"
            ),
        )
    }

    pub(super) fn into_response(self, frame: &Frame) -> Response {
        let status =
            if self.error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let body = json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {}\r\nTrace ID: {}\r\nCorrelation ID: {}\r\nTimestamp: {}",
                self.code, self.text, frame.trace_id, frame.correlation_id, frame.timestamp
            ),
            "error_codes": [self.code],
            "timestamp": frame.timestamp,
            "trace_id": frame.trace_id,
            "correlation_id": frame.correlation_id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        (status, Json(body)).into_response()
    }
}
