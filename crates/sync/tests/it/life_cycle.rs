//! A person leaves: the conflict, its deletion date, and what an administrator may decide about it.

use domain::{
    Timestamp,
    conflict::{Reason, State},
    run::{Action, Purpose, Trigger},
    service::{Service, Status},
    settings::DeleteAfter,
};
use store::ExceptionKind;
use sync::{
    conflicts::deletion_setting,
    rules::save_managed_domains,
    run::{StartRefused, run_to_end},
};

use crate::{
    scenario::{DAY, HOUR, people},
    support::{World, actor, id, on_both_engines, person, with},
};

on_both_engines! {
    async fn who_leaves_becomes_a_conflict_and_keeps_everything_else(world: &mut World) {
        world.began(&[person(1, "a", &[]), person(2, "b", &["info"]), person(3, "c", &[])]).await;
        world.clock.advance(DAY);
        world.leaves(2);
        let report = world.synced().await;
        assert_eq!((report.changes.missing, report.changes.updated, report.changes.deleted), (1, 0, 0));
        let user = world.user(2).await;
        let conflict = user.conflict.clone().unwrap();
        assert_eq!((conflict.reason, conflict.state), (Reason::NotInDirectory, State::Pending));
        assert_eq!((user.status, user.service_on), (Status::Conflict, true));
        assert_eq!((user.primary_address.as_str(), user.aliases.len(), user.address_lost), ("b@contoso.com", 1, false));
        assert_eq!(conflict.delete_on(DeleteAfter::SevenDays), Some(world.now().plus(7 * DAY)));
    }

    async fn a_shortened_setting_leaves_at_least_a_day(world: &mut World) {
        world.began(&people(3)).await;
        world.leaves(2);
        world.synced().await;
        world.clock.advance(6 * DAY);
        world.delete_after("1d").await;
        assert_eq!(world.conflict(2).await.delete_on(DeleteAfter::OneDay), Some(world.now().plus(24 * HOUR)));
        assert_eq!(world.synced().await.changes.deleted, 0);
        world.clock.advance(24 * HOUR - 1);
        assert_eq!(world.synced().await.changes.deleted, 0);
        world.clock.advance(1);
        assert_eq!(world.synced().await.changes.deleted, 1);
    }

    async fn a_due_user_goes_to_the_recycle_bin_by_a_read_that_ended_after_the_date(world: &mut World) {
        world.began(&people(3)).await;
        world.leaves(2);
        world.synced().await;
        let user = world.user(2).await;
        world.clock.advance(7 * DAY - 1);
        assert_eq!(world.synced().await.changes.deleted, 0);
        world.clock.advance(1);
        let report = world.synced().await;
        assert_eq!(report.changes.deleted, 1);
        assert_eq!(report.summary, "0 people read. 1 deleted.");
        assert_eq!(world.numbers().await, [1, 3]);
        let bin = world.customer.recycle_bin(None, 10).await.unwrap();
        assert_eq!(bin.len(), 1);
        assert_eq!((bin[0].public_id, bin[0].display_name.as_str()), (user.public_id, "Person 2"));
        assert_eq!((bin[0].reason.as_str(), bin[0].deleted_by.as_str()), ("not in directory", "sync"));
        assert!(world.in_conflict().await.is_empty());
    }

    async fn each_reason_is_told(world: &mut World) {
        let department = |n: u32| with(person(n, &format!("p{n}"), &[]), "department", "Sales");
        world.people(&(1..=9).map(department).collect::<Vec<_>>());
        world.connect(|form| form.text.custom_filter = "department eq 'Sales'".to_owned()).await;
        world.synced().await;
        world.limits(500, 100, 100).await;
        world.leaves(1);
        world.happens(entra_sim::Change::Disable(id(2)));
        world.sets(3, "department", "Legal");
        world.except(ExceptionKind::User, &id(4), false).await;
        world.sets(5, "proxyAddresses", serde_json::json!(["SMTP:p5@elsewhere.example"]));
        let managed = ["contoso.com".to_owned()];
        assert!(save_managed_domains(&world.engine, &world.customer, &actor(), &managed).await.unwrap().unwrap());
        let report = world.synced().await;
        assert_eq!(report.changes.missing, 5);
        assert_eq!(world.in_conflict().await, [
            (id(1), Reason::NotInDirectory),
            (id(2), Reason::DisabledInDirectory),
            (id(3), Reason::FilteredOut),
            (id(4), Reason::Exception),
            (id(5), Reason::OutsideManagedDomains),
        ]);
    }

    async fn a_changed_reason_keeps_missing_since_and_the_clock(world: &mut World) {
        world.began(&people(3)).await;
        world.happens(entra_sim::Change::Disable(id(2)));
        world.synced().await;
        let first = world.conflict(2).await;
        world.clock.advance(3 * DAY);
        world.leaves(2);
        let report = world.synced().await;
        assert_eq!((report.changes.missing, report.changes.updated), (0, 1), "nobody else is missing");
        let second = world.conflict(2).await;
        assert_eq!((first.reason, second.reason), (Reason::DisabledInDirectory, Reason::NotInDirectory));
        assert_eq!((first.missing_since, first.clock_from), (second.missing_since, second.clock_from));
        let timeline = world.timeline(&world.user(2).await).await;
        assert_eq!(timeline.last(), Some(&(Action::Updated, "not in directory".to_owned())));
        world.clock.advance(4 * DAY);
        assert_eq!(world.synced().await.changes.deleted, 1);
    }

    async fn after_the_date_of_an_ignore_the_clock_starts_anew(world: &mut World) {
        world.began(&people(3)).await;
        world.leaves(2);
        world.synced().await;
        let (missing_since, until) = (world.now(), world.now().plus(30 * DAY));
        world.decide(2, |conflict| {
            conflict.state = State::Ignored;
            conflict.ignored_until = Some(until);
        }).await;
        world.clock.advance(30 * DAY + HOUR);
        world.synced().await;
        let conflict = world.conflict(2).await;
        assert_eq!((conflict.state, conflict.missing_since), (State::Pending, missing_since));
        assert_eq!(conflict.delete_on(DeleteAfter::SevenDays), Some(until.plus(7 * DAY)));
        world.clock.advance(7 * DAY - 2 * HOUR);
        assert_eq!(world.synced().await.changes.deleted, 0);
        world.clock.advance(HOUR);
        assert_eq!(world.synced().await.changes.deleted, 1);
    }

    async fn while_the_only_service_is_off_no_run_starts_and_the_clocks_stand_still(world: &mut World) {
        world.began(&people(3)).await;
        world.leaves(2);
        world.synced().await;
        world.clock.advance(3 * DAY);
        world.connect(|form| form.text.enabled = false).await;
        assert_eq!(deletion_setting(&world.customer).await.unwrap(), None);
        world.leaves(3);
        world.clock.advance(30 * DAY);
        let refused = run_to_end(&world.engine, &world.customer, Purpose::Sync, Trigger::SyncNow, &actor()).await.unwrap();
        assert_eq!(refused.unwrap_err(), StartRefused::NotEnabled);
        world.connect(|_| {}).await;
        assert_eq!(world.synced().await.changes.deleted, 0);
        assert_eq!(world.conflict(2).await.delete_on(DeleteAfter::SevenDays), Some(world.now().plus(4 * DAY)));
        assert_eq!(world.conflict(3).await.missing_since, world.now(), "nobody became a conflict before");
        world.clock.advance(4 * DAY - 1);
        assert_eq!(world.synced().await.changes.deleted, 0);
        world.clock.advance(1);
        assert_eq!(world.synced().await.changes.deleted, 1);
    }

    async fn an_ignore_that_ends_while_the_service_is_off_starts_the_clock_when_it_is_on_again(world: &mut World) {
        world.began(&people(3)).await;
        world.leaves(2);
        world.synced().await;
        let until = world.now().plus(5 * DAY);
        world.decide(2, |conflict| {
            conflict.state = State::Ignored;
            conflict.ignored_until = Some(until);
        }).await;
        world.clock.advance(DAY);
        world.connect(|form| form.text.enabled = false).await;
        world.clock.advance(60 * DAY);
        world.connect(|_| {}).await;
        assert_eq!(world.synced().await.changes.deleted, 0);
        let due = world.conflict(2).await.delete_on(DeleteAfter::SevenDays).unwrap();
        assert!(due >= world.now().plus(7 * DAY), "{}", due.since(world.now()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_since_is_the_end_of_the_read_and_not_its_beginning() {
    let world = World::new().await;
    world.began(&people(3)).await;
    world.leaves(2);
    world.tenant.sim().set_latency_ms(100);
    let began = world.now();
    let running = world
        .engine
        .start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor())
        .await
        .unwrap()
        .unwrap();
    // Less than the life of the lease.
    world.clock.advance(10 * Timestamp::SECOND);
    let report = running.finished().await.unwrap();
    let run = world.customer.run(report.run).await.unwrap().unwrap();
    assert_eq!((run.started_at, run.read_at), (began, Some(began.plus(10 * Timestamp::SECOND))));
    assert_eq!(world.conflict(2).await.missing_since, began.plus(10 * Timestamp::SECOND));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_switched_off_in_the_midst_of_a_run_removes_nobody_any_more() {
    let world = World::new().await;
    world.began(&people(4)).await;
    world.leaves(1);
    world.synced().await;
    world.clock.advance(8 * DAY);
    world.leaves(2);
    world.tenant.sim().set_latency_ms(100);
    let running = world
        .engine
        .start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor())
        .await
        .unwrap()
        .unwrap();
    world.connect(|form| form.text.enabled = false).await;
    let report = running.finished().await.unwrap();
    assert_eq!((report.outcome, report.changes.missing, report.changes.deleted), ("failed", 0, 0));
    assert!(report.error.unwrap().contains("switched off"));
    assert_eq!(world.in_conflict().await, [(id(1), Reason::NotInDirectory)]);
    assert_eq!(world.customer.schedule(Service::Entra).await.unwrap(), None);
}

#[tokio::test]
async fn the_deletion_date_follows_the_present_setting() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.leaves(2);
    world.synced().await;
    world.delete_after("30d").await;
    world.clock.advance(29 * DAY);
    assert_eq!(world.synced().await.changes.deleted, 0);
    world.clock.advance(DAY);
    assert_eq!(world.synced().await.changes.deleted, 1);
}

#[tokio::test]
async fn a_shortened_setting_does_not_put_off_what_is_due_later_anyway() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.leaves(2);
    world.synced().await;
    world.clock.advance(HOUR);
    world.delete_after("3d").await;
    assert_eq!(
        world.conflict(2).await.delete_on(DeleteAfter::ThreeDays),
        Some(world.now().plus(3 * DAY - HOUR))
    );
}

#[tokio::test]
async fn never_means_never() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.leaves(2);
    world.synced().await;
    world.delete_after("never").await;
    world.clock.advance(5_000 * DAY);
    assert_eq!(world.synced().await.changes.deleted, 0);
    assert_eq!(world.conflict(2).await.reason, Reason::NotInDirectory);
}

