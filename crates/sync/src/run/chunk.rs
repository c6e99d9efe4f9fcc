//! One chunk of the plan: who has a part in it, what is decided, and how it is written. All of it happens inside the chunk's transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{
    address::{Address, Addresses, principal_address},
    object::DirectoryUser,
    plan::{Admission, Present, Rank},
    run::{Notice, NoticeKind},
    service::{Service, Source},
};
use store::{CustomerWrite, MirrorUser, StoreError, User, UserWrite};

use super::{
    drive::Job,
    plan_rules::PlanRules,
    scene::{Holder, Outcome, Party, Person, Scene},
};

/// What to do about somebody whose address is held by a user of whom the mirror has not told yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// Leave it for later.
    PutOff,
    /// Decide as if nobody delivered that user.
    Decide,
}

/// Gathers whoever has a part in the decision about a chunk.
pub(super) struct Chunk<'a> {
    write: &'a mut CustomerWrite,
    rules: &'a PlanRules,
    /// The mirror's number of every object that was met.
    mirror: HashMap<String, i64>,
    people: HashMap<String, Person>,
    users: HashMap<i64, User>,
    manual: HashMap<Address, (i64, Rank)>,
    /// What was asked of the database already.
    asked_addresses: HashSet<Address>,
    asked_ids: HashSet<String>,
}

/// What was decided about a chunk.
pub(super) struct Plan {
    outcomes: BTreeMap<Party, Outcome>,
    released: Vec<(i64, Address)>,
    people: HashMap<String, Person>,
    users: HashMap<i64, User>,
    /// The mirror's numbers of the objects that are settled with this.
    settled: Vec<i64>,
}

/// What a chunk changed.
#[derive(Clone, Copy, Default)]
pub(super) struct Written {
    pub added: i64,
    pub updated: i64,
    pub clashes: i64,
}

impl<'a> Chunk<'a> {
    pub fn new(write: &'a mut CustomerWrite, rules: &'a PlanRules) -> Self {
        Self {
            write,
            rules,
            mirror: HashMap::new(),
            people: HashMap::new(),
            users: HashMap::new(),
            manual: HashMap::new(),
            asked_addresses: HashSet::new(),
            asked_ids: HashSet::new(),
        }
    }

    /// Decides about these objects of the mirror, and about everybody who gains or loses an address by that.
    pub async fn plan(mut self, rows: Vec<MirrorUser>, unknown: Unknown) -> Result<Plan, StoreError> {
        let mut ids: Vec<String> = rows.iter().map(|row| row.user.external_id.clone()).collect();
        for row in rows {
            self.meet(row);
        }
        self.ask_users(Source::Azure, &ids).await?;
        let mut decided = self.parties(&ids);
        let mut scene = self.complete(&decided).await?;
        if unknown == Unknown::PutOff {
            let put_off = self.waiting(&scene, &decided);
            ids.retain(|id| !put_off.contains(&Party::Delivered(id.clone())));
            decided.retain(|party| !put_off.contains(party));
        }
        loop {
            let drawn = scene.drawn_in(&decided);
            if drawn.is_empty() {
                break;
            }
            let more: Vec<String> = drawn.iter().filter_map(delivered).collect();
            decided.extend(drawn);
            self.ask_users(Source::Azure, &more).await?;
            ids.extend(more);
            scene = self.complete(&decided).await?;
            decided = decided.into_iter().map(|party| self.standing(party)).collect();
        }
        let outcomes = scene.decide(&decided);
        let released = scene.taken_from_manual(&decided);
        let settled = ids.iter().filter_map(|id| self.mirror.get(id).copied()).collect();
        Ok(Plan { outcomes, released, people: self.people, users: self.users, settled })
    }

    /// Asks for everybody who claims or holds an address of these parties, and sets the scene.
    async fn complete(&mut self, decided: &BTreeSet<Party>) -> Result<Scene, StoreError> {
        loop {
            let scene = self.scene();
            let decided: BTreeSet<Party> =
                decided.iter().cloned().map(|party| self.standing(party)).collect();
            let touched = scene.touched(&decided);
            let open: Vec<Address> =
                touched.into_iter().filter(|address| self.asked_addresses.insert(address.clone())).collect();
            if open.is_empty() {
                return Ok(scene);
            }
            for claim in self.write.claims(&open).await? {
                if claim.service == Service::Entra {
                    self.meet(claim.claimant);
                }
            }
            let mut holders: HashMap<Source, Vec<String>> = HashMap::new();
            for holder in self.write.holders(&open).await? {
                match holder.external_id {
                    Some(id) if holder.source != Source::Manual => {
                        holders.entry(holder.source).or_default().push(id);
                    }
                    _ => {
                        let rank = if holder.is_primary { Rank::Primary } else { Rank::Alias };
                        self.manual.insert(holder.address, (holder.user_id, rank));
                    }
                }
            }
            for (source, ids) in holders {
                self.ask_users(source, &ids).await?;
            }
        }
    }

