//! What is repeated, how long, and what ends a read.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use directory::entra::{GraphError, PageLink, Patience, Problem, Unreachable};
use domain::Timestamp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{Answer, Hand, Server, client, client_at, quick};

fn first() -> PageLink {
    PageLink::First { select: "id".to_owned() }
}

async fn refusal(server: &Server) -> GraphError {
    server.client().users_page(&first()).await.unwrap_err()
}

#[tokio::test]
async fn a_passing_fault_is_repeated_until_it_passes() {
    let server = Server::playing([500, 502, 504].map(|status| Answer::error(status, "UnknownError"))).await;
    server.play([server.last_page()]);
    let graph = server.client();
    graph.users_page(&first()).await.unwrap();
    assert_eq!(server.asked().len(), 4);
    // The token request counts too.
    assert_eq!(graph.traffic().requests, 5);
    assert!(graph.traffic().bytes > 100, "{:?}", graph.traffic());
    assert_eq!(graph.traffic().throttled_ms, 0);
}

#[tokio::test]
async fn a_page_that_keeps_failing_ends_the_read() {
    let server = Server::start().await;
    server.play_forever(Answer::error(503, "serviceNotAvailable"));
    assert_eq!(refusal(&server).await.problem, Problem::Server { status: 503 });
    assert_eq!(server.asked().len(), 4, "one attempt and three repetitions");
}

#[tokio::test]
async fn a_page_that_keeps_failing_stays_within_its_budget_whatever_the_service_announces() {
    let server = Server::start().await;
    server.play_forever(Answer::error(503, "serviceNotAvailable").header("retry-after", "1"));
    let patience = Patience {
        pauses: vec![Duration::from_millis(1); 100],
        budget: Duration::from_millis(1_500),
        ..quick()
    };
    let began = Instant::now();
    let error = server.client().with_patience(patience).users_page(&first()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Server { status: 503 });
    assert_eq!(server.asked().len(), 2, "one repetition after the announced second");
    assert!(began.elapsed() < Duration::from_millis(1_500));
}

#[tokio::test]
async fn a_throttled_reader_waits_as_told_and_the_wait_is_counted_apart() {
    let server = Server::playing([Answer::error(429, "TooManyRequests").header("retry-after", "1")]).await;
    server.play([server.last_page()]);
    let graph = server.client().with_patience(Patience { budget: Duration::from_millis(500), ..quick() });
    let began = Instant::now();
    graph.users_page(&first()).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "waited for {:?}", began.elapsed());
    assert_eq!(graph.traffic().throttled_ms, 1_000);
}

