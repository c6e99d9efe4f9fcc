//! Decisions about single cases; [`order`] proves that order and chunks do not matter.

mod order;

use super::*;

fn address(text: &str) -> Address {
    Address::parse(&format!("{text}@contoso.com")).unwrap()
}

fn person(id: &str, primary: &str, aliases: &[&str]) -> Person {
    Person {
        external_id: id.to_owned(),
        name: id.to_uppercase(),
        addresses: Addresses {
            primary: address(primary),
            aliases: aliases.iter().map(|alias| address(alias)).collect(),
        },
        principal: None,
        sign_in_blocked: false,
    }
}

fn present(name: &str, primary: &str, aliases: &[&str]) -> Present {
    Present {
        display_name: name.to_owned(),
        primary: address(primary),
        aliases: aliases.iter().map(|alias| address(alias)).collect(),
        sign_in_blocked: false,
    }
}

fn holder(user: i64, present: Present) -> Holder {
    Holder { user, present, address_lost: false }
}

fn delivered(id: &str) -> Party {
    Party::Delivered(id.to_owned())
}

/// Decides about `first` and everybody who is drawn in.
fn settle(scene: &mut Scene, first: impl IntoIterator<Item = Party>) -> BTreeMap<Party, Outcome> {
    let mut decided: BTreeSet<_> = first.into_iter().collect();
    loop {
        let drawn = scene.drawn_in(&decided);
        if drawn.is_empty() {
            return scene.decide(&decided);
        }
        decided.extend(drawn);
    }
}

fn primary(outcome: &Outcome) -> Option<&str> {
    outcome.desired.as_ref().map(|desired| desired.primary.as_str())
}

#[test]
fn an_alias_moves_and_the_one_who_loses_it_is_decided_as_well() {
    let mut scene = Scene::default();
    scene.add_person(person("a", "a", &[]));
    scene.add_person(person("b", "b", &["shared"]));
    let (a, b) = (present("A", "a", &["shared"]), present("B", "b", &[]));
    scene.add_holder(delivered("a"), holder(1, a));
    scene.add_holder(delivered("b"), holder(2, b));
    let outcomes = settle(&mut scene, [delivered("b")]);
    assert_eq!(outcomes[&delivered("a")].desired.as_ref().unwrap().aliases, []);
    assert_eq!(outcomes[&delivered("b")].desired.as_ref().unwrap().aliases, [address("shared")]);
    assert!(outcomes.values().all(|outcome| outcome.changes && outcome.lost.is_empty()));
}

#[test]
fn primaries_can_be_swapped() {
    let mut scene = Scene::default();
    scene.add_person(person("a", "y", &[]));
    scene.add_person(person("b", "x", &[]));
    scene.add_holder(delivered("a"), holder(1, present("A", "x", &[])));
    scene.add_holder(delivered("b"), holder(2, present("B", "y", &[])));
    let outcomes = settle(&mut scene, [delivered("a")]);
    assert_eq!(primary(&outcomes[&delivered("a")]), Some("y@contoso.com"));
    assert_eq!(primary(&outcomes[&delivered("b")]), Some("x@contoso.com"));
}

#[test]
fn who_loses_the_primary_falls_back_to_the_principal_name_then_to_an_alias_then_to_nothing() {
    let mut scene = Scene::default();
    scene.add_person(person("a", "x", &[]));
    scene.add_person(Person { principal: Some(address("upn")), ..person("b", "x", &["b"]) });
    scene.add_person(person("c", "x", &["c"]));
    scene.add_person(person("d", "x", &[]));
    let outcomes = settle(&mut scene, ["a", "b", "c", "d"].map(delivered));
    assert_eq!(primary(&outcomes[&delivered("a")]), Some("x@contoso.com"));
    assert_eq!(primary(&outcomes[&delivered("b")]), Some("upn@contoso.com"));
    assert_eq!(primary(&outcomes[&delivered("c")]), Some("c@contoso.com"));
    assert_eq!(primary(&outcomes[&delivered("d")]), None);
    let lost = &outcomes[&delivered("d")].lost;
    assert_eq!(lost, &[Lost { address: address("x"), to: "A (directory id a)".to_owned() }]);
}

