//! What is decided by hand about single objects: exceptions, additions, and users who were entered.

use domain::{
    conflict::{Reason, State},
    guard::Decision,
    run::{Action, NoticeKind},
    service::{Service, Source, Status},
};
use serde_json::json;
use store::{ExceptionKind, User};

use crate::{
    scenario::{DAY, about, address, people},
    support::{World, id, of_kind, on_both_engines, person, with},
};

impl World {
    /// The user who has this primary address, wherever it comes from.
    async fn user_at(&self, local: &str) -> User {
        let mut write = self.customer.begin().await.unwrap();
        let holder = write.holders(&[address(local)]).await.unwrap().pop().unwrap();
        write.users_by_id(&[holder.user_id]).await.unwrap().pop().unwrap()
    }

    async fn decide_take_over(&self, number: u32, decision: Decision) {
        let waiting = self.customer.take_overs().await.unwrap();
        let one = waiting.iter().find(|one| one.external_id == id(number)).unwrap();
        let mut write = self.customer.begin().await.unwrap();
        assert!(write.decide_take_over(one.user_id, &one.external_id, decision).await.unwrap());
        write.commit().await.unwrap();
    }

    /// Complete reads that found nobody for the only addition.
    async fn reads_without(&self) -> i64 {
        self.customer.additions(Service::Entra).await.unwrap()[0].reads_without
    }
}

