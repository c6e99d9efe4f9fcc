//! Pages, single objects, options and permissions.

use std::collections::HashSet;

use serde_json::Value;
use time::Duration;

use crate::support::{Answer, Bench, text};

const USER_DEFAULT: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn following_the_next_links_gives_each_user_once() {
    let bench = Bench::start().await;
    let pages = bench.pages("/users?$select=id&$top=25").await;
    let sizes: Vec<usize> = pages.iter().map(|page| page.value().len()).collect();
    assert_eq!(sizes, [25, 25, 10]);
    let ids: HashSet<&str> = pages.iter().flat_map(Answer::value).map(|user| text(user, "id")).collect();
    assert_eq!(ids.len(), 60);
    let next = pages[0].link("@odata.nextLink").unwrap();
    assert!(next.starts_with(&format!("{}/v1.0/users?$select=id&$top=25&$skiptoken=", bench.running.url())));
}

#[tokio::test]
async fn links_lead_to_the_host_the_client_used() {
    let bench = Bench::start().await;
    let url = bench.running.url().replace("127.0.0.1", "localhost");
    let answer = bench.get(&format!("{url}/v1.0/users?$top=1")).await;
    assert!(answer.link("@odata.nextLink").unwrap().starts_with(&format!("{url}/v1.0/users?")));
}

#[tokio::test]
async fn a_page_has_a_hundred_users_unless_asked_otherwise_and_999_at_most() {
    let bench = Bench::of_size(entra_sim::Size { users: 1200, ..Default::default() }).await;
    assert_eq!(bench.get("/users").await.value().len(), 100);
    assert_eq!(bench.get("/users?$top=999").await.value().len(), 999);
    for (top, code) in [("1000", "Request_BadRequest"), ("0", "Request_BadRequest"), ("ten", "BadRequest")] {
        assert_eq!(bench.get(&format!("/users?$top={top}")).await.refusal(), (400, code), "{top}");
    }
    let refused = bench.get("/users?$top=1000").await;
    let message = "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive.";
    assert_eq!(text(&refused.body["error"], "message"), message);
}

#[tokio::test]
async fn select_returns_exactly_the_named_properties() {
    let bench = Bench::start().await;
    let answer = bench.get("/users?$top=60").await;
    assert!(answer.value().iter().all(|user| names(user) == USER_DEFAULT));
    let named = bench.get("/users?%24select=proxyAddresses%2CaccountEnabled,nosuchthing&$top=3").await;
    assert_eq!(named.value().len(), 3);
    assert!(named.value().iter().all(|user| names(user) == ["accountEnabled", "proxyAddresses"]));
    let context = text(&named.body, "@odata.context");
    assert!(
        context.ends_with("/v1.0/$metadata#users(proxyAddresses,accountEnabled,nosuchthing)"),
        "{context}"
    );
}

#[tokio::test]
async fn a_property_of_single_users_only_is_not_implemented_in_lists() {
    let bench = Bench::start().await;
    assert_eq!(bench.get("/users?$select=id,skills").await.refusal(), (501, "NotImplemented"));
    assert_eq!(bench.get("/users/delta?$select=id,skills").await.refusal(), (501, "NotImplemented"));
}

#[tokio::test]
async fn a_count_needs_the_consistency_level_header() {
    let bench = Bench::start().await;
    let without = bench.get("/users?$count=true&$top=5").await;
    assert!(without.body.get("@odata.count").is_none());
    let request = bench.request("/users?$count=true&$top=40").await.header("ConsistencyLevel", "eventual");
    let with = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(with.body["@odata.count"], 60);
    let next = with.link("@odata.nextLink").unwrap();
    let request = bench.request(&next).await.header("ConsistencyLevel", "eventual");
    let second = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(second.value().len(), 20);
    assert!(second.body.get("@odata.count").is_none());

    let refused = bench.get("/users/$count").await;
    assert_eq!(refused.refusal(), (400, "Request_BadRequest"));
    let request = bench.request("/users/%24count").await.header("ConsistencyLevel", "eventual");
    let counted = Answer::of(request.send().await.unwrap()).await;
    assert_eq!((counted.status, counted.body), (200, Value::from(60)));
}

#[tokio::test]
async fn options_that_are_not_served_are_refused_and_never_ignored() {
    let bench = Bench::start().await;
    for (path, code) in [
        ("/users/delta?$orderby=displayName", "Request_UnsupportedQuery"),
        ("/users/delta?$search=%22displayName:a%22", "Request_UnsupportedQuery"),
        ("/organization?$filter=id%20eq%20'x'", "Request_UnsupportedQuery"),
        ("/users?$expand=manager", "Request_UnsupportedQuery"),
        ("/users?$skip=10", "Request_BadRequest"),
        ("/users?$apply=x", "BadRequest"),
        ("/users?$top=1&$top=2", "BadRequest"),
        ("/users/delta?$filter=displayName%20eq%20'x'", "Request_UnsupportedQuery"),
        ("/groups/delta?$expand=members", "Request_UnsupportedQuery"),
        ("/organization?$top=1", "BadRequest"),
    ] {
        assert_eq!(bench.get(path).await.refusal(), (400, code), "{path}");
    }
}

