//! What is asked, what is read, and which links are followed.

use std::collections::HashSet;

use directory::entra::{NextOrDelta, PageLink, Problem, USER_SELECTION};
use domain::run::NoticeKind;

use crate::support::{Answer, SECRET, Server};

const MEMBERS: &[u8] = include_bytes!("../data/recorded/group-members.json");

#[tokio::test]
async fn the_first_page_is_asked_for_with_the_selection_and_the_next_one_by_its_link_unchanged() {
    let server = Server::start().await;
    let query = "$skiptoken=aB-_%2B%2f&x=%C3%A9";
    server.play([server.page(&["1"], "nextLink", query), server.page(&["2"], "deltaLink", "$deltatoken=t")]);
    let graph = server.client();
    let page = graph.users_page(&PageLink::First { select: USER_SELECTION.to_owned() }).await.unwrap();
    let NextOrDelta::Next(next) = page.next else { panic!("{page:?}") };
    let page = graph.users_page(&PageLink::Next(next)).await.unwrap();
    assert_eq!(page.next, NextOrDelta::Delta(format!("{}/v1.0/users/delta?$deltatoken=t", server.url)));
    let targets: Vec<_> = server.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(
        targets,
        [format!("/v1.0/users/delta?$select={USER_SELECTION}"), format!("/v1.0/users/delta?{query}")]
    );
}

#[tokio::test]
async fn every_request_has_an_id_of_its_own() {
    let server = Server::playing([Answer::error(503, "x")]).await;
    server.play([server.last_page()]);
    server.client().users_page(&PageLink::First { select: "id".to_owned() }).await.unwrap();
    let ids: HashSet<_> = server
        .asked()
        .iter()
        .chain(&server.tokens_asked())
        .map(|asked| asked.header("client-request-id").to_owned())
        .collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(ids.iter().all(|id| domain::settings::is_guid(id)), "{ids:?}");
}

#[tokio::test]
async fn a_token_is_asked_for_in_the_form_of_the_contract() {
    let server = Server::start().await;
    server.client().token().await.unwrap();
    let asked = server.tokens_asked().remove(0);
    assert_eq!(
        (asked.method.as_str(), asked.target.as_str()),
        ("POST", "/contoso.onmicrosoft.com/oauth2/v2.0/token")
    );
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    let form: Vec<_> = url::form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        form,
        [
            ("client_id", "11111111-2222-3333-4444-555555555555"),
            ("scope", "https://graph.microsoft.com/.default"),
            ("client_secret", SECRET),
            ("grant_type", "client_credentials"),
        ]
    );
}

