//! Delta queries of users and groups (contract 3): the first round, page by page to its delta link, and the
//! rounds after it, which report what has changed since the one before.
//!
//! This module reads the request and the tokens; [`round`] says what is on a page, [`members`] what is said of a
//! group's members. A token carries the selection, the filter and the two numbers of the change log between
//! which its round lies, so a reader may be as slow as it likes and misses nothing.

mod members;
mod round;

use axum::http::HeaderName;
use odata_filter::ast::{Expr, ExprKind, Literal};
use odata_filter::{Endpoint, Resource, check_at, parse};
use serde_json::{Value, json};

use super::Call;
use super::access::{GROUPS, USERS};
use super::error::GraphError;
use super::link::{self, DeltaToken, Place};
use super::query::Select;
use super::reply::Reply;
use crate::tenant::{Kind, Object, Reference, SINGLE_USER_ONLY};
use round::Round;

const OPTIONS: &[&str] = &["$select", "$filter", "$skiptoken", "$deltatoken", "$top"];
const TOKEN_LASTS_SECONDS: i64 = 7 * 24 * 3600;

pub(super) fn users(call: &Call<'_>) -> Result<Reply, GraphError> {
    call.caller.require(USERS)?;
    page(call, Kind::User)
}

pub(super) fn groups(call: &Call<'_>) -> Result<Reply, GraphError> {
    call.caller.require(GROUPS)?;
    page(call, Kind::Group)
}

fn page(call: &Call<'_>, kind: Kind) -> Result<Reply, GraphError> {
    // `$top` is ignored here, as Graph does: the page size is its own choice.
    call.query.only(OPTIONS, call.eventual())?;
    let path = if kind == Kind::User { "users/delta" } else { "groups/delta" };
    let token = match (call.query.get("$skiptoken"), call.query.get("$deltatoken")) {
        (Some(_), Some(_)) => {
            return Err(GraphError::bad_request("$skiptoken and $deltatoken cannot be combined."));
        }
        (None, None | Some("")) => first(call, path),
        // An empty page, and changes from now on.
        (None, Some("latest")) => DeltaToken { next: None, ..first(call, path) },
        (Some(text), None) => read_token(call, path, text, true)?,
        (None, Some(text)) => {
            let token = read_token(call, path, text, false)?;
            let place = Place { at: token.until + 1, members: 0, hollow: false };
            DeltaToken {
                since: Some(token.until),
                until: call.directory.sequence(),
                next: Some(place),
                ..token
            }
        }
    };
    let select = token.select.as_deref().map(Select::parse);
    if kind == Kind::User && select.as_ref().is_some_and(|select| select.has_any(SINGLE_USER_ONLY)) {
        return Err(GraphError::not_implemented());
    }
    let only = token.filter.as_deref().map(|filter| wanted_objects(call, kind, filter)).transpose()?;
    let minimal = call.prefers_minimal();
    let round = Round { call, kind, select, only, since: token.since, until: token.until, minimal };
    let (value, next) = token.next.map_or_else(|| (Vec::new(), None), |place| round.page(place));

    let mut body = Object::new();
    let set = if kind == Kind::User { "users" } else { "groups" };
    body.insert("@odata.context".to_owned(), json!(format!("{}/$metadata#{set}", call.base)));
    if next.is_some() {
        let token = link::encode(&DeltaToken { next, ..token });
        body.insert("@odata.nextLink".to_owned(), json!(format!("{}/{path}?$skiptoken={token}", call.base)));
    } else {
        let issued = call.sim.now().unix_timestamp();
        let token = link::encode(&DeltaToken { next: None, issued, ..token });
        body.insert(
            "@odata.deltaLink".to_owned(),
            json!(format!("{}/{path}?$deltatoken={token}", call.base)),
        );
    }
    body.insert("value".to_owned(), Value::Array(value));
    let reply = Reply::json(Value::Object(body), 1);
    let applied = HeaderName::from_static("preference-applied");
    Ok(if minimal { reply.with_header(applied, "return=minimal") } else { reply })
}

/// The beginning of a first round.
fn first(call: &Call<'_>, path: &str) -> DeltaToken {
    DeltaToken {
        path: path.to_owned(),
        generation: call.generation,
        issued: call.sim.now().unix_timestamp(),
        select: call.query.select().map(|select| select.list()),
        filter: call.query.get("$filter").map(str::to_owned),
        since: None,
        until: call.directory.sequence(),
        next: Some(Place { at: 0, members: 0, hollow: false }),
    }
}

fn read_token(call: &Call<'_>, path: &str, text: &str, within_round: bool) -> Result<DeltaToken, GraphError> {
    let token = link::decode::<DeltaToken>(text)
        .filter(|token| token.path == path && token.next.is_some() == within_round);
    let age = token.as_ref().map(|token| call.sim.now().unix_timestamp() - token.issued);
    match token {
        Some(token) if token.generation == call.generation && age <= Some(TOKEN_LASTS_SECONDS) => Ok(token),
        token => {
            let mut restart = format!("{}/{path}?", call.base);
            let (select, filter) = token.map_or((None, None), |token| (token.select, token.filter));
            for (name, value) in [("$select", select), ("$filter", filter)] {
                if let Some(value) = value {
                    let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                    restart.push_str(&format!("{name}={encoded}&"));
                }
            }
            restart.push_str("$deltatoken=");
            Err(GraphError::begin_again(call.sim.delta_habits().resync, restart))
        }
    }
}

/// The objects that `$filter` names: `id eq '…'`, up to fifty of them joined by `or`, and nothing else.
fn wanted_objects(call: &Call<'_>, kind: Kind, filter: &str) -> Result<Vec<Reference>, GraphError> {
    let resource = if kind == Kind::User { Resource::Users } else { Resource::Groups };
    if let Some(problem) = check_at(resource, Endpoint::Delta, filter).default_engine {
        return Err(GraphError::of_filter(&problem));
    }
    let expr = parse(filter).map_err(|problem| GraphError::of_filter(&problem))?;
    let mut ids = Vec::new();
    literals(&expr, &mut ids);
    Ok(ids.iter().filter_map(|id| call.directory.find_any(id)).filter(|of| of.kind == kind).collect())
}

fn literals(expr: &Expr, into: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::Or(alternatives) => alternatives.iter().for_each(|one| literals(one, into)),
        ExprKind::Compare(_, left, right) => [left, right].iter().for_each(|side| literals(side, into)),
        ExprKind::Literal(Literal::Text(id)) => into.push(id.clone()),
        _ => {}
    }
}