on_both_engines! {
    async fn a_user_who_is_kept_is_not_touched_by_the_sync_any_more(world: &mut World) {
        world.began(&[person(1, "a", &[]), person(2, "b", &["info"]), person(3, "c", &[])]).await;
        let before = world.user(2).await;
        world.except(ExceptionKind::User, &id(2), true).await;
        world.is_renamed(2, "Renamed", "renamed");
        // Nobody gets an address of somebody who stays as they are.
        world.sets(3, "proxyAddresses", json!(["SMTP:c@contoso.com", "smtp:info@contoso.com"]));
        let report = world.synced().await;
        assert_eq!((report.changes.updated, report.changes.missing), (0, 0));
        assert_eq!(about(&report, 3).len(), 1);
        assert_eq!(world.user(2).await, before);
        world.leaves(2);
        world.synced().await;
        assert_eq!(world.user(2).await, before, "absence does not touch it either");
    }

    async fn a_kept_user_who_left_meanwhile_is_missing_once_the_exception_ends(world: &mut World) {
        world.began(&people(3)).await;
        world.except(ExceptionKind::User, &id(2), true).await;
        world.leaves(2);
        world.synced().await;
        world.synced().await;
        assert!(world.in_conflict().await.is_empty());
        world.no_longer_except(ExceptionKind::User, &id(2)).await;
        assert_eq!(world.synced().await.changes.missing, 1);
        assert_eq!(world.in_conflict().await, [(id(2), Reason::NotInDirectory)]);
    }

    async fn an_excepted_alias_is_not_attached_to_anybody(world: &mut World) {
        world.began(&[person(1, "a", &["info", "help"]), person(2, "b", &[])]).await;
        world.except(ExceptionKind::Alias, "info@contoso.com", false).await;
        assert_eq!(world.synced().await.changes.updated, 1);
        assert_eq!(world.one(1).await.aliases, ["help@contoso.com"]);
        world.is_renamed(1, "Renamed", "renamed");
        world.synced().await;
        assert_eq!(world.one(1).await.aliases, ["a@contoso.com", "help@contoso.com"]);
        world.no_longer_except(ExceptionKind::Alias, "info@contoso.com").await;
        world.synced().await;
        assert_eq!(world.one(1).await.aliases, ["a@contoso.com", "help@contoso.com", "info@contoso.com"]);
    }

    async fn an_addition_is_in_despite_the_switch_and_the_filter(world: &mut World) {
        let sales = with(person(1, "p1", &[]), "department", "Sales");
        let disabled = with(person(2, "p2", &[]), "accountEnabled", false);
        world.people(&[sales, disabled, person(3, "p3", &[])]);
        world.connect(|form| form.text.custom_filter = "department eq 'Sales'".to_owned()).await;
        world.synced().await;
        assert_eq!(world.numbers().await, [1]);
        world.add("p2", Some(2)).await;
        world.add("p3", Some(3)).await;
        assert_eq!(world.synced().await.changes.added, 2);
        assert_eq!(world.numbers().await, [1, 2, 3]);
        assert!(world.user(2).await.sign_in_blocked);
    }

    async fn an_addition_closes_the_conflict_and_its_end_lets_the_other_rules_decide(world: &mut World) {
        world.began(&people(3)).await;
        world.happens(entra_sim::Change::Disable(id(2)));
        world.synced().await;
        world.add("p2", Some(2)).await;
        assert_eq!(world.synced().await.changes.restored, 1);
        assert!(world.in_conflict().await.is_empty());
        world.remove_addition().await;
        assert_eq!(world.synced().await.changes.missing, 1);
        assert_eq!(world.in_conflict().await, [(id(2), Reason::DisabledInDirectory)]);
    }

    async fn an_addition_that_nobody_was_found_for_waits_and_is_linked_by_a_later_sync(world: &mut World) {
        world.began(&people(2)).await;
        world.add("soon", None).await;
        let waiting = world.user_at("soon").await;
        assert_eq!((waiting.source, waiting.external_id.clone()), (Source::Azure, None));
        for reads in 1..=2 {
            let report = world.synced().await;
            assert_eq!((report.changes.missing, report.changes.updated), (0, 0), "who was never found is not missing");
            assert_eq!(world.reads_without().await, reads);
        }
        world.breaks("/groups/delta");
        world.sync().await;
        assert_eq!(world.reads_without().await, 2, "an incomplete read does not count");
        world.tenant.sim().clear_graph_faults();

        // The rules would leave the person out.
        world.joins(&with(person(3, "soon", &["info"]), "accountEnabled", false));
        let report = world.synced().await;
        assert_eq!((report.changes.added, report.changes.updated), (0, 1));
        let user = world.user(3).await;
        assert_eq!((user.id, user.public_id), (waiting.id, waiting.public_id));
        assert_eq!((user.display_name.as_str(), user.aliases.len()), ("Person 3", 1));
        let addition = world.customer.additions(Service::Entra).await.unwrap().remove(0);
        assert_eq!((addition.external_id, addition.reads_without), (Some(id(3)), 0));
        // From then on it follows the person, not the address.
        world.is_renamed(3, "Renamed", "renamed");
        world.sets(3, "proxyAddresses", json!(["SMTP:renamed@contoso.com"]));
        world.synced().await;
        assert_eq!(world.one(3).await.primary, "renamed@contoso.com");
        world.leaves(3);
        assert_eq!(world.synced().await.changes.missing, 1);
    }

    async fn a_manual_user_is_taken_over_once_an_administrator_says_so(world: &mut World) {
        world.began(&people(2)).await;
        world.enter("By hand", "info", &["extra"]).await;
        let entered = world.user_at("info").await;
        world.joins(&person(3, "info", &[]));
        world.is_renamed(1, "Renamed", "renamed");
        for _ in 0..2 {
            let report = world.synced().await;
            assert_eq!(of_kind(&report, NoticeKind::TakeOver).len(), 1);
            assert_eq!(world.find(3).await, None);
        }
        assert_eq!(world.one(1).await.name, "Renamed", "everything else goes on");
        let waiting = world.customer.take_overs().await.unwrap();
        assert_eq!((waiting.len(), waiting[0].display_name.as_str(), waiting[0].decision), (1, "Person 3", Decision::Waiting));
        world.decide_take_over(3, Decision::Approved).await;
        let report = world.synced().await;
        assert_eq!((report.changes.added, report.changes.updated), (0, 1));
        let user = world.user(3).await;
        assert_eq!((user.id, user.public_id, user.source), (entered.id, entered.public_id, Source::Azure));
        assert_eq!((user.display_name.as_str(), user.aliases.len()), ("Person 3", 0), "the directory's data");
        let changes = world.history(&report).await.remove(0).change.changes;
        assert!(changes.iter().any(|change| (change.old.as_str(), change.new.as_str()) == ("Manual", "Azure")), "{changes:?}");
        assert!(world.customer.take_overs().await.unwrap().is_empty(), "nothing waits any more");
    }

    async fn a_directory_alias_never_takes_a_manual_primary_but_a_manual_alias_is_given_up(world: &mut World) {
        world.began(&people(2)).await;
        let number = world.enter("By hand", "info", &["help", "desk"]).await;
        world.joins(&person(3, "c", &["info", "help"]));
        let report = world.synced().await;
        assert_eq!(world.one(3).await.aliases, ["help@contoso.com"]);
        assert!(about(&report, 3)[0].detail.contains("info@contoso.com"));
        let mut write = world.customer.begin().await.unwrap();
        let manual = write.users_by_id(&[number]).await.unwrap().pop().unwrap();
        drop(write);
        assert_eq!((manual.primary_address.as_str(), manual.aliases), ("info@contoso.com", vec![address("desk")]));
        assert!(world.customer.take_overs().await.unwrap().is_empty());
        // Its history says where the alias went.
        let rows = world.customer.object_changes(manual.public_id, None, 10).await.unwrap();
        assert_eq!((rows.len(), rows[0].change.action), (1, Action::Updated));
        assert_eq!((rows[0].change.changes[0].old.as_str(), rows[0].change.changes[0].new.as_str()), ("desk@contoso.com, help@contoso.com", "desk@contoso.com"));
    }
}

#[tokio::test]
async fn an_ignored_person_who_is_excepted_stays_ignored() {
    let world = World::new().await;
    world.began(&people(3)).await;
    world.happens(entra_sim::Change::Disable(id(2)));
    world.synced().await;
    world.decide(2, |conflict| conflict.state = State::Ignored).await;
    world.except(ExceptionKind::User, &id(2), false).await;
    world.synced().await;
    let conflict = world.conflict(2).await;
    assert_eq!((conflict.reason, conflict.state), (Reason::Exception, State::Ignored));
}

