//! `$filter`, `$search`, `$orderby` and `$count` on lists.

use entra_sim::{Kind, Reference};
use serde_json::{Value, json};

use crate::support::{Answer, Bench, set, text};

const EXAMPLES: &str = include_str!("../../../odata-filter/tests/data/filter-examples.tsv");

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn message(answer: &Answer) -> &str {
    text(&answer.body["error"], "message")
}

#[tokio::test]
async fn a_filter_gives_the_users_it_takes_in_and_their_number() {
    let bench = Bench::start().await;
    let directory = bench.running.sim().directory();
    let matching = |wanted: &dyn Fn(&entra_sim::Object) -> bool| {
        directory.all(Kind::User).filter(|of| wanted(&directory.object(*of))).count()
    };
    let disabled = matching(&|user| user["accountEnabled"] == false);
    assert!(disabled > 2);
    let answer = bench.get("/users?$filter=accountEnabled%20eq%20false&$select=id,accountEnabled").await;
    assert_eq!(answer.value().len(), disabled);
    assert!(answer.value().iter().all(|user| user["accountEnabled"] == false));

    let alias = "/users?$select=id&$filter=proxyAddresses/any(p:p%20eq%20'smtp:front.desk@contoso.com')";
    assert_eq!(bench.get(alias).await.value().len(), 2);
    let count = bench.get_eventual("/users/$count?$filter=accountEnabled%20eq%20false").await;
    assert_eq!(count.body, disabled);
    let page =
        bench.get_eventual("/users?$filter=accountEnabled%20eq%20true&$count=true&$top=7&$select=id").await;
    assert_eq!((page.value().len(), &page.body["@odata.count"]), (7, &json!(60 - disabled)));
    assert_eq!(bench.get("/groups?$filter=mailEnabled%20eq%20false").await.value().len(), 6);
}

#[tokio::test]
async fn a_filtered_list_is_paged_with_the_filter_in_its_links() {
    let bench = Bench::start().await;
    let all = bench
        .pages("/users?$filter=startsWith(mail,'a')%20or%20accountEnabled%20eq%20true&$top=10&$select=id")
        .await;
    assert!(all.len() > 3);
    let next = all[0].link("@odata.nextLink").unwrap();
    assert!(next.contains("$filter=startsWith"), "{next}");
    let total: usize = all.iter().map(|page| page.value().len()).sum();
    let one =
        bench.get("/users?$filter=startsWith(mail,'a')%20or%20accountEnabled%20eq%20true&$top=999").await;
    assert_eq!(one.value().len(), total);
    assert!(all[..all.len() - 1].iter().all(|page| page.value().len() == 10));
}

#[tokio::test]
async fn an_advanced_filter_needs_both_parameters() {
    let bench = Bench::start().await;
    let filter = "$filter=companyName%20eq%20'Contoso%20Ltd'";
    for path in [format!("/users?{filter}"), format!("/users?{filter}&$count=true")] {
        let refused = bench.get(&path).await;
        assert_eq!(refused.refusal(), (400, "Request_UnsupportedQuery"));
        let expected = "Unsupported or invalid query filter clause specified for property 'companyName' of resource 'User'.";
        assert_eq!(message(&refused), expected);
    }
    assert_eq!(bench.get_eventual(&format!("/users?{filter}")).await.status, 400);
    let taken = bench.get_eventual(&format!("/users?{filter}&$count=true&$top=999")).await;
    assert!(taken.value().len() > 10);
    assert_eq!(taken.body["@odata.count"], taken.value().len());
    let default_only =
        "/users?$filter=identities/any(c:c/issuerAssignedId%20eq%20'a'%20and%20c/issuer%20eq%20'b')";
    assert_eq!(bench.get(default_only).await.status, 200);
    assert_eq!(bench.get_eventual(&format!("{default_only}&$count=true")).await.status, 400);
}

#[tokio::test]
async fn every_example_filter_gets_the_answer_it_is_known_for() {
    let bench = Bench::start().await;
    let group = bench.group("Headquarters");
    let mut asked = 0;
    for line in EXAMPLES.lines().skip(1).filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split('\t').collect();
        let (filter, expectation) = (cells[0], cells[1]);
        let path = match cells[4] {
            // `$expand` is not served at all.
            "users?$expand=manager" => continue,
            "groups/{id}/members" => format!("/groups/{group}/members"),
            set => format!("/{set}"),
        };
        let url = format!("{path}?$top=1&$select=id&$filter={}", encoded(filter));
        let plain = bench.get(&url).await;
        let advanced = if path.ends_with("delta") {
            bench.get(&url).await
        } else {
            bench.get_eventual(&format!("{url}&$count=true")).await
        };
        asked += 1;
        match expectation {
            "accepted_default" => assert_eq!(plain.status, 200, "{filter}: {}", plain.body),
            "accepted_advanced" => {
                assert_eq!((plain.status, advanced.status), (400, 200), "{filter}: {}", advanced.body);
            }
            _ => assert!(plain.status >= 400 && advanced.status >= 400, "{filter}"),
        }
    }
    assert_eq!(asked, 90);
}

