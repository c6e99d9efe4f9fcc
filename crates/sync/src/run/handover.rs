//! Another tenant than before: finding the same people under other ids.
//!
//! A person is the same one when the immutable id on premises is, else when the primary address is. [`foresee`] says before the switch what it
//! would do; [`hand_over`] does it in the first run behind a complete read, before anything else is decided: each user that is found gets the
//! directory's new key and keeps its own id, its history and everything that was decided about it. So the steps behind it need not know of the
//! switch: whoever has the new key is delivered, and whoever is left has an object that is gone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use directory::entra::{Graph, NextOrDelta, PageLink};
use domain::{
    address::{Address, Addresses},
    run::{Action, ObjectKind},
    service::{Service, Source},
    settings::{EntraSettings, Organisation},
};
use serde::Deserialize;
use store::{
    Change, CustomerStore, CustomerWrite, Exception, ExceptionKind, MirrorUser, PresentUser, RunChange,
};

use super::{
    drive::{Failure, Job},
    fetch::selection_of_users,
    plan_rules::{BY_HAND, PlanRules, Verdict},
};
use crate::{Engine, SyncError};

/// What the history says of a user that was handed over.
const HANDED_OVER: &str = "the same person in the tenant that is connected now";

/// What another tenant would make of the portal's users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Foreseen {
    /// How many users would be delivered by the other tenant.
    pub stay: i64,
    /// Who would become a conflict.
    pub leaving: Vec<PresentUser>,
}

/// What is known about a person on premises.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OnPremises {
    #[serde(rename = "onPremisesImmutableId")]
    immutable_id: Option<String>,
}

/// The person's immutable id on premises; empty for none.
pub(crate) fn on_premises_id(attributes: &str) -> String {
    let read: OnPremises = serde_json::from_str(attributes).unwrap_or_default();
    read.immutable_id.map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// The address by which a person is found.
fn primary(rules: &PlanRules, row: &MirrorUser) -> Option<Address> {
    match rules.verdict(row) {
        Verdict::In(addresses) => Some(addresses.primary),
        _ => Addresses::of(&row.user).map(|addresses| addresses.primary),
    }
}

/// Reads the other tenant, and says who would stay and who would become a conflict. Nothing is written.
pub(crate) async fn foresee(
    engine: &Engine,
    customer: &CustomerStore,
    graph: &Graph,
    settings: &EntraSettings,
    organisation: Option<&Organisation>,
    managed: &[String],
) -> Result<Result<Foreseen, String>, SyncError> {
    let rules = match PlanRules::of_another_tenant(customer, settings, organisation, managed).await {
        Ok(rules) => rules,
        Err(Failure::Explained(words)) => return Ok(Err(words)),
        Err(Failure::Beneath(error)) => return Err(error),
    };
    let mut present = Vec::new();
    loop {
        let after = present.last().map_or(0, |user: &PresentUser| user.user_id);
        let page = customer.present_users(Service::Entra, after, engine.page).await?;
        if page.is_empty() {
            break;
        }
        present.extend(page);
    }
    let excepted = excepted(customer, ExceptionKind::User).await?;
    let kept: HashSet<String> = customer
        .exception_rules(Service::Entra)
        .await?
        .into_iter()
        .filter(|(kind, _, keep)| *kind == ExceptionKind::User && *keep)
        .map(|(_, object, _)| object)
        .collect();
    let (mut by_id, mut by_person, mut by_address) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut stay = vec![false; present.len()];
    for (at, user) in present.iter().enumerate() {
        by_id.insert(user.external_id.clone(), at);
        let id = user.attributes.as_deref().map(on_premises_id).unwrap_or_default();
        if !id.is_empty() {
            by_person.insert(id, at);
        }
        if !user.address_lost && !user.in_conflict {
            by_address.insert(user.primary_address.clone(), at);
        }
        if let Some(stay) = stay.get_mut(at) {
            *stay = kept.contains(&user.external_id);
        }
    }
    let mut link = PageLink::First { select: selection_of_users(rules.filter_properties()) };
    loop {
        let page = match graph.users_page(&link).await {
            Ok(page) => page,
            Err(error) => return Ok(Err(format!("{} {}", error.headline(), error.remedy()))),
        };
        for user in page.users {
            let row = MirrorUser { id: 0, gone: false, user };
            let address = primary(&rules, &row);
            let person = on_premises_id(&row.user.attributes);
            let found = by_id
                .get(&row.user.external_id)
                .or_else(|| by_person.get(&person))
                .or_else(|| address.as_ref().and_then(|address| by_address.get(address.as_str())));
            let left_out = address.as_ref().is_some_and(|address| excepted.contains_key(address.as_str()));
            if let Some(stay) = found.and_then(|at| stay.get_mut(*at)) {
                *stay |= !left_out && matches!(rules.verdict(&row), Verdict::In(_));
            }
        }
        match page.next {
            NextOrDelta::Next(next) => link = PageLink::Next(next),
            NextOrDelta::Delta(_) => break,
        }
    }
    let mut foreseen = Foreseen::default();
    for (user, stays) in present.into_iter().zip(stay).filter(|(user, _)| !user.in_conflict) {
        if stays {
            foreseen.stay += 1;
        } else {
            foreseen.leaving.push(PresentUser { attributes: None, ..user });
        }
    }
    Ok(Ok(foreseen))
}

/// The exceptions of a kind by address: so they hold in another tenant.
async fn excepted(
    customer: &CustomerStore,
    kind: ExceptionKind,
) -> Result<BTreeMap<String, Exception>, SyncError> {
    let mut all = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = customer.exceptions_page(Service::Entra, after, 1_000).await?;
        let Some((last, _)) = page.last() else { return Ok(all) };
        after = *last;
        let of_kind = page.into_iter().map(|(_, exception)| exception).filter(|it| it.kind == kind);
        all.extend(of_kind.filter_map(|it| Some((Address::parse(&it.address)?.to_string(), it))));
    }
}

