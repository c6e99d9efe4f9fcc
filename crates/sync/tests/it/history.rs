//! What a run leaves behind: rows from old to new, figures that equal them, and nothing for ever.

use domain::{
    Timestamp,
    guard::Guarded,
    run::{Action, Counts, ObjectKind, Purpose},
    service::{Service, Source},
};
use entra_sim::Change;
use serde_json::json;
use sync::{run::RunReport, schedule};

use crate::{
    scenario::{DAY, HOUR, group, people},
    support::{World, id, on_both_engines, person, with},
};

/// The figures of a run, and its rows counted.
async fn figures(world: &World, report: &RunReport) -> (Counts, impl Fn(ObjectKind, Action) -> i64) {
    let run = world.customer.run(report.run).await.unwrap().unwrap();
    let rows = world.customer.run_change_counts(run.id).await.unwrap();
    let count = move |object, action| {
        rows.iter().find(|row| (row.0, row.1) == (object, action)).map_or(0, |row| row.2)
    };
    (run.counts, count)
}

async fn figures_equal_rows(world: &World, report: &RunReport) {
    let (counts, rows) = figures(world, report).await;
    let users = |action| rows(ObjectKind::User, action);
    let groups = |action| rows(ObjectKind::Group, action);
    assert_eq!(
        [counts.added, counts.updated, counts.missing, counts.restored, counts.deleted],
        [Action::Added, Action::Updated, Action::Missing, Action::Restored, Action::Deleted].map(users)
    );
    assert_eq!(counts.groups_added, groups(Action::Added) + groups(Action::Restored));
    assert_eq!(
        [counts.groups_updated, counts.groups_deleted],
        [Action::Updated, Action::Deleted].map(groups)
    );
    assert_eq!(
        [counts.added, counts.updated, counts.missing, counts.restored, counts.deleted],
        [
            report.changes.added,
            report.changes.updated,
            report.changes.missing,
            report.changes.restored,
            report.changes.deleted
        ]
    );
}

on_both_engines! {
    async fn every_kind_of_change_is_a_row_and_the_figures_equal_the_rows(world: &mut World) {
        world.tenant_with(&people(12), &[group(21, "sales"), group(22, "team"), group(23, "third")]);
        world.connect(|_| {}).await;
        let report = world.synced().await;
        figures_equal_rows(world, &report).await;
        world.leaves(1);
        world.leaves(2);
        world.happens(Change::Disable(id(3)));
        let report = world.synced().await;
        figures_equal_rows(world, &report).await;
        world.clock.advance(7 * DAY);
        // 1 is deleted, 2 is back, 3 has another reason, 4 is missing, 5 and 6 change, 13 is new and takes an address.
        world.returns(2);
        world.leaves(3);
        world.leaves(4);
        world.is_renamed(5, "Renamed", "renamed");
        world.happens(Change::SwapPrimaries { one: id(6), other: id(7) });
        world.joins(&person(13, "p4", &[]));
        world.leaves(21);
        world.is_renamed(22, "Team two", "team.two");
        world.joins_group(24);
        let report = world.synced().await;
        figures_equal_rows(world, &report).await;
        let (counts, _) = figures(world, &report).await;
        assert_eq!((counts.added, counts.missing, counts.restored), (1, 1, 1));
        assert_eq!((counts.groups_added, counts.groups_updated, counts.groups_deleted), (1, 1, 1));
        // 3 was disabled before and would be due like 1.
        assert_eq!(counts.deleted, 2);
        assert_eq!(counts.updated, 4);
    }

    async fn old_runs_and_deleted_users_are_cleared_away_by_the_clock(world: &mut World) {
        world.connect_manually(&people(4)).await;
        let first = world.synced().await;
        world.leaves(2);
        world.synced().await;
        world.clock.advance(7 * DAY);
        let deleting = world.synced().await;
        assert_eq!(deleting.changes.deleted, 1);
        world.clock.advance(schedule::BIN_KEPT_MS);
        world.keeps_for_a_moment().await;
        assert_eq!(world.customer.recycle_bin(None, 10).await.unwrap().len(), 1, "30 days are not over");
        world.clock.advance(HOUR);
        world.keeps_for_a_moment().await;
        assert!(world.customer.recycle_bin(None, 10).await.unwrap().is_empty());
        assert!(world.customer.run(first.run).await.unwrap().is_some());
        // Who is delivered again after that is a new user.
        let before = world.history(&deleting).await.remove(0).change.object_id;
        world.returns(2);
        assert_eq!(world.synced().await.changes.added, 1);
        assert_ne!(world.user(2).await.public_id, before);

        world.clock.advance(schedule::RUNS_KEPT_MS);
        let last = world.customer.last_success().await.unwrap().unwrap();
        world.keeps_for_a_moment().await;
        let kept = world.customer.runs(None, 10).await.unwrap();
        assert_eq!(kept.iter().map(|run| run.id).collect::<Vec<_>>(), [last.id], "the last success is kept however old");
        assert!(world.customer.object_changes(before, None, 10).await.unwrap().is_empty());
    }
}

