//! Refusals in Graph's own words with Graph's positions, remarks, limits, and what is reported beside them.

use odata_filter::{Code, Endpoint, Report, Resource, Verdict, check, check_at};

fn users(text: &str) -> Report {
    check(Resource::Users, text)
}

/// What Graph would say, without the wrapping "Invalid filter clause: ".
fn says(text: &str) -> String {
    let problem = users(text).problem.unwrap_or_else(|| panic!("{text} is accepted"));
    problem.message.strip_prefix("Invalid filter clause: ").unwrap_or(&problem.message).to_owned()
}

#[test]
fn messages_of_the_gateway_are_those_of_its_library() {
    let cases = [
        (
            "displayName eq 'abc",
            "There is an unterminated string literal at position 19 in 'displayName eq 'abc'.",
        ),
        (
            "surname eq 'O'Brien'",
            "There is an unterminated literal at position 20 in 'surname eq 'O'Brien''.",
        ),
        ("city eq \"x\"", "Syntax error: character '\"' is not valid at position 8 in 'city eq \"x\"'."),
        ("city eq ", "Expression expected at position 8 in 'city eq '."),
        ("", "Expression expected at position 0 in ''."),
        ("startsWith(city,'a'", "')' or ',' expected at position 19 in 'startsWith(city,'a''."),
        ("city like 'a'", "Syntax error at position 9 in 'city like 'a''."),
        ("otherMails/any x", "'(' expected at position 15 in 'otherMails/any x'."),
        ("otherMails/any(x:otherMails/any(x:x eq 'a'))", "The range variable 'x' has already been declared."),
        ("displayName/any(x:x eq 'a')", "Any/All may only be used following a collection."),
        (
            "not displayName eq 'x'",
            "A unary operator with an incompatible type was detected. Found operand type 'Edm.String' for operator \
             kind 'Not'.",
        ),
        (
            "displayName and accountEnabled eq true",
            "A binary operator with incompatible types was detected. Found operand types 'Edm.String' and \
             'Edm.Boolean' for operator kind 'And'.",
        ),
        (
            "assignedLicenses/any(x:x/skuId eq 'c42b9cae-ea4f-4ab7-9717-81576235ccac')",
            "A binary operator with incompatible types was detected. Found operand types 'Edm.Guid' and 'Edm.String' \
             for operator kind 'Equal'.",
        ),
        (
            "proxyAddresses eq 'x'",
            "The operand for a binary operator 'Equal' is not a single value. Binary operators require both operands \
             to be single values.",
        ),
        (
            "assignedLicenses/any(x:x/sku eq 1)",
            "Could not find a property named 'sku' on type 'microsoft.graph.assignedLicense'.",
        ),
        (
            "startsWith(accountEnabled,'t')",
            "No function signature for the function with name 'startswith' matches the specified arguments. The \
             function signatures considered are: startswith(Edm.String Nullable=true, Edm.String Nullable=true).",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(says(text), message, "{text}");
        assert_eq!(users(text).problem.unwrap().code, Code::BadRequest, "{text}");
    }
}

#[test]
fn positions_count_utf16_units_as_graph_does() {
    assert_eq!(
        says("city eq '😀ö' &"),
        "Syntax error: character '&' is not valid at position 14 in 'city eq '😀ö' &'."
    );
    let span = users("city eq '😀ö' &").problem.unwrap().span;
    assert_eq!((span.start, span.utf16("city eq '😀ö' &").start), (17, 14));
}

#[test]
fn an_unknown_property_fails_in_the_directory_because_users_are_an_open_type() {
    let problem = users("nosuch eq 'x'").problem.unwrap();
    assert_eq!(problem.code, Code::RequestUnsupportedQuery);
    assert_eq!(
        problem.message,
        "Property 'nosuch' does not exist as a declared property or extension property."
    );
}

#[test]
fn operators_go_by_the_table_and_the_general_rules() {
    use Verdict::{Accepted, AcceptedAdvanced, Rejected};
    let cases = [
        ("userPrincipalName in ('a','b')", Accepted),
        ("userPrincipalName eq null", Rejected),
        ("userPrincipalName ne 'a'", AcceptedAdvanced),
        ("not userPrincipalName in ('a')", AcceptedAdvanced),
        ("endsWith(displayName,'x')", Rejected),
        ("startsWith(userType,'M')", Rejected),
        ("passwordPolicies eq null", AcceptedAdvanced),
        ("passwordPolicies ne null", AcceptedAdvanced),
        ("proxyAddresses/any(p:p ne 'x')", Rejected),
        ("not proxyAddresses/any(p:p eq 'x')", AcceptedAdvanced),
        ("proxyAddresses/all(p:p eq 'x')", Rejected),
        ("proxyAddresses/any()", Rejected),
        ("proxyAddresses/$count gt 0", Rejected),
        ("proxyAddresses/$count ne 1", Rejected),
        ("ownedObjects/$count eq 1", AcceptedAdvanced),
        ("businessPhones/$count eq 0", Rejected),
        ("identities/any(i:i/issuer eq 'a' and i/issuerAssignedId eq 'b')", Accepted),
        ("identities/any(i:i/issuer eq 'a')", Rejected),
        ("not identities/any(i:i/issuer eq 'a' and i/issuerAssignedId eq 'b')", Rejected),
        ("identities/any(i:i/issuer eq 'a' and i/issuerAssignedId eq 'b') and mail ne null", Rejected),
        ("extension_0123456789abcdef0123456789abcdef_x eq 'a'", Accepted),
        ("startsWith(extension_0123456789abcdef0123456789abcdef_x,'a')", AcceptedAdvanced),
        ("birthday ge 2000-01-01T00:00:00Z", Rejected),
        ("manager/id eq 'x'", Rejected),
        ("onPremisesUserPrincipalName eq 'x'", Rejected),
        ("accountEnabled eq True", Rejected),
        ("accountEnabled", Rejected),
        ("true", Rejected),
        ("mail eq 'a' or proxyAddresses/any(p:p eq 'smtp:a')", Accepted),
    ];
    for (text, verdict) in cases {
        let report = users(text);
        assert_eq!(report.verdict, verdict, "{text}: {:?}", report.problem);
    }
}

#[test]
fn where_the_sources_disagree_it_is_accepted_as_uncertain() {
    for text in [
        "jobTitle ge 'a'",
        "startsWith(employeeId,'1')",
        "securityIdentifier eq 'S-1'",
        "accountEnabled ne null",
    ] {
        let report = users(text);
        assert_eq!(report.verdict, Verdict::AcceptedAdvanced, "{text}");
        assert_eq!(report.problem.unwrap().code, Code::Uncertain, "{text}");
    }
    let groups = check(Resource::Groups, "createdDateTime ge 2024-01-01T00:00:00Z");
    assert_eq!(groups.problem.unwrap().code, Code::Uncertain);
}

#[test]
fn what_the_sync_cannot_follow_has_its_own_code() {
    for text in [
        "signInActivity/lastSignInDateTime le 2024-01-01T00:00:00Z",
        "ownedObjects/$count eq 0",
        "contoso_x/team eq 'a'",
    ] {
        let report = users(text);
        assert_ne!(report.verdict, Verdict::Rejected, "{text}");
        assert_eq!(report.problem.unwrap().code, Code::NotFollowed, "{text}");
    }
}

#[test]
fn sign_in_activity_stands_alone() {
    let two = "signInActivity/lastSignInDateTime ge 2024-01-01T00:00:00Z and \
               signInActivity/lastSignInDateTime le 2024-12-31T00:00:00Z";
    assert_eq!(users(two).verdict, Verdict::Accepted);
    let mixed = "signInActivity/lastSignInDateTime le 2024-01-01T00:00:00Z and accountEnabled eq true";
    assert_eq!(users(mixed).verdict, Verdict::Rejected);
}

#[test]
fn limits_of_the_default_engine_send_a_filter_to_the_advanced_one() {
    let values = |count: usize| (0..count).map(|n| format!("'{n}'")).collect::<Vec<_>>().join(",");
    assert_eq!(users(&format!("city in ({})", values(15))).verdict, Verdict::Accepted);
    assert_eq!(users(&format!("city in ({})", values(16))).verdict, Verdict::AcceptedAdvanced);
    let or = vec!["city eq 'x'"; 16].join(" or ");
    let message = users(&or).default_engine.unwrap().message;
    assert!(message.contains("'OR' operators: 16. Max allowed: 15."), "{message}");
    assert_eq!(users(&format!("city eq '{}'", "x".repeat(120))).verdict, Verdict::Accepted);
    assert_eq!(users(&format!("city eq '{}'", "x".repeat(121))).verdict, Verdict::AcceptedAdvanced);
    assert_eq!(users(&format!("city in ({})", values(400))).problem.unwrap().code, Code::TooLong);
}

#[test]
fn chains_are_flat_and_alternation_has_height() {
    assert_eq!(
        users("city eq 'a' and (city eq 'b' and (city eq 'c' and (city eq 'd')))").verdict,
        Verdict::Accepted
    );
    let high = "city eq 'a' and (city eq 'b' or (city eq 'c' and city eq 'd'))";
    assert!(says(high).contains("excessive height: 4"), "{}", says(high));
}

#[test]
fn alternatives_on_one_structured_collection_need_the_advanced_engine() {
    let license = "assignedLicenses/any(x:x/skuId eq c42b9cae-ea4f-4ab7-9717-81576235ccac)";
    assert_eq!(users(&format!("{license} or {license}")).verdict, Verdict::AcceptedAdvanced);
    assert_eq!(users(&format!("{license} or city eq 'x'")).verdict, Verdict::Rejected);
    assert_eq!(users(&format!("{license} and city eq 'x'")).verdict, Verdict::Accepted);
}

#[test]
fn each_clause_has_its_own_verdict_and_place() {
    let text = "accountEnabled eq true and (companyName eq 'x' or not (contains(city,'y')))";
    let clauses = users(text).clauses;
    let found: Vec<_> =
        clauses.iter().map(|one| (&text[one.span.start..one.span.end], one.verdict)).collect();
    assert_eq!(
        found,
        [
            ("accountEnabled eq true", Verdict::Accepted),
            ("companyName eq 'x'", Verdict::AcceptedAdvanced),
            ("contains(city,'y')", Verdict::Rejected),
        ]
    );
}

#[test]
fn all_that_is_wrong_is_reported_the_first_as_graph_meets_it() {
    let report = users("departmnet eq 'x' and accountEnabled eq 'true' and city gt 'a'");
    let codes: Vec<_> = report.problems.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["BadRequest", "Request_UnsupportedQuery", "Request_UnsupportedQuery"]);
    assert_eq!(report.problem.as_ref(), report.problems.first());
}

#[test]
fn the_properties_to_select_are_named_in_canonical_case() {
    let report = users(
        "JOBTITLE eq 'x' and onpremisesextensionattributes/extensionattribute3 eq 'y' and jobTitle ne 'z' and \
         assignedlicenses/any(a:a/SKUID eq c42b9cae-ea4f-4ab7-9717-81576235ccac)",
    );
    assert_eq!(report.properties, ["jobTitle", "onPremisesExtensionAttributes", "assignedLicenses"]);
}

#[test]
fn a_delta_query_takes_only_ids() {
    let at = |text: &str| check_at(Resource::Users, Endpoint::Delta, text).verdict;
    assert_eq!(at("id eq 'a'"), Verdict::Accepted);
    assert_eq!(at(&vec!["id eq 'a'"; 50].join(" or ")), Verdict::Accepted);
    assert_eq!(at(&vec!["id eq 'a'"; 51].join(" or ")), Verdict::Rejected);
    assert_eq!(at("city eq 'a'"), Verdict::Rejected);
}
