//! The directory as it is now: the tenant it began as, and every change since.
//!
//! A tenant of 100,000 users is derived from its seed on demand, and a change touches one of them. So the
//! changes lie over the tenant: an object that was added or changed is kept here, whole; any other is asked of
//! the [`Tenant`]. Each change has the next number in a log, and a delta round is read from that: see [`log`].
//!
//! A position belongs to one object for good, also after its deletion, and the slot of a member in its group
//! too: a reader that is half-way through a list never finds it shifted under its feet.

mod addresses;
mod change;
mod log;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::tenant::{Kind, Object, Reference, Tenant, text};
pub use change::{Change, ChangeError};
use log::Entry;
pub(crate) use log::What;

/// How long a deleted user or Microsoft 365 group can be restored.
const RECYCLE_BIN: Duration = Duration::days(30);

/// Whether an object is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Live,
    /// In the recycle bin, from where it can be restored for 30 days.
    Deleted {
        /// Since when.
        since: OffsetDateTime,
    },
    /// Deleted for good.
    Gone,
}

/// An object that was added or changed.
#[derive(Debug, Clone)]
struct Record {
    object: Arc<Object>,
    standing: Standing,
    /// The numbers of its changes, ascending.
    changes: Vec<usize>,
}

/// What was changed about the direct members of a group.
#[derive(Debug, Clone, Default)]
struct Membership {
    /// Who joined, in slots after those of the tenant.
    joined: Vec<Reference>,
    /// Who left; their slots are empty until they come back.
    left: HashSet<Reference>,
}

/// The directory of a tenant with its changes.
#[derive(Debug, Clone)]
pub struct Directory {
    tenant: Arc<Tenant>,
    seed: u64,
    added_users: usize,
    added_groups: usize,
    records: HashMap<Reference, Record>,
    /// Added objects by id.
    ids: HashMap<String, Reference>,
    /// Live users that have a record, by user principal name in lower case.
    names: HashMap<String, usize>,
    memberships: HashMap<usize, Membership>,
    log: Vec<Entry>,
}

impl Directory {
    /// The tenant without any change. The ids of added objects follow from the seed.
    #[must_use]
    pub fn new(tenant: Arc<Tenant>, seed: u64) -> Self {
        Self {
            tenant,
            seed,
            added_users: 0,
            added_groups: 0,
            records: HashMap::new(),
            ids: HashMap::new(),
            names: HashMap::new(),
            memberships: HashMap::new(),
            log: Vec::new(),
        }
    }

    /// What it began as; its id, name and domains do not change.
    #[must_use]
    pub fn tenant(&self) -> &Arc<Tenant> {
        &self.tenant
    }