#[tokio::test]
async fn a_list_is_sorted_by_what_its_engine_sorts_by() {
    let bench = Bench::start().await;
    let names = |pages: &[Answer], property: &str| -> Vec<String> {
        let values = pages.iter().flat_map(Answer::value).map(|user| text(user, property).to_lowercase());
        values.collect()
    };
    let pages = bench.pages("/users?$orderby=displayName&$top=25&$select=displayName").await;
    let up = names(&pages, "displayName");
    assert!(up.len() == 60 && up.is_sorted());
    let pages =
        bench.pages("/users?$orderby=userPrincipalName%20desc&$top=25&$select=userPrincipalName").await;
    let down = names(&pages, "userPrincipalName");
    assert!(down.len() == 60 && down.iter().rev().is_sorted());
    let by_date = "/users?$orderby=createdDateTime&$select=createdDateTime&$top=999";
    assert_eq!(bench.get(by_date).await.refusal(), (400, "Request_UnsupportedQuery"));
    let sorted = bench.get_eventual(&format!("{by_date}&$count=true")).await;
    assert!(names(&[sorted], "createdDateTime").is_sorted());

    let refused = bench.get("/users?$orderby=department").await;
    assert_eq!(refused.refusal(), (400, "Request_UnsupportedQuery"));
    assert_eq!(message(&refused), "An unsupported property was specified.");
    let both = "/users?$orderby=displayName&$filter=accountEnabled%20eq%20true&$select=displayName";
    assert_eq!(bench.get(both).await.refusal(), (400, "Request_UnsupportedQuery"));
    let both = bench.get_eventual(&format!("{both}&$count=true&$top=999")).await;
    assert!(both.body["@odata.count"] == both.value().len() && names(&[both], "displayName").is_sorted());
    let groups = bench.get("/groups?$orderby=displayName&$select=displayName").await;
    assert!(names(&[groups], "displayName").is_sorted());
}

#[tokio::test]
async fn search_compares_names_word_by_word_and_the_rest_from_the_beginning() {
    let bench = Bench::start().await;
    bench.change(set(
        &bench.user(0),
        json!({ "displayName": "Oscar van der Ward", "mail": "oscar@contoso.com" }),
    ));
    bench.change(set(
        &bench.user(1),
        json!({ "displayName": "Wardley, Ann-Xenia", "mail": "ann@contoso.com" }),
    ));
    let found = async |search: &str| -> Vec<String> {
        let answer = bench.get_eventual(&format!("/users?$select=id&$search={}", encoded(search))).await;
        answer.value().iter().map(|user: &Value| text(user, "id").to_owned()).collect()
    };
    let (oscar, ann) = (bench.user(0), bench.user(1));
    assert_eq!(found("\"displayName:ward\"").await, [oscar.clone(), ann.clone()]);
    assert_eq!(found("\"displayName:ward osc\"").await, [oscar.as_str()]);
    assert_eq!(found("\"displayName:xenia\"").await, [ann.as_str()]);
    assert!(found("\"displayName:scar\"").await.is_empty());
    assert_eq!(found("\"mail:OSCAR@\"").await, [oscar.as_str()]);
    assert!(found("\"mail:contoso\"").await.is_empty());
    assert_eq!(found("\"displayName:ward\" AND \"mail:ann\"").await, [ann.as_str()]);
    assert_eq!(found("\"mail:oscar@\" OR \"displayName:xenia\" AND \"mail:ann\"").await, [oscar, ann]);

    let without = bench.get("/users?$search=%22displayName:a%22").await;
    assert_eq!(without.refusal(), (400, "Request_UnsupportedQuery"));
    assert!(message(&without).contains("'ConsistencyLevel: eventual'"));
    let unquoted = bench.get_eventual("/users?$search=displayName:wa").await;
    assert_eq!(unquoted.refusal(), (400, "BadRequest"));
    assert_eq!(
        message(&unquoted),
        "Syntax error: character ':' is not valid at position 11 in 'displayName:wa'."
    );
    for wrong in
        ["%22displayName:a", "%22displayName:a%22%20or%20%22mail:b%22", "%22displayName:a%22%20OR%20"]
    {
        assert_eq!(bench.get_eventual(&format!("/users?$search={wrong}")).await.status, 400, "{wrong}");
    }
    let unknown = bench.get_eventual("/users?$search=%22department:a%22").await;
    assert_eq!(unknown.refusal(), (400, "Request_UnsupportedQuery"));
    let count = bench.get_eventual("/users/$count?$search=%22displayName:ward%22").await;
    assert_eq!(count.body, 2);
}

#[tokio::test]
async fn what_was_deleted_is_in_no_filtered_or_sorted_list() {
    let bench = Bench::start().await;
    let directory = bench.running.sim().directory();
    let name = text(&json!(*directory.object(Reference { kind: Kind::User, index: 0 })), "userPrincipalName")
        .to_owned();
    let filter = format!("/users?$filter=userPrincipalName%20eq%20'{name}'");
    assert_eq!(bench.get(&filter).await.value().len(), 1);
    bench.change(json!({ "delete": { "object": name } }));
    assert!(bench.get(&filter).await.value().is_empty());
    assert_eq!(bench.get("/users?$orderby=displayName&$top=999").await.value().len(), 59);
}
