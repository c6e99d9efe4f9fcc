//! One chunk of the plan: who has a part in it, and what is decided. All of it happens inside the chunk's transaction, so that nothing that
//! the decision rests on can change meanwhile. [`super::resolve`] turns the decision into rows.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{
    address::{Address, Addresses, principal_address},
    conflict::Reason,
    guard::{Decision, Guarded},
    object::DirectoryUser,
    plan::{Out, Present, Rank},
    service::{Service, Source},
};
use store::{Binned, CustomerWrite, Held, MirrorUser, StoreError, User};

use super::{
    plan_rules::{PlanRules, Verdict},
    scene::{Holder, Outcome, Party, Person, Scene},
};

/// Gathers whoever has a part in the decision about a chunk.
pub(super) struct Chunk<'a> {
    write: &'a mut CustomerWrite,
    rules: &'a PlanRules,
    parts: Parts,
    manual: HashMap<Address, (i64, Rank)>,
    /// Objects that were met and whose portal user was not asked for yet.
    news: Vec<String>,
    /// What was asked of the database already.
    asked_addresses: HashSet<Address>,
    asked_users: HashSet<(Source, String)>,
    asked_objects: HashSet<String>,
    asked_held: HashSet<i64>,
    matched: HashSet<String>,
}

/// Everybody who was met on the way to a decision.
#[derive(Default)]
pub(super) struct Parts {
    /// Every object of the mirror that was met, by the directory's id.
    pub objects: HashMap<String, Met>,
    /// Those that the rules let in.
    pub people: HashMap<String, Person>,
    /// The portal's users that were met.
    pub users: HashMap<i64, User>,
    /// The user that stands for an object now, by the directory's id.
    owners: HashMap<String, i64>,
    /// Users that belong to another object than the one they are linked to: additions that are found now, people who were created anew, Manual
    /// users that are taken over.
    linked: HashMap<i64, String>,
    /// Deleted users that come back, by the directory's id.
    pub binned: HashMap<String, Binned>,
    /// What the guard holds, or was told to let go or to keep.
    pub held: HashMap<i64, Held>,
    /// People who wait for an administrator to decide about taking over a Manual user: the user's number and the person's id.
    pub take_overs: Vec<(i64, String)>,
    /// Users in conflict whose address somebody new has.
    pub rivals: HashMap<i64, String>,
}

/// An object of the mirror as a chunk met it.
pub(super) struct Met {
    /// The mirror's number.
    pub id: i64,
    /// Whether the directory no longer has it.
    pub gone: bool,
    /// Its name as an administrator knows it.
    pub name: String,
    /// What the rules say of it.
    pub standing: Standing,
}

/// What the rules say of an object, short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    In,
    Out(Reason, Option<Out>),
    Untouched,
    /// The rules say out; an administrator said that the user stays as delivered.
    Dismissed,
    /// Waits for a decision about a Manual user.
    PutOff,
}

/// What was decided about a chunk.
pub(super) struct Plan {
    pub outcomes: BTreeMap<Party, Outcome>,
    /// Addresses that users who are not decided about give up.
    pub released: Vec<(i64, Address)>,
    /// The objects that are settled with this, unless they are held.
    pub settled: BTreeSet<String>,
    pub parts: Parts,
}

impl<'a> Chunk<'a> {
    pub fn new(write: &'a mut CustomerWrite, rules: &'a PlanRules) -> Self {
        Self {
            write,
            rules,
            parts: Parts::default(),
            manual: HashMap::new(),
            news: Vec::new(),
            asked_addresses: HashSet::new(),
            asked_users: HashSet::new(),
            asked_objects: HashSet::new(),
            asked_held: HashSet::new(),
            matched: HashSet::new(),
        }
    }

