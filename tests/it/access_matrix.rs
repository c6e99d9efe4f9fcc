//! Every route and every server function, visited as nobody, as a Viewer, an Operator and an Administrator of the customer, and as an
//! administrator of another customer. A route or function that is not on the list below fails the test.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use domain::role::Role;
use leptos::server_fn::axum::server_fn_paths;
use rollcall::server::pages;

use crate::support::{Browser, TestPortal};

/// Who may.
#[derive(Clone, Copy)]
enum Least {
    /// Anybody.
    Public,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever has at least this role at the customer.
    At(Role),
    /// Whoever is Administrator for all customers: none of these visitors.
    Everywhere,
    /// The same, about this customer: to a stranger there is none.
    EverywhereAt,
}

/// A server function's name, the fields it is called with, and who may call it.
type Function = (&'static str, &'static [(&'static str, &'static str)], Least);

/// The visitors, and what each of them is.
async fn visitors(portal: &TestPortal) -> Vec<(&'static str, Browser, Option<Role>, bool)> {
    let mut visitors = vec![("nobody", portal.visitor(), None, false)];
    for (name, role) in
        [("viewer", Role::Viewer), ("operator", Role::Operator), ("administrator", Role::Administrator)]
    {
        let id = portal.add_administrator(&format!("{name}@portal.example"), "default", role).await;
        visitors.push((name, portal.signed_in(id).await, Some(role), true));
    }
    let id = portal.add_administrator("stranger@portal.example", "other", Role::Administrator).await;
    visitors.push(("administrator of another customer", portal.signed_in(id).await, None, true));
    visitors
}

/// What the visitor is to be told: `None` for "go ahead".
fn refusal(least: Least, role: Option<Role>, signed_in: bool) -> Option<StatusCode> {
    match (least, role) {
        (Least::Public, _) => None,
        _ if !signed_in => Some(StatusCode::UNAUTHORIZED),
        (Least::SignedIn, _) => None,
        (Least::Everywhere, _) => Some(StatusCode::FORBIDDEN),
        (Least::At(_) | Least::EverywhereAt, None) => Some(StatusCode::NOT_FOUND),
        (Least::EverywhereAt, Some(_)) => Some(StatusCode::FORBIDDEN),
        (Least::At(least), Some(role)) => (role < least).then_some(StatusCode::FORBIDDEN),
    }
}

