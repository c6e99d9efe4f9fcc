//! What the deletion guard holds and counts.

use domain::{
    Timestamp,
    guard::{Decision, Guarded},
};
use store::{CustomerStore, Held, HeldRow};

use crate::{
    groups::new_group,
    support::{NOW, TestDb, in_one_write, new_user, on_both_engines, write},
};

async fn hold(customer: &CustomerStore, run: i64, objects: &[i64], reason: &str, now: Timestamp) {
    let objects: Vec<_> = objects.iter().map(|object| (*object, reason.to_owned())).collect();
    in_one_write!(customer, |write| { write.hold(run, Guarded::Removal, &objects, now).await.unwrap() });
}

async fn decide(customer: &CustomerStore, objects: Option<&[i64]>, decision: Decision) -> i64 {
    in_one_write!(customer, |write| {
        write.decide_held(Guarded::Removal, objects, decision, NOW).await.unwrap()
    })
}

/// The numbers and decisions of the held removals.
async fn decisions(customer: &CustomerStore) -> Vec<(i64, Decision)> {
    let rows = customer.held(Guarded::Removal, 0, 100).await.unwrap();
    rows.into_iter().map(|row| (row.held.object_id, row.held.decision)).collect()
}

async fn three(customer: &CustomerStore) -> Vec<i64> {
    let users: Vec<_> = ["a", "b", "c"].map(|key| new_user(key, &format!("{key}@contoso.com"), &[])).to_vec();
    write(customer, &users).await
}

