//! Reading a tenant from Graph's own answers, so that a recorded or exported directory can be synchronised
//! without the service. What a file does not say is completed the way a tenant would have it: an account is
//! enabled, its type follows from its name, its primary proxy address is its mail; anything else is null.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use thiserror::Error;

use super::company::Company;
use super::properties::{GROUP_COLLECTIONS, GROUP_DEFAULT, USER_COLLECTIONS, USER_SCALARS};
use super::{Domain, Entry, Kind, Object, Reference, Size, Tenant, tenant_id, text};

/// Why a file cannot be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Not JSON at all.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but none of the shapes that Graph answers with.
    #[error(
        "neither a page ({{\"value\": […]}}), nor one object with an id, nor {{\"users\": […], \
         \"groups\": […]}}"
    )]
    Shape,
    /// An object that is not clearly a user, group or other directory object.
    #[error("the object '{0}' has no @odata.type and looks like neither a user nor a group")]
    UnknownKind(String),
    /// An object without `id`.
    #[error("an object has no id: {0}")]
    NoId(String),
    /// Members of a group that no file contains.
    #[error("members are given for the group '{0}', which no file contains")]
    UnknownGroup(String),
    /// A member that no file contains.
    #[error(
        "group '{group}' has the member '{member}', which no file contains; add it, or give it as an \
         object with @odata.type"
    )]
    UnknownMember {
        /// The group's id.
        group: String,
        /// The member's id.
        member: String,
    },
}

/// Objects read so far. The same id read again adds to or overwrites the properties of the first.
#[derive(Debug, Default)]
pub struct Import {
    users: Vec<Object>,
    groups: Vec<Object>,
    others: Vec<Object>,
    by_id: HashMap<String, Reference>,
    /// Group id → ids of its members, in order.
    members: BTreeMap<String, Vec<String>>,
}

impl Import {
    /// Adds one answer: a page of users, groups or directory objects, a single object, or
    /// `{"users":[…],"groups":[…],"members":{"<group id>":[ids or objects]}}`.
    ///
    /// # Errors
    /// When the text is none of these; nothing of it may then be relied on.
    pub fn add(&mut self, json: &str) -> Result<(), ImportError> {
        let Value::Object(mut answer) = serde_json::from_str(json)? else { return Err(ImportError::Shape) };
        let context = text(&answer, "@odata.context").to_owned();
        if let Some(Value::Array(page)) = answer.remove("value") {
            for item in page {
                self.add_object(item, kind_of_context(&context))?;
            }
            return Ok(());
        }
        if answer.contains_key("users") || answer.contains_key("groups") {
            for (list, kind) in [("users", Kind::User), ("groups", Kind::Group)] {
                for item in list_of(answer.remove(list)) {
                    self.add_object(item, Some(kind))?;
                }
            }
            if let Some(Value::Object(members)) = answer.remove("members") {
                for (group, list) in members {
                    self.add_member_list(&group, list_of(Some(list)))?;
                }
            }
            return Ok(());
        }
        if !answer.contains_key("id") {
            return Err(ImportError::Shape);
        }
        self.add_object(Value::Object(answer), kind_of_context(&context))?;
        Ok(())
    }

    /// Adds the answer to `GET /groups/{id}/members`, which does not say whose members they are.
    ///
    /// # Errors
    /// As [`Import::add`].
    pub fn add_members(&mut self, group_id: &str, json: &str) -> Result<(), ImportError> {
        let Value::Object(mut answer) = serde_json::from_str(json)? else { return Err(ImportError::Shape) };
        match answer.remove("value") {
            Some(Value::Array(members)) => self.add_member_list(group_id, members),
            _ => Err(ImportError::Shape),
        }
    }

    fn add_member_list(&mut self, group_id: &str, members: Vec<Value>) -> Result<(), ImportError> {
        let mut ids = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Value::String(id) => ids.push(id.to_lowercase()),
                object => ids.push(self.add_object(object, None)?),
            }
        }
        let list = self.members.entry(group_id.to_lowercase()).or_default();
        for id in ids {
            if !list.contains(&id) {
                list.push(id);
            }
        }
        Ok(())
    }

    fn add_object(&mut self, item: Value, expected: Option<Kind>) -> Result<String, ImportError> {
        let Value::Object(mut object) = item else { return Err(ImportError::Shape) };
        let id = text(&object, "id").to_lowercase();
        if id.is_empty() {
            return Err(ImportError::NoId(Value::Object(object).to_string().chars().take(120).collect()));
        }
        let known = self.by_id.get(&id).copied();
        let kind = kind_of_object(&object).or(expected).or(known.map(|found| found.kind));
        let kind = kind.ok_or_else(|| ImportError::UnknownKind(id.clone()))?;
        for relation in ["members", "members@delta"] {
            if let Some(Value::Array(members)) = object.remove(relation) {
                self.add_member_list(&id, members)?;
            }
        }
        object.retain(|name, _| !name.contains('@') || (kind == Kind::Other && name == "@odata.type"));
        let list = match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
            Kind::Other => &mut self.others,
        };
        match known.filter(|found| found.kind == kind).and_then(|found| list.get_mut(found.index)) {
            Some(existing) => existing.extend(object),
            None => {
                self.by_id.insert(id.clone(), Reference { kind, index: list.len() });
                list.push(object);
            }
        }
        Ok(id)
    }
}

