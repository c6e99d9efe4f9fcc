//! Taking back what a run did to users.
//!
//! The history holds old and new, so that a run's changes can be undone one by one; each is undone only while the user is still as the run left
//! it. What cannot be taken back is said, with the reason. What the next sync would do again, by the rules as they are now, is counted: an
//! undone change never comes back without having been said.
//!
//! | the run did | taken back |
//! | --- | --- |
//! | added | the user goes to the recycle bin |
//! | changed | the fields get their old values |
//! | missing | the conflict is closed, and the removal is dismissed: the sync keeps the user as delivered until somebody decides otherwise |
//! | back | the user is in conflict again, with a fresh clock |
//! | deleted | the user is restored, as a conflict with a fresh clock |
//!
//! Groups are the directory's, and so is who a user is in it: neither is taken back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    Timestamp,
    address::Address,
    conflict::{Conflict, Reason, State},
    guard::{Decision, Guarded},
    run::{Action, ObjectKind, Outcome, Purpose},
    service::{Service, Source},
};
use store::{
    Binned, Change, CustomerStore, CustomerWrite, Deletion, Run, RunChange, Schedule, UndoneRun, User,
    UserWrite,
};
use uuid::Uuid;

use super::{
    drive::Failure,
    hold_plan,
    plan_rules::{PlanRules, Verdict},
};
use crate::{Actor, Engine, SyncError, connect, held};

/// The most users that are taken back at once: it is one transaction.
pub const MOST: usize = 10_000;
/// How long scheduled syncs wait when the next one would do something again.
const PAUSE_MS: i64 = 24 * Timestamp::HOUR;
/// How many users an audit entry names.
const NAMED: usize = 100;

/// A user and what becomes, or does not become, of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The user's id in addresses of pages.
    pub user: Uuid,
    /// The user's name.
    pub name: String,
    /// The address in the history.
    pub address: String,
    /// What is done, or why nothing is.
    pub words: String,
}

/// What taking back a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What is taken back.
    pub taken_back: Vec<Line>,
    /// What cannot be, and why.
    pub left: Vec<Line>,
    /// How much of it the next sync does again by the rules as they are now.
    pub redone: i64,
    /// Changes of groups, which are never taken back.
    pub groups: i64,
    /// What names exactly this.
    pub stamp: String,
    /// Who asked for it before, when it waits for a second administrator.
    pub asked_by: Option<String>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// How many users were taken back; 0 while a second administrator has to agree.
    pub users: i64,
    /// How many could not be.
    pub left: i64,
    /// How much of it the next sync does again.
    pub redone: i64,
    /// Until when scheduled syncs wait because of that.
    pub paused_until: Option<Timestamp>,
    /// Nothing was done yet: another administrator has to agree.
    pub awaiting: bool,
}

/// Why nothing was taken back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such run.
    #[error("There is no such run.")]
    Missing,
    /// A preview or a reading run.
    #[error("This run changed no user: there is nothing to take back.")]
    ChangedNothing,
    /// This run or another one is going on.
    #[error("Nothing was taken back: a sync is running. Wait until it has ended.")]
    Running,
    /// It was done before.
    #[error("This run was taken back already, by {0} on {1}.")]
    Already(String, String),
    /// More than one transaction should hold.
    #[error(
        "Nothing was taken back: this run changed more than {MOST} users. Correct the rules instead; the next sync then decides again."
    )]
    TooMany,
    /// Nothing of it can be.
    #[error("Nothing was taken back: nothing of what this run did can be.")]
    Nothing,
    /// What was shown is not what would happen now.
    #[error(
        "Nothing was taken back: users have changed meanwhile. Look at the list again before you confirm it."
    )]
    Changed,
    /// The second administrator has to be somebody else.
    #[error(
        "Nothing was taken back: you have asked for this already. Another administrator has to confirm it as well."
    )]
    SameAdministrator,
}

/// A user on the way back.
struct Draft {
    user: Uuid,
    /// The user's number.
    number: i64,
    name: String,
    address: String,
    before: Option<User>,
    binned: Option<Binned>,
    /// How it is to stand; `None` for the recycle bin.
    after: Option<UserWrite>,
    /// What was done by the run that is taken back, the latest first.
    actions: Vec<Action>,
    /// Aliases that somebody else has.
    without: Vec<Address>,
}