    async fn ask_users(&mut self, source: Source, ids: &[String]) -> Result<(), StoreError> {
        let open: Vec<String> = ids
            .iter()
            .filter(|id| self.asked_ids.insert(format!("{} {id}", source.name())))
            .cloned()
            .collect();
        if !open.is_empty() {
            let found = self.write.users_by_external_id(source, &open).await?;
            self.users.extend(found.into_iter().map(|user| (user.id, user)));
        }
        Ok(())
    }

    /// Takes an object of the mirror into account: as a person when the rules let it in.
    fn meet(&mut self, row: MirrorUser) {
        let MirrorUser { id, user } = row;
        if self.mirror.insert(user.external_id.clone(), id).is_some() {
            return;
        }
        if let Admission::In(addresses) = self.rules.admit(&user) {
            let person = self.person(&user, addresses);
            self.people.insert(user.external_id, person);
        }
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

    fn scene(&self) -> Scene {
        let mut scene = Scene::default();
        for person in self.people.values() {
            scene.add_person(person.clone());
        }
        for user in self.users.values() {
            scene.add_holder(self.party(user), Holder { user: user.id, present: present(user) });
        }
        for (address, (user, rank)) in &self.manual {
            scene.add_manual(*user, address.clone(), *rank);
        }
        scene
    }

    /// Who stands behind a portal user.
    fn party(&self, user: &User) -> Party {
        match &user.external_id {
            Some(id) if user.source == Source::Azure && self.people.contains_key(id) => {
                Party::Delivered(id.clone())
            }
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

    /// The parties of these objects: the person, or for one that is left out its portal user.
    fn parties(&self, ids: &[String]) -> BTreeSet<Party> {
        let people = ids.iter().filter(|id| self.people.contains_key(*id)).cloned().map(Party::Delivered);
        let ids: HashSet<&String> = ids.iter().collect();
        let left_out = self.users.values().filter(|user| {
            user.source == Source::Azure && user.external_id.as_ref().is_some_and(|id| ids.contains(id))
        });
        people.chain(left_out.map(|user| self.party(user))).collect()
    }

    /// Those of the parties that wait for an address whose holder the mirror has not told about in this chunk.
    fn waiting(&self, scene: &Scene, decided: &BTreeSet<Party>) -> BTreeSet<Party> {
        let unknown = |address: &Address| {
            let Some(Party::Undelivered(number)) = scene.holder(address) else { return false };
            self.users.get(number).is_some_and(|user| {
                user.source == Source::Azure
                    && user.external_id.as_ref().is_some_and(|id| !self.mirror.contains_key(id))
            })
        };
        decided
            .iter()
            .filter(|party| matches!(party, Party::Delivered(_)))
            .filter(|party| scene.touched([*party]).iter().any(unknown))
            .cloned()
            .collect()
    }
}

impl Plan {
    /// Writes what was decided: addresses are released before they are claimed, and what is settled loses its mark.
    pub async fn write(self, job: &Job<'_>, write: &mut CustomerWrite) -> Result<Written, StoreError> {
        let now = job.engine.clock.now();
        let mut written = Written::default();
        let mut users = Vec::new();
        let mut notices = Vec::new();
        for (party, outcome) in self.outcomes {
            let standing = outcome.user.and_then(|user| self.users.get(&user));
            if let Party::Delivered(id) = &party
                && let Some(person) = self.people.get(id)
            {
                written.clashes += i64::try_from(outcome.lost.len()).unwrap_or(i64::MAX);
                notices.extend(clashes(person, &outcome));
            }
            let Some(desired) = outcome.desired.filter(|_| outcome.changes) else { continue };
            let (source, external_id) = match (&party, standing) {
                (Party::Delivered(id), _) => (Source::Azure, Some(id.clone())),
                (Party::Undelivered(_), Some(user)) => (user.source, user.external_id.clone()),
                (Party::Undelivered(_), None) => continue,
            };
            match outcome.user {
                Some(_) => written.updated += 1,
                None => written.added += 1,
            }
            users.push(UserWrite {
                id: outcome.user,
                public_id: standing.map_or_else(|| job.engine.random.uuid(now), |user| user.public_id),
                source,
                external_id,
                display_name: desired.display_name,
                primary: desired.primary,
                aliases: desired.aliases,
                sign_in_blocked: desired.sign_in_blocked,
                now,
            });
        }
        write.release_addresses(&self.released).await?;
        write.write_users(&users).await?;
        write.clear_dirty(&self.settled).await?;
        write.add_notices(job.run_id, &notices).await?;
        if !users.is_empty() || !self.released.is_empty() {
            write.raise_topic("users").await?;
        }
        Ok(written)
    }
}

fn delivered(party: &Party) -> Option<String> {
    match party {
        Party::Delivered(id) => Some(id.clone()),
        Party::Undelivered(_) => None,
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
