//! Evaluations per second, and what one keystroke costs: `cargo bench -p odata-filter`.
//!
//! No framework: two loops, a clock and the median of several rounds are enough to see a change by a factor.

use std::{
    hint::black_box,
    io::Write as _,
    time::{Duration, Instant},
};

use odata_filter::{Filter, Node, Resource, check, complete, ldap};

const PEOPLE: usize = 100_000;
const ROUNDS: usize = 7;

fn main() -> std::io::Result<()> {
    let people: Vec<Node> = (0..PEOPLE).map(person).collect();
    let mut out = std::io::stdout().lock();
    for text in [
        "accountEnabled eq true",
        "accountEnabled eq true and department in ('Sales','Retail','Finance')",
        "userType eq 'Member' and not startsWith(displayName,'svc') and proxyAddresses/any(p:endsWith(p,'@contoso.com'))",
    ] {
        let filter = Filter::compile(Resource::Users, text).map_err(std::io::Error::other)?;
        let mut matched = 0;
        let time = median(|| matched = people.iter().filter(|person| filter.matches(*person)).count());
        let rate = PEOPLE as f64 / time.as_secs_f64();
        writeln!(
            out,
            "evaluate  {rate:>12.0} /s  {time:>9.2?} for {PEOPLE} people, {matched} match: {text}"
        )?;
    }
    let long = long_filter(1_000);
    for (name, work) in [
        ("check", Box::new(|text: &str| drop(black_box(check(Resource::Users, text)))) as Box<dyn Fn(&str)>),
        ("complete", Box::new(|text: &str| drop(black_box(complete(Resource::Users, text, text.len()))))),
        ("compile", Box::new(|text: &str| drop(black_box(Filter::compile(Resource::Users, text))))),
    ] {
        let time = median(|| work(&long));
        writeln!(out, "{name:<9} {time:>9.2?} at {} characters", long.len())?;
    }
    let ldap_filter = format!("(|{})", "(department=Sales*)".repeat(50));
    let time = median(|| drop(black_box(ldap::check(&ldap_filter))));
    writeln!(out, "ldap      {time:>9.2?} at {} characters", ldap_filter.len())
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times.get(ROUNDS / 2).copied().unwrap_or_default()
}

/// A filter of clauses of different kinds, at least `length` characters long.
fn long_filter(length: usize) -> String {
    let clauses = [
        "department eq 'Research and Development'",
        "startsWith(displayName,'Anna')",
        "proxyAddresses/any(p:endsWith(p,'@contoso.com'))",
        "companyName in ('Contoso','Fabrikam')",
        "createdDateTime ge 2024-01-31T00:00:00Z",
        "not (userType eq 'Guest')",
    ];
    let mut text = String::new();
    for clause in clauses.iter().cycle() {
        text.push_str(clause);
        if text.len() >= length {
            break;
        }
        text.push_str(" and ");
    }
    text
}

fn person(number: usize) -> Node {
    let text = |text: String| Node::Text(text);
    let member = |name: &str, value: Node| (name.to_owned(), value);
    let departments = ["Sales", "Research", "Finance", "Legal", "Support"];
    let department = departments.get(number % departments.len()).copied().unwrap_or_default();
    let addresses = vec![
        text(format!("SMTP:person{number}@contoso.com")),
        text(format!("smtp:p{number}@contoso.onmicrosoft.com")),
    ];
    Node::Record(vec![
        member("id", text(format!("{number:08x}-0000-0000-0000-000000000000"))),
        member("displayName", text(format!("Person {number}"))),
        member("userPrincipalName", text(format!("person{number}@contoso.com"))),
        member("mail", text(format!("person{number}@contoso.com"))),
        member("accountEnabled", Node::Bool(!number.is_multiple_of(10))),
        member("userType", text("Member".to_owned())),
        member("department", text(department.to_owned())),
        member("proxyAddresses", Node::List(addresses)),
    ])
}
