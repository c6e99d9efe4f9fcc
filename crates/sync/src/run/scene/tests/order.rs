//! A portal in memory: planning it in chunks must end alike whatever the chunks are.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug, Default)]
struct Portal {
    mirror: Vec<Person>,
    users: BTreeMap<String, Present>,
    numbers: HashMap<String, i64>,
    /// Users whose addresses all went to somebody else.
    lost: BTreeSet<String>,
}

impl Portal {
    fn scene(&self) -> Scene {
        let mut scene = Scene::default();
        for person in &self.mirror {
            scene.add_person(person.clone());
        }
        for (id, present) in &self.users {
            let user = self.numbers[id];
            let known = self.mirror.iter().any(|person| person.external_id == *id);
            let party = if known { delivered(id) } else { Party::Undelivered(user) };
            scene.add_holder(
                party,
                Holder { user, present: present.clone(), address_lost: self.lost.contains(id) },
            );
        }
        scene
    }

    fn plan(&mut self, chunks: &[Vec<String>]) {
        for chunk in chunks {
            let outcomes = settle(&mut self.scene(), chunk.iter().map(|id| delivered(id)));
            for (party, outcome) in outcomes {
                let id = match &party {
                    Party::Delivered(id) => id.clone(),
                    Party::Undelivered(user) => {
                        self.numbers.iter().find(|(_, number)| **number == *user).unwrap().0.clone()
                    }
                };
                let Some(desired) = outcome.desired else {
                    let delivered = matches!(party, Party::Delivered(_)) && outcome.user.is_some();
                    assert!(
                        !delivered || self.lost.contains(&id),
                        "somebody delivered lost the last address"
                    );
                    if outcome.user.is_some() {
                        self.lost.insert(id.clone());
                        self.users.get_mut(&id).unwrap().aliases.clear();
                    }
                    continue;
                };
                self.lost.remove(&id);
                let next = i64::try_from(self.numbers.len()).unwrap();
                self.numbers.entry(id.clone()).or_insert(next);
                self.users.insert(id, desired);
            }
            self.assert_each_address_once();
        }
    }

    fn assert_each_address_once(&self) {
        let mut seen = HashSet::new();
        for (_, present) in self.users.iter().filter(|(id, _)| !self.lost.contains(*id)) {
            for address in std::iter::once(&present.primary).chain(&present.aliases) {
                assert!(seen.insert(address.clone()), "{address} is held twice");
            }
        }
    }

    fn seen(&self) -> BTreeMap<String, (Address, BTreeSet<Address>, bool)> {
        let of = |id: &str, p: &Present| {
            (p.primary.clone(), p.aliases.iter().cloned().collect(), self.lost.contains(id))
        };
        self.users.iter().map(|(id, present)| (id.clone(), of(id, present))).collect()
    }
}

fn people() -> impl Strategy<Value = Vec<Person>> {
    let name = || prop::sample::select(vec!["p", "q", "r", "s", "t", "u", "v"]);
    let one = (name(), prop::collection::vec(name(), 0..3), prop::option::of(name()));
    prop::collection::btree_map("[a-h]", one, 1..8).prop_map(|people| {
        people
            .into_iter()
            .map(|(id, (primary, aliases, principal))| {
                let mut person = person(&id, primary, &[]);
                let mut seen = HashSet::from([address(primary)]);
                let aliases = aliases.into_iter().map(address).filter(|a| seen.insert(a.clone()));
                person.addresses.aliases = aliases.collect();
                person.principal = principal.map(address).filter(|name| *name != person.addresses.primary);
                person
            })
            .collect()
    })
}

fn chunked(people: &[Person], size: usize, backwards: bool) -> Vec<Vec<String>> {
    let mut ids: Vec<_> = people.iter().map(|person| person.external_id.clone()).collect();
    if backwards {
        ids.reverse();
    }
    ids.chunks(size).map(<[String]>::to_vec).collect()
}

proptest! {
    #[test]
    fn chunks_and_order_do_not_matter_and_planning_again_changes_nothing(
        first in people(), second in people(), size in 1_usize..9, backwards: bool,
    ) {
        let mut whole = Portal { mirror: first.clone(), ..Portal::default() };
        let mut pieces = whole.clone();
        whole.plan(&chunked(&first, 8, false));
        pieces.plan(&chunked(&first, size, backwards));
        prop_assert_eq!(whole.seen(), pieces.seen());

        // A second read: other wishes, other people; who is not read any more stays.
        whole.mirror = second.clone();
        let mut pieces = whole.clone();
        whole.plan(&chunked(&second, 8, false));
        pieces.plan(&chunked(&second, size, backwards));
        prop_assert_eq!(whole.seen(), pieces.seen());

        let before = whole.seen();
        whole.plan(&chunked(&second, size, !backwards));
        prop_assert_eq!(before, whole.seen());
    }
}
