//! Steps in which an administrator sets a rule or decides about somebody: on the portal, through the functions that its pages call, and on
//! the model.
//!
//! Where a page is still to come, the step writes what that page will write: the change, the topic that runs listen to, and the marks.

use domain::{
    address::Address,
    conflict::{Conflict, SHORTEST_NOTICE_MS, State},
    guard::{Decision, Guarded},
    plan::ManagedDomains,
    service::{Service, Source},
    settings::{DeleteAfter, GuardLimits},
};
use store::{CustomerWrite, Deletion, Exception, ExceptionKind, UserWrite};
use sync::rules::{save_guard, save_managed_domains};

use crate::{
    portal::{Addition, Object, Rules},
    steps::{Chance, Pick, Step, pick},
    tenant::Tenant,
    world::{DEPARTMENTS, World, actor, address},
};

const LOOSE: GuardLimits = GuardLimits { max_removals: 500, max_removals_percent: 100, min_removals: 500 };
const TIGHT: GuardLimits = GuardLimits { max_removals: 500, max_removals_percent: 20, min_removals: 3 };
const MANAGED: [&[&str]; 4] = [&[], &["*"], &["contoso.com"], &["fabrikam.com", "elsewhere.example"]];

/// A transaction as one of the pages begins it: no chunk of a run decides meanwhile.
async fn begin(world: &World) -> CustomerWrite {
    let mut write = world.customer.begin().await.unwrap();
    write.raise_topic("plan").await.unwrap();
    write
}

async fn commit_by_hand(mut write: CustomerWrite) {
    write.raise_topic("by_hand").await.unwrap();
    write.commit().await.unwrap();
}

impl World {
    /// Sets a rule; `false` for a step that is none.
    pub async fn set_rule(&mut self, step: Step) -> bool {
        match step {
            Step::IncludeDisabled(include) => {
                self.form.include_disabled = include;
                self.rules.include_disabled = include;
            }
            Step::Filter(number) => {
                let (text, departments): (&str, &[&str]) = match number % 5 {
                    0 => ("department eq 'Sales'", &["Sales"]),
                    1 => ("startsWith(department,'S')", &["Sales", "Support"]),
                    2 => ("department in ('Legal','Support')", &["Legal", "Support"]),
                    _ => ("", &[]),
                };
                self.form.custom_filter = text.to_owned();
                self.rules.departments =
                    DEPARTMENTS.into_iter().filter(|name| departments.contains(name)).collect();
            }
            Step::DeleteAfter(number) => {
                let delays = [
                    DeleteAfter::OneDay,
                    DeleteAfter::ThreeDays,
                    DeleteAfter::SevenDays,
                    DeleteAfter::ThirtyDays,
                    DeleteAfter::Never,
                ];
                let delay = pick(&delays, number).unwrap();
                if self.rules.delete_after != delay {
                    self.form.delete_users_after = delay.name().to_owned();
                    self.rules.delete_after = delay;
                    self.promise_notice();
                }
            }
            Step::Service(on) => {
                self.form.enabled = on;
                if self.rules.enabled != on {
                    self.rules.enabled = on;
                    self.switch(on);
                }
            }
            Step::ManagedDomains(number) => {
                let entries: Vec<String> =
                    pick(&MANAGED, number).unwrap().iter().map(|entry| (*entry).to_owned()).collect();
                save_managed_domains(&self.engine, &self.customer, &actor(), &entries)
                    .await
                    .unwrap()
                    .unwrap();
                self.rules.managed = ManagedDomains::of(&entries, &self.verified());
                return true;
            }
            Step::Guard(tight) => {
                let limits = if tight { TIGHT } else { LOOSE };
                save_guard(&self.engine, &self.customer, &actor(), limits).await.unwrap().unwrap();
                self.rules.guard = limits;
                return true;
            }
            _ => return false,
        }
        self.save_connection().await;
        true
    }

    /// A change of the delay takes nobody by surprise: whoever would be due within a day gets a day.
    fn promise_notice(&mut self) {
        let earliest = self.now().plus(SHORTEST_NOTICE_MS);
        let delay = self.rules.delete_after;
        for conflict in self.model.users.iter_mut().filter_map(|user| user.conflict.as_mut()) {
            if conflict.delete_on(delay).is_some_and(|on| on < earliest) {
                conflict.not_before = Some(earliest);
            }
        }
    }

