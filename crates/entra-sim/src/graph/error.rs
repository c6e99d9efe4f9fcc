//! Graph's errors: status, code and message, and the JSON around them (contract 6.1).

use axum::http::{HeaderName, StatusCode, header};
use odata_filter::{Code, Problem};
use serde_json::json;

use super::reply::{Answer, Frame};
use crate::habits::Resync;
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

    pub(super) fn search_without_header() -> Self {
        Self::unsupported_query(
            "Request with $search query parameter only works through MSGraph with a special request header: \
             'ConsistencyLevel: eventual'",
        )
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

    /// `/$count` without the header.
    pub(super) fn count_not_supported() -> Self {
        Self::directory_bad_request("$count is not currently supported.")
    }

    /// A POST without a body that its route can read.
    pub(super) fn unreadable_body() -> Self {
        Self::bad_request(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of \
             valid JSON format.",
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
    pub(super) fn begin_again(spelling: Resync, restart: String) -> Self {
        let (status, code) = match spelling {
            Resync::Gone => (StatusCode::GONE, "SyncStateNotFound"),
            Resync::ResyncRequired => (StatusCode::GONE, "resyncRequired"),
            Resync::BadRequest => (StatusCode::BAD_REQUEST, "syncStateNotFound"),
        };
        let message = "The sync state generation is not found. The delta token is expired and data must be \
                       synchronized again.";
        let headers = if status == StatusCode::GONE { vec![(header::LOCATION, restart)] } else { Vec::new() };
        Self { headers, ..Self::new(status, code, message) }
    }

    /// What the engine that was asked says to a filter.
    pub(super) fn of_filter(problem: &Problem) -> Self {
        match problem.code {
            Code::BadRequest => Self::bad_request(&problem.message),
            Code::RequestBadRequest => Self::directory_bad_request(&problem.message),
            Code::TooLong => Self::new(
                StatusCode::URI_TOO_LONG,
                "BadRequest",
                "The request URL is longer than 2048 characters.",
            ),
            // The others are remarks or belong to LDAP; neither is an engine's refusal.
            Code::RequestUnsupportedQuery | Code::Uncertain | Code::NotFollowed | Code::InvalidLdapFilter => {
                Self::unsupported_query(&problem.message)
            }
        }
    }

    /// More resource units than the application has. `scope` names it and its tenant.
    pub(super) fn throttled(scope: String, percent: Option<u64>, wait: Option<u64>) -> Self {
        let error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequests",
            "Too many requests. Please try again later.",
        );
        let mut headers = vec![
            (HeaderName::from_static("x-ms-throttle-scope"), scope),
            (HeaderName::from_static("x-ms-throttle-information"), "ResourceUnitLimitExceeded".to_owned()),
        ];
        headers.extend(wait.map(|seconds| (header::RETRY_AFTER, seconds.to_string())));
        headers.extend(percent.map(limit_percentage));
        Self { headers, ..error }
    }

    /// The request before it in the batch failed.
    pub(super) fn failed_dependency(id: &str) -> Self {
        let message = format!("The request '{id}' that this one depends on failed.");
        Self::new(StatusCode::FAILED_DEPENDENCY, "FailedDependency", message)
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

    /// The token was good until the tenant ended it. A client that never said it understands a challenge gets none (contract 6.5).
    pub(super) fn revoked() -> Self {
        Self::unauthenticated("Continuous access evaluation resulted in a challenge: the token was revoked.")
    }

    /// What a test wants to be answered.
    pub(super) fn scripted(fault: &GraphFault) -> Self {
        let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let wait = fault.retry_after.map(|seconds| (header::RETRY_AFTER, seconds.to_string()));
        Self { headers: wait.into_iter().collect(), ..Self::new(status, &fault.code, fault.message.clone()) }
    }

    pub(super) fn answer(self, frame: &Frame) -> Answer {
        let body = json!({ "error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": frame.date,
                "request-id": frame.request_id,
                "client-request-id": frame.client_request_id,
            },
        }});
        Answer::error(self.status, self.headers, body)
    }
}

/// `x-ms-throttle-limit-percentage`: 0.8 to 1.8.
pub(super) fn limit_percentage(percent: u64) -> (HeaderName, String) {
    let share = format!("{}.{:02}", percent / 100, percent % 100);
    (HeaderName::from_static("x-ms-throttle-limit-percentage"), share)
}
