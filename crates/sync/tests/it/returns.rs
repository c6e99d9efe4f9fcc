//! A person comes back: under the same id, under another one, or out of the recycle bin.

use domain::{
    conflict::{Reason, State},
    guard::{Decision, Guarded},
    run::{Action, NoticeKind},
    service::Status,
};
use serde_json::Value;

use crate::{
    scenario::{DAY, people},
    support::{World, id, of_kind, on_both_engines, person, with},
};

/// Somebody who has the address of another person, and their name or not.
fn successor(number: u32, local: &str, name: &str) -> Value {
    with(person(number, local, &[]), "displayName", name)
}

on_both_engines! {
    async fn who_comes_back_under_the_same_id_closes_the_conflict(world: &mut World) {
        world.began(&people(3)).await;
        world.leaves(2);
        world.synced().await;
        let before = world.user(2).await;
        world.clock.advance(6 * DAY);
        world.returns(2);
        let report = world.synced().await;
        assert_eq!((report.changes.restored, report.changes.added, report.changes.updated), (1, 0, 0));
        let user = world.user(2).await;
        assert_eq!((user.id, user.public_id, user.status), (before.id, before.public_id, Status::Active));
        assert_eq!(user.conflict, None);
        world.clock.advance(10 * DAY);
        assert_eq!(world.synced().await.changes.deleted, 0);
        assert_eq!(world.timeline(&user).await, [
            (Action::Added, "in directory".to_owned()),
            (Action::Missing, "not in directory".to_owned()),
            (Action::Restored, "delivered again; was not in directory".to_owned()),
        ]);
    }

    async fn a_deactivation_made_in_the_conflict_ends_with_it(world: &mut World) {
        world.began(&people(4)).await;
        for number in [2, 3] {
            world.leaves(number);
        }
        world.synced().await;
        world.decide(2, |conflict| conflict.state = State::Deactivated).await;
        world.decide(3, |conflict| (conflict.state, conflict.stay_inactive) = (State::Deactivated, true)).await;
        world.returns(2);
        world.returns(3);
        world.synced().await;
        assert_eq!(world.user(2).await.status, Status::Active);
        assert_eq!(world.user(3).await.status, Status::Inactive, "stay inactive was ticked");
        assert!(world.in_conflict().await.is_empty());
    }

    async fn the_two_leaves_of_a_year(world: &mut World) {
        // Two go on leave for twelve weeks. One of them is ignored, the other is forgotten.
        world.began(&people(4)).await;
        world.leaves(2);
        world.leaves(3);
        world.synced().await;
        let ignored = world.user(2).await;
        world.decide(2, |conflict| conflict.state = State::Ignored).await;
        world.clock.advance(7 * DAY);
        assert_eq!(world.synced().await.changes.deleted, 1);
        assert_eq!(world.numbers().await, [1, 2, 4]);
        world.clock.advance(11 * 7 * DAY);
        world.synced().await;
        world.returns(2);
        let report = world.synced().await;
        assert_eq!((report.changes.restored, report.changes.added), (1, 0));
        let back = world.user(2).await;
        assert_eq!((back.id, back.public_id, back.created_at), (ignored.id, ignored.public_id, ignored.created_at));
        assert_eq!((back.status, world.timeline(&back).await.len()), (Status::Active, 3));
    }

    async fn a_deleted_user_whom_the_directory_delivers_again_is_the_one_it_was(world: &mut World) {
        world.began(&[person(1, "a", &[]), person(2, "b", &["info"]), person(3, "c", &[])]).await;
        world.leaves(2);
        world.synced().await;
        let before = world.user(2).await;
        world.clock.advance(7 * DAY);
        world.synced().await;
        assert_eq!(world.find(2).await, None);
        world.returns(2);
        let report = world.synced().await;
        assert_eq!((report.changes.restored, report.changes.added), (1, 0));
        let user = world.user(2).await;
        assert_eq!((user.id, user.public_id, user.created_at), (before.id, before.public_id, before.created_at));
        assert_eq!((user.status, user.aliases.len()), (Status::Active, 1));
        assert!(world.customer.recycle_bin(None, 10).await.unwrap().is_empty());
        assert_eq!(world.timeline(&user).await.last().unwrap().1, "delivered again; was in the recycle bin");
    }

    async fn the_same_address_and_name_under_another_id_is_the_same_person(world: &mut World) {
        world.began(&people(3)).await;
        world.leaves(2);
        world.synced().await;
        let before = world.user(2).await;
        world.joins(&successor(22, "p2", "person 2"));
        let report = world.synced().await;
        assert_eq!((report.changes.restored, report.changes.added), (1, 0));
        assert_eq!(world.numbers().await, [1, 3, 22]);
        let user = world.user(22).await;
        assert_eq!((user.id, user.public_id, user.conflict), (before.id, before.public_id, None));
        let row = world.history(&report).await.remove(0);
        let change = row.change.changes.iter().find(|change| change.field == "Directory id").unwrap();
        assert_eq!((&change.old, &change.new), (&id(2), &id(22)));
        // The first id is history: its return is another person.
        world.is_renamed(22, "Person 2", "moved");
        world.synced().await;
    }

    async fn who_is_deleted_and_created_anew_between_two_syncs_is_never_a_conflict(world: &mut World) {
        world.began(&people(3)).await;
        let before = world.user(2).await;
        world.leaves(2);
        world.joins(&successor(22, "p2", "Person 2"));
        let report = world.synced().await;
        assert_eq!((report.changes.missing, report.changes.added, report.changes.updated), (0, 0, 1));
        assert_eq!(world.user(22).await.public_id, before.public_id);
        assert_eq!(world.numbers().await, [1, 3, 22]);
    }

    async fn a_new_hire_never_inherits_a_leavers_record(world: &mut World) {
        world.began(&people(3)).await;
        world.leaves(2);
        world.synced().await;
        let leaver = world.user(2).await;
        world.joins(&successor(22, "p2", "Somebody Else"));
        let report = world.synced().await;
        assert_eq!((report.changes.added, report.changes.restored), (1, 0));
        let asks = of_kind(&report, NoticeKind::SamePerson);
        assert_eq!((asks.len(), asks[0].external_id.as_str()), (1, id(22).as_str()));
        let (old, new) = (world.user(2).await, world.user(22).await);
        assert_ne!(old.public_id, new.public_id);
        assert_eq!((new.primary_address.as_str(), new.status), ("p2@contoso.com", Status::Active));
        assert_eq!(old.conflict.as_ref().unwrap().rival, Some(id(22)));
        assert_eq!((old.address_lost, old.primary_address.as_str()), (true, "p2@contoso.com"), "the last known one");
        assert_eq!(old.conflict.unwrap().missing_since, leaver.conflict.unwrap().missing_since);
        let again = world.synced().await;
        assert!(of_kind(&again, NoticeKind::SamePerson).is_empty(), "asked once");
        world.clock.advance(7 * DAY);
        assert_eq!(world.synced().await.changes.deleted, 1, "the leaver's clock went on");
        assert_eq!(world.numbers().await, [1, 3, 22]);
    }
}

