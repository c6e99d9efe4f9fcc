//! Several people claim one address.

use std::collections::BTreeMap;

use domain::run::NoticeKind;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

use crate::support::{Seen, World, id, of_kind, on_both_engines, person, with};

on_both_engines! {
    async fn a_clash_is_listed_with_both_people_and_the_loser_is_synced_without_the_address(world: &mut World) {
        world.people(&[person(1, "a", &["info"]), person(2, "b", &[]), person(3, "info", &[]), person(4, "d", &["info"])]);
        world.connect(|_| {}).await;
        let report = world.synced().await;
        assert_eq!(report.changes.added, 4);
        assert_eq!(world.one(3).await.primary, "info@contoso.com");
        assert!(world.one(1).await.aliases.is_empty() && world.one(4).await.aliases.is_empty());
        let clashes = of_kind(&report, NoticeKind::Clash);
        assert_eq!(clashes.len(), 2);
        for clash in clashes {
            assert!(clash.detail.contains("info@contoso.com") && clash.detail.contains(&id(3)), "{}", clash.detail);
            assert!([id(1), id(4)].contains(&clash.external_id));
        }
        assert!(report.summary.contains("2 addresses are claimed by somebody else as well"), "{}", report.summary);
    }

    async fn a_newcomer_whose_primary_it_is_takes_an_alias_from_somebody_unchanged(world: &mut World) {
        world.people(&[person(1, "a", &["info"])]);
        world.connect(|_| {}).await;
        world.synced().await;
        world.people(&[person(1, "a", &["info"]), person(2, "info", &[])]);
        let report = world.synced().await;
        assert_eq!((report.changes.added, report.changes.updated), (1, 1));
        assert!(world.one(1).await.aliases.is_empty());
        // And when the newcomer lets go of it, the first one has it again, although nothing changed about that one.
        world.people(&[person(1, "a", &["info"]), person(2, "b", &[])]);
        let report = world.synced().await;
        assert_eq!(report.changes.updated, 2);
        assert_eq!(world.one(1).await.aliases, ["info@contoso.com"]);
    }

    async fn who_is_left_with_no_address_is_left_out_and_listed(world: &mut World) {
        world.people(&[person(1, "a", &[]), person(2, "a", &[])]);
        world.connect(|_| {}).await;
        let report = world.synced().await;
        assert_eq!(report.changes.added, 1);
        assert_eq!(world.seen().await.len(), 1);
        let clashes = of_kind(&report, NoticeKind::Clash);
        assert_eq!(clashes.len(), 1);
        assert!(clashes[0].detail.contains("left out"), "{}", clashes[0].detail);
        assert_eq!(world.synced().await.changes.added, 0);
    }

    async fn who_loses_the_primary_gets_the_principal_name(world: &mut World) {
        let second = with(person(2, "a", &["z"]), "userPrincipalName", "second@contoso.com");
        world.people(&[person(1, "a", &[]), second]);
        world.connect(|_| {}).await;
        world.synced().await;
        let seen = world.one(2).await;
        assert_eq!((seen.primary.as_str(), seen.aliases), ("second@contoso.com", vec!["z@contoso.com".to_owned()]));
    }
}

/// A few people who want a few addresses.
fn people() -> impl Strategy<Value = Vec<Value>> {
    let name = || prop::sample::select(vec!["p", "q", "r", "s", "t"]);
    let one = (name(), prop::collection::vec(name(), 0..3), prop::option::of(name()));
    prop::collection::btree_map(1_u32..9, one, 1..7).prop_map(|people| {
        let value = |(number, (primary, aliases, principal)): (u32, (&str, Vec<&str>, Option<&str>))| {
            let person = person(number, primary, &aliases);
            match principal {
                Some(name) => with(person, "userPrincipalName", format!("{name}@contoso.com")),
                None => person,
            }
        };
        people.into_iter().map(value).collect()
    })
}

#[derive(Clone, Debug)]
struct Way {
    page: usize,
    chunk: i64,
    backwards: bool,
}

fn way() -> impl Strategy<Value = Way> {
    (1_usize..5, 1_i64..6, any::<bool>()).prop_map(|(page, chunk, backwards)| Way { page, chunk, backwards })
}

async fn result(first: &[Value], second: &[Value], way: &Way) -> [BTreeMap<String, Seen>; 2] {
    let ordered = |people: &[Value]| {
        let mut people = people.to_vec();
        if way.backwards {
            people.reverse();
        }
        people
    };
    let mut world = World::with_pages(way.page).await;
    world.engine = world.engine.clone().with_chunk(way.chunk);
    world.people(&ordered(first));
    world.connect(|_| {}).await;
    world.read().await;
    let before = world.seen().await;
    world.people(&ordered(second));
    world.read().await;
    let after = world.seen().await;
    let again = world.read().await;
    assert_eq!((again.changes.added, again.changes.updated), (0, 0));
    [before, after]
}

#[test]
fn pages_chunks_and_order_do_not_decide_who_gets_an_address() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config { cases: 24, ..Config::default() });
    runner
        .run(&(people(), people(), way(), way()), |(first, second, one, other)| {
            let (one, other) = runtime.block_on(async {
                (result(&first, &second, &one).await, result(&first, &second, &other).await)
            });
            prop_assert_eq!(one, other);
            Ok(())
        })
        .unwrap();
}