on_both_engines! {
    async fn what_is_held_again_keeps_its_decision_and_its_date(db: &TestDb) {
        let customer = db.customer().await;
        let ids = three(&customer).await;
        hold(&customer, 1, &ids[..2], "gone", NOW).await;
        assert_eq!(decide(&customer, Some(&ids[..1]), Decision::Dismissed).await, 1);
        hold(&customer, 2, &[ids[0], ids[1], ids[2], ids[0]], "filtered out", NOW.plus(9)).await;
        let held = in_one_write!(customer, |write| { write.held_among(Guarded::Removal, &ids).await.unwrap() });
        let expected = |object_id, decision, since| Held {
            kind: Guarded::Removal, object_id, decision, reason: "filtered out".to_owned(), since, run_id: 2,
        };
        assert_eq!(held, [
            expected(ids[0], Decision::Dismissed, NOW),
            expected(ids[1], Decision::Waiting, NOW),
            expected(ids[2], Decision::Waiting, NOW.plus(9)),
        ]);
        assert_eq!(customer.held_count(Guarded::Removal).await.unwrap(), 2);
        assert_eq!(customer.held_count(Guarded::Deletion).await.unwrap(), 0);
    }

    async fn a_run_drops_what_waits_and_it_did_not_hold(db: &TestDb) {
        let customer = db.customer().await;
        let ids = three(&customer).await;
        hold(&customer, 1, &ids, "gone", NOW).await;
        decide(&customer, Some(&ids[1..2]), Decision::Approved).await;
        hold(&customer, 2, &ids[..1], "gone", NOW).await;
        let dropped = in_one_write!(customer, |write| {
            assert_eq!(write.drop_held_of_other_runs(Guarded::Deletion, 2).await.unwrap(), 0);
            write.drop_held_of_other_runs(Guarded::Removal, 2).await.unwrap()
        });
        assert_eq!(dropped, 1);
        assert_eq!(decisions(&customer).await, [(ids[0], Decision::Waiting), (ids[1], Decision::Approved)]);
        in_one_write!(customer, |write| {
            write.drop_held(Guarded::Deletion, &ids).await.unwrap();
            write.drop_held(Guarded::Removal, &ids[..1]).await.unwrap();
        });
        assert_eq!(decisions(&customer).await, [(ids[1], Decision::Approved)]);
    }

    async fn a_decision_covers_those_named_or_all_that_wait(db: &TestDb) {
        let customer = db.customer().await;
        let ids = three(&customer).await;
        hold(&customer, 1, &ids, "gone", NOW).await;
        assert_eq!(decide(&customer, Some(&[]), Decision::Approved).await, 0);
        assert_eq!(decide(&customer, Some(&ids[..1]), Decision::Dismissed).await, 1);
        assert_eq!(decide(&customer, Some(&ids[..1]), Decision::Dismissed).await, 0);
        assert_eq!(decide(&customer, None, Decision::Approved).await, 2);
        assert_eq!(decisions(&customer).await, [
            (ids[0], Decision::Dismissed),
            (ids[1], Decision::Approved),
            (ids[2], Decision::Approved)
        ]);
        assert_eq!(decide(&customer, Some(&ids[..1]), Decision::Approved).await, 1, "a decision may be changed");
        assert_eq!(customer.held_count(Guarded::Removal).await.unwrap(), 0);
    }

    async fn a_removal_confirmed_on_a_page_is_approved_before_any_run_holds_it(db: &TestDb) {
        let customer = db.customer().await;
        let ids = three(&customer).await;
        hold(&customer, 1, &ids[..1], "gone", NOW).await;
        in_one_write!(customer, |write| {
            write.approve_removals(&[ids[0], ids[1], ids[1]], NOW.plus(5)).await.unwrap();
            write.approve_removals(&[], NOW).await.unwrap();
        });
        let held = in_one_write!(customer, |write| { write.held_among(Guarded::Removal, &ids).await.unwrap() });
        let expected = |object_id, reason: &str, since, run_id| Held {
            kind: Guarded::Removal, object_id, decision: Decision::Approved, reason: reason.to_owned(), since, run_id,
        };
        assert_eq!(held, [expected(ids[0], "gone", NOW, 1), expected(ids[1], "", NOW.plus(5), 0)]);
        hold(&customer, 2, &ids[1..2], "gone", NOW.plus(6)).await;
        assert_eq!(decisions(&customer).await, [(ids[0], Decision::Approved), (ids[1], Decision::Approved)]);
    }

    async fn the_list_names_users_and_groups_page_by_page(db: &TestDb) {
        let customer = db.customer().await;
        let ids = three(&customer).await;
        hold(&customer, 1, &ids, "gone", NOW).await;
        let bare = store::GroupWrite { address: None, ..new_group("Bare", "bare@contoso.com") };
        let groups = [new_group("All", "all@contoso.com"), bare];
        let group_ids = in_one_write!(customer, |write| {
            let group_ids = write.write_groups(&groups).await.unwrap();
            let objects: Vec<_> = group_ids.iter().map(|id| (*id, "gone".to_owned())).collect();
            write.hold(1, Guarded::Group, &objects, NOW).await.unwrap();
            group_ids
        });
        let page = customer.held(Guarded::Removal, ids[0], 1).await.unwrap();
        let user = customer.user(page[0].public_id).await.unwrap().unwrap();
        assert_eq!((page.len(), user.id, page[0].display_name.as_str()), (1, ids[1], "b"));
        assert_eq!(page[0].address, "b@contoso.com");
        let listed = customer.held(Guarded::Group, 0, 9).await.unwrap();
        assert_eq!(listed[0], HeldRow {
            held: Held {
                kind: Guarded::Group, object_id: group_ids[0], decision: Decision::Waiting, reason: "gone".to_owned(), since: NOW, run_id: 1,
            },
            public_id: groups[0].public_id,
            display_name: "All".to_owned(),
            address: "all@contoso.com".to_owned(),
        });
        assert_eq!(listed[1].address, "");
    }

    async fn the_guard_counts_a_kind_since_a_moment_and_since_the_last_approval(db: &TestDb) {
        let (customer, other) = (db.customer().await, db.other_customer().await);
        let recent = async |kind, since| customer.guard_recent(kind, NOW.plus(since)).await.unwrap();
        assert_eq!(recent(Guarded::Removal, 0).await, 0);
        in_one_write!(customer, |write| {
            write.log_guard(Guarded::Removal, false, 3, NOW.plus(1)).await.unwrap();
            write.log_guard(Guarded::Removal, false, 4, NOW.plus(2)).await.unwrap();
            write.log_guard(Guarded::Deletion, false, 50, NOW.plus(2)).await.unwrap();
        });
        assert_eq!(recent(Guarded::Removal, 1).await, 7);
        assert_eq!(recent(Guarded::Removal, 2).await, 4);
        in_one_write!(customer, |write| {
            write.log_guard(Guarded::Removal, true, 100, NOW.plus(3)).await.unwrap();
            // The clock may have been set back.
            write.log_guard(Guarded::Removal, false, 1, NOW.plus(2)).await.unwrap();
        });
        assert_eq!(recent(Guarded::Removal, 0).await, 1);
        assert_eq!(recent(Guarded::Deletion, 0).await, 50, "an approval is of one kind");
        assert_eq!(other.guard_recent(Guarded::Deletion, NOW).await.unwrap(), 0);
        in_one_write!(other, |write| { write.log_guard(Guarded::Deletion, true, 0, NOW).await.unwrap() });
        assert_eq!(recent(Guarded::Deletion, 0).await, 50);
    }

    async fn another_customers_held_objects_are_neither_seen_nor_decided(db: &TestDb) {
        let (them, us) = (db.customer().await, db.other_customer().await);
        let ids = three(&them).await;
        hold(&them, 1, &ids, "gone", NOW).await;
        assert_eq!(us.held(Guarded::Removal, 0, 9).await.unwrap(), []);
        assert_eq!(us.held_count(Guarded::Removal).await.unwrap(), 0);
        in_one_write!(us, |write| {
            assert_eq!(write.held_among(Guarded::Removal, &ids).await.unwrap(), []);
            assert_eq!(write.decide_held(Guarded::Removal, Some(&ids), Decision::Approved, NOW).await.unwrap(), 0);
            assert_eq!(write.decide_held(Guarded::Removal, None, Decision::Approved, NOW).await.unwrap(), 0);
            assert_eq!(write.drop_held_of_other_runs(Guarded::Removal, 9).await.unwrap(), 0);
            write.drop_held(Guarded::Removal, &ids).await.unwrap();
            write.approve_removals(&ids, NOW).await.unwrap();
            write.hold(7, Guarded::Removal, &[(ids[0], "theirs".to_owned())], NOW).await.unwrap();
        });
        assert_eq!(us.held(Guarded::Removal, 0, 9).await.unwrap(), [], "a number of theirs names nobody here");
        assert_eq!(decisions(&them).await, [
            (ids[0], Decision::Waiting),
            (ids[1], Decision::Waiting),
            (ids[2], Decision::Waiting)
        ]);
        assert!(them.held(Guarded::Removal, 0, 9).await.unwrap().iter().all(|row| row.held.run_id == 1));
    }
}
