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

/// The body of an answer as far as it came, and whether it came to its end.
async fn body_of(bench: &Bench, path: &str) -> (String, bool) {
    let answer = bench.request(path).await.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut answer = answer;
    let mut body = Vec::new();
    loop {
        match tokio::time::timeout(Duration::from_millis(300), answer.chunk()).await {
            Ok(Ok(Some(_))) if body.len() > 1 << 20 => return (String::new(), false),
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
            Ok(Ok(None)) => return (String::from_utf8(body).unwrap(), true),
            Ok(Err(_)) | Err(_) => return (String::from_utf8(body).unwrap(), false),
        }
    }
}

#[tokio::test]
async fn an_answer_is_damaged_when_its_turn_has_come() {
    let bench = Bench::start().await;
    let whole = body_of(&bench, "/users?$top=4").await.0;
    let damage = async |damage: &str| {
        bench.control("DELETE", "/faults", None).await;
        let answer = json!({ "route": "/users", "damage": damage });
        assert_eq!(bench.control("POST", "/damage", Some(answer)).await.status, 204);
        body_of(&bench, "/users?$top=4").await
    };
    assert_eq!(damage("no_body").await, (String::new(), true));
    for (name, ends) in [("truncated", true), ("stalled", false), ("reset", false)] {
        assert_eq!(damage(name).await, (whole[..whole.len() / 2].to_owned(), ends), "{name}");
    }
    assert!(damage("html").await.0.starts_with("<!DOCTYPE html>"));
    assert_eq!(damage("endless").await, (String::new(), false));

    let ids = |body: &str| -> Vec<String> {
        let page: Value = serde_json::from_str(body).unwrap();
        page["value"].as_array().unwrap().iter().map(|object| text(object, "id").to_owned()).collect()
    };
    let all = ids(&whole);
    let [one, two, three, four] = all.clone().try_into().unwrap();
    assert_eq!(ids(&damage("emptied").await.0), Vec::<String>::new());
    assert_eq!(ids(&damage("halved").await.0), [one.clone(), three.clone()]);
    assert_eq!(ids(&damage("reversed").await.0), [four.clone(), three.clone(), two.clone(), one.clone()]);
    assert_eq!(ids(&damage("doubled").await.0)[..4], [one.clone(), one, two.clone(), two]);
    let stranger: Value = serde_json::from_str(&damage("stranger_removed").await.0).unwrap();
    assert_eq!(stranger["value"][4]["@removed"]["reason"], "deleted");
    let wrong: Value = serde_json::from_str(&damage("wrong_type").await.0).unwrap();
    assert_eq!(wrong["value"][0]["displayName"], 42);
    let circle: Value = serde_json::from_str(&damage("self_link").await.0).unwrap();
    assert!(text(&circle, "@odata.nextLink").ends_with("/v1.0/users?$top=4"), "{circle}");

    // After one whole answer, one that is refused, and no more.
    bench.control("DELETE", "/faults", None).await;
    let answer = json!({ "route": "/users", "damage": "unauthorized", "after": 1, "times": 1 });
    bench.control("POST", "/damage", Some(answer)).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(bench.get("/users").await.status);
    }
    assert_eq!(statuses, [200, 401, 200]);
}

#[tokio::test]
async fn several_faults_are_switched_at_once_and_ended_at_once() {
    let bench = Bench::start().await;
    let faults = json!([
        { "graph_error": { "route": "/groups", "status": 503, "code": "serviceNotAvailable" } },
        { "damage": { "route": "/users", "damage": "html" } },
        { "delta_habits": { "replays": true } },
    ]);
    assert_eq!(bench.control("POST", "/faults", Some(faults)).await.status, 204);
    assert_eq!(bench.get("/groups").await.status, 503);
    assert!(bench.get("/users").await.body.is_string());
    assert!(bench.running.sim().delta_habits().replays);
    assert_eq!(bench.control("DELETE", "/faults", None).await.status, 204);
    assert_eq!(bench.get("/groups").await.status, 200);
    assert_eq!(bench.get("/users").await.value().len(), 60);
    assert!(!bench.running.sim().delta_habits().replays);
    for refused in [
        json!([{ "token_error": { "code": 50034 } }]),
        json!([{ "graph_error": { "route": "/users", "status": 200, "code": "x" } }]),
    ] {
        assert_eq!(bench.control("POST", "/faults", Some(refused)).await.status, 400);
    }
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
