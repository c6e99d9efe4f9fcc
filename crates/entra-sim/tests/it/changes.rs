//! Changing the directory, through the library and the control API, and what the plain routes then say.

use entra_sim::{Change, ChangeError, Kind};
use serde_json::{Value, json};
use time::Duration;

use crate::support::{Bench, set, text};

async fn user(bench: &Bench, id: &str) -> Value {
    let select = "id,displayName,userPrincipalName,mail,proxyAddresses,accountEnabled,department,userType";
    bench.get(&format!("/users/{id}?$select={select}")).await.body
}

fn proxies(user: &Value) -> Vec<&str> {
    user["proxyAddresses"].as_array().unwrap().iter().map(|proxy| proxy.as_str().unwrap()).collect()
}

fn primary(user: &Value) -> &str {
    let all = proxies(user);
    let primaries: Vec<&&str> = all.iter().filter(|proxy| proxy.starts_with("SMTP:")).collect();
    assert_eq!(primaries.len(), 1, "{all:?}");
    &primaries[0]["SMTP:".len()..]
}

#[tokio::test]
async fn an_added_user_is_completed_listed_and_found() {
    let bench = Bench::start().await;
    let new = json!({ "userPrincipalName": "Nina.New@contoso.com", "displayName": "Nina New", "mail": "nina.new@contoso.com" });
    let id = bench.change(json!({ "add_user": new }));
    let found = user(&bench, "NINA.NEW@contoso.com").await;
    assert_eq!(text(&found, "id"), id);
    assert_eq!((&found["accountEnabled"], text(&found, "userType")), (&json!(true), "Member"));
    assert_eq!(proxies(&found), ["SMTP:nina.new@contoso.com"]);
    let all = bench.get("/users?$top=999&$select=id").await;
    assert_eq!(all.value().len(), 61);
    assert_eq!(all.value().iter().filter(|user| text(user, "id") == id).count(), 1);

    let sim = bench.running.sim();
    let again = serde_json::from_value::<Change>(
        json!({ "add_user": { "userPrincipalName": "nina.new@CONTOSO.com" } }),
    );
    assert_eq!(sim.change(&again.unwrap()), Err(ChangeError::NameTaken("nina.new@CONTOSO.com".to_owned())));
    let same_id = json!({ "add_user": { "userPrincipalName": "other@contoso.com", "id": id } });
    assert_eq!(sim.change(&serde_json::from_value(same_id).unwrap()), Err(ChangeError::IdTaken(id)));
    let nameless = serde_json::from_value(json!({ "add_user": { "displayName": "Nobody" } })).unwrap();
    assert!(matches!(sim.change(&nameless), Err(ChangeError::Property(_))));
    assert_eq!(sim.directory().count(Kind::User), 61);
}

#[tokio::test]
async fn a_renamed_user_keeps_the_old_address_as_an_alias_and_frees_the_old_name() {
    let bench = Bench::start().await;
    let id = bench.user(0);
    let before = user(&bench, &id).await;
    let (old_name, old_primary) = (text(&before, "userPrincipalName"), primary(&before));
    bench.change(json!({ "rename": { "object": old_name, "display_name": "Ada Married", "address": "ada.married@contoso.com" } }));
    let after = user(&bench, "ada.married@contoso.com").await;
    assert_eq!(text(&after, "id"), id);
    assert_eq!(
        (text(&after, "displayName"), text(&after, "mail")),
        ("Ada Married", "ada.married@contoso.com")
    );
    assert_eq!(primary(&after), "ada.married@contoso.com");
    assert!(proxies(&after).contains(&format!("smtp:{old_primary}").as_str()));
    assert_eq!(bench.get(&format!("/users/{old_name}")).await.status, 404);
    bench.change(json!({ "add_user": { "userPrincipalName": old_name } }));
    assert_ne!(text(&user(&bench, old_name).await, "id"), id);
}

