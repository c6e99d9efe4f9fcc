//! Every documented or reported filter of `data/filter-examples.tsv` gets Graph's verdict and Graph's words.

use odata_filter::{Endpoint, Report, Resource, Verdict, check_at};

const TABLE: &str = include_str!("../data/filter-examples.tsv");

/// Messages of the table that Graph worded otherwise when they were reported; today's wording stands beside.
/// The verdicts are asserted all the same.
const REWORDED: [(&str, &str); 6] = [
    // 2021 and 2023 wordings of one refusal.
    (
        "Request_UnsupportedQuery: Unsupported property filter clause operator 'NotEqualsMatch'.",
        "Request_UnsupportedQuery: Filter operator 'NotEqualsMatch' is not supported.",
    ),
    (
        "Request_UnsupportedQuery: Unsupported property filter clause operator 'Contains'.",
        "Request_UnsupportedQuery: Operator: 'Contains' is not supported.",
    ),
    // v1.0 had no signInActivity in 2020; it is `lt` that is refused today.
    (
        "BadRequest: Could not find a property named 'signInActivity' on type 'microsoft.graph.user'.",
        "Request_UnsupportedQuery: Unsupported Query.",
    ),
    // The report did not quote the code.
    (
        "BadRequest or Request_UnsupportedQuery (code not quoted): The type of the value doesn't match",
        "Request_UnsupportedQuery: The type of the value doesn't match",
    ),
    ("BadRequest: Invalid filter clause (inferred: collection operand)", "BadRequest: Invalid filter clause"),
    ("Request_UnsupportedQuery (text not quoted)", "Request_UnsupportedQuery"),
];

struct Row {
    filter: &'static str,
    verdict: Verdict,
    /// Graph's words when refused, or when sent without the advanced parameters; may be empty.
    message: &'static str,
    resource: Resource,
    endpoint: Endpoint,
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().skip(1).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let (resource, endpoint) = match cells[4] {
                "users" => (Resource::Users, Endpoint::List),
                "groups" => (Resource::Groups, Endpoint::List),
                "users/delta" => (Resource::Users, Endpoint::Delta),
                "groups/{id}/members" => (Resource::Users, Endpoint::Members),
                "users?$expand=manager" => (Resource::Users, Endpoint::Expanded),
                other => panic!("unknown resource {other}"),
            };
            let verdict = match cells[1] {
                "accepted_default" => Verdict::Accepted,
                "accepted_advanced" => Verdict::AcceptedAdvanced,
                "rejected" => Verdict::Rejected,
                other => panic!("unknown expectation {other}"),
            };
            Row { filter: cells[0], verdict, message: cells[2], resource, endpoint }
        })
        .collect()
}

/// The words are right when one of the engines gives them: the reports rarely say which one was asked.
fn says(report: &Report, message: &str) -> bool {
    let reworded = REWORDED.iter().find_map(|(old, new)| message.starts_with(old).then_some(*new));
    let expected = reworded.unwrap_or(message);
    let engines = [&report.default_engine, &report.advanced_engine];
    engines
        .into_iter()
        .flatten()
        .any(|problem| format!("{}: {}", problem.code.as_str(), problem.message).starts_with(expected))
}

#[test]
fn every_example_gets_graphs_verdict_and_message() {
    let rows = rows();
    assert_eq!(rows.len(), 91, "the table has lost or gained rows");
    let mut failures = Vec::new();
    for row in &rows {
        let report = check_at(row.resource, row.endpoint, row.filter);
        if report.verdict != row.verdict {
            failures.push(format!(
                "{}\n  is {:?}, should be {:?}: {:?}",
                row.filter, report.verdict, row.verdict, report.problem
            ));
        } else if !row.message.is_empty() && !says(&report, row.message) {
            failures.push(format!(
                "{}\n  says {:?}\n  and  {:?}\n  not  {}",
                row.filter, report.default_engine, report.advanced_engine, row.message
            ));
        }
    }
    assert!(failures.is_empty(), "{} of {} rows:\n{}", failures.len(), rows.len(), failures.join("\n"));
}
