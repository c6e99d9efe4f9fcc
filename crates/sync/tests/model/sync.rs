//! The reference: what a complete sync makes of the portal. Everybody is looked at every time, in the order in which the product's rules
//! stand, with nothing remembered but the portal itself.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    address::Address,
    conflict::{Conflict, Reason, State},
    guard::{Decision, Guarded},
};

use crate::{
    addresses::{Wanted, settle},
    portal::{Addition, Object, Portal, Rules, User},
    tenant::{Person, Tenant},
};

/// What the run is to have counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub added: i64,
    pub updated: i64,
    pub missing: i64,
    pub restored: i64,
    pub deleted: i64,
    pub held: i64,
    pub groups_added: i64,
    pub groups_updated: i64,
    pub groups_deleted: i64,
}

impl Counts {
    pub fn is_quiet(&self) -> bool {
        *self == Self { held: self.held, ..Self::default() }
    }
}

/// What stands behind a portal user in this sync.
enum Behind {
    /// The person with that id.
    Delivered(String),
    /// Nobody: why, unless the user never was the directory's.
    Nobody(Option<Reason>),
    /// An exception keeps the user as it is.
    Kept,
}

/// Whom the rules let in, and why the others are out.
fn admit(person: &Person, id: &str, portal: &Portal, rules: &Rules) -> Result<Wanted, Reason> {
    if rules.excepted_users.contains_key(id) {
        return Err(Reason::Exception);
    }
    let Some(primary) = &person.primary else { return Err(Reason::OutsideManagedDomains) };
    let mut aliases: Vec<Address> = person.aliases.clone();
    let added = portal.additions.iter().any(|(address, addition)| match &addition.external_id {
        Some(found) => found == id,
        None => address == primary || aliases.contains(address),
    });
    aliases.retain(|alias| rules.managed.contains(alias));
    let principal = person.principal.clone().filter(|principal| rules.managed.contains(principal));
    let primary = if rules.managed.contains(primary) {
        primary.clone()
    } else {
        aliases.retain(|alias| !rules.excepted_aliases.contains(alias));
        let Some(first) = aliases.first().cloned() else { return Err(Reason::OutsideManagedDomains) };
        principal.clone().unwrap_or(first)
    };
    aliases.retain(|alias| *alias != primary && !rules.excepted_aliases.contains(alias));
    if !added && !person.enabled && !rules.include_disabled {
        return Err(Reason::DisabledInDirectory);
    }
    if !added && !rules.departments.is_empty() && !rules.departments.contains(&person.department.as_str()) {
        return Err(Reason::FilteredOut);
    }
    let principal = principal.filter(|principal| *principal != primary);
    let name = if person.name.trim().is_empty() { None } else { Some(person.name.trim().to_owned()) };
    Ok(Wanted { primary, aliases, principal, name, blocked: !person.enabled })
}

