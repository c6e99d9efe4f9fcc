//! The reference: which groups the portal has.

use std::collections::BTreeSet;

use domain::{
    Timestamp,
    address::Address,
    guard::{Decision, Guarded},
};

use crate::{
    portal::{Group, Object, Portal, Rules},
    sync::{Counts, count},
    tenant::Tenant,
};

/// Brings the groups in line, after the users: a user beats a group.
pub fn sync(portal: &mut Portal, tenant: &Tenant, rules: &Rules, now: Timestamp, counts: &mut Counts) {
    let is_in = |id: &String| {
        let Some(group) = tenant.groups.get(id) else { return false };
        let managed = group.address.as_ref().is_none_or(|address| rules.managed.contains(address));
        managed && !rules.excepted_groups.contains(id)
    };
    let leaving: Vec<String> = portal.groups.keys().filter(|id| !is_in(id)).cloned().collect();
    let decision = |portal: &Portal, id: &String| {
        portal.decision(Guarded::Group, &Object::Group(id.clone())).unwrap_or_default()
    };
    let guarded = leaving.iter().filter(|id| !rules.excepted_groups.contains(*id));
    let new = count(guarded.filter(|id| decision(portal, id) == Decision::Waiting));
    let hold = rules.guard.holds(portal.recent(Guarded::Group, now), new, count(portal.groups.iter()));
    let mut unapproved = 0;
    let mut renewed = BTreeSet::new();
    for id in leaving {
        let object = (Guarded::Group, Object::Group(id.clone()));
        let by_exception = rules.excepted_groups.contains(&id);
        match decision(portal, &id) {
            _ if by_exception => {}
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
        portal.held.remove(&object);
        let group = portal.groups.remove(&id).unwrap();
        portal.group_bin.insert(id, group);
        counts.groups_deleted += 1;
    }
    portal.note(Guarded::Group, false, unapproved, now);

    // Those who have an address keep it before others may have it.
    let mut staying: Vec<&String> = tenant.groups.keys().filter(|id| is_in(id)).collect();
    let has = |portal: &Portal, id: &String| portal.groups.get(id).and_then(|group| group.address.clone());
    staying.sort_by_key(|id| has(portal, id).is_none() || has(portal, id) != tenant.groups[*id].address);
    let mut taken: BTreeSet<Address> = portal.users.iter().flat_map(|user| user.held()).collect();
    taken.extend(
        portal.groups.iter().filter(|(id, _)| !is_in(id)).filter_map(|(_, group)| group.address.clone()),
    );
    for id in staying {
        portal.held.remove(&(Guarded::Group, Object::Group(id.clone())));
        let group = &tenant.groups[id];
        let address = group.address.clone().filter(|address| taken.insert(address.clone()));
        let name = Some(group.name.trim()).filter(|name| !name.is_empty()).unwrap_or(id).to_owned();
        let before = portal.groups.get(id);
        let public_id = before.map(|before| before.public_id);
        let back = portal.group_bin.remove(id);
        let public_id = public_id.or_else(|| back.map(|group| group.public_id)).flatten();
        let after = Group { public_id, name, address, kind: group.kind };
        counts.groups_added += i64::from(before.is_none());
        counts.groups_updated += i64::from(before.is_some_and(|before| *before != after));
        portal.groups.insert(id.clone(), after);
    }
    portal.held.retain(|object, decision| {
        object.0 != Guarded::Group || *decision != Decision::Waiting || renewed.contains(object)
    });
}