    /// Clocks stand still while the service is off.
    fn switch(&mut self, on: bool) {
        let now = self.now();
        if !on {
            self.rules.off_since = Some(now);
            return;
        }
        let Some(since) = self.rules.off_since.take() else { return };
        for conflict in self.model.users.iter_mut().filter_map(|user| user.conflict.as_mut()) {
            let ended =
                conflict.ignored_until.filter(|until| conflict.state == State::Ignored && *until <= now);
            match (conflict.state, ended) {
                (State::Ignored, Some(until)) => {
                    conflict.state = State::Pending;
                    conflict.ignored_until = None;
                    // An Ignore that ended while the service was off starts a clock that stands still until now.
                    conflict.clock_from = until.max(since).plus(now.since(until.max(since))).min(now);
                    if until <= since {
                        conflict.clock_from = until.plus(now.since(since));
                    }
                }
                (State::Pending, _) => {
                    conflict.clock_from = conflict.clock_from.plus(now.since(since));
                }
                _ => continue,
            }
            conflict.not_before = conflict.not_before.map(|at| at.plus(now.since(since)));
        }
    }

    /// Decides about somebody by hand; `false` for a step that is no such decision.
    pub async fn decide(&mut self, step: Step) -> bool {
        match step {
            Step::ExceptUser { who, keep, approved } => self.except_user(who, keep, approved).await,
            Step::ExceptAlias(number) => self.except_alias(number).await,
            Step::ExceptGroup(number) => {
                let groups: Vec<String> =
                    Tenant::of(&self.tenant.sim().directory()).groups.into_keys().collect();
                if let Some(id) = pick(&groups.iter().collect::<Vec<_>>(), number) {
                    self.add_exception(ExceptionKind::Group, id, false).await;
                    self.rules.excepted_groups.insert(id.clone());
                }
            }
            Step::Unexcept(number) => self.unexcept(number).await,
            Step::Addition(number) => self.add(number).await,
            Step::RemoveAddition(number) => self.remove_addition(number).await,
            Step::Approve(number) => self.decide_held(number, Decision::Approved).await,
            Step::Dismiss(number) => self.decide_held(number, Decision::Dismissed).await,
            _ => return self.act_on_user(step).await,
        }
        true
    }

    async fn add_exception(&self, kind: ExceptionKind, object: &str, keep: bool) {
        let mut write = begin(self).await;
        let exception = Exception {
            kind,
            object: object.to_owned(),
            name: String::new(),
            address: String::new(),
            reason: "model".to_owned(),
            keep,
            created_by: "model".to_owned(),
            created_at: self.now(),
        };
        write.add_exceptions(Service::Entra, &[exception]).await.unwrap();
        self.mark(&mut write, kind, object).await;
        commit_by_hand(write).await;
    }

    /// Marks whoever an exception is about.
    async fn mark(&self, write: &mut CustomerWrite, kind: ExceptionKind, object: &str) {
        match kind {
            ExceptionKind::User => {
                let _marked = write.mark_dirty(Service::Entra, &[object.to_owned()]).await.unwrap();
            }
            ExceptionKind::Group => drop(write.mark_all_dirty(Service::Entra).await.unwrap()),
            ExceptionKind::Alias => {
                let claims = write.claims(&[Address::parse(object).unwrap()]).await.unwrap();
                let ids: Vec<String> =
                    claims.into_iter().map(|claim| claim.claimant.user.external_id).collect();
                write.mark_dirty(Service::Entra, &ids).await.unwrap();
            }
        }
    }

    async fn except_user(&mut self, who: Pick, keep: bool, approved: bool) {
        let people: Vec<String> = Tenant::of(&self.tenant.sim().directory()).people.into_keys().collect();
        let Some(id) = pick(&people.iter().collect::<Vec<_>>(), who) else { return };
        let user = self.model.of_directory(id).map(|user| user.number);
        let keep = keep && user.is_some();
        self.add_exception(ExceptionKind::User, id, keep).await;
        self.rules.excepted_users.insert(id.clone(), keep);
        if let Some(number) = user.filter(|_| approved && !keep) {
            let mut write = begin(self).await;
            write.approve_removals(&[number], self.now()).await.unwrap();
            write.commit().await.unwrap();
            self.model.held.insert((Guarded::Removal, Object::User(number)), Decision::Approved);
        }
    }

    async fn except_alias(&mut self, number: Pick) {
        let tenant = Tenant::of(&self.tenant.sim().directory());
        let aliases: Vec<&Address> = tenant.people.values().flat_map(|person| &person.aliases).collect();
        if let Some(alias) = pick(&aliases, number) {
            self.add_exception(ExceptionKind::Alias, alias.as_str(), false).await;
            self.rules.excepted_aliases.insert(alias.clone());
        }
    }

