//! Members of groups: nested, cast, counted, filtered.

use std::collections::HashSet;

use serde_json::json;

use crate::support::{Bench, ids, text};

#[tokio::test]
async fn transitive_members_are_flat_and_each_comes_once() {
    let bench = Bench::start().await;
    let (head, tail) = (bench.group("Project Ouroboros (head)"), bench.group("Project Ouroboros (tail)"));
    let user = bench.user(0);
    for group in [&head, &tail] {
        bench.change(json!({ "add_members": { "group": group, "members": [user] } }));
    }
    let direct = async |group: &str| {
        let list = bench.get(&format!("/groups/{group}/members")).await;
        ids(list.value()).into_iter().map(str::to_owned).collect::<HashSet<_>>()
    };
    let mut expected: HashSet<String> = direct(&head).await.union(&direct(&tail).await).cloned().collect();
    expected.remove(&head);
    let pages = bench.pages(&format!("/groups/{head}/transitiveMembers?$top=2")).await;
    let all: Vec<&str> = pages.iter().flat_map(|page| ids(page.value())).collect();
    assert_eq!(all.len(), expected.len(), "each once, though the groups contain each other");
    assert_eq!(all.into_iter().map(str::to_owned).collect::<HashSet<_>>(), expected);
    assert_eq!(pages[0].header("x-ms-resource-unit"), "4");
    let below =
        bench.get(&format!("/groups/{}/transitiveMembers?$top=999", bench.group("All Regions"))).await;
    let types: HashSet<&str> = below.value().iter().map(|member| text(member, "@odata.type")).collect();
    assert_eq!(types, HashSet::from(["#microsoft.graph.user", "#microsoft.graph.group"]));
}

#[tokio::test]
async fn a_cast_gives_one_type_and_needs_the_advanced_parameters_with_options() {
    let bench = Bench::start().await;
    let path = format!("/groups/{}/members", bench.group("Headquarters"));
    let users = bench.get(&format!("{path}/microsoft.graph.user")).await;
    assert_eq!(users.value().len(), 5);
    assert!(users.value().iter().all(|member| text(member, "@odata.type") == "#microsoft.graph.user"));
    let groups = bench.get(&format!("{path}/microsoft.graph.group")).await;
    assert_eq!(groups.value().len(), 1);
    let selected = format!("{path}/microsoft.graph.user?$select=id&$top=2");
    assert_eq!(bench.get(&selected).await.refusal(), (400, "Request_UnsupportedQuery"));
    assert_eq!(bench.get_eventual(&selected).await.status, 400, "the header alone is not enough");
    let page = bench.get_eventual(&format!("{selected}&$count=true")).await;
    assert_eq!((page.value().len(), &page.body["@odata.count"]), (2, &json!(5)));
    let next = page.link("@odata.nextLink").unwrap();
    assert!(next.contains("/members/microsoft.graph.user?"));
    assert_eq!(bench.get(&next).await.status, 400, "a link does not carry the header");
    assert_eq!(bench.get_eventual(&next).await.value().len(), 2);
}

#[tokio::test]
async fn members_are_counted_and_filtered_with_the_header_only() {
    let bench = Bench::start().await;
    let path = format!("/groups/{}/members", bench.group("All Employees"));
    assert_eq!(bench.get(&format!("{path}/$count")).await.refusal(), (400, "Request_BadRequest"));
    let total = bench.get_eventual(&format!("{path}/$count")).await.body.as_u64().unwrap();
    assert!(total > 40);
    assert_eq!(bench.get_eventual(&format!("{path}/microsoft.graph.group/$count")).await.body, 0);
    let filter = "$filter=accountEnabled%20eq%20false";
    let refused = bench.get(&format!("{path}?{filter}")).await;
    assert_eq!(refused.refusal(), (400, "Request_UnsupportedQuery"));
    let expected = "The specified filter to the reference property query is currently not supported.";
    assert_eq!(text(&refused.body["error"], "message"), expected);
    let disabled = bench.get_eventual(&format!("{path}?{filter}&$count=true&$select=id")).await;
    assert!(!disabled.value().is_empty() && (disabled.value().len() as u64) < total);
    let transitive =
        format!("/groups/{}/transitiveMembers/microsoft.graph.user/$count", bench.group("All Regions"));
    assert!(bench.get_eventual(&transitive).await.body.as_u64().unwrap() >= 5);
    assert_eq!(bench.get(&format!("{path}/microsoft.graph.device")).await.refusal(), (400, "BadRequest"));
}
