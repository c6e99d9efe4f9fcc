//! Importing what the real service answered.

use entra_sim::{Import, ImportError, Kind, Options, Tenant};
use serde_json::{Value, json};

use crate::support::{Answer, Bench, text};

const GROUPS: &str = include_str!("../data/recorded/groups.json");
const MEMBERS: &str = include_str!("../data/recorded/group-members.json");
const USER: &str = include_str!("../data/recorded/user.json");
const HR_TASKFORCE: &str = "02bd9fd6-8f93-4758-87c3-1fb73740a315";
const MEGAN: &str = "48d31887-5fad-4d73-a9f5-3c356e68a038";

fn recorded() -> Import {
    let mut import = Import::default();
    import.add(GROUPS).unwrap();
    import.add_members(HR_TASKFORCE, MEMBERS).unwrap();
    import.add(USER).unwrap();
    import
}

async fn bench() -> Bench {
    Bench::with(Options { import: Some(recorded()), ..Options::default() }).await
}

#[tokio::test]
async fn the_recorded_answers_become_a_tenant_with_their_domain() {
    let bench = bench().await;
    assert_eq!(bench.running.tenant_domain(), "m365x214355.onmicrosoft.com");
    let organization = bench.get("/organization").await.value()[0].clone();
    assert_eq!(organization["verifiedDomains"].as_array().unwrap().len(), 1);
    let domain = &organization["verifiedDomains"][0];
    assert_eq!((&domain["isDefault"], &domain["isInitial"]), (&json!(true), &json!(true)));
    let url = format!("{}/M365x214355.onmicrosoft.com/oauth2/v2.0/token", bench.running.url());
    assert_eq!(bench.ask_token_at(&url, &[]).await.status, 200);
}

#[tokio::test]
async fn what_was_recorded_is_answered_again_unchanged() {
    let bench = bench().await;
    let recorded: Value = serde_json::from_str(GROUPS).unwrap();
    let recorded = recorded["value"].as_array().unwrap();
    let pages = bench.pages("/groups").await;
    let answered: Vec<&Value> = pages.iter().flat_map(Answer::value).collect();
    assert_eq!((recorded.len(), answered.len()), (49, 49));
    for (recorded, answered) in recorded.iter().zip(answered) {
        for (name, value) in answered.as_object().unwrap() {
            assert_eq!(value, &recorded[name], "{name}");
        }
        assert_eq!(answered.as_object().unwrap().len(), 32);
    }
    let members: Value = serde_json::from_str(MEMBERS).unwrap();
    let answer = bench.get(&format!("/groups/{HR_TASKFORCE}/members")).await;
    assert_eq!(answer.value(), members["value"].as_array().unwrap());
    let user: Value = serde_json::from_str(USER).unwrap();
    let answer = bench.get(&format!("/users/{MEGAN}?$select=otherMails,proxyAddresses,mail")).await;
    for name in ["otherMails", "proxyAddresses", "mail"] {
        assert_eq!(answer.body[name], user[name]);
    }
}

#[tokio::test]
async fn what_was_not_recorded_is_as_a_tenant_would_have_it() {
    let bench = bench().await;
    let users = bench.pages("/users/delta?$select=accountEnabled,userType,mail,proxyAddresses").await;
    let users: Vec<&Value> = users.iter().flat_map(Answer::value).collect();
    assert_eq!(users.len(), 19);
    for user in users {
        assert_eq!((&user["accountEnabled"], &user["userType"]), (&json!(true), &json!("Member")));
        let primary = json!(format!("SMTP:{}", text(user, "mail")));
        assert!(user["proxyAddresses"].as_array().unwrap().contains(&primary));
    }
    let listed =
        bench.get("/users?$select=department,assignedLicenses,onPremisesExtensionAttributes&$top=1").await;
    assert_eq!(listed.value()[0]["department"], Value::Null);
    assert_eq!(listed.value()[0]["assignedLicenses"], json!([]));
}