    async fn unexcept(&mut self, number: Pick) {
        let Rules { excepted_users, excepted_groups, excepted_aliases, .. } = &self.rules;
        let users = excepted_users.keys().map(|id| (ExceptionKind::User, id.clone()));
        let groups = excepted_groups.iter().map(|id| (ExceptionKind::Group, id.clone()));
        let aliases = excepted_aliases.iter().map(|alias| (ExceptionKind::Alias, alias.to_string()));
        let all: Vec<(ExceptionKind, String)> = users.chain(groups).chain(aliases).collect();
        let Some((kind, object)) = pick(&all.iter().collect::<Vec<_>>(), number).cloned() else { return };
        let mut write = begin(self).await;
        write.remove_exceptions(Service::Entra, &[(kind, object.clone())]).await.unwrap();
        self.mark(&mut write, kind, &object).await;
        commit_by_hand(write).await;
        match kind {
            ExceptionKind::User => drop(self.rules.excepted_users.remove(&object)),
            ExceptionKind::Group => drop(self.rules.excepted_groups.remove(&object)),
            ExceptionKind::Alias => {
                let _was_there = self.rules.excepted_aliases.remove(&Address::parse(&object).unwrap());
            }
        }
    }

    /// Adds an address as the Additions page does: what it refuses is no step.
    async fn add(&mut self, number: Pick) {
        let tenant = Tenant::of(&self.tenant.sim().directory());
        let wanted = Address::parse(&address(&mut Chance::new(number))).unwrap();
        let refused = !self.rules.managed.contains(&wanted)
            || self.model.additions.contains_key(&wanted)
            || self.rules.excepted_aliases.contains(&wanted)
            || tenant.people.values().any(|person| person.aliases.contains(&wanted));
        if refused {
            return;
        }
        let found = tenant.people.iter().find(|(_, person)| person.primary.as_ref() == Some(&wanted));
        let found = found.map(|(id, _)| id.clone());
        if found.as_ref().is_some_and(|id| self.rules.excepted_users.contains_key(id)) {
            return;
        }
        let known = |user: &crate::portal::User| user.primary == wanted || user.held().contains(&wanted);
        if found.is_none() && self.model.users.iter().any(known) {
            return;
        }
        let now = self.now();
        let mut write = begin(self).await;
        write.add_addition(Service::Entra, &wanted, found.as_deref(), "model", now).await.unwrap();
        if let Some(id) = &found {
            write.mark_dirty(Service::Entra, std::slice::from_ref(id)).await.unwrap();
        } else {
            let public_id = self.engine.random.uuid(now);
            let user = UserWrite {
                id: None,
                restore_as: None,
                public_id,
                source: Source::Azure,
                external_id: None,
                display_name: wanted.to_string(),
                primary: wanted.clone(),
                address_lost: false,
                aliases: Vec::new(),
                service_on: true,
                sign_in_blocked: false,
                conflict: None,
                created_at: None,
                now,
            };
            let number = write.write_users(&[user]).await.unwrap().ids[0];
            write.mark_groups_dirty_by_address(Service::Entra, std::slice::from_ref(&wanted)).await.unwrap();
            self.model.users.push(crate::portal::User {
                number,
                public_id: Some(public_id),
                external_id: None,
                name: wanted.to_string(),
                primary: wanted.clone(),
                lost: false,
                aliases: std::collections::BTreeSet::new(),
                service_on: true,
                blocked: false,
                conflict: None,
            });
        }
        commit_by_hand(write).await;
        self.model.additions.insert(wanted, Addition { external_id: found, reads_without: 0 });
    }

    async fn remove_addition(&mut self, number: Pick) {
        let all = self.customer.additions(Service::Entra).await.unwrap();
        let Some(addition) = pick(&all.iter().collect::<Vec<_>>(), number) else { return };
        let mut write = begin(self).await;
        write.remove_addition(addition.id).await.unwrap();
        match &addition.external_id {
            Some(id) => drop(write.mark_dirty(Service::Entra, std::slice::from_ref(id)).await.unwrap()),
            None => {
                let of = |user: &&crate::portal::User| {
                    user.external_id.is_none() && user.primary == addition.address
                };
                if let Some(stub) = self.model.users.iter().find(of).map(|user| user.number) {
                    let deletion = Deletion { user_id: stub, reason: "addition removed".to_owned() };
                    write.delete_users(&[deletion], "model", self.now()).await.unwrap();
                    self.model.delete(stub, "addition removed");
                }
            }
        }
        commit_by_hand(write).await;
        self.model.additions.remove(&addition.address);
    }

