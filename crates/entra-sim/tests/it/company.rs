//! The invented company: it shows what a synchronisation stumbles over, and it is always the same.

use std::collections::{HashMap, HashSet};

use entra_sim::{Kind, Object, Reference, Size, Tenant};
use serde_json::Value;

use crate::support::{Bench, text};

fn company(users: usize, seed: u64) -> Tenant {
    Tenant::seeded(Size { users, groups: 30, members_per_group: 7, seed })
}

fn all(tenant: &Tenant, kind: Kind) -> Vec<Object> {
    (0..tenant.count(kind)).map(|index| tenant.object(Reference { kind, index }).into_owned()).collect()
}

fn get<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(object: &'a Object, name: &str) -> Vec<&'a str> {
    object[name].as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn the_same_seed_gives_the_same_company_and_another_seed_another() {
    let (one, same, other) = (company(200, 7), company(200, 7), company(200, 8));
    assert_eq!(one.id(), same.id());
    for kind in [Kind::User, Kind::Group] {
        assert_eq!(all(&one, kind), all(&same, kind));
    }
    assert!((0..30).all(|group| one.members(group) == same.members(group)));
    assert_ne!(one.id(), other.id());
    let ids = |tenant: &Tenant| {
        all(tenant, Kind::User).iter().map(|user| get(user, "id").to_owned()).collect::<HashSet<_>>()
    };
    assert!(ids(&one).is_disjoint(&ids(&other)));
}

#[test]
fn a_user_is_the_same_in_a_larger_company() {
    let (small, large) = (all(&company(50, 1), Kind::User), all(&company(500, 1), Kind::User));
    assert_eq!(small[..], large[..50]);
}

#[test]
fn ids_and_principal_names_are_unique() {
    let users = all(&company(5000, 3), Kind::User);
    let ids: HashSet<&str> = users.iter().map(|user| get(user, "id")).collect();
    let names: HashSet<String> =
        users.iter().map(|user| get(user, "userPrincipalName").to_lowercase()).collect();
    assert_eq!((ids.len(), names.len()), (5000, 5000));
}

#[test]
fn addresses_clash_only_where_they_are_meant_to() {
    let users = all(&company(5000, 3), Kind::User);
    let mut owners: HashMap<String, usize> = HashMap::new();
    for user in &users {
        let mut own: HashSet<String> = HashSet::new();
        for proxy in list(user, "proxyAddresses") {
            let (scheme, address) = proxy.split_once(':').unwrap();
            if scheme.eq_ignore_ascii_case("smtp") && own.insert(address.to_lowercase()) {
                *owners.entry(address.to_lowercase()).or_default() += 1;
            }
        }
    }
    let clashing: Vec<(&String, &usize)> = owners.iter().filter(|(_, count)| **count > 1).collect();
    assert!(clashing.iter().all(|(_, count)| **count == 2), "{clashing:?}");
    assert_eq!(owners["front.desk@contoso.com"], 2);
    // Two fixed ones and one in two hundred, where both happen to be people with a mailbox.
    assert!(clashing.len() > 10 && clashing.len() <= 2 + 5000 / 200, "{}", clashing.len());
    let unexpected = clashing.iter().filter(|(address, _)| {
        !address.starts_with("project.") && address.as_str() != "front.desk@contoso.com"
    });
    assert_eq!(unexpected.count(), 1, "the primary address that is also somebody's alias");
}

#[test]
fn a_company_of_twenty_five_has_one_of_each_kind() {
    let users = all(&company(25, 1), Kind::User);
    let any = |what: &str, check: &dyn Fn(&Object) -> bool| {
        assert!(users.iter().any(check), "{what}");
    };
    let empty = |user: &Object, name: &str| user[name].as_array().unwrap().is_empty();
    any("guest", &|user| {
        get(user, "userPrincipalName").contains("#EXT#@contoso.onmicrosoft.com")
            && get(user, "userType") == "Guest"
    });
    any("disabled person", &|user| user["accountEnabled"] == false && !empty(user, "assignedLicenses"));
    any("unlicensed person", &|user| {
        user["accountEnabled"] == true
            && empty(user, "assignedLicenses")
            && !user["mail"].is_null()
            && !user["department"].is_null()
    });
    any("shared mailbox", &|user| {
        user["accountEnabled"] == false && empty(user, "assignedLicenses") && !user["mail"].is_null()
    });
    any("room", &|user| get(user, "displayName").starts_with("Meeting Room"));
    any("service account", &|user| {
        user["mail"].is_null() && empty(user, "proxyAddresses") && user["department"].is_null()
    });
    any("person without a mailbox", &|user| user["mail"].is_null() && !user["department"].is_null());
    any("spreadsheet formula", &|user| get(user, "displayName") == "=cmd()|' /C calc'!A0");
    any("markup", &|user| get(user, "displayName") == "<script>alert(1)</script>");
    any("NUL", &|user| get(user, "displayName").contains('\0'));
    any("256 characters", &|user| get(user, "displayName").chars().count() == 256);
    any("right-to-left override", &|user| get(user, "displayName").starts_with('\u{202e}'));
    any("emoji", &|user| get(user, "displayName").contains('🦄'));
    any("quotes and backslash", &|user| get(user, "displayName").contains(['"', '\'', '\\']));
}

#[test]
fn names_come_in_many_scripts_and_prefixes_in_both_cases() {
    let users = all(&company(1000, 1), Kind::User);
    for (script, letters) in [
        ("accents", 'à'..='ž'),
        ("Greek", 'α'..='ω'),
        ("Cyrillic", 'а'..='я'),
        ("Arabic", 'ا'..='ي'),
        ("Hindi", 'क'..='ह'),
        ("Chinese", '一'..='鿿'),
        ("Katakana", 'ア'..='ン'),
    ] {
        let of =
            users.iter().filter(|user| get(user, "displayName").contains(|letter| letters.contains(&letter)));
        assert!(of.count() > 1, "{script}");
    }
    let schemes: HashSet<&str> = users
        .iter()
        .flat_map(|user| list(user, "proxyAddresses"))
        .map(|proxy| proxy.split_once(':').unwrap().0)
        .collect();
    assert_eq!(schemes, HashSet::from(["SMTP", "smtp", "SIP", "sip", "X500", "x500"]));
}

#[test]
fn every_mailbox_has_one_primary_address_and_it_is_the_mail() {
    for user in all(&company(2000, 1), Kind::User) {
        let primary: Vec<&str> =
            list(&user, "proxyAddresses").iter().filter_map(|proxy| proxy.strip_prefix("SMTP:")).collect();
        match user["mail"].as_str() {
            Some(mail) => assert_eq!(primary, [mail]),
            None => assert!(primary.is_empty()),
        }
    }
}

#[test]
fn every_property_of_the_contract_has_values_and_gaps_where_it_may() {
    let users = all(&company(3000, 1), Kind::User);
    for name in [
        "mail",
        "givenName",
        "surname",
        "userType",
        "externalUserState",
        "onPremisesSyncEnabled",
        "department",
        "jobTitle",
        "companyName",
        "country",
        "city",
        "officeLocation",
        "state",
        "postalCode",
        "streetAddress",
        "employeeId",
        "employeeType",
        "usageLocation",
        "createdDateTime",
        "onPremisesImmutableId",
        "preferredLanguage",
        "mobilePhone",
    ] {
        let empty = users.iter().filter(|user| user[name].is_null()).count();
        assert!(empty > 0 && empty < 3000, "{name}: {empty} of 3000 empty");
    }
    for user in &users {
        assert!(user["accountEnabled"].is_boolean());
        assert_eq!(user["onPremisesExtensionAttributes"].as_object().unwrap().len(), 15);
        for name in ["proxyAddresses", "otherMails", "assignedLicenses", "businessPhones"] {
            assert!(user[name].is_array(), "{name}");
        }
        for name in ["id", "displayName", "userPrincipalName"] {
            assert!(!get(user, name).is_empty());
        }
        assert!(user.contains_key("deletedDateTime"));
    }
    let share = |value: Value| users.iter().filter(|user| user["onPremisesSyncEnabled"] == value).count();
    assert!(share(Value::Bool(true)) > 500 && share(Value::Bool(false)) > 10);
}

#[test]
fn groups_are_of_every_type_nested_dynamic_and_in_a_circle() {
    let tenant = company(100, 1);
    let groups = all(&tenant, Kind::Group);
    let types: HashSet<(Vec<&str>, bool, bool)> = groups
        .iter()
        .map(|group| {
            (list(group, "groupTypes"), group["mailEnabled"] == true, group["securityEnabled"] == true)
        })
        .collect();
    let expected = HashSet::from([
        (vec!["Unified"], true, false),
        (vec!["Unified", "DynamicMembership"], true, false),
        (vec!["DynamicMembership"], false, true),
        (vec![], false, true),
        (vec![], true, true),
        (vec![], true, false),
    ]);
    assert_eq!(types, expected);
    for group in &groups {
        assert_eq!(
            group["membershipRule"].is_string(),
            list(group, "groupTypes").contains(&"DynamicMembership")
        );
        assert_eq!(group["mailEnabled"] == true, !list(group, "proxyAddresses").is_empty());
    }
    let contains =
        |group: usize, kind: Kind, index: usize| tenant.members(group).contains(&Reference { kind, index });
    assert!(contains(2, Kind::Group, 3) && contains(3, Kind::Group, 4) && contains(4, Kind::Group, 3));
    for group in 8..30 {
        let distinct: HashSet<_> = tenant.members(group).iter().collect();
        assert_eq!((distinct.len(), tenant.members(group).len()), (7, 7));
    }
}

#[tokio::test]
async fn hostile_values_survive_the_wire_unchanged() {
    let bench = Bench::start().await;
    let pages = bench.pages("/users/delta?$select=displayName,givenName").await;
    let names: HashSet<&str> =
        pages.iter().flat_map(|page| page.value()).map(|user| text(user, "displayName")).collect();
    for name in [
        "=cmd()|' /C calc'!A0",
        "<script>alert(1)</script>",
        "Robert \"Bob\" O'Brien \\ Sons",
        "Nul\0Byte",
        "\u{202e}gnp.nimda",
        "Zoe\u{308} 🦄 Núñez",
        "'; DROP TABLE users; --",
        "  Padded\tAnd\r\nBroken  ",
    ] {
        assert!(names.contains(name), "{name:?}");
    }
    assert!(names.iter().any(|name| name.chars().count() == 256));
}

#[test]
fn a_company_of_one_and_an_empty_one_are_possible() {
    for users in [0, 1] {
        let tenant = Tenant::seeded(Size { users, groups: 10, members_per_group: 5, seed: 1 });
        assert_eq!(tenant.count(Kind::User), users);
        assert!(
            (0..10)
                .all(|group| tenant.members(group).iter().all(|member| !tenant.object(*member).is_empty()))
        );
    }
}
