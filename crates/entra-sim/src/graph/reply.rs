//! Graph's successful answers and the headers around every answer (contract 2.3).

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::clock::graph_error_time;
use crate::state::Sim;

const JSON: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
const DIAGNOSTIC: &str = concat!(
    r#"{"ServerInfo":{"DataCenter":"Simulated","Slice":"E","Ring":"5","#,
    r#""ScaleUnit":"001","RoleInstance":"SIM00000001"}}"#
);

/// Ids and the time of one answer.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) request_id: String,
    pub(super) client_request_id: String,
    /// Without a zone, as Graph writes it into errors.
    pub(super) date: String,
}

impl Frame {
    pub(super) fn new(sim: &Sim, headers: &HeaderMap) -> Self {
        let request_id = sim.guid();
        let sent = headers.get("client-request-id").and_then(|value| value.to_str().ok());
        let client_request_id = sent.map_or_else(|| request_id.clone(), str::to_owned);
        Self { request_id, client_request_id, date: graph_error_time(sim.now()) }
    }

    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        let mut add = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        add("request-id", &self.request_id);
        add("client-request-id", &self.client_request_id);
        add("x-ms-ags-diagnostic", DIAGNOSTIC);
        add("odata-version", "4.0");
    }
}

/// A success.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// A JSON answer and what it costs in resource units.
    Json {
        /// The answer.
        body: Value,
        /// `x-ms-resource-unit`.
        cost: u32,
    },
    /// `text/plain`: a bare count.
    Count(usize),
}

impl Reply {
    pub(super) fn into_response(self, frame: &Frame) -> Response {
        let (kind, cost, body) = match self {
            Self::Json { body, cost } => (JSON, cost, body.to_string()),
            Self::Count(count) => ("text/plain", 1, count.to_string()),
        };
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
        let mut response = (StatusCode::OK, headers, body).into_response();
        frame.add_to(response.headers_mut());
        response.headers_mut().insert("x-ms-resource-unit", HeaderValue::from(cost));
        response
    }
}
