//! Full and delta rounds of a tenant that lives: what a reader keeps is what the directory has.

use std::collections::BTreeSet;

use directory::entra::{GROUP_SELECTION, NextOrDelta, PageLink, USER_SELECTION};
use domain::group::{GroupKind, MemberKind};
use entra_sim::{DeltaHabits, Resync};
use serde_json::json;
use time::Duration;

use crate::tenant::{Mirror, change, client, group, tenant, tenant_with_small_pages, user};

#[tokio::test]
async fn a_full_round_of_groups_brings_every_membership_of_groups_that_are_split_over_pages() {
    let sim = tenant_with_small_pages().await;
    let graph = client(&sim);
    let mut mirror = Mirror::default();
    mirror.round_of_users(&graph).await.unwrap();
    let told = mirror.round_of_groups(&graph).await.unwrap();
    mirror.assert_is(&sim);
    let everybody = group(&sim, "All Employees");
    let repeated = told.objects.iter().filter(|id| **id == everybody).count();
    assert!(repeated >= 10, "a group of {} came {repeated} times", mirror.members_of(&everybody).len());
    assert!(told.left.is_empty() && told.removed.is_empty());
    let kinds: BTreeSet<_> = mirror.members.values().copied().collect();
    assert_eq!(kinds, BTreeSet::from([MemberKind::User, MemberKind::Group, MemberKind::Other]));
    let kinds: BTreeSet<_> = mirror.groups.values().map(|group| group.kind).collect();
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    let headquarters = &mirror.groups[&group(&sim, "Headquarters")];
    assert_eq!(headquarters.kind, GroupKind::MailEnabledSecurity);
    assert_eq!(headquarters.address().unwrap().as_str(), headquarters.mail.as_deref().unwrap());
    assert!(headquarters.proxy_addresses.len() > 1);
}

#[tokio::test]
async fn delta_rounds_of_groups_follow_members_names_deletions_and_returns() {
    let sim = tenant_with_small_pages().await;
    let graph = client(&sim);
    let mut mirror = Mirror::default();
    mirror.round_of_users(&graph).await.unwrap();
    mirror.round_of_groups(&graph).await.unwrap();

    // More members than a page carries.
    let team = change(&sim, json!({ "add_group": { "displayName": "Team", "groupTypes": ["Unified"] } }));
    let members: Vec<String> = (0..11).map(|index| user(&sim, index)).collect();
    change(&sim, json!({ "add_members": { "group": team, "members": members } }));
    let told = mirror.round_of_groups(&graph).await.unwrap();
    assert_eq!((told.joined, mirror.members_of(&team).len()), (11, 11));
    assert!(told.objects.len() > 1 && told.objects.iter().all(|id| *id == team), "{told:?}");
    assert_eq!(mirror.groups[&team].kind, GroupKind::Microsoft365);
    mirror.assert_is(&sim);

    let headquarters = group(&sim, "Headquarters");
    change(&sim, json!({ "remove_members": { "group": team, "members": [members[0], members[1]] } }));
    change(
        &sim,
        json!({ "rename": { "object": headquarters, "display_name": "Campus", "address": "campus@contoso.com" } }),
    );
    let told = mirror.round_of_groups(&graph).await.unwrap();
    let gone = |index: usize| (team.clone(), members[index].clone());
    assert_eq!(told.left, [gone(0), gone(1)]);
    assert_eq!(told.joined, 0, "a rename says nothing of members");
    assert_eq!(mirror.groups[&headquarters].address().unwrap().as_str(), "campus@contoso.com");
    mirror.assert_is(&sim);

    change(&sim, json!({ "delete": { "object": team } }));
    let security = change(&sim, json!({ "add_group": { "displayName": "Passing" } }));
    mirror.round_of_groups(&graph).await.unwrap();
    assert!(!mirror.groups.contains_key(&team) && mirror.groups.contains_key(&security));
    change(&sim, json!({ "delete": { "object": security, "for_good": true } }));
    change(&sim, json!({ "restore": team }));
    let told = mirror.round_of_groups(&graph).await.unwrap();
    assert_eq!(told.removed, [security]);
    assert_eq!(mirror.members_of(&team), members[2..].iter().map(String::as_str).collect());
    mirror.assert_is(&sim);
    change(&sim, json!({ "delete": { "object": team, "for_good": true } }));
    assert_eq!(mirror.round_of_groups(&graph).await.unwrap().removed, [team]);
    mirror.assert_is(&sim);
}

#[tokio::test]
async fn delta_rounds_of_users_follow_names_blocks_deletions_and_returns() {
    let sim = tenant_with_small_pages().await;
    let graph = client(&sim);
    let mut mirror = Mirror::default();
    mirror.round_of_users(&graph).await.unwrap();
    mirror.round_of_groups(&graph).await.unwrap();
    let [renamed, blocked, deleted, gone] = [0, 1, 2, 3].map(|index| user(&sim, index));
    let before = mirror.users[&renamed].clone();

    change(
        &sim,
        json!({ "rename": { "object": renamed, "display_name": "New Name", "address": "new.name@contoso.com" } }),
    );
    change(&sim, json!({ "disable": blocked }));
    change(&sim, json!({ "delete": { "object": deleted } }));
    change(&sim, json!({ "delete": { "object": gone, "for_good": true } }));
    let told = mirror.round_of_users(&graph).await.unwrap();
    assert_eq!(told.objects, [renamed.clone(), blocked.clone()]);
    assert_eq!(told.removed, [deleted.clone(), gone]);
    let after = &mirror.users[&renamed];
    let addresses = domain::address::Addresses::of(after).unwrap();
    assert_eq!(addresses.primary.as_str(), "new.name@contoso.com");
    assert_eq!(after.display_name.as_deref(), Some("New Name"));
    let attributes = |user: &domain::object::DirectoryUser| -> serde_json::Map<String, serde_json::Value> {
        serde_json::from_str(&user.attributes).unwrap()
    };
    assert!(attributes(after).keys().eq(attributes(&before).keys()), "a changed user comes whole");
    assert!(mirror.users[&blocked].is_disabled());
    mirror.assert_is(&sim);

    change(&sim, json!({ "enable": blocked }));
    change(&sim, json!({ "restore": deleted }));
    let told = mirror.round_of_users(&graph).await.unwrap();
    assert_eq!(told.objects, [blocked.clone(), deleted.clone()]);
    assert!(!mirror.users[&blocked].is_disabled());
    assert!(domain::address::Addresses::of(&mirror.users[&deleted]).is_some(), "a restored user comes whole");
    mirror.round_of_groups(&graph).await.unwrap();
    mirror.assert_is(&sim);
}

