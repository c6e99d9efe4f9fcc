//! Groups: whoever is marked in the mirror is brought in line, after the users, because a user beats a group.
//!
//! A group's name, address and type are the portal's; who is in it is read from the mirror.

use std::collections::{HashMap, HashSet};

use domain::{
    address::Address,
    guard::{Decision, Guarded},
    run::{Action, Notice, NoticeKind, ObjectKind, Phase},
    service::{Service, Source},
    settings::GuardLimits,
};
use store::{Binned, Change, CustomerWrite, Group, GroupWrite, MirrorGroup, RunChange, StoreError};

use super::{
    drive::{Failure, Job},
    guard::{Allowance, undecided},
    plan_rules::PlanRules,
};

/// Who deletes what the directory no longer has, in the recycle bin.
pub(super) const BY_THE_SYNC: &str = "sync";

/// Why a group leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaves {
    Gone,
    OutsideManagedDomains,
    /// Decided by hand, and not the guard's business.
    Exception,
}

impl Leaves {
    const fn words(self) -> &'static str {
        match self {
            Self::Gone => "not in directory",
            Self::OutsideManagedDomains => "outside managed domains",
            Self::Exception => "exception",
        }
    }
}

/// Decides about every group that is marked.
pub(super) async fn apply(
    job: &mut Job<'_>,
    rules: &mut PlanRules,
    limits: GuardLimits,
) -> Result<(), Failure> {
    let mut allowance = count(job, rules, limits).await?;
    // Each may be decided about several times, and is counted once.
    let mut waiting = HashSet::new();
    let mut after = 0;
    loop {
        job.go_on()?;
        let rows = job.customer.dirty_groups(Service::Entra, after, job.engine.chunk).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.id;
        let now = job.engine.clock.now();
        let mut write = job.begin().await?;
        rules.confirm(job.customer, &mut write).await?;
        let chunk = decide(&mut write, rules, rows, &mut allowance, job).await?;
        if job.is_preview() {
            drop(write);
            write = job.begin().await?;
        } else {
            chunk.write(&mut write, job.run_id, now).await?;
        }
        write.add_run_changes(job.run_id, now, &chunk.changes).await?;
        write.add_notices(job.run_id, &chunk.notices).await?;
        let number = |action| {
            let changes = chunk.changes.iter().filter(|change| change.action == action).count();
            i64::try_from(changes).unwrap_or(i64::MAX)
        };
        job.counts.groups_added += number(Action::Added) + number(Action::Restored);
        job.counts.groups_updated += number(Action::Updated);
        job.counts.groups_deleted += number(Action::Deleted);
        let more = chunk.held.iter().filter(|(group, _)| waiting.insert(*group)).count();
        job.counts.held += i64::try_from(more).unwrap_or(i64::MAX);
        job.clashes += i64::try_from(chunk.notices.len()).unwrap_or(i64::MAX);
        job.note_progress(&mut write, Phase::Apply).await?;
        write.commit().await?;
    }
}

/// Counts the groups that would leave, and says how many of them may.
async fn count(job: &Job<'_>, rules: &PlanRules, limits: GuardLimits) -> Result<Allowance, Failure> {
    let (mut new, mut after) = (0, 0);
    loop {
        let rows = job.customer.dirty_groups(Service::Entra, after, job.engine.page).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        let leaving: Vec<String> = rows
            .iter()
            .filter(|row| leaves(rules, row).is_some_and(|why| why != Leaves::Exception))
            .map(|row| row.group.external_id.clone())
            .collect();
        if leaving.is_empty() {
            continue;
        }
        let mut write = job.begin().await?;
        let groups = write.groups_by_external_id(Source::Azure, &leaving).await?;
        drop(write);
        let ids: Vec<i64> = groups.iter().map(|group| group.id).collect();
        new += undecided(job, Guarded::Group, &ids).await?;
    }
    let present = job.customer.group_count(Source::Azure).await?;
    Allowance::of(job, limits, Guarded::Group, new, present).await
}

fn leaves(rules: &PlanRules, row: &MirrorGroup) -> Option<Leaves> {
    if rules.excepts_group(&row.group.external_id) {
        Some(Leaves::Exception)
    } else if row.gone {
        Some(Leaves::Gone)
    } else {
        // A group without an address is in.
        row.group
            .address()
            .is_some_and(|address| !rules.manages(&address))
            .then_some(Leaves::OutsideManagedDomains)
    }
}

