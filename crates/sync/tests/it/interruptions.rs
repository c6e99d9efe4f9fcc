//! Runs that end early, and what the next one makes of it.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Timestamp,
    guard::Guarded,
    run::{Outcome, Purpose, Trigger},
    service::Service,
};
use store::CursorKind;
use sync::{
    run::{StartRefused, run_to_end},
    settings_file::{self, Outcome as Applying, SecretSource},
};

use crate::support::{World, actor, on_both_engines, person, with};

/// How often each page of users was asked for.
fn pages(world: &World) -> BTreeMap<String, usize> {
    let mut pages = BTreeMap::new();
    for request in world.tenant.sim().requests().requests {
        if request.path.contains("/users/delta") {
            *pages.entry(request.query).or_default() += 1;
        }
    }
    pages
}

async fn wait_for_pages(world: &World, pages: i64) {
    for _ in 0..2_000 {
        let running = world.customer.running(Service::Entra).await.unwrap();
        if running.is_some_and(|run| run.counts.pages >= pages) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the run never came to page {pages}");
}

async fn thirty_people(world: &World) {
    let people: Vec<_> = (1..=30).map(|n| person(n, &format!("p{n}"), &[])).collect();
    world.people(&people);
    world.connect(|_| {}).await;
    world.tenant.sim().clear_requests();
    world.tenant.sim().set_latency_ms(30);
}

on_both_engines! {
    async fn a_stopped_run_goes_on_from_its_checkpoint(world: &mut World) {
        thirty_people(world).await;
        let running = world.engine.start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor()).await.unwrap().unwrap();
        wait_for_pages(world, 3).await;
        world.engine.stop();
        world.engine.idle().await;
        let report = running.finished().await.unwrap();
        assert_eq!(report.outcome, "failed");
        assert!(report.error.unwrap().starts_with("interrupted"));
        assert!(world.users().await.is_empty(), "what was read is not applied before the read is complete");
        let cursor = world.customer.cursor(Service::Entra, CursorKind::Users).await.unwrap().unwrap();
        assert!(cursor.full && !cursor.idle, "{cursor:?}");
        assert!(world.customer.lease("sync").await.unwrap().is_none(), "the lease was given back");

        // A stopped engine starts nothing more; the next process has its own.
        world.engine = world.another_engine();
        let report = world.synced().await;
        assert_eq!((report.read.users, report.changes.added), (31, 30));
        let pages = pages(world);
        assert!(pages.len() >= 11, "{pages:?}");
        assert!(pages.values().filter(|times| **times > 1).count() <= 1, "{pages:?}");
        assert!(pages.values().all(|times| *times <= 2), "{pages:?}");
        let cursor = world.customer.cursor(Service::Entra, CursorKind::Users).await.unwrap().unwrap();
        assert!(cursor.idle, "{cursor:?}");
    }

    async fn a_killed_run_is_called_interrupted_by_the_next_one_which_goes_on(world: &mut World) {
        thirty_people(world).await;
        {
            let me = actor();
            let run = run_to_end(&world.engine, &world.customer, Purpose::Sync, Trigger::CommandLine, &me);
            tokio::select! {
                _ = run => panic!("the run came to its end"),
                () = wait_for_pages(world, 3) => {}
            }
        }
        let killed = world.customer.running(Service::Entra).await.unwrap().unwrap();
        // The process that held the lease is this one, and it lives: the lease has to expire.
        let refused = world.engine.start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor()).await.unwrap();
        assert_eq!(refused.unwrap_err(), StartRefused::AlreadyRunning(Some(killed.public_id)));
        world.clock.advance(20 * Timestamp::SECOND);
        let report = world.synced().await;
        assert_eq!(report.changes.added, 30);
        let killed = world.customer.run(killed.public_id).await.unwrap().unwrap();
        assert_eq!(killed.outcome, Outcome::Failed);
        assert!(killed.error.unwrap().starts_with("interrupted"));
        let pages = pages(world);
        assert!(pages.values().filter(|times| **times > 1).count() <= 1, "{pages:?}");
    }

    async fn a_read_that_is_told_to_begin_again_does_so_and_says_so(world: &mut World) {
        thirty_people(world).await;
        let running = world.engine.start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor()).await.unwrap().unwrap();
        wait_for_pages(world, 3).await;
        // Replacing the directory makes the links void.
        let people: Vec<_> = (1..=30).map(|n| person(n, &format!("new{n}"), &[])).collect();
        world.people(&people);
        world.tenant.sim().set_latency_ms(0);
        let report = running.finished().await.unwrap();
        assert_eq!((report.outcome, report.error), ("succeeded", None));
        assert_eq!((report.read.users, report.changes.added), (31, 30));
        assert!(report.summary.contains("read again from the start"), "{}", report.summary);
        assert!(report.notices.iter().any(|notice| notice.detail.contains("read again from the start")));
        assert_eq!(world.one(30).await.primary, "new30@contoso.com");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_saved_in_the_midst_of_a_run_hold_for_everyone_at_its_end() {
    let mut world = World::with_pages(100).await;
    let people: Vec<_> = (1..=60).map(|n| person(n, &format!("p{n}"), &[&format!("alias{n}")])).collect();
    world.people(&people);
    world.connect(|_| {}).await;
    world.engine = world.engine.clone().with_chunk(1);
    let running = world
        .engine
        .start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor())
        .await
        .unwrap()
        .unwrap();
    while world.customer.running(Service::Entra).await.unwrap().is_some_and(|run| run.counts.added < 5) {
        tokio::task::yield_now().await;
    }
    // A settings file does not approve whom it drops.
    let file = settings_file::show(&world.engine, &world.customer).await.unwrap();
    let file = file.replace("custom_filter = \"\"", "custom_filter = \"startsWith(mail,'p1')\"");
    let file = settings_file::parse(&file).unwrap();
    let no_secret = |_: &SecretSource| Err("there is none".to_owned());
    let applied =
        settings_file::apply(&world.engine, &world.customer, &actor(), file, false, no_secret).await.unwrap();
    assert!(matches!(applied, Applying::Applied(applied) if applied.changed));
    let report = running.finished().await.unwrap();
    assert_eq!(report.error, None);
    assert!(report.changes.added < 60, "the save came too late to prove anything");
    // Of those who had not come in yet, only those of the new rules did. Who came in under the old rules was not counted among the
    // removals before, and is therefore held.
    let held = world.customer.held(Guarded::Removal, 0, 100).await.unwrap();
    assert!(!held.is_empty());
    assert_eq!(world.customer.dirty_users(Service::Entra, 0, 100).await.unwrap().len(), held.len());
    let expected: Vec<_> = (1..=60).filter(|n| n.to_string().starts_with('1')).collect();
    let seen = world.seen().await;
    assert!(expected.iter().all(|n| seen.contains_key(&crate::support::id(*n))), "{:?}", seen.keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_on_what_was_not_read_ends_the_run_in_the_midst_of_which_it_is_saved() {
    let mut world = World::with_pages(100).await;
    let people: Vec<_> = (1..=60).map(|n| with(person(n, &format!("p{n}"), &[]), "faxNumber", "1")).collect();
    world.people(&people);
    world.connect(|_| {}).await;
    world.engine = world.engine.clone().with_chunk(1);
    let running = world
        .engine
        .start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor())
        .await
        .unwrap()
        .unwrap();
    while world.customer.running(Service::Entra).await.unwrap().is_some_and(|run| run.counts.added < 5) {
        tokio::task::yield_now().await;
    }
    world.connect(|form| form.text.custom_filter = "faxNumber eq '1'".to_owned()).await;
    let report = running.finished().await.unwrap();
    assert!(report.changes.added < 60, "the save came too late to prove anything");
    assert!(report.error.unwrap().contains("faxNumber, which the directory was not asked for"));
    assert!(world.in_conflict().await.is_empty(), "nobody is judged by what was not read of them");
    world.synced().await;
    assert_eq!((world.users().await.len(), world.in_conflict().await.len()), (60, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_owner_on_this_host_is_replaced_at_once() {
    let world = World::new().await;
    world.people(&[person(1, "a", &[])]);
    world.connect(|_| {}).await;
    world.tenant.sim().set_latency_ms(50);
    let running = world
        .engine
        .start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor())
        .await
        .unwrap()
        .unwrap();
    let owner = world.customer.lease("sync").await.unwrap().unwrap().owner;
    running.finished().await.unwrap();
    // The same process number, started at another time: whoever that was is gone.
    let dead = format!("{owner}0");
    let now = world.engine.clock.now();
    world.customer.take_lease("sync", &dead, now, 20_000, |_| false).await.unwrap().unwrap();
    world.synced().await;

    let elsewhere = format!("another-host{owner}");
    world.customer.take_lease("sync", &elsewhere, now, 20_000, |_| false).await.unwrap().unwrap();
    let refused =
        world.engine.start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor()).await.unwrap();
    assert_eq!(refused.unwrap_err(), StartRefused::AlreadyRunning(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_another_selection_is_not_followed() {
    let mut world = World::new().await;
    thirty_people(&world).await;
    let running = world
        .engine
        .start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor())
        .await
        .unwrap()
        .unwrap();
    wait_for_pages(&world, 3).await;
    world.engine.stop();
    world.engine.idle().await;
    running.finished().await.unwrap();
    world.engine = world.another_engine();
    // A property that the usual selection does not have.
    world
        .connect(|form| {
            form.text.custom_filter = "faxNumber eq '1' or startsWith(displayName,'Person')".to_owned()
        })
        .await;
    world.tenant.sim().clear_requests();
    let report = world.synced().await;
    assert_eq!((report.read.users, report.changes.added), (31, 30));
    assert!(pages(&world).keys().any(|query| query.contains("faxNumber")), "{:?}", pages(&world));
}

#[tokio::test]
async fn a_directory_that_shows_nobody_is_not_believed() {
    let world = World::new().await;
    world.people(&[person(1, "a", &[])]);
    world.connect(|_| {}).await;
    world.synced().await;
    world.tenant.sim().replace_tenant(entra_sim::Tenant::import(entra_sim::Import::default(), 1).unwrap());
    let report = world.sync().await;
    assert_eq!(report.outcome, "failed");
    assert_eq!(world.users().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_secret_ends_a_run_with_a_reason_and_never_shows_the_secret() {
    let world = World::new().await;
    world.people(&[person(1, "a", &[])]);
    world.connect(|_| {}).await;
    let secret = world.tenant.client_secret();
    for kept in world.tenant.sim().secrets() {
        assert!(world.tenant.sim().expire_secret(&kept.key_id));
    }
    let report = world.sync().await;
    assert_eq!(report.outcome, "failed");
    let error = report.error.clone().unwrap();
    assert!(error.to_lowercase().contains("expired"), "{error}");
    assert!(!serde_json::to_string(&report).unwrap().contains(&secret));
}
