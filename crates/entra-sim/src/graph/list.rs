//! All users, all groups, and one of them (contract 2).

use serde_json::{Value, json};

use super::Call;
use super::access::{GROUPS, USERS};
use super::error::GraphError;
use super::page::{Collection, Nature};
use super::query::{Select, project};
use super::reply::Reply;
use crate::tenant::{GROUP_DEFAULT, Kind, Object, Reference, SINGLE_USER_ONLY, USER_DEFAULT};

pub(super) fn users(call: &Call<'_>) -> Result<Reply, GraphError> {
    call.caller.require(USERS)?;
    if call.query.select().is_some_and(|select| select.has_any(SINGLE_USER_ONLY)) {
        return Err(GraphError::not_implemented());
    }
    with_all(call, Kind::User, |all| all.page(call))
}

pub(super) fn groups(call: &Call<'_>) -> Result<Reply, GraphError> {
    call.caller.require(GROUPS)?;
    with_all(call, Kind::Group, |all| all.page(call))
}

pub(super) fn count(call: &Call<'_>, kind: Kind) -> Result<Reply, GraphError> {
    call.caller.require(if kind == Kind::User { USERS } else { GROUPS })?;
    with_all(call, kind, |all| all.count(call))
}

fn with_all(
    call: &Call<'_>,
    kind: Kind,
    then: impl Fn(&Collection<'_>) -> Result<Reply, GraphError>,
) -> Result<Reply, GraphError> {
    let (path, default, cost) = match kind {
        Kind::Group => ("groups", GROUP_DEFAULT, 1),
        _ => ("users", USER_DEFAULT, 2),
    };
    let at = |index| Some(Reference { kind, index }).filter(|of| call.directory.is_live(*of));
    let item = |of, select: Option<&Select>| project(&call.directory.object(of), select, default);
    then(&Collection {
        path: path.to_owned(),
        set: path,
        kind,
        nature: Nature::Set,
        positions: call.directory.positions(kind),
        at: &at,
        item: &item,
        cost,
    })
}

pub(super) fn user(call: &Call<'_>, id: &str) -> Result<Reply, GraphError> {
    call.caller.require(USERS)?;
    let found = call.directory.find_user(id).ok_or_else(|| GraphError::not_found(id))?;
    single(call, "users", found, USER_DEFAULT)
}

pub(super) fn group(call: &Call<'_>, id: &str) -> Result<Reply, GraphError> {
    call.caller.require(GROUPS)?;
    let found = find_group(call, id)?;
    single(call, "groups", found, GROUP_DEFAULT)
}

pub(super) fn find_group(call: &Call<'_>, id: &str) -> Result<Reference, GraphError> {
    if id.len() != 36 || !id.chars().all(|letter| letter == '-' || letter.is_ascii_hexdigit()) {
        return Err(GraphError::directory_bad_request(format!("Invalid object identifier '{id}'.")));
    }
    let found = call.directory.find(id).filter(|found| found.kind == Kind::Group);
    found.ok_or_else(|| GraphError::not_found(id))
}

fn single(call: &Call<'_>, set: &str, of: Reference, default: &[&str]) -> Result<Reply, GraphError> {
    call.query.only(&["$select"], call.eventual())?;
    let select = call.query.select();
    let mut body: Object = project(&call.directory.object(of), select.as_ref(), default);
    let context = super::page::context(call, set, select.as_ref());
    body.insert("@odata.context".to_owned(), json!(format!("{context}/$entity")));
    Ok(Reply::json(Value::Object(body), 1))
}
