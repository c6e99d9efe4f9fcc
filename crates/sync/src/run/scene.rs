//! Who gets which address, decided for a handful of people at once: the part of the plan that looks at several objects together.
//!
//! An address belongs to one user. [`domain::plan::winner`] says to whom an address goes when several claim it; a [`Scene`] holds everybody
//! who has a part in the decision (the people of a chunk, every other claimant of their addresses, and the portal's users that hold them
//! now) and turns those single decisions into whole users. It promises:
//!
//! - the result depends on who claims what and on who holds what, never on the order in which objects were read or are decided;
//! - whoever gains or loses one of the addresses is decided together with the one who causes it ([`Scene::drawn_in`]), so that no address
//!   is held twice and no user is left half changed;
//! - a portal user is never left without an address: one that would lose its last address keeps its primary until an administrator
//!   decides about it, and the claimant goes without.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{
    address::{Address, Addresses},
    plan::{Claim, Claimant, Desired, Present, Rank, winner},
};

/// Who takes part in a decision. The order is that of the directory's ids, which does not depend on when an object was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A directory user that the rules let in, by the directory's id.
    Delivered(String),
    /// A portal user that nobody of the directory stands behind now, by the portal's number.
    Undelivered(i64),
}

/// A directory user that the rules let in.
#[derive(Clone, Debug)]
pub struct Person {
    /// The directory's id.
    pub external_id: String,
    /// The directory's display name, possibly empty.
    pub name: String,
    /// What it wants.
    pub addresses: Addresses,
    /// Its principal name, when that is a managed address other than the wanted primary: what it falls back to.
    pub principal: Option<Address>,
    /// Whether the directory blocks sign-in.
    pub sign_in_blocked: bool,
}

impl Person {
    /// Every address that a decision about this person touches.
    pub fn touched(&self) -> impl Iterator<Item = &Address> {
        std::iter::once(&self.addresses.primary).chain(&self.addresses.aliases).chain(&self.principal)
    }

    /// The name to show.
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { self.addresses.primary.as_str() } else { &self.name }
    }
}

/// A user of the portal that a directory service delivers or delivered, as it stands.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The portal's number of the user.
    pub user: i64,
    /// Name and addresses.
    pub present: Present,
}

impl Holder {
    /// The addresses it holds, the primary first.
    pub fn held(&self) -> impl Iterator<Item = &Address> {
        std::iter::once(&self.present.primary).chain(&self.present.aliases)
    }
}

#[derive(Clone, Debug, Default)]
struct Side {
    person: Option<Person>,
    holder: Option<Holder>,
}

/// An address that somebody wanted and did not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The address.
    pub address: Address,
    /// Who has it instead, as an administrator knows them.
    pub to: String,
}

/// What was decided about one party.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The portal's number of the user, when there is one already.
    pub user: Option<i64>,
    /// What should stand in the portal; `None` when no address is left for it and there is no user yet.
    pub desired: Option<Desired>,
    /// Whether that differs from what stands there.
    pub changes: bool,
    /// The wanted addresses that went elsewhere. Empty for a party that nobody delivers.
    pub lost: Vec<Lost>,
}

/// Everybody who has a part in a decision.
#[derive(Debug, Default)]
pub struct Scene {
    sides: BTreeMap<Party, Side>,
    claims: HashMap<Address, BTreeMap<Party, Rank>>,
    fallbacks: HashMap<Address, BTreeSet<Party>>,
    holders: HashMap<Address, Party>,
    manual: HashMap<Address, Manual>,
    pinned: HashMap<Address, Party>,
}

/// An address of a user that an administrator entered.
#[derive(Clone, Copy, Debug)]
struct Manual {
    user: i64,
    rank: Rank,
}

