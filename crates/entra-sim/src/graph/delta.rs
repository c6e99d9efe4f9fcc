//! Delta queries of users and groups (contract 3): the first round, page by page to its delta link, and the
//! rounds after it. Nothing in a simulated directory changes by itself, so a later round is one empty page and
//! a new delta link; when the directory was replaced (control API, `/reset`) the token is void.
//!
//! A round of several pages has an empty one after its first, which a reader must not take for the end; a group
//! with many members is repeated on the following pages, each with another slice of them.

use serde_json::{Value, json};

use super::Call;
use super::access::{GROUPS, USERS};
use super::error::GraphError;
use super::link::{self, DeltaToken, Place};
use super::query::{Select, project, without_nulls};
use super::reply::Reply;
use crate::tenant::{GROUP_DEFAULT, Kind, Object, Reference, SINGLE_USER_ONLY, USER_DEFAULT};

const OPTIONS: &[&str] = &["$select", "$skiptoken", "$deltatoken", "$top"];
const TOKEN_LASTS_SECONDS: i64 = 7 * 24 * 3600;

pub(super) fn users(call: &Call<'_>) -> Result<Reply, GraphError> {
    call.caller.require(USERS)?;
    round(call, Kind::User)
}

pub(super) fn groups(call: &Call<'_>) -> Result<Reply, GraphError> {
    call.caller.require(GROUPS)?;
    round(call, Kind::Group)
}

fn round(call: &Call<'_>, kind: Kind) -> Result<Reply, GraphError> {
    // `$top` is ignored here, as Graph does: the page size is its own choice.
    call.query.only(OPTIONS, call.eventual())?;
    let path = if kind == Kind::User { "users/delta" } else { "groups/delta" };
    let begin = |next| DeltaToken {
        path: path.to_owned(),
        generation: call.generation,
        issued: call.sim.now().unix_timestamp(),
        select: call.query.select().map(|select| select.list()),
        next,
    };
    let token = match (call.query.get("$skiptoken"), call.query.get("$deltatoken")) {
        (Some(_), Some(_)) => {
            return Err(GraphError::bad_request("$skiptoken and $deltatoken cannot be combined."));
        }
        (None, None | Some("")) => begin(Some(Place { at: 0, members: 0, hollow: false })),
        (None, Some("latest")) => begin(None),
        (Some(text), None) | (None, Some(text)) => read_token(call, path, text)?,
    };
    let select = token.select.as_deref().map(Select::parse);
    if kind == Kind::User && select.as_ref().is_some_and(|select| select.has_any(SINGLE_USER_ONLY)) {
        return Err(GraphError::not_implemented());
    }
    let (value, next) = match token.next {
        Some(place) => page(call, kind, select.as_ref(), place),
        None => (Vec::new(), None),
    };
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
    Ok(Reply::Json { body: Value::Object(body), cost: 1 })
}

fn read_token(call: &Call<'_>, path: &str, text: &str) -> Result<DeltaToken, GraphError> {
    let token = link::decode::<DeltaToken>(text).filter(|token| token.path == path);
    let age = token.as_ref().map(|token| call.sim.now().unix_timestamp() - token.issued);
    match token {
        Some(token) if token.generation == call.generation && age <= Some(TOKEN_LASTS_SECONDS) => Ok(token),
        token => {
            let select = token.and_then(|token| token.select).map(|names| format!("$select={names}&"));
            let restart = format!("{}/{path}?{}$deltatoken=", call.base, select.unwrap_or_default());
            Err(GraphError::sync_state_not_found(restart))
        }
    }
}

/// The objects of a page, and where the next one begins, if there is one.
fn page(call: &Call<'_>, kind: Kind, select: Option<&Select>, from: Place) -> (Vec<Value>, Option<Place>) {
    if from.hollow {
        return (Vec::new(), Some(Place { hollow: false, ..from }));
    }
    let sizes = call.sim.delta_pages;
    let total = call.tenant.count(kind);
    let with_members = kind == Kind::Group && select.is_none_or(|select| select.has("members"));
    let mut value = Vec::new();
    let mut room = sizes.members.max(1);
    let mut place = Place { hollow: false, ..from };
    while place.at < total && value.len() < sizes.objects.max(1) && room > 0 {
        let of = Reference { kind, index: place.at };
        let mut item = delta_item(call, of, select);
        let members = if with_members { call.tenant.members(place.at) } else { &[] };
        let slice = members.get(place.members..).unwrap_or_default();
        let slice = slice.get(..room).unwrap_or(slice);
        if !slice.is_empty() {
            let entry = |member: &Reference| {
                let (kind, id) = (call.tenant.odata_type(*member), call.tenant.id_of(*member));
                json!({ "@odata.type": kind, "id": id })
            };
            item.insert("members@delta".to_owned(), slice.iter().map(entry).collect());
        }
        value.push(Value::Object(item));
        room -= slice.len();
        let seen = place.members + slice.len();
        place = if seen < members.len() {
            Place { members: seen, ..place }
        } else {
            Place { at: place.at + 1, members: 0, ..place }
        };
    }
    let is_first = from.at == 0 && from.members == 0;
    let next = (place.at < total).then_some(Place { hollow: is_first, ..place });
    (value, next)
}

/// What delta says of an object: `id` always, and nothing that was never set.
fn delta_item(call: &Call<'_>, of: Reference, select: Option<&Select>) -> Object {
    let default = if of.kind == Kind::User { USER_DEFAULT } else { GROUP_DEFAULT };
    let object = call.tenant.object(of);
    let mut item = without_nulls(project(&object, select, default));
    item.insert("id".to_owned(), json!(call.tenant.id_of(of)));
    item
}