#[tokio::test]
async fn a_second_absence_starts_a_clock_of_its_own() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.leaves(2);
    world.synced().await;
    world.decide(2, |conflict| conflict.state = State::Ignored).await;
    world.returns(2);
    world.synced().await;
    world.clock.advance(20 * DAY);
    world.leaves(2);
    assert_eq!(world.synced().await.changes.deleted, 0);
    let conflict = world.conflict(2).await;
    assert_eq!(
        (conflict.state, conflict.missing_since),
        (State::Pending, world.now()),
        "the Ignore ended with the first one"
    );
}

#[tokio::test]
async fn a_deactivation_from_the_users_page_is_not_undone() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    let user = world.user(2).await;
    let mut write = world.customer.begin().await.unwrap();
    write.set_service(user.id, false).await.unwrap();
    write.commit().await.unwrap();
    world.is_renamed(2, "Another Name", "another");
    world.synced().await;
    assert_eq!(world.user(2).await.status, Status::Inactive);
    world.leaves(2);
    world.synced().await;
    world.returns(2);
    world.synced().await;
    let user = world.user(2).await;
    assert_eq!((user.status, user.conflict), (Status::Inactive, None));
}

#[tokio::test]
async fn an_address_that_was_taken_meanwhile_is_left_out_when_a_deleted_user_comes_back() {
    let world = &World::new().await;
    world.began(&[person(1, "a", &[]), person(2, "b", &["info"]), person(3, "c", &[])]).await;
    world.leaves(2);
    world.synced().await;
    world.clock.advance(7 * DAY);
    world.synced().await;
    world.sets(3, "proxyAddresses", serde_json::json!(["SMTP:c@contoso.com", "smtp:info@contoso.com"]));
    world.synced().await;
    world.returns(2);
    let report = world.synced().await;
    assert_eq!((world.one(2).await.primary.as_str(), world.one(2).await.aliases.len()), ("b@contoso.com", 0));
    assert_eq!(world.one(3).await.aliases, ["info@contoso.com"]);
    assert_eq!(of_kind(&report, NoticeKind::Clash).len(), 1);
}

#[tokio::test]
async fn a_new_hire_and_the_leaver_in_the_same_sync_are_two_people_as_well() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.leaves(2);
    world.joins(&successor(22, "p2", "Somebody Else"));
    let report = world.synced().await;
    assert_eq!((report.changes.missing, report.changes.added), (1, 1));
    assert_eq!(world.in_conflict().await, [(id(2), Reason::NotInDirectory)]);
    assert_eq!(world.conflict(2).await.rival, Some(id(22)));
    assert_eq!(world.one(22).await.primary, "p2@contoso.com");
}

#[tokio::test]
async fn somebody_who_is_only_filtered_out_is_not_taken_for_their_namesake() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.happens(entra_sim::Change::Disable(id(2)));
    world.synced().await;
    world.joins(&successor(22, "p2", "Person 2"));
    world.synced().await;
    assert_eq!(world.in_conflict().await, [(id(2), Reason::DisabledInDirectory)]);
    assert_ne!(world.user(22).await.public_id, world.user(2).await.public_id);
}

#[tokio::test]
async fn a_leaver_who_was_held_is_asked_about_once_the_removal_is_approved() {
    let world = &World::new().await;
    world.began(&people(10)).await;
    world.limits(2, 100, 100).await;
    (1..=3).for_each(|number| world.leaves(number));
    world.joins(&successor(22, "p1", "Somebody Else"));
    assert_eq!(world.read().await.held, 3);
    assert!(world.user(1).await.address_lost);
    world.decide_held(Guarded::Removal, Decision::Approved).await;
    let report = world.synced().await;
    assert_eq!(world.conflict(1).await.rival, Some(id(22)));
    assert_eq!(of_kind(&report, NoticeKind::SamePerson).len(), 1);
}