/// Hands over whom the tenant that is connected now has, when another one was connected before.
pub(super) async fn hand_over(job: &mut Job<'_>, rules: &mut PlanRules) -> Result<(), Failure> {
    let (former, switched) = job.customer.switch_pending(Service::Entra).await?;
    if !former && !switched {
        return Ok(());
    }
    if job.is_preview() {
        let words = "Another tenant was connected: the next sync also finds the same people by their id on premises, which this preview does \
                     not.";
        job.remarks.push(words.to_owned());
        return Ok(());
    }
    let mut write = job.begin().await?;
    write.forget_former_seen(Service::Entra).await?;
    write.commit().await?;
    let exceptions = if switched { carry_exceptions(job, rules).await? } else { 0 };
    let mut handed_over = 0;
    let mut after = 0;
    loop {
        job.go_on()?;
        let rows = job.customer.dirty_users(Service::Entra, after, job.engine.chunk).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        let mut write = job.begin().await?;
        rules.confirm(job.customer, &mut write).await?;
        let people: Vec<MirrorUser> = rows.into_iter().filter(|row| !row.gone).collect();
        let changes = page(&mut write, rules, &people, job.engine.clock.now()).await?;
        write.add_run_changes(job.run_id, job.engine.clock.now(), &changes).await?;
        if !changes.is_empty() {
            write.raise_topic("users").await?;
        }
        write.commit().await?;
        let number = i64::try_from(changes.len()).unwrap_or(i64::MAX);
        job.counts.updated += number;
        handed_over += number;
    }
    if switched {
        let mut write = job.begin().await?;
        write.set_switched(Service::Entra, None).await?;
        write.commit().await?;
    }
    if handed_over > 0 {
        let users = domain::number::counted(handed_over, "user", "users");
        job.remarks.push(format!(
            "{users} were found in the tenant that is connected now and keep their id and history."
        ));
    }
    if exceptions > 0 {
        let exceptions = domain::number::counted(exceptions, "exception", "exceptions");
        job.remarks
            .push(format!("{exceptions} hold for the same addresses in the tenant that is connected now."));
    }
    Ok(())
}

