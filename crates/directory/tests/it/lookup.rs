//! Looking up one user: by id, by principal name, by address. "Not there" is only ever Graph's own word.

use directory::entra::{Problem, USER_SELECTION};
use domain::{address::Address, run::ObjectKind};
use serde_json::json;

use crate::{
    support::{Answer, Received, Server},
    tenant::{change, client, tenant, user},
};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn option(asked: &Received, name: &str) -> String {
    let query = asked.target.split_once('?').unwrap().1;
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
    found.map_or_else(String::new, |(_, value)| value.into_owned())
}

fn nobody() -> Answer {
    Answer::new(200, r#"{"value":[]}"#)
}

#[tokio::test]
async fn a_user_of_a_tenant_is_found_by_id_and_by_name_until_it_is_deleted() {
    let sim = tenant(25).await;
    let graph = client(&sim);
    let id = user(&sim, 0);
    change(
        &sim,
        json!({ "rename": { "object": id, "display_name": "Pat O'Neil", "address": "pat.o'neil@contoso.com" } }),
    );
    let found = graph.user(&id, USER_SELECTION).await.unwrap().unwrap();
    assert_eq!(
        (found.external_id.as_str(), found.display_name.as_deref()),
        (id.as_str(), Some("Pat O'Neil"))
    );
    assert_eq!(graph.user("Pat.O'Neil@contoso.com", USER_SELECTION).await.unwrap(), Some(found));
    for stranger in ["nobody@contoso.com", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(graph.user(stranger, USER_SELECTION).await.unwrap(), None, "{stranger}");
    }
    change(&sim, json!({ "delete": { "object": id } }));
    assert_eq!(graph.user(&id, USER_SELECTION).await.unwrap(), None);
}

#[tokio::test]
async fn of_many_ids_those_are_told_apart_that_the_tenant_has() {
    let sim = tenant(25).await;
    let graph = client(&sim);
    let all: Vec<String> = (0..25).map(|number| user(&sim, number)).collect();
    change(&sim, json!({ "delete": { "object": all[3] } }));
    let mut asked = all.clone();
    asked.extend((0..2_500).map(|number| format!("00000000-0000-0000-0000-{number:012}")));
    let before = graph.traffic().requests;
    let existing = graph.existing(ObjectKind::User, &asked).await.unwrap();
    assert_eq!(existing.len(), 24);
    assert!(!existing.contains(&all[3]) && existing.contains(&all[4]));
    // A token, and a request for each thousand.
    assert_eq!(graph.traffic().requests - before, 4);
    assert_eq!(graph.existing(ObjectKind::Group, &all).await.unwrap().len(), 0);
    assert!(graph.existing(ObjectKind::User, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_question_for_ids_that_is_not_answered_is_an_error() {
    let server = Server::playing([Answer::new(200, r#"{"value":[{"name":"no id"}]}"#)]).await;
    let error = server.client().existing(ObjectKind::User, &["1".to_owned()]).await.unwrap_err();
    assert!(matches!(error.problem, Problem::Unexpected { .. }), "{error:?}");
}

#[tokio::test]
async fn a_user_of_a_tenant_is_found_by_primary_alias_mail_and_name_whatever_their_case() {
    let sim = tenant(25).await;
    let graph = client(&sim);
    let add = |properties| change(&sim, json!({ "add_user": properties }));
    let proxied = add(json!({
        "userPrincipalName": "login@contoso.com", "mail": "Pat.O'Neil@Contoso.com",
        "proxyAddresses": ["SMTP:Pat.O'Neil@Contoso.com", "smtp:Alias@contoso.com", "SIP:sip@contoso.com"],
    }));
    let mailed = add(json!({ "userPrincipalName": "m@contoso.com", "mail": "only.mail@contoso.com" }));
    let named = add(json!({ "userPrincipalName": "only.name@contoso.com" }));
    for (asked, expected) in [
        ("pat.o'neil@contoso.com", Some(&proxied)),
        ("alias@contoso.com", Some(&proxied)),
        ("login@contoso.com", Some(&proxied)),
        ("only.mail@contoso.com", Some(&mailed)),
        ("only.name@contoso.com", Some(&named)),
        ("sip@contoso.com", None),
        ("nobody@contoso.com", None),
    ] {
        let found = graph.user_by_address(&address(asked), USER_SELECTION).await.unwrap();
        assert_eq!(found.map(|user| user.external_id).as_ref(), expected, "{asked}");
    }
}

#[tokio::test]
async fn an_address_longer_than_the_default_engine_compares_is_asked_of_the_advanced_one() {
    let sim = tenant(25).await;
    let long = format!("{}@{}.example", "a".repeat(64), "b".repeat(60));
    let id = change(
        &sim,
        json!({ "add_user": { "userPrincipalName": "x@contoso.com", "proxyAddresses": [format!("SMTP:{long}")] } }),
    );
    let found = client(&sim).user_by_address(&address(&long), USER_SELECTION).await.unwrap();
    assert_eq!(found.unwrap().external_id, id);
}

#[tokio::test]
async fn a_name_stays_one_segment_whatever_is_in_it() {
    let server = Server::start().await;
    server.play_forever(Answer::error(404, "Request_ResourceNotFound"));
    let graph = server.client();
    for name in ["a/../b", "..", "$x@contoso.com", "o'neil@contoso.com", "g_x#EXT#@contoso.com", "a?b%2F"] {
        assert_eq!(graph.user(name, "id").await.unwrap(), None);
    }
    let targets: Vec<_> = server.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(
        targets,
        [
            "/v1.0/users('a%2F..%2Fb')?$select=id",
            "/v1.0/users('..')?$select=id",
            "/v1.0/users('$x@contoso.com')?$select=id",
            "/v1.0/users('o''neil@contoso.com')?$select=id",
            "/v1.0/users('g_x%23EXT%23@contoso.com')?$select=id",
            "/v1.0/users('a%3Fb%252F')?$select=id",
        ]
    );
}

#[tokio::test]
async fn both_questions_are_asked_with_quotes_doubled_and_both_prefixes() {
    let server = Server::playing([nobody(), nobody()]).await;
    let found = server.client().user_by_address(&address("o'neil+x@contoso.com"), "id,mail").await.unwrap();
    assert_eq!(found, None);
    let asked = server.asked();
    let filters: Vec<_> = asked.iter().map(|asked| option(asked, "$filter")).collect();
    assert_eq!(
        filters,
        [
            "proxyAddresses/any(p:p eq 'smtp:o''neil+x@contoso.com') or proxyAddresses/any(p:p eq 'SMTP:o''neil+x@contoso.com')",
            "mail eq 'o''neil+x@contoso.com' or userPrincipalName eq 'o''neil+x@contoso.com'",
        ]
    );
    assert!(asked.iter().all(|asked| option(asked, "$select") == "id,mail"));
    assert!(asked.iter().all(|asked| asked.header("consistencylevel").is_empty()));
}

#[tokio::test]
async fn a_match_that_is_none_here_is_passed_over_and_an_empty_page_is_not_the_end() {
    let server = Server::start().await;
    let next = format!("{}/v1.0/users?$skiptoken=2", server.url);
    let page = r#"{"value":[{"id":"1","proxyAddresses":["smtp:other@contoso.com"]},{"id":"2","mail":"x@contoso.com","proxyAddresses":["smtp:Ada@Contoso.com"]}]}"#;
    server.play([
        Answer::new(200, format!(r#"{{"value":[],"@odata.nextLink":"{next}"}}"#)),
        Answer::new(200, page),
    ]);
    let found = server.client().user_by_address(&address("ada@contoso.com"), USER_SELECTION).await.unwrap();
    assert_eq!(found.unwrap().external_id, "2");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn among_several_the_mail_counts_more_than_the_name() {
    let both = r#"{"value":[{"id":"1","userPrincipalName":"ada@contoso.com","mail":"else@contoso.com"},
        {"id":"2","userPrincipalName":"x@contoso.com","proxyAddresses":["SMTP:x@contoso.com"],"mail":"Ada@contoso.com"}]}"#;
    let server = Server::playing([nobody(), Answer::new(200, both)]).await;
    let found = server.client().user_by_address(&address("ada@contoso.com"), USER_SELECTION).await.unwrap();
    assert_eq!(found.unwrap().external_id, "2");
}

#[tokio::test]
async fn an_answer_that_is_not_graphs_no_is_an_error() {
    let refusals = [
        (Answer::new(404, "<html>not here</html>"), Problem::NotFound),
        (Answer::error(404, "ResourceNotFound"), Problem::NotFound),
        (Answer::error(403, "Authorization_RequestDenied"), Problem::Denied),
    ];
    for (answer, problem) in refusals {
        let server = Server::start().await;
        server.play_forever(answer);
        let graph = server.client();
        assert_eq!(graph.user("x@contoso.com", "id").await.unwrap_err().problem, problem);
        let error = graph.user_by_address(&address("x@contoso.com"), "id").await.unwrap_err();
        assert_eq!(error.problem, problem);
    }
    let elsewhere = Server::start().await;
    let endless = |url: &str| {
        Answer::new(200, format!(r#"{{"value":[],"@odata.nextLink":"{url}/v1.0/users?$skiptoken=1"}}"#))
    };
    let unreadable = Answer::new(200, r#"{"value":[{"id":"1","mail":7}]}"#);
    let server = Server::start().await;
    for answer in [endless(&elsewhere.url), endless(&server.url), unreadable] {
        server.play_forever(answer);
        server.client().user_by_address(&address("x@contoso.com"), "id").await.unwrap_err();
    }
    assert!(elsewhere.asked().is_empty());
    for body in [r#"{"displayName":"no id"}"#, "[]", "5"] {
        server.play_forever(Answer::new(200, body));
        let error = server.client().user("x@contoso.com", "id").await.unwrap_err();
        assert!(matches!(error.problem, Problem::Unexpected { .. }), "{body}: {error:?}");
    }
    server.play([Answer::new(200, r#"{"id":"1","disp"#), Answer::new(200, r#"{"id":"1"}"#)]);
    assert_eq!(
        server.client().user("x", "id").await.unwrap().unwrap().external_id,
        "1",
        "a broken answer is read again"
    );
}
