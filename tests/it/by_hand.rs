//! Exceptions, additions, User Conflicts, held removals and the recycle bin over HTTP, as a browser without JavaScript.

use domain::{Secret, settings::EntraText};
use entra_sim::Change;
use serde_json::json;
use sync::connect::{self, ConnectForm};

use crate::support::{Browser, TestPortal};

const ENTRA: &str = "/customers/default/service-settings/directory-services/entra-id";

/// A portal that has synced the tenant, and whoever it lost since by `lose`.
struct Synced {
    portal: TestPortal,
    browser: Browser,
}

impl Synced {
    async fn start() -> Self {
        let portal = TestPortal::start().await;
        let browser = portal.administrator().await;
        let text = EntraText {
            enabled: true,
            tenant: portal.tenant.tenant_domain(),
            client_id: portal.tenant.client_id(),
            client_secret_expires: String::new(),
            sync_frequency: "6h".to_owned(),
            delete_users_after: "7d".to_owned(),
            include_disabled: false,
            custom_filter: String::new(),
        };
        let secret = Some(Secret::new(portal.tenant.client_secret()));
        let form = ConnectForm { text, secret, confirm_tenant: false, ..ConnectForm::default() };
        let (engine, customer) = (&portal.portal.engine, portal.customer("default").await);
        connect::save(engine, &customer, &sync::Actor::command_line(), form).await.unwrap().unwrap();
        let synced = Self { portal, browser };
        synced.sync().await;
        synced
    }

    async fn sync(&self) {
        use domain::run::{Purpose, Trigger};
        let customer = self.portal.customer("default").await;
        let actor = sync::Actor::command_line();
        let engine = &self.portal.portal.engine;
        let run = sync::run::run_to_end(engine, &customer, Purpose::Sync, Trigger::CommandLine, &actor);
        assert_eq!(run.await.unwrap().unwrap().error, None);
    }

    /// The first users by address: id, directory id, address.
    async fn users(&self) -> Vec<(String, String, String)> {
        let users = self.portal.customer("default").await.export_users(None, 1_000).await.unwrap();
        users
            .into_iter()
            .map(|user| (user.public_id.to_string(), user.external_id.unwrap(), user.primary_address))
            .collect()
    }

    async fn lose(&self, directory_ids: &[&String]) {
        for id in directory_ids {
            let change: Change = serde_json::from_value(json!({ "delete": { "object": id } })).unwrap();
            self.portal.tenant.sim().change(&change).unwrap();
        }
        self.sync().await;
    }

    async fn page(&mut self, path: &str) -> String {
        let answer = self.browser.get(&format!("{ENTRA}/{path}")).await;
        assert_eq!(answer.status, 200, "{path}");
        answer.body
    }

    /// Submits a form, and opens the page that it leads to.
    async fn submit(&mut self, function: &str, fields: &[(&str, &str)]) -> String {
        let mut all = vec![("slug", "default")];
        all.extend_from_slice(fields);
        let answer = self.browser.submit(&format!("/api/{function}"), &all).await;
        let to = answer.location().to_owned();
        self.browser.get(&to).await.body
    }
}

#[tokio::test]
async fn a_user_in_conflict_is_deleted_behind_a_page_that_names_it_and_restored_from_the_bin() {
    let mut portal = Synced::start().await;
    let users = portal.users().await;
    let (id, directory_id, address) = &users[0];
    portal.lose(&[directory_id]).await;
    let list = portal.page("user-conflicts").await;
    assert!(list.contains(address) && list.contains("not in directory") && list.contains("1 Dec 2026"));
    let decide = portal.page(&format!("user-conflicts/decide?action=delete&user={id}")).await;
    assert!(decide.contains("Delete 1 user?") && decide.contains(address));
    assert!(portal.page("user-conflicts").await.contains(address), "looking changes nothing");
    let selection = format!("user={id}");
    let list = portal.submit("decide_conflicts", &[("action", "delete"), ("selection", &selection)]).await;
    assert!(list.contains("1 user was deleted.") && !list.contains(address));
    let bin = portal.browser.get("/customers/default/recycle-bin").await.body;
    assert!(bin.contains(address) && bin.contains("ada@portal.example"));
    let entry = portal.portal.customer("default").await.recycle_bin(None, 1).await.unwrap()[0].id.to_string();
    let bin = portal.submit("restore_user", &[("entry", &entry)]).await;
    assert!(bin.contains("was restored") && bin.contains("The recycle bin is empty"));
    assert!(portal.page("user-conflicts").await.contains(address));
}

