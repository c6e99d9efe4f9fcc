//! Rounds of changes: what a sync reads after the first one, and what follows when a read does not get to its end.

use std::time::Duration;

use domain::{
    conflict::Reason,
    guard::Guarded,
    run::{NoticeKind, Purpose, Trigger},
    service::{Service, Source},
};
use entra_sim::{Change, DeltaHabits};
use serde_json::json;
use store::CursorKind;

use crate::{
    scenario::{DAY, about, group, people},
    support::{World, actor, id, of_kind, on_both_engines, person},
};

fn pages_asked_for(world: &World) -> usize {
    world.tenant.sim().requests().requests.iter().filter(|request| request.path.contains("/delta")).count()
}

/// Users 1 to 10 and groups 21 to 25, synced.
async fn with_groups(world: &World) {
    let groups: Vec<_> = (21..=25).map(|number| group(number, &format!("g{number}"))).collect();
    world.tenant_with(&people(10), &groups);
    world.connect(|_| {}).await;
    world.synced().await;
}

on_both_engines! {
    async fn an_alias_that_moves_is_moved(world: &mut World) {
        world.began(&[person(1, "a", &["info"]), person(2, "b", &[]), person(3, "c", &[])]).await;
        world.happens(Change::MoveAlias { address: "info@contoso.com".to_owned(), from: id(1), to: id(2) });
        let report = world.synced().await;
        assert_eq!((report.read.users, report.changes.updated, report.notices.len()), (2, 2, 0));
        assert!(world.one(1).await.aliases.is_empty());
        assert_eq!(world.one(2).await.aliases, ["info@contoso.com"]);
    }

    async fn primaries_that_are_swapped_are_swapped(world: &mut World) {
        world.began(&people(5)).await;
        let before = [world.user(1).await.public_id, world.user(5).await.public_id];
        world.engine = world.engine.clone().with_chunk(1);
        world.happens(Change::SwapPrimaries { one: id(1), other: id(5) });
        let report = world.synced().await;
        assert_eq!((report.changes.updated, report.changes.added, report.notices.len()), (2, 0, 0));
        assert_eq!(world.one(1).await.primary, "p5@contoso.com");
        assert_eq!(world.one(5).await.primary, "p1@contoso.com");
        assert_eq!([world.user(1).await.public_id, world.user(5).await.public_id], before);
    }

    async fn delivered_beats_conflict_to_the_last_address_and_loses_it_to_who_is_back(world: &mut World) {
        world.began(&[person(1, "a", &[]), person(2, "b", &["info"]), person(3, "c", &[])]).await;
        world.leaves(2);
        world.synced().await;
        world.sets(1, "proxyAddresses", json!(["SMTP:a@contoso.com", "smtp:b@contoso.com"]));
        let report = world.synced().await;
        assert_eq!(report.changes.updated, 2);
        assert_eq!(world.one(1).await.aliases, ["b@contoso.com"]);
        let leaver = world.user(2).await;
        assert_eq!((leaver.primary_address.as_str(), leaver.aliases.len(), leaver.address_lost), ("info@contoso.com", 0, false));
        world.sets(3, "proxyAddresses", json!(["SMTP:c@contoso.com", "smtp:info@contoso.com"]));
        world.synced().await;
        assert!(world.user(2).await.address_lost);
        assert_eq!(world.one(3).await.aliases, ["info@contoso.com"]);
        // Back again, it has its primary; the alias has another holder now.
        world.returns(2);
        world.synced().await;
        assert_eq!((world.one(2).await.primary.as_str(), world.one(2).await.aliases.len()), ("b@contoso.com", 0));
        assert!(world.one(1).await.aliases.is_empty());
        assert_eq!(world.one(3).await.aliases, ["info@contoso.com"]);
    }

    async fn a_quiet_sync_asks_for_two_pages_and_changes_nothing(world: &mut World) {
        with_groups(world).await;
        let before = world.users().await;
        world.tenant.sim().clear_requests();
        let report = world.synced().await;
        assert_eq!(pages_asked_for(world), 2);
        // The organisation is the third; the token is none of Graph's.
        assert_eq!(world.tenant.sim().requests().requests.iter().filter(|request| request.path.contains("/v1.0/")).count(), 3);
        assert_eq!((report.read.users, report.read.groups), (0, 0), "an empty round of changes is normal");
        assert_eq!(report.summary, "0 people read. Nothing changed.");
        assert!(world.history(&report).await.is_empty());
        assert_eq!(world.users().await, before);
    }

    async fn who_was_told_to_begin_again_finds_out_who_vanished(world: &mut World) {
        for (status, leaver) in [(410, 2), (400, 3)] {
            if status == 410 {
                world.began(&people(5)).await;
            }
            world.leaves(leaver);
            world.forgets_the_position("/users/delta", status);
            let report = world.synced().await;
            assert_eq!(report.changes.missing, 1);
            let began_again = of_kind(&report, NoticeKind::Restarted);
            assert_eq!((began_again.len(), began_again[0].display_name.as_str()), (1, "Users"));
            assert!(world.customer.cursor(Service::Entra, CursorKind::Users).await.unwrap().unwrap().full);
            assert_eq!(world.conflict(leaver).await.reason, Reason::NotInDirectory);
        }
        assert_eq!(world.synced().await.read.users, 0, "and then reads changes again");
    }

    async fn groups_that_are_read_again_are_compared_like_users(world: &mut World) {
        with_groups(world).await;
        world.happens(Change::AddMembers { group: id(22), members: vec![id(1), id(2)] });
        world.synced().await;
        world.leaves(21);
        world.happens(Change::RemoveMembers { group: id(22), members: vec![id(1)] });
        world.forgets_the_position("/groups/delta", 410);
        let report = world.synced().await;
        assert_eq!(report.read.groups, 4);
        assert_eq!(of_kind(&report, NoticeKind::Restarted)[0].display_name, "Groups");
        assert_eq!(world.customer.group_count(Source::Azure).await.unwrap(), 4);
        assert_eq!(world.customer.member_of(Service::Entra, &id(1)).await.unwrap(), Vec::<String>::new());
        assert_eq!(world.customer.member_of(Service::Entra, &id(2)).await.unwrap(), [id(22)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_on_a_later_page_removes_nobody_and_the_next_run_goes_on() {
    let world = World::new().await;
    world.began(&people(12)).await;
    world.leaves(1);
    world.synced().await;
    world.clock.advance(7 * DAY);
    // A round of several pages, the first of which tells of somebody who left.
    world.leaves(2);
    (3..=12).for_each(|number| world.sets(number, "displayName", format!("Renamed {number}")));
    world.tenant.sim().set_latency_ms(60);
    let running = world
        .engine
        .start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor())
        .await
        .unwrap()
        .unwrap();
    while world.customer.cursor(Service::Entra, CursorKind::Users).await.unwrap().unwrap().idle {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.breaks("/users/delta");
    let report = running.finished().await.unwrap();
    assert_eq!((report.outcome, report.changes.missing, report.changes.deleted), ("failed", 0, 0));
    assert!(report.read.users > 0, "the fault came before the first page");
    assert_eq!(world.in_conflict().await, [(id(1), Reason::NotInDirectory)]);
    assert_eq!(world.one(12).await.name, "Person 12");

    world.tenant.sim().clear_graph_faults();
    world.tenant.sim().set_latency_ms(0);
    let report = world.synced().await;
    assert_eq!((report.changes.missing, report.changes.deleted, report.changes.updated), (1, 1, 10));
    assert!(report.summary.contains("went on where an earlier run was interrupted"), "{}", report.summary);
}

#[tokio::test]
async fn what_the_directory_tells_twice_counts_once() {
    let world = World::new().await;
    let habits = DeltaHabits { replays: true, removed_in_first_round: true, ..DeltaHabits::default() };
    world.tenant.sim().set_delta_habits(habits);
    world.people(&people(7));
    world.leaves(7);
    world.connect(|_| {}).await;
    assert_eq!(world.synced().await.changes.added, 6);
    world.is_renamed(2, "Renamed", "renamed");
    let report = world.synced().await;
    assert_eq!((report.changes.updated, report.changes.added, report.changes.missing), (1, 0, 0));
}

#[tokio::test]
async fn who_is_deleted_and_restored_between_two_syncs_never_left() {
    let world = World::new().await;
    world.began(&people(3)).await;
    world.leaves(2);
    world.returns(2);
    let report = world.synced().await;
    assert_eq!((report.changes.missing, report.changes.restored, report.changes.updated), (0, 0, 0));
    assert!(world.timeline(&world.user(2).await).await.len() == 1);
}

#[tokio::test]
async fn the_holder_keeps_an_alias_until_it_lets_go() {
    let world = &World::new().await;
    // The one who claims it later would win by its number.
    world.began(&[person(1, "a", &[]), person(2, "b", &["info"]), person(3, "c", &[])]).await;
    world.sets(1, "proxyAddresses", json!(["SMTP:a@contoso.com", "smtp:info@contoso.com"]));
    let report = world.synced().await;
    assert_eq!(about(&report, 1).len(), 1);
    assert!(world.one(1).await.aliases.is_empty());
    world.sets(2, "proxyAddresses", json!(["SMTP:b@contoso.com"]));
    let report = world.synced().await;
    assert_eq!((report.read.users, report.changes.updated), (1, 2), "the other one is drawn in");
    assert_eq!(world.one(1).await.aliases, ["info@contoso.com"]);
}

#[tokio::test]
async fn many_who_vanish_while_the_position_is_lost_are_held() {
    let world = &World::new().await;
    world.began(&people(10)).await;
    (1..=6).for_each(|number| world.leaves(number));
    world.forgets_the_position("/users/delta", 410);
    let report = world.read().await;
    assert_eq!((report.outcome, report.held, report.changes.missing), ("held", 6, 0));
    assert_eq!(world.held(Guarded::Removal).await.len(), 6);
}

#[tokio::test]
async fn when_the_groups_cannot_be_read_nobody_is_removed_and_the_next_run_goes_on() {
    let world = &World::new().await;
    with_groups(world).await;
    world.leaves(1);
    world.synced().await;
    world.clock.advance(7 * DAY);
    world.leaves(2);
    world.leaves(21);
    world.joins(&person(11, "new", &[]));
    world.breaks("/groups/delta");
    let report = world.sync().await;
    assert_eq!((report.outcome, report.changes.missing, report.changes.deleted), ("failed", 0, 0));
    assert_eq!(world.in_conflict().await, [(id(1), Reason::NotInDirectory)]);
    assert_eq!(world.customer.group_count(Source::Azure).await.unwrap(), 5);
    assert_eq!(world.find(11).await, None);
    world.tenant.sim().clear_graph_faults();
    let report = world.synced().await;
    assert_eq!((report.changes.added, report.changes.missing, report.changes.deleted), (1, 1, 1));
    assert_eq!(world.customer.group_count(Source::Azure).await.unwrap(), 4);
}

#[tokio::test]
async fn a_rename_never_makes_a_second_user() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    let before = world.user(2).await;
    for (name, local) in [("Ada Byron", "ada.byron"), ("Ada Lovelace", "ada.lovelace")] {
        world.is_renamed(2, name, local);
        let report = world.synced().await;
        assert_eq!((report.changes.added, report.changes.updated, report.changes.missing), (0, 1, 0));
    }
    let user = world.user(2).await;
    assert_eq!((user.id, user.public_id), (before.id, before.public_id));
    let seen = world.one(2).await;
    assert_eq!((seen.name.as_str(), seen.primary.as_str()), ("Ada Lovelace", "ada.lovelace@contoso.com"));
    assert_eq!(seen.aliases, ["ada.byron@contoso.com", "p2@contoso.com"]);
    assert_eq!(world.numbers().await, [1, 2, 3]);
}