impl Scene {
    /// Adds a directory user that the rules let in. Adding one twice changes nothing.
    pub fn add_person(&mut self, person: Person) {
        let party = Party::Delivered(person.external_id.clone());
        let mut claim = |address: &Address, rank| {
            self.claims.entry(address.clone()).or_default().entry(party.clone()).or_insert(rank);
        };
        claim(&person.addresses.primary, Rank::Primary);
        for alias in &person.addresses.aliases {
            claim(alias, Rank::Alias);
        }
        if let Some(principal) = &person.principal {
            self.fallbacks.entry(principal.clone()).or_default().insert(party.clone());
        }
        self.sides.entry(party).or_default().person = Some(person);
    }

    /// Adds a portal user, `party` being who stands behind it. Adding one twice changes nothing.
    pub fn add_holder(&mut self, party: Party, holder: Holder) {
        for address in holder.held() {
            self.holders.insert(address.clone(), party.clone());
        }
        self.sides.entry(party).or_default().holder = Some(holder);
    }

    /// Adds an address that a Manual user holds. Such a user is never decided about: it keeps its primary (taking it over waits for an
    /// administrator), and an alias that a directory claims is simply [taken from it](Self::taken_from_manual).
    pub fn add_manual(&mut self, user: i64, address: Address, rank: Rank) {
        self.manual.insert(address, Manual { user, rank });
    }

    /// Who stands behind the holder of an address, Manual users apart.
    pub fn holder(&self, address: &Address) -> Option<&Party> {
        self.holders.get(address)
    }

