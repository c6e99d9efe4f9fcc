//! Administrators, invitations, the own password, customers, and the exports of histories, as a browser without JavaScript sees them.

use axum::http::{StatusCode, header};
use domain::role::Role;

use crate::support::{Browser, PASSWORD, TestPortal};

const ADMINISTRATORS: &str = "/customers/default/administrators";
const NEW_PASSWORD: &str = "another correct horse";

/// An administrator for all customers.
async fn full(portal: &TestPortal) -> Browser {
    let engine = &portal.portal.engine;
    let hash =
        portal.portal.passwords.hash(domain::Secret::new(PASSWORD), engine.random.as_ref()).await.unwrap();
    let candidate = sync::administrators::Candidate {
        email: "full@portal.example".to_owned(),
        display_name: "Fay Full".to_owned(),
        password_hash: hash,
    };
    let actor = sync::Actor::command_line();
    let added = sync::administrators::add(engine, &actor, candidate, Some(Role::Administrator)).await;
    portal.signed_in(added.unwrap().unwrap()).await
}

/// Invites Eve, and opens the page that the form leads to.
async fn invite(browser: &mut Browser, role: &str) -> String {
    let form =
        [("slug", "default"), ("email", "eve@portal.example"), ("display_name", "Eve"), ("role", role)];
    let answer = browser.submit("/api/administrator_invite", &form).await;
    assert_eq!(answer.location(), ADMINISTRATORS);
    browser.get(ADMINISTRATORS).await.body
}

/// The token of the one-time link on a page.
fn token(page: &str) -> String {
    let link = page.split("/invitation?token=").nth(1).unwrap_or_else(|| panic!("no link: {page}"));
    link.chars().take_while(char::is_ascii_hexdigit).collect()
}

#[tokio::test]
async fn an_invited_administrator_chooses_a_password_and_is_signed_in() {
    let portal = TestPortal::start().await;
    let mut ada = portal.administrator().await;
    let page = invite(&mut ada, "operator").await;
    let token = token(&page);
    assert!(!ada.get(ADMINISTRATORS).await.body.contains(&token), "the link is shown once");

    let mut eve = portal.visitor();
    let early =
        eve.submit("/api/sign_in", &[("email", "eve@portal.example"), ("password", ""), ("next", "/")]).await;
    assert!(early.location().contains("refused=wrong"), "nobody signs in before a password was chosen");
    let link = format!("/invitation?token={token}");
    assert!(eve.get(&link).await.body.contains("eve@portal.example"));
    let short = eve.submit("/api/accept_invitation", &[("token", &token), ("password", "short")]).await;
    assert!(eve.get(short.location()).await.body.contains("12 to 256 characters"));
    let done = eve.submit("/api/accept_invitation", &[("token", &token), ("password", NEW_PASSWORD)]).await;
    assert_eq!(done.location(), "/customers/default/dashboard");
    assert_eq!(eve.get("/customers/default/users").await.status, StatusCode::OK);
    assert_eq!(eve.get(ADMINISTRATORS).await.status, StatusCode::FORBIDDEN, "Eve is an Operator");
    let again = portal
        .visitor()
        .submit("/api/accept_invitation", &[("token", &token), ("password", NEW_PASSWORD)])
        .await;
    assert!(portal.visitor().get(again.location()).await.body.contains("not good any more"));
}

#[tokio::test]
async fn an_own_password_is_changed_by_who_knows_the_present_one_and_other_browsers_are_out() {
    let portal = TestPortal::start().await;
    let id = portal.add_administrator("ada@portal.example", "default", Role::Viewer).await;
    let (mut here, mut elsewhere) = (portal.signed_in(id).await, portal.signed_in(id).await);
    for (present, password, words) in [
        ("wrong horse battery", NEW_PASSWORD, "The present password is wrong"),
        (PASSWORD, "short", "at least 12 characters"),
    ] {
        here.submit("/api/change_password", &[("present", present), ("password", password)]).await;
        assert!(here.get("/account").await.body.contains(words), "{words}");
        assert_eq!(elsewhere.get("/customers/default/users").await.status, StatusCode::OK);
    }
    let done =
        here.submit("/api/change_password", &[("present", PASSWORD), ("password", NEW_PASSWORD)]).await;
    assert_eq!(done.location(), "/account");
    assert!(here.get("/account").await.body.contains("The password was changed"));
    assert!(elsewhere.get("/customers/default/users").await.location().starts_with("/login"));
    let form = [("email", "ada@portal.example"), ("password", NEW_PASSWORD), ("next", "/")];
    assert_eq!(
        portal.visitor().submit("/api/sign_in", &form).await.location(),
        "/customers/default/dashboard"
    );
}

