//! A preview: what a sync would do, without doing it.

use domain::{
    guard::{Decision, Guarded},
    run::Purpose,
    service::Service,
};
use entra_sim::Change;
use serde_json::json;
use store::RunChange;
use sync::run::RunReport;

use crate::{
    scenario::{DAY, group, people},
    support::{World, id, on_both_engines, person, with},
};

impl World {
    async fn preview(&self) -> RunReport {
        let before = self.everything().await;
        let report = self.run_for(Purpose::Preview).await;
        assert_eq!(report.error, None);
        assert_eq!(self.everything().await, before, "a preview changes nothing");
        report
    }

    /// What the portal shows, in words.
    async fn everything(&self) -> String {
        let groups = self.customer.groups_page(None, 1_000).await.unwrap();
        let conflicts = self.customer.conflicts(None, 1_000).await.unwrap();
        let held = self.customer.held(Guarded::Removal, 0, 1_000).await.unwrap();
        let bin = self.customer.recycle_bin(None, 1_000).await.unwrap();
        let take_overs = self.customer.take_overs().await.unwrap();
        let additions = self.customer.additions(Service::Entra).await.unwrap();
        let schedule = self.customer.schedule(Service::Entra).await.unwrap();
        let counts = self.customer.user_counts().await.unwrap();
        let users = self.users().await;
        format!(
            "{users:#?}{groups:#?}{conflicts:#?}{held:#?}{bin:#?}{take_overs:#?}{additions:#?}{schedule:#?}{counts:#?}"
        )
    }

    /// What a run did or would do, in an order of its own; who is added has another id each time.
    async fn told(&self, report: &RunReport) -> Vec<String> {
        let known: Vec<_> = self.users().await.into_iter().map(|user| user.public_id).collect();
        let tell = |change: RunChange| {
            let id = known.contains(&change.object_id).then_some(change.object_id);
            let RunChange { object, display_name, address, action, reason, changes, .. } = change;
            format!("{object:?} {display_name} {address} {action:?} {reason} {changes:?} {}", id.is_some())
        };
        let mut told: Vec<_> = self.history(report).await.into_iter().map(|row| tell(row.change)).collect();
        told.sort();
        told
    }

    /// A preview, and the sync that does exactly that.
    async fn previewed_and_synced(&self) -> RunReport {
        let preview = self.preview().await;
        let told = self.told(&preview).await;
        let report = self.read().await;
        // The users of the sync are not there yet when the preview tells of them.
        let without_id = |told: &[String]| {
            told.iter().map(|row| row.rsplit_once(' ').unwrap().0.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(without_id(&told), without_id(&self.told(&report).await));
        assert_eq!(preview.changes, report.changes);
        assert_eq!((preview.held, preview.outcome), (report.held, report.outcome));
        assert_eq!(preview.notices.len(), report.notices.len());
        report
    }
}

on_both_engines! {
    async fn a_preview_says_exactly_what_the_following_sync_does(world: &mut World) {
        world.tenant_with(&people(12), &[group(21, "sales"), group(22, "team"), group(23, "third")]);
        world.connect(|_| {}).await;
        world.previewed_and_synced().await;
        world.leaves(1);
        world.leaves(2);
        world.happens(Change::Disable(id(3)));
        world.previewed_and_synced().await;
        world.clock.advance(7 * DAY);
        world.enter("By hand", "help", &["desk"]).await;
        // 1 and 3 are deleted, 2 is back, 4 is missing and its address goes to 13, 6 and 7 exchange theirs, 14 waits for a take-over, 15 takes
        // an alias from the Manual user.
        world.returns(2);
        world.leaves(3);
        world.leaves(4);
        world.is_renamed(5, "Renamed", "renamed");
        world.happens(Change::SwapPrimaries { one: id(6), other: id(7) });
        world.joins(&with(person(13, "p4", &[]), "displayName", "Somebody Else"));
        world.joins(&person(14, "help", &[]));
        world.joins(&person(15, "p15", &["desk"]));
        world.leaves(21);
        world.is_renamed(22, "Team two", "team.two");
        let report = world.previewed_and_synced().await;
        assert_eq!((report.changes.restored, report.changes.deleted, report.changes.missing, report.changes.added), (1, 2, 1, 2));
    }

    async fn a_preview_in_small_chunks_tells_of_everybody_once(world: &mut World) {
        world.began(&[person(1, "a", &["x"]), person(2, "b", &["y"]), person(3, "c", &["z"]), person(4, "d", &[])]).await;
        world.engine = world.engine.clone().with_chunk(1);
        world.sets(1, "proxyAddresses", json!(["SMTP:b@contoso.com", "smtp:z@contoso.com"]));
        world.sets(2, "proxyAddresses", json!(["SMTP:c@contoso.com", "smtp:x@contoso.com"]));
        world.sets(3, "proxyAddresses", json!(["SMTP:a@contoso.com", "smtp:y@contoso.com"]));
        let report = world.previewed_and_synced().await;
        assert_eq!(report.changes.updated, 3);
    }
}

#[tokio::test]
async fn the_summary_of_a_preview_says_that_nothing_was_changed() {
    let world = World::new().await;
    world.people(&people(2));
    world.connect(|_| {}).await;
    let report = world.preview().await;
    assert_eq!(
        report.summary,
        "3 people read. Nothing was changed; a sync would do this: 2 added. 1 left out: 1 disabled."
    );
}

#[tokio::test]
async fn a_preview_says_what_would_be_held_and_holds_nothing() {
    let world = &World::new().await;
    world.began(&people(10)).await;
    world.limits(2, 100, 100).await;
    (1..=3).for_each(|number| world.leaves(number));
    let report = world.preview().await;
    assert_eq!((report.outcome, report.held, report.exit_code()), ("held", 3, 3));
    assert!(world.held(Guarded::Removal).await.is_empty());
    world.previewed_and_synced().await;
    world.decide_held(Guarded::Removal, Decision::Approved).await;
    assert_eq!(world.previewed_and_synced().await.changes.missing, 3);
}