#[tokio::test]
async fn replays_and_recycled_objects_change_nothing() {
    let sim = tenant_with_small_pages().await;
    let habits = DeltaHabits {
        replays: true,
        removed_in_first_round: true,
        members_follow: true,
        ..DeltaHabits::default()
    };
    sim.sim().set_delta_habits(habits);
    let graph = client(&sim);
    let bin = user(&sim, 3);
    change(&sim, json!({ "delete": { "object": bin } }));
    let mut mirror = Mirror::default();
    let told = mirror.round_of_users(&graph).await.unwrap();
    assert!(told.removed.contains(&bin), "{told:?}");
    assert!(told.objects.len() > mirror.users.len(), "nothing was replayed");
    mirror.round_of_groups(&graph).await.unwrap();
    mirror.assert_is(&sim);
    let headquarters = group(&sim, "Headquarters");
    for index in 10..13 {
        let member = user(&sim, index);
        for what in ["remove_members", "add_members", "remove_members"] {
            change(&sim, json!({ what: { "group": headquarters, "members": [member] } }));
        }
        change(&sim, json!({ "delete": { "object": member } }));
        mirror.round_of_users(&graph).await.unwrap();
        mirror.round_of_groups(&graph).await.unwrap();
        mirror.assert_is(&sim);
    }
}

#[tokio::test]
async fn a_quiet_delta_is_one_request_for_users_and_one_for_groups() {
    let sim = tenant(1_000).await;
    let graph = client(&sim);
    let mut mirror = Mirror::default();
    mirror.round_of_users(&graph).await.unwrap();
    mirror.round_of_groups(&graph).await.unwrap();
    let before = sim.sim().requests().total;
    for round in 1..=3 {
        let users = mirror.round_of_users(&graph).await.unwrap();
        let groups = mirror.round_of_groups(&graph).await.unwrap();
        assert_eq!((users.pages, groups.pages), (1, 1));
        assert!(users.objects.is_empty() && groups.objects.is_empty());
        assert_eq!(sim.sim().requests().total - before, round * 2);
    }
}

#[tokio::test]
async fn a_round_goes_on_after_a_restart_from_the_link_that_was_kept() {
    let sim = tenant_with_small_pages().await;
    let first =
        client(&sim).groups_page(&PageLink::First { select: GROUP_SELECTION.to_owned() }).await.unwrap();
    let NextOrDelta::Next(kept) = first.next else { panic!("the whole tenant on one page") };
    let second = client(&sim).groups_page(&PageLink::Next(kept.clone())).await.unwrap();
    let again = client(&sim).groups_page(&PageLink::Next(kept)).await.unwrap();
    assert_eq!(second, again);
}

#[tokio::test]
async fn a_link_that_the_service_has_forgotten_asks_for_a_full_round_in_every_spelling() {
    let sim = tenant_with_small_pages().await;
    let graph = client(&sim);
    for resync in [Resync::Gone, Resync::ResyncRequired, Resync::BadRequest] {
        sim.sim().set_delta_habits(DeltaHabits { resync, ..DeltaHabits::default() });
        let mut mirror = Mirror::default();
        mirror.round_of_users(&graph).await.unwrap();
        mirror.round_of_groups(&graph).await.unwrap();
        sim.sim().advance_clock(Duration::days(8));
        change(&sim, json!({ "delete": { "object": user(&sim, 0) } }));
        let users = mirror.round_of_users(&graph).await.unwrap_err();
        let groups = mirror.round_of_groups(&graph).await.unwrap_err();
        let status = if resync == Resync::BadRequest { 400 } else { 410 };
        for error in [users, groups] {
            assert!(error.is_resync() && error.trace.status == Some(status), "{resync:?}: {error:?}");
        }
        mirror.begin_again();
        mirror.round_of_users(&graph).await.unwrap();
        mirror.round_of_groups(&graph).await.unwrap();
        mirror.assert_is(&sim);
        change(&sim, json!({ "restore": user(&sim, 0) }));
    }
}

#[tokio::test]
async fn every_property_of_the_selections_is_delivered() {
    let sim = tenant(500).await;
    let graph = client(&sim);
    let mut seen = BTreeSet::new();
    let mut mirror = Mirror::default();
    mirror.round_of_users(&graph).await.unwrap();
    for user in mirror.users.values() {
        let attributes: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&user.attributes).unwrap();
        seen.extend(attributes.into_iter().map(|(name, _)| name));
    }
    let missing: Vec<_> = USER_SELECTION.split(',').filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