/// What can be taken back, and what cannot.
struct Plan {
    run: Run,
    drafts: Vec<Draft>,
    left: Vec<Line>,
    redone: i64,
    groups: i64,
    undone: Option<UndoneRun>,
}

/// Says what taking back a run would do. Nothing is written.
///
/// # Errors
/// When the database cannot answer. Why it may not be is the inner error.
pub async fn propose(
    engine: &Engine,
    customer: &CustomerStore,
    run: Uuid,
) -> Result<Result<Proposal, Refused>, SyncError> {
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    Ok(match plan(engine, customer, &mut write, run).await? {
        Err(refused) => Err(refused),
        Ok(plan) => Ok(Proposal {
            stamp: plan.stamp(),
            taken_back: plan.drafts.iter().map(Draft::line).collect(),
            asked_by: plan.undone.map(|undone| undone.asked_by.1),
            left: plan.left,
            redone: plan.redone,
            groups: plan.groups,
        }),
    })
}

/// Takes back what a run did to users, in one transaction. `stamp` is that of the proposal that was confirmed; `None` takes what is found.
///
/// # Errors
/// When the database cannot do it. Why nothing was taken back is the inner error.
pub async fn undo(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    run: Uuid,
    stamp: Option<&str>,
) -> Result<Result<Undone, Refused>, SyncError> {
    let now = engine.clock.now();
    let present = customer.delivered_count(Source::Azure).await?;
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    let plan = match plan(engine, customer, &mut write, run).await? {
        Ok(plan) => plan,
        Err(refused) => return Ok(Err(refused)),
    };
    if plan.drafts.is_empty() {
        return Ok(Err(Refused::Nothing));
    }
    if stamp.is_some_and(|stamp| stamp != plan.stamp()) {
        return Ok(Err(Refused::Changed));
    }
    let me = held::approver(actor);
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let named = format!("the sync of {}", plan.run.started_at.words());
    let mut undone = Undone {
        users: count(plan.drafts.len()),
        left: count(plan.left.len()),
        redone: plan.redone,
        paused_until: None,
        awaiting: false,
    };
    if write.needs_two_administrators().await? {
        match &plan.undone {
            None => {
                write.ask_to_undo(plan.run.id, &me).await?;
                let changes = vec![Change::new("Users", "", undone.users.to_string())];
                write.audit(actor.entry(now, "run.undo_first", &named, changes)).await?;
                write.raise_topic("runs").await?;
                write.commit().await?;
                return Ok(Ok(Undone { users: 0, awaiting: true, ..undone }));
            }
            Some(asked) if held::is_same(&asked.asked_by, &me) => return Ok(Err(Refused::SameAdministrator)),
            Some(_) => {}
        }
    }
    carry_out(&mut write, &plan, present, &named, actor, now).await?;
    if plan.redone > 0 {
        undone.paused_until = pause(customer, &mut write, now).await?;
    }
    write.note_undone(plan.run.id, &me, now).await?;
    let mut changes = vec![
        Change::new("Users taken back", "", undone.users.to_string()),
        Change::new("Could not be taken back", "", undone.left.to_string()),
        Change::new("The next sync does again", "", undone.redone.to_string()),
    ];
    if let Some(asked) = &plan.undone {
        changes.push(Change::new("First asked for by", "", asked.asked_by.1.as_str()));
    }
    changes.extend(plan.drafts.iter().take(NAMED).map(|draft| {
        let line = draft.line();
        Change::new(format!("{} <{}>", line.name, line.address), "", line.words)
    }));
    write.audit(actor.entry(now, "run.undo", &named, changes)).await?;
    for topic in ["users", "conflicts", "recycle_bin", "runs"] {
        write.raise_topic(topic).await?;
    }
    write.commit().await?;
    Ok(Ok(undone))
}

