//! Who gets which address, decided for a handful of people at once: the part of the plan that looks at several objects together.
//!
//! An address belongs to one user. [`domain::plan::winner`] says to whom an address goes when several claim it; a [`Scene`] holds everybody
//! who has a part in the decision (the people of a chunk, every other claimant of their addresses, and the portal's users that hold them
//! now) and turns those single decisions into whole users. It promises:
//!
//! - the result depends on who claims what and on who holds what, never on the order in which objects were read or are decided;
//! - whoever gains or loses one of the addresses is decided together with the one who causes it ([`Scene::drawn_in`]), so that no address
//!   is held twice and no user is left half changed;
//! - somebody who is delivered is never left without an address: one that would lose its last address keeps its primary, and the claimant
//!   goes without. Somebody who is not delivered (in conflict, deactivated, held) loses what somebody delivered claims, to the last address.

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
    /// Somebody else has all its addresses; those in `present` are the last known ones.
    pub address_lost: bool,
}

impl Holder {
    /// The addresses it holds, the primary first.
    pub fn held(&self) -> impl Iterator<Item = &Address> {
        let all = std::iter::once(&self.present.primary).chain(&self.present.aliases);
        all.filter(|_| !self.address_lost)
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
    /// What should stand in the portal; `None` when no address is left for it.
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

    /// Adds an address of a user that is never decided about. A Manual user keeps its primary (taking it over waits for an administrator), and
    /// an alias that a directory claims is simply [taken from it](Self::taken_from_manual). A user that an exception keeps as it is has
    /// the rank of a primary for all its addresses.
    pub fn add_manual(&mut self, user: i64, address: Address, rank: Rank) {
        self.manual.insert(address, Manual { user, rank });
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
            // A person with a user who would be left without an address keeps its primary. That may cost another one its last address in
            // turn; each round pins at least one more user, so this ends.
            let stranded: Vec<_> = decided
                .iter()
                .filter_map(|party| {
                    let side = self.sides.get(party)?;
                    let holder = side.holder.as_ref().filter(|_| side.person.is_some())?;
                    let primary = holder.held().next()?;
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
        let lost_all = side.holder.as_ref().is_some_and(|holder| holder.address_lost);
        let changes = match (&desired, present) {
            (Some(desired), Some(present)) => lost_all || domain::plan::differs(present, desired),
            (Some(_), None) => true,
            (None, Some(_)) => !lost_all,
            (None, None) => false,
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
        let Some(side) = self.sides.get(party) else {
            return "somebody whom the sync does not touch".to_owned();
        };
        match (&side.person, &side.holder) {
            (Some(person), _) => format!("{} (directory id {})", person.shown(), person.external_id),
            (None, Some(holder)) => format!("{} (not delivered)", holder.present.display_name),
            (None, None) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests;
