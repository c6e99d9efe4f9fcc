//! Signing in and out, and how sessions end.

use domain::{Timestamp, role::Role};

use crate::support::{PASSWORD, TestPortal};

const USERS: &str = "/customers/default/users";
/// Where an administrator of one customer starts.
const START: &str = "/customers/default/dashboard";

#[tokio::test]
async fn a_right_password_leads_to_the_page_that_was_asked_for() {
    let portal = TestPortal::start().await;
    portal.add_administrator("ada@portal.example", "default", Role::Viewer).await;
    let mut browser = portal.visitor();
    let fields = [
        ("email", "Ada@Portal.example "),
        ("password", PASSWORD),
        ("next", "/customers/default/users?after=x"),
    ];
    let answer = browser.submit("/api/sign_in", &fields).await;
    assert_eq!(answer.location(), "/customers/default/users?after=x");
    assert_eq!(browser.get(USERS).await.status, 200);
}

#[tokio::test]
async fn signing_in_never_leads_to_another_site() {
    let portal = TestPortal::start().await;
    portal.add_administrator("ada@portal.example", "default", Role::Viewer).await;
    for next in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let fields = [("email", "ada@portal.example"), ("password", PASSWORD), ("next", next)];
        assert_eq!(portal.visitor().submit("/api/sign_in", &fields).await.location(), START, "{next}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer_and_the_email_is_kept() {
    let portal = TestPortal::start().await;
    portal.add_administrator("ada@portal.example", "default", Role::Viewer).await;
    for email in ["ada@portal.example", "eve@portal.example"] {
        let mut browser = portal.visitor();
        let answer =
            browser.submit("/api/sign_in", &[("email", email), ("password", "wrong"), ("next", "/")]).await;
        assert_eq!(answer.location(), "/login?next=/&refused=wrong");
        let page = browser.get("/login?next=/&refused=wrong").await;
        assert!(page.body.contains("The email or the password is wrong."), "{}", page.body);
        assert!(page.body.contains(&format!("value=\"{email}\"")), "{}", page.body);
        assert!(!browser.has_cookie("rollcall"));
    }
}

#[tokio::test]
async fn after_ten_failures_even_the_right_password_waits_a_quarter_of_an_hour() {
    let portal = TestPortal::start().await;
    portal.add_administrator("ada@portal.example", "default", Role::Viewer).await;
    let mut browser = portal.visitor();
    let mut sign_in = async |password: &str| {
        let fields = [("email", "ada@portal.example"), ("password", password), ("next", "/customers")];
        browser.submit("/api/sign_in", &fields).await.location().to_owned()
    };
    for _ in 0..10 {
        assert!(sign_in("wrong").await.ends_with("refused=wrong"));
    }
    assert!(sign_in(PASSWORD).await.ends_with("refused=too-many"));
    portal.clock.advance(15 * Timestamp::MINUTE + 1);
    assert_eq!(sign_in(PASSWORD).await, "/customers");
}

#[tokio::test]
async fn a_session_ends_after_eight_idle_hours_and_after_a_day_in_any_case() {
    let portal = TestPortal::start().await;
    let id = portal.add_administrator("ada@portal.example", "default", Role::Viewer).await;
    let mut idle = portal.signed_in(id).await;
    portal.clock.advance(8 * Timestamp::HOUR + 1);
    assert!(idle.get(USERS).await.status.is_redirection());
    let mut busy = portal.signed_in(id).await;
    for _ in 0..3 {
        portal.clock.advance(7 * Timestamp::HOUR);
        assert_eq!(busy.get(USERS).await.status, 200);
    }
    portal.clock.advance(3 * Timestamp::HOUR + 1);
    assert!(busy.get(USERS).await.status.is_redirection());
}

#[tokio::test]
async fn signing_out_ends_this_session_and_signing_out_everywhere_ends_all() {
    let portal = TestPortal::start().await;
    let id = portal.add_administrator("ada@portal.example", "default", Role::Viewer).await;
    let mut browsers = [portal.signed_in(id).await, portal.signed_in(id).await, portal.signed_in(id).await];
    assert_eq!(browsers[0].submit("/api/sign_out", &[]).await.location(), "/login");
    assert!(!browsers[0].has_cookie("rollcall"));
    assert_eq!(browsers[1].get(USERS).await.status, 200);
    assert_eq!(browsers[1].submit("/api/sign_out", &[("everywhere", "on")]).await.location(), "/login");
    assert!(browsers[2].get(USERS).await.status.is_redirection());
}

#[tokio::test]
async fn the_one_time_link_creates_the_first_administrator_once() {
    let portal = TestPortal::start().await;
    let engine = &portal.portal.engine;
    let token = sync::administrators::make_setup_link(engine).await.unwrap().unwrap();
    let fields = [
        ("token", token.as_str()),
        ("email", "first@portal.example"),
        ("display_name", "First"),
        ("password", PASSWORD),
    ];
    let short = [fields[0], fields[1], fields[2], ("password", "short")];
    assert!(portal.visitor().submit("/api/set_up", &short).await.location().ends_with("refused=password"));
    let mut browser = portal.visitor();
    assert_eq!(browser.submit("/api/set_up", &fields).await.location(), "/customers");
    assert_eq!(browser.get(USERS).await.status, 200);
    let again = [fields[0], ("email", "second@portal.example"), fields[2], fields[3]];
    assert!(portal.visitor().submit("/api/set_up", &again).await.location().ends_with("refused=link"));
}
