//! The portal as the reference model keeps it: plain lists of users, deleted users, groups and decisions.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    address::Address,
    conflict::Conflict,
    group::GroupKind,
    guard::{Decision, Guarded},
    plan::ManagedDomains,
    service::Status,
    settings::{DeleteAfter, GuardLimits},
};
use uuid::Uuid;

/// A user with the source Azure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The portal's number; negative for one that the model added and the portal has not told yet.
    pub number: i64,
    /// As the number, unknown at first.
    pub public_id: Option<Uuid>,
    pub external_id: Option<String>,
    pub name: String,
    pub primary: Address,
    /// Somebody else has the primary address.
    pub lost: bool,
    pub aliases: BTreeSet<Address>,
    pub service_on: bool,
    pub blocked: bool,
    pub conflict: Option<Conflict>,
}

impl User {
    /// The addresses that it holds, the primary first.
    pub fn held(&self) -> Vec<Address> {
        if self.lost {
            return Vec::new();
        }
        std::iter::once(&self.primary).chain(&self.aliases).cloned().collect()
    }

    pub fn status(&self) -> Status {
        match (self.service_on, &self.conflict) {
            (false, _) => Status::Inactive,
            (true, Some(_)) => Status::Conflict,
            (true, None) => Status::Active,
        }
    }
}

/// A deleted user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    pub user: User,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub public_id: Option<Uuid>,
    pub name: String,
    pub address: Option<Address>,
    pub kind: GroupKind,
}

/// What an administrator added by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    pub external_id: Option<String>,
    pub reads_without: i64,
}

/// A removal as the guard holds it: of a user by number, of a group by the directory's id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    User(i64),
    Group(String),
}

/// What the guard noted.
#[derive(Clone, Copy, Debug)]
pub struct Noted {
    pub kind: Guarded,
    pub approval: bool,
    pub objects: i64,
    pub at: Timestamp,
}

/// What administrators have set.
#[derive(Clone, Debug)]
pub struct Rules {
    pub enabled: bool,
    pub off_since: Option<Timestamp>,
    pub include_disabled: bool,
    /// Departments that the custom filter lets in; none for no filter.
    pub departments: Vec<&'static str>,
    pub managed: ManagedDomains,
    pub delete_after: DeleteAfter,
    pub guard: GuardLimits,
    /// By the directory's id, and whether a user that is in the portal stays there untouched.
    pub excepted_users: BTreeMap<String, bool>,
    pub excepted_groups: BTreeSet<String>,
    pub excepted_aliases: BTreeSet<Address>,
}

#[derive(Clone, Debug, Default)]
pub struct Portal {
    pub users: Vec<User>,
    pub bin: Vec<Deleted>,
    pub groups: BTreeMap<String, Group>,
    /// Deleted groups, by the directory's id.
    pub group_bin: BTreeMap<String, Group>,
    pub held: BTreeMap<(Guarded, Object), Decision>,
    pub guard_log: Vec<Noted>,
    pub additions: BTreeMap<Address, Addition>,
}

impl Portal {
    pub fn user(&mut self, number: i64) -> &mut User {
        self.users.iter_mut().find(|user| user.number == number).unwrap()
    }

    pub fn of_directory(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.external_id.as_deref() == Some(id))
    }

    pub fn decision(&self, kind: Guarded, object: &Object) -> Option<Decision> {
        self.held.get(&(kind, object.clone())).copied()
    }

    /// Puts a user in the recycle bin.
    pub fn delete(&mut self, number: i64, reason: &str) {
        let at = self.users.iter().position(|user| user.number == number).unwrap();
        let user = self.users.remove(at);
        for kind in [Guarded::Removal, Guarded::Deletion] {
            self.held.remove(&(kind, Object::User(number)));
        }
        self.bin.push(Deleted { user, reason: reason.to_owned() });
    }

    /// How many of a kind went without an approval in the last day, since the last approval.
    pub fn recent(&self, kind: Guarded, now: Timestamp) -> i64 {
        let log = self.guard_log.iter().filter(|noted| noted.kind == kind);
        let since_approval = log.rev().take_while(|noted| !noted.approval);
        since_approval.filter(|noted| noted.at >= now.plus(-Timestamp::DAY)).map(|noted| noted.objects).sum()
    }

    pub fn note(&mut self, kind: Guarded, approval: bool, objects: i64, at: Timestamp) {
        if approval || objects > 0 {
            self.guard_log.push(Noted { kind, approval, objects, at });
        }
    }
}
