//! The Connect page over HTTP, as a browser without JavaScript and as the page's own code.

use std::time::Duration;

use domain::service::Service;

use crate::support::{Browser, TestPortal};

const PAGE: &str = "/customers/default/service-settings/directory-services/entra-id/connect";

/// The form as it stands in the page, with these fields in place of the defaults.
fn fields<'a>(portal: &'a Connected, intent: &'a str, secret: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("slug", "default"),
        ("intent", intent),
        ("enabled", "on"),
        ("tenant", &portal.tenant),
        ("client_id", &portal.client),
        ("client_secret", secret),
        ("client_secret_expires", ""),
        ("sync_frequency", "6h"),
        ("delete_users_after", "7d"),
        ("custom_filter", ""),
    ]
}

struct Connected {
    portal: TestPortal,
    browser: Browser,
    tenant: String,
    client: String,
    secret: String,
}

impl Connected {
    async fn start() -> Self {
        let portal = TestPortal::start().await;
        let browser = portal.administrator().await;
        let (tenant, client, secret) =
            (portal.tenant.tenant_domain(), portal.tenant.client_id(), portal.tenant.client_secret());
        Self { portal, browser, tenant, client, secret }
    }

    /// Submits the form without JavaScript, and opens the page that it leads to.
    async fn submit(&mut self, intent: &str, secret: &str) -> String {
        let form: Vec<_> =
            fields(self, intent, secret).into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let form: Vec<_> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let answer = self.browser.submit("/api/connect", &form).await;
        assert_eq!(
            answer.location(),
            PAGE,
            "a form leads back to its page, and nothing else stands in the address"
        );
        self.browser.get(PAGE).await.body
    }
}

#[tokio::test]
async fn what_was_typed_into_an_area_of_text_comes_back_as_text() {
    let mut connected = Connected::start().await;
    let hostile = "</textarea><b id=\"mine\">&lt;";
    let form: Vec<_> = fields(&connected, "save", "")
        .into_iter()
        .map(|(name, value)| {
            (name.to_owned(), if name == "custom_filter" { hostile } else { value }.to_owned())
        })
        .collect();
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    connected.browser.submit("/api/connect", &form).await;
    let page = connected.browser.get(PAGE).await.body;
    let escaped = "\n&lt;/textarea&gt;&lt;b id=&quot;mine&quot;&gt;&amp;lt;</textarea>";
    assert!(page.contains(escaped), "{page}");
    assert!(!page.contains("<b id=\"mine\">"));
}

#[tokio::test]
async fn a_fresh_page_shows_the_defaults() {
    let mut at = Connected::start().await;
    let page = at.browser.get(PAGE).await.body;
    assert!(page.contains("<option value=\"6h\" selected"), "{page}");
    assert!(page.contains("<option value=\"7d\" selected"), "{page}");
    assert!(!page.contains("saved on"));
}

#[tokio::test]
async fn a_wrong_secret_fails_the_test_with_reason_and_remedy_and_the_right_one_passes() {
    let mut at = Connected::start().await;
    let page = at.submit("test", "not-the-secret").await;
    assert!(page.contains("Azure Connection test failed"), "{page}");
    assert!(
        page.contains("7000215") && page.contains("Verify Tenant Domain, Client ID and Client Secret"),
        "{page}"
    );
    let secret = at.secret.clone();
    let page = at.submit("test", &secret).await;
    assert!(page.contains("Azure Connection test was passed"), "{page}");
    assert!(page.contains(&format!("value=\"{}\"", at.tenant)), "what was typed is kept");
    assert!(!page.contains(&secret), "a secret is never sent to a browser");
    let again = at.browser.get(PAGE).await.body;
    assert!(!again.contains("Azure Connection test"), "an answer is shown once");
    assert!(
        at.portal.customer("default").await.service(Service::Entra).await.unwrap().is_none(),
        "a test saves nothing"
    );
}

