//! The portal as it is, beside the portal as the model has it, and what must hold of it whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    guard::Guarded,
    run::{Action, ObjectKind},
    service::Service,
};
use store::{Addition as AdditionRow, Binned, CustomerStore, Group as GroupRow, HeldRow, User as UserRow};
use sync::run::RunReport;

use crate::{
    portal::{Addition, Deleted, Group, Object, Portal, User},
    sync::Counts,
    tenant::Tenant,
    world::World,
};

const ALL: i64 = 100_000;

/// All that a sync may change, as the database has it.
pub struct Seen {
    users: Vec<UserRow>,
    bin: Vec<Binned>,
    groups: Vec<GroupRow>,
    held: Vec<HeldRow>,
    additions: Vec<AdditionRow>,
}

impl Seen {
    pub async fn read(customer: &CustomerStore) -> Self {
        let numbers: Vec<i64> =
            customer.export_users(None, ALL).await.unwrap().into_iter().map(|user| user.id).collect();
        let mut write = customer.begin().await.unwrap();
        let users = write.users_by_id(&numbers).await.unwrap();
        drop(write);
        let mut held = Vec::new();
        for kind in Guarded::ALL {
            held.extend(customer.held(*kind, 0, ALL).await.unwrap());
        }
        Self {
            users,
            bin: customer.recycle_bin(None, ALL).await.unwrap(),
            groups: customer.groups_page(None, ALL).await.unwrap(),
            held,
            additions: customer.additions(Service::Entra).await.unwrap(),
        }
    }

    /// The same with the Ignores ended whose date has come. Whoever looks next notes that; it moves no deletion.
    pub fn at(mut self, now: Timestamp) -> Self {
        for conflict in self.users.iter_mut().filter_map(|user| user.conflict.as_mut()) {
            crate::sync::end_ignore(conflict, now);
        }
        self
    }

    /// Whether nothing differs, to the last column.
    pub fn same(&self, other: &Self) -> Result<(), String> {
        let lines = |seen: &Self| {
            let mut lines: Vec<String> = Vec::new();
            lines.extend(seen.users.iter().map(|row| format!("{row:?}")));
            lines.extend(seen.bin.iter().map(|row| format!("{row:?}")));
            lines.extend(seen.groups.iter().map(|row| format!("{row:?}")));
            lines.extend(seen.held.iter().map(|row| format!("{row:?}")));
            lines.extend(seen.additions.iter().map(|row| format!("{row:?}")));
            lines
        };
        difference(&lines(self), &lines(other))
    }

    fn portal(&self) -> Portal {
        let groups: BTreeMap<i64, String> =
            self.groups.iter().map(|group| (group.id, group.external_id.clone())).collect();
        let held = self.held.iter().map(|row| {
            let object = match row.held.kind {
                Guarded::Group => Object::Group(groups[&row.held.object_id].clone()),
                Guarded::Removal | Guarded::Deletion => Object::User(row.held.object_id),
            };
            ((row.held.kind, object), row.held.decision)
        });
        let of_kind = |kind| self.bin.iter().filter(move |row| row.object == kind);
        Portal {
            users: self.users.iter().map(user).collect(),
            bin: of_kind(ObjectKind::User).map(deleted).collect(),
            groups: self.groups.iter().map(|row| (row.external_id.clone(), group(row))).collect(),
            group_bin: of_kind(ObjectKind::Group).map(deleted_group).collect(),
            held: held.collect(),
            guard_log: Vec::new(),
            additions: self.additions.iter().map(addition).collect(),
        }
    }
}

fn user(row: &UserRow) -> User {
    User {
        number: row.id,
        public_id: Some(row.public_id),
        external_id: row.external_id.clone(),
        name: row.display_name.clone(),
        primary: row.primary_address.clone(),
        lost: row.address_lost,
        aliases: row.aliases.iter().cloned().collect(),
        service_on: row.service_on,
        blocked: row.sign_in_blocked,
        conflict: row.conflict.clone(),
    }
}

/// Of a deleted user the bin keeps what is needed to bring it back; the conflict that it had is no part of that.
fn deleted(row: &Binned) -> Deleted {
    let was = row.user.as_ref().unwrap();
    let parse = |text: &String| domain::address::Address::parse(text).unwrap();
    let user = User {
        number: row.object_id,
        public_id: Some(row.public_id),
        external_id: row.external_id.clone(),
        name: row.display_name.clone(),
        primary: parse(&was.primary),
        lost: false,
        aliases: was.aliases.iter().map(parse).collect(),
        service_on: was.service_on,
        blocked: was.sign_in_blocked,
        conflict: None,
    };
    Deleted { user, reason: row.reason.clone() }
}