    /// Decides about these objects of the mirror, and about everybody who gains or loses an address by that.
    pub async fn plan(mut self, rows: Vec<MirrorUser>) -> Result<Plan, StoreError> {
        let mut settled: BTreeSet<String> = rows.iter().map(|row| row.user.external_id.clone()).collect();
        for row in rows {
            self.meet(row);
        }
        self.find_out().await?;
        let mut decided = self.parties(&settled);
        let mut scene = loop {
            let scene = self.complete(&decided).await?;
            decided = decided.into_iter().map(|party| self.parts.standing(party)).collect();
            let mut drawn = scene.drawn_in(&decided);
            // Those who lost their address before somebody new has it gain or lose nothing, and yet are told of the rival.
            let met = self.parts.rivals.keys().map(|user| self.parts.standing(Party::Undelivered(*user)));
            drawn.extend(met.filter(|party| !decided.contains(party)));
            if drawn.is_empty() {
                break scene;
            }
            decided.extend(drawn);
        };
        settled.extend(decided.iter().filter_map(|party| self.parts.object_of(party)));
        let outcomes = scene.decide(&decided);
        let released = scene.taken_from_manual(&decided);
        // For their history.
        self.ask_users_by_id(released.iter().map(|(user, _)| *user).collect()).await?;
        Ok(Plan { outcomes, released, settled, parts: self.parts })
    }

    /// Asks for everybody who claims or holds an address of these parties, and sets the scene.
    async fn complete(&mut self, decided: &BTreeSet<Party>) -> Result<Scene, StoreError> {
        loop {
            let scene = self.scene();
            let decided: BTreeSet<Party> =
                decided.iter().cloned().map(|party| self.parts.standing(party)).collect();
            // Whoever has a lost address now may be a rival, should a conflict open.
            let lost = decided.iter().filter_map(|party| self.parts.lost_address(party).cloned());
            let touched = scene.touched(&decided).into_iter().chain(lost);
            let open: Vec<Address> =
                touched.filter(|address| self.asked_addresses.insert(address.clone())).collect();
            if open.is_empty() {
                return Ok(scene);
            }
            let known = self.parts.objects.values().map(|met| met.id).collect();
            for row in self.write.other_claimants(Service::Entra, &open, &known).await? {
                self.meet(row);
            }
            let mut holders = Vec::new();
            for holder in self.write.holders(&open).await? {
                if holder.source == Source::Manual {
                    let rank = if holder.is_primary { Rank::Primary } else { Rank::Alias };
                    self.manual.insert(holder.address, (holder.user_id, rank));
                } else {
                    holders.push(holder.user_id);
                }
            }
            self.ask_users_by_id(holders).await?;
            self.find_out().await?;
        }
    }

    /// Takes an object of the mirror into account: as a person when the rules let it in.
    fn meet(&mut self, row: MirrorUser) {
        let external_id = row.user.external_id.clone();
        if self.parts.objects.contains_key(&external_id) {
            return;
        }
        self.asked_objects.insert(external_id.clone());
        self.news.push(external_id.clone());
        let standing = match self.rules.verdict(&row) {
            Verdict::In(addresses) => {
                let person = self.person(&row.user, addresses);
                self.parts.people.insert(external_id.clone(), person);
                Standing::In
            }
            Verdict::Out(reason, out) => Standing::Out(reason, out),
            Verdict::Untouched => Standing::Untouched,
        };
        let met = Met { id: row.id, gone: row.gone, name: name(&row.user).to_owned(), standing };
        self.parts.objects.insert(external_id, met);
    }

    fn person(&self, user: &DirectoryUser, addresses: Addresses) -> Person {
        let principal = principal_address(user)
            .filter(|principal| self.rules.manages(principal) && *principal != addresses.primary);
        Person {
            external_id: user.external_id.clone(),
            name: user.display_name.as_deref().unwrap_or_default().trim().to_owned(),
            addresses,
            principal,
            sign_in_blocked: user.is_disabled(),
        }
    }

    /// Finds the user of every object that was met, the object of every user, what was decided about those who are out, and whom the people
    /// without a user belong to.
    async fn find_out(&mut self) -> Result<(), StoreError> {
        loop {
            let news = std::mem::take(&mut self.news);
            self.ask_users(&news).await?;
            self.meet_objects_of_users().await?;
            if !self.news.is_empty() {
                continue;
            }
            self.ask_decisions().await?;
            let open: Vec<String> = self
                .parts
                .people
                .keys()
                .filter(|id| !self.matched.contains(*id) && self.parts.user_of(id).is_none())
                .cloned()
                .collect();
            if open.is_empty() {
                return Ok(());
            }
            self.matched.extend(open.iter().cloned());
            self.match_people(open).await?;
        }
    }

