//! The reference: who gets which address, by the sentences of the product.

use std::collections::{BTreeMap, BTreeSet};

use domain::address::Address;

use crate::portal::User;

/// What a person whom the rules let in wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub primary: Address,
    pub aliases: Vec<Address>,
    /// What it falls back to when the primary is somebody else's.
    pub principal: Option<Address>,
    pub name: Option<String>,
    pub blocked: bool,
}

impl Wanted {
    /// Exactly what the user has: for one that stays as delivered.
    pub fn as_it_stands(user: &User) -> Self {
        Self {
            primary: user.primary.clone(),
            aliases: user.aliases.iter().cloned().collect(),
            principal: None,
            name: Some(user.name.clone()),
            blocked: user.blocked,
        }
    }
}

/// Who ends with which addresses: the primary and the aliases. Whoever ends with none is missing here.
#[derive(Default)]
pub struct Won {
    /// By the directory's id.
    pub delivered: BTreeMap<String, (Address, BTreeSet<Address>)>,
    /// By the portal's number.
    pub undelivered: BTreeMap<i64, (Address, BTreeSet<Address>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    Delivered(String),
    Undelivered(i64),
    Kept,
}

/// Gives each address to one of those who want or have it. `behind` says who stands behind a user: somebody, nobody (`Some(None)`), or that the
/// user is not touched (`None`).
pub fn settle(
    wanted: &BTreeMap<String, Wanted>,
    users: &[User],
    behind: &dyn Fn(&User) -> Option<Option<String>>,
) -> Won {
    let party = |user: &User| match behind(user) {
        Some(Some(id)) => Party::Delivered(id),
        Some(None) => Party::Undelivered(user.number),
        None => Party::Kept,
    };
    let holders: BTreeMap<Address, Party> = users
        .iter()
        .flat_map(|user| user.held().into_iter().map(|address| (address, party(user))).collect::<Vec<_>>())
        .collect();
    let mut pinned: BTreeMap<Address, String> = BTreeMap::new();
    loop {
        let won = round(wanted, users, &party, &holders, &pinned);
        // Nobody who is delivered loses the last address: such a user keeps its primary, and the other goes without.
        let mut stranded = BTreeMap::new();
        for user in users {
            if let Party::Delivered(id) = party(user)
                && !user.lost
                && !won.delivered.contains_key(&id)
                && !pinned.contains_key(&user.primary)
            {
                stranded.insert(user.primary.clone(), id);
            }
        }
        if stranded.is_empty() {
            return won;
        }
        pinned.extend(stranded);
    }
}

fn round(
    wanted: &BTreeMap<String, Wanted>,
    users: &[User],
    party: &dyn Fn(&User) -> Party,
    holders: &BTreeMap<Address, Party>,
    pinned: &BTreeMap<Address, String>,
) -> Won {
    let goes_to = |address: &Address| -> Option<Party> {
        if let Some(id) = pinned.get(address) {
            return Some(Party::Delivered(id.clone()));
        }
        let holder = holders.get(address);
        if holder == Some(&Party::Kept) {
            return Some(Party::Kept);
        }
        let as_primary = wanted.iter().filter(|(_, person)| person.primary == *address);
        let as_alias = wanted.iter().filter(|(_, person)| person.aliases.contains(address));
        for claims in [as_primary.map(|(id, _)| id).collect::<Vec<_>>(), as_alias.map(|(id, _)| id).collect()]
        {
            // The holder keeps it; among newcomers, the order of the directory's ids decides.
            let holding = claims.iter().find(|id| holder == Some(&Party::Delivered((**id).clone())));
            if let Some(id) = holding.or(claims.first()) {
                return Some(Party::Delivered((*id).clone()));
            }
        }
        if let Some(Party::Undelivered(number)) = holder {
            return Some(Party::Undelivered(*number));
        }
        let in_reserve = wanted.iter().find(|(_, person)| person.principal.as_ref() == Some(address));
        in_reserve.map(|(id, _)| Party::Delivered(id.clone()))
    };
    let mut won = Won::default();
    for (id, person) in wanted {
        let mine = |address: &&Address| goes_to(address) == Some(Party::Delivered(id.clone()));
        let user = users.iter().find(|user| party(user) == Party::Delivered(id.clone()));
        let order = std::iter::once(&person.primary)
            .chain(&person.principal)
            .chain(&person.aliases)
            .chain(user.map(|user| &user.primary));
        let Some(primary) = order.into_iter().find(mine) else { continue };
        let aliases = person.aliases.iter().filter(|alias| *alias != primary).filter(mine).cloned().collect();
        won.delivered.insert(id.clone(), (primary.clone(), aliases));
    }
    for user in users {
        let me = party(user);
        if !matches!(me, Party::Undelivered(_)) {
            continue;
        }
        let mut left = user.held().into_iter().filter(|address| goes_to(address).as_ref() == Some(&me));
        if let Some(primary) = left.next() {
            won.undelivered.insert(user.number, (primary, left.collect()));
        }
    }
    won
}