/// A chunk's rows.
#[derive(Default)]
struct Rows {
    writes: Vec<GroupWrite>,
    /// Groups that are back, with their entries in the recycle bin.
    restored: Vec<(Binned, GroupWrite)>,
    deleted: Vec<(i64, &'static str)>,
    held: Vec<(i64, String)>,
    decided: Vec<i64>,
    settled: Vec<i64>,
    unapproved: i64,
    /// Addresses that groups gave up: another group may be waiting for one.
    released: Vec<Address>,
    changes: Vec<RunChange>,
    notices: Vec<Notice>,
}

/// The addresses that these groups want, leaving ones apart.
fn wanted(rules: &PlanRules, rows: &[MirrorGroup]) -> Vec<Address> {
    let staying = rows.iter().filter(|row| leaves(rules, row).is_none());
    staying.filter_map(|row| row.group.address()).collect()
}

/// Adds the groups that have an address which one of these wants, and are marked themselves: what they give up must not be taken for theirs.
async fn draw_in(
    write: &mut CustomerWrite,
    rules: &PlanRules,
    rows: &mut Vec<MirrorGroup>,
) -> Result<(), StoreError> {
    let mut asked: HashSet<String> = rows.iter().map(|row| row.group.external_id.clone()).collect();
    let mut from = 0;
    loop {
        let wanted = wanted(rules, rows.get(from..).unwrap_or_default());
        from = rows.len();
        let holders: Vec<String> = write
            .groups_by_address(&wanted)
            .await?
            .into_iter()
            .map(|group| group.external_id)
            .filter(|id| asked.insert(id.clone()))
            .collect();
        rows.extend(write.dirty_groups_among(Service::Entra, &holders).await?);
        if rows.len() == from {
            return Ok(());
        }
    }
}

async fn decide(
    write: &mut CustomerWrite,
    rules: &PlanRules,
    mut rows: Vec<MirrorGroup>,
    allowance: &mut Allowance,
    job: &Job<'_>,
) -> Result<Rows, StoreError> {
    let now = job.engine.clock.now();
    draw_in(write, rules, &mut rows).await?;
    let ids: Vec<String> = rows.iter().map(|row| row.group.external_id.clone()).collect();
    let present: HashMap<String, Group> = write
        .groups_by_external_id(Source::Azure, &ids)
        .await?
        .into_iter()
        .map(|group| (group.external_id.clone(), group))
        .collect();
    let wanted = wanted(rules, &rows);
    let users: HashSet<Address> =
        write.holders(&wanted).await?.into_iter().map(|holder| holder.address).collect();
    // Groups of this chunk that are decided about claim theirs anew: addresses can move between them. First come those that leave, because one
    // that is held keeps its address, then those that have what they want.
    let in_chunk: HashSet<&String> = ids.iter().collect();
    let mut holders: HashMap<Address, String> = write
        .groups_by_address(&wanted)
        .await?
        .into_iter()
        .filter(|group| !in_chunk.contains(&group.external_id))
        .filter_map(|group| Some((group.address?, group.external_id)))
        .collect();
    let keeps = |row: &MirrorGroup| {
        let holds = present.get(&row.group.external_id).and_then(|group| group.address.clone());
        holds.is_some() && holds == row.group.address()
    };
    rows.sort_by_key(|row| (leaves(rules, row).is_none(), !keeps(row)));
    let missing: Vec<String> = ids.iter().filter(|id| !present.contains_key(*id)).cloned().collect();
    let binned = write.binned(Source::Azure, &missing).await?.into_iter();
    let mut binned: HashMap<String, Binned> =
        binned.filter_map(|binned| Some((binned.external_id.clone()?, binned))).collect();
    let numbers: Vec<i64> = present.values().map(|group| group.id).collect();
    let decisions: HashMap<i64, Decision> = write
        .held_among(Guarded::Group, &numbers)
        .await?
        .into_iter()
        .map(|held| (held.object_id, held.decision))
        .collect();

    let mut out = Rows::default();
    for row in rows {
        let before = present.get(&row.group.external_id);
        let decision = before.and_then(|group| decisions.get(&group.id)).copied();
        if let Some(why) = leaves(rules, &row) {
            let Some(group) = before else {
                out.settled.push(row.id);
                continue;
            };
            let approved = why == Leaves::Exception || decision == Some(Decision::Approved);
            if decision == Some(Decision::Dismissed) && why != Leaves::Exception {
                holders.extend(group.address.clone().map(|address| (address, group.external_id.clone())));
                continue;
            }
            if approved || allowance.take() {
                out.unapproved += i64::from(!approved);
                out.settled.push(row.id);
                out.released.extend(group.address.clone());
                out.delete(group, why);
            } else {
                holders.extend(group.address.clone().map(|address| (address, group.external_id.clone())));
                out.held.push((group.id, why.words().to_owned()));
            }
            continue;
        }
        out.settled.push(row.id);
        out.decided.extend(before.map(|group| group.id));
        let name = row.group.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let name = name.unwrap_or(&row.group.external_id).to_owned();
        let address = row.group.address().filter(|address| {
            let taken = if users.contains(address) {
                Some("a user")
            } else if holders.get(address).is_some_and(|holder| *holder != row.group.external_id) {
                Some("another group")
            } else {
                None
            };
            out.notices.extend(taken.map(|who| clash(&row, &name, address, who)));
            taken.is_none()
        });
        if let Some(address) = &address {
            holders.insert(address.clone(), row.group.external_id.clone());
        }
        let same = |group: &Group| {
            group.display_name == name && group.address == address && group.kind == row.group.kind
        };
        if before.is_some_and(same) {
            continue;
        }
        let binned = binned.remove(&row.group.external_id).filter(|_| before.is_none());
        let known = before.map(|group| group.public_id).or(binned.as_ref().map(|binned| binned.public_id));
        let after = GroupWrite {
            id: before.map(|group| group.id),
            public_id: known.unwrap_or_else(|| job.engine.random.uuid(now)),
            source: Source::Azure,
            external_id: row.group.external_id.clone(),
            display_name: name,
            address,
            kind: row.group.kind,
            now,
        };
        out.released.extend(
            before.and_then(|group| group.address.clone()).filter(|old| after.address.as_ref() != Some(old)),
        );
        out.keep(before, binned, after);
    }
    Ok(out)
}

impl Rows {
    fn delete(&mut self, group: &Group, why: Leaves) {
        self.deleted.push((group.id, why.words()));
        self.changes.push(RunChange {
            object: ObjectKind::Group,
            object_id: group.public_id,
            display_name: group.display_name.clone(),
            address: group.address.as_ref().map(ToString::to_string).unwrap_or_default(),
            action: Action::Deleted,
            reason: why.words().to_owned(),
            changes: Vec::new(),
        });
    }

