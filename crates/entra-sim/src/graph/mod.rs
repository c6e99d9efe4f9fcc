//! `graph.microsoft.com/v1.0`: what the simulator answers of Graph (contract 2, 3, 6.1, 7.5).
//!
//! One function, [`answer`], takes a request apart and finds its route by the segments of the path: clients
//! write them in several ways (`delta`, `delta()`, `users('id')`, `%24count`), and a path matcher for web
//! applications knows one. A query option that a route does not have is refused with Graph's error, never
//! ignored, so that a client that relies on it finds out here.

mod access;
mod delta;
mod error;
mod link;
mod list;
mod organization;
mod query;
mod reply;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use percent_encoding::percent_decode_str;

use crate::origin::Origin;
use crate::state::Sim;
use crate::tenant::{Kind, Tenant};
use access::Caller;
use error::GraphError;
use query::Query;
use reply::{Frame, Reply};

/// A request below `/v1.0`, taken apart, with the directory it is asked of.
struct Call<'a> {
    sim: &'a Sim,
    tenant: Arc<Tenant>,
    generation: u64,
    caller: Caller,
    headers: &'a HeaderMap,
    query: Query,
    /// `http://127.0.0.1:18080/v1.0`
    base: String,
}

impl Call<'_> {
    /// Whether the client asked for the advanced engine's header; it is not kept from page to page.
    fn eventual(&self) -> bool {
        let level = self.headers.get("consistencylevel").and_then(|value| value.to_str().ok());
        level.is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
    }
}

/// Answers everything that is not a login route.
pub(crate) async fn handle(State(sim): State<Sim>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let origin = Origin::of_parts(&parts);
    let frame = Frame::new(&sim, &parts.headers);
    let query = parts.uri.query().unwrap_or_default();
    match answer(&sim, &origin, &parts.method, parts.uri.path(), query, &parts.headers) {
        Ok(reply) => reply.into_response(&frame),
        Err(error) => error.into_response(&frame),
    }
}

fn answer(
    sim: &Sim,
    origin: &Origin,
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Reply, GraphError> {
    let (version, rest) =
        path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_matches('/'), ""));
    let segments = segments(rest);
    if let Some(fault) = sim.take_graph_fault(&format!("/{}", segments.join("/"))) {
        return Err(GraphError::scripted(&fault));
    }
    let caller = access::caller(sim, headers)?;
    if version != "v1.0" {
        return Err(GraphError::bad_request(format!("Invalid version: {version}")));
    }
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (tenant, generation) = {
        let world = sim.world();
        (Arc::clone(&world.tenant), world.generation)
    };
    let query = Query::parse(query)?;
    let base = format!("{}/v1.0", origin.base());
    let call = Call { sim, tenant, generation, caller, headers, query, base };
    route(&call, method, &segments)
}

fn route(call: &Call<'_>, method: &Method, segments: &[&str]) -> Result<Reply, GraphError> {
    let handler: &dyn Fn() -> Result<Reply, GraphError> = match segments {
        ["organization"] => &|| organization::organization(call),
        ["domains"] => &|| organization::domains(call),
        ["users"] => &|| list::users(call),
        ["users", "$count"] => &|| list::count(call, Kind::User),
        ["users", "delta" | "microsoft.graph.delta"] => &|| delta::users(call),
        ["users", id] => &|| list::user(call, id),
        ["groups"] => &|| list::groups(call),
        ["groups", "$count"] => &|| list::count(call, Kind::Group),
        ["groups", "delta" | "microsoft.graph.delta"] => &|| delta::groups(call),
        ["groups", id] => &|| list::group(call, id),
        ["groups", id, "members"] => &|| list::members(call, id),
        ["organization" | "domains" | "users" | "groups", .., last] => {
            return Err(GraphError::unknown_segment(last));
        }
        [first, ..] => return Err(GraphError::unknown_segment(first)),
        [] => {
            return Err(GraphError::new(
                StatusCode::NOT_FOUND,
                "Request_ResourceNotFound",
                "Resource not found.",
            ));
        }
    };
    if method != Method::GET {
        return Err(GraphError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        ));
    }
    handler()
}

/// The segments of a path, decoded; a key in parentheses (`users('id')`) becomes a segment of its own and the
/// empty parentheses of a function (`delta()`) go.
fn segments(path: &str) -> Vec<String> {
    let mut segments = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let part = percent_decode_str(part).decode_utf8_lossy().into_owned();
        let key = part.strip_suffix(')').and_then(|open| open.split_once('('));
        match key {
            Some((name, "")) => segments.push(name.to_owned()),
            Some((name, key)) => {
                let quoted = key.strip_prefix('\'').and_then(|key| key.strip_suffix('\''));
                segments.push(name.to_owned());
                segments.push(quoted.map_or_else(|| key.to_owned(), |key| key.replace("''", "'")));
            }
            None => segments.push(part),
        }
    }
    segments
}
