//! What can be done to a directory while it runs: the vocabulary of the control API (`POST /changes`) and of
//! [`crate::Sim::change`]. A change is made whole or, with a reason, not at all.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;
use time::OffsetDateTime;

use super::addresses::{alias, primary, promote, proxies, replace_primary};
use super::{Directory, Record, Standing, What};
use crate::chance::Chance;
use crate::clock::graph_time;
use crate::tenant::{Kind, Object, Reference, complete_group, complete_user, text};

/// One change. Objects are named by id, users also by user principal name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// A new user with these properties; what is left out is completed as in an import. `userPrincipalName` is
    /// needed, `id` is invented when missing.
    AddUser(Object),
    /// A new group with these properties, without members. `displayName` is needed.
    AddGroup(Object),
    /// Gives properties another value; null clears them.
    Set {
        /// A user or group.
        object: String,
        /// Any but `id`.
        properties: Object,
    },
    /// Another display name and, when given, another address: it becomes the primary one (and a user's
    /// principal name), the old one stays as an alias.
    Rename {
        /// A user or group.
        object: String,
        /// The new display name.
        display_name: String,
        /// The new primary address, without prefix.
        #[serde(default)]
        address: Option<String>,
    },
    /// Blocks a user's sign-in.
    Disable(String),
    /// Allows it again.
    Enable(String),
    /// Deletes a user or group. Users and Microsoft 365 groups go to the recycle bin for 30 days, any other
    /// group is gone at once. Deleting what is in the bin needs `for_good`.
    Delete {
        /// A user or group.
        object: String,
        /// Past the recycle bin.
        #[serde(default)]
        for_good: bool,
    },
    /// Takes the user or group with this id out of the recycle bin.
    Restore(String),
    /// Takes an alias from one object and gives it to another.
    MoveAlias {
        /// The address, without prefix.
        address: String,
        /// Who has it as an alias.
        from: String,
        /// Who gets it.
        to: String,
    },
    /// Two objects exchange their primary addresses and `mail`.
    SwapPrimaries {
        /// One of them.
        one: String,
        /// The other.
        other: String,
    },
    /// Makes objects direct members of a group; who is one already stays one.
    AddMembers {
        /// The group.
        group: String,
        /// Users, groups and other directory objects.
        members: Vec<String>,
    },
    /// Ends direct memberships; who is no member is passed over.
    RemoveMembers {
        /// The group.
        group: String,
        /// As above.
        members: Vec<String>,
    },
}

/// Why a change is not possible. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// No live object with this id or name, or of the wrong kind.
    #[error("there is no {kind} '{name}'")]
    Unknown {
        /// `user`, `group` or `object`.
        kind: &'static str,
        /// What was asked for.
        name: String,
    },
    /// Another object, perhaps a deleted one, has the id.
    #[error("the id '{0}' is taken")]
    IdTaken(String),
    /// Another user has the name.
    #[error("the user principal name '{0}' is taken")]
    NameTaken(String),
    /// A property that is needed or cannot be what it was to be.
    #[error("{0}")]
    Property(String),
    /// Only what is in the recycle bin can be restored.
    #[error("'{0}' is not in the recycle bin")]
    NotInBin(String),
    /// The object has no such alias.
    #[error("'{object}' has no alias '{address}'")]
    NoAlias {
        /// Who was to have it.
        object: String,
        /// The address.
        address: String,
    },
    /// The object has no primary address.
    #[error("'{0}' has no primary address")]
    NoPrimary(String),
}