#[tokio::test]
async fn all_that_match_are_refused_when_more_match_than_were_shown() {
    let mut portal = Synced::start().await;
    let users = portal.users().await;
    portal.lose(&[&users[0].1, &users[1].1]).await;
    let list = portal.page("user-conflicts?select=all").await;
    assert!(list.contains("All 2 users are selected"));
    portal.lose(&[&users[2].1]).await;
    let refused =
        portal.submit("decide_conflicts", &[("action", "delete"), ("selection", "all=1&shown=2")]).await;
    assert!(refused.contains("2 users were shown, and 3 match by now"), "{refused}");
    assert!(refused.contains("Delete 3 users?"), "the page shows who would be meant now");
    let ignored = [("action", "ignore"), ("selection", "all=1&shown=3"), ("until", "2020-01-01")];
    assert!(portal.submit("decide_conflicts", &ignored).await.contains("Choose a day after today"));
    let ignored =
        [("action", "ignore"), ("selection", "all=1&shown=3"), ("until", "2027-03-01"), ("note", "leave")];
    let list = portal.submit("decide_conflicts", &ignored).await;
    assert!(list.contains("3 users were ignored.") && list.contains("until 1 Mar 2027"));
    assert!(portal.page("user-conflicts?state=pending").await.contains("No user in conflict matches."));
}

#[tokio::test]
async fn the_export_is_for_those_who_may_see_the_customer() {
    let mut portal = Synced::start().await;
    let users = portal.users().await;
    portal.lose(&[&users[0].1]).await;
    let path = format!("{ENTRA}/user-conflicts.csv");
    let csv = portal.browser.get(&path).await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert!(csv.body.contains(&users[0].2) && csv.body.lines().count() == 2);
    assert_eq!(portal.portal.visitor().get(&path).await.location(), "/login");
    let id = portal
        .portal
        .add_administrator("stranger@portal.example", "other", domain::role::Role::Administrator)
        .await;
    assert_eq!(portal.portal.signed_in(id).await.get(&path).await.status, 404);
}

#[tokio::test]
async fn what_an_arrow_moved_stays_in_the_address_until_save_which_asks_about_users_of_the_portal() {
    let mut portal = Synced::start().await;
    let users = portal.users().await;
    let (_, directory_id, address) = &users[0];
    let staged = format!("add=user%3A{directory_id}");
    let page = portal.page(&format!("exceptions?{staged}")).await;
    assert!(page.contains("1 to be left out. Not saved yet."));
    assert!(page.contains("These users are in the portal") && page.contains(address));
    let refused = portal.submit("save_exceptions", &[("staged", &staged)]).await;
    assert!(refused.contains("Nothing was saved.") && refused.contains("1 to be left out. Not saved yet."));
    let saved = portal
        .submit("save_exceptions", &[("staged", &staged), ("present", "let_go"), ("reason", "board")])
        .await;
    assert!(saved.contains("1 user becomes a conflict with the next sync.") && saved.contains("board"));
    portal.sync().await;
    assert!(portal.page("user-conflicts?reason=exception").await.contains(address));
    let back = format!("remove=user%3A{directory_id}");
    portal.submit("save_exceptions", &[("staged", &back)]).await;
    portal.sync().await;
    assert!(portal.page("user-conflicts").await.contains("Nobody is in conflict"));
}

#[tokio::test]
async fn each_pasted_address_gets_its_own_answer() {
    let mut portal = Synced::start().await;
    let text = "someone@contoso.com\nnot an address\nx@elsewhere.example\n<script>alert(1)</script>";
    let page = portal.submit("add_additions", &[("addresses", text)]).await;
    assert!(page.contains("1 address added, 3 refused."));
    assert!(page.contains("elsewhere.example is not a managed domain of this customer."));
    assert!(page.contains("This is not a mail address.") && !page.contains("<script>alert"));
    let users = portal.browser.get("/customers/default/users").await.body;
    assert!(users.contains("someone"), "it shows under Users at once");
    let page = portal.submit("remove_addition", &[("address", "someone@contoso.com")]).await;
    assert!(page.contains("There are no additions"));
}

