//! Graph's errors: status, code and message, and the JSON around them (contract 6.1).

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::reply::Frame;
use crate::state::GraphFault;

/// An answer other than success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GraphError {
    status: StatusCode,
    code: String,
    message: String,
    headers: Vec<(HeaderName, String)>,
}

impl GraphError {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), headers: Vec::new() }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// From the directory rather than from the gateway before it.
    pub(super) fn directory_bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    }

    pub(super) fn unsupported_query(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message)
    }

    pub(super) fn unknown_segment(segment: &str) -> Self {
        Self::bad_request(format!("Resource not found for the segment '{segment}'."))
    }

    pub(super) fn not_found(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Request_ResourceNotFound",
            format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are \
                 not present."
            ),
        )
    }

    pub(super) fn expired_page() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Directory_ExpiredPageToken",
            "The specified page token value has expired and can no longer be included in your request.",
        )
    }

    /// The delta token means nothing (any more); following `restart` begins a full round.
    pub(super) fn sync_state_not_found(restart: String) -> Self {
        let error = Self::new(
            StatusCode::GONE,
            "SyncStateNotFound",
            "The sync state generation is not found. The delta token is expired and data must be \
             synchronized again.",
        );
        Self { headers: vec![(header::LOCATION, restart)], ..error }
    }

    pub(super) fn not_implemented() -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            "This operation target is not yet supported.",
        )
    }

    pub(super) fn denied() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    }

    pub(super) fn unauthenticated(message: &str) -> Self {
        let challenge = "Bearer realm=\"\", \
            authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
            client_id=\"00000003-0000-0000-c000-000000000000\"";
        let error = Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
        Self { headers: vec![(header::WWW_AUTHENTICATE, challenge.to_owned())], ..error }
    }

    /// What a test wants to be answered.
    pub(super) fn scripted(fault: &GraphFault) -> Self {
        let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let wait = fault.retry_after.map(|seconds| (header::RETRY_AFTER, seconds.to_string()));
        Self { headers: wait.into_iter().collect(), ..Self::new(status, &fault.code, fault.message.clone()) }
    }

    pub(super) fn into_response(self, frame: &Frame) -> Response {
        let body = json!({ "error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": frame.date,
                "request-id": frame.request_id,
                "client-request-id": frame.client_request_id,
            },
        }});
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let mut response = (self.status, headers, body.to_string()).into_response();
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        frame.add_to(response.headers_mut());
        response
    }
}
