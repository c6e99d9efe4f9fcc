//! The deletion guard: unusually many removals wait for an administrator, and nothing else does.

use domain::{
    conflict::{Reason, State},
    guard::{Decision, Guarded},
    run::Outcome,
    service::Status,
};

use crate::{
    scenario::{DAY, HOUR, address, group, people},
    support::{World, id, on_both_engines, person},
};

impl World {
    /// Ten people of whom at most two may leave at once.
    async fn two_of_ten_may_leave(&self) {
        self.began(&people(10)).await;
        self.limits(2, 100, 100).await;
    }

    fn leave(&self, numbers: impl IntoIterator<Item = u32>) {
        numbers.into_iter().for_each(|number| self.leaves(number));
    }

    /// A sync after which so many removals wait.
    async fn holds(&self, number: i64) -> sync::run::RunReport {
        let report = self.read().await;
        assert_eq!((report.outcome, report.held), (if number > 0 { "held" } else { "succeeded" }, number));
        report
    }
}

on_both_engines! {
    async fn more_than_the_largest_number_are_held_and_stay_as_they_are(world: &mut World) {
        world.two_of_ten_may_leave().await;
        world.leave(1..=3);
        let report = world.holds(3).await;
        assert_eq!((report.exit_code(), report.changes.missing), (3, 0));
        assert!(report.summary.contains("3 removals wait for an approval"), "{}", report.summary);
        assert_eq!(world.customer.run(report.run).await.unwrap().unwrap().outcome, Outcome::Held);
        assert_eq!(world.held(Guarded::Removal).await, ["Person 1", "Person 2", "Person 3"]);
        assert!(world.in_conflict().await.is_empty(), "who is held is no conflict");
        assert_eq!(world.user(1).await.status, Status::Active);
        world.holds(3).await;
    }

    async fn removals_of_the_last_day_count_with_the_new_ones(world: &mut World) {
        world.two_of_ten_may_leave().await;
        world.leave(1..=2);
        world.holds(0).await;
        world.clock.advance(24 * HOUR);
        world.leave([3]);
        world.holds(1).await;
        world.clock.advance(1);
        world.holds(0).await;
        assert_eq!(world.in_conflict().await.len(), 3);
    }

    async fn an_approval_covers_those_listed_and_starts_the_count_anew(world: &mut World) {
        world.two_of_ten_may_leave().await;
        world.leave(1..=3);
        world.holds(3).await;
        world.decide_held(Guarded::Removal, Decision::Approved).await;
        world.clock.advance(DAY);
        // Meanwhile more have left than may without an approval.
        world.leave(4..=6);
        let report = world.holds(3).await;
        assert_eq!(report.changes.missing, 3);
        assert_eq!(world.held(Guarded::Removal).await, ["Person 4", "Person 5", "Person 6"]);
        assert_eq!(world.in_conflict().await, [1, 2, 3].map(|n| (id(n), Reason::NotInDirectory)));
        assert_eq!(world.conflict(1).await.missing_since, world.now(), "the clock starts at the approval");
    }

    async fn who_comes_back_drops_out_and_the_rest_may_be_few_enough(world: &mut World) {
        world.two_of_ten_may_leave().await;
        world.leave(1..=4);
        world.holds(4).await;
        world.returns(1);
        world.holds(3).await;
        assert_eq!(world.held(Guarded::Removal).await, ["Person 2", "Person 3", "Person 4"]);
        world.returns(2);
        let report = world.holds(0).await;
        assert_eq!(report.changes.missing, 2);
        assert!(world.customer.held(Guarded::Removal, 0, 10).await.unwrap().is_empty());
    }

    async fn who_is_dismissed_stays_as_delivered_until_they_are(world: &mut World) {
        world.two_of_ten_may_leave().await;
        world.leave(1..=3);
        world.holds(3).await;
        world.decide_held(Guarded::Removal, Decision::Dismissed).await;
        world.clock.advance(30 * DAY);
        for _ in 0..2 {
            world.holds(0).await;
            assert!(world.in_conflict().await.is_empty());
            assert_eq!(world.user(1).await.status, Status::Active);
        }
        world.returns(1);
        world.holds(0).await;
        world.leaves(1);
        world.holds(0).await;
        assert_eq!(world.in_conflict().await, [(id(1), Reason::NotInDirectory)], "a new absence counts");
        assert_eq!(world.customer.held(Guarded::Removal, 0, 10).await.unwrap().len(), 2);
    }

    async fn who_is_approved_in_advance_is_not_counted(world: &mut World) {
        world.two_of_ten_may_leave().await;
        let named = [world.user(1).await.id, world.user(2).await.id, world.user(3).await.id];
        let mut write = world.customer.begin().await.unwrap();
        write.approve_removals(&named, world.now()).await.unwrap();
        write.commit().await.unwrap();
        world.leave(1..=5);
        let report = world.holds(0).await;
        assert_eq!(report.changes.missing, 5);
    }

    async fn deletions_are_counted_apart_from_removals(world: &mut World) {
        world.two_of_ten_may_leave().await;
        for numbers in [1..=2, 3..=4] {
            world.leave(numbers);
            world.holds(0).await;
            world.clock.advance(DAY + 1);
        }
        world.clock.advance(7 * DAY);
        // Four are due at once, and two more leave: these may.
        world.leave(5..=6);
        let report = world.holds(4).await;
        assert_eq!((report.changes.missing, report.changes.deleted), (2, 0));
        assert_eq!(world.held(Guarded::Deletion).await, ["Person 1", "Person 2", "Person 3", "Person 4"]);
        assert!(world.held(Guarded::Removal).await.is_empty());
        // Who comes back drops out here as well.
        world.returns(1);
        world.holds(3).await;
        world.decide_held(Guarded::Deletion, Decision::Approved).await;
        let report = world.holds(0).await;
        assert_eq!(report.changes.deleted, 3);
        assert_eq!(world.numbers().await, [1, 5, 6, 7, 8, 9, 10]);
    }

    async fn a_decision_about_a_deletion_ends_with_the_conflict(world: &mut World) {
        world.began(&people(6)).await;
        world.leave(1..=2);
        world.holds(0).await;
        world.limits(1, 100, 100).await;
        world.clock.advance(7 * DAY);
        world.holds(2).await;
        let [one, two] = [world.user(1).await.id, world.user(2).await.id];
        let mut write = world.customer.begin().await.unwrap();
        write.decide_held(Guarded::Deletion, Some(&[one]), Decision::Approved, world.now()).await.unwrap();
        write.decide_held(Guarded::Deletion, Some(&[two]), Decision::Dismissed, world.now()).await.unwrap();
        write.commit().await.unwrap();
        world.returns(1);
        world.returns(2);
        world.holds(0).await;
        assert!(world.customer.held(Guarded::Deletion, 0, 10).await.unwrap().is_empty());
    }

    async fn groups_are_counted_apart_from_users(world: &mut World) {
        let groups: Vec<_> = (21..=25).map(|number| group(number, &format!("g{number}"))).collect();
        world.tenant_with(&people(10), &groups);
        world.connect(|_| {}).await;
        world.synced().await;
        world.limits(2, 100, 100).await;
        world.leave((1..=2).chain(21..=23));
        let report = world.holds(3).await;
        assert_eq!(report.changes.missing, 2);
        assert_eq!(world.held(Guarded::Group).await, ["g21", "g22", "g23"]);
        assert_eq!(world.customer.group_count(domain::service::Source::Azure).await.unwrap(), 5);
        world.decide_held(Guarded::Group, Decision::Approved).await;
        world.holds(0).await;
        assert_eq!(world.customer.group_count(domain::service::Source::Azure).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn more_than_the_share_are_held_from_the_smallest_number_on() {
    let world = World::new().await;
    world.began(&people(10)).await;
    world.limits(500, 20, 3).await;
    world.leave(1..=2);
    world.holds(0).await;
    world.leave([3]);
    world.holds(1).await;
}

#[tokio::test]
async fn the_last_ones_do_not_vanish_by_themselves() {
    let world = World::new().await;
    world.began(&people(2)).await;
    world.leave(1..=2);
    world.holds(2).await;
    world.returns(2);
    world.holds(0).await;
}

#[tokio::test]
async fn an_exception_that_lets_go_counts_like_any_removal() {
    let world = World::new().await;
    world.two_of_ten_may_leave().await;
    for number in 1..=3 {
        world.except(store::ExceptionKind::User, &id(number), false).await;
    }
    world.holds(3).await;
}

#[tokio::test]
async fn an_ignored_user_is_no_deletion_to_be_counted() {
    let world = World::new().await;
    world.began(&people(6)).await;
    world.leave(1..=2);
    world.holds(0).await;
    world.limits(1, 100, 100).await;
    world.decide(1, |conflict| conflict.state = State::Ignored).await;
    world.clock.advance(7 * DAY);
    assert_eq!(world.holds(0).await.changes.deleted, 1);
    assert_eq!(world.user(1).await.primary_address, address("p1"));
}

#[tokio::test]
async fn additions_and_updates_of_a_held_run_are_in() {
    let world = &World::new().await;
    world.two_of_ten_may_leave().await;
    world.leave(1..=3);
    world.joins(&person(11, "new", &[]));
    world.is_renamed(4, "Renamed", "renamed");
    let report = world.holds(3).await;
    assert_eq!((report.changes.added, report.changes.updated), (1, 1));
    assert_eq!(world.one(11).await.primary, "new@contoso.com");
    assert_eq!(world.one(4).await.name, "Renamed");
}

#[tokio::test]
async fn after_an_approval_what_went_before_does_not_count() {
    let world = &World::new().await;
    world.two_of_ten_may_leave().await;
    world.leave(1..=2);
    world.holds(0).await;
    world.leave([3]);
    world.holds(1).await;
    world.decide_held(Guarded::Removal, Decision::Approved).await;
    world.leave(4..=5);
    world.holds(0).await;
    assert_eq!(world.in_conflict().await.len(), 5);
}

#[tokio::test]
async fn an_approval_is_not_kept_for_the_next_absence() {
    let world = &World::new().await;
    world.two_of_ten_may_leave().await;
    world.leave(1..=3);
    world.holds(3).await;
    world.decide_held(Guarded::Removal, Decision::Approved).await;
    (1..=3).for_each(|number| world.returns(number));
    world.holds(0).await;
    world.leave(1..=3);
    world.holds(3).await;
}

#[tokio::test]
async fn a_held_person_loses_an_address_to_somebody_who_is_delivered() {
    let world = &World::new().await;
    world.two_of_ten_may_leave().await;
    world.leave(1..=3);
    world.sets(4, "proxyAddresses", serde_json::json!(["SMTP:p4@contoso.com", "smtp:p1@contoso.com"]));
    world.holds(3).await;
    assert_eq!(world.one(4).await.aliases, ["p1@contoso.com"]);
    let user = world.user(1).await;
    assert_eq!((user.status, user.address_lost), (Status::Active, true));
}

#[tokio::test]
async fn what_is_never_deleted_waits_for_nothing() {
    let world = &World::new().await;
    world.began(&people(6)).await;
    world.leave(1..=2);
    world.holds(0).await;
    world.limits(1, 100, 100).await;
    world.clock.advance(7 * DAY);
    world.holds(2).await;
    world.delete_after("never").await;
    world.holds(0).await;
    assert!(world.held(Guarded::Deletion).await.is_empty());
}