    async fn ask_users(&mut self, ids: &[String]) -> Result<(), StoreError> {
        let open: Vec<String> = ids
            .iter()
            .filter(|id| self.asked_users.insert((Source::Azure, (*id).clone())))
            .cloned()
            .collect();
        if !open.is_empty() {
            let found = self.write.users_by_external_id(Source::Azure, &open).await?;
            self.parts.add_users(found);
        }
        Ok(())
    }

    async fn ask_users_by_id(&mut self, mut ids: Vec<i64>) -> Result<(), StoreError> {
        ids.retain(|id| !self.parts.users.contains_key(id));
        ids.sort_unstable();
        ids.dedup();
        if !ids.is_empty() {
            let found = self.write.users_by_id(&ids).await?;
            self.parts.add_users(found);
        }
        Ok(())
    }

    /// Meets the objects behind the users that were met, dirty or not.
    async fn meet_objects_of_users(&mut self) -> Result<(), StoreError> {
        let open: Vec<String> = self
            .parts
            .users
            .values()
            .filter(|user| user.source == Source::Azure)
            .filter_map(|user| user.external_id.clone())
            .filter(|id| self.asked_objects.insert(id.clone()))
            .collect();
        if !open.is_empty() {
            for row in self.write.mirror_by_external_id(Service::Entra, &open).await? {
                self.meet(row);
            }
        }
        Ok(())
    }

    /// What the guard was told about those who are out and no conflicts yet. Who was dismissed stays as delivered.
    async fn ask_decisions(&mut self) -> Result<(), StoreError> {
        let open: Vec<(i64, String)> = self
            .parts
            .objects
            .iter()
            .filter(|(_, met)| matches!(met.standing, Standing::Out(..)))
            .filter_map(|(id, _)| self.parts.user_of(id).map(|user| (user, id.clone())))
            .filter(|(user, _)| self.asked_held.insert(*user))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let users: Vec<i64> = open.iter().map(|(user, _)| *user).collect();
        let former = self.write.former_among(&users).await?;
        for (_, id) in open.iter().filter(|(user, _)| former.contains(user)) {
            let gone = Standing::Out(Reason::NotInDirectory, None);
            if let Some(met) = self.parts.objects.get_mut(id).filter(|met| met.standing == gone) {
                met.standing = Standing::Out(Reason::OtherDirectoryService, None);
            }
        }
        for held in self.write.held_among(Guarded::Removal, &users).await? {
            self.parts.held.insert(held.object_id, held);
        }
        for (user, id) in open {
            let dismissed =
                self.parts.held.get(&user).is_some_and(|held| held.decision == Decision::Dismissed);
            if let Some(user) =
                self.parts.users.get(&user).filter(|user| dismissed && user.conflict.is_none())
            {
                let person = as_delivered(&id, user);
                self.parts.people.insert(id.clone(), person);
                if let Some(met) = self.parts.objects.get_mut(&id) {
                    met.standing = Standing::Dismissed;
                }
            }
        }
        Ok(())
    }

    /// Finds whom people without a user belong to: a deleted user that comes back, an addition that waits for them, somebody who was created
    /// anew, or a Manual user.
    async fn match_people(&mut self, mut open: Vec<String>) -> Result<(), StoreError> {
        // The result must not depend on a hash map's order.
        open.sort();
        for binned in self.write.binned(Source::Azure, &open).await? {
            if let Some(id) = binned.external_id.clone() {
                self.parts.binned.insert(id, binned);
            }
        }
        open.retain(|id| !self.parts.binned.contains_key(id));
        let mut asked = HashMap::new();
        for id in &open {
            let Some(person) = self.parts.people.get(id) else { continue };
            asked.entry(person.addresses.primary.clone()).or_insert_with(|| id.clone());
            for alias in person.addresses.aliases.iter().filter(|alias| self.rules.awaits(alias)) {
                asked.entry(alias.clone()).or_insert_with(|| id.clone());
            }
        }
        let addresses: Vec<Address> = asked.keys().cloned().collect();
        let mut manual = BTreeMap::new();
        let mut candidates = BTreeMap::new();
        for holder in self.write.holders(&addresses).await? {
            let Some(id) = asked.get(&holder.address) else { continue };
            // Only who had it as the primary can be the same person; an alias may have been handed on.
            if !holder.is_primary {
                continue;
            }
            let of = if holder.source == Source::Manual { &mut manual } else { &mut candidates };
            of.insert(holder.user_id, id.clone());
        }
        self.ask_users_by_id(candidates.keys().copied().collect()).await?;
        let in_conflict = self.write.conflict_users_by_address(Source::Azure, &addresses).await?;
        for user in &in_conflict {
            if let Some(id) = asked.get(&user.primary_address) {
                candidates.insert(user.id, id.clone());
            }
        }
        self.parts.add_users(in_conflict);
        self.meet_objects_of_users().await?;
        for (user, id) in candidates {
            self.match_user(user, id);
        }
        self.take_over(manual).await
    }

