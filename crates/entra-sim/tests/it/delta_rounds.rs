//! Delta rounds after changes.

use std::collections::{BTreeSet, HashMap};

use entra_sim::{DeltaHabits, DeltaPages, Options, Resync, Size};
use serde_json::{Value, json};
use time::Duration;

use crate::support::{Answer, Bench, ids, removed, set, text};

const SIZE: Size = Size { users: 60, groups: 12, members_per_group: 5, seed: 1 };
const SMALL: DeltaPages = DeltaPages { objects: 10, members: 4 };

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

fn members(object: &Value) -> Vec<(&str, &str)> {
    let entries = object["members@delta"].as_array().map_or(&[][..], Vec::as_slice);
    entries.iter().map(|entry| (text(entry, "id"), removed(entry))).collect()
}

/// What a reader has after applying rounds, the last one winning: users or groups, and members of groups.
#[derive(Debug, Default, PartialEq)]
struct Mirror {
    objects: HashMap<String, String>,
    members: HashMap<String, BTreeSet<String>>,
}

impl Mirror {
    fn apply(&mut self, round: &[Value]) {
        for object in round {
            let id = text(object, "id").to_owned();
            if !removed(object).is_empty() {
                self.objects.remove(&id);
                self.members.remove(&id);
                continue;
            }
            self.objects.insert(id.clone(), text(object, "displayName").to_owned());
            let of_group = self.members.entry(id).or_default();
            for (member, gone) in members(object) {
                if gone.is_empty() {
                    of_group.insert(member.to_owned());
                } else {
                    of_group.remove(member);
                }
            }
        }
    }

    async fn of_lists(bench: &Bench, kind: &str) -> Self {
        let mut mirror = Self::default();
        for object in bench.get(&format!("/{kind}?$top=999&$select=id,displayName")).await.value() {
            let id = text(object, "id").to_owned();
            let mut of_group = BTreeSet::new();
            if kind == "groups" {
                let list = bench.get(&format!("/groups/{id}/members?$top=999&$select=id")).await;
                of_group.extend(ids(list.value()).into_iter().map(str::to_owned));
            }
            mirror.objects.insert(id.clone(), text(object, "displayName").to_owned());
            mirror.members.insert(id, of_group);
        }
        mirror
    }
}

#[tokio::test]
async fn a_round_has_each_changed_object_once_as_it_is_now() {
    let bench = Bench::of_size(SIZE).await;
    let (_, link) = bench.round("/users/delta?$select=displayName,mail").await;
    let (one, other) = (bench.user(0), bench.user(1));
    bench.change(set(&one, json!({ "displayName": "First" })));
    bench.change(set(&other, json!({ "mail": null })));
    bench.change(set(&one, json!({ "displayName": "Second" })));
    let (round, next) = bench.round(&link).await;
    assert_eq!(ids(&round), [other.as_str(), &one]);
    assert_eq!(text(&round[1], "displayName"), "Second");
    assert!(round[1].get("mail").is_some(), "selected and unchanged properties come along");
    assert!(round[0]["mail"].is_null() && names(&round[0]).contains(&"mail"), "cleared is null, not missing");
    assert!(bench.round(&next).await.0.is_empty());
    assert_eq!(bench.round(&link).await.0.len(), 2, "an old link still tells all since then");
}

#[tokio::test]
async fn only_selected_properties_are_tracked() {
    let bench = Bench::of_size(SIZE).await;
    let (_, narrow) = bench.round("/users/delta?$select=mail").await;
    let (_, plain) = bench.round("/users/delta").await;
    bench.change(set(&bench.user(0), json!({ "department": "Elsewhere" })));
    assert!(bench.round(&narrow).await.0.is_empty());
    assert!(bench.round(&plain).await.0.is_empty(), "department is none of the default properties");
    bench.change(set(&bench.user(0), json!({ "displayName": "Renamed" })));
    assert!(bench.round(&narrow).await.0.is_empty());
    assert_eq!(bench.round(&plain).await.0.len(), 1);
}