#[tokio::test]
async fn every_page_is_for_those_who_may_see_it() {
    let portal = TestPortal::start().await;
    let expected = [
        ("/login", Least::Public, StatusCode::OK),
        ("/setup", Least::Public, StatusCode::OK),
        ("/invitation", Least::Public, StatusCode::OK),
        ("/account", Least::SignedIn, StatusCode::OK),
        ("/customers", Least::SignedIn, StatusCode::OK),
        ("/help/custom-filters", Least::Public, StatusCode::OK),
        ("/customers/{slug}", Least::At(Role::Viewer), StatusCode::OK),
        ("/customers/{slug}/dashboard", Least::At(Role::Viewer), StatusCode::OK),
        ("/customers/{slug}/users", Least::At(Role::Viewer), StatusCode::OK),
        ("/customers/{slug}/users/new", Least::At(Role::Administrator), StatusCode::OK),
        ("/customers/{slug}/users/import", Least::At(Role::Administrator), StatusCode::OK),
        ("/customers/{slug}/users/take-over", Least::At(Role::Viewer), StatusCode::OK),
        ("/customers/{slug}/users/{id}", Least::At(Role::Viewer), StatusCode::NOT_FOUND),
        ("/customers/{slug}/users/{id}/edit", Least::At(Role::Administrator), StatusCode::NOT_FOUND),
        ("/customers/{slug}/users/{id}/delete", Least::At(Role::Administrator), StatusCode::NOT_FOUND),
        ("/customers/{slug}/groups", Least::At(Role::Viewer), StatusCode::OK),
        ("/customers/{slug}/groups/{id}", Least::At(Role::Viewer), StatusCode::NOT_FOUND),
        ("/customers/{slug}/service-settings/directory-services", Least::At(Role::Viewer), StatusCode::OK),
        (
            "/customers/{slug}/service-settings/directory-services/entra-id/connect",
            Least::At(Role::Viewer),
            StatusCode::OK,
        ),
        ("/customers/{slug}/recycle-bin", Least::At(Role::Viewer), StatusCode::OK),
        (
            "/customers/{slug}/service-settings/directory-services/entra-id/exceptions",
            Least::At(Role::Viewer),
            StatusCode::OK,
        ),
        (
            "/customers/{slug}/service-settings/directory-services/entra-id/additions",
            Least::At(Role::Viewer),
            StatusCode::OK,
        ),
        (
            "/customers/{slug}/service-settings/directory-services/entra-id/user-conflicts",
            Least::At(Role::Viewer),
            StatusCode::OK,
        ),
        // Without a decision in its query there is nothing to decide.
        (
            "/customers/{slug}/service-settings/directory-services/entra-id/user-conflicts/decide",
            Least::At(Role::Operator),
            StatusCode::NOT_FOUND,
        ),
        (
            "/customers/{slug}/service-settings/directory-services/entra-id/held-removals",
            Least::At(Role::Viewer),
            StatusCode::OK,
        ),
        ("/customers/{slug}/sync-history", Least::At(Role::Viewer), StatusCode::OK),
        ("/customers/{slug}/audit-log", Least::At(Role::Viewer), StatusCode::OK),
        ("/customers/{slug}/administrators", Least::At(Role::Administrator), StatusCode::OK),
        ("/customers/{slug}/settings", Least::EverywhereAt, StatusCode::FORBIDDEN),
        // No such run, and no such page: the same answer for all who are signed in.
        ("/customers/{slug}/sync-history/{run}", Least::At(Role::Viewer), StatusCode::NOT_FOUND),
        ("/customers/{slug}/{*any}", Least::At(Role::Viewer), StatusCode::NOT_FOUND),
    ];
    let listed: BTreeSet<_> = expected.iter().map(|(path, _, _)| (*path).to_owned()).collect();
    let routes: BTreeSet<_> =
        pages().iter().map(|route| route.path().trim_end_matches('/').to_owned()).collect();
    assert_eq!(routes, listed, "a page without an entry in this test");
    for (name, mut browser, role, signed_in) in visitors(&portal).await {
        for (path, least, status) in expected {
            let path = path
                .replace("{slug}", "default")
                .replace("{run}", "018f0000-0000-7000-8000-000000000000")
                .replace("{id}", "018f0000-0000-7000-8000-000000000000")
                .replace("{*any}", "nothing/here");
            let answer = browser.get(&path).await;
            match refusal(least, role, signed_in) {
                None => assert_eq!(answer.status, status, "{name} at {path}"),
                Some(StatusCode::UNAUTHORIZED) => {
                    assert_eq!(answer.location(), format!("/login?next={path}"), "{name} at {path}");
                }
                Some(refusal) => assert_eq!(answer.status, refusal, "{name} at {path}"),
            }
            assert!(
                !answer.body.contains("Other Ltd") || name.contains("another"),
                "{name} at {path} sees another customer"
            );
        }
    }
}

