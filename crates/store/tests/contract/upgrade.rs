//! A database of an earlier version, with rows in it, is brought up to this one.

use std::path::Path;

use domain::{
    guard::Guarded,
    run::{Counts, NoticeKind, Outcome, Phase, Purpose},
    service::{Service, Source},
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection, migrate::Migrator};
use store::{CursorKind, DatabaseUrl, NewRun, Store, Vault};

use crate::support::{KEY, NOW, TestDb, fresh_place, on_both_engines, some_id};

/// What stood in a database of migration 1: runs, one of them still going, a notice, a checkpoint, a mirrored user and a portal user.
const FOUNDATION: &str = r#"
    INSERT INTO runs (public_id, customer_id, service, trigger, actor, phase, outcome, started_at, finished_at,
        users_read, pages, requests, bytes, added, updated, left_out, error, summary)
    SELECT '00000000-0000-7000-8000-000000000001', MIN(id), 'entra', 'sync_now', 'ada@example.org', 'done', 'succeeded', 10, 20,
        1, 2, 3, 5000000000, 5, 6, 7, NULL, '5 added' FROM customers;
    INSERT INTO runs (public_id, customer_id, service, trigger, actor, phase, outcome, started_at, finished_at, error)
    SELECT '00000000-0000-7000-8000-000000000002', MIN(id), 'entra', 'command_line', 'command line', 'fetch', 'running', 30, NULL, NULL
    FROM customers;
    INSERT INTO run_notices (customer_id, run_id, seq, kind, external_id, display_name, detail)
    SELECT customer_id, id, 1, 'clash', 'ada', 'Zoë', 'Synced without it.' FROM runs WHERE outcome = 'succeeded';
    INSERT INTO checkpoints (customer_id, service, kind, round, next_link, selection, pages, objects, updated_at)
    SELECT MIN(id), 'entra', 'users', 1, 'next', 'id', 1, 1, 30 FROM customers;
    INSERT INTO mirror_users (customer_id, service, external_id, proxy_addresses, attributes, hash, round, dirty)
    SELECT MIN(id), 'entra', 'ada', '["SMTP:ada@contoso.com"]', '{}', 'hash', 1, FALSE FROM customers;
    INSERT INTO mirror_addresses (customer_id, mirror_user_id, address, kind)
    SELECT customer_id, id, 'ada@contoso.com', 'primary' FROM mirror_users;
    INSERT INTO users (public_id, customer_id, source, external_id, display_name, sort_name, primary_address, service_on, sign_in_blocked,
        status, created_at, changed_at)
    SELECT '00000000-0000-7000-8000-000000000003', MIN(id), 'azure', 'ada', 'Ada', 'ada', 'ada@contoso.com', TRUE, FALSE, 'active', 1, 1
    FROM customers;
    INSERT INTO user_addresses (customer_id, address, user_id, is_primary) SELECT customer_id, primary_address, id, TRUE FROM users;
    INSERT INTO user_counts (customer_id, source, status, users) SELECT MIN(id), 'azure', 'active', 1 FROM customers;
"#;

/// What a run of migration 5 left behind that was killed in the midst: an object that is in line, one that is not, one that is gone, and a
/// removal that waits.
const HALFWAY: &str = r#"
    INSERT INTO mirror_users (customer_id, service, external_id, proxy_addresses, attributes, hash, round, dirty, gone)
    SELECT MIN(id), 'entra', 'ada', '[]', '{}', 'hash', 1, FALSE, FALSE FROM customers;
    INSERT INTO mirror_users (customer_id, service, external_id, proxy_addresses, attributes, hash, round, dirty, gone)
    SELECT MIN(id), 'entra', 'bob', '[]', '{}', 'hash', 1, TRUE, FALSE FROM customers;
    INSERT INTO mirror_users (customer_id, service, external_id, proxy_addresses, attributes, hash, round, dirty, gone)
    SELECT MIN(id), 'entra', 'cyd', '[]', '{}', 'hash', 1, TRUE, TRUE FROM customers;
    INSERT INTO users (public_id, customer_id, source, external_id, display_name, sort_name, primary_address, service_on, sign_in_blocked,
        status, created_at, changed_at)
    SELECT '00000000-0000-7000-8000-000000000003', MIN(id), 'azure', 'cyd', 'Cyd', 'cyd', 'cyd@contoso.com', TRUE, FALSE, 'active', 1, 1
    FROM customers;
    INSERT INTO held (customer_id, kind, object_id, decision, reason, since, run_id)
    SELECT customer_id, 'removal', id, 'waiting', 'not in directory', 1, 1 FROM users;
"#;

