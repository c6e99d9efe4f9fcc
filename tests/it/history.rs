//! Sync History and the Dashboard over HTTP, as a browser without JavaScript sees them.

use axum::http::StatusCode;
use domain::{
    Secret,
    role::Role,
    run::{Purpose, Trigger},
    settings::EntraText,
};
use sync::{Actor, connect::ConnectForm, run::run_to_end};

use crate::support::TestPortal;

async fn connect(portal: &TestPortal) {
    let text = EntraText {
        enabled: true,
        tenant: portal.tenant.tenant_domain(),
        client_id: portal.tenant.client_id(),
        sync_frequency: "6h".to_owned(),
        delete_users_after: "7d".to_owned(),
        ..EntraText::default()
    };
    let form = ConnectForm {
        text,
        secret: Some(Secret::new(portal.tenant.client_secret())),
        confirm_tenant: true,
        ..ConnectForm::default()
    };
    let customer = portal.customer("default").await;
    let saved = sync::connect::save(&portal.portal.engine, &customer, &Actor::command_line(), form).await;
    saved.unwrap().unwrap();
}

/// A run to its end: its id.
async fn run(portal: &TestPortal, purpose: Purpose) -> String {
    let customer = portal.customer("default").await;
    let (engine, actor) = (&portal.portal.engine, Actor::command_line());
    let report = run_to_end(engine, &customer, purpose, Trigger::CommandLine, &actor).await;
    report.unwrap().unwrap().run.to_string()
}

#[tokio::test]
async fn a_run_shows_what_it_did_to_whom_and_the_filter_and_the_export_agree() {
    let portal = TestPortal::start().await;
    connect(&portal).await;
    let id = run(&portal, Purpose::Sync).await;
    let mut browser = portal.administrator().await;
    let list = browser.get("/customers/default/sync-history").await.body;
    assert!(list.contains(&id) && list.contains("Succeeded"), "{list}");
    let path = format!("/customers/default/sync-history/{id}");
    let page = browser.get(&path).await.body;
    let customer = portal.customer("default").await;
    let users: i64 = customer.user_counts().await.unwrap().iter().map(|(_, _, users)| users).sum();
    let groups = customer.group_count(domain::service::Source::Azure).await.unwrap();
    let added = usize::try_from(users + groups).unwrap();
    assert!(users > 10 && page.contains(&format!("Added {added}")), "{page}");
    assert_eq!(page.matches(">Added</span>").count(), added.min(50), "{page}");
    let export = browser.get(&format!("{path}/changes.csv?action=added")).await;
    assert_eq!(export.status, StatusCode::OK);
    assert_eq!(export.body.matches("\"added\"").count(), added, "{}", export.body);
    let none = browser.get(&format!("{path}?action=deleted")).await.body;
    assert!(none.contains("The run did this to nobody."), "{none}");
    let empty = browser.get(&format!("{path}/changes.csv?action=deleted")).await.body;
    assert_eq!(empty.lines().count(), 1, "the head line alone: {empty}");
}

#[tokio::test]
async fn a_preview_is_started_by_an_operator_and_marked_as_one() {
    let portal = TestPortal::start().await;
    connect(&portal).await;
    let id = portal.add_administrator("op@portal.example", "default", Role::Operator).await;
    let mut browser = portal.signed_in(id).await;
    let started = browser.submit("/api/preview", &[("slug", "default")]).await;
    let path = started.location().to_owned();
    assert!(path.starts_with("/customers/default/sync-history/"), "{path}");
    assert!(browser.get(&path).await.body.contains("The preview has started. It changes no user."));
    for _ in 0..100 {
        if !browser.get(&path).await.body.contains("Running") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let page = browser.get(&path).await.body;
    assert!(
        page.contains("Nothing was changed; a sync would do this:") && page.contains("Would be added"),
        "{page}"
    );
    let customer = portal.customer("default").await;
    assert!(customer.user_counts().await.unwrap().iter().all(|(_, _, users)| *users == 0));
}

#[tokio::test]
async fn the_dashboard_says_what_to_do_first_and_warns_when_no_sync_succeeds_any_more() {
    let portal = TestPortal::start().await;
    let mut browser = portal.administrator().await;
    let path = "/customers/default/dashboard";
    assert!(browser.get(path).await.body.contains("Connect Entra ID"));
    connect(&portal).await;
    run(&portal, Purpose::Sync).await;
    let page = browser.get(path).await.body;
    assert!(page.contains("Changes in the last 30 days") && !page.contains("No successful sync"), "{page}");
    portal.clock.advance(3 * domain::Timestamp::DAY);
    let id = portal.add_administrator("late@portal.example", "default", Role::Viewer).await;
    let page = portal.signed_in(id).await.get(path).await.body;
    assert!(page.contains("No successful sync for 3 days."), "{page}");
}

#[tokio::test]
async fn managed_domains_and_limits_are_saved_from_the_overview_or_refused_with_the_reason() {
    let portal = TestPortal::start().await;
    let mut browser = portal.administrator().await;
    let path = "/customers/default/service-settings/directory-services";
    let answer = browser
        .submit("/api/managed_domains", &[("slug", "default"), ("domains", "contoso.com\nno domain")])
        .await;
    assert_eq!(answer.location(), path);
    let page = browser.get(path).await.body;
    assert!(page.contains("Nothing was saved.") && page.contains("no domain"), "{page}");
    browser
        .submit("/api/managed_domains", &[("slug", "default"), ("domains", "Contoso.com, fabrikam.com")])
        .await;
    let customer = portal.customer("default").await;
    assert_eq!(customer.managed_domains().await.unwrap(), ["contoso.com", "fabrikam.com"]);
    let limits =
        [("slug", "default"), ("max_removals", "0"), ("max_removals_percent", "20"), ("min_removals", "5")];
    browser.submit("/api/guard", &limits).await;
    assert!(browser.get(path).await.body.contains("Nothing was saved."));
}