    /// How many live objects of a kind there are.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        let not_live =
            |(of, record): &(&Reference, &Record)| of.kind == kind && record.standing != Standing::Live;
        self.positions(kind) - self.records.iter().filter(not_live).count()
    }

    /// The live objects of a kind.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = Reference> {
        (0..self.positions(kind)).map(move |index| Reference { kind, index }).filter(|of| self.is_live(*of))
    }

    /// How many positions of a kind were ever taken.
    pub(crate) fn positions(&self, kind: Kind) -> usize {
        let added = match kind {
            Kind::User => self.added_users,
            Kind::Group => self.added_groups,
            Kind::Other => 0,
        };
        self.tenant.count(kind) + added
    }

    /// Whether an object is live, in the recycle bin or gone.
    #[must_use]
    pub fn standing(&self, of: Reference) -> Standing {
        self.records.get(&of).map_or(Standing::Live, |record| record.standing)
    }

    pub(crate) fn is_live(&self, of: Reference) -> bool {
        self.standing(of) == Standing::Live
    }

    /// The whole object; of one that is gone, only the id.
    #[must_use]
    pub fn object(&self, of: Reference) -> Cow<'_, Object> {
        match self.records.get(&of) {
            Some(record) => Cow::Borrowed(&*record.object),
            None => self.tenant.object(of),
        }
    }

    /// The GUID of an object.
    #[must_use]
    pub fn id_of(&self, of: Reference) -> String {
        match self.records.get(&of) {
            Some(record) => text(&record.object, "id").to_owned(),
            None => self.tenant.id_of(of),
        }
    }

    /// Finds a live object by its GUID, in any case.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Reference> {
        self.find_any(id).filter(|of| self.is_live(*of))
    }

    /// Finds an object by its GUID, also a deleted one.
    pub(crate) fn find_any(&self, id: &str) -> Option<Reference> {
        self.ids.get(&id.to_lowercase()).copied().or_else(|| self.tenant.find(id))
    }

    /// Finds a live user by GUID or user principal name, in any case.
    #[must_use]
    pub fn find_user(&self, id_or_upn: &str) -> Option<Reference> {
        if let Some(found) = self.find_any(id_or_upn) {
            return (found.kind == Kind::User && self.is_live(found)).then_some(found);
        }
        let renamed = self.names.get(&id_or_upn.to_lowercase());
        renamed.map(|index| Reference { kind: Kind::User, index: *index }).or_else(|| {
            // The tenant knows the old name of a user that was renamed or deleted.
            self.tenant.find_user(id_or_upn).filter(|found| !self.records.contains_key(found))
        })
    }

    /// The live direct members of the group at a position.
    #[must_use]
    pub fn members(&self, group: usize) -> Vec<Reference> {
        (0..self.slots(group)).filter_map(|at| self.slot(group, at)).collect()
    }

    /// How many slots for members a group has, empty ones included.
    pub(crate) fn slots(&self, group: usize) -> usize {
        let joined = self.memberships.get(&group).map_or(0, |membership| membership.joined.len());
        self.tenant.members(group).len() + joined
    }

    /// The member in a slot; nothing when it left or is not live.
    pub(crate) fn slot(&self, group: usize, at: usize) -> Option<Reference> {
        let first = self.tenant.members(group);
        let membership = self.memberships.get(&group);
        let member = match first.get(at) {
            Some(member) => member,
            None => membership?.joined.get(at - first.len())?,
        };
        let left = membership.is_some_and(|membership| membership.left.contains(member));
        (!left && self.is_live(*member)).then_some(*member)
    }

    /// Whether the group has this direct member, which may itself be deleted.
    pub(crate) fn has_member(&self, group: usize, member: Reference) -> bool {
        let membership = self.memberships.get(&group);
        let has_slot = self.tenant.members(group).contains(&member)
            || membership.is_some_and(|membership| membership.joined.contains(&member));
        has_slot && !membership.is_some_and(|membership| membership.left.contains(&member))
    }

    /// The objects in the recycle bin, the first deleted first.
    pub(crate) fn deleted(&self, kind: Kind) -> Vec<Reference> {
        let in_bin = self.records.iter().filter_map(|(of, record)| match record.standing {
            Standing::Deleted { .. } if of.kind == kind => Some((record.changes.last().copied(), *of)),
            _ => None,
        });
        let mut found: Vec<(Option<usize>, Reference)> = in_bin.collect();
        found.sort_by_key(|(sequence, of)| (*sequence, of.index));
        found.into_iter().map(|(_, of)| of).collect()
    }

    /// What has been in the recycle bin for 30 days.
    fn expired(&self, now: OffsetDateTime) -> impl Iterator<Item = Reference> {
        self.records.iter().filter_map(move |(of, record)| match record.standing {
            Standing::Deleted { since } if since.saturating_add(RECYCLE_BIN) <= now => Some(*of),
            _ => None,
        })
    }

    /// Whether [`Directory::empty_bin`] would delete anything.
    pub(crate) fn has_expired(&self, now: OffsetDateTime) -> bool {
        self.expired(now).next().is_some()
    }

    /// Deletes for good what has been in the recycle bin for 30 days.
    pub(crate) fn empty_bin(&mut self, now: OffsetDateTime) {
        let mut expired: Vec<Reference> = self.expired(now).collect();
        expired.sort_by_key(|of| (of.kind == Kind::Group, of.index));
        for of in expired {
            self.remove_for_good(of);
        }
    }

    /// The record of an object, made from the tenant's object when there is none.
    fn record(&mut self, of: Reference) -> &mut Record {
        let Self { tenant, names, records, .. } = self;
        records.entry(of).or_insert_with(|| {
            let object = tenant.object(of).into_owned();
            if of.kind == Kind::User {
                names.insert(text(&object, "userPrincipalName").to_lowercase(), of.index);
            }
            Record { object: Arc::new(object), standing: Standing::Live, changes: Vec::new() }
        })
    }

    fn remove_for_good(&mut self, of: Reference) {
        let object = Arc::clone(&self.record(of).object);
        self.forget_name(of, &object);
        let record = self.record(of);
        record.standing = Standing::Gone;
        record.object = Arc::new(Object::from_iter([("id".to_owned(), json!(text(&object, "id")))]));
        self.note(of, What::Removed);
    }

    /// Frees the name of a user for others.
    fn forget_name(&mut self, of: Reference, object: &Object) {
        let name = text(object, "userPrincipalName").to_lowercase();
        if of.kind == Kind::User && self.names.get(&name) == Some(&of.index) {
            self.names.remove(&name);
        }
    }
}
