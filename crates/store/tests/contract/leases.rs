//! Leases: taken, taken over, renewed, released, lost.

use domain::Timestamp;
use store::{LeaseRow, StoreError};

use crate::support::{NOW, TestDb, on_both_engines};

const TTL: i64 = 20 * Timestamp::SECOND;

fn alive(_: &str) -> bool {
    false
}

on_both_engines! {
    async fn a_live_owner_keeps_the_lease_and_a_released_one_is_free(db: &TestDb) {
        let customer = db.customer().await;
        assert_eq!(customer.lease("sync").await.unwrap(), None);
        let lease = customer.take_lease("sync", "a", NOW, TTL, alive).await.unwrap().unwrap();
        let held = LeaseRow { owner: "a".to_owned(), token: lease.token, expires_at: NOW.plus(TTL) };
        assert_eq!(customer.lease("sync").await.unwrap(), Some(held));
        assert_eq!(customer.take_lease("sync", "b", NOW.plus(TTL - 1), TTL, alive).await.unwrap(), None);
        // Another name and another customer are another lease.
        assert!(customer.take_lease("prune", "b", NOW, TTL, alive).await.unwrap().is_some());
        assert!(db.other_customer().await.take_lease("sync", "b", NOW, TTL, alive).await.unwrap().is_some());

        customer.release_lease(&lease).await.unwrap();
        assert_eq!(customer.lease("sync").await.unwrap(), None);
        let next = customer.take_lease("sync", "b", NOW, TTL, alive).await.unwrap().unwrap();
        assert!(next.token > lease.token, "the token rises also over a release");
    }

    async fn an_expired_lease_is_taken_over_and_the_old_owner_is_told(db: &TestDb) {
        let customer = db.customer().await;
        let old = customer.take_lease("sync", "a", NOW, TTL, alive).await.unwrap().unwrap();
        let later = NOW.plus(TTL);
        let new = customer.take_lease("sync", "b", later, TTL, alive).await.unwrap().unwrap();
        assert!(new.token > old.token);
        let lost = customer.begin_chunk(&old, later).await.err().unwrap();
        assert!(matches!(&lost, StoreError::LostLease(name) if name == "sync"), "{lost:?}");
        assert!(!customer.renew_lease(&old, later, TTL).await.unwrap());
        customer.release_lease(&old).await.unwrap();
        assert_eq!(customer.lease("sync").await.unwrap().unwrap().owner, "b", "the old owner releases nothing");
        customer.begin_chunk(&new, later).await.unwrap().commit().await.unwrap();
    }

    async fn the_lease_of_a_dead_owner_is_taken_over_at_once(db: &TestDb) {
        let customer = db.customer().await;
        let old = customer.take_lease("sync", "dead", NOW, TTL, alive).await.unwrap().unwrap();
        let is_dead = |owner: &str| owner == "dead";
        let new = customer.take_lease("sync", "b", NOW, TTL, is_dead).await.unwrap().unwrap();
        assert!(new.token > old.token);
        assert_eq!(customer.take_lease("sync", "c", NOW, TTL, is_dead).await.unwrap(), None);
        assert!(matches!(customer.begin_chunk(&old, NOW).await, Err(StoreError::LostLease(_))));
    }

    async fn a_lease_lasts_by_renewal_and_a_chunk_after_its_end_is_refused(db: &TestDb) {
        let customer = db.customer().await;
        let lease = customer.take_lease("sync", "a", NOW, TTL, alive).await.unwrap().unwrap();
        assert!(customer.renew_lease(&lease, NOW.plus(TTL - 1), TTL).await.unwrap());
        let end = NOW.plus(2 * TTL - 1);
        let mut chunk = customer.begin_chunk(&lease, end.plus(-1)).await.unwrap();
        chunk.raise_topic("users").await.unwrap();
        chunk.commit().await.unwrap();
        assert_eq!(customer.topic_versions().await.unwrap(), [("users".to_owned(), 1)]);
        assert!(matches!(customer.begin_chunk(&lease, end).await, Err(StoreError::LostLease(_))));
        assert!(!customer.renew_lease(&lease, end, TTL).await.unwrap(), "what has expired is not renewed");
    }

    async fn of_many_takers_at_once_one_gets_the_lease(db: &TestDb) {
        let customer = db.customer().await;
        let takers: Vec<_> = (0..8)
            .map(|number| {
                let customer = customer.clone();
                tokio::spawn(async move {
                    customer.take_lease("sync", &format!("owner {number}"), NOW, TTL, alive).await.unwrap()
                })
            })
            .collect();
        let mut taken = 0;
        for taker in takers {
            taken += usize::from(taker.await.unwrap().is_some());
        }
        assert_eq!(taken, 1);
    }

    async fn a_lease_does_not_change_hands_while_a_chunk_is_being_written(db: &TestDb) {
        let customer = db.customer().await;
        let lease = customer.take_lease("sync", "a", NOW, TTL, alive).await.unwrap().unwrap();
        let mut chunk = customer.begin_chunk(&lease, NOW.plus(TTL - 1)).await.unwrap();
        let taker = tokio::spawn({
            let customer = customer.clone();
            async move { customer.take_lease("sync", "b", NOW.plus(TTL), TTL, alive).await.unwrap() }
        });
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert!(!taker.is_finished());
        chunk.raise_topic("users").await.unwrap();
        chunk.commit().await.unwrap();
        assert!(taker.await.unwrap().is_some_and(|new| new.token > lease.token));
    }

    async fn a_lease_does_not_change_hands_while_shared_chunks_are_being_written(db: &TestDb) {
        let customer = db.customer().await;
        let lease = customer.take_lease("sync", "a", NOW, TTL, alive).await.unwrap().unwrap();
        let mut first = customer.begin_shared_chunk(&lease, NOW.plus(TTL - 1)).await.unwrap();
        first.raise_topic("plan").await.unwrap();
        first.commit().await.unwrap();
        let mut first = customer.begin_shared_chunk(&lease, NOW.plus(TTL - 1)).await.unwrap();
        assert!(first.share_topic("plan").await.unwrap());
        assert!(!first.share_topic("never raised").await.unwrap());
        // SQLite has one writer: there the second one would wait for the first.
        let second = match &db.url {
            store::DatabaseUrl::Sqlite(_) => None,
            store::DatabaseUrl::Postgres(_) => {
                let mut second = customer.begin_shared_chunk(&lease, NOW.plus(TTL - 1)).await.unwrap();
                assert!(second.share_topic("plan").await.unwrap());
                Some(second)
            }
        };
        let taker = tokio::spawn({
            let customer = customer.clone();
            async move { customer.take_lease("sync", "b", NOW.plus(TTL), TTL, alive).await.unwrap() }
        });
        let saver = tokio::spawn({
            let customer = customer.clone();
            async move {
                let mut write = customer.begin().await.unwrap();
                write.raise_topic("plan").await.unwrap();
                write.commit().await.unwrap();
            }
        });
        for chunk in [Some(first), second].into_iter().flatten() {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            assert!(!taker.is_finished() && !saver.is_finished(), "either waits for every chunk");
            chunk.commit().await.unwrap();
        }
        assert!(taker.await.unwrap().is_some_and(|new| new.token > lease.token));
        saver.await.unwrap();
        assert!(matches!(customer.begin_shared_chunk(&lease, NOW).await, Err(StoreError::LostLease(_))));
    }

    async fn a_lease_of_one_customer_opens_no_chunk_of_another(db: &TestDb) {
        let (customer, other) = (db.customer().await, db.other_customer().await);
        let lease = customer.take_lease("sync", "a", NOW, TTL, alive).await.unwrap().unwrap();
        assert!(matches!(other.begin_chunk(&lease, NOW).await, Err(StoreError::LostLease(_))));
        assert!(matches!(other.begin_shared_chunk(&lease, NOW).await, Err(StoreError::LostLease(_))));
        assert!(!other.renew_lease(&lease, NOW, TTL).await.unwrap());
        other.release_lease(&lease).await.unwrap();
        assert!(customer.lease("sync").await.unwrap().is_some());
    }
}