#[tokio::test]
async fn soft_and_hard_deletion_restoration_and_purge_are_told_apart() {
    let bench = Bench::of_size(SIZE).await;
    let (_, mut link) = bench.round("/users/delta").await;
    let id = bench.user(0);
    let mut next = async |change: Option<Value>| {
        change.map(|change| bench.change(change));
        let (round, new) = bench.round(&link).await;
        link = new;
        round
    };
    let deleted = next(Some(json!({ "delete": { "object": id } }))).await;
    assert_eq!(deleted, [json!({ "id": id, "@removed": { "reason": "changed" } })]);
    let restored = next(Some(json!({ "restore": id }))).await;
    assert!(removed(&restored[0]).is_empty() && !text(&restored[0], "userPrincipalName").is_empty());
    let gone = next(Some(json!({ "delete": { "object": id, "for_good": true } }))).await;
    assert_eq!(gone, [json!({ "id": id, "@removed": { "reason": "deleted" } })]);

    let other = bench.user(1);
    next(Some(json!({ "delete": { "object": other } }))).await;
    // In steps, since a delta link lasts a week.
    for _ in 0..4 {
        bench.running.sim().advance_clock(Duration::days(6));
        assert!(next(None).await.is_empty());
    }
    bench.running.sim().advance_clock(Duration::days(6));
    assert_eq!(next(None).await, [json!({ "id": other, "@removed": { "reason": "deleted" } })]);
    let everything = bench.round("/users/delta").await.0;
    assert_eq!(everything.len(), 58, "a first round says nothing of what is gone");
}

#[tokio::test]
async fn with_return_minimal_a_changed_object_has_only_what_changed() {
    let bench = Bench::of_size(SIZE).await;
    let (_, link) = bench.round("/users/delta?$select=displayName,mail,department").await;
    let id = bench.user(0);
    bench.change(set(&id, json!({ "department": null, "jobTitle": "unselected" })));
    let added = bench
        .change(json!({ "add_user": { "userPrincipalName": "new@contoso.com", "mail": "new@contoso.com" } }));
    let request = bench.request(&link).await.header("Prefer", "return=minimal");
    let minimal = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(minimal.header("preference-applied"), "return=minimal");
    assert_eq!(minimal.value()[0], json!({ "id": id, "department": null }));
    assert_eq!(minimal.value()[1], json!({ "id": added, "displayName": "new", "mail": "new@contoso.com" }));
    let whole = bench.get(&link).await;
    assert_eq!(names(&whole.value()[0]), ["department", "displayName", "id", "mail"]);

    let (_, link) = bench.round("/groups/delta?$select=displayName,members").await;
    let group = bench.group("Headquarters");
    bench.change(json!({ "add_members": { "group": group, "members": [added] } }));
    let request = bench.request(&link).await.header("Prefer", "return=minimal");
    let minimal = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(names(&minimal.value()[0]), ["id", "members@delta"]);
}

#[tokio::test]
async fn memberships_are_reported_by_what_happened_last() {
    let bench = Bench::of_size(SIZE).await;
    let group = bench.group("Headquarters");
    let first: Vec<String> = {
        let list = bench.get(&format!("/groups/{group}/members/microsoft.graph.user")).await;
        ids(list.value()).into_iter().map(str::to_owned).collect()
    };
    let (_, link) = bench.round("/groups/delta").await;
    let (_, without) = bench.round("/groups/delta?$select=displayName").await;
    let outsider = bench.change(json!({ "add_user": { "userPrincipalName": "new@contoso.com" } }));
    let passing = bench.change(json!({ "add_user": { "userPrincipalName": "passing@contoso.com" } }));
    bench.change(json!({ "add_members": { "group": group, "members": [outsider, passing] } }));
    bench.change(json!({ "remove_members": { "group": group, "members": [first[0], first[1], passing] } }));
    bench.change(json!({ "add_members": { "group": group, "members": [first[1]] } }));
    let (round, _) = bench.round(&link).await;
    assert_eq!(ids(&round), [group.as_str()]);
    assert_eq!(text(&round[0], "displayName"), "Headquarters");
    let reported: HashMap<&str, &str> = members(&round[0]).into_iter().collect();
    let expected = [
        (outsider.as_str(), ""),
        (passing.as_str(), "deleted"),
        (first[0].as_str(), "deleted"),
        (&first[1], ""),
    ];
    assert_eq!(reported, HashMap::from(expected));
    assert!(bench.round(&without).await.0.is_empty(), "members that are not selected are not tracked");
}

#[tokio::test]
async fn a_change_of_many_members_is_split_over_pages_with_the_group_repeated() {
    let bench = Bench::with_delta_pages(SIZE, SMALL).await;
    let group = bench.group("Headquarters");
    let (_, link) = bench.round("/groups/delta").await;
    let new: Vec<String> = (0..11)
        .map(|number| {
            bench.change(json!({ "add_user": { "userPrincipalName": format!("n{number}@contoso.com") } }))
        })
        .collect();
    bench.change(json!({ "add_members": { "group": group, "members": new } }));
    let pages = bench.pages(&link).await;
    let sizes: Vec<usize> =
        pages.iter().map(|page| page.value().iter().map(|group| members(group).len()).sum()).collect();
    assert_eq!(sizes, [4, 0, 4, 3]);
    let objects: Vec<&Value> = pages.iter().flat_map(Answer::value).collect();
    assert!(objects.len() == 3 && objects.iter().all(|object| text(object, "displayName") == "Headquarters"));
    let all: Vec<&str> = objects.iter().flat_map(|group| members(group)).map(|(id, _)| id).collect();
    assert_eq!(all, new);
}

