//! From a chunk's decision to its rows: users, conflicts, history, and what is held.
//!
//! Nothing here asks the database. The order of the history is that of the product's rules: who is back, then who is new or changed, then who
//! is missing.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Random, Timestamp,
    address::Address,
    conflict::{Conflict, Reason, State},
    guard::Guarded,
    plan::Out,
    run::{Action, Counts, Notice, NoticeKind, ObjectKind},
    service::{Service, Source},
};
use store::{Change, CustomerWrite, RunChange, StoreError, User, UserWrite};

use super::{
    chunk::{Parts, Plan, Standing},
    guard::Allowance,
    plan_rules::PlanRules,
    report::LeftOut,
    scene::{Outcome, Party, Person},
};

/// A chunk's rows.
#[derive(Default)]
pub(super) struct Resolved {
    users: Vec<UserWrite>,
    changes: Vec<RunChange>,
    notices: Vec<Notice>,
    released: Vec<(i64, Address)>,
    /// Rows of the recycle bin whose users are back.
    unbinned: Vec<i64>,
    /// Users whose removal waits, and why.
    held: Vec<(i64, String)>,
    /// Of how many they are held.
    present: i64,
    /// Users about whom the guard has nothing to keep any more.
    decided: Vec<i64>,
    take_overs: Vec<(i64, String, String)>,
    /// Manual users that are the directory's now, with its id.
    taken_over: Vec<(i64, String)>,
    /// People who wait for no Manual user, or no longer.
    settled_people: Vec<String>,
    /// Additions that were found, with the directory's id.
    found: Vec<(i64, String)>,
    /// The mirror's numbers of what is settled.
    settled: Vec<i64>,
    /// Removals that nobody approved.
    unapproved: i64,
    /// Users that were in conflict before.
    in_conflict: BTreeSet<i64>,
    /// Addresses that changed hands, or came or went.
    touched: Vec<Address>,
    /// What is counted.
    pub counts: Counts,
    pub left_out: LeftOut,
    pub clashes: i64,
}

/// What resolving needs to know of the run.
pub(super) struct Moment<'a> {
    pub random: &'a dyn Random,
    /// The present moment.
    pub now: Timestamp,
    /// When the complete read ended: who is missing, is missing since then.
    pub read_at: Timestamp,
}

/// What becomes of a user that is in conflict.
#[derive(Clone, Debug)]
pub(super) enum Foreseen {
    /// The conflict is closed.
    Back,
    /// It goes on, for this reason; the primary address is this one by then.
    InConflict(Reason, Address),
}

/// Turns a decision into rows.
pub(super) fn resolve(plan: Plan, rules: &PlanRules, allowance: &mut Allowance, at: &Moment<'_>) -> Resolved {
    let Plan { outcomes, released, settled, mut parts } = plan;
    // Who is left out for want of an address has nobody's address.
    parts.rivals.retain(|_, rival| {
        outcomes.get(&Party::Delivered(rival.clone())).is_some_and(|outcome| outcome.desired.is_some())
    });
    let mut resolved = Resolved { released, present: allowance.present(), ..Resolved::default() };
    let mut unsettled = Vec::new();
    for (party, outcome) in outcomes {
        match party {
            Party::Delivered(id) => resolved.delivered(&parts, rules, &id, outcome, at),
            Party::Undelivered(user) => {
                let Some(user) = parts.users.get(&user) else { continue };
                if !resolved.undelivered(&parts, user, outcome, allowance, at) {
                    unsettled.extend(user.external_id.clone());
                }
            }
        }
    }
    for id in settled {
        let Some(met) = parts.objects.get(&id) else { continue };
        match met.standing {
            Standing::PutOff | Standing::Dismissed => continue,
            _ if parts.is_remembered(&id, met) => continue,
            Standing::In | Standing::Untouched => {}
            Standing::Out(_, out) => {
                if unsettled.contains(&id) {
                    continue;
                }
                if let Some(out) = out {
                    if out == Out::NoAddress {
                        resolved.notices.push(without_address(&id, &met.name));
                    }
                    *resolved.left_out.entry(out).or_default() += 1;
                    resolved.counts.left_out += 1;
                }
            }
        }
        resolved.settled.push(met.id);
        resolved.settled_people.push(id);
    }
    for (user, id) in &parts.take_overs {
        resolved.take_over(&parts, *user, id);
    }
    resolved.given_up(&parts);
    resolved.touched.extend(resolved.released.iter().map(|(_, address)| address.clone()));
    resolved.changes.sort_by_key(|change| match change.action {
        Action::Restored => 0,
        Action::Added | Action::Updated => 1,
        Action::Missing => 2,
        Action::Deleted => 3,
    });
    resolved
}