/// Writes the users as they are to stand, of so many that are present, with their history.
async fn carry_out(
    write: &mut CustomerWrite,
    plan: &Plan,
    present: i64,
    named: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), SyncError> {
    let reason = format!("undo of {named}");
    let deletions: Vec<Deletion> = plan
        .drafts
        .iter()
        .filter(|draft| draft.after.is_none())
        .map(|draft| Deletion { user_id: draft.number, reason: reason.clone() })
        .collect();
    write.delete_users(&deletions, &actor.name, now).await?;
    let bins: Vec<i64> = plan.drafts.iter().filter_map(|draft| Some(draft.binned.as_ref()?.id)).collect();
    write.take_from_bin(&bins).await?;
    let users: Vec<UserWrite> = plan.drafts.iter().filter_map(|draft| draft.after.clone()).collect();
    write.write_users(&users).await?;
    let kept: Vec<i64> =
        plan.drafts.iter().filter(|draft| draft.is_kept()).map(|draft| draft.number).collect();
    if !kept.is_empty() {
        let objects: Vec<_> = kept.iter().map(|user| (*user, reason.clone())).collect();
        write.hold(plan.run.id, Guarded::Removal, &objects, present, now).await?;
        write.decide_held(Guarded::Removal, Some(&kept), Decision::Dismissed, now).await?;
    }
    // What the sync makes of them now is for the next run to say.
    let ids: Vec<String> = plan.drafts.iter().filter_map(Draft::external_id).collect();
    write.mark_dirty(Service::Entra, &ids).await?;
    let history: Vec<RunChange> = plan.drafts.iter().map(|draft| draft.told(&reason)).collect();
    write.add_run_changes(plan.run.id, now, &history).await?;
    Ok(())
}

/// Lets scheduled syncs wait, so that there is time to correct what made the run do it.
async fn pause(
    customer: &CustomerStore,
    write: &mut CustomerWrite,
    now: Timestamp,
) -> Result<Option<Timestamp>, SyncError> {
    let Some(schedule) = customer.schedule(Service::Entra).await? else { return Ok(None) };
    let until = now.plus(PAUSE_MS).max(schedule.next_at);
    write.put_schedule(&Schedule { next_at: until, ..schedule }).await?;
    Ok(Some(until))
}

/// Finds out what can be taken back.
async fn plan(
    engine: &Engine,
    customer: &CustomerStore,
    write: &mut CustomerWrite,
    id: Uuid,
) -> Result<Result<Plan, Refused>, SyncError> {
    let now = engine.clock.now();
    let Some(run) = customer.run(id).await? else { return Ok(Err(Refused::Missing)) };
    if run.purpose != Purpose::Sync {
        return Ok(Err(Refused::ChangedNothing));
    }
    if run.outcome == Outcome::Running || customer.running(Service::Entra).await?.is_some() {
        return Ok(Err(Refused::Running));
    }
    let undone = write.undone_run_in(run.id).await?;
    if let Some((by, at)) = undone.as_ref().and_then(|undone| undone.undone.clone()) {
        return Ok(Err(Refused::Already(by, at.words())));
    }
    let Some((changes, groups)) = changes(customer, run.id).await? else { return Ok(Err(Refused::TooMany)) };
    let ids: Vec<Uuid> = changes.keys().copied().collect();
    let later: BTreeSet<Uuid> = write.changed_since_run(run.id, &ids).await?.into_iter().collect();
    let numbers = write.users_with(&ids).await?;
    let mut users: HashMap<Uuid, User> =
        write.users_by_id(&numbers).await?.into_iter().map(|user| (user.public_id, user)).collect();
    let mut bin = HashMap::new();
    for entry in write.binned_with(&ids).await? {
        if let Some(binned) = write.lock_binned(entry).await? {
            bin.insert(binned.public_id, binned);
        }
    }
    let (mut drafts, mut left) = (Vec::new(), Vec::new());
    for (user, changes) in changes {
        let Some(last) = changes.first() else { continue };
        let line = |words: String| Line {
            user,
            name: last.display_name.clone(),
            address: last.address.clone(),
            words,
        };
        if later.contains(&user) {
            left.push(line("a later sync changed it again".to_owned()));
            continue;
        }
        match Draft::of(user, users.remove(&user), bin.remove(&user), &changes, now) {
            Ok(draft) => drafts.push(draft),
            Err(why) => left.push(line(why)),
        }
    }
    settle_addresses(write, &mut drafts, &mut left).await?;
    let redone = redone(customer, write, &drafts).await?;
    Ok(Ok(Plan { run, drafts, left, redone, groups, undone }))
}