#[tokio::test]
async fn changes_while_a_round_is_read_are_not_lost() {
    let bench = Bench::with_delta_pages(SIZE, SMALL).await;
    for kind in ["users", "groups"] {
        let mut mirror = Mirror::default();
        let mut link = format!("/{kind}/delta?$select=id,displayName,members");
        let everybody = bench.group("All Employees");
        for round in 0..4 {
            let mut step = 0;
            loop {
                let page = bench.get(&link).await;
                mirror.apply(page.value());
                // Each page of the first three rounds is followed by changes before and after where the reader stands.
                if round < 3 && step < 6 {
                    let name = format!("{kind}{round}{step}@contoso.com");
                    let new = bench.change(json!({ "add_user": { "userPrincipalName": name } }));
                    let (near, far) = (bench.user(round * 8 + step), bench.user(59 - round * 8 - step));
                    bench.change(set(&near, json!({ "displayName": name })));
                    bench.change(set(&far, json!({ "displayName": name })));
                    bench.change(json!({ "remove_members": { "group": everybody, "members": [near] } }));
                    bench.change(json!({ "add_members": { "group": everybody, "members": [new] } }));
                    bench.change(json!({ "add_group": { "displayName": name } }));
                }
                step += 1;
                match page.link("@odata.nextLink") {
                    Some(next) => link = next,
                    None => break link = page.link("@odata.deltaLink").unwrap(),
                }
            }
        }
        let lists = Mirror::of_lists(&bench, kind).await;
        assert!(lists.objects.len() > 20);
        assert_eq!(mirror, lists);
    }
}

#[tokio::test]
async fn a_deleted_member_is_reported_by_its_groups_only_when_that_is_switched_on() {
    let bench = Bench::of_size(SIZE).await;
    let (_, link) = bench.round("/groups/delta").await;
    let id = bench.user(0);
    bench.change(json!({ "delete": { "object": id } }));
    bench.change(json!({ "restore": id }));
    let (round, link) = bench.round(&link).await;
    assert!(round.is_empty());

    bench.running.sim().set_delta_habits(DeltaHabits { members_follow: true, ..DeltaHabits::default() });
    bench.change(json!({ "delete": { "object": id } }));
    let (round, link) = bench.round(&link).await;
    let everybody = round.iter().find(|group| text(group, "displayName") == "All Employees").unwrap();
    assert_eq!(members(everybody), [(id.as_str(), "deleted")]);
    bench.change(json!({ "restore": id }));
    let (round, _) = bench.round(&link).await;
    let everybody = round.iter().find(|group| text(group, "displayName") == "All Employees").unwrap();
    assert_eq!(members(everybody), [(id.as_str(), "")]);
}

#[tokio::test]
async fn a_restored_group_comes_whole_with_its_members() {
    let bench = Bench::of_size(SIZE).await;
    let team = json!({ "displayName": "Team", "groupTypes": ["Unified"] });
    let team = bench.change(json!({ "add_group": team }));
    let (one, other) = (bench.user(0), bench.user(1));
    bench.change(json!({ "add_members": { "group": team, "members": [one, other] } }));
    let (_, link) = bench.round("/groups/delta").await;
    bench.change(json!({ "delete": { "object": team } }));
    let (round, link) = bench.round(&link).await;
    assert_eq!(round, [json!({ "id": team, "@removed": { "reason": "changed" } })]);
    bench.change(json!({ "restore": team }));
    bench.change(json!({ "remove_members": { "group": team, "members": [one] } }));
    let (round, _) = bench.round(&link).await;
    assert_eq!(text(&round[0], "displayName"), "Team");
    assert_eq!(members(&round[0]), [(one.as_str(), "deleted"), (&other, "")]);
}

#[tokio::test]
async fn latest_starts_from_now_on() {
    let bench = Bench::of_size(SIZE).await;
    bench.change(set(&bench.user(0), json!({ "displayName": "Before" })));
    let latest = bench.get("/users/delta?$select=displayName&$deltatoken=latest").await;
    assert!(latest.value().is_empty());
    bench.change(set(&bench.user(1), json!({ "displayName": "After" })));
    let (round, _) = bench.round(&latest.link("@odata.deltaLink").unwrap()).await;
    assert_eq!(round, [json!({ "id": bench.user(1), "displayName": "After" })]);
}