fn deleted_group(row: &Binned) -> (String, Group) {
    let group = Group {
        public_id: Some(row.public_id),
        name: row.display_name.clone(),
        address: domain::address::Address::parse(&row.address),
        kind: row.group.as_ref().unwrap().kind,
    };
    (row.external_id.clone().unwrap(), group)
}

fn group(row: &GroupRow) -> Group {
    Group {
        public_id: Some(row.public_id),
        name: row.display_name.clone(),
        address: row.address.clone(),
        kind: row.kind,
    }
}

fn addition(row: &AdditionRow) -> (domain::address::Address, Addition) {
    let of = Addition { external_id: row.external_id.clone(), reads_without: row.reads_without };
    (row.address.clone(), of)
}

/// Tells the model the numbers and ids of whom it added.
pub fn learn(model: &mut Portal, seen: &Seen) {
    for user in model.users.iter_mut().filter(|user| user.number < 0) {
        if let Some(row) = seen.users.iter().find(|row| row.external_id == user.external_id) {
            user.number = row.id;
            user.public_id = Some(row.public_id);
        }
    }
    for (id, group) in model.groups.iter_mut().filter(|(_, group)| group.public_id.is_none()) {
        group.public_id = seen.groups.iter().find(|row| row.external_id == *id).map(|row| row.public_id);
    }
}

/// Of several groups that claim an address which none of them had, either may get it.
pub fn accept_ties(model: &mut Portal, before: &BTreeMap<String, Group>, seen: &Seen, tenant: &Tenant) {
    for row in seen.groups.iter().filter(|row| row.address.is_some()) {
        let claims = |id: &String| tenant.groups.get(id).is_some_and(|group| group.address == row.address);
        let one_had_it = model
            .groups
            .keys()
            .any(|id| claims(id) && before.get(id).is_some_and(|group| group.address == row.address));
        let winner = model.groups.iter().find(|(id, group)| claims(id) && group.address == row.address);
        if let Some(winner) = winner.map(|(id, _)| id.clone())
            && !one_had_it
            && claims(&row.external_id)
            && let Some(other) = model.groups.get_mut(&row.external_id)
        {
            other.address = row.address.clone();
            if winner != row.external_id
                && let Some(group) = model.groups.get_mut(&winner)
            {
                group.address = None;
            }
        }
    }
}

/// Takes what is there for what is to be.
pub async fn adopt(world: &mut World, seen: &Seen) {
    let now = world.now();
    let mut portal = seen.portal();
    portal.guard_log = std::mem::take(&mut world.model.guard_log);
    for kind in Guarded::ALL {
        let noted = world.customer.guard_recent(*kind, now).await.unwrap();
        let known = portal.recent(*kind, now.plus(Timestamp::DAY));
        portal.note(*kind, false, noted - known, now);
    }
    world.model = portal;
}

/// Takes over how often additions were looked for in vain.
pub async fn forgive_reads(model: &mut Portal, customer: &CustomerStore) {
    for row in customer.additions(Service::Entra).await.unwrap() {
        if let Some(addition) = model.additions.get_mut(&row.address) {
            addition.reads_without = row.reads_without;
        }
    }
}

pub fn lines(portal: &Portal) -> Vec<String> {
    let mut lines: Vec<String> =
        portal.users.iter().map(|user| format!("{user:?} {:?}", user.status())).collect();
    lines.extend(portal.bin.iter().map(|deleted| {
        let user = User { lost: false, conflict: None, ..deleted.user.clone() };
        format!("deleted because {}: {user:?}", deleted.reason)
    }));
    lines.extend(portal.groups.iter().map(|(id, group)| format!("{id}: {group:?}")));
    lines.extend(portal.group_bin.iter().map(|(id, group)| format!("deleted {id}: {group:?}")));
    lines.extend(portal.held.iter().map(|(object, decision)| format!("held {object:?}: {decision:?}")));
    lines.extend(
        portal.additions.iter().map(|(address, addition)| format!("addition {address}: {addition:?}")),
    );
    lines
}

/// Whether the portal is as the model has it.
pub fn portal(model: &Portal, seen: &Seen) -> Result<(), String> {
    difference(&lines(model), &lines(&seen.portal()))
        .map_err(|difference| format!("- expected\n+ found\n{difference}"))
}

fn difference(before: &[String], after: &[String]) -> Result<(), String> {
    let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
    if before == after {
        return Ok(());
    }
    let gone = before.difference(&after).map(|line| format!("- {line}"));
    let new = after.difference(&before).map(|line| format!("+ {line}"));
    Err(gone.chain(new).collect::<Vec<_>>().join("\n"))
}

