//! The stream of topic versions.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use domain::role::Role;
use http_body_util::BodyExt as _;

use crate::support::{Browser, TestPortal};

const LIVE: &str = "/customers/default/live";

/// Reads the stream until its text holds `part`, or a few seconds are over.
async fn until(body: &mut Body, part: &str) -> String {
    let mut text = String::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Some(data) = frame.data_ref() {
                text.push_str(&String::from_utf8_lossy(data));
            }
            if text.contains(part) {
                return;
            }
        }
    };
    drop(tokio::time::timeout(Duration::from_secs(10), reading).await);
    text
}

async fn open(browser: &mut Browser) -> axum::response::Response {
    browser.open(Request::get(LIVE).body(Body::empty()).unwrap()).await
}

async fn raise(portal: &TestPortal, slug: &str, topic: &str) {
    let mut write = portal.customer(slug).await.begin().await.unwrap();
    write.raise_topic(topic).await.unwrap();
    write.commit().await.unwrap();
}

#[tokio::test]
async fn a_change_reaches_every_open_page_of_its_customer_and_no_other() {
    let portal = TestPortal::start().await;
    raise(&portal, "default", "users").await;
    let mut first = open(&mut portal.administrator().await).await;
    assert_eq!(first.headers()["content-type"], "text/event-stream");
    assert!(until(first.body_mut(), "users 1").await.contains("data: users 1"));
    let viewer = portal.add_administrator("viewer@portal.example", "default", Role::Viewer).await;
    let mut second = open(&mut portal.signed_in(viewer).await).await;
    assert!(until(second.body_mut(), "users 1").await.contains("users 1"), "who comes later is told as well");
    raise(&portal, "other", "secret").await;
    raise(&portal, "default", "plan").await;
    raise(&portal, "default", "runs").await;
    for stream in [&mut first, &mut second] {
        let text = until(stream.body_mut(), "runs 1").await;
        assert!(text.contains("runs 1") && !text.contains("secret") && !text.contains("plan"), "{text}");
    }
}

#[tokio::test]
async fn the_stream_is_for_those_who_may_see_the_customer() {
    let portal = TestPortal::start().await;
    assert_eq!(portal.visitor().get(LIVE).await.status, StatusCode::UNAUTHORIZED);
    let stranger = portal.add_administrator("stranger@portal.example", "other", Role::Administrator).await;
    assert_eq!(portal.signed_in(stranger).await.get(LIVE).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_stream_ends_when_the_portal_stops() {
    let portal = TestPortal::start().await;
    let mut stream = open(&mut portal.administrator().await).await;
    portal.portal.engine.stop();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.body_mut().collect()).await;
    assert!(ended.is_ok(), "the stream goes on");
}