    /// Whether a user that has a person's address is that person.
    fn match_user(&mut self, user: i64, id: String) {
        let Some(user) = self.parts.users.get(&user).filter(|user| user.source == Source::Azure) else {
            return;
        };
        let taken = self.parts.user_of(&id).is_some();
        let Some(person) = self.parts.people.get(&id).filter(|_| !taken) else { return };
        let number = user.id;
        let Some(own) = &user.external_id else {
            self.parts.link(number, id);
            return;
        };
        if self.rules.keeps(own) {
            return;
        }
        let absent = match self.parts.objects.get(own).map(|met| met.standing) {
            None => true,
            Some(Standing::Out(_, out)) => out.is_none(),
            Some(_) => false,
        };
        if !absent {
            return;
        }
        let same = user.display_name.trim().to_lowercase() == person.shown().trim().to_lowercase();
        if same {
            self.parts.link(number, id);
        } else {
            self.parts.rivals.insert(number, id);
        }
    }

    /// People whose primary address a Manual user has wait for an administrator, unless one has decided.
    async fn take_over(&mut self, manual: BTreeMap<i64, String>) -> Result<(), StoreError> {
        if manual.is_empty() {
            return Ok(());
        }
        let users: Vec<i64> = manual.keys().copied().collect();
        let decided = self.write.take_overs_among(&users).await?;
        let mut approved = Vec::new();
        for (user, id) in manual {
            let decision = decided
                .iter()
                .find(|take_over| take_over.user_id == user && take_over.external_id == id)
                .map_or(Decision::Waiting, |take_over| take_over.decision);
            match decision {
                Decision::Approved => {
                    approved.push(user);
                    self.parts.link(user, id);
                }
                Decision::Dismissed => {}
                Decision::Waiting => {
                    self.parts.people.remove(&id);
                    if let Some(met) = self.parts.objects.get_mut(&id) {
                        met.standing = Standing::PutOff;
                    }
                    self.parts.take_overs.push((user, id));
                }
            }
        }
        self.ask_users_by_id(approved).await
    }

    /// Whether an exception says that the sync does not touch this user any more, be its person in the mirror or not.
    fn is_untouched(&self, user: &User) -> bool {
        let own = user.external_id.as_ref().filter(|_| user.source == Source::Azure);
        own.is_some_and(|id| self.rules.keeps(id))
    }

    fn scene(&self) -> Scene {
        let mut scene = Scene::default();
        for person in self.parts.people.values() {
            scene.add_person(person.clone());
        }
        for user in self.parts.users.values() {
            if self.is_untouched(user) {
                for address in user.held() {
                    scene.add_manual(user.id, address.clone(), Rank::Primary);
                }
            } else {
                let holder =
                    Holder { user: user.id, present: present(user), address_lost: user.address_lost };
                scene.add_holder(self.parts.party(user), holder);
            }
        }
        for (address, (user, rank)) in &self.manual {
            if !self.parts.linked.contains_key(user) {
                scene.add_manual(*user, address.clone(), *rank);
            }
        }
        scene
    }

    /// The parties of these objects: the person, or for one that is left out its portal user.
    fn parties(&self, ids: &BTreeSet<String>) -> BTreeSet<Party> {
        let people =
            ids.iter().filter(|id| self.parts.people.contains_key(*id)).cloned().map(Party::Delivered);
        let users = ids.iter().filter_map(|id| self.parts.user_of(id)).filter_map(|user| {
            let user = self.parts.users.get(&user)?;
            (!self.is_untouched(user)).then(|| self.parts.party(user))
        });
        people.chain(users).collect()
    }
}

