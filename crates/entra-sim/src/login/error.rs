//! The errors of the token endpoint (contract 1.3): number, OAuth code, wording, and the JSON around them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::state::Sim;

/// One row of the table of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    code: u32,
    /// OAuth's `error`.
    error: &'static str,
    /// `{app}` and `{tenant}` stand for the request's own.
    text: &'static str,
}

const fn row(code: u32, error: &'static str, text: &'static str) -> Known {
    Known { code, error, text }
}

/// Every error that an application can meet. Those that depend on what was sent have constructors with the
/// full wording below; the text here is what a test gets that switches the error on.
const TABLE: &[Known] = &[
    row(
        7000215,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app}'.",
    ),
    row(
        7000222,
        "invalid_client",
        "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
    ),
    row(
        7000218,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    row(
        7000216,
        "invalid_client",
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
    ),
    row(50012, "invalid_client", "Client assertion contains an invalid signature."),
    row(50013, "invalid_client", "Assertion failed validation."),
    row(50027, "invalid_client", "Invalid JWT token."),
    row(
        700021,
        "invalid_client",
        "Client assertion application identifier doesn't match 'client_id' parameter.",
    ),
    row(700023, "invalid_client", "Client assertion audience claim does not match Realm issuer."),
    row(700024, "invalid_client", "Client assertion is not within its valid time range."),
    row(
        700027,
        "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on application.",
    ),
    row(
        700016,
        "unauthorized_client",
        "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
    ),
    row(7000112, "unauthorized_client", "Application '{app}' is disabled."),
    row(
        90002,
        "invalid_request",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
    ),
    row(
        900023,
        "invalid_request",
        "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
    ),
    row(
        50059,
        "invalid_request",
        "No tenant-identifying information found in either the request or implied by any provided credentials.",
    ),
    row(
        70011,
        "invalid_scope",
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid.",
    ),
    row(
        700022,
        "invalid_request",
        "The provided value for the input parameter 'scope' is not valid because it contains more than one resource.",
    ),
    row(
        500011,
        "invalid_resource",
        "The resource principal was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
    ),
    row(70003, "unsupported_grant_type", "The app requested an unsupported grant type."),
    row(
        53003,
        "invalid_grant",
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    ),
    row(530032, "invalid_grant", "Access has been blocked by the security policies of the tenant."),
    row(
        530035,
        "invalid_grant",
        "Access has been blocked by security defaults. This is due to the request being deemed unsafe by security defaults policies.",
    ),
    row(
        90038,
        "invalid_request",
        "Tenant '{tenant}' request is being redirected to the national cloud 'MicrosoftOnline.US'.",
    ),
    row(900382, "invalid_request", "Confidential Client is not supported in Cross Cloud request."),
    row(9002313, "invalid_request", "Invalid request. Request is malformed or invalid."),
    row(900144, "invalid_request", "The request body must contain the following parameter: 'grant_type'."),
    row(
        50196,
        "invalid_grant",
        "The server terminated an operation because it encountered a client request loop. Please contact your app vendor.",
    ),
    row(90055, "temporarily_unavailable", "The tenant is throttled due to too many incoming requests."),
    row(90033, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    row(90006, "server_error", "An external error has occurred. Please try again."),
    row(90012, "server_error", "The request to a dependent service has timed out."),
    row(
        90024,
        "temporarily_unavailable",
        "A transient error has occurred while the request budget was exceeded. Please try again.",
    ),
    row(50033, "server_error", "A transient error has occurred. Please try again."),
];

/// The row of a number, if the token endpoint gives it to applications.
pub(crate) fn known_error(code: u32) -> Option<&'static Known> {
    TABLE.iter().find(|known| known.code == code)
}

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
                "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
            ),
        )
    }

    pub(super) fn several_resources(scope: &str) -> Self {
        Self::worded(
            700022,
            format!(
                "The provided value for the input parameter 'scope' is not valid because it contains more than one resource. Scope {scope} is not valid."
            ),
        )
    }

    pub(super) fn unknown_resource(resource: &str, tenant: &str) -> Self {
        Self::worded(
            500011,
            format!(
                "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
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
                "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type; the client assertion type '{sent}' is not supported."
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
                "Client assertion contains an invalid signature. [Reason - The key was found, but use of the key to verify the signature failed., Thumbprint of key used by client: '{thumbprint}']"
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
                "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {from}, expiry time of assertion {until}."
            ),
        )
    }

    pub(super) fn unregistered_certificate(reason: &str, thumbprint: &str, app: &str) -> Self {
        Self::worded(
            700027,
            format!(
                "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - {reason}, Thumbprint of key used by client: '{thumbprint}', Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{app}'.]"
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