/// Brings an empty database to that migration, and runs statements there.
async fn at_migration(last: &str, url: &DatabaseUrl, statements: &str) {
    let engine = if matches!(url, DatabaseUrl::Sqlite(_)) { "sqlite" } else { "postgres" };
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(engine);
    let first = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(migrations).unwrap() {
        let name = entry.as_ref().unwrap().file_name();
        if name.to_str().unwrap() < last || name.to_str().unwrap().starts_with(last) {
            std::fs::copy(entry.unwrap().path(), first.path().join(name)).unwrap();
        }
    }
    let migrator = Migrator::new(first.path()).await.unwrap();
    let statements = AssertSqlSafe(statements.to_owned());
    match url {
        DatabaseUrl::Sqlite(path) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            migrator.run(&mut connection).await.unwrap();
            sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        DatabaseUrl::Postgres(text) => {
            let mut connection = PgConnection::connect(text).await.unwrap();
            migrator.run(&mut connection).await.unwrap();
            sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

on_both_engines! {
    async fn what_the_foundation_wrote_is_there_in_the_engines_tables(db: &TestDb) {
        let place = fresh_place(db).await;
        at_migration("0001", &place.url, FOUNDATION).await;
        let store = Store::open(&place.url, Vault::new(KEY)).await.unwrap();
        let customer = store.customer("default").await.unwrap().unwrap();

        let runs = customer.runs(None, 9).await.unwrap();
        assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [2, 1]);
        let counts = Counts {
            users_read: 1,
            pages: 2,
            requests: 3,
            bytes: 5_000_000_000,
            added: 5,
            updated: 6,
            left_out: 7,
            ..Counts::default()
        };
        assert_eq!((runs[1].counts, runs[1].summary.as_str()), (counts, "5 added"));
        assert_eq!((runs[0].phase, runs[0].purpose, runs[0].read_at), (Phase::Fetch, Purpose::Sync, None));
        assert_eq!(customer.running(Service::Entra).await.unwrap().as_ref(), Some(&runs[0]));
        assert_eq!(customer.last_success().await.unwrap().as_ref(), Some(&runs[1]));
        let notices = customer.notices(1, 0, 9).await.unwrap();
        assert_eq!((notices.len(), notices[0].0, notices[0].1.kind), (1, 1, NoticeKind::Clash));
        assert_eq!(notices[0].1.display_name, "Zoë");
        assert_eq!(customer.cursor(Service::Entra, CursorKind::Users).await.unwrap(), None, "read from the beginning");
        let mirrored = customer.mirror_page(Service::Entra, 0, 9).await.unwrap();
        assert_eq!((mirrored.len(), mirrored[0].gone), (1, false));
        assert_eq!(mirrored[0].user.proxy_addresses, ["SMTP:ada@contoso.com"]);
        assert_eq!(customer.dirty_users(Service::Entra, 0, 9).await.unwrap(), []);
        assert_eq!(customer.switch_pending(Service::Entra).await.unwrap(), (false, false));
        assert!(!customer.two_administrators().await.unwrap());
        assert_eq!(customer.undone_run(1).await.unwrap(), None);

        // The run that was going on can be ended, and new rows get numbers that were never used.
        let mut write = customer.begin().await.unwrap();
        write.finish_run(2, Outcome::Failed, Some("Stopped."), "", &Counts::default(), NOW).await.unwrap();
        let next = NewRun {
            public_id: some_id(),
            service: Service::Entra,
            purpose: Purpose::Sync,
            trigger: domain::run::Trigger::Schedule,
            actor: String::new(),
            started_at: NOW,
        };
        assert_eq!(write.start_run(next).await.unwrap(), 3);
        let users = write.users_by_external_id(Source::Azure, &["ada".to_owned()]).await.unwrap();
        assert_eq!((users.len(), users[0].primary_address.as_str()), (1, "ada@contoso.com"));
        assert_eq!(write.claims(&[users[0].primary_address.clone()]).await.unwrap().len(), 1);
        write.commit().await.unwrap();
        store.close().await;
    }

    async fn what_a_killed_run_of_an_earlier_version_had_still_to_do_is_done_by_this_one(db: &TestDb) {
        let place = fresh_place(db).await;
        at_migration("0005", &place.url, HALFWAY).await;
        let store = Store::open(&place.url, Vault::new(KEY)).await.unwrap();
        let customer = store.customer("default").await.unwrap().unwrap();
        let dirty = customer.dirty_users(Service::Entra, 0, 9).await.unwrap();
        let keys: Vec<_> = dirty.iter().map(|row| (row.user.external_id.as_str(), row.gone)).collect();
        assert_eq!(keys, [("bob", false), ("cyd", true)]);
        assert_eq!(customer.held_count(Guarded::Removal).await.unwrap(), 1);
        assert_eq!(customer.held_of(Guarded::Removal).await.unwrap(), None, "nobody noted how many there were");
        let mut write = customer.begin().await.unwrap();
        write.clear_dirty(Service::Entra, &dirty.iter().map(|row| row.id).collect::<Vec<_>>()).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(customer.dirty_users(Service::Entra, 0, 9).await.unwrap(), []);
        assert_eq!(customer.mirror_count(Service::Entra).await.unwrap(), 2);
        store.close().await;
    }

    async fn an_empty_database_of_the_foundation_numbers_its_first_run_one(db: &TestDb) {
        let place = fresh_place(db).await;
        at_migration("0001", &place.url, "").await;
        let store = Store::open(&place.url, Vault::new(KEY)).await.unwrap();
        let customer = store.customer("default").await.unwrap().unwrap();
        assert_eq!(crate::runs::start(&customer).await.0, 1);
        store.close().await;
    }
}
