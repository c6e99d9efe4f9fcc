//! Members of a group, direct and through nested groups, of any type or cast to one (contract 7.2).

use std::collections::HashSet;

use serde_json::{Value, json};

use super::Call;
use super::access::{GROUPS, USERS};
use super::error::GraphError;
use super::list::find_group;
use super::page::{Collection, Nature};
use super::query::{Select, project};
use super::reply::Reply;
use crate::directory::Directory;
use crate::tenant::{GROUP_DEFAULT, Kind, Object, Reference, USER_DEFAULT};

/// `relation` is `members` or `transitiveMembers`; `rest` holds a cast, `$count`, both or nothing.
pub(super) fn members(
    call: &Call<'_>,
    group_id: &str,
    relation: &str,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    call.caller.require(GROUPS)?;
    let group = find_group(call, group_id)?;
    let cast = match rest.first() {
        Some(&"microsoft.graph.user") => Some(Kind::User),
        Some(&"microsoft.graph.group") => Some(Kind::Group),
        _ => None,
    };
    let is_count = rest.last() == Some(&"$count");
    if cast.is_some() && !is_count && !call.query.is_empty() && !call.advanced()? {
        return Err(GraphError::unsupported_query(
            "Request with a cast and query options needs $count=true and the header ConsistencyLevel: eventual.",
        ));
    }
    let all = if relation == "members" {
        call.directory.members(group.index)
    } else {
        transitive(&call.directory, group)
    };
    // v1.0 leaves out service principals.
    let tenant = call.directory.tenant();
    let shown = |member: &Reference| match cast {
        Some(kind) => member.kind == kind,
        None => {
            member.kind != Kind::Other || tenant.odata_type(*member) != "#microsoft.graph.servicePrincipal"
        }
    };
    let all: Vec<Reference> = all.into_iter().filter(shown).collect();
    let mut path = format!("groups/{group_id}/{relation}");
    if let (Some(_), Some(cast)) = (cast, rest.first()) {
        path = format!("{path}/{cast}");
    }
    let collection = Collection {
        path,
        set: match cast {
            Some(Kind::User) => "users",
            Some(Kind::Group) => "groups",
            _ => "directoryObjects",
        },
        kind: cast.unwrap_or(Kind::User),
        nature: Nature::Relation,
        positions: all.len(),
        at: &|position| all.get(position).copied(),
        item: &|member, select| among_others(call, member, select),
        cost: if relation == "members" { 3 } else { 5 },
    };
    if is_count { collection.count(call) } else { collection.page(call) }
}

/// Everything below a group, each once and the group itself never, however the groups are nested.
fn transitive(directory: &Directory, group: Reference) -> Vec<Reference> {
    let mut seen = HashSet::from([group]);
    let mut all = Vec::new();
    let mut groups = vec![group];
    while let Some(group) = groups.pop() {
        for member in directory.members(group.index) {
            if seen.insert(member) {
                all.push(member);
                if member.kind == Kind::Group {
                    groups.push(member);
                }
            }
        }
    }
    all
}

/// An object among others of any type, which it says. Without the permission to read its type it is nameless.
pub(super) fn among_others(call: &Call<'_>, of: Reference, select: Option<&Select>) -> Object {
    let object = call.directory.object(of);
    let (needed, default) = match of.kind {
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
        item.insert("id".to_owned(), json!(call.directory.id_of(of)));
    }
    item.insert("@odata.type".to_owned(), json!(call.directory.tenant().odata_type(of)));
    item
}
