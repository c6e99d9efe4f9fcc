//! Evaluation and explanation of single cases, the undocumented choices among them.

use odata_filter::{Filter, Node, Object, Resource, Rule, Value};

struct Person;

impl Object for Person {
    fn property(&self, name: &str) -> Value<'_> {
        static PROXIES: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
            vec!["SMTP:anna@contoso.com".into(), "smtp:a.smith@contoso.com".into()]
        });
        match name {
            "displayName" => Value::Text("Anna Smith"),
            "accountEnabled" => Value::Bool(true),
            "createdDateTime" => Value::Text("2024-01-31T10:00:00Z"),
            "city" => Value::Text(""),
            "proxyAddresses" => Value::Texts(&PROXIES),
            _ => Value::Null,
        }
    }
}

fn matches(filter: &str) -> bool {
    Filter::compile(Resource::Users, filter).unwrap().matches(&Person)
}

#[test]
fn strings_are_compared_without_case() {
    assert!(matches("displayName eq 'ANNA smith'"));
    assert!(matches("startsWith(displayName,'anna') and endsWith(displayName,'SMITH')"));
    assert!(matches("displayname in ('x','anna smith')"));
    assert!(matches("displayName ge 'anna' and displayName le 'ANNB'"));
}

#[test]
fn a_smtp_prefix_is_compared_without_case() {
    assert!(matches("proxyAddresses/any(p:p eq 'smtp:anna@contoso.com')"));
    assert!(!matches("proxyAddresses/any(p:p eq 'anna@contoso.com')"));
}

#[test]
fn a_missing_value_equals_null_and_nothing_else() {
    assert!(matches("department eq null"));
    assert!(matches("department in (null,'x')"));
    assert!(matches("department ne 'Sales'"));
    assert!(!matches("department ne null"));
    assert!(!matches("department ge 'a' or department le 'a' or startsWith(department,'')"));
    assert!(matches("not startsWith(department,'a')"));
    assert!(!matches("onPremisesSyncEnabled eq false"));
    assert!(!matches("city eq null"), "empty text is a value");
}

#[test]
fn dates_are_moments() {
    assert!(matches("createdDateTime eq 2024-01-31T12:00:00.000+02:00"));
    assert!(matches("createdDateTime ge 2024-01-31"));
    assert!(!matches("createdDateTime le 2024-01-31T09:59:59Z"));
}

#[test]
fn a_missing_collection_has_no_elements() {
    assert!(!matches("otherMails/any(x:x ne 'a')"));
    assert!(matches("otherMails/all(x:x eq 'a')"));
    assert!(matches("otherMails/$count eq 0 and proxyAddresses/$count ne 0"));
    assert!(matches("proxyAddresses/any() and not otherMails/any()"));
}

#[test]
fn the_short_form_of_certificate_user_ids_reads_the_object_that_holds_them() {
    let ids = Node::List(vec![Node::Text("9876543210@mil".into())]);
    let holder = Node::Record(vec![("certificateUserIds".into(), ids)]);
    let person = Node::Record(vec![("authorizationInfo".into(), holder)]);
    for path in ["certificateUserIds", "authorizationInfo/certificateUserIds"] {
        let text = format!("{path}/any(x:startsWith(x,'98765'))");
        assert!(Filter::compile(Resource::Users, &text).unwrap().matches(&person), "{text}");
        assert_eq!(odata_filter::check(Resource::Users, &text).properties, ["authorizationInfo"]);
    }
}

#[test]
fn an_explanation_names_the_place_the_value_and_the_answer_of_each_part() {
    let text = "accountEnabled eq true and not (displayName eq 'Bob' or proxyAddresses/any(p:startsWith(p,'smtp:a.')))";
    let explained = Filter::compile(Resource::Users, text).unwrap().explain(&Person);
    assert!(!explained.holds);
    assert_eq!(explained.rule, Rule::And);
    let [enabled, not] = explained.parts.as_slice() else { panic!("two parts: {explained:?}") };
    assert_eq!((enabled.holds, enabled.found.as_deref()), (true, Some("true")));
    assert_eq!(&text[enabled.span.start..enabled.span.end], "accountEnabled eq true");
    let [name, any] = not.parts[0].parts.as_slice() else { panic!("two alternatives: {not:?}") };
    assert_eq!((name.holds, name.found.as_deref()), (false, Some("Anna Smith")));
    let rules = [enabled, not, &not.parts[0], name, any].map(|part| part.rule);
    assert_eq!(rules, [Rule::Value, Rule::Not, Rule::Or, Rule::Value, Rule::Any]);
    let elements: Vec<bool> = any.parts.iter().map(|part| part.holds).collect();
    assert_eq!((any.holds, elements), (true, vec![false, true]));
}

#[test]
fn an_expression_without_meaning_is_refused_where_it_stands() {
    for text in
        ["createdDateTime add duration'P1D' eq null", "length(city) eq 3", "userType has 'x'", "'a' eq city"]
    {
        assert!(Filter::compile(Resource::Users, text).is_err(), "{text}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_graph_object_is_read_from_json() {
    let json = r#"{"displayName":"Anna","accountEnabled":true,"assignedLicenses":[{"skuId":"c42b9cae-ea4f-4ab7-9717-81576235ccac"}],"x":1.5}"#;
    let person: Node = serde_json::from_str(json).unwrap();
    let text =
        "accountEnabled eq true and assignedLicenses/any(s:s/skuId eq C42b9cae-ea4f-4ab7-9717-81576235ccac)";
    assert!(Filter::compile(Resource::Users, text).unwrap().matches(&person));
}