#[tokio::test]
async fn held_removals_are_dismissed_one_by_one_and_approved_together() {
    let mut portal = Synced::start().await;
    let users = portal.users().await;
    let lost: Vec<_> = users.iter().take(12).map(|(_, id, _)| id).collect();
    portal.lose(&lost).await;
    let page = portal.page("held-removals").await;
    assert!(
        page.contains("Users that would become conflicts: 12")
            && page.contains("more than 20 % of the users")
    );
    let customer = portal.portal.customer("default").await;
    let waiting = customer.waiting(domain::guard::Guarded::Removal).await.unwrap();
    let (one, two) = (waiting[0].to_string(), waiting[1].to_string());
    let fields = [("kind", "removal"), ("intent", "dismiss"), ("pick[]", &one), ("pick[]", &two)];
    assert!(portal.submit("decide_held", &fields).await.contains("2 removals dismissed"));
    let stale = sync::held::stamp(&waiting);
    let fields = [("kind", "removal"), ("intent", "approve_all"), ("stamp", &stale)];
    assert!(
        portal.submit("decide_held", &fields).await.contains("Nothing was changed: a sync ran meanwhile")
    );
    let stamp = sync::held::stamp(&waiting[2..]);
    let fields = [("kind", "removal"), ("intent", "approve_all"), ("stamp", &stamp)];
    assert!(portal.submit("decide_held", &fields).await.contains("10 removals approved. A sync has started"));
}

#[tokio::test]
async fn with_the_service_off_the_page_says_that_the_clocks_stand_still() {
    let mut portal = Synced::start().await;
    let users = portal.users().await;
    portal.lose(&[&users[0].1]).await;
    let customer = portal.portal.customer("default").await;
    let (engine, actor) = (&portal.portal.portal.engine, sync::Actor::command_line());
    let text = sync::settings_file::show(engine, &customer).await.unwrap();
    let off = sync::settings_file::parse(&text.replace("enabled = true", "enabled = false")).unwrap();
    sync::settings_file::apply(engine, &customer, &actor, off, false, |_| Err("none".to_owned()))
        .await
        .unwrap();
    let page = portal.page("user-conflicts").await;
    assert!(page.contains("the deletion clocks stand still") && page.contains("clock stopped"));
}

#[tokio::test]
async fn with_two_administrators_the_page_waits_for_another_one() {
    let mut portal = Synced::start().await;
    let on = portal.submit("two_administrators", &[("two", "on")]).await;
    assert!(on.contains("From now on an approval needs a second, other administrator."), "{on}");
    let users = portal.users().await;
    let lost: Vec<_> = users.iter().take(12).map(|(_, id, _)| id).collect();
    portal.lose(&lost).await;
    assert!(portal.page("held-removals").await.contains("An approval needs two administrators"));
    let customer = portal.portal.customer("default").await;
    let stamp = sync::held::stamp(&customer.waiting(domain::guard::Guarded::Removal).await.unwrap());
    let fields = [("kind", "removal"), ("intent", "approve_all"), ("stamp", stamp.as_str())];
    let page = portal.submit("decide_held", &fields).await;
    assert!(page.contains("12 removals approved by one administrator."), "{page}");
    assert!(page.contains("approved once, by ada@portal.example"));
    assert!(portal.submit("decide_held", &fields).await.contains("you have approved this already"));
    let other =
        portal.portal.add_administrator("eve@portal.example", "default", domain::role::Role::Operator).await;
    portal.browser = portal.portal.signed_in(other).await;
    assert!(portal.submit("decide_held", &fields).await.contains("12 removals approved. A sync has started"));
}

#[tokio::test]
async fn a_sync_is_taken_back_behind_a_list_of_what_happens() {
    let mut portal = Synced::start().await;
    let users = portal.users().await;
    let (_, directory_id, address) = &users[0];
    portal.lose(&[directory_id]).await;
    let run = portal.portal.customer("default").await.runs(None, 1).await.unwrap()[0].public_id.to_string();
    let path = format!("/customers/default/sync-history/{run}");
    let page = portal.browser.get(&path).await.body;
    assert!(page.contains("Undo this sync") && page.contains("What would be taken back"));
    let asked = portal.browser.get(&format!("{path}?undo=ask")).await.body;
    // The one who left, and a colleague who got one of the addresses.
    let card = asked.split("id=\"undo\"").nth(1).unwrap_or(&asked);
    let said = card.contains("Taken back: 2") && card.contains(address) && card.contains("Take back 2 users");
    assert!(said, "{card}");
    assert!(portal.page("user-conflicts").await.contains(address), "looking changes nothing");
    let stamp = asked.split("name=\"stamp\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let done = portal.submit("undo_run", &[("id", &run), ("stamp", &stamp)]).await;
    assert!(done.contains("2 users were taken back.") && done.contains("Taken back by "), "{done}");
    assert!(portal.page("user-conflicts").await.contains("Nobody is in conflict"));
    let again = portal.submit("undo_run", &[("id", &run), ("stamp", &stamp)]).await;
    assert!(again.contains("This run was taken back already"));
    let viewer =
        portal.portal.add_administrator("vic@portal.example", "default", domain::role::Role::Viewer).await;
    portal.browser = portal.portal.signed_in(viewer).await;
    assert!(!portal.browser.get(&format!("{path}?undo=ask")).await.body.contains("Take back 2 users"));
}