#[tokio::test]
async fn a_round_can_be_restricted_to_fifty_ids_and_to_nothing_else() {
    let bench = Bench::of_size(SIZE).await;
    let filter = |count: usize| {
        let ids: Vec<String> = (0..count).map(|index| format!("id eq '{}'", bench.user(index))).collect();
        format!("/users/delta?$select=displayName&$filter={}", ids.join(" or ").replace(' ', "%20"))
    };
    assert_eq!(bench.get(&filter(51)).await.refusal(), (400, "Request_UnsupportedQuery"));
    let name = "/users/delta?$filter=displayName%20eq%20'x'";
    assert_eq!(bench.get(name).await.refusal(), (400, "Request_UnsupportedQuery"));
    assert_eq!(bench.get("/users/delta?$filter=id%20eq").await.refusal(), (400, "BadRequest"));
    assert_eq!(bench.round(&filter(50)).await.0.len(), 50);
    let (two, link) = bench.round(&filter(2)).await;
    assert_eq!(ids(&two), [bench.user(0), bench.user(1)]);
    for index in [1, 2] {
        bench.change(set(&bench.user(index), json!({ "displayName": "Renamed" })));
    }
    let (round, link) = bench.round(&link).await;
    assert_eq!(ids(&round), [bench.user(1)]);

    bench.running.sim().advance_clock(Duration::days(8));
    let expired = bench.get(&link).await;
    assert_eq!(bench.round(expired.header("location")).await.0.len(), 2, "the restriction is kept");
}

#[tokio::test]
async fn a_token_that_is_too_old_is_refused_in_three_spellings() {
    let bench = Bench::of_size(SIZE).await;
    let (_, link) = bench.round("/users/delta").await;
    bench.running.sim().advance_clock(Duration::days(8));
    for (resync, refusal, has_location) in [
        (Resync::Gone, (410, "SyncStateNotFound"), true),
        (Resync::ResyncRequired, (410, "resyncRequired"), true),
        (Resync::BadRequest, (400, "syncStateNotFound"), false),
    ] {
        let habits = json!({ "resync": resync });
        assert_eq!(bench.control("POST", "/delta-habits", Some(habits)).await.status, 204);
        let answer = bench.get(&link).await;
        assert_eq!(answer.refusal(), refusal);
        assert_eq!(answer.header("location").ends_with("/users/delta?$deltatoken="), has_location);
    }
}

#[tokio::test]
async fn replays_repeat_what_was_delivered_and_change_nothing() {
    let bench = Bench::with_delta_pages(SIZE, SMALL).await;
    let habits = json!({ "replays": true, "removed_in_first_round": true });
    bench.control("POST", "/delta-habits", Some(habits)).await;
    bench.change(json!({ "delete": { "object": bench.user(3) } }));
    for kind in ["users", "groups"] {
        let mut mirror = Mirror::default();
        let (first, mut link) = bench.round(&format!("/{kind}/delta?$select=id,displayName,members")).await;
        mirror.apply(&first);
        if kind == "users" {
            assert!(first.iter().any(|user| removed(user) == "changed"));
            let distinct: BTreeSet<&str> = ids(&first).into_iter().collect();
            assert!(distinct.len() == 60 && first.len() > 60, "{}", first.len());
        }
        let quiet = bench.round(&link).await.0;
        assert_eq!(quiet.len(), 1, "a quiet round repeats one");
        let group = bench.group("Headquarters");
        for index in 10..14 {
            let user = bench.user(index);
            bench.change(set(&user, json!({ "displayName": format!("{kind} {index}") })));
            bench.change(json!({ "remove_members": { "group": group, "members": [user] } }));
            bench.change(json!({ "add_members": { "group": group, "members": [user] } }));
            bench.change(json!({ "remove_members": { "group": group, "members": [user] } }));
            let (round, next) = bench.round(&link).await;
            mirror.apply(&round);
            link = next;
        }
        assert_eq!(mirror, Mirror::of_lists(&bench, kind).await);
    }
}

#[tokio::test]
async fn a_round_of_a_percent_of_a_large_tenant_is_read_in_few_pages() {
    let size = Size { users: 20_000, groups: 3, members_per_group: 5, seed: 1 };
    let bench = Bench::with(Options { size, ..Options::default() }).await;
    let link = bench.get("/users/delta?$deltatoken=latest").await.link("@odata.deltaLink").unwrap();
    let changes: Vec<Value> =
        (0..200).map(|index| set(&bench.user(index * 100), json!({ "displayName": "Renamed" }))).collect();
    assert_eq!(bench.control("POST", "/changes", Some(Value::Array(changes))).await.status, 200);
    let pages = bench.pages(&link).await;
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0].value().len(), 200);
}
