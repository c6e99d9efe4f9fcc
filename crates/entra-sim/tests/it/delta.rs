//! Delta rounds.

use std::collections::{BTreeMap, HashSet};

use entra_sim::{DeltaPages, Size};
use serde_json::json;
use time::Duration;

use crate::support::{Answer, Bench, text};

const SMALL: DeltaPages = DeltaPages { objects: 25, members: 10 };

async fn bench() -> Bench {
    Bench::with_delta_pages(Size { users: 60, groups: 12, members_per_group: 5, seed: 1 }, SMALL).await
}

#[tokio::test]
async fn a_first_round_gives_each_user_once_with_an_empty_page_in_between() {
    let bench = bench().await;
    let pages = bench.pages("/users/delta?$select=displayName,mail&$top=1").await;
    let sizes: Vec<usize> = pages.iter().map(|page| page.value().len()).collect();
    assert_eq!(sizes, [25, 0, 25, 10]);
    let ids: HashSet<&str> = pages.iter().flat_map(Answer::value).map(|user| text(user, "id")).collect();
    assert_eq!(ids.len(), 60);
    for page in &pages {
        let links = (page.link("@odata.nextLink").is_some(), page.link("@odata.deltaLink").is_some());
        assert!(links == (true, false) || links == (false, true));
    }
    let last = pages.last().unwrap().link("@odata.deltaLink").unwrap();
    assert!(last.starts_with(&format!("{}/v1.0/users/delta?$deltatoken=", bench.running.url())));
    let selected = pages.iter().flat_map(Answer::value).flat_map(|user| user.as_object().unwrap().keys());
    let selected: HashSet<&str> = selected.map(String::as_str).collect();
    assert_eq!(selected, HashSet::from(["displayName", "id", "mail"]));
}

#[tokio::test]
async fn a_property_that_was_never_set_is_missing() {
    let bench = bench().await;
    let pages = bench.pages("/users/delta?$select=mail,proxyAddresses,state").await;
    let users: Vec<_> = pages.iter().flat_map(Answer::value).collect();
    assert!(users.iter().all(|user| !user.as_object().unwrap().values().any(serde_json::Value::is_null)));
    let with_mail = users.iter().filter(|user| user.get("mail").is_some()).count();
    assert!(with_mail > 40 && with_mail < 60, "{with_mail}");
    assert!(users.iter().all(|user| user["proxyAddresses"].is_array()), "an empty list is not null");
}

#[tokio::test]
async fn the_route_has_three_spellings() {
    let bench = bench().await;
    for path in
        ["/users/delta", "/users/delta()", "/users/microsoft.graph.delta", "/users/microsoft.graph.delta()"]
    {
        assert_eq!(bench.get(path).await.value().len(), 25, "{path}");
    }
    assert_eq!(bench.get("/groups/delta()").await.status, 200);
}

#[tokio::test]
async fn a_delta_link_gives_nothing_while_nothing_changes() {
    let bench = bench().await;
    let mut link = bench.pages("/users/delta").await.last().unwrap().link("@odata.deltaLink").unwrap();
    for _ in 0..2 {
        bench.running.sim().advance_clock(Duration::seconds(60));
        let answer = bench.get(&link).await;
        assert!(answer.value().is_empty() && answer.link("@odata.nextLink").is_none());
        let next = answer.link("@odata.deltaLink").unwrap();
        assert_ne!(next, link);
        link = next;
    }
    let latest = bench.get("/users/delta?$deltatoken=latest").await;
    assert!(latest.value().is_empty() && latest.link("@odata.deltaLink").is_some());
}