    /// Decides about all that wait, or about one of them.
    async fn decide_held(&mut self, number: Pick, decision: Decision) {
        let kind =
            pick(&[Guarded::Removal, Guarded::Removal, Guarded::Deletion, Guarded::Group], number).unwrap();
        let held = self.customer.held(kind, 0, 1_000).await.unwrap();
        let all: Vec<i64> = held.iter().map(|row| row.held.object_id).collect();
        let chosen = if number.is_multiple_of(3) { all } else { pick(&all, number).into_iter().collect() };
        if chosen.is_empty() {
            return;
        }
        let now = self.now();
        let mut write = begin(self).await;
        write.decide_held(kind, Some(&chosen), decision, now).await.unwrap();
        if decision == Decision::Approved {
            write.log_guard(kind, true, i64::try_from(chosen.len()).unwrap(), now).await.unwrap();
            self.model.note(kind, true, 0, now);
        }
        write.commit().await.unwrap();
        for row in held.iter().filter(|row| chosen.contains(&row.held.object_id)) {
            let object = match kind {
                Guarded::Group => {
                    let of =
                        self.model.groups.iter().find(|(_, group)| group.public_id == Some(row.public_id));
                    Object::Group(of.unwrap().0.clone())
                }
                Guarded::Removal | Guarded::Deletion => Object::User(row.held.object_id),
            };
            self.model.held.insert((kind, object), decision);
        }
    }

    /// Acts on a user, as the pages of a user and of the conflicts do.
    async fn act_on_user(&mut self, step: Step) -> bool {
        let now = self.now();
        let in_conflict = |state: Option<State>| -> Vec<i64> {
            let conflicts = self.model.users.iter().filter(|user| {
                user.conflict
                    .as_ref()
                    .is_some_and(|conflict| state.is_none_or(|state| conflict.state == state))
            });
            conflicts.map(|user| user.number).collect()
        };
        let anew = move |conflict: Conflict| Conflict {
            state: State::Pending,
            clock_from: now,
            not_before: None,
            ignored_until: None,
            stay_inactive: false,
            ..conflict
        };
        type Edit = Box<dyn Fn(Conflict) -> Conflict + Send>;
        let (numbers, who, edit, service): (_, _, Edit, _) = match step {
            Step::Ignore(who) => (
                in_conflict(Some(State::Pending)),
                who,
                Box::new(|conflict| Conflict { state: State::Ignored, ignored_until: None, ..conflict }),
                None,
            ),
            Step::IgnoreFor(who, days) => (
                in_conflict(Some(State::Pending)),
                who,
                Box::new(move |conflict| Conflict {
                    state: State::Ignored,
                    ignored_until: Some(now.plus(i64::from(days) * domain::Timestamp::DAY)),
                    ..conflict
                }),
                None,
            ),
            Step::StopIgnoring(who) => (in_conflict(Some(State::Ignored)), who, Box::new(anew), None),
            Step::Deactivate { who, stay } => (
                in_conflict(None),
                who,
                Box::new(move |conflict| Conflict {
                    state: State::Deactivated,
                    ignored_until: None,
                    stay_inactive: stay,
                    ..conflict
                }),
                Some(false),
            ),
            Step::Activate(who) => (in_conflict(Some(State::Deactivated)), who, Box::new(anew), Some(true)),
            Step::ServiceOff(who) | Step::ServiceOn(who) => {
                let delivered = self.model.users.iter().filter(|user| user.conflict.is_none());
                let numbers: Vec<i64> = delivered.map(|user| user.number).collect();
                if let Some(number) = pick(&numbers, who) {
                    let on = matches!(step, Step::ServiceOn(_));
                    let mut write = begin(self).await;
                    write.set_service(number, on).await.unwrap();
                    write.commit().await.unwrap();
                    self.model.user(number).service_on = on;
                }
                return true;
            }
            Step::DeleteNow(who) => {
                if let Some(number) = pick(&in_conflict(None), who) {
                    let mut write = begin(self).await;
                    let deletion = Deletion { user_id: number, reason: "by hand".to_owned() };
                    write.delete_users(&[deletion], "model", now).await.unwrap();
                    write.commit().await.unwrap();
                    self.model.delete(number, "by hand");
                }
                return true;
            }
            _ => return false,
        };
        if let Some(number) = pick(&numbers, who) {
            let user = self.model.user(number);
            let conflict = edit(user.conflict.clone().unwrap());
            user.conflict = Some(conflict.clone());
            user.service_on = service.unwrap_or(user.service_on);
            let mut write = begin(self).await;
            write.set_conflict(number, &conflict).await.unwrap();
            if let Some(on) = service {
                write.set_service(number, on).await.unwrap();
            }
            write.commit().await.unwrap();
        }
        true
    }
}
