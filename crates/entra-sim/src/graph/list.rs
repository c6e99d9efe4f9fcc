//! Users, groups and members: pages, single objects and counts (contract 2 and 7.2).

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::access::{GROUPS, USERS};
use super::error::GraphError;
use super::link::{self, PageToken};
use super::query::{Select, project};
use super::reply::Reply;
use crate::tenant::{GROUP_DEFAULT, Kind, Object, Reference, SINGLE_USER_ONLY, USER_DEFAULT};

const PAGE_OPTIONS: &[&str] = &["$select", "$top", "$count", "$skiptoken"];

pub(super) fn users(call: &Call<'_>) -> Result<Reply, GraphError> {
    call.caller.require(USERS)?;
    let select = call.query.select();
    if select.as_ref().is_some_and(|select| select.has_any(SINGLE_USER_ONLY)) {
        return Err(GraphError::not_implemented());
    }
    let item = |index| project(&call.tenant.object(user_at(index)), select.as_ref(), USER_DEFAULT);
    page(call, "users", "users", call.tenant.count(Kind::User), 2, item)
}

pub(super) fn groups(call: &Call<'_>) -> Result<Reply, GraphError> {
    call.caller.require(GROUPS)?;
    let select = call.query.select();
    let item = |index| project(&call.tenant.object(group_at(index)), select.as_ref(), GROUP_DEFAULT);
    page(call, "groups", "groups", call.tenant.count(Kind::Group), 1, item)
}

pub(super) fn members(call: &Call<'_>, group_id: &str) -> Result<Reply, GraphError> {
    call.caller.require(GROUPS)?;
    let group = find_group(call, group_id)?;
    let select = call.query.select();
    // v1.0 leaves out service principals.
    let members: Vec<Reference> = call
        .tenant
        .members(group.index)
        .iter()
        .filter(|member| call.tenant.odata_type(**member) != "#microsoft.graph.servicePrincipal")
        .copied()
        .collect();
    let item = |at: usize| {
        members.get(at).map(|member| member_item(call, *member, select.as_ref())).unwrap_or_default()
    };
    let path = format!("groups/{group_id}/members");
    page(call, &path, "directoryObjects", members.len(), 3, item)
}

/// A member among others of any type. Without the permission to read its type it is nameless.
fn member_item(call: &Call<'_>, member: Reference, select: Option<&Select>) -> Object {
    let object = call.tenant.object(member);
    let (needed, default) = match member.kind {
        Kind::User => (USERS, USER_DEFAULT),
        Kind::Group => (GROUPS, GROUP_DEFAULT),
        Kind::Other => (&["Device.Read.All", "Directory.Read.All"][..], &["id", "displayName"][..]),
    };
    let mut item = project(&object, select, default);
    if !call.caller.has(needed) {
        for (name, value) in &mut item {
            if name != "id" {
                *value = Value::Null;
            }
        }
        item.insert("id".to_owned(), json!(call.tenant.id_of(member)));
    }
    item.insert("@odata.type".to_owned(), json!(call.tenant.odata_type(member)));
    item
}

pub(super) fn user(call: &Call<'_>, id: &str) -> Result<Reply, GraphError> {
    call.caller.require(USERS)?;
    let found = call.tenant.find_user(id).ok_or_else(|| GraphError::not_found(id))?;
    single(call, "users", found, USER_DEFAULT)
}

pub(super) fn group(call: &Call<'_>, id: &str) -> Result<Reply, GraphError> {
    call.caller.require(GROUPS)?;
    let found = find_group(call, id)?;
    single(call, "groups", found, GROUP_DEFAULT)
}

fn find_group(call: &Call<'_>, id: &str) -> Result<Reference, GraphError> {
    if id.len() != 36 || !id.chars().all(|letter| letter == '-' || letter.is_ascii_hexdigit()) {
        return Err(GraphError::directory_bad_request(format!("Invalid object identifier '{id}'.")));
    }
    let found = call.tenant.find(id).filter(|found| found.kind == Kind::Group);
    found.ok_or_else(|| GraphError::not_found(id))
}

pub(super) fn count(call: &Call<'_>, kind: Kind) -> Result<Reply, GraphError> {
    call.caller.require(if kind == Kind::User { USERS } else { GROUPS })?;
    call.query.only(&[], call.eventual())?;
    if !call.eventual() {
        return Err(GraphError::new(
            StatusCode::BAD_REQUEST,
            "Request_BadRequest",
            "$count is not currently supported.",
        ));
    }
    Ok(Reply::Count(call.tenant.count(kind)))
}

fn single(call: &Call<'_>, set: &str, of: Reference, default: &[&str]) -> Result<Reply, GraphError> {
    call.query.only(&["$select"], call.eventual())?;
    let select = call.query.select();
    let mut body = project(&call.tenant.object(of), select.as_ref(), default);
    let selected = select.as_ref().map(|select| format!("({})", select.list())).unwrap_or_default();
    body.insert(
        "@odata.context".to_owned(),
        json!(format!("{}/$metadata#{set}{selected}/$entity", call.base)),
    );
    Ok(Reply::Json { body: Value::Object(body), cost: 1 })
}

fn page(
    call: &Call<'_>,
    path: &str,
    set: &str,
    total: usize,
    base_cost: u32,
    item: impl Fn(usize) -> Object,
) -> Result<Reply, GraphError> {
    call.query.only(PAGE_OPTIONS, call.eventual())?;
    let top = call.query.top()?;
    let select = call.query.select();
    let from = match call.query.get("$skiptoken") {
        None => 0,
        Some(token) => link::decode::<PageToken>(token)
            .filter(|token| token.path == path && token.generation == call.generation)
            .map(|token| token.at)
            .ok_or_else(GraphError::expired_page)?,
    };
    let until = from.saturating_add(top).min(total);
    let selected = select.as_ref().map(|select| format!("({})", select.list())).unwrap_or_default();
    let mut body = Object::new();
    body.insert("@odata.context".to_owned(), json!(format!("{}/$metadata#{set}{selected}", call.base)));
    if call.query.count()? && call.eventual() && from == 0 {
        body.insert("@odata.count".to_owned(), json!(total));
    }
    if until < total {
        let token = PageToken { path: path.to_owned(), generation: call.generation, at: until };
        body.insert("@odata.nextLink".to_owned(), json!(next_link(call, path, &link::encode(&token))));
    }
    body.insert("value".to_owned(), (from..until).map(|index| Value::Object(item(index))).collect());
    let cost =
        (base_cost.saturating_sub(u32::from(select.is_some())).saturating_sub(u32::from(top < 20))).max(1);
    Ok(Reply::Json { body: Value::Object(body), cost })
}

/// The next link repeats the options, not the headers.
fn next_link(call: &Call<'_>, path: &str, token: &str) -> String {
    let mut query = String::new();
    for name in ["$select", "$top", "$count"] {
        if let Some(value) = call.query.get(name) {
            let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            query.push_str(&format!("{name}={value}&"));
        }
    }
    format!("{}/{path}?{query}$skiptoken={token}", call.base)
}

fn user_at(index: usize) -> Reference {
    Reference { kind: Kind::User, index }
}

fn group_at(index: usize) -> Reference {
    Reference { kind: Kind::Group, index }
}
