//! `POST /$batch` (contract 7.1): up to twenty requests in one, each answered as if it had come by itself, with
//! its own status, throttling and faults. The answers come in the reverse order of the requests, since a client
//! has to tell them by their id.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::GraphError;
use super::reply::{Answer, Frame, Reply};
use super::{Asked, Call, answer};

const MOST_REQUESTS: usize = 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    method: String,
    /// Below the version.
    url: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    depends_on: Vec<String>,
}

pub(super) fn batch(call: &Call<'_>) -> Result<Reply, GraphError> {
    let batch = Batch::deserialize(call.asked.body).map_err(|_| GraphError::unreadable_body())?;
    let items = batch.requests;
    check(&items)?;
    let mut answers: Vec<(&str, Answer)> = Vec::new();
    // Whoever is depended on stands before (`check`), so one walk in their order is enough.
    for item in &items {
        let failed = item.depends_on.iter().find(|needed| {
            let is_failed = |(id, answer): &(&str, Answer)| same(id, needed) && !answer.status.is_success();
            answers.iter().any(is_failed)
        });
        let headers = headers(call, item);
        let frame = Frame::new(call.sim, &headers);
        let outcome = match failed {
            Some(needed) => Err(GraphError::failed_dependency(needed)),
            None => ask(call, item, &headers),
        };
        answers.push((&item.id, outcome.map_or_else(|error| error.answer(&frame), Reply::answer)));
    }
    let responses: Vec<Value> = answers.into_iter().rev().map(|(id, answer)| answer.into_item(id)).collect();
    Ok(Reply::json(json!({ "responses": responses }), 1))
}

/// Refuses a batch that makes no sense as a whole.
fn check(items: &[Item]) -> Result<(), GraphError> {
    if items.is_empty() {
        return Err(GraphError::bad_request("A batch request needs at least one request."));
    }
    if items.len() > MOST_REQUESTS {
        return Err(GraphError::bad_request(format!(
            "Number of batch request steps exceeds the maximum value of {MOST_REQUESTS}."
        )));
    }
    for (at, item) in items.iter().enumerate() {
        let before = items.get(..at).unwrap_or_default();
        let has = |id: &str| before.iter().any(|earlier| same(&earlier.id, id));
        if has(&item.id) {
            return Err(GraphError::bad_request(format!("Request Id {} has duplicates.", item.id)));
        }
        if let Some(unknown) = item.depends_on.iter().find(|needed| !has(needed)) {
            return Err(GraphError::bad_request(format!(
                "Request {} depends on {unknown}, which does not stand before it.",
                item.id
            )));
        }
        if item.depends_on.len() > 1 {
            return Err(GraphError::bad_request(format!("Request {} depends on more than one.", item.id)));
        }
        if !item.body.is_null() && !item.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"))
        {
            return Err(GraphError::bad_request(format!(
                "Write request id : {} does not contain Content-Type header or body.",
                item.id
            )));
        }
    }
    Ok(())
}

/// Ids are compared without regard to case.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The item's own headers, with the bearer token of the batch. `ConsistencyLevel` and `Prefer` of the batch do
/// not reach its requests.
fn headers(call: &Call<'_>, item: &Item) -> HeaderMap {
    let own = item.headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    });
    let mut headers: HeaderMap = own.collect();
    for name in [header::AUTHORIZATION, HeaderName::from_static("x-ms-throttle-priority")] {
        if let (false, Some(value)) = (headers.contains_key(&name), call.asked.headers.get(&name)) {
            headers.insert(name, value.clone());
        }
    }
    headers
}

fn ask(call: &Call<'_>, item: &Item, headers: &HeaderMap) -> Result<Reply, GraphError> {
    let method = Method::try_from(item.method.to_uppercase().as_str())
        .map_err(|_| GraphError::bad_request(format!("'{}' is no HTTP method.", item.method)))?;
    let (path, query) = item.url.split_once('?').unwrap_or((&item.url, ""));
    let path = path.trim_start_matches('/');
    if path.to_ascii_lowercase().starts_with("$batch") {
        return Err(GraphError::bad_request("A batch cannot contain another one."));
    }
    let path = format!("/v1.0/{path}");
    let asked = Asked { method: &method, path: &path, query, headers, body: &item.body, in_batch: true };
    answer(call.sim, call.origin, &asked)
}