    /// Every address that a decision about these parties touches: those they want and those they hold.
    pub fn touched<'a>(&'a self, parties: impl IntoIterator<Item = &'a Party>) -> HashSet<Address> {
        let sides = parties.into_iter().filter_map(|party| self.sides.get(party));
        sides
            .flat_map(|side| {
                let wanted = side.person.iter().flat_map(Person::touched);
                wanted.chain(side.holder.iter().flat_map(Holder::held)).cloned().collect::<Vec<_>>()
            })
            .collect()
    }

    /// The parties beyond `decided` that gain or lose one of their addresses, and therefore have to be decided with them. Everybody who
    /// claims or holds an address of `decided` must be in the scene.
    pub fn drawn_in(&self, decided: &BTreeSet<Party>) -> BTreeSet<Party> {
        let mut drawn = BTreeSet::new();
        for address in self.touched(decided) {
            let holder = self.holders.get(&address);
            let (entitled, claimed) = self.unpinned(&address);
            if holder == entitled.as_ref() || (holder.is_none() && !claimed) {
                // Nothing moves. A principal name that nobody holds is only a reserve.
                continue;
            }
            let parties = holder.into_iter().cloned().chain(entitled);
            drawn.extend(parties.filter(|party| !decided.contains(party) && self.sides.contains_key(party)));
        }
        drawn
    }

    /// The aliases that Manual users give up to these parties, with the user's number.
    pub fn taken_from_manual(&self, decided: &BTreeSet<Party>) -> Vec<(i64, Address)> {
        let given_up = |address: Address| {
            let manual = self.manual.get(&address)?;
            let stays = self.entitled(&address) == Some(Party::Undelivered(manual.user));
            (!stays).then_some((manual.user, address))
        };
        self.touched(decided).into_iter().filter_map(given_up).collect()
    }

    /// Decides about the parties. Everybody who is [drawn in](Self::drawn_in) must be among them.
    pub fn decide(&mut self, decided: &BTreeSet<Party>) -> BTreeMap<Party, Outcome> {
        loop {
            // Whoever would be left without an address keeps its primary. That may cost another one its last address in turn; each round
            // pins at least one more user, so this ends.
            let stranded: Vec<_> = decided
                .iter()
                .filter_map(|party| {
                    let holder = self.sides.get(party)?.holder.as_ref()?;
                    let primary = &holder.present.primary;
                    (self.addresses(party).is_none() && !self.pinned.contains_key(primary))
                        .then(|| (primary.clone(), party.clone()))
                })
                .collect();
            if stranded.is_empty() {
                break;
            }
            self.pinned.extend(stranded);
        }
        decided.iter().filter_map(|party| Some((party.clone(), self.outcome(party)?))).collect()
    }

    fn outcome(&self, party: &Party) -> Option<Outcome> {
        let side = self.sides.get(party)?;
        let desired = self.addresses(party).map(|addresses| {
            let (name, sign_in_blocked) = match (&side.person, &side.holder) {
                (Some(person), _) => (person.name.clone(), person.sign_in_blocked),
                (None, Some(holder)) => (holder.present.display_name.clone(), holder.present.sign_in_blocked),
                (None, None) => (String::new(), false),
            };
            let display_name = if name.is_empty() { addresses.primary.to_string() } else { name };
            Desired { display_name, primary: addresses.primary, aliases: addresses.aliases, sign_in_blocked }
        });
        let present = side.holder.as_ref().map(|holder| &holder.present);
        let changes = match (&desired, present) {
            (Some(desired), Some(present)) => domain::plan::differs(present, desired),
            (Some(_), None) => true,
            (None, _) => false,
        };
        let lost = side.person.iter().flat_map(|person| {
            std::iter::once(&person.addresses.primary).chain(&person.addresses.aliases).filter_map(
                |address| {
                    let to = self.entitled(address).filter(|entitled| entitled != party)?;
                    Some(Lost { address: address.clone(), to: self.shown(&to) })
                },
            )
        });
        Some(Outcome {
            user: side.holder.as_ref().map(|holder| holder.user),
            changes,
            lost: lost.collect(),
            desired,
        })
    }

    /// The addresses that a party ends with; `None` when none is left for it.
    fn addresses(&self, party: &Party) -> Option<Addresses> {
        let side = self.sides.get(party)?;
        let mine = |address: &&Address| self.entitled(address).as_ref() == Some(party);
        let (primary, wanted) = match (&side.person, &side.holder) {
            (Some(person), holder) => {
                // The order of the product's rules: what the directory calls the primary, the principal name, the first alias that is won.
                let order = std::iter::once(&person.addresses.primary)
                    .chain(&person.principal)
                    .chain(&person.addresses.aliases)
                    .chain(holder.iter().map(|holder| &holder.present.primary));
                (order.into_iter().find(mine)?, &person.addresses.aliases)
            }
            (None, Some(holder)) => (holder.held().find(mine)?, &holder.present.aliases),
            (None, None) => return None,
        };
        let aliases = wanted.iter().filter(|alias| *alias != primary).filter(mine).cloned().collect();
        Some(Addresses { primary: primary.clone(), aliases })
    }

    /// Who the address goes to.
    fn entitled(&self, address: &Address) -> Option<Party> {
        self.pinned.get(address).cloned().or_else(|| self.unpinned(address).0)
    }

    /// Who the address goes to by the rules alone, and whether anybody really claims it (a principal name is only a reserve).
    fn unpinned(&self, address: &Address) -> (Option<Party>, bool) {
        let holder = self.holders.get(address);
        let mut parties = Vec::new();
        let mut claims = Vec::new();
        for (party, rank) in self.claims.get(address).into_iter().flatten() {
            let number = i64::try_from(parties.len()).unwrap_or(i64::MAX);
            claims.push(Claim {
                claimant: Claimant::Delivered(number),
                rank: *rank,
                holds: holder == Some(party),
                manual: false,
            });
            parties.push(party.clone());
        }
        let mut undelivered = |user, rank, manual| {
            claims.push(Claim { claimant: Claimant::Undelivered(user), rank, holds: true, manual });
        };
        match (self.manual.get(address), holder) {
            // The rules let a directory's primary take it; that waits for an administrator.
            (Some(Manual { user, rank: Rank::Primary }), _) => {
                return (Some(Party::Undelivered(*user)), true);
            }
            (Some(Manual { user, rank: Rank::Alias }), _) => undelivered(*user, Rank::Alias, true),
            (None, Some(party @ Party::Undelivered(user))) => {
                let standing = self.sides.get(party).and_then(|side| side.holder.as_ref());
                let primary = standing.is_some_and(|standing| standing.present.primary == *address);
                undelivered(*user, if primary { Rank::Primary } else { Rank::Alias }, false);
            }
            (None, _) => {}
        }
        match winner(&claims).map(|claim| claim.claimant) {
            Some(Claimant::Delivered(number)) => {
                (usize::try_from(number).ok().and_then(|number| parties.get(number).cloned()), true)
            }
            Some(Claimant::Undelivered(user)) => (Some(Party::Undelivered(user)), true),
            None => (self.fallbacks.get(address).and_then(|parties| parties.first().cloned()), false),
        }
    }

    fn shown(&self, party: &Party) -> String {
        let Some(side) = self.sides.get(party) else { return "a Manual user".to_owned() };
        match (&side.person, &side.holder) {
            (Some(person), _) => format!("{} (directory id {})", person.shown(), person.external_id),
            (None, Some(holder)) => format!("{} (not delivered)", holder.present.display_name),
            (None, None) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(&format!("{text}@contoso.com")).unwrap()
    }

    fn person(id: &str, primary: &str, aliases: &[&str]) -> Person {
        Person {
            external_id: id.to_owned(),
            name: id.to_uppercase(),
            addresses: Addresses {
                primary: address(primary),
                aliases: aliases.iter().map(|alias| address(alias)).collect(),
            },
            principal: None,
            sign_in_blocked: false,
        }
    }

    fn present(name: &str, primary: &str, aliases: &[&str]) -> Present {
        Present {
            display_name: name.to_owned(),
            primary: address(primary),
            aliases: aliases.iter().map(|alias| address(alias)).collect(),
            sign_in_blocked: false,
        }
    }

    fn delivered(id: &str) -> Party {
        Party::Delivered(id.to_owned())
    }

    /// Decides about `first` and everybody who is drawn in.
    fn settle(scene: &mut Scene, first: impl IntoIterator<Item = Party>) -> BTreeMap<Party, Outcome> {
        let mut decided: BTreeSet<_> = first.into_iter().collect();
        loop {
            let drawn = scene.drawn_in(&decided);
            if drawn.is_empty() {
                return scene.decide(&decided);
            }
            decided.extend(drawn);
        }
    }

    fn primary(outcome: &Outcome) -> Option<&str> {
        outcome.desired.as_ref().map(|desired| desired.primary.as_str())
    }

    #[test]
    fn an_alias_moves_and_the_one_who_loses_it_is_decided_as_well() {
        let mut scene = Scene::default();
        scene.add_person(person("a", "a", &[]));
        scene.add_person(person("b", "b", &["shared"]));
        let (a, b) = (present("A", "a", &["shared"]), present("B", "b", &[]));
        scene.add_holder(delivered("a"), Holder { user: 1, present: a });
        scene.add_holder(delivered("b"), Holder { user: 2, present: b });
        let outcomes = settle(&mut scene, [delivered("b")]);
        assert_eq!(outcomes[&delivered("a")].desired.as_ref().unwrap().aliases, []);
        assert_eq!(outcomes[&delivered("b")].desired.as_ref().unwrap().aliases, [address("shared")]);
        assert!(outcomes.values().all(|outcome| outcome.changes && outcome.lost.is_empty()));
    }

    #[test]
    fn primaries_can_be_swapped() {
        let mut scene = Scene::default();
        scene.add_person(person("a", "y", &[]));
        scene.add_person(person("b", "x", &[]));
        scene.add_holder(delivered("a"), Holder { user: 1, present: present("A", "x", &[]) });
        scene.add_holder(delivered("b"), Holder { user: 2, present: present("B", "y", &[]) });
        let outcomes = settle(&mut scene, [delivered("a")]);
        assert_eq!(primary(&outcomes[&delivered("a")]), Some("y@contoso.com"));
        assert_eq!(primary(&outcomes[&delivered("b")]), Some("x@contoso.com"));
    }

    #[test]
    fn who_loses_the_primary_falls_back_to_the_principal_name_then_to_an_alias_then_to_nothing() {
        let mut scene = Scene::default();
        scene.add_person(person("a", "x", &[]));
        scene.add_person(Person { principal: Some(address("upn")), ..person("b", "x", &["b"]) });
        scene.add_person(person("c", "x", &["c"]));
        scene.add_person(person("d", "x", &[]));
        let outcomes = settle(&mut scene, ["a", "b", "c", "d"].map(delivered));
        assert_eq!(primary(&outcomes[&delivered("a")]), Some("x@contoso.com"));
        assert_eq!(primary(&outcomes[&delivered("b")]), Some("upn@contoso.com"));
        assert_eq!(primary(&outcomes[&delivered("c")]), Some("c@contoso.com"));
        assert_eq!(primary(&outcomes[&delivered("d")]), None);
        let lost = &outcomes[&delivered("d")].lost;
        assert_eq!(lost, &[Lost { address: address("x"), to: "A (directory id a)".to_owned() }]);
    }

    #[test]
    fn a_principal_name_that_somebody_claims_is_no_fallback() {
        let mut scene = Scene::default();
        scene.add_person(person("a", "x", &["upn"]));
        scene.add_person(Person { principal: Some(address("upn")), ..person("b", "x", &[]) });
        let outcomes = settle(&mut scene, [delivered("b"), delivered("a")]);
        assert_eq!(outcomes[&delivered("b")].desired, None);
    }

    #[test]
    fn a_user_who_is_not_delivered_gives_up_an_alias_and_keeps_its_last_address() {
        let mut scene = Scene::default();
        let gone = Party::Undelivered(9);
        scene.add_holder(gone.clone(), Holder { user: 9, present: present("Gone", "p", &["q"]) });
        scene.add_person(person("a", "a", &["q"]));
        let outcomes = settle(&mut scene, [delivered("a")]);
        assert_eq!(outcomes[&gone].desired, Some(present("Gone", "p", &[])));

        scene.add_person(person("b", "b", &["p"]));
        let outcomes = settle(&mut scene, [delivered("a"), delivered("b")]);
        assert_eq!(outcomes[&gone].desired, Some(present("Gone", "p", &[])));
        assert_eq!(outcomes[&delivered("b")].lost[0].to, "Gone (not delivered)");
    }

    #[test]
    fn a_primary_that_a_manual_user_has_stays_there_and_its_alias_goes() {
        let mut scene = Scene::default();
        scene.add_manual(9, address("p"), Rank::Primary);
        scene.add_manual(9, address("q"), Rank::Alias);
        scene.add_person(person("a", "p", &["q"]));
        let outcomes = settle(&mut scene, [delivered("a")]);
        assert_eq!(primary(&outcomes[&delivered("a")]), Some("q@contoso.com"));
        assert_eq!(outcomes[&delivered("a")].lost[0].to, "a Manual user");
        assert_eq!(scene.taken_from_manual(&BTreeSet::from([delivered("a")])), [(9, address("q"))]);
    }

    #[test]
    fn whoever_would_lose_its_last_address_keeps_it_even_when_delivered() {
        // "a" had x, now wants y (which "b" holds) and x as an alias only; "c" wants x as its primary.
        let mut scene = Scene::default();
        scene.add_person(person("a", "y", &["x"]));
        scene.add_person(person("b", "y", &[]));
        scene.add_person(person("c", "x", &["c"]));
        scene.add_holder(delivered("a"), Holder { user: 1, present: present("A", "x", &[]) });
        scene.add_holder(delivered("b"), Holder { user: 2, present: present("B", "y", &[]) });
        let outcomes = settle(&mut scene, [delivered("c")]);
        assert_eq!(primary(&outcomes[&delivered("a")]), Some("x@contoso.com"));
        assert_eq!(primary(&outcomes[&delivered("c")]), Some("c@contoso.com"));
    }

    /// A portal in memory: planning it in chunks must end alike whatever the chunks are.
    mod order {
        use proptest::prelude::*;

        use super::*;

        #[derive(Clone, Debug, Default)]
        struct Portal {
            mirror: Vec<Person>,
            users: BTreeMap<String, Present>,
            numbers: HashMap<String, i64>,
        }

        impl Portal {
            fn scene(&self) -> Scene {
                let mut scene = Scene::default();
                for person in &self.mirror {
                    scene.add_person(person.clone());
                }
                for (id, present) in &self.users {
                    let user = self.numbers[id];
                    let known = self.mirror.iter().any(|person| person.external_id == *id);
                    let party = if known { delivered(id) } else { Party::Undelivered(user) };
                    scene.add_holder(party, Holder { user, present: present.clone() });
                }
                scene
            }

            fn plan(&mut self, chunks: &[Vec<String>]) {
                for chunk in chunks {
                    let outcomes = settle(&mut self.scene(), chunk.iter().map(|id| delivered(id)));
                    for (party, outcome) in outcomes {
                        let Some(desired) = outcome.desired else {
                            assert!(outcome.user.is_none(), "a user lost its last address");
                            continue;
                        };
                        let id = match party {
                            Party::Delivered(id) => id,
                            Party::Undelivered(user) => {
                                self.numbers.iter().find(|(_, number)| **number == user).unwrap().0.clone()
                            }
                        };
                        let next = i64::try_from(self.numbers.len()).unwrap();
                        self.numbers.entry(id.clone()).or_insert(next);
                        self.users.insert(id, desired);
                    }
                    self.assert_each_address_once();
                }
            }

            fn assert_each_address_once(&self) {
                let mut seen = HashSet::new();
                for present in self.users.values() {
                    for address in std::iter::once(&present.primary).chain(&present.aliases) {
                        assert!(seen.insert(address.clone()), "{address} is held twice");
                    }
                }
            }

            fn seen(&self) -> BTreeMap<String, (Address, BTreeSet<Address>)> {
                let of = |p: &Present| (p.primary.clone(), p.aliases.iter().cloned().collect());
                self.users.iter().map(|(id, present)| (id.clone(), of(present))).collect()
            }
        }

        fn people() -> impl Strategy<Value = Vec<Person>> {
            let name = || prop::sample::select(vec!["p", "q", "r", "s", "t", "u", "v"]);
            let one = (name(), prop::collection::vec(name(), 0..3), prop::option::of(name()));
            prop::collection::btree_map("[a-h]", one, 1..8).prop_map(|people| {
                people
                    .into_iter()
                    .map(|(id, (primary, aliases, principal))| {
                        let mut person = person(&id, primary, &[]);
                        let mut seen = HashSet::from([address(primary)]);
                        let aliases = aliases.into_iter().map(address).filter(|a| seen.insert(a.clone()));
                        person.addresses.aliases = aliases.collect();
                        person.principal =
                            principal.map(address).filter(|name| *name != person.addresses.primary);
                        person
                    })
                    .collect()
            })
        }

        fn chunked(people: &[Person], size: usize, backwards: bool) -> Vec<Vec<String>> {
            let mut ids: Vec<_> = people.iter().map(|person| person.external_id.clone()).collect();
            if backwards {
                ids.reverse();
            }
            ids.chunks(size).map(<[String]>::to_vec).collect()
        }

        proptest! {
            #[test]
            fn chunks_and_order_do_not_matter_and_planning_again_changes_nothing(
                first in people(), second in people(), size in 1_usize..9, backwards: bool,
            ) {
                let mut whole = Portal { mirror: first.clone(), ..Portal::default() };
                let mut pieces = whole.clone();
                whole.plan(&chunked(&first, 8, false));
                pieces.plan(&chunked(&first, size, backwards));
                prop_assert_eq!(whole.seen(), pieces.seen());

                // A second read: other wishes, other people; who is not read any more stays.
                whole.mirror = second.clone();
                let mut pieces = whole.clone();
                whole.plan(&chunked(&second, 8, false));
                pieces.plan(&chunked(&second, size, backwards));
                prop_assert_eq!(whole.seen(), pieces.seen());

                let before = whole.seen();
                whole.plan(&chunked(&second, size, !backwards));
                prop_assert_eq!(before, whole.seen());
            }
        }
    }
}