impl Tenant {
    /// The tenant that the imported objects describe. Its domains are those of the members' names and
    /// addresses; its GUID follows from the seed, since no answer contains it.
    ///
    /// # Errors
    /// When a membership names an object that was not imported.
    pub fn import(import: Import, seed: u64) -> Result<Self, ImportError> {
        let mut members = vec![Vec::new(); import.groups.len()];
        for (group, ids) in &import.members {
            let of = import.by_id.get(group).filter(|found| found.kind == Kind::Group);
            let list = of.and_then(|found| members.get_mut(found.index));
            let list = list.ok_or_else(|| ImportError::UnknownGroup(group.clone()))?;
            for id in ids {
                let member = import
                    .by_id
                    .get(id)
                    .ok_or_else(|| ImportError::UnknownMember { group: group.clone(), member: id.clone() })?;
                list.push(*member);
            }
        }
        let users: Vec<Object> = import.users.into_iter().map(complete_user).collect();
        let domains = domains(&users);
        let display_name = domains.first().map_or("Imported", |domain| first_label(&domain.name)).to_owned();
        let by_upn = users
            .iter()
            .enumerate()
            .map(|(index, user)| (text(user, "userPrincipalName").to_lowercase(), index))
            .collect();
        Ok(Self {
            id: tenant_id(seed),
            display_name,
            domains,
            company: Company::new(Size { users: 0, groups: 0, members_per_group: 0, seed }),
            users: users.into_iter().map(Entry::Stored).collect(),
            groups: import.groups.into_iter().map(|group| Entry::Stored(complete_group(group))).collect(),
            others: import.others,
            members,
            by_id: import.by_id,
            by_upn,
        })
    }
}

fn list_of(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

fn kind_of_context(context: &str) -> Option<Kind> {
    let of = context.split_once("$metadata#")?.1;
    if of.starts_with("users") {
        Some(Kind::User)
    } else if of.starts_with("groups") {
        Some(Kind::Group)
    } else {
        None
    }
}

fn kind_of_object(object: &Object) -> Option<Kind> {
    match text(object, "@odata.type") {
        "#microsoft.graph.user" => Some(Kind::User),
        "#microsoft.graph.group" => Some(Kind::Group),
        "" if object.contains_key("userPrincipalName") => Some(Kind::User),
        "" if object.contains_key("groupTypes") || object.contains_key("securityEnabled") => {
            Some(Kind::Group)
        }
        "" => None,
        _ => Some(Kind::Other),
    }
}

fn is_guest(user: &Object) -> bool {
    text(user, "userType") == "Guest" || text(user, "userPrincipalName").contains("#EXT#")
}

pub(crate) fn complete_user(mut user: Object) -> Object {
    let user_type = if is_guest(&user) { "Guest" } else { "Member" };
    let mail = text(&user, "mail");
    let proxies = if mail.is_empty() { json!([]) } else { json!([format!("SMTP:{mail}")]) };
    let mut missing = |name: &str, value: Value| {
        user.entry(name).or_insert(value);
    };
    missing("accountEnabled", json!(true));
    missing("userType", json!(user_type));
    missing("proxyAddresses", proxies);
    missing(
        "onPremisesExtensionAttributes",
        (1..=15).map(|number| (format!("extensionAttribute{number}"), Value::Null)).collect(),
    );
    for name in USER_SCALARS {
        missing(name, Value::Null);
    }
    for name in USER_COLLECTIONS {
        missing(name, json!([]));
    }
    user
}

pub(crate) fn complete_group(mut group: Object) -> Object {
    for name in GROUP_DEFAULT {
        let is_list = GROUP_COLLECTIONS.contains(name);
        group.entry(*name).or_insert_with(|| if is_list { json!([]) } else { Value::Null });
    }
    group
}

/// The domains of names and proxy addresses, most used first. A guest's own address is somebody else's; the
/// name it got here only shows that the domain exists.
fn domains(users: &[Object]) -> Vec<Domain> {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |address: &str, weight: usize| {
        if let Some((_, domain)) = address.rsplit_once('@') {
            *uses.entry(domain.to_lowercase()).or_default() += weight;
        }
    };
    for user in users {
        let guest = is_guest(user);
        count(text(user, "userPrincipalName"), usize::from(!guest));
        let proxies = user.get("proxyAddresses").and_then(Value::as_array);
        for proxy in proxies.into_iter().flatten().filter_map(Value::as_str) {
            if !guest && proxy.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("smtp:")) {
                count(proxy, 1);
            }
        }
    }
    let mut names: Vec<(String, usize)> = uses.into_iter().collect();
    names.sort_by_key(|(name, uses)| (std::cmp::Reverse(*uses), name.clone()));
    if !names.iter().any(|(name, _)| name.ends_with(".onmicrosoft.com")) {
        let label = names.first().map_or("imported", |(name, _)| first_label(name)).to_owned();
        names.push((format!("{label}.onmicrosoft.com"), 0));
    }
    let initial = names.iter().position(|(name, _)| name.ends_with(".onmicrosoft.com"));
    names
        .into_iter()
        .enumerate()
        .map(|(at, (name, _))| Domain { name, is_default: at == 0, is_initial: Some(at) == initial })
        .collect()
}

fn first_label(domain: &str) -> &str {
    domain.split('.').next().unwrap_or(domain)
}