#[tokio::test]
async fn a_link_to_another_host_is_neither_followed_nor_handed_on() {
    let elsewhere = Server::start().await;
    let foreign = format!("{}/v1.0/users/delta?$skiptoken=x", elsewhere.url);
    let server =
        Server::playing([Answer::new(200, format!(r#"{{"value":[],"@odata.nextLink":"{foreign}"}}"#))]).await;
    let graph = server.client();
    let received = graph.users_page(&PageLink::First { select: "id".to_owned() }).await.unwrap_err();
    assert_eq!(received.problem, Problem::ForeignLink { origin: elsewhere.url.clone() });
    let with_user = format!("http://user@{}/v1.0/users/delta", server.url.trim_start_matches("http://"));
    for link in [foreign, with_user, "file:///etc/passwd".to_owned(), server.url.replace("http", "https")] {
        let error = graph.users_page(&PageLink::Next(link.clone())).await.unwrap_err();
        assert!(matches!(error.problem, Problem::ForeignLink { .. }), "{link}: {error:?}");
    }
    assert!(graph.users_page(&PageLink::Next("no link".to_owned())).await.is_err());
    assert!(elsewhere.asked().is_empty());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_page_that_names_itself_as_the_next_one_is_refused() {
    let server = Server::start().await;
    server.play_forever(server.page(&[], "nextLink", "$skiptoken=same"));
    let link = PageLink::Next(format!("{}/v1.0/users/delta?$skiptoken=same", server.url));
    assert!(matches!(
        server.client().users_page(&link).await.unwrap_err().problem,
        Problem::Unexpected { .. }
    ));
}

#[tokio::test]
async fn a_quiet_delta_round_may_end_with_the_link_that_was_asked() {
    let server = Server::start().await;
    server.play([server.last_page()]);
    let link = format!("{}/v1.0/users/delta?$deltatoken=d", server.url);
    let page = server.client().users_page(&PageLink::Next(link.clone())).await.unwrap();
    assert_eq!(page.next, NextOrDelta::Delta(link));
}

#[tokio::test]
async fn a_delta_read_gives_way_to_other_requests_and_asks_for_whole_objects() {
    let server = Server::start().await;
    server.play_forever(server.last_page());
    let graph = server.client();
    for at in [
        PageLink::First { select: "id".to_owned() },
        PageLink::Next(format!("{}/v1.0/users/delta?$deltatoken=d", server.url)),
    ] {
        graph.users_page(&at).await.unwrap();
        graph.groups_page(&at).await.unwrap();
    }
    graph.users_readable().await.unwrap();
    let asked = server.asked();
    let priorities: Vec<_> = asked.iter().map(|asked| asked.header("x-ms-throttle-priority")).collect();
    assert_eq!(priorities, ["Low", "Low", "Low", "Low", ""]);
    assert!(asked.iter().all(|asked| asked.header("prefer").is_empty()));
}

#[tokio::test]
async fn requests_one_after_another_share_a_connection() {
    let server = Server::start().await;
    server.play([Answer::error(503, "x")]);
    server.play_forever(server.last_page());
    let graph = server.client();
    for _ in 0..5 {
        graph.users_page(&PageLink::First { select: "id".to_owned() }).await.unwrap();
    }
    assert_eq!(graph.traffic().requests, 7);
    assert_eq!(server.connections.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test]
async fn objects_that_cannot_be_read_are_told_and_the_others_come() {
    let server = Server::start().await;
    let body = format!(
        r#"{{"value":[{{"id":"1","displayName":"<script>"}},{{"id":"2","displayName":7}},{{"id":"3","displayName":"N\u0000UL"}},
            {{"displayName":"nobody"}},{{"id":"5","@removed":{{"reason":"deleted"}}}}],"@odata.deltaLink":"{}/d"}}"#,
        server.url
    );
    server.play([Answer::new(200, body)]);
    let page = server.client().users_page(&PageLink::First { select: "id".to_owned() }).await.unwrap();
    let names: Vec<_> = page.users.iter().filter_map(|user| user.display_name.as_deref()).collect();
    assert_eq!(names, ["<script>", "NUL"]);
    let told: Vec<_> =
        page.unreadable.iter().map(|notice| (notice.kind, notice.external_id.as_str())).collect();
    assert_eq!(told, [(NoticeKind::Unreadable, "2"), (NoticeKind::Unreadable, "")]);
    assert_eq!(page.changed_values.len(), 1);
    assert_eq!(page.removed, ["5"]);
}

#[tokio::test]
async fn the_recorded_members_are_an_answer_of_users() {
    let server = Server::playing([Answer::new(200, MEMBERS)]).await;
    assert_eq!(server.client().users_readable().await.unwrap(), 19);
}

#[tokio::test]
async fn the_organisation_names_its_default_domain_first() {
    let body = r#"{"value":[{"id":"t","displayName":"Contoso","verifiedDomains":[
        {"name":"contoso.onmicrosoft.com","isInitial":true,"isDefault":false},{"name":"contoso.com","isDefault":true}]}]}"#;
    let server = Server::playing([Answer::new(200, body)]).await;
    let organisation = server.client().organisation().await.unwrap();
    assert_eq!((organisation.id.as_str(), organisation.display_name.as_str()), ("t", "Contoso"));
    assert_eq!(organisation.domains, ["contoso.com", "contoso.onmicrosoft.com"]);
    assert_eq!(server.asked()[0].target, "/v1.0/organization?$select=id,displayName,verifiedDomains");
}

#[tokio::test]
async fn a_count_is_asked_of_the_advanced_engine_and_read_after_a_byte_order_mark() {
    let server = Server::playing([Answer::new(200, "\u{feff}1234")]).await;
    assert_eq!(server.client().count_users().await.unwrap(), 1_234);
    assert_eq!(server.asked()[0].target, "/v1.0/users/$count");
    assert_eq!(server.asked()[0].header("consistencylevel"), "eventual");
}

#[tokio::test]
async fn a_filter_reaches_graph_as_it_was_written() {
    let filter = "department eq 'R&D #1+2%' and displayName ne 'O''Brien é'";
    let count = r#"{"@odata.count":17,"value":[{"id":"1"}]}"#;
    let server =
        Server::playing([Answer::new(200, count), Answer::new(200, r#"{"value":[{"id":"1"}]}"#)]).await;
    let graph = server.client();
    assert_eq!(graph.filter_accepted(filter, true).await.unwrap(), 17);
    assert_eq!(graph.filter_accepted(filter, false).await.unwrap(), 1);
    let options: Vec<Vec<(String, String)>> = server
        .asked()
        .iter()
        .map(|asked| {
            let query = asked.target.split_once('?').unwrap().1;
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
        })
        .collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let plain = vec![pair("$filter", filter), pair("$top", "1"), pair("$select", "id")];
    let advanced = [plain.clone(), vec![pair("$count", "true")]].concat();
    assert_eq!(options, [advanced, plain]);
    let levels: Vec<_> =
        server.asked().iter().map(|asked| asked.header("consistencylevel").to_owned()).collect();
    assert_eq!(levels, ["eventual", ""]);
}