impl Directory {
    /// Makes a change and returns the id of the object it was made to. With `members_follow` the groups of what
    /// is deleted or restored report it.
    ///
    /// # Errors
    /// When it names what is not there or would give two objects the same id or name.
    pub(crate) fn apply(
        &mut self,
        change: &Change,
        now: OffsetDateTime,
        members_follow: bool,
    ) -> Result<String, ChangeError> {
        let enabled = |enabled: bool| properties([("accountEnabled", json!(enabled))]);
        let id = match change {
            Change::AddUser(properties) => self.add_user(properties, now)?,
            Change::AddGroup(properties) => self.add_group(properties, now)?,
            Change::Set { object, properties } => self.set(self.live(object)?, properties)?,
            Change::Rename { object, display_name, address } => {
                self.rename(self.live(object)?, display_name, address.as_deref())?
            }
            Change::Disable(user) => self.set(self.user(user)?, &enabled(false))?,
            Change::Enable(user) => self.set(self.user(user)?, &enabled(true))?,
            Change::Delete { object, for_good } => self.delete(object, *for_good, now)?,
            Change::Restore(id) => self.restore(id)?,
            Change::MoveAlias { address, from, to } => self.move_alias(address, from, to)?,
            Change::SwapPrimaries { one, other } => self.swap_primaries(one, other)?,
            Change::AddMembers { group, members } => self.change_members(group, members, true)?,
            Change::RemoveMembers { group, members } => self.change_members(group, members, false)?,
        };
        if members_follow && matches!(change, Change::Delete { .. } | Change::Restore(_)) {
            self.tell_groups_of(&id);
        }
        Ok(id)
    }

    /// Notes in every group of an object that it has come or gone with it.
    fn tell_groups_of(&mut self, id: &str) {
        let Some(member) = self.find_any(id) else { return };
        let groups: Vec<Reference> =
            self.all(Kind::Group).filter(|group| self.has_member(group.index, member)).collect();
        let is_live = self.is_live(member);
        for group in groups {
            self.note(group, if is_live { What::Joined(vec![member]) } else { What::Left(vec![member]) });
        }
    }

    fn live(&self, name: &str) -> Result<Reference, ChangeError> {
        let found = self.find(name).or_else(|| self.find_user(name));
        found.ok_or_else(|| ChangeError::Unknown { kind: "object", name: name.to_owned() })
    }

    fn user(&self, name: &str) -> Result<Reference, ChangeError> {
        self.find_user(name).ok_or_else(|| ChangeError::Unknown { kind: "user", name: name.to_owned() })
    }

    fn group(&self, id: &str) -> Result<Reference, ChangeError> {
        let found = self.find(id).filter(|found| found.kind == Kind::Group);
        found.ok_or_else(|| ChangeError::Unknown { kind: "group", name: id.to_owned() })
    }

    fn add_user(&mut self, properties: &Object, now: OffsetDateTime) -> Result<String, ChangeError> {
        let name = text(properties, "userPrincipalName").to_owned();
        let Some((local, _)) = name.split_once('@') else {
            return Err(ChangeError::Property("a user needs a userPrincipalName with a domain".to_owned()));
        };
        if self.find_user(&name).is_some() {
            return Err(ChangeError::NameTaken(name));
        }
        let mut user = properties.clone();
        user.entry("mailNickname").or_insert_with(|| json!(local));
        user.entry("displayName").or_insert_with(|| json!(local));
        let id = self.add(Kind::User, user, complete_user, now)?;
        self.names.insert(name.to_lowercase(), self.positions(Kind::User) - 1);
        Ok(id)
    }

    fn add_group(&mut self, properties: &Object, now: OffsetDateTime) -> Result<String, ChangeError> {
        if text(properties, "displayName").is_empty() {
            return Err(ChangeError::Property("a group needs a displayName".to_owned()));
        }
        let mut group = properties.clone();
        let unified = is_microsoft_365(&group);
        group.entry("mailEnabled").or_insert(json!(unified));
        group.entry("securityEnabled").or_insert(json!(!unified));
        self.add(Kind::Group, group, complete_group, now)
    }