#[tokio::test]
async fn every_server_function_is_for_those_who_may_call_it() {
    let portal = TestPortal::start().await;
    let at = |role| Least::At(role);
    let functions: &[Function] = &[
        ("sign_in_form", &[], Least::Public),
        ("sign_in", &[("email", "x"), ("password", "y"), ("next", "/")], Least::Public),
        ("set_up", &[("token", "x"), ("email", "x"), ("display_name", ""), ("password", "y")], Least::Public),
        ("customers", &[("query", "")], Least::SignedIn),
        ("customer_settings", &[("slug", "default")], Least::EverywhereAt),
        ("customer_add", &[("slug", "new"), ("name", "New")], Least::Everywhere),
        ("customer_change", &[("slug", "default"), ("intent", "suspend")], Least::EverywhereAt),
        ("account", &[], Least::SignedIn),
        ("change_password", &[("present", "x"), ("password", "y")], Least::SignedIn),
        ("invitation", &[("query", "")], Least::Public),
        ("accept_invitation", &[("token", "x"), ("password", "y")], Least::Public),
        ("audit_log", &[("slug", "default"), ("query", "")], at(Role::Viewer)),
        ("administrators", &[("slug", "default")], at(Role::Administrator)),
        (
            "administrator_invite",
            &[("slug", "default"), ("email", "x"), ("display_name", ""), ("role", "viewer")],
            at(Role::Administrator),
        ),
        (
            "administrator_change",
            &[("slug", "default"), ("id", "018f0000-0000-7000-8000-000000000000"), ("intent", "activate")],
            at(Role::Administrator),
        ),
        ("managed_domains", &[("slug", "default"), ("domains", "")], at(Role::Administrator)),
        ("two_administrators", &[("slug", "default")], at(Role::Administrator)),
        (
            "undo_run",
            &[("slug", "default"), ("id", "00000000-0000-7000-8000-000000000000"), ("stamp", "")],
            at(Role::Administrator),
        ),
        (
            "guard",
            &[
                ("slug", "default"),
                ("max_removals", "500"),
                ("max_removals_percent", "20"),
                ("min_removals", "5"),
            ],
            at(Role::Administrator),
        ),
        ("preview", &[("slug", "default")], at(Role::Operator)),
        ("frame", &[("slug", "default")], at(Role::Viewer)),
        ("dashboard", &[("slug", "default")], at(Role::Viewer)),
        ("users", &[("slug", "default")], at(Role::Viewer)),
        ("user", &[("slug", "default"), ("id", "not an id")], at(Role::Viewer)),
        ("set_service", &[("slug", "default"), ("id", "not an id"), ("on", "off")], at(Role::Operator)),
        ("manual_user_form", &[("slug", "default"), ("id", "")], at(Role::Administrator)),
        ("save_manual_user", &[("slug", "default"), ("name", ""), ("primary", "")], at(Role::Administrator)),
        ("delete_manual_user_page", &[("slug", "default"), ("id", "not an id")], at(Role::Administrator)),
        ("delete_manual_user", &[("slug", "default"), ("id", "not an id")], at(Role::Administrator)),
        ("import_users_page", &[("slug", "default")], at(Role::Administrator)),
        ("import_users", &[("slug", "default"), ("csv", "")], at(Role::Administrator)),
        ("take_overs", &[("slug", "default")], at(Role::Viewer)),
        (
            "decide_take_over",
            &[("slug", "default"), ("id", "not an id"), ("external_id", "x"), ("decision", "take")],
            at(Role::Operator),
        ),
        ("groups", &[("slug", "default")], at(Role::Viewer)),
        ("group", &[("slug", "default"), ("id", "not an id")], at(Role::Viewer)),
        ("cancel_run", &[("slug", "default"), ("run", "not an id")], at(Role::Operator)),
        ("directory_services", &[("slug", "default")], at(Role::Viewer)),
        ("connect_page", &[("slug", "default")], at(Role::Viewer)),
        ("connect", &[("slug", "default"), ("intent", "save")], at(Role::Administrator)),
        ("connect", &[("slug", "default"), ("intent", "enter")], at(Role::Administrator)),
        (
            "connect",
            &[("slug", "default"), ("intent", "enter"), ("check_person", "x")],
            at(Role::Administrator),
        ),
        ("connect", &[("slug", "default"), ("intent", "test")], at(Role::Administrator)),
        ("connect", &[("slug", "default"), ("intent", "sync")], at(Role::Operator)),
        ("connect", &[("slug", "default"), ("intent", "save_leaving")], at(Role::Administrator)),
        ("connect", &[("slug", "default"), ("intent", "person"), ("check_person", "x")], at(Role::Viewer)),
        (
            "filter",
            &[
                ("slug", "default"),
                ("filter", ""),
                ("include_disabled", "false"),
                ("about", "impact"),
                ("typed", ""),
            ],
            at(Role::Viewer),
        ),
        (
            "filter",
            &[
                ("slug", "default"),
                ("filter", ""),
                ("include_disabled", "false"),
                ("about", "person"),
                ("typed", "x"),
            ],
            at(Role::Viewer),
        ),
        (
            "filter",
            &[
                ("slug", "default"),
                ("filter", ""),
                ("include_disabled", "false"),
                ("about", "city"),
                ("typed", ""),
            ],
            at(Role::Viewer),
        ),
        ("runs", &[("slug", "default"), ("query", "")], at(Role::Viewer)),
        ("run", &[("slug", "default"), ("id", "not an id"), ("query", "")], at(Role::Viewer)),
        ("user_conflicts", &[("slug", "default"), ("query", "")], at(Role::Viewer)),
        ("conflicts_meant", &[("slug", "default"), ("query", "action=delete")], at(Role::Operator)),
        (
            "decide_conflicts",
            &[("slug", "default"), ("action", "delete"), ("selection", "")],
            at(Role::Operator),
        ),
        (
            "same_person",
            &[
                ("slug", "default"),
                ("user", "018f0000-0000-7000-8000-000000000000"),
                ("external_id", ""),
                ("answer", "same"),
            ],
            at(Role::Operator),
        ),
        ("held_removals", &[("slug", "default"), ("query", "")], at(Role::Viewer)),
        (
            "decide_held",
            &[
                ("slug", "default"),
                ("kind", "removal"),
                ("intent", "approve"),
                ("pick[]", "1"),
                ("pick[]", "2"),
            ],
            at(Role::Operator),
        ),
        ("exceptions", &[("slug", "default"), ("query", "")], at(Role::Viewer)),
        ("save_exceptions", &[("slug", "default"), ("staged", "")], at(Role::Administrator)),
        ("read_directory", &[("slug", "default")], at(Role::Operator)),
        ("additions", &[("slug", "default"), ("query", "")], at(Role::Viewer)),
        ("add_additions", &[("slug", "default"), ("addresses", "x")], at(Role::Administrator)),
        ("remove_addition", &[("slug", "default"), ("address", "x@contoso.com")], at(Role::Administrator)),
        ("recycle_bin", &[("slug", "default"), ("query", "")], at(Role::Viewer)),
        ("restore_user", &[("slug", "default"), ("entry", "1")], at(Role::Operator)),
        ("sign_out", &[], Least::SignedIn),
    ];
    let listed: BTreeSet<_> = functions.iter().map(|(name, _, _)| format!("/api/{name}")).collect();
    let registered: BTreeSet<_> = server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    assert_eq!(registered, listed, "a server function without an entry in this test");
    for (name, mut browser, role, signed_in) in visitors(&portal).await {
        for (function, fields, least) in functions {
            let answer = browser.call(&format!("/api/{function}"), fields).await;
            match refusal(*least, role, signed_in) {
                Some(refusal) => {
                    assert_eq!(answer.status, refusal, "{name} calls {function} {fields:?}: {}", answer.body)
                }
                // These answer "not found" to those who may call them: there is no such run, user or group.
                None if fields.iter().any(|(_, value)| *value == "not an id") => {
                    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name} calls {function}")
                }
                None => assert_eq!(
                    answer.status,
                    StatusCode::OK,
                    "{name} calls {function} {fields:?}: {}",
                    answer.body
                ),
            }
        }
    }
}

#[tokio::test]
async fn a_plain_form_of_nobody_leads_to_the_sign_in_page() {
    let portal = TestPortal::start().await;
    let answer = portal.visitor().submit("/api/connect", &[("slug", "default"), ("intent", "save")]).await;
    assert_eq!(answer.location(), "/login");
}

#[tokio::test]
async fn a_portal_with_one_customer_opens_on_it_and_with_several_on_the_list() {
    let portal = TestPortal::start().await;
    assert_eq!(portal.visitor().get("/").await.location(), "/login");
    let id = portal.add_administrator("one@portal.example", "other", Role::Viewer).await;
    assert_eq!(portal.signed_in(id).await.get("/").await.location(), "/customers/other/dashboard");
    let customer = portal.customer("default").await;
    let actor = sync::Actor::command_line();
    sync::administrators::grant(&portal.portal.engine, &customer, &actor, "one@portal.example", Role::Viewer)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(portal.signed_in(id).await.get("/").await.location(), "/customers");
}
