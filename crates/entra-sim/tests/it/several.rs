//! Objects by ids, and the recycle bin.

use std::collections::HashSet;

use serde_json::{Value, json};
use time::Duration;

use crate::support::{Bench, ids, text};

#[tokio::test]
async fn objects_are_had_by_their_ids_and_what_is_not_there_is_left_out() {
    let bench = Bench::start().await;
    let (one, other, group) = (bench.user(5), bench.user(1), bench.group("Headquarters"));
    let gone = bench.user(2);
    bench.change(json!({ "delete": { "object": gone } }));
    let unknown = "00000000-0000-4000-8000-000000000000";
    let wanted = json!({ "ids": [one, other, one.to_uppercase(), group, gone, unknown] });
    let found = bench.post("/directoryObjects/getByIds", wanted.clone()).await;
    let got: HashSet<&str> = ids(found.value()).into_iter().collect();
    assert_eq!(got, HashSet::from([one.as_str(), &other, &group]));
    assert_eq!(found.value().len(), 3);
    assert_ne!(ids(found.value()), [one.as_str(), &other, &group], "the order is not that of the request");
    assert!(found.value().iter().all(|object| text(object, "@odata.type").starts_with("#microsoft.graph.")));

    let mut users = wanted;
    users["types"] = json!(["user"]);
    let users = bench.post("/directoryObjects/getByIds", users).await;
    assert_eq!(users.value().len(), 2);
    let many: Vec<Value> = (0..1001).map(|_| json!(unknown)).collect();
    let many = bench.post("/directoryObjects/getByIds", json!({ "ids": many })).await;
    assert_eq!(many.refusal(), (400, "Request_BadRequest"));
    assert_eq!(bench.post("/directoryObjects/getByIds", json!({})).await.refusal(), (400, "BadRequest"));
    bench.running.sim().set_roles(["Mail.Read"]);
    let denied = bench.post("/directoryObjects/getByIds", json!({ "ids": [one] })).await;
    assert_eq!(denied.refusal(), (403, "Authorization_RequestDenied"));
}

#[tokio::test]
async fn the_recycle_bin_has_the_date_is_paged_and_sorted_by_it() {
    let bench = Bench::start().await;
    for index in [4, 2, 9] {
        bench.change(json!({ "delete": { "object": bench.user(index) } }));
        bench.running.sim().advance_clock(Duration::minutes(5));
    }
    let path = "/directory/deletedItems/microsoft.graph.user";
    let pages = bench.pages(&format!("{path}?$top=2")).await;
    assert_eq!(pages.len(), 2);
    let all: Vec<&str> = pages.iter().flat_map(|page| ids(page.value())).collect();
    assert_eq!(all, [bench.user(4), bench.user(2), bench.user(9)]);
    assert!(text(&pages[0].value()[0], "deletedDateTime").ends_with('Z'));

    let newest = format!("{path}?$orderby=deletedDateTime%20desc&$select=id,deletedDateTime");
    assert_eq!(bench.get(&newest).await.refusal(), (400, "Request_UnsupportedQuery"));
    let newest = bench.get_eventual(&format!("{newest}&$count=true")).await;
    assert_eq!(ids(newest.value()), [bench.user(9), bench.user(2), bench.user(4)]);
    assert_eq!(newest.body["@odata.count"], 3);
    assert_eq!(bench.get_eventual(&format!("{path}/$count")).await.body, 3);
    assert_eq!(bench.get("/directory/deletedItems").await.refusal(), (400, "BadRequest"));
    bench.running.sim().set_roles(["GroupMember.Read.All"]);
    assert_eq!(bench.get(path).await.refusal(), (403, "Authorization_RequestDenied"));
    assert_eq!(bench.get("/directory/deletedItems/microsoft.graph.group").await.status, 200);
}
