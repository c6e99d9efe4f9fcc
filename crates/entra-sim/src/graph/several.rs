//! Objects by their ids, and the recycle bin (contract 7.3, 7.5).

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use super::access::{GROUPS, USERS};
use super::error::GraphError;
use super::members::among_others;
use super::page::{Collection, Nature, context};
use super::query::{Select, project};
use super::reply::Reply;
use crate::tenant::{GROUP_DEFAULT, Kind, Object, Reference, USER_DEFAULT};

/// Ids that one request may ask for.
const MOST_IDS: usize = 1000;

#[derive(Deserialize)]
struct Wanted {
    ids: Vec<String>,
    #[serde(default)]
    types: Vec<String>,
}

/// `POST /directoryObjects/getByIds`: unknown and deleted ids are left out, the order is the directory's own,
/// and `$select` is ignored, as the service long did.
pub(super) fn get_by_ids(call: &Call<'_>) -> Result<Reply, GraphError> {
    call.query.only(&["$select"], call.eventual())?;
    let wanted = Wanted::deserialize(call.asked.body).map_err(|_| GraphError::unreadable_body())?;
    if wanted.ids.len() > MOST_IDS {
        return Err(GraphError::directory_bad_request(format!(
            "Too many ids specified: {}. Max allowed: {MOST_IDS}.",
            wanted.ids.len()
        )));
    }
    let any = wanted.types.is_empty() || wanted.types.iter().any(|name| name == "directoryObject");
    let asked = |kind: Kind| {
        let name = match kind {
            Kind::User => "user",
            Kind::Group => "group",
            Kind::Other => "device",
        };
        any || wanted.types.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    };
    let permission = |kind: Kind| match kind {
        Kind::User => USERS,
        Kind::Group => GROUPS,
        Kind::Other => &["Device.Read.All", "Directory.Read.All"][..],
    };
    let readable =
        [Kind::User, Kind::Group, Kind::Other].map(|kind| (kind, call.caller.has(permission(kind))));
    if !readable.iter().any(|(kind, may)| *may && asked(*kind)) {
        return Err(GraphError::denied());
    }
    let found = wanted.ids.iter().filter_map(|id| call.directory.find(id)).filter(|of| asked(of.kind));
    let mut found: Vec<Reference> = found.collect();
    found.sort_by_key(|of| (of.index, of.kind == Kind::Group));
    found.dedup();
    let value = found.into_iter().map(|of| Value::Object(among_others(call, of, None))).collect();
    let body = Object::from_iter([
        ("@odata.context".to_owned(), json!(context(call, "directoryObjects", None))),
        ("value".to_owned(), Value::Array(value)),
    ]);
    Ok(Reply::json(Value::Object(body), 3))
}

/// `GET /directory/deletedItems/microsoft.graph.user` and `.group`.
pub(super) fn deleted_items(call: &Call<'_>, cast: &str, rest: &[&str]) -> Result<Reply, GraphError> {
    let (kind, set, permission, default) = match cast {
        "microsoft.graph.group" => (Kind::Group, "groups", GROUPS, GROUP_DEFAULT),
        _ => (Kind::User, "users", USERS, USER_DEFAULT),
    };
    call.caller.require(permission)?;
    let default: Vec<&str> = [default, &["deletedDateTime"]].concat();
    let all = call.directory.deleted(kind);
    let item = |of, select: Option<&Select>| {
        let mut item = project(&call.directory.object(of), select, &default);
        item.insert("@odata.type".to_owned(), json!(format!("#{cast}")));
        item
    };
    let collection = Collection {
        path: format!("directory/deletedItems/{cast}"),
        set,
        kind,
        nature: Nature::Bin,
        positions: all.len(),
        at: &|position| all.get(position).copied(),
        item: &item,
        cost: 1,
    };
    if rest.is_empty() { collection.page(call) } else { collection.count(call) }
}
