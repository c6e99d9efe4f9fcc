//! `graph.microsoft.com/v1.0`: what the simulator answers of Graph (contract 2, 3, 6, 7).
//!
//! One function, [`answer`], takes a request apart and finds its route by the segments of the path: clients
//! write them in several ways (`delta`, `delta()`, `users('id')`, `%24count`), and a path matcher for web
//! applications knows one. A query option that a route does not have is refused with Graph's error, never
//! ignored, so that a client that relies on it finds out here. A batch asks the same function once for each of
//! its requests.

mod access;
mod batch;
mod conditions;
mod delta;
mod error;
mod link;
mod list;
mod members;
mod organization;
mod page;
mod query;
mod reply;
mod search;
mod several;

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::damage::Damage;
use crate::directory::Directory;
use crate::origin::Origin;
use crate::state::Sim;
use crate::tenant::Kind;
use access::Caller;
use error::{GraphError, limit_percentage};
use query::Query;
use reply::{Frame, Reply};

/// Graph takes 4 MB; a batch or a list of ids is far below.
const LARGEST_BODY: usize = 4 << 20;

/// A request below an origin, by itself or in a batch.
struct Asked<'a> {
    method: &'a Method,
    /// With the version, `/v1.0/users`.
    path: &'a str,
    /// Without `?`.
    query: &'a str,
    headers: &'a HeaderMap,
    /// Null when there is none, or none that can be read.
    body: &'a Value,
    in_batch: bool,
}

/// A request below `/v1.0`, taken apart, with the directory it is asked of.
struct Call<'a> {
    sim: &'a Sim,
    origin: &'a Origin,
    asked: &'a Asked<'a>,
    directory: Arc<Directory>,
    generation: u64,
    caller: Caller,
    query: Query,
    /// `http://127.0.0.1:18080/v1.0`
    base: String,
}

impl Call<'_> {
    fn header(&self, name: &str) -> &str {
        self.asked.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether the client asked for the advanced engine's header; it is not kept from page to page.
    fn eventual(&self) -> bool {
        self.header("consistencylevel").eq_ignore_ascii_case("eventual")
    }

    /// Whether the advanced engine answers a list: it needs the header and the option.
    fn advanced(&self) -> Result<bool, GraphError> {
        Ok(self.query.count()? && self.eventual())
    }

    /// Whether the client prefers delta answers with nothing but what changed.
    fn prefers_minimal(&self) -> bool {
        self.header("prefer").split([',', ';']).any(|wish| wish.trim().eq_ignore_ascii_case("return=minimal"))
    }
}

/// Answers everything that is not a login route.
pub(crate) async fn handle(State(sim): State<Sim>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let origin = Origin::of_parts(&parts);
    let frame = Frame::new(&sim, &parts.headers);
    let asked = Asked {
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
        in_batch: false,
    };
    let answer = match answer(&sim, &origin, &asked) {
        Ok(reply) => reply.answer(),
        Err(error) => error.answer(&frame),
    };
    answer.into_response(&frame)
}

fn answer(sim: &Sim, origin: &Origin, asked: &Asked<'_>) -> Result<Reply, GraphError> {
    let path = asked.path;
    let (version, rest) =
        path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_matches('/'), ""));
    let segments = segments(rest);
    let below_version = format!("/{}", segments.join("/"));
    if let Some(fault) = sim.take_graph_fault(&below_version) {
        return Err(GraphError::scripted(&fault));
    }
    let own = format!("{}{path}?{}", origin.base(), asked.query);
    let damage = sim.take_damage(&below_version, &own);
    if matches!(damage, Some((Damage::Unauthorized, _))) {
        return Err(GraphError::revoked());
    }
    let caller = access::caller(sim, asked.headers)?;
    if version != "v1.0" {
        return Err(GraphError::bad_request(format!("Invalid version: {version}")));
    }
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (directory, generation) = sim.directory_and_generation();
    let query = Query::parse(asked.query)?;
    let base = format!("{}/v1.0", origin.base());
    let call = Call { sim, origin, asked, directory, generation, caller, query, base };
    let reply = route(&call, &segments)?.damaged(damage);
    // A batch costs what its requests cost, and those have paid.
    if segments == ["$batch"] { Ok(reply) } else { charged(&call, reply) }
}

fn route(call: &Call<'_>, segments: &[&str]) -> Result<Reply, GraphError> {
    const USER: &str = "microsoft.graph.user";
    const GROUP: &str = "microsoft.graph.group";
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
        ["groups", id, relation @ ("members" | "transitiveMembers"), rest @ ..]
            if matches!(rest, [] | [USER | GROUP | "$count"] | [USER | GROUP, "$count"]) =>
        {
            &|| members::members(call, id, relation, rest)
        }
        ["directory", "deletedItems", cast @ (USER | GROUP), rest @ ..]
            if matches!(rest, [] | ["$count"]) =>
        {
            &|| several::deleted_items(call, cast, rest)
        }
        ["directoryObjects", "getByIds" | "microsoft.graph.getByIds"] => &|| several::get_by_ids(call),
        ["$batch"] => &|| batch::batch(call),
        ["organization" | "domains" | "users" | "groups" | "directory" | "directoryObjects", .., last] => {
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
    let takes = match segments {
        ["directoryObjects", ..] | ["$batch"] => Method::POST,
        _ => Method::GET,
    };
    if *call.asked.method != takes {
        return Err(GraphError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        ));
    }
    handler()
}

/// Lets a request pay for its answer, or refuses it when the application has used its share.
fn charged(call: &Call<'_>, reply: Reply) -> Result<Reply, GraphError> {
    let low_priority = call.header("x-ms-throttle-priority").eq_ignore_ascii_case("low");
    let Some(charged) = call.sim.charge(reply.cost, low_priority) else { return Ok(reply) };
    if let Some(wait) = charged.refused {
        let (application, tenant) = (call.sim.client_id(), call.directory.tenant().id());
        let scope = format!("Tenant_Application/ReadWrite/{application}/{tenant}");
        return Err(GraphError::throttled(scope, charged.percent, wait));
    }
    Ok(match charged.percent.map(limit_percentage) {
        Some((name, value)) => reply.with_header(name, value),
        None => reply,
    })
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
