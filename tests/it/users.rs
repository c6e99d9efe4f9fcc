//! The list of users, a user's page, the export, and Manual users, as a browser sees them.

use domain::{
    role::Role,
    run::{Purpose, Trigger},
};
use store::ExportedUser;
use sync::{Actor, connect::ConnectForm, run::run_to_end};

use crate::support::{Browser, TestPortal};

const USERS: &str = "/customers/default/users";

/// A portal whose users were synced from its tenant.
pub async fn synced() -> (TestPortal, Vec<ExportedUser>) {
    let portal = TestPortal::start().await;
    let (engine, customer) = (&portal.portal.engine, portal.customer("default").await);
    let actor = Actor::command_line();
    let form = ConnectForm {
        text: domain::settings::EntraText {
            enabled: true,
            tenant: portal.tenant.tenant_id(),
            client_id: portal.tenant.client_id(),
            sync_frequency: "manual".to_owned(),
            delete_users_after: "7d".to_owned(),
            ..domain::settings::EntraText::default()
        },
        secret: Some(domain::Secret::new(portal.tenant.client_secret())),
        confirm_tenant: true,
        ..ConnectForm::default()
    };
    sync::connect::save(engine, &customer, &actor, form).await.unwrap().unwrap();
    let report = run_to_end(engine, &customer, Purpose::Sync, Trigger::CommandLine, &actor).await;
    assert_eq!(report.unwrap().unwrap().error, None);
    let users = customer.export_users(None, 1_000).await.unwrap();
    assert!(users.len() > 20, "the tenant has people");
    (portal, users)
}

/// The names that a page of the list shows.
fn names(body: &str) -> Vec<String> {
    let rows = body.split("<tr>").skip(2);
    rows.filter_map(|row| Some(row.split_once("<bdi>")?.1.split_once("</bdi>")?.0.to_owned())).collect()
}

async fn list(browser: &mut Browser, query: &str) -> String {
    let answer = browser.get(&format!("{USERS}{query}")).await;
    assert_eq!(answer.status, 200, "{query}");
    answer.body
}

#[tokio::test]
async fn search_filter_and_order_stand_in_the_address_and_show_who_fits() {
    let (portal, users) = synced().await;
    let mut browser = portal.administrator().await;
    let one = users
        .iter()
        .find(|user| user.display_name.is_ascii() && !user.display_name.contains(['\'', '<', '=', '&', '"']))
        .unwrap();
    let found = list(&mut browser, &format!("?q={}", one.primary_address.replace('@', "%40"))).await;
    assert_eq!(names(&found), [one.display_name.as_str()]);
    assert!(found.contains("1 user"), "the count of those found");
    assert_eq!(names(&list(&mut browser, "?source=manual").await), Vec::<String>::new());
    let nobody = list(&mut browser, "?q=%25%27%22%3Cscript%3E").await;
    assert!(nobody.contains("Nobody matches") && nobody.contains("Clear"));
    assert!(!nobody.contains("<script>\""), "what was typed is escaped");
    let down = names(&list(&mut browser, "?sort=address&desc=1").await);
    let mut up = names(&list(&mut browser, "?sort=address").await);
    up.reverse();
    assert_eq!(down, up);
}