#[tokio::test]
async fn an_excepted_person_never_becomes_a_user_whatever_changes() {
    let world = &World::new().await;
    world.people(&people(3));
    world.connect(|_| {}).await;
    world.except(ExceptionKind::User, &id(2), false).await;
    let report = world.synced().await;
    assert!(report.summary.contains("1 excepted"), "{}", report.summary);
    assert_eq!(world.numbers().await, [1, 3]);
    world.is_renamed(2, "Renamed", "renamed");
    let report = world.synced().await;
    assert_eq!((report.changes.added, report.changes.updated), (0, 0));
    world.no_longer_except(ExceptionKind::User, &id(2)).await;
    assert_eq!(world.synced().await.changes.added, 1);
    assert_eq!(world.one(2).await.primary, "renamed@contoso.com");
}

#[tokio::test]
async fn a_user_who_is_let_go_becomes_a_conflict_and_comes_back_without_the_exception() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.except(ExceptionKind::User, &id(2), false).await;
    assert_eq!(world.synced().await.changes.missing, 1);
    assert_eq!(world.in_conflict().await, [(id(2), Reason::Exception)]);
    world.no_longer_except(ExceptionKind::User, &id(2)).await;
    assert_eq!(world.synced().await.changes.restored, 1);
    assert_eq!(world.user(2).await.status, Status::Active);
}

#[tokio::test]
async fn a_kept_user_who_is_in_conflict_already_is_not_deleted() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.leaves(2);
    world.synced().await;
    world.except(ExceptionKind::User, &id(2), true).await;
    world.clock.advance(30 * DAY);
    assert_eq!(world.synced().await.changes.deleted, 0);
    world.no_longer_except(ExceptionKind::User, &id(2)).await;
    assert_eq!(world.synced().await.changes.deleted, 1);
}

#[tokio::test]
async fn an_addition_gives_way_to_an_exception_and_to_absence() {
    let world = &World::new().await;
    let disabled = |n: u32| with(person(n, &format!("p{n}"), &[]), "accountEnabled", false);
    world.people(&[person(1, "a", &[]), disabled(2), disabled(3), person(4, "d", &[])]);
    world.connect(|_| {}).await;
    world.add("p2", Some(2)).await;
    world.add("p3", Some(3)).await;
    world.synced().await;
    assert_eq!(world.numbers().await, [1, 2, 3, 4]);
    world.except(ExceptionKind::User, &id(2), false).await;
    world.leaves(3);
    world.synced().await;
    assert_eq!(world.in_conflict().await, [(id(2), Reason::Exception), (id(3), Reason::NotInDirectory)]);
}

#[tokio::test]
async fn an_addition_finds_its_person_by_an_alias_as_well() {
    let world = &World::new().await;
    world.began(&people(2)).await;
    world.add("soon", None).await;
    world.synced().await;
    world.joins(&person(3, "c", &["soon"]));
    world.synced().await;
    let seen = world.one(3).await;
    assert_eq!((seen.primary.as_str(), seen.aliases), ("c@contoso.com", vec!["soon@contoso.com".to_owned()]));
    assert_eq!(world.users().await.len(), 3, "the user who waited is the person");
}

#[tokio::test]
async fn a_manual_user_who_is_never_taken_over_stays_and_the_person_goes_without_the_address() {
    let world = &World::new().await;
    world.began(&people(2)).await;
    world.enter("By hand", "info", &[]).await;
    world.joins(&person(3, "info", &["c"]));
    world.synced().await;
    world.decide_take_over(3, Decision::Dismissed).await;
    world.synced().await;
    assert_eq!(world.one(3).await.primary, "c@contoso.com");
    let manual = world.user_at("info").await;
    assert_eq!((manual.source, manual.external_id), (Source::Manual, None));
    world.is_renamed(3, "Renamed", "info");
    let report = world.synced().await;
    assert!(of_kind(&report, NoticeKind::TakeOver).is_empty(), "asked once");
    assert_eq!(world.user_at("info").await.source, Source::Manual);
    // Without the Manual user, the address is the person's.
    let mut write = world.customer.begin().await.unwrap();
    let deletion = store::Deletion { user_id: manual.id, reason: "by hand".to_owned() };
    write.delete_users(&[deletion], "ada", world.now()).await.unwrap();
    write.commit().await.unwrap();
    world.synced().await;
    assert_eq!(world.one(3).await.primary, "info@contoso.com");
}

#[tokio::test]
async fn a_user_who_was_let_go_and_left_meanwhile_is_not_in_the_directory_once_the_exception_ends() {
    let world = &World::new().await;
    world.began(&people(3)).await;
    world.except(ExceptionKind::User, &id(2), false).await;
    world.synced().await;
    let since = world.conflict(2).await.missing_since;
    world.clock.advance(DAY);
    world.leaves(2);
    world.synced().await;
    assert_eq!(world.conflict(2).await.reason, Reason::Exception);
    world.no_longer_except(ExceptionKind::User, &id(2)).await;
    world.synced().await;
    let conflict = world.conflict(2).await;
    assert_eq!((conflict.reason, conflict.missing_since), (Reason::NotInDirectory, since));
}
