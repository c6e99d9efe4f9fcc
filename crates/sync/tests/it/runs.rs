//! What a sync delivers.

use domain::{
    run::{NoticeKind, Outcome, Purpose, Trigger},
    service::{Source, Status},
};
use entra_sim::GraphFault;
use serde_json::json;
use sync::run::{StartRefused, run_to_end};

use crate::support::{Seen, World, actor, id, of_kind, on_both_engines, person, with};

on_both_engines! {
    async fn a_first_sync_delivers_everyone_once_and_a_second_one_changes_nothing(world: &mut World) {
        let people: Vec<_> = (1..=10).map(|n| person(n, &format!("p{n}"), &[&format!("alias{n}")])).collect();
        world.people(&people);
        world.connect(|_| {}).await;
        let report = world.synced().await;
        assert_eq!((report.read.users, report.changes.added, report.changes.updated), (11, 10, 0));
        assert_eq!(report.summary, "11 people read. 10 added. 1 left out: 1 disabled.");
        let users = world.users().await;
        assert_eq!(users.len(), 10);
        assert!(users.iter().all(|user| user.source == Source::Azure && user.status == Status::Active));
        assert_eq!(
            world.one(3).await,
            Seen {
                name: "Person 3".to_owned(),
                primary: "p3@contoso.com".to_owned(),
                aliases: vec!["alias3@contoso.com".to_owned()],
            }
        );

        let topics = world.customer.topic_versions().await.unwrap();
        let report = world.synced().await;
        assert_eq!((report.read.users, report.changes.added, report.changes.updated), (0, 0, 0), "nothing changed");
        assert_eq!(world.users().await, users);
        let version = |topics: &[(String, i64)], name: &str| topics.iter().find(|(topic, _)| topic == name).unwrap().1;
        let after = world.customer.topic_versions().await.unwrap();
        assert_eq!(version(&topics, "users"), version(&after, "users"), "no page of users has to look again");
        assert!(version(&after, "runs") > version(&topics, "runs"));
    }

    async fn the_run_is_kept_with_its_figures_and_summary(world: &mut World) {
        world.people(&[person(1, "a", &[])]);
        world.connect(|_| {}).await;
        let report = world.synced().await;
        let run = world.customer.run(report.run).await.unwrap().unwrap();
        assert_eq!(run.outcome, Outcome::Succeeded);
        assert_eq!((run.trigger, run.actor.as_str()), (Trigger::CommandLine, "ada@portal.example"));
        assert_eq!((run.counts.users_read, run.counts.added, run.counts.left_out), (2, 1, 1));
        assert_eq!(run.summary, report.summary);
        assert!(run.counts.requests >= 3 && run.counts.bytes > 0, "{:?}", run.counts);
        assert!(run.finished_at.is_some());
    }

    async fn a_rename_in_the_directory_keeps_the_user(world: &mut World) {
        world.people(&[person(1, "ada.byron", &[])]);
        world.connect(|_| {}).await;
        world.synced().await;
        let before = world.users().await;
        world.people(&[with(person(1, "ada.lovelace", &["ada.byron"]), "displayName", "Ada Lovelace")]);
        let report = world.synced().await;
        assert_eq!((report.changes.added, report.changes.updated), (0, 1));
        let after = world.users().await;
        assert_eq!(after.len(), 1);
        assert_eq!((after[0].id, after[0].public_id), (before[0].id, before[0].public_id));
        assert_eq!(after[0].display_name, "Ada Lovelace");
        assert_eq!(after[0].primary_address, "ada.lovelace@contoso.com");
        assert_eq!(after[0].aliases, ["ada.byron@contoso.com"]);
    }

    async fn an_alias_moves_between_two_people(world: &mut World) {
        world.people(&[person(1, "a", &["info"]), person(2, "b", &[])]);
        world.connect(|_| {}).await;
        world.synced().await;
        world.people(&[person(1, "a", &[]), person(2, "b", &["info"])]);
        let report = world.synced().await;
        assert_eq!(report.changes.updated, 2);
        assert!(of_kind(&report, NoticeKind::Clash).is_empty());
        assert_eq!(world.one(1).await.aliases, Vec::<String>::new());
        assert_eq!(world.one(2).await.aliases, ["info@contoso.com"]);
    }

    async fn primary_addresses_are_swapped_and_rotated_whatever_the_chunks(world: &mut World) {
        world.people(&[person(1, "a", &[]), person(2, "b", &[]), person(3, "c", &[])]);
        world.connect(|_| {}).await;
        world.synced().await;
        world.engine = world.engine.clone().with_chunk(1);
        world.people(&[person(1, "b", &[]), person(2, "a", &[]), person(3, "c", &[])]);
        let report = world.synced().await;
        assert!(of_kind(&report, NoticeKind::Clash).is_empty(), "{:?}", report.notices);
        assert_eq!(world.one(1).await.primary, "b@contoso.com");
        assert_eq!(world.one(2).await.primary, "a@contoso.com");
        world.people(&[person(1, "c", &[]), person(2, "b", &[]), person(3, "a", &[])]);
        let report = world.synced().await;
        assert_eq!(report.changes.updated, 3);
        assert!(of_kind(&report, NoticeKind::Clash).is_empty(), "{:?}", report.notices);
        assert_eq!(world.one(1).await.primary, "c@contoso.com");
        assert_eq!(world.one(2).await.primary, "b@contoso.com");
        assert_eq!(world.one(3).await.primary, "a@contoso.com");
    }

    async fn hostile_values_are_names_like_any_other(world: &mut World) {
        let long = "x".repeat(256);
        let names = ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "O'Brien \"the\" -- ;DROP TABLE users", &long, "nul\u{0}byte", "\u{202e}moc"];
        let people: Vec<_> =
            (1..).zip(names).map(|(n, name)| with(person(n, &format!("p{n}"), &[]), "displayName", name)).collect();
        world.people(&people);
        world.connect(|_| {}).await;
        let report = world.synced().await;
        assert_eq!(report.changes.added, 6);
        for (n, name) in (1..).zip(names) {
            assert_eq!(world.one(n).await.name, name.replace('\u{0}', ""));
        }
        assert_eq!(of_kind(&report, NoticeKind::ValueChanged).len(), 1);
        assert_eq!(world.synced().await.changes.updated, 0);
    }

    async fn a_failed_read_applies_nothing_and_says_what_to_do(world: &mut World) {
        world.people(&[person(1, "a", &[])]);
        world.connect(|_| {}).await;
        world.synced().await;
        let before = world.users().await;
        world.people(&[person(1, "other", &[]), person(2, "b", &[])]);
        world.tenant.sim().fail_graph(GraphFault {
            route: "/users/delta".to_owned(), status: 403, code: "Authorization_RequestDenied".to_owned(),
            message: "Insufficient privileges to complete the operation.".to_owned(), retry_after: None, times: None,
        });
        let report = world.sync().await;
        assert_eq!((report.outcome, report.exit_code()), ("failed", 1));
        assert!(report.error.as_ref().unwrap().contains("refuses the access"), "{report:?}");
        assert_eq!(world.users().await, before);
        let run = world.customer.run(report.run).await.unwrap().unwrap();
        assert_eq!((run.outcome, run.error), (Outcome::Failed, report.error));

        world.tenant.sim().clear_graph_faults();
        assert_eq!(world.synced().await.changes.added, 1);
    }

    async fn while_a_run_is_on_a_second_one_is_refused_with_its_id(world: &mut World) {
        let people: Vec<_> = (1..=12).map(|n| person(n, &format!("p{n}"), &[])).collect();
        world.people(&people);
        world.connect(|_| {}).await;
        world.tenant.sim().set_latency_ms(60);
        let running = world.engine.start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor()).await.unwrap().unwrap();
        let second = world.engine.start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor()).await.unwrap();
        assert_eq!(second.unwrap_err(), StartRefused::AlreadyRunning(Some(running.run)));
        let third = run_to_end(&world.engine, &world.customer, Purpose::Sync, Trigger::CommandLine, &actor()).await.unwrap();
        assert_eq!(third.unwrap_err(), StartRefused::AlreadyRunning(Some(running.run)));
        let report = running.finished().await.unwrap();
        assert_eq!(report.outcome, "succeeded");
        world.tenant.sim().set_latency_ms(0);
        world.synced().await;
    }
}

