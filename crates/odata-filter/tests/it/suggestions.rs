//! Corrections and completions.

use odata_filter::{Fix, ItemKind, Problem, Resource, Verdict, check, complete};

/// The filter after its corrections, one at a time, until it is accepted.
fn mended(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..6 {
        let report = check(Resource::Users, &text);
        let fix = report.problem.as_ref().and_then(|problem| problem.fix.as_ref());
        match fix {
            Some(fix) if report.verdict == Verdict::Rejected => text = fix.apply(&text),
            _ => break,
        }
    }
    text
}

#[test]
fn usual_mistakes_are_mended_to_an_accepted_filter() {
    let cases = [
        ("departmnet eq 'x'", "department eq 'x'"),
        ("email eq 'x'", "mail eq 'x'"),
        ("department = 'x'", "department eq 'x'"),
        ("department == 'x'", "department eq 'x'"),
        ("department -eq 'x'", "department eq 'x'"),
        ("department != 'x'", "department ne 'x'"),
        ("department <> 'x'", "department ne 'x'"),
        ("city eq 'x' && state eq 'y'", "city eq 'x' and state eq 'y'"),
        ("city eq 'x' || city eq 'y'", "city eq 'x' or city eq 'y'"),
        ("city eq 'x' -and state -eq 'y'", "city eq 'x' and state eq 'y'"),
        ("city eq 'x' , state eq 'y'", "city eq 'x' and state eq 'y'"),
        ("city eq 'x' state eq 'y'", "city eq 'x' and state eq 'y'"),
        ("city eq “x”", "city eq 'x'"),
        ("city eq ‘x’ or city eq ‘y’", "city eq 'x' or city eq 'y'"),
        ("city eq \"O'Hara\"", "city eq 'O''Hara'"),
        ("city eq 'x", "city eq 'x'"),
        ("surname eq 'O'Brien'", "surname eq 'O''Brien'"),
        ("city eq Paris", "city eq 'Paris'"),
        ("employeeId eq 5", "employeeId eq '5'"),
        ("accountEnabled eq True", "accountEnabled eq true"),
        ("accountEnabled eq 'TRUE'", "accountEnabled eq true"),
        ("city eq Null", "city eq null"),
        ("accountEnabled", "accountEnabled eq true"),
        (
            "assignedLicenses/any(x:x/skuId eq 'c42b9cae-ea4f-4ab7-9717-81576235ccac')",
            "assignedLicenses/any(x:x/skuId eq c42b9cae-ea4f-4ab7-9717-81576235ccac)",
        ),
        ("id eq c42b9cae-ea4f-4ab7-9717-81576235ccac", "id eq 'c42b9cae-ea4f-4ab7-9717-81576235ccac'"),
        ("createdDateTime ge '2024-01-31'", "createdDateTime ge 2024-01-31T00:00:00Z"),
        ("createdDateTime ge 2024-01-31", "createdDateTime ge 2024-01-31T00:00:00Z"),
        ("createdDateTime gt 2024-01-31T00:00:00Z", "createdDateTime ge 2024-01-31T00:00:00Z"),
        ("proxyAddresses eq 'smtp:a'", "proxyAddresses/any(x:x eq 'smtp:a')"),
        ("startsWith(proxyAddresses,'smtp:a')", "proxyAddresses/any(x:startsWith(x,'smtp:a'))"),
        ("assignedLicenses ne null", "assignedLicenses/$count ne 0"),
        ("assignedLicenses/$count gt 0", "assignedLicenses/$count ne 0"),
        ("assignedLicenses/any()", "assignedLicenses/$count ne 0"),
        ("startsWith('A',displayName)", "startsWith(displayName,'A')"),
        ("startsWith (displayName,'A')", "startsWith(displayName,'A')"),
        ("startsWith(displayName,'A') eq true", "startsWith(displayName,'A')"),
        ("'Paris' eq city", "city eq 'Paris'"),
        ("city in 'x'", "city in ('x')"),
        ("(city eq 'x'", "(city eq 'x')"),
        ("city eq 'x')", "city eq 'x'"),
        (
            "assignedLicenses/any(x:x/skuIdd eq c42b9cae-ea4f-4ab7-9717-81576235ccac)",
            "assignedLicenses/any(x:x/skuId eq c42b9cae-ea4f-4ab7-9717-81576235ccac)",
        ),
    ];
    for (wrong, right) in cases {
        assert_eq!(mended(wrong), right, "{wrong}: {:?}", check(Resource::Users, wrong).problem);
        assert_ne!(check(Resource::Users, right).verdict, Verdict::Rejected, "{right}");
        let first: Option<Problem> = check(Resource::Users, wrong).problem;
        assert!(first.is_some_and(|problem| problem.hint.is_some()), "{wrong} comes with advice");
    }
}