impl Resolved {
    /// Somebody whom the rules let in.
    fn delivered(&mut self, parts: &Parts, rules: &PlanRules, id: &str, outcome: Outcome, at: &Moment<'_>) {
        let Some(person) = parts.people.get(id) else { return };
        self.clashes += i64::try_from(outcome.lost.len()).unwrap_or(i64::MAX);
        self.notices.extend(clashes(person, &outcome));
        self.found.extend(rules.found(&person.addresses).into_iter().map(|number| (number, id.to_owned())));
        let user = outcome.user.and_then(|user| parts.users.get(&user));
        let dismissed = parts.objects.get(id).is_some_and(|met| met.standing == Standing::Dismissed);
        if let Some(user) = user.filter(|_| !dismissed) {
            self.decided.push(user.id);
        }
        let Some(desired) = outcome.desired else { return };
        let binned = parts.binned.get(id).filter(|_| user.is_none());
        let conflict = user.and_then(|user| user.conflict.as_ref());
        let relinked =
            user.is_some_and(|user| user.source != Source::Azure || user.external_id.as_deref() != Some(id));
        if !(outcome.changes || relinked || conflict.is_some()) {
            return;
        }
        self.taken_over
            .extend(user.filter(|user| user.source == Source::Manual).map(|user| (user.id, id.to_owned())));
        // A deactivation that was made in the conflict ends with it; one that was made before stays.
        let wakes = conflict.is_some_and(|it| it.state == State::Deactivated && !it.stay_inactive);
        let in_bin = binned.and_then(|binned| binned.user.as_ref());
        let service_on =
            wakes || user.map_or(in_bin.is_none_or(|user| user.service_on), |user| user.service_on);
        let write = UserWrite {
            id: user.map(|user| user.id),
            public_id: user
                .map(|user| user.public_id)
                .or(binned.map(|binned| binned.public_id))
                .unwrap_or_else(|| at.random.uuid(at.now)),
            source: Source::Azure,
            external_id: Some(id.to_owned()),
            display_name: desired.display_name,
            primary: desired.primary,
            aliases: desired.aliases,
            sign_in_blocked: desired.sign_in_blocked,
            service_on,
            address_lost: false,
            conflict: None,
            restore_as: binned.map(|binned| binned.object_id),
            created_at: in_bin.map(|user| user.created_at),
            now: at.now,
        };
        let (action, reason) = match (user, conflict, binned) {
            (_, Some(conflict), _) => {
                self.counts.restored += 1;
                (Action::Restored, format!("delivered again; was {}", conflict.reason.label()))
            }
            (None, _, Some(_)) => {
                self.counts.restored += 1;
                (Action::Restored, "delivered again; was in the recycle bin".to_owned())
            }
            (None, _, None) => {
                self.counts.added += 1;
                (Action::Added, "in directory".to_owned())
            }
            (Some(_), _, _) => {
                self.counts.updated += 1;
                (Action::Updated, "changed in directory".to_owned())
            }
        };
        self.unbinned.extend(binned.map(|binned| binned.id));
        self.keep(user, write, action, reason);
    }

    /// A portal user that nobody stands behind. `false` when its removal waits.
    fn undelivered(
        &mut self,
        parts: &Parts,
        user: &User,
        outcome: Outcome,
        allowance: &mut Allowance,
        at: &Moment<'_>,
    ) -> bool {
        let reason = parts.reason(user);
        let mut conflict = user.conflict.clone();
        let mut held = false;
        match (&mut conflict, reason) {
            (Some(conflict), Some(reason)) => conflict.reason = reason,
            (None, Some(reason)) => {
                let approved = parts.is_approved(user);
                if approved || allowance.take() {
                    conflict = Some(Conflict::opened(reason, at.read_at));
                    self.counts.missing += 1;
                    self.unapproved += i64::from(!approved);
                    self.decided.push(user.id);
                } else {
                    held = true;
                    self.held.push((user.id, reason.label().to_owned()));
                }
            }
            (_, None) => {}
        }
        // An object that the directory has is no leaver, whoever has its address; that of one who left earlier is forgotten.
        let has_left = matches!(reason, None | Some(Reason::NotInDirectory | Reason::OtherDirectoryService));
        let rival = parts.rival(user).filter(|_| has_left);
        if let (Some(conflict), Some(rival)) = (&mut conflict, rival)
            && conflict.rival.as_ref() != Some(rival)
        {
            conflict.rival = Some(rival.clone());
            self.notices.extend(parts.people.get(rival).map(|person| same_person(user, person)));
        }
        if outcome.changes || conflict != user.conflict {
            let (primary, aliases, address_lost) = match outcome.desired {
                Some(desired) => (desired.primary, desired.aliases, false),
                None => (user.primary_address.clone(), Vec::new(), true),
            };
            let write = UserWrite {
                id: Some(user.id),
                public_id: user.public_id,
                source: user.source,
                external_id: user.external_id.clone(),
                display_name: user.display_name.clone(),
                primary,
                aliases,
                sign_in_blocked: user.sign_in_blocked,
                service_on: user.service_on,
                address_lost,
                conflict: conflict.clone(),
                restore_as: None,
                created_at: None,
                now: at.now,
            };
            let reason_before = user.conflict.as_ref().map(|conflict| conflict.reason);
            let reason = conflict.as_ref().map(|conflict| conflict.reason);
            let (action, why) = match reason.filter(|reason| Some(*reason) != reason_before) {
                Some(reason) if user.conflict.is_none() => (Action::Missing, reason.label()),
                Some(reason) => (Action::Updated, reason.label()),
                None if outcome.changes => (Action::Updated, "addresses went to somebody else"),
                None => (Action::Updated, "somebody else has the last known address"),
            };
            self.counts.updated += i64::from(action == Action::Updated);
            self.keep(Some(user), write, action, why.to_owned());
        }
        !held
    }