#[tokio::test]
async fn a_save_keeps_the_secret_out_of_every_answer_and_an_empty_one_later_keeps_it() {
    let mut at = Connected::start().await;
    let secret = at.secret.clone();
    let page = at.submit("save", &secret).await;
    assert!(page.contains("The settings were saved.") && page.contains("saved on "), "{page}");
    assert!(!page.contains(&secret));
    let page = at.submit("test", "").await;
    assert!(page.contains("Azure Connection test was passed"), "{page}");
    let mut audit = at.portal.customer("default").await.audit(None, 10).await.unwrap();
    audit.retain(|row| row.entry.action.starts_with("settings"));
    assert_eq!(audit.len(), 1, "{audit:?}");
    assert!(!format!("{audit:?}").contains(&secret));
    assert!(format!("{audit:?}").contains("***"));
}

#[tokio::test]
async fn wrong_fields_are_refused_at_the_field_nothing_is_saved_and_what_was_typed_is_kept() {
    let mut at = Connected::start().await;
    at.tenant = "\"><script>alert(1)</script>".to_owned();
    at.client = "not-a-guid".to_owned();
    let page = at.submit("save", "some-secret-value").await;
    assert!(page.contains("neither a GUID nor a domain") && page.contains("This is not a GUID"), "{page}");
    assert!(page.contains("value=\"not-a-guid\""), "{page}");
    assert!(!page.contains("<script>alert(1)</script>"), "what was typed is escaped");
    assert!(!page.contains("some-secret-value"));
    assert!(at.portal.customer("default").await.service(Service::Entra).await.unwrap().is_none());
}

#[tokio::test]
async fn a_saved_secret_is_never_sent_to_another_tenant() {
    let mut at = Connected::start().await;
    let secret = at.secret.clone();
    at.submit("save", &secret).await;
    at.tenant = "attacker.example".to_owned();
    at.portal.tenant.sim().clear_requests();
    for intent in ["test", "save"] {
        let page = at.submit(intent, "").await;
        assert!(page.contains("Enter the Client Secret again"), "{intent}: {page}");
    }
    assert_eq!(at.portal.tenant.sim().requests().total, 0, "nothing was sent anywhere");
}

#[tokio::test]
async fn sync_now_needs_a_saved_and_enabled_configuration() {
    let mut at = Connected::start().await;
    let page = at.submit("sync", "").await;
    assert!(!page.contains("Azure sync has successfully started"), "{page}");
}

impl Connected {
    /// Waits until a sync succeeded.
    async fn sync_ends(&self) {
        let customer = self.portal.customer("default").await;
        let success = async {
            while customer.last_success().await.unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), success).await.unwrap();
    }

    /// Connects the tenant and waits until it is synced.
    async fn synced() -> Self {
        let mut at = Self::start().await;
        let secret = at.secret.clone();
        at.submit("save", &secret).await;
        at.submit("sync", "").await;
        at.sync_ends().await;
        at
    }

    /// Submits the form with other fields without JavaScript, and opens the page that it leads to.
    async fn submit_with(&mut self, intent: &str, others: &[(&str, &str)]) -> String {
        let form: Vec<_> =
            fields(self, intent, "").into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let kept = form.iter().filter(|(name, _)| others.iter().all(|(other, _)| other != name));
        let form: Vec<_> =
            kept.map(|(k, v)| (k.as_str(), v.as_str())).chain(others.iter().copied()).collect();
        assert_eq!(self.browser.submit("/api/connect", &form).await.location(), PAGE);
        self.browser.get(PAGE).await.body
    }
}

#[tokio::test]
async fn without_javascript_a_test_says_whom_the_filter_takes_in() {
    let mut at = Connected::synced().await;
    let page = at.submit_with("test", &[("custom_filter", "userType eq 'Guest'")]).await;
    assert!(page.contains(", of 40 in the directory."), "{page}");
    assert!(page.contains("would leave") && page.contains("Accepted."), "{page}");
}

