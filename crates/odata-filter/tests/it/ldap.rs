//! RFC 4515 search filters.

use odata_filter::{Code, ldap};
use proptest::{collection::vec, prelude::*};

fn entry() -> Vec<(String, Vec<Vec<u8>>)> {
    let text = |name: &str, values: &[&str]| {
        (name.to_owned(), values.iter().map(|value| value.as_bytes().to_vec()).collect())
    };
    vec![
        text("objectClass", &["top", "person", "user"]),
        text("cn", &["Babs  Jensen"]),
        text("mail", &["babs@example.com", "b.jensen@example.com"]),
        text("description;lang-en", &["a (star) * and a \\"]),
        text("userAccountControl", &["514"]),
        text("whenCreated", &["20240131100000.0Z"]),
        ("objectGUID".to_owned(), vec![vec![0xff, 0x00, 0x28]]),
    ]
}

fn matches(filter: &str) -> bool {
    ldap::parse(filter).unwrap().matches(entry().as_slice())
}

#[test]
fn assertions_match_as_the_standard_says() {
    let cases = [
        ("(cn=babs jensen)", true),
        ("(CN= Babs Jensen )", true),
        ("(cn~=BABS JENSEN)", true),
        ("(cn=Tim*)", false),
        ("(cn=b*J*n)", true),
        ("(cn=*jensen)", true),
        ("(cn=*bs je*)", true),
        ("(cn=*sen*jen*)", false),
        ("(mail=*@example.com)", true),
        ("(mail=*)", true),
        ("(manager=*)", false),
        ("(description=*\\28star\\29 \\2a*\\5c)", true),
        ("(objectGUID=\\ff\\00\\28)", true),
        ("(objectGUID=\\ff*)", true),
        ("(userAccountControl>=514)", true),
        ("(userAccountControl<=99)", false),
        ("(whenCreated>=20240101000000.0Z)", true),
        ("(&(objectClass=user)(!(mail=x)))", true),
        ("(|(cn=x)(cn=y))", false),
        ("(&)", true),
        ("(|)", false),
        ("(userAccountControl:1.2.840.113556.1.4.803:=2)", true),
        ("(userAccountControl:1.2.840.113556.1.4.803:=3)", false),
        ("(userAccountControl:1.2.840.113556.1.4.804:=3)", true),
        ("(cn:caseExactMatch:=babs jensen)", false),
        ("(mail:2.5.13.5:=babs@example.com)", true),
    ];
    for (filter, expected) in cases {
        assert_eq!(matches(filter), expected, "{filter}");
        assert_eq!(ldap::check(filter).problem, None, "{filter}");
    }
}

#[test]
fn what_is_undefined_is_no_match_negated_or_not() {
    for filter in [
        "(member:1.2.840.113556.1.4.1941:=cn=x)",
        "(userAccountControl:1.2.840.113556.1.4.803:=two)",
        "(cn:dn:=x)",
    ] {
        assert!(!matches(filter) && !matches(&format!("(!{filter})")), "{filter}");
        assert!(matches(&format!("(|(cn=*){filter})")), "{filter}");
    }
    assert!(matches("(!(manager=x))"), "a missing attribute is only false");
}

#[test]
fn what_one_entry_cannot_answer_is_said() {
    for filter in [
        "(member:1.2.840.113556.1.4.1941:=cn=x)",
        "(:caseExactMatch:=x)",
        "(ou:dn:2.5.13.2:=x)",
        "(cn:1.2.3:=x)",
    ] {
        let report = ldap::check(&format!("(&(cn=*){filter})"));
        assert_eq!(report.problem.unwrap().code, Code::NotFollowed, "{filter}");
    }
    assert_eq!(ldap::check("(&(cn=a)(|(CN=b)(mail=*)))").attributes, ["cn", "mail"]);
}

#[test]
fn mistakes_are_placed_and_mended() {
    let cases = [
        ("cn=x", 0, "(cn=x)"),
        ("(cn=x", 5, "(cn=x)"),
        ("(&(cn=x)(mail=y)", 16, "(&(cn=x)(mail=y))"),
        ("(cn=x))", 6, "(cn=x)"),
        ("(cn=x)(mail=y)", 6, "(&(cn=x)(mail=y))"),
        ("(!cn=x)", 2, "(!(cn=x))"),
        ("(cn!=x)", 3, "(!(cn=x))"),
        ("(cn>5)", 3, "(cn>=5)"),
        ("(cn=a(b)", 5, "(cn=a\\28b)"),
        ("(cn=a\\zz)", 5, "(cn=a\\5czz)"),
        ("((cn=x)(mail=y))", 1, "(&(cn=x)(mail=y))"),
        ("(cn>=a*)", 6, "(cn>=a\\2a)"),
        ("(&(cn=x)&(mail=y))", 8, "(&(cn=x)(mail=y))"),
    ];
    for (wrong, place, right) in cases {
        let problem = ldap::parse(wrong).unwrap_err();
        assert_eq!(
            (problem.code, problem.span.start),
            (Code::InvalidLdapFilter, place),
            "{wrong}: {problem}"
        );
        assert_eq!(problem.fix.unwrap().apply(wrong), right, "{wrong}");
        assert!(ldap::parse(right).is_ok(), "{right}");
    }
    for refused in
        ["", " ", "()", "(=x)", "(cn)", "(1-a$=x)", "(:=x)", "(cn:=", "(!)", "(!(a=b)(c=d))", "(-a=b)"]
    {
        assert_eq!(ldap::parse(refused).unwrap_err().code, Code::InvalidLdapFilter, "{refused}");
    }
}

#[test]
fn an_explanation_follows_the_tree() {
    let text = "(&(objectClass=user)(|(cn=x)(mail=*@example.com)))";
    let explained = ldap::parse(text).unwrap().explain(entry().as_slice());
    assert!(explained.holds);
    assert_eq!(explained.parts[0].found.as_deref(), Some("top, person, user"));
    let holds: Vec<bool> = explained.parts[1].parts.iter().map(|part| part.holds).collect();
    assert_eq!(holds, [false, true]);
    let span = explained.parts[1].parts[0].span;
    assert_eq!(&text[span.start..span.end], "(cn=x)");
}

/// Any filter, as text with all values escaped.
fn filter() -> BoxedStrategy<String> {
    let name = || "[a-zA-Z][a-zA-Z0-9;-]{0,5}";
    let value = || {
        vec(any::<u8>(), 0..6)
            .prop_map(|bytes| bytes.iter().map(|b| format!("\\{b:02x}")).collect::<String>())
    };
    let leaf = prop_oneof![
        (name(), prop::sample::select(vec!["=", "~=", ">=", "<="]), value())
            .prop_map(|(n, op, v)| format!("({n}{op}{v})")),
        (name(), vec(value(), 2..4)).prop_map(|(n, parts)| format!("({n}={})", parts.join("*"))),
        (name(), any::<bool>(), value())
            .prop_map(|(n, dn, v)| format!("({n}{}:2.5.13.2:={v})", if dn { ":dn" } else { "" })),
        (name(), value()).prop_map(|(n, v)| format!("({n}:={v})")),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|parts| format!("(& {})", parts.join(" "))),
            vec(inner.clone(), 0..3).prop_map(|parts| format!("(|{})", parts.concat())),
            inner.prop_map(|part| format!("(!{part})")),
        ]
    })
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000 * super::properties::soak(), ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_back_the_same(text in filter()) {
        let parsed = ldap::parse(&text).unwrap();
        let printed = parsed.to_string();
        prop_assert_eq!(ldap::parse(&printed), Ok(parsed), "{}", printed);
    }
}
