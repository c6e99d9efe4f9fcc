//! Throttling by resource units, over the wire. What the bucket counts is proved beside it, with a clock that
//! stands still; here the machine's time passes, so the tests ask until they are refused.

use entra_sim::Throttling;
use serde_json::json;
use time::Duration;

use crate::support::{Answer, Bench};

/// Lists users, for 2 units each, until that is refused; gives up after a hundred times.
async fn until_refused(bench: &Bench) -> Answer {
    let mut answer = bench.get("/users").await;
    for _ in 0..100 {
        if answer.status != 200 {
            break;
        }
        answer = bench.get("/users").await;
    }
    answer
}

#[tokio::test]
async fn an_application_that_asks_too_much_is_told_when_to_come_back() {
    let bench = Bench::start().await;
    assert_eq!(bench.control("POST", "/throttling", Some(json!({ "units": 4 }))).await.status, 204);
    let refused = until_refused(&bench).await;
    assert_eq!(refused.refusal(), (429, "TooManyRequests"));
    assert_eq!(refused.header("x-ms-throttle-information"), "ResourceUnitLimitExceeded");
    let (application, tenant) = (bench.running.client_id(), bench.running.tenant_id());
    let scope = format!("Tenant_Application/ReadWrite/{application}/{tenant}");
    assert_eq!(refused.header("x-ms-throttle-scope"), scope);
    let share: f64 = refused.header("x-ms-throttle-limit-percentage").parse().unwrap();
    assert!((1.0..=1.8).contains(&share), "{share}");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    bench.running.sim().advance_clock(Duration::seconds(wait + 5));
    let answer = bench.get("/users?$top=5&$select=id").await;
    assert_eq!((answer.status, answer.header("x-ms-resource-unit")), (200, "1"));

    assert_eq!(until_refused(&bench).await.status, 429);
    bench.control("DELETE", "/throttling", None).await;
    for _ in 0..6 {
        assert_eq!(bench.get("/users").await.status, 200);
    }
}

#[tokio::test]
async fn a_refusal_can_keep_the_time_to_itself() {
    let bench = Bench::start().await;
    bench.running.sim().set_throttling(Some(Throttling { units: Some(4), retry_after: false }));
    let refused = until_refused(&bench).await;
    assert_eq!((refused.status, refused.headers.get("retry-after")), (429, None));
}

#[tokio::test]
async fn low_priority_is_refused_first() {
    let bench = Bench::start().await;
    // Two units of two are the limit, and more than four fifths of it.
    bench.running.sim().set_throttling(Some(Throttling { units: Some(2), retry_after: true }));
    let request = bench.request("/users").await.header("x-ms-throttle-priority", "low");
    assert_eq!(Answer::of(request.send().await.unwrap()).await.status, 429);
    bench.running.sim().advance_clock(Duration::seconds(10));
    let answer = bench.get("/users").await;
    assert_eq!((answer.status, answer.header("x-ms-throttle-limit-percentage")), (200, "1.00"));
}

#[tokio::test]
async fn each_request_of_a_batch_is_charged() {
    let bench = Bench::start().await;
    bench.running.sim().set_throttling(Some(Throttling { units: Some(5), retry_after: true }));
    let requests: Vec<_> =
        (0..4).map(|id| json!({ "id": id.to_string(), "method": "GET", "url": "/users" })).collect();
    let answer = bench.post("/$batch", json!({ "requests": requests })).await;
    assert_eq!(answer.status, 200);
    let mut statuses: Vec<u64> = answer.body["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_u64().unwrap())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 429, 429]);
}