#[test]
fn a_fix_is_applied_at_its_place() {
    let fix = Fix { span: odata_filter::Span::new(2, 3), replacement: "xyz".into() };
    assert_eq!(fix.apply("abcd"), "abxyzd");
}

/// The suggestions at `|`.
fn at(marked: &str) -> odata_filter::Completions {
    let cursor = marked.find('|').unwrap();
    complete(Resource::Users, &marked.replace('|', ""), cursor)
}

fn texts(marked: &str) -> Vec<String> {
    at(marked).items.into_iter().map(|item| item.text).collect()
}

fn offers(marked: &str, wanted: &[&str], unwanted: &[&str]) {
    let found = texts(marked);
    for text in wanted {
        assert!(found.iter().any(|item| item == text), "{marked} offers {text}: {found:?}");
    }
    for text in unwanted {
        assert!(found.iter().all(|item| item != text), "{marked} does not offer {text}: {found:?}");
    }
}

#[test]
fn a_condition_begins_with_a_property_a_function_or_not() {
    for place in ["|", "city eq 'x' and |", "(|", "not |", "not (|"] {
        offers(
            place,
            &["department", "proxyAddresses", "startsWith(", "not", "("],
            &["birthday", "eq", "and"],
        );
    }
}

#[test]
fn a_prefix_narrows_the_list_and_is_what_gets_replaced() {
    assert_eq!(texts("dep|")[0], "department");
    let found = at("city eq 'x' and dep|ment eq");
    assert_eq!((found.span.start, found.span.end), (16, 23));
}

#[test]
fn operators_are_those_of_the_property() {
    offers("accountEnabled |", &["eq", "ne", "in"], &["ge", "le", "/"]);
    offers("createdDateTime |", &["eq", "ge", "le", "ne"], &[]);
    offers("proxyAddresses|", &["proxyAddresses"], &[]);
    offers("proxyAddresses |", &["/"], &["eq"]);
    offers("proxyAddresses/|", &["any(", "$count"], &["eq"]);
    offers("proxyAddresses/$count |", &["eq", "ne"], &["ge", "in"]);
    let ne = at("accountEnabled n|").items.into_iter().find(|item| item.text == "ne").unwrap();
    assert!(ne.advanced && ne.kind == ItemKind::Operator);
}

#[test]
fn values_suit_the_type_and_name_their_property() {
    offers("accountEnabled eq |", &["true", "false"], &["null", "'"]);
    offers("onPremisesSyncEnabled eq |", &["true", "null"], &[]);
    offers("city eq |", &["'", "null"], &["true"]);
    offers("city in |", &["("], &[]);
    offers("city in ('a'|", &[], &["and"]);
    offers("city in ('a' |", &[",", ")"], &["and"]);
    assert_eq!(at("city eq |").values_of.as_deref(), Some("city"));
    assert_eq!(at("city in ('a',|").values_of.as_deref(), Some("city"));
    let inside = at("city eq 'Pa|");
    assert_eq!((inside.values_of.as_deref(), inside.span.start), (Some("city"), 8));
    assert_eq!(at("startsWith(city,'|").values_of.as_deref(), Some("city"));
}

#[test]
fn inside_any_the_element_is_asked() {
    offers("proxyAddresses/any(|", &["x:"], &["department"]);
    offers("proxyAddresses/any(p:|", &["p", "startsWith(", "endsWith("], &["department"]);
    offers("proxyAddresses/any(p:p |", &["eq", "in"], &["ne"]);
    offers("assignedLicenses/any(s:s/|", &["skuId"], &["any("]);
    offers("assignedLicenses/any(s:s/skuId |", &["eq"], &["ge"]);
    offers(
        "assignedLicenses/any(s:s/skuId eq c42b9cae-ea4f-4ab7-9717-81576235ccac |",
        &[")", "and", "or"],
        &[],
    );
    assert_eq!(at("assignedPlans/any(a:a/service eq |").values_of.as_deref(), Some("assignedPlans/service"));
}

#[test]
fn after_a_condition_it_goes_on_or_closes() {
    offers("city eq 'x' |", &["and", "or"], &[")", "eq"]);
    offers("(city eq 'x' |", &["and", "or", ")"], &[]);
    offers("proxyAddresses/any(p:p eq 'x') |", &["and", "or"], &[")"]);
    offers("startsWith(city,'x') |", &["and", "or"], &[")"]);
    offers("startsWith(city,'x' |", &[")"], &["and"]);
}

#[test]
fn functions_take_text_properties() {
    offers("startsWith(|", &["city", "displayName"], &["accountEnabled", "not", "startsWith("]);
    offers("startsWith(city|", &["city"], &[]);
    offers("startsWith(city |", &[","], &["eq"]);
}

#[test]
fn structured_properties_lead_to_their_members() {
    offers("onPremisesExtensionAttributes/|", &["extensionAttribute1", "extensionAttribute15"], &[]);
    offers("employeeOrgData/cost|", &["costCenter"], &["division"]);
}