#[tokio::test]
async fn who_is_deactivated_is_out_at_once() {
    let portal = TestPortal::start().await;
    let mut ada = portal.administrator().await;
    let id = portal.add_administrator("bob@portal.example", "default", Role::Viewer).await;
    let mut bob = portal.signed_in(id).await;
    let public_id =
        portal.portal.engine.store.administrator(id).await.unwrap().unwrap().public_id.to_string();
    let form = [("slug", "default"), ("id", public_id.as_str()), ("intent", "deactivate")];
    ada.submit("/api/administrator_change", &form).await;
    assert!(ada.get(ADMINISTRATORS).await.body.contains("Deactivated"));
    assert!(bob.get("/customers/default/users").await.location().starts_with("/login"));
}

#[tokio::test]
async fn a_customer_is_added_suspended_and_deleted_only_when_its_short_name_is_typed() {
    let portal = TestPortal::start().await;
    let mut fay = full(&portal).await;
    fay.submit("/api/customer_add", &[("slug", "fabrikam"), ("name", "Fabrikam <b>Inc</b>")]).await;
    let list = fay.get("/customers").await.body;
    assert!(list.contains("Fabrikam &lt;b&gt;Inc&lt;/b&gt;") && !list.contains("<b>Inc"), "{list}");
    let refused = fay.submit("/api/customer_add", &[("slug", "Fab Rikam"), ("name", "x")]).await;
    assert!(fay.get(refused.location()).await.body.contains("small letters"));

    let settings = "/customers/fabrikam/settings";
    fay.submit("/api/customer_change", &[("slug", "fabrikam"), ("intent", "suspend")]).await;
    assert!(fay.get(settings).await.body.contains("The customer is suspended"));
    assert!(fay.get("/customers").await.body.contains("Suspended"));
    let wrong = fay
        .submit("/api/customer_change", &[("slug", "fabrikam"), ("intent", "delete"), ("typed", "default")])
        .await;
    assert_eq!(wrong.location(), settings);
    assert_eq!(fay.get(settings).await.status, StatusCode::OK);
    let right = fay
        .submit("/api/customer_change", &[("slug", "fabrikam"), ("intent", "delete"), ("typed", "fabrikam")])
        .await;
    assert_eq!(right.location(), "/customers");
    assert_eq!(fay.get("/customers/fabrikam/dashboard").await.status, StatusCode::NOT_FOUND);
    let log = fay.get("/customers/default/audit-log?log=portal").await.body;
    assert!(log.contains("Customer: delete") && log.contains("fabrikam"), "{log}");
}

#[tokio::test]
async fn the_audit_log_is_filtered_shown_escaped_and_exported_without_formulas() {
    let portal = TestPortal::start().await;
    let mut ada = portal.administrator().await;
    let customer = portal.customer("default").await;
    let mut write = customer.begin().await.unwrap();
    for (object, new) in [("Entra ID", "=HYPERLINK(\"x\")"), ("Büro", "<script>alert(1)</script>")] {
        let entry = store::AuditEntry {
            at: portal.portal.now(),
            administrator_id: None,
            actor: "command line".to_owned(),
            action: "settings.save".to_owned(),
            object: object.to_owned(),
            changes: vec![store::Change::new("Custom Filters", "", new)],
        };
        write.audit(entry).await.unwrap();
    }
    write.commit().await.unwrap();
    let page = ada.get("/customers/default/audit-log?text=B%C3%9CRO").await.body;
    assert!(page.contains("&lt;script&gt;") && !page.contains("HYPERLINK"), "{page}");
    let page = ada.get("/customers/default/audit-log?actor=nobody").await.body;
    assert!(page.contains("No entry matches this filter."), "{page}");
    let answer = ada.get("/customers/default/audit-log/audit-log.csv?action=settings.save").await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert!(answer.headers[header::CONTENT_DISPOSITION].to_str().unwrap().contains("attachment"));
    assert_eq!(answer.body.lines().count(), 3, "{}", answer.body);
    assert!(!answer.body.contains("\"="), "{}", answer.body);
}

#[tokio::test]
async fn an_export_is_for_those_who_may_see_the_page() {
    let portal = TestPortal::start().await;
    let stranger = portal.add_administrator("stranger@portal.example", "other", Role::Administrator).await;
    let run = "018f0000-0000-7000-8000-000000000000";
    for path in ["audit-log/audit-log.csv".to_owned(), format!("sync-history/{run}/changes.csv")] {
        let path = format!("/customers/default/{path}");
        assert_eq!(portal.visitor().get(&path).await.location(), "/login");
        assert_eq!(portal.signed_in(stranger).await.get(&path).await.status, StatusCode::NOT_FOUND);
    }
    let mut ada = portal.administrator().await;
    let path = format!("/customers/default/sync-history/{run}/changes.csv");
    assert_eq!(ada.get(&path).await.status, StatusCode::NOT_FOUND);
    let portal_log = "/customers/default/audit-log/audit-log.csv?log=portal";
    assert_eq!(
        ada.get(portal_log).await.status,
        StatusCode::FORBIDDEN,
        "Ada is not Administrator for all customers"
    );
}