/// What a run did to each user, the latest first, and how many changes were of groups; `None` when it did too much.
async fn changes(
    customer: &CustomerStore,
    run: i64,
) -> Result<Option<(BTreeMap<Uuid, Vec<RunChange>>, i64)>, SyncError> {
    let mut all = BTreeMap::<Uuid, Vec<RunChange>>::new();
    let (mut groups, mut after) = (0, 0);
    loop {
        let page = customer.run_changes(run, after, 1_000).await?;
        let Some(last) = page.last() else { return Ok(Some((all, groups))) };
        after = last.id;
        for row in page {
            if row.change.object == ObjectKind::Group {
                groups += 1;
            } else {
                all.entry(row.change.object_id).or_default().insert(0, row.change);
            }
        }
        if all.len() > MOST {
            return Ok(None);
        }
    }
}

/// How much of it the next sync does again: whoever the present rules let in is added, changed or closed anew.
async fn redone(
    customer: &CustomerStore,
    write: &mut CustomerWrite,
    drafts: &[Draft],
) -> Result<i64, SyncError> {
    let Some(saved) = connect::saved(customer).await?.filter(|saved| saved.settings.enabled) else {
        return Ok(0);
    };
    let rules = match PlanRules::saved(customer, &saved).await {
        Ok(rules) => rules,
        Err(Failure::Explained(_)) => return Ok(0),
        Err(Failure::Beneath(error)) => return Err(error),
    };
    let open = drafts.iter().filter(|draft| !draft.is_kept() && !draft.actions.contains(&Action::Deleted));
    let ids: Vec<String> = open.filter_map(Draft::external_id).collect();
    let rows = write.mirror_by_external_id(Service::Entra, &ids).await?;
    let again = rows.iter().filter(|row| matches!(rules.verdict(row), Verdict::In(_))).count();
    Ok(i64::try_from(again).unwrap_or(i64::MAX))
}

/// Leaves out whose address somebody else has by then. Users that are taken back together may exchange theirs.
async fn settle_addresses(
    write: &mut CustomerWrite,
    drafts: &mut Vec<Draft>,
    left: &mut Vec<Line>,
) -> Result<(), SyncError> {
    let wanted: BTreeSet<Address> = drafts.iter().flat_map(Draft::addresses).cloned().collect();
    let wanted: Vec<Address> = wanted.into_iter().collect();
    let holders: HashMap<Address, i64> =
        write.holders(&wanted).await?.into_iter().map(|holder| (holder.address, holder.user_id)).collect();
    loop {
        let desired: HashMap<i64, BTreeSet<Address>> =
            drafts.iter().map(|draft| (draft.number, draft.addresses().cloned().collect())).collect();
        let mut first = HashMap::<&Address, i64>::new();
        for (user, addresses) in desired.iter().collect::<BTreeMap<_, _>>() {
            for address in addresses {
                first.entry(address).or_insert(*user);
            }
        }
        let is_free = |address: &Address, user: i64| {
            let given_up = |holder: &i64| desired.get(holder).is_some_and(|keeps| !keeps.contains(address));
            let held = holders.get(address).is_none_or(|holder| *holder == user || given_up(holder));
            held && first.get(address) == Some(&user)
        };
        let mut changed = false;
        let mut out = Vec::new();
        for (at, draft) in drafts.iter_mut().enumerate() {
            let Some(after) = draft.after.as_mut().filter(|after| !after.address_lost) else { continue };
            if !is_free(&after.primary, draft.number) {
                out.push((at, format!("somebody else has {} by now", after.primary)));
                changed = true;
                continue;
            }
            let (free, taken): (Vec<_>, Vec<_>) =
                after.aliases.drain(..).partition(|alias| is_free(alias, draft.number));
            after.aliases = free;
            changed |= !taken.is_empty();
            draft.without.extend(taken);
        }
        for (at, why) in out.into_iter().rev() {
            let draft = drafts.remove(at);
            left.push(Line { words: why, ..draft.line() });
        }
        if !changed {
            return Ok(());
        }
    }
}

