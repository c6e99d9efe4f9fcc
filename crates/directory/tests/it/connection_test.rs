//! The Test against written answers: what a simulated tenant does not do.

use directory::entra::check::{MirrorCounts, connection_test};
use domain::check::{StepResult, TestReport};

use crate::support::{Answer, Server, mirror};

fn result(report: &TestReport, title: &str) -> StepResult {
    report.steps.iter().find(|step| step.title == title).unwrap().result
}

fn users() -> Answer {
    Answer::new(200, r#"{"value":[{"id":"1"}]}"#)
}

fn organisation() -> Answer {
    Answer::new(
        200,
        r#"{"value":[{"id":"t","displayName":"Contoso","verifiedDomains":[{"name":"contoso.com"}]}]}"#,
    )
}

#[tokio::test]
async fn a_filter_that_graph_rejects_fails_the_test_with_its_words() {
    let server =
        Server::playing([users(), users(), organisation(), Answer::error(400, "Request_UnsupportedQuery")])
            .await;
    let report = connection_test(&server.client(), Some(("contains(displayName,'x')", false)), None).await;
    assert!(!report.passed);
    assert!(!report.consent_pending);
    let step = report.steps.iter().find(|step| step.title == "Custom filter accepted").unwrap();
    assert_eq!(step.result, StepResult::Failed);
    assert!(step.detail.contains("words of Request_UnsupportedQuery"), "{}", step.detail);
    assert!(step.remedy.as_deref().unwrap().contains("custom filter"), "{step:?}");
}

#[tokio::test]
async fn a_filter_that_matches_nobody_is_accepted_with_a_warning() {
    let none = Answer::new(200, r#"{"@odata.count":0,"value":[]}"#);
    let server = Server::playing([users(), users(), organisation(), none]).await;
    let report = connection_test(&server.client(), Some(("department ne 'x'", true)), None).await;
    assert!(report.passed);
    assert_eq!(result(&report, "Custom filter accepted"), StepResult::Warning);
}

#[tokio::test]
async fn an_organisation_that_may_not_be_read_is_only_a_warning_and_offers_a_retry() {
    let server = Server::playing([users(), users(), Answer::error(403, "Authorization_RequestDenied")]).await;
    let report = connection_test(&server.client(), None, None).await;
    assert!(report.passed && report.consent_pending);
    assert_eq!(result(&report, "Organisation"), StepResult::Warning);
    assert_eq!(report.organisation, None);
}

#[tokio::test]
async fn a_token_that_does_not_tell_its_permissions_leaves_them_unchecked() {
    let server = Server::playing([users(), users(), organisation()]).await;
    server.play_tokens([Answer::token("opaque")]);
    let report = connection_test(&server.client(), None, None).await;
    assert!(report.passed, "{report:?}");
    assert_eq!(result(&report, "Permission User.Read.All"), StepResult::Skipped);
}

#[tokio::test]
async fn counts_that_lie_apart_are_a_warning_and_near_ones_pass() {
    for (counted, expected) in
        [("1000", StepResult::Passed), ("1009", StepResult::Passed), ("1200", StepResult::Warning)]
    {
        let server = Server::playing([users(), users(), organisation(), Answer::new(200, counted)]).await;
        let report = connection_test(&server.client(), None, mirror(1_000)).await;
        assert!(report.passed);
        assert_eq!(result(&report, "Number of users"), expected, "{counted}");
    }
}

#[tokio::test]
async fn whom_a_filter_matches_is_counted_on_both_sides_and_a_difference_is_a_warning() {
    let matching = |matching| Some(MirrorCounts { people: 1_000, matching });
    for (counted, expected) in
        [("200", StepResult::Passed), ("204", StepResult::Passed), ("150", StepResult::Warning)]
    {
        let advanced = Answer::new(200, format!(r#"{{"@odata.count":{counted},"value":[{{"id":"1"}}]}}"#));
        let total = || Answer::new(200, "1000");
        // Graph counts an advanced filter as it accepts it; a plain one it is asked for once more.
        let server = Server::playing([users(), users(), organisation(), advanced.clone(), total()]).await;
        let report =
            connection_test(&server.client(), Some(("department ne 'x'", true)), matching(Some(200))).await;
        assert_eq!(result(&report, "Number of users who match the filter"), expected, "{counted}");
        let server = Server::playing([users(), users(), organisation(), users(), advanced, total()]).await;
        let report =
            connection_test(&server.client(), Some(("department eq 'x'", false)), matching(Some(200))).await;
        assert_eq!(result(&report, "Number of users who match the filter"), expected, "{counted}");
        assert!(report.passed, "a difference is no failure");
    }
    // Nothing is compared with what the mirror does not know.
    let server = Server::playing([users(), users(), organisation(), users(), Answer::new(200, "1000")]).await;
    let report = connection_test(&server.client(), Some(("department eq 'x'", false)), matching(None)).await;
    assert!(
        report.steps.iter().all(|step| step.title != "Number of users who match the filter"),
        "{report:?}"
    );
}