#[tokio::test]
async fn without_a_saved_and_enabled_connection_no_run_starts() {
    let world = World::new().await;
    let me = actor();
    let start = || world.engine.start(&world.customer, Purpose::Sync, Trigger::SyncNow, &me);
    assert_eq!(start().await.unwrap().unwrap_err(), StartRefused::NotConfigured);
    world.connect(|form| form.text.enabled = false).await;
    assert_eq!(start().await.unwrap().unwrap_err(), StartRefused::NotEnabled);
    assert!(world.customer.runs(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_user_without_a_name_is_shown_by_its_address_and_one_without_address_is_listed() {
    let world = World::new().await;
    let nameless = with(person(1, "a", &[]), "displayName", "  ");
    let silent = json!({"id": id(2), "displayName": "Silent", "userPrincipalName": "guest_x.example#EXT#@contoso.com", "mail": null});
    world.people(&[nameless, silent]);
    world.connect(|_| {}).await;
    let report = world.synced().await;
    assert_eq!(world.one(1).await.name, "a@contoso.com");
    let listed = of_kind(&report, NoticeKind::NoAddress);
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].external_id.as_str(), listed[0].display_name.as_str()), (id(2).as_str(), "Silent"));
    assert!(report.summary.contains("1 without a usable address"), "{}", report.summary);
}
