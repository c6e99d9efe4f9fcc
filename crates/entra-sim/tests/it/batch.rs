//! `$batch`.

use entra_sim::GraphFault;
use serde_json::{Value, json};

use crate::support::{Answer, Bench, text};

fn item<'a>(answer: &'a Answer, id: &str) -> &'a Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let responses = answer.body["responses"].as_array().unwrap();
    responses.iter().find(|response| response["id"] == id).unwrap()
}

fn get(id: &str, url: &str) -> Value {
    json!({ "id": id, "method": "GET", "url": url })
}

#[tokio::test]
async fn each_request_has_its_own_answer_in_another_order() {
    let bench = Bench::start().await;
    let counted = json!({ "id": "c", "method": "GET", "url": "/users/$count", "headers": { "ConsistencyLevel": "eventual" } });
    let wanted = json!({ "id": "p", "method": "POST", "url": "/directoryObjects/getByIds",
        "headers": { "Content-Type": "application/json" }, "body": { "ids": [bench.user(0)] } });
    let requests = json!([get("a", "/users?$select=id&$top=2"), get("b", "groups/nothing"), counted, wanted]);
    let answer = bench.post("/$batch", json!({ "requests": requests })).await;
    let order: Vec<&str> =
        answer.body["responses"].as_array().unwrap().iter().map(|one| text(one, "id")).collect();
    assert_eq!(order, ["p", "c", "b", "a"]);
    let users = item(&answer, "a");
    assert_eq!((&users["status"], users["body"]["value"].as_array().unwrap().len()), (&json!(200), 2));
    assert!(text(&users["headers"], "Content-Type").starts_with("application/json"));
    let next = text(&users["body"], "@odata.nextLink");
    assert!(next.starts_with(&format!("{}/v1.0/users?", bench.running.url())), "{next}");
    assert_eq!(bench.get(next).await.value().len(), 2);
    assert_eq!(item(&answer, "b")["status"], 400);
    assert_eq!(text(&item(&answer, "b")["body"]["error"], "code"), "Request_BadRequest");
    assert_eq!(item(&answer, "c")["body"], 60);
    assert_eq!(item(&answer, "p")["body"]["value"][0]["id"], bench.user(0));
}

#[tokio::test]
async fn a_batch_that_makes_no_sense_is_refused_as_a_whole() {
    let bench = Bench::start().await;
    let many =
        |count: usize| (0..count).map(|id| get(&id.to_string(), "/users?$top=1")).collect::<Vec<Value>>();
    for (requests, why) in [
        (many(21), "more than twenty"),
        (Vec::new(), "none"),
        (vec![get("a", "/users"), get("A", "/groups")], "ids differ by case only"),
        (
            vec![json!({ "id": "1", "method": "GET", "url": "/users", "dependsOn": ["2"] })],
            "unknown dependency",
        ),
        (vec![json!({ "id": "1", "method": "GET", "url": "/users", "body": {} })], "a body without a type"),
    ] {
        let answer = bench.post("/$batch", json!({ "requests": requests })).await;
        assert_eq!(answer.refusal(), (400, "BadRequest"), "{why}");
    }
    assert_eq!(bench.post("/$batch", json!({ "request": [] })).await.refusal(), (400, "BadRequest"));
    assert_eq!(bench.get("/$batch").await.refusal(), (405, "Request_BadRequest"));
    let full = bench.post("/$batch", json!({ "requests": many(20) })).await;
    assert!(full.body["responses"].as_array().unwrap().iter().all(|one| one["status"] == 200));
    let nested = bench.post("/$batch", json!({ "requests": [get("1", "/$batch")] })).await;
    assert_eq!(item(&nested, "1")["status"], 400);
}

#[tokio::test]
async fn what_depends_on_a_failure_is_not_tried() {
    let bench = Bench::start().await;
    let after = |id: &str, needed: &str| json!({ "id": id, "method": "GET", "url": "/groups?$top=1", "dependsOn": [needed] });
    let requests = json!([
        get("1", "/users?$top=1"),
        after("2", "1"),
        get("3", "/users/nobody"),
        after("4", "3"),
        after("5", "4")
    ]);
    let answer = bench.post("/$batch", json!({ "requests": requests })).await;
    let statuses = ["1", "2", "3", "4", "5"].map(|id| item(&answer, id)["status"].as_u64().unwrap());
    assert_eq!(statuses, [200, 200, 404, 424, 424]);
    assert_eq!(text(&item(&answer, "4")["body"]["error"], "code"), "FailedDependency");
}

#[tokio::test]
async fn one_request_of_a_batch_can_be_throttled() {
    let bench = Bench::start().await;
    bench.running.sim().fail_graph(GraphFault {
        route: "/groups".to_owned(),
        status: 429,
        code: "TooManyRequests".to_owned(),
        message: String::new(),
        retry_after: Some(7),
        times: Some(1),
    });
    let requests = json!([get("1", "/users?$top=1"), get("2", "/groups"), get("3", "/groups")]);
    let answer = bench.post("/$batch", json!({ "requests": requests })).await;
    assert_eq!((&item(&answer, "1")["status"], &item(&answer, "3")["status"]), (&json!(200), &json!(200)));
    let throttled = item(&answer, "2");
    assert_eq!((&throttled["status"], text(&throttled["headers"], "Retry-After")), (&json!(429), "7"));
}

#[tokio::test]
async fn a_filter_may_be_longer_inside_a_batch_than_an_address_can_be() {
    let bench = Bench::start().await;
    let clauses: Vec<String> =
        (0..60).map(|number| format!("companyName eq 'A company of some name {number}'")).collect();
    let query: String = url::form_urlencoded::byte_serialize(clauses.join(" or ").as_bytes()).collect();
    let path = format!("/users?$count=true&$filter={query}");
    assert_eq!(bench.get_eventual(&path).await.refusal(), (414, "BadRequest"));
    let one =
        json!({ "id": "1", "method": "GET", "url": path, "headers": { "ConsistencyLevel": "eventual" } });
    let answer = bench.post("/$batch", json!({ "requests": [one] })).await;
    assert_eq!(item(&answer, "1")["status"], 200, "{}", answer.body);
}