#[tokio::test]
async fn an_ignored_user_is_not_deleted_however_long_the_absence() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.leaves(2);
    world.synced().await;
    world.decide(2, |conflict| conflict.state = State::Ignored).await;
    world.clock.advance(3_650 * DAY);
    assert_eq!(world.synced().await.changes.deleted, 0);
    assert_eq!(world.conflict(2).await.state, State::Ignored);
}

#[tokio::test]
async fn a_deactivated_user_is_not_deleted() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.leaves(2);
    world.synced().await;
    world.decide(2, |conflict| conflict.state = State::Deactivated).await;
    world.clock.advance(1_000 * DAY);
    assert_eq!(world.synced().await.changes.deleted, 0);
    assert_eq!(world.user(2).await.status, Status::Inactive);
}

#[tokio::test]
async fn while_the_sync_is_broken_nobody_is_deleted() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.leaves(2);
    world.synced().await;
    world.clock.advance(400 * DAY);
    for route in ["/users/delta", "/groups/delta"] {
        world.breaks(route);
        let report = world.sync().await;
        assert_eq!((report.outcome, report.changes.deleted), ("failed", 0));
        assert_eq!(world.numbers().await, [1, 2, 3]);
        world.tenant.sim().clear_graph_faults();
    }
    assert_eq!(world.synced().await.changes.deleted, 1);
}
