//! Against a whole simulated tenant: a read to the delta link, and the Test with what administrators get wrong.

use std::{collections::HashSet, net::Ipv4Addr};

use directory::entra::{
    Credentials, Http, NextOrDelta, PageLink, Problem, USER_SELECTION, Unreachable, check::connection_test,
};
use domain::{
    Secret,
    check::{StepResult, TestReport},
};
use entra_sim::{GraphFault, Options, Sim, Tls};

use crate::support::mirror;
use crate::tenant::{client, client_as, credentials, tenant};

fn results(report: &TestReport) -> Vec<(&str, StepResult)> {
    report.steps.iter().map(|step| (step.title.as_str(), step.result)).collect()
}

#[tokio::test]
async fn a_thousand_users_are_read_to_the_delta_link() {
    let sim = tenant(1_000).await;
    let graph = client(&sim);
    let mut at = PageLink::First { select: USER_SELECTION.to_owned() };
    let (mut ids, mut usable, mut pages, mut unreadable) = (HashSet::new(), 0, 0, 0);
    loop {
        let page = graph.users_page(&at).await.unwrap();
        pages += 1;
        unreadable += page.unreadable.len();
        for user in page.users {
            let attributes: serde_json::Value = serde_json::from_str(&user.attributes).unwrap();
            assert!(attributes.as_object().unwrap().keys().all(|name| !name.contains('@')), "{attributes}");
            assert!(!user.attributes.contains("\\u0000"), "{attributes}");
            usable += usize::from(domain::address::Addresses::of(&user).is_some());
            ids.insert(user.external_id);
        }
        match page.next {
            NextOrDelta::Next(link) => at = PageLink::Next(link),
            NextOrDelta::Delta(_) => break,
        }
    }
    assert_eq!((ids.len(), unreadable), (1_000, 0));
    assert!(usable > 800, "{usable} users have an address");
    assert!(pages >= 5, "{pages} pages");
    assert_eq!(graph.traffic().requests, pages + 1);
    assert_eq!(sim.sim().requests().total, pages + 1);
}

#[tokio::test]
async fn the_test_of_a_tenant_that_is_set_up_as_in_the_guide_passes() {
    let sim = tenant(25).await;
    let report = connection_test(&client(&sim), None, mirror(25)).await;
    assert!(report.passed && !report.consent_pending, "{report:?}");
    assert!(results(&report).iter().all(|(_, result)| *result == StepResult::Passed), "{report:?}");
    let titles: Vec<_> = results(&report).into_iter().map(|(title, _)| title).collect();
    assert_eq!(
        titles,
        [
            "Token issued",
            "Permission Directory.Read.All",
            "Permission Group.Read.All",
            "Permission GroupMember.Read.All",
            "Permission User.Read.All",
            "No write permission",
            "Users readable",
            "Groups readable",
            "Organisation",
            "Number of users",
        ]
    );
    let organisation = report.organisation.unwrap();
    assert_eq!(organisation.id, sim.tenant_id());
    assert!(organisation.domains.contains(&sim.tenant_domain()), "{organisation:?}");
}

#[tokio::test]
async fn a_wrong_secret_fails_the_test_with_its_remedy_and_skips_the_rest() {
    let sim = tenant(25).await;
    let wrong = Credentials { client_secret: Secret::new("wrong"), ..credentials(&sim) };
    let graph = client_as(sim.url(), &Http::new(None).unwrap(), wrong);
    let report = connection_test(&graph, Some(("accountEnabled eq true", false)), mirror(25)).await;
    assert!(!report.passed && !report.consent_pending);
    let first = &report.steps[0];
    assert_eq!(first.result, StepResult::Failed);
    assert!(first.remedy.as_deref().unwrap().contains("Value"), "{first:?}");
    assert!(first.technical.as_deref().unwrap().contains("AADSTS7000215"), "{first:?}");
    assert_eq!(report.steps.len(), 11);
    assert!(results(&report)[1..].iter().all(|(_, result)| *result == StepResult::Skipped), "{report:?}");
    let body = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<TestReport>(&body).unwrap(), report);
}

#[tokio::test]
async fn an_expired_secret_and_a_wrong_tenant_are_told_apart() {
    let sim = tenant(25).await;
    let secret = &sim.sim().secrets()[0];
    assert!(sim.sim().expire_secret(&secret.key_id));
    let error = client(&sim).token().await.unwrap_err();
    assert!(matches!(error.problem, Problem::Token { code: Some(7_000_222), .. }), "{error:?}");
    let elsewhere = Credentials { tenant: "fabrikam.example".to_owned(), ..credentials(&sim) };
    let error = client_as(sim.url(), &Http::new(None).unwrap(), elsewhere).token().await.unwrap_err();
    assert!(matches!(error.problem, Problem::Token { code: Some(90002), .. }), "{error:?}");
}

#[tokio::test]
async fn missing_consent_fails_the_test_and_offers_a_retry() {
    let sim = tenant(25).await;
    sim.sim().set_roles(Vec::<String>::new());
    let report = connection_test(&client(&sim), None, None).await;
    assert!(!report.passed && report.consent_pending, "{report:?}");
    let failed = results(&report).iter().filter(|(_, result)| *result == StepResult::Failed).count();
    assert_eq!(failed, 6, "four permissions, users and groups: {report:?}");
    sim.sim().set_roles(entra_sim::DEFAULT_ROLES.iter().copied());
    assert!(connection_test(&client(&sim), None, None).await.passed, "the consent has arrived");
}

#[tokio::test]
async fn permissions_that_cover_each_other_pass_with_warnings() {
    let sim = tenant(25).await;
    sim.sim().set_roles(["User.Read.All", "GroupMember.Read.All"]);
    let report = connection_test(&client(&sim), None, None).await;
    assert!(report.passed, "{report:?}");
    let of = |title: &str| results(&report).into_iter().find(|(known, _)| *known == title).unwrap().1;
    assert_eq!(of("Permission Group.Read.All"), StepResult::Warning);
    assert_eq!(of("Permission Directory.Read.All"), StepResult::Warning);
    assert_eq!(of("Organisation"), StepResult::Warning);
}

#[tokio::test]
async fn a_throttled_page_is_waited_for() {
    let sim = tenant(25).await;
    sim.sim().fail_graph(GraphFault {
        route: "/users/delta".to_owned(),
        status: 429,
        code: "TooManyRequests".to_owned(),
        message: String::new(),
        retry_after: Some(1),
        times: Some(1),
    });
    let graph = client(&sim);
    graph.users_page(&PageLink::First { select: "id".to_owned() }).await.unwrap();
    assert_eq!(graph.traffic().throttled_ms, 1_000);
}

#[tokio::test]
async fn a_private_certificate_authority_is_trusted_when_it_is_handed_in_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls { listen: (Ipv4Addr::LOCALHOST, 0).into(), dir: folder.path().to_owned() };
    let sim = Sim::start(Options { tls: Some(tls), ..Options::default() }).await.unwrap();
    let url = sim.https_url().unwrap();
    let authority = std::fs::read(folder.path().join("ca.pem")).unwrap();
    let trusting = client_as(url, &Http::new(Some(&authority)).unwrap(), credentials(&sim));
    trusting.users_page(&PageLink::First { select: "id".to_owned() }).await.unwrap();
    let stranger = client_as(url, &Http::new(None).unwrap(), credentials(&sim));
    let error = stranger.token().await.unwrap_err();
    assert!(matches!(error.problem, Problem::Unreachable { why: Unreachable::Certificate, .. }), "{error:?}");
    assert_eq!(stranger.traffic().requests, 1, "a certificate does not become right by repeating");
}