#[tokio::test]
async fn a_user_is_found_by_id_and_by_principal_name_in_any_case_and_spelling() {
    let bench = Bench::start().await;
    let first = bench.get("/users?$top=1").await.value()[0].clone();
    let (id, upn) = (text(&first, "id"), text(&first, "userPrincipalName"));
    for path in [
        format!("/users/{id}"),
        format!("/users/{}", upn.to_uppercase()),
        format!("/users('{upn}')"),
        format!("/users/{}", upn.replace('@', "%40")),
    ] {
        let answer = bench.get(&path).await;
        assert_eq!(text(&answer.body, "id"), id, "{path}");
        assert!(text(&answer.body, "@odata.context").ends_with("#users/$entity"));
    }
    let missing = bench.get("/users/nobody@contoso.com").await;
    assert_eq!(missing.refusal(), (404, "Request_ResourceNotFound"));
    assert!(
        text(&missing.body["error"], "message").starts_with("Resource 'nobody@contoso.com' does not exist")
    );
}

#[tokio::test]
async fn members_of_a_group_are_of_every_type_and_paged() {
    let bench = Bench::start().await;
    let groups = bench.get("/groups?$select=id,displayName").await.value().to_vec();
    let id_of = |name: &str| {
        text(groups.iter().find(|group| text(group, "displayName") == name).unwrap(), "id").to_owned()
    };

    let pages = bench.pages(&format!("/groups/{}/members?$top=25&$select=id", id_of("All Employees"))).await;
    let ids: HashSet<&str> = pages.iter().flat_map(Answer::value).map(|member| text(member, "id")).collect();
    let total: usize = pages.iter().map(|page| page.value().len()).sum();
    assert!(pages.len() > 1 && ids.len() == total && total > 40 && total < 60, "{total}");

    let nested = bench.get(&format!("/groups/{}/members", id_of("Headquarters"))).await;
    let types: HashSet<&str> = nested.value().iter().map(|member| text(member, "@odata.type")).collect();
    assert_eq!(types, HashSet::from(["#microsoft.graph.user", "#microsoft.graph.group"]));
    let devices = bench.get(&format!("/groups/{}/members", id_of("All Windows Devices"))).await;
    assert!(devices.value().iter().all(|member| text(member, "@odata.type") == "#microsoft.graph.device"));
    assert_eq!(devices.value().len(), 3);

    let one = bench.get(&format!("/groups/{}", id_of("Headquarters"))).await;
    assert_eq!(text(&one.body, "displayName"), "Headquarters");
    assert_eq!(bench.get("/groups/abc").await.refusal(), (400, "Request_BadRequest"));
    let unknown = "/groups/00000000-0000-4000-8000-000000000000/members";
    assert_eq!(bench.get(unknown).await.refusal(), (404, "Request_ResourceNotFound"));
}

#[tokio::test]
async fn members_are_nameless_without_the_permission_to_read_users() {
    let bench = Bench::start().await;
    bench.running.sim().set_roles(["GroupMember.Read.All"]);
    let groups = bench.get("/groups?$select=id,displayName").await.value().to_vec();
    let everybody = groups.iter().find(|group| text(group, "displayName") == "All Employees").unwrap();
    let members = bench.get(&format!("/groups/{}/members?$top=5", text(everybody, "id"))).await;
    assert_eq!(members.value().len(), 5);
    for member in members.value() {
        assert!(!text(member, "id").is_empty());
        assert_eq!(text(member, "@odata.type"), "#microsoft.graph.user");
        assert!(member["displayName"].is_null() && member["mail"].is_null());
    }
}

#[tokio::test]
async fn a_missing_permission_is_denied_route_by_route() {
    let bench = Bench::start().await;
    for (role, allowed) in [
        ("User.Read.All", &["/users", "/users/delta"][..]),
        ("User.ReadWrite.All", &["/users", "/users/delta"][..]),
        ("GroupMember.Read.All", &["/groups", "/groups/delta"][..]),
        ("Organization.Read.All", &["/organization"][..]),
        ("Domain.Read.All", &["/domains"][..]),
        (
            "Directory.Read.All",
            &["/users", "/users/delta", "/groups", "/groups/delta", "/organization", "/domains"][..],
        ),
        ("Mail.Read", &[][..]),
    ] {
        bench.running.sim().set_roles([role]);
        for path in ["/users", "/users/delta", "/groups", "/groups/delta", "/organization", "/domains"] {
            let answer = bench.get(path).await;
            if allowed.contains(&path) {
                assert_eq!(answer.status, 200, "{role} {path}");
            } else {
                assert_eq!(answer.refusal(), (403, "Authorization_RequestDenied"), "{role} {path}");
            }
        }
    }
    bench.running.sim().set_roles(Vec::<String>::new());
    assert_eq!(bench.get("/users").await.refusal(), (403, "Authorization_RequestDenied"));
}