    /// What becomes of the users that were in conflict, by number.
    pub fn foreseen(&self) -> impl Iterator<Item = (i64, Foreseen)> {
        let were = |write: &&UserWrite| write.id.is_some_and(|id| self.in_conflict.contains(&id));
        self.users.iter().filter(were).filter_map(|write| {
            let after = match &write.conflict {
                Some(conflict) => Foreseen::InConflict(conflict.reason, write.primary.clone()),
                None => Foreseen::Back,
            };
            Some((write.id?, after))
        })
    }

    fn keep(&mut self, before: Option<&User>, write: UserWrite, action: Action, reason: String) {
        self.touched.extend(moved(before, &write));
        self.in_conflict.extend(before.filter(|user| user.conflict.is_some()).map(|user| user.id));
        self.changes.push(RunChange {
            object: ObjectKind::User,
            object_id: write.public_id,
            display_name: write.display_name.clone(),
            address: write.primary.to_string(),
            action,
            reason,
            changes: before.map(|before| differences(before, &write)).unwrap_or_default(),
        });
        self.users.push(write);
    }

    /// Tells of the Manual users who gave up aliases.
    fn given_up(&mut self, parts: &Parts) {
        let mut given_up = BTreeMap::<i64, BTreeSet<&Address>>::new();
        for (user, address) in &self.released {
            given_up.entry(*user).or_default().insert(address);
        }
        for (user, addresses) in given_up {
            let Some(user) = parts.users.get(&user) else { continue };
            let left: Vec<Address> =
                user.aliases.iter().filter(|alias| !addresses.contains(alias)).cloned().collect();
            self.counts.updated += 1;
            self.changes.push(RunChange {
                object: ObjectKind::User,
                object_id: user.public_id,
                display_name: user.display_name.clone(),
                address: user.primary_address.to_string(),
                action: Action::Updated,
                reason: "addresses went to somebody else".to_owned(),
                changes: vec![Change::new("Aliases", list(&user.aliases), list(&left))],
            });
        }
    }

    fn take_over(&mut self, parts: &Parts, user: i64, id: &str) {
        let Some(met) = parts.objects.get(id) else { return };
        self.notices.push(Notice {
            kind: NoticeKind::TakeOver,
            external_id: id.to_owned(),
            display_name: met.name.clone(),
            detail: "A Manual user has this person's primary address. The person is synced once an administrator has decided whether the \
                     Manual user is taken over."
                .to_owned(),
        });
        self.take_overs.push((user, id.to_owned(), met.name.clone()));
    }

    /// Leaves removals that would have to wait to the next run, which names them as held when they are.
    pub fn hold_nobody(&mut self) {
        self.held.clear();
    }

    /// The users whose removal waits. Each is decided about again with its own object, and with whoever wants one of its addresses.
    pub fn held(&self) -> impl Iterator<Item = i64> {
        self.held.iter().map(|(user, _)| *user)
    }