#[tokio::test]
async fn the_members_come_with_the_groups_in_delta() {
    let bench = bench().await;
    let pages = bench.pages("/groups/delta?$select=displayName,members").await;
    let with_members: Vec<&Value> =
        pages.iter().flat_map(Answer::value).filter(|group| group.get("members@delta").is_some()).collect();
    assert_eq!(with_members.len(), 1);
    assert_eq!(text(with_members[0], "displayName"), "HR Taskforce");
    assert_eq!(with_members[0]["members@delta"].as_array().unwrap().len(), 19);
}

#[test]
fn one_object_may_hold_users_groups_and_members() {
    let dump = json!({
        "users": [
            { "id": "A1", "userPrincipalName": "ann@example.org", "mail": "ann@example.org" },
            { "id": "A2", "userPrincipalName": "bob_x.example#EXT#@example.onmicrosoft.com", "mail": "bob@x.example" },
        ],
        "groups": [{ "id": "B1", "displayName": "Staff" }, { "id": "B2", "members": ["a2"] }],
        "members": { "b1": ["a1", { "@odata.type": "#microsoft.graph.group", "id": "B2" },
            { "@odata.type": "#microsoft.graph.device", "id": "C1", "displayName": "PC" }] },
    });
    let mut import = Import::default();
    import.add(&dump.to_string()).unwrap();
    let tenant = Tenant::import(import, 1).unwrap();
    let kinds: Vec<Kind> = tenant.members(0).iter().map(|member| member.kind).collect();
    assert_eq!(kinds, [Kind::User, Kind::Group, Kind::Other]);
    assert_eq!(tenant.odata_type(tenant.members(0)[2]), "#microsoft.graph.device");
    assert_eq!(tenant.members(1).len(), 1);
    let domains: Vec<(&str, bool, bool)> = tenant
        .domains()
        .iter()
        .map(|domain| (domain.name.as_str(), domain.is_default, domain.is_initial))
        .collect();
    assert_eq!(domains, [("example.org", true, false), ("example.onmicrosoft.com", false, true)]);
    let guest = tenant.find_user("BOB_x.example#ext#@example.onmicrosoft.com").unwrap();
    assert_eq!(text(&Value::Object(tenant.object(guest).into_owned()), "userType"), "Guest");
}

#[test]
fn a_later_file_adds_to_what_an_earlier_one_said() {
    let mut import = Import::default();
    let page =
        |user: Value| json!({ "@odata.context": "x/$metadata#users(id)", "value": [user] }).to_string();
    import.add(&page(json!({ "id": "A", "displayName": "Ann", "department": "Sales" }))).unwrap();
    import.add(&page(json!({ "id": "a", "department": "Finance" }))).unwrap();
    let tenant = Tenant::import(import, 1).unwrap();
    let user = tenant.object(tenant.find("A").unwrap()).into_owned();
    assert_eq!((&user["displayName"], &user["department"]), (&json!("Ann"), &json!("Finance")));
    assert_eq!(tenant.count(Kind::User), 1);
}

#[test]
fn what_cannot_be_imported_is_named() {
    let refused = |text: &str| Import::default().add(text).unwrap_err().to_string();
    assert!(refused("nonsense").starts_with("not JSON: "));
    assert!(refused("[]").starts_with("neither a page"));
    assert!(refused("{}").starts_with("neither a page"));
    assert_eq!(
        refused(r#"{"value":[{"id":"x1"}]}"#),
        "the object 'x1' has no @odata.type and looks like neither a user nor a group"
    );
    assert!(refused(r#"{"users":[{"mail":"a@b.c"}]}"#).starts_with("an object has no id: "));

    let mut import = Import::default();
    import.add(r#"{"groups":[{"id":"G"}],"members":{"g":["nobody"]}}"#).unwrap();
    assert!(matches!(Tenant::import(import, 1), Err(ImportError::UnknownMember { .. })));
    let mut import = Import::default();
    import.add_members("g", r#"{"value":[]}"#).unwrap();
    assert!(matches!(Tenant::import(import, 1), Err(ImportError::UnknownGroup(_))));
}