impl Plan {
    /// What names exactly this plan.
    fn stamp(&self) -> String {
        let mut objects: Vec<i64> = self.drafts.iter().map(|draft| draft.number).collect();
        objects.push(self.redone);
        held::stamp(&objects)
    }
}

impl Draft {
    /// A user as it was before the run; why that cannot be, in words.
    fn of(
        id: Uuid,
        user: Option<User>,
        binned: Option<Binned>,
        changes: &[RunChange],
        now: Timestamp,
    ) -> Result<Self, String> {
        let Some(last) = changes.first() else { return Err("nothing is known of it".to_owned()) };
        let (number, mut after) = match (&user, &binned) {
            (Some(user), _) if last.action != Action::Deleted => (user.id, Some(as_it_is(user, now))),
            (None, Some(binned)) if last.action == Action::Deleted => {
                let restored = restored(binned, now).ok_or("nothing is left of it in the recycle bin")?;
                (binned.object_id, Some(restored))
            }
            (Some(_), _) => return Err("it was restored since".to_owned()),
            (None, _) if last.action == Action::Deleted => {
                return Err("it is not in the recycle bin any more".to_owned());
            }
            (None, _) => return Err("it was deleted since".to_owned()),
        };
        for change in changes {
            if change.action == Action::Added {
                after = None;
                continue;
            }
            let Some(write) = &mut after else { continue };
            if change.action == Action::Restored && change.reason.ends_with("was in the recycle bin") {
                after = None;
                continue;
            }
            for field in &change.changes {
                set_back(write, field, change.action, last.action == Action::Deleted, now)?;
            }
        }
        Ok(Self {
            user: id,
            number,
            name: last.display_name.clone(),
            address: last.address.clone(),
            before: user,
            binned: binned.filter(|_| last.action == Action::Deleted),
            after,
            actions: changes.iter().map(|change| change.action).collect(),
            without: Vec::new(),
        })
    }

    /// Whether the sync has to be told to keep the user, whom the directory does not deliver.
    fn is_kept(&self) -> bool {
        let closed = self.before.as_ref().is_some_and(|user| user.conflict.is_some());
        closed && self.after.as_ref().is_some_and(|after| after.conflict.is_none())
    }

    fn external_id(&self) -> Option<String> {
        let before = self.before.as_ref().and_then(|user| user.external_id.clone());
        before.or_else(|| self.binned.as_ref().and_then(|binned| binned.external_id.clone()))
    }

    /// The addresses that the user is to hold.
    fn addresses(&self) -> impl Iterator<Item = &Address> {
        let holds = self.after.iter().filter(|after| !after.address_lost);
        holds.flat_map(|after| std::iter::once(&after.primary).chain(&after.aliases))
    }

    fn line(&self) -> Line {
        let mut words = match &self.after {
            None => "goes to the recycle bin".to_owned(),
            Some(_) if self.binned.is_some() => "is restored, as a conflict with a fresh clock".to_owned(),
            Some(_) if self.is_kept() => {
                "is no conflict any more; the sync keeps it until somebody decides otherwise on Held Removals"
                    .to_owned()
            }
            Some(after) if after.conflict.is_some() && self.actions.contains(&Action::Restored) => {
                "is in conflict again, with a fresh clock".to_owned()
            }
            Some(_) => "gets back what was changed".to_owned(),
        };
        if !self.without.is_empty() {
            let texts: Vec<&str> = self.without.iter().map(Address::as_str).collect();
            words.push_str(&format!("; without {}, which somebody else has by now", texts.join(", ")));
        }
        Line { user: self.user, name: self.name.clone(), address: self.address.clone(), words }
    }

    /// The row of the history.
    fn told(&self, reason: &str) -> RunChange {
        let action = match &self.after {
            None => Action::Deleted,
            Some(_) if self.binned.is_some() || self.is_kept() => Action::Restored,
            Some(after) if after.conflict.is_some() && self.actions.contains(&Action::Restored) => {
                Action::Missing
            }
            Some(_) => Action::Updated,
        };
        let changes = match (&self.before, &self.after) {
            (Some(before), Some(after)) => super::resolve::differences(before, after),
            _ => Vec::new(),
        };
        let name = self.after.as_ref().map_or(&self.name, |after| &after.display_name);
        let address = self.after.as_ref().map_or(self.address.clone(), |after| after.primary.to_string());
        RunChange {
            object: ObjectKind::User,
            object_id: self.user,
            display_name: name.clone(),
            address,
            action,
            reason: reason.to_owned(),
            changes,
        }
    }
}