/// What holds of a portal whatever happened: an address is one user's, statuses follow from service and conflict, and the counts that pages
/// show are those of the users that there are.
pub async fn sound(customer: &CustomerStore, seen: &Seen) -> Result<(), String> {
    let mut holders = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for row in &seen.users {
        let user = user(row);
        for address in user.held() {
            if let Some(other) = holders.insert(address.clone(), row.id) {
                return Err(format!("{address} belongs to the users {other} and {}", row.id));
            }
        }
        if user.lost && !user.aliases.is_empty() {
            return Err(format!("{user:?} lost its address and has aliases"));
        }
        if row.status != user.status() {
            return Err(format!("the status of {user:?} is {:?}", row.status));
        }
        *counts.entry((row.source.name(), row.status.name())).or_insert(0) += 1;
    }
    let mut write = customer.begin().await.unwrap();
    let addresses: Vec<_> = holders.keys().cloned().collect();
    let rows = write.holders(&addresses).await.unwrap();
    drop(write);
    let held: BTreeMap<_, _> = rows.iter().map(|row| (row.address.clone(), row.user_id)).collect();
    if held != holders {
        return Err(format!("the addresses of the users are {holders:?}, held are {held:?}"));
    }
    let kept: BTreeMap<_, _> = customer
        .user_counts()
        .await
        .unwrap()
        .into_iter()
        .map(|(source, status, users)| ((source.name(), status.name()), users))
        .collect();
    if kept == counts { Ok(()) } else { Err(format!("the counts say {kept:?}, there are {counts:?}")) }
}

/// Whether the mirror is what the directory says, memberships included.
pub async fn mirror(customer: &CustomerStore, tenant: &Tenant) -> Result<(), String> {
    let people: BTreeSet<String> = customer
        .mirror_page(Service::Entra, 0, ALL)
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.user.external_id)
        .collect();
    let expected: BTreeSet<String> = tenant.people.keys().cloned().collect();
    if people != expected {
        return Err(format!("the mirror has {people:?}, the directory {expected:?}"));
    }
    for (id, group) in &tenant.groups {
        let members = customer.group_members(Service::Entra, id, "", ALL).await.unwrap();
        // The membership of somebody who was deleted stays, in case of a return: the directory does not always tell of it again.
        let is_there = |id: &String| tenant.people.contains_key(id) || tenant.groups.contains_key(id);
        let mut members: Vec<String> =
            members.into_iter().map(|member| member.member_id).filter(is_there).collect();
        members.sort();
        if members != group.members {
            return Err(format!("members of {id} are {members:?}, in the directory {:?}", group.members));
        }
    }
    Ok(())
}

/// Whether the guard remembers what the model does.
pub async fn guard(customer: &CustomerStore, model: &Portal, now: Timestamp) -> Result<(), String> {
    for kind in Guarded::ALL {
        let noted = customer.guard_recent(*kind, now.plus(-Timestamp::DAY)).await.unwrap();
        let expected = model.recent(*kind, now);
        if noted != expected {
            return Err(format!("the guard counts {noted} of {kind:?}, not {expected}"));
        }
    }
    Ok(())
}

/// Whether a run's report, its row and its history tell the same, and what was expected.
pub async fn counts(
    customer: &CustomerStore,
    report: &RunReport,
    expected: Option<Counts>,
) -> Result<(), String> {
    let run = customer.run(report.run).await.unwrap().unwrap();
    let rows = customer.run_change_counts(run.id).await.unwrap();
    let row = |object, action| {
        rows.iter().find(|(of, did, _)| (*of, *did) == (object, action)).map_or(0, |(.., number)| *number)
    };
    let users = |action| row(ObjectKind::User, action);
    let groups = |action| row(ObjectKind::Group, action);
    let history = Counts {
        added: users(Action::Added),
        updated: users(Action::Updated),
        missing: users(Action::Missing),
        restored: users(Action::Restored),
        deleted: users(Action::Deleted),
        held: run.counts.held,
        groups_added: groups(Action::Added) + groups(Action::Restored),
        groups_updated: groups(Action::Updated),
        groups_deleted: groups(Action::Deleted),
    };
    let counted = Counts {
        added: report.changes.added,
        updated: report.changes.updated,
        missing: report.changes.missing,
        restored: report.changes.restored,
        deleted: report.changes.deleted,
        held: report.held,
        groups_added: run.counts.groups_added,
        groups_updated: run.counts.groups_updated,
        groups_deleted: run.counts.groups_deleted,
    };
    if history != counted {
        return Err(format!("the run counted {counted:?}, its history has {history:?}"));
    }
    match expected.filter(|expected| *expected != counted) {
        Some(expected) => Err(format!("the run counted {counted:?}, expected was {expected:?}")),
        None => Ok(()),
    }
}