    /// Writes everything in the chunk's transaction: addresses are released before they are claimed, and what is settled loses its mark.
    ///
    /// # Errors
    /// When the database cannot do it; the transaction must be dropped then.
    pub async fn write(
        &self,
        write: &mut CustomerWrite,
        run_id: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        write.release_addresses(&self.released).await?;
        write.take_from_bin(&self.unbinned).await?;
        write.write_users(&self.users).await?;
        for (addition, id) in &self.found {
            write.link_addition(*addition, id).await?;
        }
        write.drop_held(Guarded::Removal, &self.decided).await?;
        write.drop_held(Guarded::Deletion, &self.decided).await?;
        if self.unapproved > 0 {
            write.log_guard(Guarded::Removal, false, self.unapproved, now).await?;
        }
        if !self.held.is_empty() {
            write.hold(run_id, Guarded::Removal, &self.held, self.present, now).await?;
        }
        if !self.take_overs.is_empty() {
            write.await_take_overs(&self.take_overs, now).await?;
        }
        write.drop_take_overs(&self.taken_over).await?;
        write.settle_take_overs(&self.settled_people).await?;
        write.clear_dirty(Service::Entra, &self.settled).await?;
        write.mark_groups_dirty_by_address(Service::Entra, &self.touched).await?;
        if !self.users.is_empty() || !self.released.is_empty() {
            write.raise_topic("users").await?;
        }
        if self.counts.missing + self.counts.restored > 0 || !self.held.is_empty() {
            write.raise_topic("conflicts").await?;
        }
        Ok(())
    }

    /// Writes the history: what was done, or in a preview what would be.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn tell(
        &self,
        write: &mut CustomerWrite,
        run_id: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        write.add_run_changes(run_id, now, &self.changes).await?;
        write.add_notices(run_id, &self.notices).await
    }
}

/// The addresses that a user gains or loses.
fn moved(before: Option<&User>, after: &UserWrite) -> Vec<Address> {
    let old: BTreeSet<&Address> = before.into_iter().flat_map(User::held).collect();
    let new: BTreeSet<&Address> = if after.address_lost {
        BTreeSet::new()
    } else {
        std::iter::once(&after.primary).chain(&after.aliases).collect()
    };
    old.symmetric_difference(&new).map(|address| (*address).clone()).collect()
}

/// What differs between a user as it stood and as it is to stand, field by field under the labels of its page.
pub(super) fn differences(before: &User, after: &UserWrite) -> Vec<Change> {
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let primary = |address: &Address, lost: bool| if lost { String::new() } else { address.to_string() };
    let reason =
        |conflict: &Option<Conflict>| conflict.as_ref().map_or("", |it| it.reason.label()).to_owned();
    let rows = [
        ("Display name", before.display_name.clone(), after.display_name.clone()),
        (
            "Primary address",
            primary(&before.primary_address, before.address_lost),
            primary(&after.primary, after.address_lost),
        ),
        ("Aliases", list(&before.aliases), list(&after.aliases)),
        ("Source", before.source.label().to_owned(), after.source.label().to_owned()),
        (
            "Directory id",
            before.external_id.clone().unwrap_or_default(),
            after.external_id.clone().unwrap_or_default(),
        ),
        ("Sign-in blocked", yes(before.sign_in_blocked), yes(after.sign_in_blocked)),
        ("Service", yes(before.service_on), yes(after.service_on)),
        ("Conflict", reason(&before.conflict), reason(&after.conflict)),
    ];
    rows.into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(field, old, new)| Change::new(field, old, new))
        .collect()
}

fn list(addresses: &[Address]) -> String {
    let mut texts: Vec<&str> = addresses.iter().map(Address::as_str).collect();
    texts.sort_unstable();
    texts.join(", ")
}

/// A notice for each address that went elsewhere, naming both objects and what follows.
fn clashes<'a>(person: &'a Person, outcome: &'a Outcome) -> impl Iterator<Item = Notice> + 'a {
    let follows = match &outcome.desired {
        Some(desired) if desired.primary == person.addresses.primary => {
            "This person is synced without it.".to_owned()
        }
        Some(desired) => format!("This person is synced with {} as the primary address.", desired.primary),
        None => "No address is left for this person: left out.".to_owned(),
    };
    outcome.lost.iter().map(move |lost| Notice {
        kind: NoticeKind::Clash,
        external_id: person.external_id.clone(),
        display_name: person.shown().to_owned(),
        detail: format!("The address {} belongs to {}. {follows}", lost.address, lost.to),
    })
}

fn without_address(external_id: &str, name: &str) -> Notice {
    Notice {
        kind: NoticeKind::NoAddress,
        external_id: external_id.to_owned(),
        display_name: name.to_owned(),
        detail: "No usable mail address in proxyAddresses, mail or userPrincipalName; left out.".to_owned(),
    }
}

/// Somebody new has the address of a user in conflict.
fn same_person(user: &User, person: &Person) -> Notice {
    Notice {
        kind: NoticeKind::SamePerson,
        external_id: person.external_id.clone(),
        display_name: person.shown().to_owned(),
        detail: format!(
            "{} has the address {} of {}, who is in conflict. User Conflicts asks whether this is the same person; until then they are two.",
            person.shown(),
            user.primary_address,
            user.display_name
        ),
    }
}
