//! Throttling by resource units.

use entra_sim::Throttling;
use serde_json::json;
use time::Duration;

use crate::support::{Answer, Bench};

#[tokio::test]
async fn an_application_that_asks_too_much_is_told_when_to_come_back() {
    let bench = Bench::start().await;
    assert_eq!(bench.control("POST", "/throttling", Some(json!({ "units": 10 }))).await.status, 204);
    // A list without a selection costs 2, and a little leaks between two requests.
    let mut percentages = Vec::new();
    for _ in 0..5 {
        let answer = bench.get("/users").await;
        assert_eq!(answer.status, 200);
        percentages.push(answer.header("x-ms-throttle-limit-percentage").to_owned());
    }
    assert_eq!(percentages[..3], ["", "", ""]);
    let last: f64 = percentages[4].parse().unwrap();
    assert!((0.8..=1.0).contains(&last), "{last}");
    let refused = bench.get("/users").await;
    assert_eq!(refused.refusal(), (429, "TooManyRequests"));
    assert_eq!(refused.header("x-ms-throttle-information"), "ResourceUnitLimitExceeded");
    let scope =
        format!("Tenant_Application/ReadWrite/{}/{}", bench.running.client_id(), bench.running.tenant_id());
    assert_eq!(refused.header("x-ms-throttle-scope"), scope);
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    bench.running.sim().advance_clock(Duration::seconds(wait + 2));
    assert_eq!(bench.get("/users").await.status, 200);

    bench.control("DELETE", "/throttling", None).await;
    for _ in 0..12 {
        assert_eq!(bench.get("/users").await.status, 200);
    }
}

#[tokio::test]
async fn a_refusal_can_keep_the_time_to_itself_and_refused_requests_count() {
    let bench = Bench::start().await;
    bench.running.sim().set_throttling(Some(Throttling { units: Some(4), retry_after: false }));
    for status in [200, 200, 429, 429, 429, 429] {
        let answer = bench.get("/users").await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("retry-after"), "");
    }
    // Ten seconds empty a bucket that is full, but this one runs over.
    bench.running.sim().advance_clock(Duration::seconds(10));
    assert_eq!(bench.get("/users").await.status, 429);
    bench.running.sim().advance_clock(Duration::seconds(15));
    assert_eq!(bench.get("/users").await.status, 200);
}

#[tokio::test]
async fn low_priority_is_refused_first() {
    let bench = Bench::start().await;
    bench.running.sim().set_throttling(Some(Throttling { units: Some(10), retry_after: true }));
    for _ in 0..4 {
        bench.get("/users").await;
    }
    let request = bench.request("/users").await.header("x-ms-throttle-priority", "low");
    assert_eq!(Answer::of(request.send().await.unwrap()).await.status, 429);
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