impl World {
    /// A connected tenant whose runs somebody has to start.
    async fn connect_manually(&self, people: &[serde_json::Value]) {
        self.people(people);
        self.connect(|form| form.text.sync_frequency = "manual".to_owned()).await;
    }

    /// A group is created in the directory.
    fn joins_group(&self, number: u32) {
        self.happens(Change::AddGroup(group(number, &format!("g{number}")).as_object().unwrap().clone()));
    }

    /// The scheduler of a process that is started and stopped at once: what is due at its start happens.
    pub async fn keeps_for_a_moment(&self) {
        let engine = self.another_engine();
        let keeper = tokio::spawn(schedule::keep(engine.clone()));
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        engine.stop();
        keeper.await.unwrap();
        engine.idle().await;
    }
}

#[tokio::test]
async fn a_read_without_a_sync_fills_the_mirror_and_changes_no_user() {
    let world = World::new().await;
    world.tenant_with(&people(4), &[group(21, "sales")]);
    world.connect(|_| {}).await;
    let due = world.customer.schedule(Service::Entra).await.unwrap();
    let report = world.run_for(Purpose::Read).await;
    assert_eq!((report.outcome, report.read.users, report.read.groups), ("succeeded", 5, 1));
    assert_eq!(report.summary, "5 people and 1 group read. No user was changed.");
    assert!(world.users().await.is_empty() && world.history(&report).await.is_empty());
    assert_eq!(world.customer.mirror_count(Service::Entra).await.unwrap(), 5);
    assert_eq!(world.customer.group_count(Source::Azure).await.unwrap(), 0);
    assert_eq!(world.customer.schedule(Service::Entra).await.unwrap(), due);
    assert_eq!(world.customer.last_success().await.unwrap(), None, "it is no sync");
    // The sync that follows reads changes only, and adds everybody.
    world.clock.advance(Timestamp::MINUTE);
    let report = world.synced().await;
    assert_eq!((report.read.users, report.changes.added), (0, 4));
}

#[tokio::test]
async fn a_read_after_a_sync_makes_nobody_missing() {
    let world = World::new().await;
    world.began(&people(4)).await;
    world.leaves(2);
    world.joins(&with(person(5, "new", &[]), "displayName", "New"));
    world.run_for(Purpose::Read).await;
    assert!(world.in_conflict().await.is_empty());
    let report = world.synced().await;
    assert_eq!((report.read.users, report.changes.added, report.changes.missing), (0, 1, 1));
}

#[tokio::test]
async fn who_is_back_comes_first_and_who_is_missing_last() {
    let world = &World::new().await;
    world.began(&people(5)).await;
    world.leaves(4);
    world.synced().await;
    world.returns(4);
    world.leaves(1);
    world.is_renamed(2, "Renamed", "renamed");
    let report = world.synced().await;
    let actions: Vec<_> = world.history(&report).await.iter().map(|row| row.change.action).collect();
    assert_eq!(actions, [Action::Restored, Action::Updated, Action::Missing]);
}

#[tokio::test]
async fn what_is_held_is_no_row() {
    let world = &World::new().await;
    world.began(&people(4)).await;
    (1..=4).for_each(|number| world.leaves(number));
    let report = world.read().await;
    assert_eq!(report.held, 4);
    assert!(world.history(&report).await.is_empty());
    assert_eq!(world.held(Guarded::Removal).await.len(), 4);
}

#[tokio::test]
async fn a_row_says_old_and_new_and_why() {
    let world = &World::new().await;
    world.people(&[person(1, "a", &["info"]), person(2, "b", &[])]);
    world.connect(|form| form.text.include_disabled = true).await;
    world.synced().await;
    world.happens(Change::Set {
        object: id(1),
        properties: [
            ("displayName".to_owned(), json!("Ada")),
            ("accountEnabled".to_owned(), json!(false)),
            ("proxyAddresses".to_owned(), json!(["SMTP:ada@contoso.com", "smtp:help@contoso.com"])),
        ]
        .into_iter()
        .collect(),
    });
    let report = world.synced().await;
    let rows = world.history(&report).await;
    assert_eq!(rows.len(), 1);
    let change = &rows[0].change;
    assert_eq!((change.action, change.reason.as_str()), (Action::Updated, "changed in directory"));
    assert_eq!((change.display_name.as_str(), change.address.as_str()), ("Ada", "ada@contoso.com"));
    let told: Vec<_> =
        change.changes.iter().map(|c| (c.field.as_str(), c.old.as_str(), c.new.as_str())).collect();
    assert_eq!(
        told,
        [
            ("Display name", "Person 1", "Ada"),
            ("Primary address", "a@contoso.com", "ada@contoso.com"),
            ("Aliases", "info@contoso.com", "help@contoso.com"),
            ("Sign-in blocked", "no", "yes"),
        ]
    );
    assert_eq!((rows[0].at, rows[0].run_public_id), (world.now(), report.run));
}
