//! A sync while it is going on: what every page says of it, the page that reloads itself, and cancelling it.

use domain::{
    role::Role,
    run::{Purpose, Trigger},
};
use sync::Actor;

use crate::{support::TestPortal, users::synced};

const RELOADS: &str = "http-equiv=\"refresh\"";

/// A portal in which a sync waits for its tenant: the page of the run.
async fn running(purpose: Purpose) -> (TestPortal, String) {
    let (portal, _) = synced().await;
    portal.tenant.sim().set_latency_ms(3_000);
    let customer = portal.customer("default").await;
    let engine = &portal.portal.engine;
    let started = engine.start(&customer, purpose, Trigger::SyncNow, &Actor::command_line()).await;
    let run = started.unwrap().unwrap().run;
    (portal, format!("/customers/default/sync-history/{run}"))
}

#[tokio::test]
async fn a_running_sync_is_on_every_page_and_its_own_page_reloads_itself() {
    let (portal, run) = running(Purpose::Sync).await;
    let mut browser = portal.administrator().await;
    for path in [run.as_str(), "/customers/default/dashboard"] {
        let page = browser.get(path).await.body;
        assert!(page.contains(RELOADS), "{path} reloads itself: {page}");
        for part in ["Reading the directory", "Pages", "Objects read", "Running for"] {
            assert!(page.contains(part), "{path} says {part}: {page}");
        }
    }
    for page in ["users", "groups", "audit-log", "service-settings/directory-services/entra-id/connect"] {
        let page = browser.get(&format!("/customers/default/{page}")).await.body;
        assert!(page.contains("Reading the directory: 0 people"), "the pill: {page}");
        assert!(!page.contains(RELOADS), "{page}");
    }
}

#[tokio::test]
async fn an_operator_cancels_a_sync_and_is_told_beforehand_what_that_does() {
    let (portal, path) = running(Purpose::Sync).await;
    let viewer = portal.add_administrator("viewer@portal.example", "default", Role::Viewer).await;
    let page = portal.signed_in(viewer).await.get(&path).await.body;
    assert!(page.contains("Reading the directory…") && !page.contains("cancel_run"), "{page}");
    let operator = portal.add_administrator("op@portal.example", "default", Role::Operator).await;
    let mut browser = portal.signed_in(operator).await;
    for place in [path.as_str(), "/customers/default/dashboard"] {
        let page = browser.get(place).await.body;
        assert!(page.contains("action=\"/api/cancel_run\"") && page.contains("Cancel the sync"), "{page}");
        assert!(page.contains("What it has written stays"), "{page}");
    }
    let id = path.rsplit('/').next().unwrap().to_owned();
    let fields = [("slug", "default"), ("run", id.as_str())];
    assert_eq!(browser.submit("/api/cancel_run", &fields).await.location(), path);
    let page = browser.get(&path).await.body;
    assert!(page.contains("The sync was cancelled. What it had written stays."), "{page}");
    assert!(
        page.contains("cancelled by") && !page.contains(RELOADS) && !page.contains("cancel_run"),
        "{page}"
    );
    browser.submit("/api/cancel_run", &fields).await;
    assert!(browser.get(&path).await.body.contains("The sync had ended already."));
}

#[tokio::test]
async fn a_preview_and_a_read_say_what_cancelling_them_does() {
    for (purpose, words) in
        [(Purpose::Preview, "No user was changed."), (Purpose::Read, "What was read stays")]
    {
        let (portal, path) = running(purpose).await;
        let page = portal.administrator().await.get(&path).await.body;
        assert!(page.contains(words), "{page}");
    }
}
