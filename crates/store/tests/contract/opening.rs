//! Opening, migrating, transactions.

use std::os::unix::fs::PermissionsExt as _;

use store::{DatabaseUrl, Store, StoreError, Vault};

use crate::support::{KEY, NOW, TestDb, fresh_place, on_both_engines};

on_both_engines! {
    async fn a_fresh_database_has_the_default_customer_and_answers(db: &TestDb) {
        db.store.ping().await.unwrap();
        let customers = db.store.customers().await.unwrap();
        assert_eq!(customers.len(), 1);
        assert_eq!((customers[0].slug.as_str(), customers[0].name.as_str()), ("default", "Default"));
        assert_eq!(customers[0].guard, domain::settings::GuardLimits::default());
        assert!(customers[0].created_at.0 > 1_600_000_000_000, "milliseconds: {:?}", customers[0].created_at);
        assert!(db.store.customer("nobody").await.unwrap().is_none());
    }

    async fn processes_that_open_a_fresh_database_at_once_migrate_it_once(db: &TestDb) {
        let place = fresh_place(db).await;
        let opening: Vec<_> = (0..4)
            .map(|_| {
                let url = place.url.clone();
                tokio::spawn(async move { Store::open(&url, Vault::new(KEY)).await })
            })
            .collect();
        for store in opening {
            let store = store.await.unwrap().unwrap();
            assert_eq!(store.customers().await.unwrap().len(), 1);
            store.close().await;
        }
    }

    async fn opening_again_keeps_what_was_there(db: &TestDb) {
        db.other_customer().await;
        db.store.close().await;
        let again = Store::open(&db.url, Vault::new(KEY)).await.unwrap();
        assert_eq!(again.customers().await.unwrap().len(), 2);
        again.close().await;
    }

    async fn a_database_of_a_newer_version_is_refused_in_words(db: &TestDb) {
        let later = match db.url {
            DatabaseUrl::Sqlite(_) => "x'00'",
            DatabaseUrl::Postgres(_) => "'\\x00'",
        };
        db.execute(&format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9001, 'later', TRUE, {later}, 0)"
        ))
        .await;
        let refused = Store::open(&db.url, Vault::new(KEY)).await.unwrap_err();
        assert!(matches!(refused, StoreError::NewerSchema(9001)), "{refused:?}");
        assert!(refused.to_string().contains("newer Rollcall"), "{refused}");
    }

    async fn a_dropped_transaction_changes_nothing_and_holds_nobody_up(db: &TestDb) {
        let mut write = db.store.begin().await.unwrap();
        write.add_customer("gone", "Gone", NOW).await.unwrap();
        drop(write);
        let mut write = db.store.begin().await.unwrap();
        write.add_customer("stays", "Stays", NOW).await.unwrap();
        write.commit().await.unwrap();
        assert!(db.store.customer("gone").await.unwrap().is_none());
        assert!(db.store.customer("stays").await.unwrap().is_some());

        let customer = db.customer().await;
        let mut write = customer.begin().await.unwrap();
        write.raise_topic("users").await.unwrap();
        drop(write);
        assert_eq!(customer.topic_versions().await.unwrap(), []);
    }

    async fn many_writers_at_once_all_get_their_turn(db: &TestDb) {
        let customer = db.customer().await;
        let writers: Vec<_> = (0..20)
            .map(|_| {
                let customer = customer.clone();
                tokio::spawn(async move {
                    let mut write = customer.begin().await.unwrap();
                    write.raise_topic("users").await.unwrap();
                    write.commit().await.unwrap();
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(customer.topic_versions().await.unwrap(), [("users".to_owned(), 20)]);
    }

    async fn customers_are_listed_by_name_without_case_and_a_slug_is_given_once(db: &TestDb) {
        let mut write = db.store.begin().await.unwrap();
        write.add_customer("zeta", "alpha", NOW).await.unwrap();
        write.add_customer("eta", "Émile", NOW).await.unwrap();
        write.commit().await.unwrap();
        let names: Vec<_> =
            db.store.customers().await.unwrap().into_iter().map(|customer| customer.name).collect();
        assert_eq!(names, ["alpha", "Default", "Émile"]);

        let mut write = db.store.begin().await.unwrap();
        let refused = write.add_customer("zeta", "Again", NOW).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Taken(what) if what.contains("zeta")), "{refused:?}");
    }

    async fn a_closed_store_is_unreachable(db: &TestDb) {
        db.store.close().await;
        let refused = db.store.ping().await.unwrap_err();
        assert!(matches!(refused, StoreError::Unreachable(_)) && refused.is_transient(), "{refused:?}");
    }
}

#[tokio::test]
async fn a_sqlite_database_and_what_lies_beside_it_are_readable_by_the_owner_only() {
    let db = TestDb::sqlite().await;
    db.other_customer().await;
    let mut files = 0;
    for entry in std::fs::read_dir(db.folder()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
        files += 1;
    }
    assert!(files >= 3, "database, write-ahead log, lock");
    db.remove().await;
}

#[tokio::test]
async fn another_process_that_keeps_sqlite_locked_makes_a_write_wait_and_then_busy() {
    let db = TestDb::sqlite().await;
    let mut other = db.raw_sqlite().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let from = std::time::Instant::now();
    let refused = db.store.begin().await.err().unwrap();
    assert!(matches!(refused, StoreError::Busy), "{refused:?}");
    assert!(from.elapsed().as_secs() >= 4, "it waits for the other one first: {:?}", from.elapsed());
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    db.store.begin().await.unwrap().commit().await.unwrap();
    db.remove().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollcall.db");
    std::fs::write(&path, "a letter to a friend, long enough to be taken for a header ".repeat(40)).unwrap();
    let refused = Store::open(&DatabaseUrl::Sqlite(path), Vault::new(KEY)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Damaged), "{refused:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let url = DatabaseUrl::parse("postgres://rollcall@127.0.0.1:1/none").unwrap();
    let refused = Store::open(&url, Vault::new(KEY)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unreachable(_)), "{refused:?}");
}
