//! The figures for Prometheus.

use axum::http::StatusCode;
use domain::run::{Purpose, Trigger};
use entra_sim::GraphFault;
use sync::{Actor, run::run_to_end};

use crate::{history::connect, support::TestPortal};

/// The value of a sample, by everything that stands before it.
fn sample(body: &str, name: &str) -> Option<f64> {
    let line = body.lines().find(|line| line.rsplit_once(' ').is_some_and(|(before, _)| before == name))?;
    Some(line.rsplit_once(' ')?.1.parse().unwrap())
}

async fn sync(portal: &TestPortal) {
    let (engine, customer) = (&portal.portal.engine, portal.customer("default").await);
    let actor = Actor::command_line();
    let run = run_to_end(engine, &customer, Purpose::Sync, Trigger::CommandLine, &actor);
    run.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_metrics_tell_how_each_customers_sync_is_doing() {
    let portal = TestPortal::start().await;
    let mut scraper = portal.visitor();
    let answer = scraper.get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(sample(&answer.body, "rollcall_sync_enabled{customer=\"default\"}"), Some(0.0));
    assert_eq!(sample(&answer.body, "rollcall_last_success_timestamp_seconds{customer=\"default\"}"), None);

    connect(&portal).await;
    sync(&portal).await;
    let body = scraper.get("/metrics").await.body;
    let of_default = |name: &str| sample(&body, &format!("{name}{{customer=\"default\"}}"));
    assert_eq!(of_default("rollcall_sync_enabled"), Some(1.0));
    assert_eq!(of_default("rollcall_last_run_failed"), Some(0.0));
    assert_eq!(
        of_default("rollcall_last_success_timestamp_seconds"),
        Some(portal.portal.now().0 as f64 / 1_000.0)
    );
    assert_eq!(of_default("rollcall_last_run_users_read"), Some(40.0));
    assert!(of_default("rollcall_users").unwrap() > 20.0);
    assert_eq!(sample(&body, "rollcall_sync_enabled{customer=\"other\"}"), Some(0.0));
    assert!(
        sample(&body, "rollcall_directory_requests_total{endpoint=\"graph\",status=\"200\"}").unwrap() >= 2.0
    );
    assert!(
        sample(&body, "rollcall_directory_requests_total{endpoint=\"login\",status=\"200\"}").unwrap() >= 1.0
    );
    assert_eq!(sample(&body, "rollcall_live_streams"), Some(0.0));

    // A directory that refuses is told apart from a database that does: the portal is ready.
    portal.tenant.sim().fail_graph(GraphFault {
        route: "/users/delta".to_owned(),
        status: 403,
        code: "Authorization_RequestDenied".to_owned(),
        message: String::new(),
        retry_after: None,
        times: None,
    });
    sync(&portal).await;
    portal.clock.advance(3 * domain::Timestamp::DAY);
    let body = scraper.get("/metrics").await.body;
    for name in ["rollcall_last_run_failed", "rollcall_sync_overdue"] {
        assert_eq!(sample(&body, &format!("{name}{{customer=\"default\"}}")), Some(1.0), "{name}");
    }
    assert_eq!(
        sample(&body, "rollcall_directory_requests_total{endpoint=\"graph\",status=\"403\"}"),
        Some(1.0)
    );
    assert_eq!(scraper.get("/readyz").await.status, StatusCode::OK);
    portal.portal.engine.store.close().await;
    assert_eq!(scraper.get("/metrics").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn with_a_token_the_metrics_are_for_whoever_has_it() {
    let portal = TestPortal::configured(
        |name| (name == "ROLLCALL_METRICS_TOKEN").then(|| "scrape me".to_owned()),
        false,
    )
    .await;
    let mut scraper = portal.visitor();
    assert_eq!(scraper.get("/metrics").await.status, StatusCode::UNAUTHORIZED);
    for (sent, status) in [
        ("Bearer scrape", StatusCode::UNAUTHORIZED),
        ("scrape me", StatusCode::UNAUTHORIZED),
        ("Bearer scrape me", StatusCode::OK),
    ] {
        assert_eq!(scraper.get_with("/metrics", "authorization", sent).await.status, status, "{sent}");
    }
}

#[tokio::test]
async fn without_a_token_only_a_portal_of_this_machine_tells_its_metrics() {
    let portal = TestPortal::configured(|_| None, true).await;
    let mut scraper = portal.visitor();
    let answer = scraper.get("/metrics").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(
        answer.body.contains("ROLLCALL_METRICS_TOKEN") && !answer.body.contains("default"),
        "{}",
        answer.body
    );
    assert_eq!(
        scraper.get_with("/metrics", "authorization", "Bearer ").await.status,
        StatusCode::UNAUTHORIZED
    );
}