    fn keep(&mut self, before: Option<&Group>, binned: Option<Binned>, after: GroupWrite) {
        let text = |address: &Option<Address>| address.as_ref().map(ToString::to_string).unwrap_or_default();
        let changes = before.map(|before| {
            let rows = [
                ("Display name", before.display_name.clone(), after.display_name.clone()),
                ("Address", text(&before.address), text(&after.address)),
                ("Type", before.kind.label().to_owned(), after.kind.label().to_owned()),
            ];
            rows.into_iter()
                .filter(|(_, old, new)| old != new)
                .map(|(field, old, new)| Change::new(field, old, new))
                .collect()
        });
        let (action, reason) = match (before, &binned) {
            (Some(_), _) => (Action::Updated, "changed in directory"),
            (None, Some(_)) => (Action::Restored, "delivered again; was in the recycle bin"),
            (None, None) => (Action::Added, "in directory"),
        };
        self.changes.push(RunChange {
            object: ObjectKind::Group,
            object_id: after.public_id,
            display_name: after.display_name.clone(),
            address: text(&after.address),
            action,
            reason: reason.to_owned(),
            changes: changes.unwrap_or_default(),
        });
        match binned {
            Some(binned) => self.restored.push((binned, after)),
            None => self.writes.push(after),
        }
    }

    async fn write(
        &self,
        write: &mut CustomerWrite,
        run_id: i64,
        now: domain::Timestamp,
    ) -> Result<(), StoreError> {
        for why in [Leaves::Gone, Leaves::OutsideManagedDomains, Leaves::Exception].map(Leaves::words) {
            let ids: Vec<i64> =
                self.deleted.iter().filter(|(_, reason)| *reason == why).map(|(id, _)| *id).collect();
            if !ids.is_empty() {
                write.delete_groups(&ids, why, BY_THE_SYNC, now).await?;
            }
        }
        if !self.writes.is_empty() {
            write.write_groups(&self.writes).await?;
        }
        for (binned, group) in &self.restored {
            let created_at = binned.group.as_ref().map_or(now, |was| was.created_at);
            write.restore_group(binned.object_id, created_at, group).await?;
        }
        let back: Vec<i64> = self.restored.iter().map(|(binned, _)| binned.id).collect();
        write.take_from_bin(&back).await?;
        write.drop_held(Guarded::Group, &self.decided).await?;
        if self.unapproved > 0 {
            write.log_guard(Guarded::Group, false, self.unapproved, now).await?;
        }
        if !self.held.is_empty() {
            write.hold(run_id, Guarded::Group, &self.held, now).await?;
        }
        write.clear_dirty_groups(&self.settled).await?;
        write.mark_groups_dirty_by_address(Service::Entra, &self.released).await?;
        if !self.changes.is_empty() {
            write.raise_topic("groups").await?;
        }
        Ok(())
    }
}

fn clash(row: &MirrorGroup, name: &str, address: &Address, who: &str) -> Notice {
    Notice {
        kind: NoticeKind::Clash,
        external_id: row.group.external_id.clone(),
        display_name: name.to_owned(),
        detail: format!("The address {address} belongs to {who}. This group is synced without it."),
    }
}
