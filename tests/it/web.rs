//! What holds for every response.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};

use crate::support::{ORIGIN, TestPortal, form};

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let portal = TestPortal::start().await;
    let mut browser = portal.administrator().await;
    let body = form(&[("everywhere", "on")]);
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("accept", "text/html")]
    {
        let request = Request::post("/api/sign_out")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(name, value)
            .body(Body::from(body.clone()))
            .unwrap();
        assert_eq!(browser.send(request).await.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    assert_eq!(browser.get("/customers/default/users").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_old_browser_is_known_by_its_origin() {
    let portal = TestPortal::start().await;
    let mut browser = portal.administrator().await;
    let request = Request::post("/api/sign_out")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "text/html")
        .header(header::ORIGIN, ORIGIN)
        .body(Body::empty())
        .unwrap();
    assert_eq!(browser.send(request).await.location(), "/login");
}

#[tokio::test]
async fn every_page_has_its_own_nonce_and_every_script_carries_it() {
    let portal = TestPortal::start().await;
    let mut browser = portal.administrator().await;
    let mut seen = Vec::new();
    for path in ["/login", "/customers/default/users", "/nothing/here"] {
        let answer = browser.get(path).await;
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let scripts: Vec<_> = answer
            .body
            .match_indices("<script")
            .map(|(at, _)| &answer.body[at..(at + 120).min(answer.body.len())])
            .collect();
        assert!(!scripts.is_empty(), "{path}: no script at all");
        for script in scripts {
            assert!(script.contains(&format!("nonce=\"{nonce}\"")), "{path}: {script}");
        }
        assert!(!answer.body.contains(" style="), "{path}: an inline style");
        seen.push(nonce);
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "a nonce was used twice");
}

#[tokio::test]
async fn pages_are_not_kept_by_caches_and_cannot_be_framed() {
    let portal = TestPortal::start().await;
    let answer = portal.visitor().get("/login").await;
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers["x-frame-options"], "DENY");
    assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(answer.headers[header::REFERRER_POLICY], "same-origin");
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_404_and_a_body_over_a_megabyte_is_refused() {
    let portal = TestPortal::start().await;
    let mut browser = portal.visitor();
    let answer = browser.get("/nothing/here").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.body.contains("There is no such page"), "{}", answer.body);
    let big = "x".repeat(1024 * 1024 + 1);
    let answer = browser.submit("/api/sign_in", &[("email", &big), ("password", ""), ("next", "/")]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_theme_is_kept_in_a_cookie_and_stands_in_the_document() {
    let portal = TestPortal::start().await;
    let mut browser = portal.visitor();
    let answer = browser.submit("/theme", &[("theme", "dark"), ("next", "/login")]).await;
    assert_eq!(answer.location(), "/login");
    assert!(browser.get("/login").await.body.contains("data-theme=\"dark\""));
    browser.submit("/theme", &[("theme", "auto"), ("next", "//evil.example")]).await;
    assert!(!browser.get("/login").await.body.contains("data-theme"));
}

#[tokio::test]
async fn the_health_routes_answer_without_a_session() {
    let portal = TestPortal::start().await;
    let mut browser = portal.visitor();
    assert_eq!(browser.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(browser.get("/readyz").await.status, StatusCode::OK);
    portal.portal.engine.store.close().await;
    assert_eq!(browser.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(browser.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
}