fn same_name(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Brings the portal in line with the directory.
pub fn sync(portal: &mut Portal, tenant: &Tenant, rules: &Rules, now: Timestamp) -> Counts {
    let mut counts = Counts::default();
    for conflict in portal.users.iter_mut().filter_map(|user| user.conflict.as_mut()) {
        end_ignore(conflict, now);
    }

    let mut wanted: BTreeMap<String, Wanted> = BTreeMap::new();
    let mut out: BTreeMap<&str, Reason> = BTreeMap::new();
    for (id, person) in &tenant.people {
        match admit(person, id, portal, rules) {
            Ok(person) => drop(wanted.insert(id.clone(), person)),
            Err(reason) => drop(out.insert(id, reason)),
        }
    }
    let mut behind: BTreeMap<i64, Behind> = BTreeMap::new();
    let mut dismissed = BTreeSet::new();
    for user in &portal.users {
        let Some(id) = &user.external_id else {
            behind.insert(user.number, Behind::Nobody(None));
            continue;
        };
        let absence =
            if rules.excepted_users.contains_key(id) { Reason::Exception } else { Reason::NotInDirectory };
        let is_dismissed = user.conflict.is_none()
            && portal.decision(Guarded::Removal, &Object::User(user.number)) == Some(Decision::Dismissed);
        let stands = if rules.excepted_users.get(id) == Some(&true) {
            Behind::Kept
        } else if wanted.contains_key(id) {
            Behind::Delivered(id.clone())
        } else if is_dismissed {
            dismissed.insert(id.clone());
            wanted.insert(id.clone(), Wanted::as_it_stands(user));
            Behind::Delivered(id.clone())
        } else {
            Behind::Nobody(Some(out.get(id.as_str()).copied().unwrap_or(absence)))
        };
        behind.insert(user.number, stands);
    }
    let undecided = |portal: &Portal, user: &User| {
        let decision = portal.decision(Guarded::Removal, &Object::User(user.number));
        user.conflict.is_none() && decision.unwrap_or_default() == Decision::Waiting
    };
    let delivered = count(portal.users.iter().filter(|user| user.conflict.is_none()));

    let rivals = match_newcomers(portal, tenant, &wanted, &mut behind);

    // What would go without anybody's approval.
    let removed =
        |user: &&User| matches!(behind[&user.number], Behind::Nobody(Some(_))) && undecided(portal, user);
    let new = count(portal.users.iter().filter(removed));
    let hold = rules.guard.holds(portal.recent(Guarded::Removal, now), new, delivered);

    let won = settle(&wanted, &portal.users, &|user| match &behind[&user.number] {
        Behind::Delivered(id) => Some(Some(id.clone())),
        Behind::Nobody(_) => Some(None),
        Behind::Kept => None,
    });

    let mut unapproved = 0;
    let mut renewed = BTreeSet::new();
    for user in &mut portal.users {
        let object = (Guarded::Removal, Object::User(user.number));
        let before = user.clone();
        match &behind[&user.number] {
            Behind::Kept => {}
            Behind::Delivered(id) => {
                if !dismissed.contains(id) {
                    portal.held.remove(&object);
                    portal.held.remove(&(Guarded::Deletion, object.1));
                }
                let Some(addresses) = won.delivered.get(id) else { continue };
                let person = &wanted[id];
                user.external_id = Some(id.clone());
                user.name = person.name.clone().unwrap_or_else(|| addresses.0.to_string());
                (user.primary, user.aliases) = addresses.clone();
                user.lost = false;
                user.blocked = person.blocked;
                if let Some(conflict) = user.conflict.take() {
                    counts.restored += 1;
                    user.service_on |= conflict.state == State::Deactivated && !conflict.stay_inactive;
                } else {
                    counts.updated += i64::from(*user != before);
                }
            }
            Behind::Nobody(reason) => {
                match won.undelivered.get(&user.number) {
                    Some(addresses) => (user.primary, user.aliases) = addresses.clone(),
                    None => {
                        user.lost = true;
                        user.aliases.clear();
                    }
                }
                match (&mut user.conflict, reason) {
                    (_, None) => {}
                    (Some(conflict), Some(reason)) => conflict.reason = *reason,
                    (None, Some(reason)) => {
                        let approved = portal.held.get(&object) == Some(&Decision::Approved);
                        if approved || !hold {
                            unapproved += i64::from(!approved);
                            user.conflict = Some(Conflict::opened(*reason, now));
                            portal.held.remove(&object);
                            counts.missing += 1;
                        } else {
                            portal.held.entry(object.clone()).or_default();
                            renewed.insert(object);
                            counts.held += 1;
                        }
                    }
                }
                // Who is left out for want of an address is nobody's rival. Who was held may have lost the address to somebody meanwhile.
                let rival =
                    rivals.get(&user.number).filter(|id| won.delivered.contains_key(*id)).or_else(|| {
                        let late = before.lost && before.conflict.is_none();
                        wanted
                            .iter()
                            .find(|(_, person)| late && person.primary == before.primary)
                            .map(|(id, _)| id)
                    });
                let has_left = matches!(reason, Some(Reason::NotInDirectory));
                if let (Some(conflict), Some(rival)) = (&mut user.conflict, rival.filter(|_| has_left)) {
                    conflict.rival = Some(rival.clone());
                }
                let opened = before.conflict.is_none() && user.conflict.is_some();
                counts.updated += i64::from(*user != before && !opened);
            }
        }
    }
    portal.note(Guarded::Removal, false, unapproved, now);
    portal.held.retain(|object, decision| {
        object.0 != Guarded::Removal || *decision != Decision::Waiting || renewed.contains(object)
    });

    welcome(portal, &wanted, &won.delivered, &mut counts);
    for (address, addition) in &mut portal.additions {
        find(address, addition, &wanted, &won.delivered);
    }
    crate::groups::sync(portal, tenant, rules, now, &mut counts);
    delete_due(portal, rules, now, &mut counts);
    counts
}

pub fn count<T>(of: impl Iterator<Item = T>) -> i64 {
    i64::try_from(of.count()).unwrap()
}

/// The clock of an Ignore starts on its date.
pub fn end_ignore(conflict: &mut Conflict, now: Timestamp) {
    if conflict.state == State::Ignored
        && let Some(until) = conflict.ignored_until.filter(|until| *until <= now)
    {
        conflict.state = State::Pending;
        conflict.clock_from = until;
        conflict.ignored_until = None;
    }
}

/// Whether somebody without a user is one of the users that nobody stands behind. Answers who has the address of whom under another name.
fn match_newcomers(
    portal: &Portal,
    tenant: &Tenant,
    wanted: &BTreeMap<String, Wanted>,
    behind: &mut BTreeMap<i64, Behind>,
) -> BTreeMap<i64, String> {
    let mut rivals = BTreeMap::new();
    let mut asked: BTreeMap<&Address, &String> = BTreeMap::new();
    for (id, person) in wanted {
        let known = portal.of_directory(id).is_some();
        let deleted = portal.bin.iter().any(|deleted| deleted.user.external_id.as_ref() == Some(id));
        if known || deleted {
            continue;
        }
        asked.entry(&person.primary).or_insert(id);
        for alias in &person.aliases {
            let awaited = portal.additions.get(alias).is_some_and(|addition| addition.external_id.is_none());
            if awaited {
                asked.entry(alias).or_insert(id);
            }
        }
    }
    let mut users: Vec<&User> = portal.users.iter().collect();
    users.sort_by_key(|user| user.number);
    for user in users {
        let known = user.conflict.is_some() || !user.lost;
        let Some(id) = asked.get(&user.primary).filter(|_| known) else { continue };
        let absent = match &user.external_id {
            None => true,
            Some(own) => {
                matches!(behind[&user.number], Behind::Nobody(_)) && !tenant.people.contains_key(own)
            }
        };
        let taken = behind.values().any(|behind| matches!(behind, Behind::Delivered(taken) if taken == *id));
        if !absent || taken {
            continue;
        }
        let person = &wanted[*id];
        let shown = person.name.clone().unwrap_or_else(|| person.primary.to_string());
        if user.external_id.is_none() || same_name(&user.name, &shown) {
            behind.insert(user.number, Behind::Delivered((*id).clone()));
        } else {
            rivals.insert(user.number, (*id).clone());
        }
    }
    rivals
}

type Addresses = (Address, BTreeSet<Address>);

/// Adds those who have no user yet, or brings their deleted user back.
fn welcome(
    portal: &mut Portal,
    wanted: &BTreeMap<String, Wanted>,
    won: &BTreeMap<String, Addresses>,
    counts: &mut Counts,
) {
    for (id, (primary, aliases)) in won {
        if portal.of_directory(id).is_some() {
            continue;
        }
        let person = &wanted[id];
        let at = portal.bin.iter().position(|deleted| deleted.user.external_id.as_ref() == Some(id));
        let before = at.map(|at| portal.bin.remove(at).user);
        match before {
            Some(_) => counts.restored += 1,
            None => counts.added += 1,
        }
        let provisional = portal.users.iter().map(|user| user.number).min().unwrap_or(0).min(0) - 1;
        portal.users.push(User {
            number: before.as_ref().map_or(provisional, |user| user.number),
            public_id: before.as_ref().and_then(|user| user.public_id),
            external_id: Some(id.clone()),
            name: person.name.clone().unwrap_or_else(|| primary.to_string()),
            primary: primary.clone(),
            lost: false,
            aliases: aliases.clone(),
            service_on: before.is_none_or(|user| user.service_on),
            blocked: person.blocked,
            conflict: None,
        });
    }
}

/// Links an addition to the person who has its address now.
fn find(
    address: &Address,
    addition: &mut Addition,
    wanted: &BTreeMap<String, Wanted>,
    won: &BTreeMap<String, Addresses>,
) {
    if addition.external_id.is_some() {
        return;
    }
    let has = |id: &&String| {
        won.get(*id).is_some_and(|(primary, aliases)| primary == address || aliases.contains(address))
    };
    match wanted.keys().find(has) {
        Some(id) => *addition = Addition { external_id: Some(id.clone()), reads_without: 0 },
        None => addition.reads_without += 1,
    }
}

/// Deletes whose time has come.
fn delete_due(portal: &mut Portal, rules: &Rules, now: Timestamp, counts: &mut Counts) {
    let all = count(portal.users.iter());
    let kept =
        |user: &User| user.external_id.as_ref().is_some_and(|id| rules.excepted_users.get(id) == Some(&true));
    let due: Vec<(i64, Reason)> = portal
        .users
        .iter()
        .filter(|user| !kept(user))
        .filter_map(|user| Some((user.number, user.conflict.as_ref()?)))
        .filter(|(_, conflict)| conflict.delete_on(rules.delete_after).is_some_and(|on| on <= now))
        .map(|(number, conflict)| (number, conflict.reason))
        .collect();
    let decision = |portal: &Portal, number| {
        portal.decision(Guarded::Deletion, &Object::User(number)).unwrap_or_default()
    };
    let new = count(due.iter().filter(|(number, _)| decision(portal, *number) == Decision::Waiting));
    let hold = rules.guard.holds(portal.recent(Guarded::Deletion, now), new, all);
    let mut unapproved = 0;
    let mut renewed = BTreeSet::new();
    for (number, reason) in due {
        let object = (Guarded::Deletion, Object::User(number));
        match decision(portal, number) {
            Decision::Dismissed => continue,
            Decision::Waiting if hold => {
                portal.held.insert(object.clone(), Decision::Waiting);
                renewed.insert(object);
                counts.held += 1;
                continue;
            }
            Decision::Waiting => unapproved += 1,
            Decision::Approved => {}
        }
        portal.delete(number, reason.label());
        counts.deleted += 1;
    }
    portal.note(Guarded::Deletion, false, unapproved, now);
    portal.held.retain(|object, decision| {
        object.0 != Guarded::Deletion || *decision != Decision::Waiting || renewed.contains(object)
    });
}