    fn add(
        &mut self,
        kind: Kind,
        mut object: Object,
        complete: fn(Object) -> Object,
        now: OffsetDateTime,
    ) -> Result<String, ChangeError> {
        let of = Reference { kind, index: self.positions(kind) };
        let what = if kind == Kind::User { "added user" } else { "added group" };
        object.entry("id").or_insert_with(|| json!(Chance::of(self.seed, what, of.index).guid()));
        object.entry("createdDateTime").or_insert_with(|| json!(graph_time(now)));
        let id = text(&object, "id").to_owned();
        if id.is_empty() || self.find_any(&id).is_some() {
            return Err(ChangeError::IdTaken(id));
        }
        self.ids.insert(id.to_lowercase(), of);
        if kind == Kind::User {
            self.added_users += 1;
        } else {
            self.added_groups += 1;
        }
        let object = Arc::new(complete(object));
        self.records.insert(of, Record { object, standing: Standing::Live, changes: Vec::new() });
        self.note(of, What::Appeared);
        Ok(id)
    }

    /// Sets properties; what has the value already is no change.
    fn set(&mut self, of: Reference, properties: &Object) -> Result<String, ChangeError> {
        let current = self.object(of).into_owned();
        let mut changed = Vec::new();
        let mut object = current.clone();
        for (name, value) in properties {
            // Names are matched in any case, as Graph does, and kept as they are known.
            let known = current.keys().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(name);
            if current.get(known).unwrap_or(&Value::Null) != value {
                object.insert(known.clone(), value.clone());
                changed.push(known.clone());
            }
        }
        if changed.iter().any(|name| name == "id") {
            return Err(ChangeError::Property("the id of an object never changes".to_owned()));
        }
        let id = text(&object, "id").to_owned();
        if changed.is_empty() {
            return Ok(id);
        }
        if of.kind == Kind::User && changed.iter().any(|name| name == "userPrincipalName") {
            let name = text(&object, "userPrincipalName");
            if !name.contains('@') {
                return Err(ChangeError::Property("a userPrincipalName needs a domain".to_owned()));
            }
            if self.find_user(name).is_some_and(|other| other != of) {
                return Err(ChangeError::NameTaken(name.to_owned()));
            }
            self.record(of);
            self.forget_name(of, &current);
            self.names.insert(name.to_lowercase(), of.index);
        }
        self.record(of).object = Arc::new(object);
        self.note(of, What::Changed(changed));
        Ok(id)
    }

    fn rename(
        &mut self,
        of: Reference,
        display_name: &str,
        address: Option<&str>,
    ) -> Result<String, ChangeError> {
        let mut changed = properties([("displayName", json!(display_name))]);
        if let Some(address) = address {
            let mut proxies = proxies(&self.object(of));
            promote(&mut proxies, address);
            changed.insert("proxyAddresses".to_owned(), json!(proxies));
            changed.insert("mail".to_owned(), json!(address));
            if of.kind == Kind::User {
                changed.insert("userPrincipalName".to_owned(), json!(address));
            }
        }
        self.set(of, &changed)
    }

    fn delete(&mut self, name: &str, for_good: bool, now: OffsetDateTime) -> Result<String, ChangeError> {
        let in_bin = self.find_any(name).filter(|of| matches!(self.standing(*of), Standing::Deleted { .. }));
        let of = match in_bin.filter(|_| for_good) {
            Some(of) => of,
            None => self.live(name)?,
        };
        let id = self.id_of(of);
        let softly = match of.kind {
            Kind::User => true,
            Kind::Group => is_microsoft_365(&self.object(of)),
            Kind::Other => {
                return Err(ChangeError::Property("only users and groups can be deleted".to_owned()));
            }
        };
        if for_good || !softly {
            self.remove_for_good(of);
            return Ok(id);
        }
        let mut object = self.object(of).into_owned();
        object.insert("deletedDateTime".to_owned(), json!(graph_time(now)));
        let record = self.record(of);
        record.standing = Standing::Deleted { since: now };
        let object = Arc::new(object);
        record.object = Arc::clone(&object);
        self.forget_name(of, &object);
        self.note(of, What::Removed);
        Ok(id)
    }

