//! When syncs start by themselves.

use std::time::Duration;

use domain::{
    Timestamp,
    run::{Outcome, Trigger},
    service::Service,
};
use store::{Run, Schedule};
use sync::{Engine, schedule};

use crate::{
    scenario::{DAY, HOUR, people},
    support::{World, on_both_engines},
};

impl World {
    async fn scheduled(&self) -> Option<Schedule> {
        self.customer.schedule(Service::Entra).await.unwrap()
    }

    async fn next_at(&self) -> Timestamp {
        self.scheduled().await.unwrap().next_at
    }

    async fn runs(&self) -> Vec<Run> {
        self.customer.runs(None, 100).await.unwrap()
    }

    /// Moves the clock to when the next run is due.
    async fn due(&self) {
        self.clock.advance(self.next_at().await.since(self.now()));
    }
}

/// Whether a run is due after this much time, or up to ten minutes later.
fn about(next_at: Timestamp, after: Timestamp, pause: i64) -> bool {
    (pause..pause + 10 * Timestamp::MINUTE).contains(&next_at.since(after))
}

async fn stop(engine: Engine, keeper: tokio::task::JoinHandle<()>) {
    engine.stop();
    keeper.await.unwrap();
    engine.idle().await;
}

on_both_engines! {
    async fn the_next_sync_is_due_one_frequency_after_the_start_of_the_last(world: &mut World) {
        world.people(&people(2));
        world.connect(|_| {}).await;
        assert_eq!(world.next_at().await, world.now().plus(6 * HOUR));
        world.clock.advance(HOUR);
        world.synced().await;
        assert!(about(world.next_at().await, world.now(), 6 * HOUR));
    }

    async fn after_failures_the_pause_grows_and_the_reason_is_kept_until_a_success(world: &mut World) {
        world.began(&people(2)).await;
        world.breaks("/users/delta");
        let mut pauses = Vec::new();
        for failures in 1..=3 {
            let report = world.sync().await;
            let schedule = world.scheduled().await.unwrap();
            assert_eq!((schedule.failures, Some(schedule.reason)), (failures, report.error));
            pauses.push(schedule.next_at.since(world.now()));
        }
        assert!(pauses.is_sorted() && pauses[0] >= 5 * Timestamp::MINUTE && pauses[2] < 6 * HOUR, "{pauses:?}");
        world.tenant.sim().clear_graph_faults();
        world.synced().await;
        let schedule = world.scheduled().await.unwrap();
        assert_eq!((schedule.failures, schedule.reason.as_str()), (0, ""));
        assert!(about(schedule.next_at, world.now(), 6 * HOUR));
    }

    async fn a_due_sync_starts_by_itself_and_missed_times_count_once(world: &mut World) {
        world.began(&people(2)).await;
        let engine = world.another_engine();
        // The portal was down for three days.
        world.clock.advance(3 * DAY);
        let keeper = tokio::spawn(schedule::keep(engine.clone()));
        while world.next_at().await < world.now() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // One more tick of the scheduler.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        stop(engine, keeper).await;
        let runs = world.runs().await;
        assert_eq!(runs.len(), 2);
        assert_eq!((runs[0].trigger, runs[0].actor.as_str(), runs[0].outcome), (Trigger::Schedule, "schedule", Outcome::Succeeded));
        assert!(about(world.next_at().await, world.now(), 6 * HOUR));
    }

    async fn of_two_portals_on_one_database_one_starts_a_due_sync(world: &mut World) {
        world.began(&people(2)).await;
        world.due().await;
        let engines = [world.another_engine(), world.another_engine(), world.another_engine()];
        let keepers = engines.clone().map(|engine| tokio::spawn(schedule::keep(engine)));
        while world.next_at().await <= world.now() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        for (engine, keeper) in engines.into_iter().zip(keepers) {
            stop(engine, keeper).await;
        }
        assert_eq!(world.runs().await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_was_told_to_stop_is_due_at_once() {
    let world = World::new().await;
    world.began(&people(9)).await;
    (1..=9).for_each(|number| world.sets(number, "displayName", format!("Renamed {number}")));
    world.due().await;
    world.tenant.sim().set_latency_ms(50);
    let engine = world.another_engine();
    let keeper = tokio::spawn(schedule::keep(engine.clone()));
    while world.runs().await.len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop(engine, keeper).await;
    let schedule = world.scheduled().await.unwrap();
    assert_eq!((schedule.next_at, schedule.failures), (world.now(), 0));
    world.tenant.sim().set_latency_ms(0);
    world.keeps_for_a_moment().await;
    assert_eq!(world.one(9).await.name, "Renamed 9");
}

#[tokio::test]
async fn another_frequency_counts_from_the_last_start() {
    let world = &World::new().await;
    world.began(&people(2)).await;
    let began = world.now();
    world.clock.advance(2 * HOUR);
    world.connect(|form| form.text.sync_frequency = "3h".to_owned()).await;
    assert_eq!(world.next_at().await, began.plus(3 * HOUR));
    world.clock.advance(20 * HOUR);
    world.connect(|form| form.text.sync_frequency = "12h".to_owned()).await;
    assert_eq!(world.next_at().await, world.now().plus(Timestamp::MINUTE), "overdue, but not at once");
    world
        .connect(|form| {
            form.text.sync_frequency = "12h".to_owned();
            form.text.delete_users_after = "30d".to_owned();
        })
        .await;
    assert_eq!(world.next_at().await, world.now().plus(Timestamp::MINUTE), "another field moves nothing");
}

#[tokio::test]
async fn a_service_that_is_off_or_manual_has_no_time() {
    let world = &World::new().await;
    world.began(&people(2)).await;
    world.connect(|form| form.text.sync_frequency = "manual".to_owned()).await;
    assert_eq!(world.scheduled().await, None);
    world.synced().await;
    assert_eq!(world.scheduled().await, None, "a run does not bring it back");
    world.connect(|_| {}).await;
    assert!(world.scheduled().await.is_some());
    world.connect(|form| form.text.enabled = false).await;
    assert_eq!(world.scheduled().await, None);
    world.clock.advance(3 * DAY);
    world.keeps_for_a_moment().await;
    assert_eq!(world.runs().await.len(), 2);
}

#[tokio::test]
async fn nothing_starts_before_it_is_due() {
    let world = &World::new().await;
    world.began(&people(2)).await;
    let due = world.next_at().await;
    world.clock.advance(due.since(world.now()) - 1);
    world.keeps_for_a_moment().await;
    assert_eq!(world.runs().await.len(), 1);
    world.clock.advance(1);
    world.keeps_for_a_moment().await;
    assert_eq!(world.runs().await.len(), 2);
}