#[tokio::test]
async fn properties_are_set_in_any_case_cleared_and_an_account_disabled_and_enabled() {
    let bench = Bench::start().await;
    let id = bench.user(0);
    bench.change(set(&id, json!({ "DEPARTMENT": "Ouroboros" })));
    assert_eq!(text(&user(&bench, &id).await, "department"), "Ouroboros");
    bench.change(set(&id, json!({ "department": null })));
    assert!(user(&bench, &id).await["department"].is_null());
    bench.change(json!({ "disable": id }));
    assert_eq!(user(&bench, &id).await["accountEnabled"], false);
    bench.change(json!({ "enable": id }));
    assert_eq!(user(&bench, &id).await["accountEnabled"], true);

    let sequence = bench.running.sim().directory().sequence();
    bench.change(json!({ "enable": id }));
    assert_eq!(bench.running.sim().directory().sequence(), sequence, "what is so already is no change");
    let new_id = serde_json::from_value(set(&id, json!({ "id": "other" }))).unwrap();
    assert!(matches!(bench.running.sim().change(&new_id), Err(ChangeError::Property(_))));
}

#[tokio::test]
async fn a_deleted_user_can_be_restored_for_thirty_days() {
    let bench = Bench::start().await;
    let id = bench.user(0);
    let name = text(&user(&bench, &id).await, "userPrincipalName").to_owned();
    let everybody = format!("/groups/{}/members?$top=999&$select=id", bench.group("All Employees"));
    let members = bench.get(&everybody).await.value().len();

    bench.change(json!({ "delete": { "object": name } }));
    for path in [format!("/users/{id}"), format!("/users/{name}")] {
        assert_eq!(bench.get(&path).await.refusal(), (404, "Request_ResourceNotFound"), "{path}");
    }
    assert_eq!(bench.get("/users?$top=999&$select=id").await.value().len(), 59);
    assert_eq!(bench.get_eventual("/users/$count").await.body, 59);
    assert_eq!(bench.get(&everybody).await.value().len(), members - 1);
    bench.change(json!({ "restore": id }));
    assert_eq!(text(&user(&bench, &name).await, "id"), id);
    assert_eq!(bench.get(&everybody).await.value().len(), members);

    bench.change(json!({ "delete": { "object": id } }));
    bench.running.sim().advance_clock(Duration::days(29));
    assert_eq!(bench.get("/directory/deletedItems/microsoft.graph.user").await.value().len(), 1);
    bench.running.sim().advance_clock(Duration::days(1));
    assert!(bench.get("/directory/deletedItems/microsoft.graph.user").await.value().is_empty());
    let restore: Change = serde_json::from_value(json!({ "restore": id })).unwrap();
    assert_eq!(bench.running.sim().change(&restore), Err(ChangeError::NotInBin(id)));
}

#[tokio::test]
async fn a_name_that_was_taken_meanwhile_stands_in_the_way_of_a_restoration() {
    let bench = Bench::start().await;
    let id = bench.user(0);
    let name = text(&user(&bench, &id).await, "userPrincipalName").to_owned();
    bench.change(json!({ "delete": { "object": id } }));
    let heir = bench.change(json!({ "add_user": { "userPrincipalName": name } }));
    let restore: Change = serde_json::from_value(json!({ "restore": id })).unwrap();
    assert_eq!(bench.running.sim().change(&restore), Err(ChangeError::NameTaken(name.clone())));
    bench.change(json!({ "delete": { "object": heir, "for_good": true } }));
    bench.change(json!({ "restore": id }));
    assert_eq!(text(&user(&bench, &name).await, "id"), id);
}

#[tokio::test]
async fn only_microsoft_365_groups_have_a_recycle_bin() {
    let bench = Bench::start().await;
    let unified = json!({ "displayName": "Team", "groupTypes": ["Unified"] });
    let team = bench.change(json!({ "add_group": unified }));
    let security = bench.change(json!({ "add_group": { "displayName": "Door" } }));
    assert_eq!(bench.get("/groups?$top=999").await.value().len(), 14);
    for id in [&team, &security] {
        bench.change(json!({ "delete": { "object": id } }));
        assert_eq!(bench.get(&format!("/groups/{id}")).await.status, 404);
    }
    let bin = bench.get("/directory/deletedItems/microsoft.graph.group").await;
    assert_eq!(bin.value().len(), 1);
    assert_eq!(text(&bin.value()[0], "id"), team);
    bench.change(json!({ "restore": team }));
    bench.change(json!({ "rename": { "object": team, "display_name": "Crew" } }));
    assert_eq!(text(&bench.get(&format!("/groups/{team}")).await.body, "displayName"), "Crew");
}