    fn restore(&mut self, id: &str) -> Result<String, ChangeError> {
        let in_bin = self.find_any(id).filter(|of| matches!(self.standing(*of), Standing::Deleted { .. }));
        let of = in_bin.ok_or_else(|| ChangeError::NotInBin(id.to_owned()))?;
        let mut object = self.object(of).into_owned();
        if of.kind == Kind::User {
            let name = text(&object, "userPrincipalName");
            if self.find_user(name).is_some() {
                return Err(ChangeError::NameTaken(name.to_owned()));
            }
            self.names.insert(name.to_lowercase(), of.index);
        }
        object.insert("deletedDateTime".to_owned(), Value::Null);
        let record = self.record(of);
        record.standing = Standing::Live;
        record.object = Arc::new(object);
        self.note(of, What::Appeared);
        Ok(self.id_of(of))
    }

    fn move_alias(&mut self, address: &str, from: &str, to: &str) -> Result<String, ChangeError> {
        let (giver, taker) = (self.live(from)?, self.live(to)?);
        let mut left = proxies(&self.object(giver));
        let at = alias(&left, address)
            .ok_or_else(|| ChangeError::NoAlias { object: from.to_owned(), address: address.to_owned() })?;
        let moved = left.remove(at);
        self.set(giver, &properties([("proxyAddresses", json!(left))]))?;
        let mut gained = proxies(&self.object(taker));
        gained.push(moved);
        self.set(taker, &properties([("proxyAddresses", json!(gained))]))
    }

    fn swap_primaries(&mut self, one: &str, other: &str) -> Result<String, ChangeError> {
        let (first, second) = (self.live(one)?, self.live(other)?);
        let (mut firsts, mut seconds) = (proxies(&self.object(first)), proxies(&self.object(second)));
        let of = |proxies: &[String], name: &str| {
            primary(proxies).map(str::to_owned).ok_or_else(|| ChangeError::NoPrimary(name.to_owned()))
        };
        let (firsts_own, seconds_own) = (of(&firsts, one)?, of(&seconds, other)?);
        replace_primary(&mut firsts, &seconds_own);
        replace_primary(&mut seconds, &firsts_own);
        self.set(second, &properties([("proxyAddresses", json!(seconds)), ("mail", json!(firsts_own))]))?;
        self.set(first, &properties([("proxyAddresses", json!(firsts)), ("mail", json!(seconds_own))]))
    }

    fn change_members(&mut self, group: &str, names: &[String], join: bool) -> Result<String, ChangeError> {
        let of = self.group(group)?;
        let mut members = Vec::new();
        for name in names {
            // A deleted object keeps its memberships, and they can still be ended.
            let found =
                if join { self.live(name) } else { self.find_any(name).map_or_else(|| self.live(name), Ok) };
            let member = found?;
            if self.has_member(of.index, member) != join && !members.contains(&member) {
                members.push(member);
            }
        }
        if members.is_empty() {
            return Ok(self.id_of(of));
        }
        let first = self.tenant.members(of.index);
        let membership = self.memberships.entry(of.index).or_default();
        for member in &members {
            if !join {
                membership.left.insert(*member);
            } else if !membership.left.remove(member)
                && !first.contains(member)
                && !membership.joined.contains(member)
            {
                membership.joined.push(*member);
            }
        }
        self.note(of, if join { What::Joined(members) } else { What::Left(members) });
        Ok(self.id_of(of))
    }
}

fn is_microsoft_365(group: &Object) -> bool {
    let types = group.get("groupTypes").and_then(Value::as_array);
    types.is_some_and(|types| types.iter().any(|kind| kind == "Unified"))
}

fn properties<const N: usize>(of: [(&str, Value); N]) -> Object {
    of.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