fn as_it_is(user: &User, now: Timestamp) -> UserWrite {
    UserWrite {
        id: Some(user.id),
        restore_as: None,
        public_id: user.public_id,
        source: user.source,
        external_id: user.external_id.clone(),
        display_name: user.display_name.clone(),
        primary: user.primary_address.clone(),
        address_lost: user.address_lost,
        aliases: user.aliases.clone(),
        service_on: user.service_on,
        sign_in_blocked: user.sign_in_blocked,
        conflict: user.conflict.clone(),
        created_at: None,
        now,
    }
}

fn restored(binned: &Binned, now: Timestamp) -> Option<UserWrite> {
    let snapshot = binned.user.as_ref()?;
    let reason = Reason::ALL.iter().copied().find(|reason| reason.label() == binned.reason);
    let conflict = Conflict::opened(reason.unwrap_or(Reason::NotInDirectory), now);
    Some(UserWrite {
        id: None,
        restore_as: Some(binned.object_id),
        public_id: binned.public_id,
        source: binned.source,
        external_id: binned.external_id.clone(),
        display_name: binned.display_name.clone(),
        primary: Address::parse(&snapshot.primary)?,
        address_lost: false,
        aliases: snapshot.aliases.iter().filter_map(|alias| Address::parse(alias)).collect(),
        service_on: snapshot.service_on,
        sign_in_blocked: snapshot.sign_in_blocked,
        conflict: (binned.source != Source::Manual).then_some(conflict),
        created_at: Some(snapshot.created_at),
        now,
    })
}

/// Gives a field its old value, if it still has the new one.
fn set_back(
    user: &mut UserWrite,
    change: &Change,
    action: Action,
    from_bin: bool,
    now: Timestamp,
) -> Result<(), String> {
    let same = |present: &str| {
        let what = change.field.to_lowercase();
        if present == change.new { Ok(()) } else { Err(format!("its {what} was changed again since")) }
    };
    let flag = |on: bool| if on { "yes" } else { "no" };
    match change.field.as_str() {
        "Display name" => {
            same(&user.display_name)?;
            user.display_name.clone_from(&change.old);
        }
        "Primary address" => {
            same(if user.address_lost { "" } else { user.primary.as_str() })?;
            user.address_lost = change.old.is_empty();
            if let Some(address) = Address::parse(&change.old) {
                user.primary = address;
            }
        }
        "Aliases" => {
            let mut present: Vec<&str> = user.aliases.iter().map(Address::as_str).collect();
            present.sort_unstable();
            same(&present.join(", "))?;
            user.aliases = change.old.split(", ").filter_map(Address::parse).collect();
        }
        "Sign-in blocked" => {
            same(flag(user.sign_in_blocked))?;
            user.sign_in_blocked = change.old == "yes";
        }
        "Service" => {
            same(flag(user.service_on))?;
            user.service_on = change.old == "yes";
        }
        // A user from the recycle bin is a conflict with a fresh clock, whatever it was before.
        "Conflict" if from_bin => {}
        "Conflict" => {
            let present = user.conflict.as_ref();
            same(present.map_or("", |conflict| conflict.reason.label()))?;
            if let Some(conflict) =
                present.filter(|it| action == Action::Missing && it.state != State::Pending)
            {
                return Err(format!("somebody has decided about it since: {}", conflict.state.label()));
            }
            let reason = Reason::ALL.iter().copied().find(|reason| reason.label() == change.old);
            user.conflict = match (user.conflict.take(), reason) {
                (_, None) => None,
                (Some(conflict), Some(reason)) => Some(Conflict { reason, ..conflict }),
                (None, Some(reason)) => Some(Conflict::opened(reason, now)),
            };
        }
        _ => {
            return Err(
                "it was linked to its person in the directory, which the next sync would do again".to_owned()
            );
        }
    }
    Ok(())
}