#[test]
fn a_principal_name_that_somebody_claims_is_no_fallback() {
    let mut scene = Scene::default();
    scene.add_person(person("a", "x", &["upn"]));
    scene.add_person(Person { principal: Some(address("upn")), ..person("b", "x", &[]) });
    let outcomes = settle(&mut scene, [delivered("b"), delivered("a")]);
    assert_eq!(outcomes[&delivered("b")].desired, None);
}

#[test]
fn a_user_who_is_not_delivered_gives_up_what_somebody_delivered_claims_to_its_last_address() {
    let mut scene = Scene::default();
    let gone = Party::Undelivered(9);
    scene.add_holder(gone.clone(), holder(9, present("Gone", "p", &["q"])));
    scene.add_person(person("a", "a", &["q"]));
    let outcomes = settle(&mut scene, [delivered("a")]);
    assert_eq!(outcomes[&gone].desired, Some(present("Gone", "p", &[])));

    scene.add_person(person("b", "b", &["p"]));
    let outcomes = settle(&mut scene, [delivered("a"), delivered("b")]);
    assert_eq!((&outcomes[&gone].desired, outcomes[&gone].changes), (&None, true));
    assert_eq!(outcomes[&delivered("b")].lost, []);
    let desired = outcomes[&delivered("b")].desired.clone().unwrap();
    assert_eq!(desired.aliases, [address("p")]);
}

#[test]
fn a_user_who_lost_every_address_holds_none_and_gets_its_own_back_when_nobody_else_claims_it() {
    let mut scene = Scene::default();
    let lost = Holder { address_lost: true, ..holder(9, present("Back", "p", &[])) };
    scene.add_holder(delivered("back"), lost.clone());
    scene.add_person(person("back", "p", &[]));
    let outcomes = settle(&mut scene, [delivered("back")]);
    assert_eq!(primary(&outcomes[&delivered("back")]), Some("p@contoso.com"));
    assert!(outcomes[&delivered("back")].changes);

    let mut scene = Scene::default();
    scene.add_holder(delivered("back"), lost);
    scene.add_person(person("back", "p", &[]));
    scene.add_holder(delivered("new"), holder(1, present("NEW", "p", &[])));
    scene.add_person(person("new", "p", &[]));
    let outcomes = settle(&mut scene, [delivered("back")]);
    assert_eq!(primary(&outcomes[&delivered("back")]), None);
    assert!(!outcomes[&delivered("back")].changes);
}

#[test]
fn a_primary_that_a_manual_user_has_stays_there_and_its_alias_goes() {
    let mut scene = Scene::default();
    scene.add_manual(9, address("p"), Rank::Primary);
    scene.add_manual(9, address("q"), Rank::Alias);
    scene.add_person(person("a", "p", &["q"]));
    let outcomes = settle(&mut scene, [delivered("a")]);
    assert_eq!(primary(&outcomes[&delivered("a")]), Some("q@contoso.com"));
    assert_eq!(outcomes[&delivered("a")].lost[0].to, "somebody whom the sync does not touch");
    assert_eq!(scene.taken_from_manual(&BTreeSet::from([delivered("a")])), [(9, address("q"))]);
}

#[test]
fn whoever_would_lose_its_last_address_keeps_it_even_when_delivered() {
    // "a" had x, now wants y (which "b" holds) and x as an alias only; "c" wants x as its primary.
    let mut scene = Scene::default();
    scene.add_person(person("a", "y", &["x"]));
    scene.add_person(person("b", "y", &[]));
    scene.add_person(person("c", "x", &["c"]));
    scene.add_holder(delivered("a"), holder(1, present("A", "x", &[])));
    scene.add_holder(delivered("b"), holder(2, present("B", "y", &[])));
    let outcomes = settle(&mut scene, [delivered("c")]);
    assert_eq!(primary(&outcomes[&delivered("a")]), Some("x@contoso.com"));
    assert_eq!(primary(&outcomes[&delivered("c")]), Some("c@contoso.com"));
}