/// Hands over the users of a page of people.
async fn page(
    write: &mut CustomerWrite,
    rules: &PlanRules,
    people: &[MirrorUser],
    now: domain::Timestamp,
) -> Result<Vec<RunChange>, Failure> {
    let ids: Vec<String> = people.iter().map(|row| row.user.external_id.clone()).collect();
    let known: BTreeSet<String> = write
        .users_by_external_id(Source::Azure, &ids)
        .await?
        .into_iter()
        .filter_map(|user| user.external_id)
        .collect();
    let open: Vec<&MirrorUser> = people.iter().filter(|row| !known.contains(&row.user.external_id)).collect();
    let mut by_person = BTreeMap::new();
    let mut by_address = BTreeMap::new();
    for row in &open {
        let id = on_premises_id(&row.user.attributes);
        if !id.is_empty() {
            by_person.entry(id).or_insert(row.user.external_id.clone());
        }
        if let Some(address) = primary(rules, row) {
            by_address.entry(address).or_insert(row.user.external_id.clone());
        }
    }
    // The number of the user, and the keys before and now.
    let mut found = BTreeMap::<i64, (String, String)>::new();
    let mut taken = BTreeSet::new();
    let persons: Vec<String> = by_person.keys().cloned().collect();
    for (user, before, person) in write.former_by_on_premises_id(&persons).await? {
        let Some(id) = by_person.get(&person) else { continue };
        if taken.insert(id.clone()) {
            found.entry(user).or_insert((before, id.clone()));
        }
    }
    let addresses: Vec<Address> = by_address.keys().cloned().collect();
    for (user, before, address) in write.former_by_address(&addresses).await? {
        let Some(id) = Address::parse(&address).and_then(|address| by_address.get(&address)) else {
            continue;
        };
        if !found.contains_key(&user) && taken.insert(id.clone()) {
            found.insert(user, (before, id.clone()));
        }
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let handed: Vec<(i64, String)> = found.iter().map(|(user, (_, id))| (*user, id.clone())).collect();
    write.hand_over(&handed, now).await?;
    let numbers: Vec<i64> = found.keys().copied().collect();
    let users = write.users_by_id(&numbers).await?;
    Ok(users
        .into_iter()
        .filter_map(|user| {
            let (before, id) = found.get(&user.id)?;
            Some(RunChange {
                object: ObjectKind::User,
                object_id: user.public_id,
                display_name: user.display_name,
                address: user.primary_address.to_string(),
                action: Action::Updated,
                reason: HANDED_OVER.to_owned(),
                changes: vec![Change::new("Directory id", before.as_str(), id.as_str())],
            })
        })
        .collect())
}

/// Lets the exceptions of users and groups hold for whoever has their addresses in the new tenant. Those of the former one stay, for the way
/// back. Answers how many.
async fn carry_exceptions(job: &Job<'_>, rules: &mut PlanRules) -> Result<i64, Failure> {
    let mut carried = 0;
    for kind in [ExceptionKind::User, ExceptionKind::Group] {
        let excepted = excepted(job.customer, kind).await?;
        let mut after = 0;
        while !excepted.is_empty() {
            job.go_on()?;
            let (objects, last) = dirty(job, rules, kind, after).await?;
            let Some(last) = last else { break };
            after = last;
            let known: HashSet<&str> = excepted.values().map(|exception| exception.object.as_str()).collect();
            let copies: Vec<Exception> = objects
                .iter()
                .filter(|(object, _)| !known.contains(object.as_str()))
                .filter_map(|(object, address)| {
                    Some(Exception { object: object.clone(), ..excepted.get(address.as_str())?.clone() })
                })
                .collect();
            if copies.is_empty() {
                continue;
            }
            let mut write = job.begin().await?;
            super::hold_plan(&mut write).await?;
            write.add_exceptions(Service::Entra, &copies).await?;
            write.raise_topic(BY_HAND).await?;
            write.raise_topic("exceptions").await?;
            write.commit().await?;
            carried += i64::try_from(copies.len()).unwrap_or(i64::MAX);
        }
    }
    Ok(carried)
}

/// The marked objects of a kind with their addresses, and the number of the last one that was looked at.
async fn dirty(
    job: &Job<'_>,
    rules: &PlanRules,
    kind: ExceptionKind,
    after: i64,
) -> Result<(Vec<(String, Address)>, Option<i64>), Failure> {
    if kind == ExceptionKind::Group {
        let rows = job.customer.dirty_groups(Service::Entra, after, job.engine.chunk).await?;
        let last = rows.last().map(|row| row.id);
        let there = rows.into_iter().filter(|row| !row.gone);
        let groups = there
            .filter_map(|row| row.group.address().map(|address| (row.group.external_id.clone(), address)));
        return Ok((groups.collect(), last));
    }
    let rows = job.customer.dirty_users(Service::Entra, after, job.engine.chunk).await?;
    let last = rows.last().map(|row| row.id);
    let there = rows.into_iter().filter(|row| !row.gone);
    let people = there.filter_map(|row| primary(rules, &row).map(|address| (row.user.external_id, address)));
    Ok((people.collect(), last))
}

#[cfg(test)]
mod tests {
    use domain::object::DirectoryUser;

    use super::*;

    #[test]
    fn the_id_on_premises_is_read_and_its_absence_is_none() {
        let user = |attributes: &str| DirectoryUser {
            attributes: attributes.to_owned(),
            ..DirectoryUser::default()
        };
        assert_eq!(on_premises_id(&user(r#"{"onPremisesImmutableId":" q83v ","x":1}"#).attributes), "q83v");
        for none in [r#"{"onPremisesImmutableId":null}"#, "{}", "", r#"{"onPremisesImmutableId":""}"#] {
            assert_eq!(on_premises_id(none), "");
        }
    }
}