#[tokio::test]
async fn the_export_holds_what_the_filter_shows_and_no_formula() {
    let (portal, users) = synced().await;
    let mut browser = portal.administrator().await;
    let all = browser.get("/customers/default/users.csv").await;
    assert_eq!(all.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert!(
        all.headers["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment; filename=\"users-default-")
    );
    // A name may hold a line end of its own; a record ends behind a quotation mark.
    let records = all.body.matches("\"\r\n").count();
    assert_eq!(records, users.len() + 1);
    assert!(all.body.starts_with("\u{FEFF}\"name\",\"primary_address\""));
    for start in ["\r\n\"=", "\r\n\"+", "\r\n\"-", "\r\n\"@"] {
        assert!(!all.body.contains(start), "a cell begins a formula");
    }
    assert!(all.body.contains("\"'=cmd()"), "the tenant has somebody whose name is a formula");
    let one = &users[0];
    let query = one.primary_address.replace('@', "%40");
    let some = browser.get(&format!("/customers/default/users.csv?q={query}&after=9.zzz")).await.body;
    assert_eq!(some.matches("\"\r\n").count(), 2, "{some}");
    let stranger = portal.add_administrator("stranger@portal.example", "other", Role::Viewer).await;
    assert_eq!(portal.signed_in(stranger).await.get("/customers/default/users.csv").await.status, 404);
    assert!(portal.visitor().get("/customers/default/users.csv").await.location().starts_with("/login"));
}

#[tokio::test]
async fn a_users_page_tells_who_it_is_why_it_is_here_and_what_happened() {
    let (portal, users) = synced().await;
    let mut browser = portal.administrator().await;
    let user = users.iter().find(|user| !user.aliases.is_empty()).unwrap();
    let path = format!("{USERS}/{}", user.public_id);
    let page = browser.get(&path).await.body;
    for part in [
        user.primary_address.as_str(),
        &user.aliases[0],
        "No exception names this person",
        "Verdict",
        "Added",
        "userPrincipalName",
    ] {
        let part = part.split('@').next().unwrap();
        assert!(page.contains(part), "{part} is missing");
    }
    let id = user.public_id.to_string();
    let done = browser.submit("/api/set_service", &[("slug", "default"), ("id", &id), ("on", "off")]).await;
    assert_eq!(done.location(), path);
    let page = browser.get(&path).await.body;
    assert!(
        page.contains("Inactive") && page.contains("Deactivated") && page.contains("No sync switches it on")
    );
    let customer = portal.customer("default").await;
    let actor = Actor::command_line();
    run_to_end(&portal.portal.engine, &customer, Purpose::Sync, Trigger::CommandLine, &actor)
        .await
        .unwrap()
        .unwrap();
    assert!(!customer.user(user.public_id).await.unwrap().unwrap().service_on, "the sync left it off");
}

#[tokio::test]
async fn a_manual_user_is_added_changed_and_deleted_and_a_wrong_field_keeps_what_was_typed() {
    let (portal, users) = synced().await;
    let mut browser = portal.administrator().await;
    let domain = users[0].primary_address.split('@').nth(1).unwrap().to_owned();
    let taken = users[0].primary_address.clone();
    let fields = [("slug", "default"), ("name", "<b>Fax"), ("primary", taken.as_str()), ("aliases", "")];
    let refused = browser.submit("/api/save_manual_user", &fields).await;
    assert_eq!(refused.location(), "/customers/default/users/new");
    let form = browser.get("/customers/default/users/new").await.body;
    assert!(form.contains("belongs to another user") && form.contains("&lt;b&gt;Fax"), "{form}");
    let address = format!("fax@{domain}");
    let fields = [("slug", "default"), ("name", "Fax"), ("primary", address.as_str()), ("aliases", "")];
    let added = browser.submit("/api/save_manual_user", &fields).await.location().to_owned();
    let id = added.rsplit('/').next().unwrap().to_owned();
    assert!(browser.get(&added).await.body.contains("The user was saved."));
    let fields = [("slug", "default"), ("id", id.as_str()), ("name", "Fax 2"), ("primary", address.as_str())];
    assert_eq!(browser.submit("/api/save_manual_user", &fields).await.location(), added);
    assert!(browser.get(&format!("{added}/delete")).await.body.contains("Delete this user?"));
    let gone = browser.submit("/api/delete_manual_user", &[("slug", "default"), ("id", &id)]).await;
    assert_eq!(gone.location(), USERS);
    assert_eq!(browser.get(&added).await.status, 404);
    let synced = users[1].public_id.to_string();
    let refused = browser.submit("/api/delete_manual_user", &[("slug", "default"), ("id", &synced)]).await;
    assert_eq!(refused.status, 404, "a synced user is not deleted by hand");
}

#[tokio::test]
async fn an_import_is_reviewed_before_it_adds_anybody() {
    let (portal, users) = synced().await;
    let mut browser = portal.administrator().await;
    let taken = &users[0].primary_address;
    let domain = taken.split('@').nth(1).unwrap();
    let csv =
        format!("name,address,aliases\r\nOne,one-by-hand@{domain},\r\nTwo,{taken},\r\nThree,nonsense,\r\n");
    let path = "/customers/default/users/import";
    let sent = browser.submit("/api/import_users", &[("slug", "default"), ("csv", &csv)]).await;
    assert_eq!(sent.location(), path);
    let review = browser.get(path).await.body;
    assert!(review.contains("1 user will be added") && review.contains("2 rows are left out"), "{review}");
    let customer = portal.customer("default").await;
    assert_eq!(customer.export_users(None, 1_000).await.unwrap().len(), users.len());
    let done = browser.submit("/api/import_users", &[("slug", "default"), ("csv", &csv), ("go", "on")]).await;
    assert_eq!(done.location(), USERS);
    assert!(browser.get(USERS).await.body.contains("1 user was added."));
    assert_eq!(customer.export_users(None, 1_000).await.unwrap().len(), users.len() + 1);
}