#[tokio::test]
async fn announced_waiting_is_bounded_over_all_requests_of_a_client() {
    let throttle = || Answer::error(429, "TooManyRequests").header("retry-after", "1");
    let server = Server::playing([throttle(), throttle(), throttle()]).await;
    let graph = server.client();
    let error = graph.users_page(&first()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Throttled { retry_after: Some(1) });
    assert_eq!(graph.traffic().throttled_ms, 2_000);
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_wait_longer_than_allowed_is_not_begun() {
    let server = Server::playing([Answer::error(429, "TooManyRequests").header("retry-after", "3600")]).await;
    let began = Instant::now();
    let error = refusal(&server).await;
    assert_eq!(error.problem, Problem::Throttled { retry_after: Some(3_600) });
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn throttling_without_a_wait_is_repeated_like_any_fault() {
    let server = Server::start().await;
    server.play_forever(Answer::error(429, "TooManyRequests"));
    assert_eq!(refusal(&server).await.problem, Problem::Throttled { retry_after: None });
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once() {
    let server = Server::playing([Answer::error(401, "InvalidAuthenticationToken")]).await;
    server.play([server.last_page()]);
    server.play_tokens([Answer::token("one"), Answer::token("two")]);
    server.client().users_page(&first()).await.unwrap();
    let bearers: Vec<_> =
        server.asked().iter().map(|asked| asked.header("authorization").to_owned()).collect();
    assert_eq!(bearers, ["Bearer one", "Bearer two"]);
}

#[tokio::test]
async fn a_second_rejection_is_final() {
    let server = Server::start().await;
    server.play_forever(Answer::error(401, "InvalidAuthenticationToken"));
    assert_eq!(refusal(&server).await.problem, Problem::Unauthorized);
    assert_eq!((server.asked().len(), server.tokens_asked().len()), (2, 2));
}

#[tokio::test]
async fn a_missing_permission_is_final_and_the_remedy_speaks_of_consent() {
    let server = Server::playing([Answer::error(403, "Authorization_RequestDenied")]).await;
    let error = refusal(&server).await;
    assert_eq!(error.problem, Problem::Denied);
    assert!(error.remedy().contains("15 minutes"), "{}", error.remedy());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_forgotten_position_asks_for_a_new_read_in_every_spelling() {
    for (status, code) in [(400, "syncStateNotFound"), (410, "SyncStateNotFound"), (400, "ResyncRequired")] {
        let server = Server::playing([Answer::error(status, code)]).await;
        let link = PageLink::Next(format!("{}/v1.0/users/delta?$skiptoken=old", server.url));
        let error = server.client().users_page(&link).await.unwrap_err();
        assert!(error.is_resync(), "{status} {code}: {error:?}");
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_refused_request_is_not_repeated() {
    for (status, code) in [
        (400, "Request_BadRequest"),
        (405, "Request_BadRequest"),
        (404, "Request_ResourceNotFound"),
        (501, "NotImplemented"),
    ] {
        let server = Server::playing([Answer::error(status, code)]).await;
        let error = refusal(&server).await;
        assert_eq!(
            (error.trace.status, error.trace.codes.as_slice()),
            (Some(status), [code.to_owned()].as_slice())
        );
        assert_eq!(server.asked().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_web_page_in_place_of_an_answer_is_repeated_and_then_named() {
    let server = Server::start().await;
    server.play_forever(Answer::new(200, "<!DOCTYPE html><title>Sign in to the network</title>"));
    let error = refusal(&server).await;
    assert_eq!(error.problem, Problem::NotJson { html: true });
    assert_eq!(server.asked().len(), 4);
    assert!(
        !format!("{error:?} {} {}", error.headline(), error.detail()).contains("Sign in"),
        "a raw body is repeated"
    );
}

#[tokio::test]
async fn json_that_breaks_off_is_read_again() {
    let server = Server::playing([Answer::new(200, r#"{"value":[{"id":"1"},{"id"#)]).await;
    server.play([server.page(&["1", "2"], "deltaLink", "d")]);
    let page = server.client().users_page(&first()).await.unwrap();
    assert_eq!(page.users.len(), 2);
}

#[tokio::test]
async fn a_connection_that_breaks_within_the_body_is_made_again() {
    let server = Server::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let graph_url = format!("http://{}", listener.local_addr().unwrap());
    let whole = format!(r#"{{"value":[],"@odata.deltaLink":"{graph_url}/d"}}"#);
    tokio::spawn(async move {
        for part in [&whole[..10], &whole] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4_096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", whole.len());
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(part.as_bytes()).await.unwrap();
        }
    });
    let endpoints = directory::entra::Endpoints::parse(&server.url, &graph_url).unwrap();
    let graph = client(endpoints);
    graph.users_page(&first()).await.unwrap();
    assert_eq!(graph.traffic().requests, 3, "a token, a broken page and a whole one");
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_given_up_within_the_budget() {
    let server = Server::start().await;
    server.play_forever(server.last_page().after(Duration::from_secs(20)));
    let graph = server.client().with_patience(Patience { budget: Duration::from_millis(400), ..quick() });
    graph.token().await.unwrap();
    let began = Instant::now();
    let error = graph.users_page(&first()).await.unwrap_err();
    assert!(matches!(error.problem, Problem::Unreachable { why: Unreachable::Timeout, .. }), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_named_with_its_host() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let graph = client(directory::entra::Endpoints::parse(&url, &url).unwrap());
    let error = graph.token().await.unwrap_err();
    assert_eq!(
        error.problem,
        Problem::Unreachable { host: "127.0.0.1".to_owned(), why: Unreachable::Connect }
    );
    assert_eq!(graph.traffic().requests, 4);
}

#[tokio::test]
async fn a_host_without_an_address_is_named() {
    let url = "https://login.does-not-exist.invalid";
    let graph = client(directory::entra::Endpoints::parse(url, url).unwrap());
    let error = graph.token().await.unwrap_err();
    assert!(matches!(error.problem, Problem::Unreachable { why: Unreachable::Name, .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_a_secret_or_a_token() {
    let elsewhere = Server::start().await;
    let redirect = |path: &str| Answer::new(307, "").header("location", format!("{}{path}", elsewhere.url));
    let server = Server::playing([redirect("/v1.0/users/delta")]).await;
    let graph = server.client();
    assert!(matches!(graph.users_page(&first()).await.unwrap_err().problem, Problem::Unexpected { .. }));
    server.play_tokens([redirect("/t/token")]);
    graph.token().await.unwrap_err();
    assert!(elsewhere.asked().is_empty() && elsewhere.tokens_asked().is_empty());
}

#[tokio::test]
async fn a_token_is_kept_for_its_life_and_renewed_before_its_end() {
    let server = Server::start().await;
    server.play_forever(server.last_page());
    let clock = Arc::new(Hand::default());
    let graph = client_at(server.endpoints(), Arc::clone(&clock));
    for _ in 0..3 {
        graph.users_page(&first()).await.unwrap();
    }
    assert_eq!(server.tokens_asked().len(), 1);
    clock.0.fetch_add(55 * Timestamp::MINUTE, Ordering::Relaxed);
    graph.users_page(&first()).await.unwrap();
    assert_eq!(server.tokens_asked().len(), 2);
}

#[tokio::test]
async fn tasks_that_need_a_token_at_once_ask_for_one() {
    let server = Server::start().await;
    server.play_forever(server.last_page());
    let graph = Arc::new(server.client());
    let tasks = [(), ()].map(|()| {
        let graph = Arc::clone(&graph);
        tokio::spawn(async move { graph.users_page(&first()).await })
    });
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(server.tokens_asked().len(), 1);
}

#[tokio::test]
async fn a_passing_fault_of_the_login_endpoint_is_repeated_and_a_wrong_secret_is_not() {
    let refusal = |error: &str, code: u32| {
        Answer::new(
            400,
            format!(r#"{{"error":"{error}","error_description":"AADSTS{code}: x","error_codes":[{code}]}}"#),
        )
    };
    let server = Server::start().await;
    server.play_tokens([
        refusal("temporarily_unavailable", 90033),
        refusal("invalid_grant", 90055),
        Answer::new(503, ""),
    ]);
    server.client().token().await.unwrap();
    assert_eq!(server.tokens_asked().len(), 4);

    let server = Server::start().await;
    server.play_tokens([refusal("invalid_client", 7_000_215)]);
    let error = server.client().token().await.unwrap_err();
    assert_eq!(error.problem, Problem::Token { code: Some(7_000_215), error: "invalid_client".to_owned() });
    assert_eq!(server.tokens_asked().len(), 1);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let server = Server::start().await;
    server.play_forever(Answer::new(200, vec![b' '; 64 * 1_024 * 1_024 + 1]));
    assert_eq!(refusal(&server).await.problem, Problem::TooLarge);
    assert_eq!(server.asked().len(), 1);
}