#[tokio::test]
async fn an_alias_moves_and_primary_addresses_are_swapped() {
    let bench = Bench::start().await;
    let (one, other) = (bench.user(0), bench.user(1));
    bench.change(set(&one, json!({ "proxyAddresses": ["smtp:sales@contoso.com", "SMTP:one@contoso.com"] })));
    bench.change(set(&other, json!({ "proxyAddresses": ["SMTP:two@contoso.com", "sip:two@contoso.com"] })));
    let moved = json!({ "move_alias": { "address": "SALES@contoso.com", "from": one, "to": other } });
    bench.change(moved.clone());
    assert_eq!(proxies(&user(&bench, &one).await), ["SMTP:one@contoso.com"]);
    assert!(proxies(&user(&bench, &other).await).contains(&"smtp:sales@contoso.com"));
    let again = bench.running.sim().change(&serde_json::from_value(moved).unwrap());
    assert!(matches!(again, Err(ChangeError::NoAlias { .. })));

    bench.change(json!({ "swap_primaries": { "one": one, "other": other } }));
    let (first, second) = (user(&bench, &one).await, user(&bench, &other).await);
    assert_eq!((primary(&first), text(&first, "mail")), ("two@contoso.com", "two@contoso.com"));
    assert_eq!((primary(&second), text(&second, "mail")), ("one@contoso.com", "one@contoso.com"));
    assert!(proxies(&second).contains(&"sip:two@contoso.com"));
}

#[tokio::test]
async fn members_come_and_go_and_come_back() {
    let bench = Bench::start().await;
    let (group, user) = (bench.group("Headquarters"), bench.user(0));
    let path = format!("/groups/{group}/members?$top=999&$select=id");
    let is_member = async || bench.get(&path).await.value().iter().any(|one| text(one, "id") == user);
    let remove = json!({ "remove_members": { "group": group, "members": [user] } });
    let add = json!({ "add_members": { "group": group, "members": [user, user] } });
    bench.change(remove.clone());
    assert!(!is_member().await);
    for _ in 0..2 {
        bench.change(add.clone());
        assert!(is_member().await);
        let found = bench.get(&path).await.value().iter().filter(|one| text(one, "id") == user).count();
        assert_eq!(found, 1);
        bench.change(remove.clone());
        assert!(!is_member().await);
    }
}

#[tokio::test]
async fn the_control_api_makes_all_changes_of_a_list_or_none() {
    let bench = Bench::start().await;
    let id = bench.user(0);
    let changes = json!([{ "add_group": { "displayName": "Team" } }, { "disable": id }, { "restore": id }]);
    let refused = bench.control("POST", "/changes", Some(changes)).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        text(&refused.body, "error"),
        format!("change 2: '{id}' is not in the recycle bin; none was made")
    );
    let state = bench.control("GET", "/state", None).await.body;
    assert_eq!((&state["changes"], &state["tenant"]["groups"]), (&json!(0), &json!(12)));

    let changes = json!([{ "add_group": { "displayName": "Team" } }, { "delete": { "object": id } }]);
    let made = bench.control("POST", "/changes", Some(changes)).await;
    assert_eq!((made.status, &made.body[1]), (200, &json!(id)));
    let state = bench.control("GET", "/state", None).await.body;
    assert_eq!((&state["changes"], &state["tenant"]["groups"]), (&json!(2), &json!(13)));
    assert_eq!(state["tenant"]["users"], 59);
    let unknown = bench.control("POST", "/changes", Some(json!([{ "promote": id }]))).await;
    assert!(unknown.status >= 400);
}
