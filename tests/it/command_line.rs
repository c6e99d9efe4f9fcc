//! The program itself, as an administrator runs it: beside no server, against a simulated tenant.

use std::{
    io::Write,
    path::Path,
    process::{Output, Stdio},
};

use entra_sim::{Import, Options, Running, Sim, Size};

use crate::support::program;

/// A data folder and a tenant.
struct Place {
    folder: tempfile::TempDir,
    tenant: Running,
}

impl Place {
    async fn with(options: Options) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), tenant: Sim::start(options).await.unwrap() }
    }

    async fn start() -> Self {
        Self::with(Options { size: Size { users: 40, ..Size::default() }, ..Options::default() }).await
    }

    /// Runs `rollcall` with these arguments and this standard input.
    fn rollcall(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = program(self.folder.path(), &self.tenant)
            .args(arguments)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// The settings file that connects the tenant.
    fn settings(&self, more: &str) -> String {
        let (tenant, client) = (self.tenant.tenant_domain(), self.tenant.client_id());
        format!(
            "[entra]\nenabled = true\ntenant = \"{tenant}\"\nclient_id = \"{client}\"\nclient_secret_env = \"CONTOSO_SECRET\"\n{more}"
        )
    }

    fn apply(&self, more: &str) {
        let output = self.rollcall(&["settings", "apply", "default", "-"], &self.settings(more));
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    }
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_folder_is_connected_synced_and_exported() {
    let place = Place::start().await;
    place.apply("");
    let synced = place.rollcall(&["sync", "default", "--json"], "");
    assert_eq!(synced.status.code(), Some(0), "{}", words(&synced));
    let report = lines(&synced).pop().unwrap();
    assert_eq!(report["outcome"], "succeeded");
    assert_eq!(report["read"]["users"], 40);
    assert!(
        report["error"].is_null() && report["seconds"].is_number() && report["notices"].is_array(),
        "{report}"
    );
    let users = lines(&place.rollcall(&["users", "export", "default", "--json"], ""));
    assert_eq!(report["changes"]["added"], users.len());
    assert!(users.len() > 20, "{}", users.len());
    assert!(users.iter().all(|user| user["source"] == "Azure" && user["status"] == "Active"), "{users:?}");
    let addresses: Vec<_> = users.iter().map(|user| user["primary_address"].as_str().unwrap()).collect();
    assert!(addresses.is_sorted(), "{addresses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_can_be_applied_and_holds_no_secret() {
    let place = Place::start().await;
    place.apply("custom_filter = \"department eq 'Sales'\"\n");
    let shown = place.rollcall(&["settings", "show", "default"], "");
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(
        text.contains("department eq 'Sales'") && !text.contains(&place.tenant.client_secret()),
        "{text}"
    );
    let again = place.rollcall(&["settings", "apply", "default", "-"], &text);
    assert_eq!(again.status.code(), Some(0), "{}", words(&again));
    assert!(words(&again).contains("saved already"), "{}", words(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_saves_nothing_and_another_tenant_has_to_be_confirmed() {
    let place = Place::start().await;
    let wrong = place.rollcall(&["settings", "apply", "default", "-"], "[entra]\ntenant = 1\n");
    assert_eq!(wrong.status.code(), Some(1), "{}", words(&wrong));
    place.apply("");
    let other = place.settings("").replace(&place.tenant.tenant_domain(), &place.tenant.tenant_id());
    let elsewhere = format!("managed_domains = [\"elsewhere.example\"]\n{other}");
    let refused = place.rollcall(&["settings", "apply", "default", "-"], &elsewhere);
    assert_eq!(refused.status.code(), Some(4), "{}", words(&refused));
    let confirmed = place.rollcall(&["settings", "apply", "default", "-", "--confirm-switch"], &elsewhere);
    assert_eq!(confirmed.status.code(), Some(0), "{}", words(&confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_cannot_start_or_fails_exits_with_1_and_says_why() {
    let place = Place::start().await;
    let early = place.rollcall(&["sync", "default"], "");
    assert_eq!(early.status.code(), Some(1));
    assert!(words(&early).contains("not configured"), "{}", words(&early));
    place.apply("");
    place.tenant.sim().set_roles(["GroupMember.Read.All"]);
    let denied = place.rollcall(&["sync", "default", "--json"], "");
    assert_eq!(denied.status.code(), Some(1), "{}", words(&denied));
    let report = lines(&denied).pop().unwrap();
    assert_eq!(report["outcome"], "failed");
    assert!(report["error"].as_str().is_some_and(|error| !error.is_empty()), "{report}");
    let nobody = place.rollcall(&["sync", "nobody"], "");
    assert!(words(&nobody).contains("there is no customer"), "{}", words(&nobody));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recorded_people_of_the_real_service_are_synced() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/entra-sim/tests/data/recorded");
    let read = |name: &str| std::fs::read_to_string(recorded.join(name)).unwrap();
    let mut import = Import::default();
    import.add(&read("groups.json")).unwrap();
    import.add(&read("user.json")).unwrap();
    import.add_members("02bd9fd6-8f93-4758-87c3-1fb73740a315", &read("group-members.json")).unwrap();
    let place = Place::with(Options { import: Some(import), ..Options::default() }).await;
    place.apply("");
    let synced = place.rollcall(&["sync", "default", "--json"], "");
    assert_eq!(synced.status.code(), Some(0), "{}", words(&synced));
    let users = lines(&place.rollcall(&["users", "export", "default", "--json"], ""));
    let megan =
        users.iter().find(|user| user["external_id"] == "48d31887-5fad-4d73-a9f5-3c356e68a038").unwrap();
    assert_eq!(megan["primary_address"], "meganb@m365x214355.onmicrosoft.com");
    assert_eq!(megan["aliases"], serde_json::json!(["megan@m365x214355.onmicrosoft.com"]));
    assert!(users.iter().any(|user| user["display_name"] == "Adele Vance"), "{users:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_created_once_and_a_short_password_refused() {
    let place = Place::start().await;
    let short = place.rollcall(&["admin", "create", "ada@portal.example"], "short\n");
    assert_eq!(short.status.code(), Some(1));
    assert!(words(&short).contains("at least 12 characters"), "{}", words(&short));
    let made = place.rollcall(&["admin", "create", "ada@portal.example"], "correct horse battery\n");
    assert_eq!(made.status.code(), Some(0), "{}", words(&made));
    let again = place.rollcall(&["admin", "create", "Ada@portal.example"], "correct horse battery\n");
    assert_eq!(again.status.code(), Some(1));
    let changed = place.rollcall(&["admin", "set-password", "ada@portal.example"], "another horse battery\n");
    assert_eq!(changed.status.code(), Some(0), "{}", words(&changed));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_checked_line_by_line() {
    let place = Place::start().await;
    let input = "department eq 'Sales'\nendsWith(mail,'@contoso.com')\ndepartment = 'Sales'\n";
    let answers = lines(&place.rollcall(&["filter", "check", "--json"], input));
    let verdicts: Vec<_> = answers.iter().map(|answer| answer["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["accepted", "accepted_advanced", "rejected"]);
    assert!(answers[0]["code"].is_null() && answers[2]["code"] == "BadRequest", "{answers:?}");
    assert_eq!(answers[2]["position"], 11);
    let groups = lines(
        &place.rollcall(&["filter", "check", "--resource", "groups", "--json"], "mailEnabled eq true\n"),
    );
    assert_eq!(groups[0]["verdict"], "accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_taken_back_once_it_was_confirmed() {
    let place = Place::start().await;
    place.apply("");
    let synced = place.rollcall(&["sync", "default", "--json"], "");
    let run = lines(&synced).pop().unwrap()["run"].as_str().unwrap().to_owned();
    let shown = place.rollcall(&["undo", "default", &run, "--json"], "");
    assert_eq!(shown.status.code(), Some(4), "{}", words(&shown));
    let proposal = lines(&shown).pop().unwrap();
    let users = proposal["taken_back"].as_array().unwrap().len();
    assert_eq!(
        (users > 10, proposal["redone"].as_u64(), &proposal["done"]),
        (true, u64::try_from(users).ok(), &false.into())
    );
    let export = |place: &Place| lines(&place.rollcall(&["users", "export", "default", "--json"], "")).len();
    assert_eq!(export(&place), users, "nothing was changed");
    let done = place.rollcall(&["undo", "default", &run, "--confirm"], "");
    assert_eq!(done.status.code(), Some(0), "{}", words(&done));
    assert!(
        words(&done).contains("users were taken back") && words(&done).contains("Scheduled syncs wait until")
    );
    assert_eq!(export(&place), 0);
    let again = place.rollcall(&["undo", "default", &run], "");
    assert_eq!(again.status.code(), Some(1));
    assert!(words(&again).contains("taken back already"), "{}", words(&again));
}
