//! Answers and the headers around every one of them (contract 2.3), whether they go out by themselves or
//! inside the answer to a batch.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::clock::graph_error_time;
use crate::damage::Damage;
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
}

/// A success.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    body: Body,
    /// What it costs in resource units.
    pub(super) cost: u32,
    headers: Vec<(HeaderName, String)>,
    damage: Option<Damage>,
}

#[derive(Debug, Clone, PartialEq)]
enum Body {
    Json(Value),
    /// `text/plain`: a bare count.
    Count(usize),
}

impl Reply {
    pub(super) fn json(body: Value, cost: u32) -> Self {
        Self { body: Body::Json(body), cost, headers: Vec::new(), damage: None }
    }

    pub(super) fn count(count: usize) -> Self {
        Self { body: Body::Count(count), cost: 1, headers: Vec::new(), damage: None }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With what a test wants to be wrong with it, and where a false link leads.
    pub(super) fn damaged(mut self, damage: Option<(Damage, String)>) -> Self {
        if let (Some((damage, link)), Body::Json(body)) = (&damage, &mut self.body) {
            damage.change(body, link);
        }
        self.damage = damage.map(|(damage, _)| damage);
        self
    }

    pub(super) fn answer(self) -> Answer {
        let kind = match self.body {
            _ if self.damage == Some(Damage::Html) => "text/html; charset=utf-8",
            Body::Json(_) => JSON,
            Body::Count(_) => "text/plain",
        };
        let mut headers = self.headers;
        headers.push((header::CONTENT_TYPE, kind.to_owned()));
        headers.push((HeaderName::from_static("x-ms-resource-unit"), self.cost.to_string()));
        Answer { status: StatusCode::OK, headers, body: self.body, damage: self.damage }
    }
}

/// What goes out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Body,
    damage: Option<Damage>,
}

impl Answer {
    pub(super) fn error(status: StatusCode, mut headers: Vec<(HeaderName, String)>, body: Value) -> Self {
        headers.push((header::CONTENT_TYPE, "application/json".to_owned()));
        Self { status, headers, body: Body::Json(body), damage: None }
    }

    pub(super) fn into_response(self, frame: &Frame) -> Response {
        let body = match self.body {
            Body::Json(body) => body.to_string(),
            Body::Count(count) => count.to_string(),
        };
        let mut response = match self.damage {
            Some(damage) => damage.send(body),
            None => body.into_response(),
        };
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        for (name, value) in [
            ("request-id", frame.request_id.as_str()),
            ("client-request-id", &frame.client_request_id),
            ("x-ms-ags-diagnostic", DIAGNOSTIC),
            ("odata-version", "4.0"),
        ] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }

    /// As the answer to one request of a batch. A count is text there as well.
    pub(super) fn into_item(self, id: &str) -> Value {
        let headers = self.headers.iter().map(|(name, value)| (in_capitals(name), json!(value)));
        let headers: serde_json::Map<String, Value> = headers.collect();
        let body = match self.body {
            Body::Json(body) => body,
            Body::Count(count) => json!(count),
        };
        json!({ "id": id, "status": self.status.as_u16(), "headers": headers, "body": body })
    }
}

/// `Retry-After`: inside JSON, header names have the case they are documented in.
fn in_capitals(name: &HeaderName) -> String {
    let name = name.as_str();
    if name.starts_with("x-ms-") {
        return name.to_owned();
    }
    let parts = name.split('-').map(|part| part[..1].to_ascii_uppercase() + &part[1..]);
    parts.collect::<Vec<_>>().join("-")
}