impl Parts {
    fn add_users(&mut self, users: Vec<User>) {
        for user in users {
            if let Some(id) = user.external_id.as_ref().filter(|_| user.source == Source::Azure)
                && !self.linked.contains_key(&user.id)
            {
                self.owners.insert(id.clone(), user.id);
            }
            self.users.insert(user.id, user);
        }
    }

    /// From now on the user stands for this object, and for no other.
    fn link(&mut self, user: i64, id: String) {
        self.owners.retain(|_, owner| *owner != user);
        self.owners.insert(id.clone(), user);
        self.linked.insert(user, id);
    }

    /// The user that stands for an object now, by the directory's id.
    pub fn user_of(&self, id: &str) -> Option<i64> {
        self.owners.get(id).copied()
    }

    /// Who stands behind a portal user.
    fn party(&self, user: &User) -> Party {
        let own = user.external_id.as_ref().filter(|_| user.source == Source::Azure);
        match self.linked.get(&user.id).or(own) {
            Some(id) if self.people.contains_key(id) => Party::Delivered(id.clone()),
            _ => Party::Undelivered(user.id),
        }
    }

    /// The party under its present name: somebody who was met meanwhile may stand behind a user.
    fn standing(&self, party: Party) -> Party {
        match party {
            Party::Undelivered(number) => self.users.get(&number).map_or(party, |user| self.party(user)),
            Party::Delivered(_) => party,
        }
    }

    /// The directory's id of the object that a decision about this party settles.
    fn object_of(&self, party: &Party) -> Option<String> {
        let id = match party {
            Party::Delivered(id) => Some(id.clone()),
            Party::Undelivered(user) => self.users.get(user).and_then(|user| user.external_id.clone()),
        };
        id.filter(|id| self.objects.contains_key(id))
    }

    /// The last known address of a user whom nobody stands behind, and who has none any more.
    fn lost_address(&self, party: &Party) -> Option<&Address> {
        let Party::Undelivered(user) = party else { return None };
        self.users.get(user).filter(|user| user.address_lost).map(|user| &user.primary_address)
    }

    /// Why a user that nobody stands behind is not delivered; `None` for one that never was the directory's.
    pub fn reason(&self, user: &User) -> Option<Reason> {
        match self.objects.get(user.external_id.as_ref()?)?.standing {
            Standing::Out(reason, _) => Some(reason),
            _ => None,
        }
    }

    /// Whether an administrator said that the user may go.
    pub fn is_approved(&self, user: &User) -> bool {
        self.held.get(&user.id).is_some_and(|held| held.decision == Decision::Approved)
    }

    /// The person who may be a leaver created anew, or a new hire: somebody under another id who has the leaver's address as the primary.
    /// For one whose conflict opens late, because the removal was held, that may be somebody who got the address meanwhile.
    pub fn rival(&self, user: &User) -> Option<&String> {
        let has_it = || {
            let people = self.people.values().filter(|person| {
                user.address_lost
                    && user.conflict.is_none()
                    && person.addresses.primary == user.primary_address
            });
            // The first of the directory's ids: the answer must not depend on a hash map's order.
            people.map(|person| &person.external_id).min()
        };
        self.rivals.get(&user.id).or_else(has_it)
    }

    /// Whether an object that the directory no longer has is to be remembered: when its exception ends, its user is missing.
    pub fn is_remembered(&self, id: &str, met: &Met) -> bool {
        let excepted = matches!(met.standing, Standing::Untouched | Standing::Out(Reason::Exception, _));
        met.gone && excepted && self.user_of(id).is_some()
    }
}

/// The name of a directory user as an administrator knows it.
fn name(user: &DirectoryUser) -> &str {
    let named = user.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    named.or(user.user_principal_name.as_deref()).unwrap_or(&user.external_id)
}

/// Somebody who is out and stays as delivered: a person who wants what the user has.
fn as_delivered(id: &str, user: &User) -> Person {
    Person {
        external_id: id.to_owned(),
        name: user.display_name.clone(),
        addresses: Addresses { primary: user.primary_address.clone(), aliases: user.aliases.clone() },
        principal: None,
        sign_in_blocked: user.sign_in_blocked,
    }
}

fn present(user: &User) -> Present {
    Present {
        display_name: user.display_name.clone(),
        primary: user.primary_address.clone(),
        aliases: user.aliases.clone(),
        sign_in_blocked: user.sign_in_blocked,
    }
}