#[tokio::test]
async fn tokens_are_refused_when_missing_foreign_or_expired() {
    let bench = Bench::start().await;
    let url = format!("{}/v1.0/users", bench.running.url());
    let ask = async |token: Option<&str>| {
        let request = bench.http.get(&url);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        Answer::of(request.send().await.unwrap()).await
    };
    let message = |answer: &Answer| text(&answer.body["error"], "message").to_owned();

    let missing = ask(None).await;
    assert_eq!(missing.refusal(), (401, "InvalidAuthenticationToken"));
    assert_eq!(message(&missing), "Access token is empty.");
    assert!(missing.header("www-authenticate").starts_with("Bearer realm=\"\", authorization_uri="));
    assert_eq!(
        message(&ask(Some("abc")).await),
        "CompactToken validation failed with reason code: 80049228."
    );

    let token = bench.token().await;
    assert_eq!(ask(Some(&token)).await.status, 200);
    let (signed, _) = token.rsplit_once('.').unwrap();
    let forged = ask(Some(&format!("{signed}.AAAA"))).await;
    assert_eq!(message(&forged), "CompactToken validation failed with reason code: 80049228.");
    let other = Bench::of_size(entra_sim::Size { seed: 2, ..Default::default() }).await;
    assert_eq!(ask(Some(&other.token().await)).await.refusal(), (401, "InvalidAuthenticationToken"));

    bench.running.sim().advance_clock(Duration::minutes(58));
    assert_eq!(ask(Some(&token)).await.status, 200);
    bench.running.sim().advance_clock(Duration::minutes(2));
    let expired = ask(Some(&token)).await;
    assert_eq!(expired.refusal(), (401, "InvalidAuthenticationToken"));
    assert_eq!(message(&expired), "Lifetime validation failed, the token is expired.");
    bench.running.sim().advance_clock(Duration::hours(-3));
    assert_eq!(message(&ask(Some(&token)).await), "Access token has expired or is not yet valid.");
}

#[tokio::test]
async fn every_answer_has_the_frame_of_the_service() {
    let bench = Bench::start().await;
    for (path, status) in [("/users?$select=id", 200), ("/users/nobody", 404)] {
        let request =
            bench.request(path).await.header("client-request-id", "11111111-1111-4111-8111-111111111111");
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("client-request-id"), "11111111-1111-4111-8111-111111111111");
        assert_eq!(answer.header("request-id").len(), 36);
        assert_eq!(answer.header("odata-version"), "4.0");
        assert!(answer.header("x-ms-ags-diagnostic").starts_with("{\"ServerInfo\""));
        if status == 200 {
            assert_eq!(answer.header("x-ms-resource-unit"), "1");
            assert!(answer.header("content-type").starts_with("application/json;odata.metadata=minimal"));
        } else {
            let inner = &answer.body["error"]["innerError"];
            assert_eq!(text(inner, "request-id"), answer.header("request-id"));
            assert_eq!(text(inner, "client-request-id"), answer.header("client-request-id"));
            assert_eq!(text(inner, "date").len(), "2026-01-02T03:04:05".len());
        }
    }
    let plain = bench.get("/users").await;
    assert_eq!(plain.header("client-request-id"), plain.header("request-id"));
    assert_eq!(plain.header("x-ms-resource-unit"), "2");
}

#[tokio::test]
async fn unknown_routes_versions_and_methods_get_graphs_own_errors() {
    let bench = Bench::start().await;
    assert_eq!(bench.get("/nothing").await.refusal(), (400, "BadRequest"));
    assert_eq!(bench.get("/users/a/b").await.refusal(), (400, "BadRequest"));
    let version = format!("{}/v3.0/users", bench.running.url());
    assert_eq!(bench.get(&version).await.refusal(), (400, "BadRequest"));
    let posted =
        bench.http.post(format!("{}/v1.0/users", bench.running.url())).bearer_auth(bench.token().await);
    let posted = Answer::of(posted.send().await.unwrap()).await;
    assert_eq!(posted.refusal(), (405, "Request_BadRequest"));
}

#[tokio::test]
async fn the_organization_names_its_verified_domains() {
    let bench = Bench::start().await;
    let organization = bench.get("/organization").await.value()[0].clone();
    assert_eq!(text(&organization, "id"), bench.running.tenant_id());
    assert_eq!(text(&organization, "displayName"), "Contoso Ltd");
    let verified = organization["verifiedDomains"].as_array().unwrap();
    let of = |flag: &str| text(verified.iter().find(|domain| domain[flag] == true).unwrap(), "name");
    assert_eq!((of("isDefault"), of("isInitial")), ("contoso.com", "contoso.onmicrosoft.com"));
    assert_eq!(verified.len(), 3);
    let selected = bench.get("/organization?$select=id,displayName").await;
    assert_eq!(names(&selected.value()[0]), ["displayName", "id"]);
    let domains = bench.get("/domains").await;
    let names: Vec<&str> = domains.value().iter().map(|domain| text(domain, "id")).collect();
    assert_eq!(names, ["contoso.com", "fabrikam.co.uk", "contoso.onmicrosoft.com"]);
}
