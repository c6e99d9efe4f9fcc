//! Take-overs: Manual users that the directory would make its own.

use domain::{guard::Decision, service::Source};
use store::{CustomerStore, TakeOver, UserWrite};

use crate::support::{NOW, TestDb, in_one_write, new_user, on_both_engines, write};

/// Two Manual users, each with a take-over that waits.
async fn two(customer: &CustomerStore) -> (Vec<i64>, Vec<TakeOver>) {
    let manual = |key: &str| UserWrite {
        source: Source::Manual,
        external_id: None,
        ..new_user(key, &format!("{key}@contoso.com"), &[])
    };
    let ids = write(customer, &[manual("a"), manual("b")]).await;
    in_one_write!(customer, |write| {
        let take_overs = [(ids[0], "x".to_owned(), "X".to_owned()), (ids[1], "y".to_owned(), "Y".to_owned())];
        write.await_take_overs(&take_overs, NOW).await.unwrap();
        write.await_take_overs(&[], NOW).await.unwrap();
    });
    (ids, customer.take_overs().await.unwrap())
}

on_both_engines! {
    async fn a_take_over_waits_and_what_was_decided_stays(db: &TestDb) {
        let customer = db.customer().await;
        let (ids, waiting) = two(&customer).await;
        assert_eq!(waiting[0], TakeOver {
            user_id: ids[0],
            external_id: "x".to_owned(),
            display_name: "X".to_owned(),
            decision: Decision::Waiting,
            since: NOW,
        });
        in_one_write!(customer, |write| {
            assert!(write.decide_take_over(ids[0], "x", Decision::Dismissed).await.unwrap());
            assert!(!write.decide_take_over(ids[0], "y", Decision::Dismissed).await.unwrap());
            // The next run meets the same person, and somebody else.
            let met = [(ids[0], "x".to_owned(), "X".to_owned()), (ids[0], "z".to_owned(), "Z".to_owned())];
            write.await_take_overs(&met, NOW.plus(9)).await.unwrap();
        });
        let among = in_one_write!(customer, |write| { write.take_overs_among(&ids[..1]).await.unwrap() });
        let seen: Vec<_> = among.iter().map(|t| (t.external_id.as_str(), t.decision, t.since)).collect();
        assert_eq!(seen, [("x", Decision::Dismissed, NOW), ("z", Decision::Waiting, NOW.plus(9))]);
    }

    async fn exactly_the_named_pairs_are_dropped(db: &TestDb) {
        let customer = db.customer().await;
        let (ids, _) = two(&customer).await;
        in_one_write!(customer, |write| {
            write.drop_take_overs(&[(ids[0], "x".to_owned()), (ids[1], "x".to_owned())]).await.unwrap();
        });
        let left = customer.take_overs().await.unwrap();
        assert_eq!(left.iter().map(|t| t.user_id).collect::<Vec<_>>(), [ids[1]]);
    }

    async fn another_customers_take_overs_are_neither_seen_nor_changed(db: &TestDb) {
        let (them, us) = (db.customer().await, db.other_customer().await);
        let (ids, theirs) = two(&them).await;
        assert_eq!(us.take_overs().await.unwrap(), []);
        in_one_write!(us, |write| {
            assert_eq!(write.take_overs_among(&ids).await.unwrap(), []);
            assert!(!write.decide_take_over(ids[0], "x", Decision::Approved).await.unwrap());
            write.drop_take_overs(&[(ids[0], "x".to_owned())]).await.unwrap();
            write.await_take_overs(&[(ids[0], "q".to_owned(), "Q".to_owned())], NOW).await.unwrap();
        });
        assert_eq!(them.take_overs().await.unwrap(), theirs);
        assert_eq!(us.take_overs().await.unwrap(), []);
    }
}