#[tokio::test]
async fn members_of_a_large_group_are_spread_over_pages_with_the_group_repeated() {
    let bench = bench().await;
    let pages = bench.pages("/groups/delta?$select=displayName,members").await;
    let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for page in &pages {
        let mut on_page = HashSet::new();
        let mut count = 0;
        for group in page.value() {
            let name = text(group, "displayName");
            assert!(on_page.insert(name), "{name} is twice on one page");
            *times.entry(name).or_default() += 1;
            let Some(slice) = group.get("members@delta") else { continue };
            let slice = slice.as_array().unwrap();
            assert!(!slice.is_empty());
            count += slice.len();
            members.entry(name).or_default().extend(slice.iter().map(|member| text(member, "id")));
        }
        assert!(count <= 10);
    }
    assert_eq!(times.len(), 12);
    let everybody = &members["All Employees"];
    assert!(times["All Employees"] >= 4 && everybody.len() > 40);
    assert_eq!(everybody.iter().collect::<HashSet<_>>().len(), everybody.len());
    assert!(!members.contains_key("Retired Newsletter"), "a group without members has no annotation");
    assert_eq!(pages.iter().filter(|page| page.value().is_empty()).count(), 1);
}

#[tokio::test]
async fn members_come_unless_a_selection_leaves_them_out() {
    let bench = bench().await;
    let has_members = async |path: &str| {
        let pages = bench.pages(path).await;
        pages.iter().flat_map(Answer::value).any(|group| group.get("members@delta").is_some())
    };
    assert!(has_members("/groups/delta").await);
    assert!(!has_members("/groups/delta?$select=displayName").await);
}

#[tokio::test]
async fn nested_groups_and_devices_appear_as_what_they_are() {
    let bench = bench().await;
    let pages = bench.pages("/groups/delta").await;
    let annotations =
        pages.iter().flat_map(Answer::value).filter_map(|group| group["members@delta"].as_array());
    let types: HashSet<String> =
        annotations.flatten().map(|member| text(member, "@odata.type").to_owned()).collect();
    let all = ["#microsoft.graph.user", "#microsoft.graph.group", "#microsoft.graph.device"];
    assert_eq!(types, HashSet::from(all.map(str::to_owned)));
}

#[tokio::test]
async fn a_token_that_is_unknown_too_old_or_of_another_directory_asks_for_a_full_round() {
    let bench = bench().await;
    let pages = bench.pages("/users/delta?$select=mail").await;
    let link = pages.last().unwrap().link("@odata.deltaLink").unwrap();
    let next = pages[0].link("@odata.nextLink").unwrap();

    let unknown = bench.get("/users/delta?$deltatoken=abc").await;
    assert_eq!(unknown.refusal(), (410, "SyncStateNotFound"));
    assert_eq!(unknown.header("location"), format!("{}/v1.0/users/delta?$deltatoken=", bench.running.url()));
    let foreign = link.replace("/users/", "/groups/");
    assert_eq!(bench.get(&foreign).await.refusal(), (410, "SyncStateNotFound"));

    bench.running.sim().advance_clock(Duration::days(7) - Duration::minutes(1));
    assert_eq!(bench.get(&link).await.status, 200);
    bench.running.sim().advance_clock(Duration::minutes(5));
    let expired = bench.get(&link).await;
    assert_eq!(expired.refusal(), (410, "SyncStateNotFound"));
    let restarted = bench.get(expired.header("location")).await;
    assert_eq!(restarted.value().len(), 25);
    assert!(restarted.value().iter().all(|user| user.get("displayName").is_none()), "the selection is kept");

    let fresh = bench.get("/users/delta").await.link("@odata.nextLink").unwrap();
    let listing = bench.get("/users?$top=5").await.link("@odata.nextLink").unwrap();
    bench.control("POST", "/reset", Some(json!({ "users": 30 }))).await;
    assert_eq!(bench.get(&fresh).await.refusal(), (410, "SyncStateNotFound"));
    assert_eq!(bench.get(&next).await.refusal(), (410, "SyncStateNotFound"));
    assert_eq!(bench.get(&listing).await.refusal(), (400, "Directory_ExpiredPageToken"));
    let all = bench.pages("/users/delta").await;
    assert_eq!(all.iter().map(|page| page.value().len()).sum::<usize>(), 30);
}
