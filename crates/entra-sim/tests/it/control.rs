//! The control API.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Bench, text};

#[tokio::test]
async fn the_state_has_what_a_client_needs_to_sign_in() {
    let bench = Bench::start().await;
    let state = bench.control("GET", "/state", None).await.body;
    assert_eq!(text(&state["tenant"], "id"), bench.running.tenant_id());
    assert_eq!(text(&state["tenant"], "domain"), "contoso.onmicrosoft.com");
    assert_eq!((&state["tenant"]["users"], &state["tenant"]["groups"]), (&json!(60), &json!(12)));
    assert_eq!(text(&state, "client_id"), bench.running.client_id());
    assert_eq!(text(&state["secrets"][0], "value"), bench.running.client_secret());
    assert_eq!(state["secrets"][0]["expired"], false);
    assert_eq!(state["roles"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_graph_route_fails_as_often_as_asked_and_others_do_not() {
    let bench = Bench::start().await;
    let fault = json!({ "route": "/users/delta", "status": 429, "code": "TooManyRequests", "message": "Slow down.",
        "retry_after": 3, "times": 2 });
    assert_eq!(bench.control("POST", "/graph-error", Some(fault)).await.status, 204);
    assert_eq!(bench.get("/users").await.status, 200);
    for path in ["/users/delta", "/users/delta()"] {
        let answer = bench.get(path).await;
        assert_eq!(answer.refusal(), (429, "TooManyRequests"));
        assert_eq!(
            (answer.header("retry-after"), text(&answer.body["error"], "message")),
            ("3", "Slow down.")
        );
    }
    assert_eq!(bench.get("/users/delta").await.status, 200);

    let all = json!({ "route": "/groups*", "status": 503, "code": "serviceNotAvailable" });
    bench.control("POST", "/graph-error", Some(all)).await;
    for path in ["/groups", "/groups/delta", "/groups"] {
        assert_eq!(bench.get(path).await.refusal(), (503, "serviceNotAvailable"));
    }
    bench.control("DELETE", "/graph-error", None).await;
    assert_eq!(bench.get("/groups").await.status, 200);
    let success = json!({ "route": "/users", "status": 200, "code": "x" });
    assert_eq!(bench.control("POST", "/graph-error", Some(success)).await.status, 400);
}

#[tokio::test]
async fn the_log_has_each_request_of_login_and_graph_in_order() {
    let bench = Bench::start().await;
    bench.get("/users?$top=2").await;
    bench.get("/users/nobody").await;
    let log = bench.control("GET", "/requests", None).await.body;
    assert_eq!(log["total"], 4);
    let shown: Vec<(String, u64)> = log["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one: &Value| {
            (format!("{} {}", text(one, "method"), text(one, "path")), one["status"].as_u64().unwrap())
        })
        .collect();
    let token = format!("POST /{}/oauth2/v2.0/token", bench.running.tenant_id());
    let expected = [
        (token.clone(), 200),
        ("GET /v1.0/users".to_owned(), 200),
        (token, 200),
        ("GET /v1.0/users/nobody".to_owned(), 404),
    ];
    assert_eq!(shown, expected);
    assert_eq!(log["requests"][1]["query"], "$top=2");
    bench.control("DELETE", "/requests", None).await;
    assert_eq!(bench.control("GET", "/requests", None).await.body["total"], 0);
}

#[tokio::test]
async fn latency_delays_each_answer() {
    let bench = Bench::start().await;
    bench.control("POST", "/latency", Some(json!({ "ms": 120 }))).await;
    let start = Instant::now();
    bench.token().await;
    assert!(start.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn a_body_with_an_unknown_name_is_refused() {
    let bench = Bench::start().await;
    assert!(bench.control("POST", "/latency", Some(json!({ "ms": 1, "x": 2 }))).await.status >= 400);
    assert!(bench.control("POST", "/reset", Some(json!({ "people": 2 }))).await.status >= 400);
}

#[tokio::test]
async fn only_loopback_addresses_are_listened_on() {
    let options = entra_sim::Options { listen: "0.0.0.0:0".parse().unwrap(), ..Default::default() };
    let error = entra_sim::Sim::start(options).await.unwrap_err();
    assert!(error.to_string().starts_with("0.0.0.0:0 is not a loopback address"));
}

#[tokio::test]
async fn a_stopped_simulator_frees_its_address() {
    let bench = Bench::start().await;
    let address = bench.running.url().trim_start_matches("http://").to_owned();
    bench.running.stop().await;
    std::net::TcpListener::bind(address).unwrap();
}