#[tokio::test]
async fn without_javascript_a_refused_filter_is_marked_where_it_is_wrong() {
    let mut at = Connected::start().await;
    let page = at.submit_with("save", &[("custom_filter", "departmnet eq '<x>'")]).await;
    assert!(page.contains("Position 1: ") && page.contains("^^^^^^^^^^"), "{page}");
    assert!(!page.contains("<x>"), "what was typed is escaped");
    assert!(page.contains("aria-invalid=\"true\""), "{page}");
}

#[tokio::test]
async fn a_viewer_asks_about_a_person_by_the_saved_filter() {
    let at = Connected::synced().await;
    let user = at.portal.customer("default").await.export_users(None, 1).await.unwrap().remove(0);
    let id =
        at.portal.add_administrator("viewer@portal.example", "default", domain::role::Role::Viewer).await;
    let mut viewer = at.portal.signed_in(id).await;
    // The Enter key in the field does what Check does.
    for intent in ["person", "enter"] {
        let form = [("slug", "default"), ("intent", intent), ("check_person", user.primary_address.as_str())];
        assert_eq!(viewer.submit("/api/connect", &form).await.location(), PAGE);
        let page = viewer.get(PAGE).await.body;
        assert!(page.contains(&format!("({}) would be synced", user.primary_address)), "{intent}: {page}");
    }
}

#[tokio::test]
async fn a_ready_filter_comes_into_the_field_by_the_address_and_as_text_only() {
    let mut at = Connected::start().await;
    let page = at.browser.get(&format!("{PAGE}?filter=userType%20eq%20%27Member%27")).await.body;
    assert!(page.contains("\nuserType eq 'Member'</textarea>"), "{page}");
    let page = at.browser.get(&format!("{PAGE}?filter=%3C%2Ftextarea%3E%3Cscript%3Ealert(1)")).await.body;
    assert!(!page.contains("<script>alert"), "{page}");
}

#[tokio::test]
async fn a_save_that_drops_people_asks_and_is_confirmed_by_its_own_button() {
    let mut at = Connected::synced().await;
    let filter = ("custom_filter", "department eq 'Nowhere'");
    let page = at.submit_with("save", &[filter]).await;
    assert!(page.contains("people leave the sync") && page.contains("Save all the same"), "{page}");
    let saved = async |at: &Connected| {
        at.portal
            .customer("default")
            .await
            .service(Service::Entra)
            .await
            .unwrap()
            .unwrap()
            .entra()
            .unwrap()
            .custom_filter
    };
    assert_eq!(saved(&at).await, "");
    let fingerprint =
        page.split("name=\"leaving\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    // The fingerprint is in the form of every button; only its own button means it.
    at.submit_with("save", &[filter, ("leaving", &fingerprint)]).await;
    assert_eq!(saved(&at).await, "");
    let page = at.submit_with("save_leaving", &[filter, ("leaving", &fingerprint)]).await;
    assert!(page.contains("The settings were saved."), "{page}");
    assert_eq!(saved(&at).await, "department eq 'Nowhere'");
}

#[tokio::test]
async fn sync_now_delivers_the_people_to_the_users_page() {
    let mut at = Connected::start().await;
    let secret = at.secret.clone();
    at.submit("save", &secret).await;
    let page = at.submit("sync", "").await;
    assert!(page.contains("Azure sync has successfully started"), "{page}");
    at.sync_ends().await;
    let page = at.browser.get("/customers/default/users").await.body;
    assert!(page.matches(">Azure<").count() > 20, "{page}");
}

#[tokio::test]
async fn the_pages_own_code_gets_the_same_answer_as_the_form() {
    let mut at = Connected::start().await;
    let form: Vec<_> = fields(&at, "test", "not-the-secret")
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    let form: Vec<_> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let answer = at.browser.call("/api/connect", &form).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.contains("Azure Connection test failed") && answer.body.contains("7000215"),
        "{}",
        answer.body
    );
    assert!(!answer.body.contains("not-the-secret"));
}
