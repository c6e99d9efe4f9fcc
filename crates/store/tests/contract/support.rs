//! A database per test, on either engine.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::{
    Random, Timestamp,
    address::Address,
    conflict::{Conflict, Reason},
    object::DirectoryUser,
    service::{Source, Status},
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use store::{CustomerStore, DatabaseUrl, Store, User, UserWrite, Vault};
use tempfile::TempDir;
use uuid::Uuid;

/// The moment at which tests begin.
pub const NOW: Timestamp = Timestamp(1_800_000_000_000);

pub const KEY: [u8; 32] = [7; 32];

/// Makes a test on each engine of every function.
macro_rules! on_both_engines {
    ($($(#[doc = $doc:literal])* async fn $name:ident($db:ident: &TestDb) $body:block)+) => {
        $(async fn $name($db: &TestDb) $body)+

        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let db = crate::support::TestDb::sqlite().await;
                    super::$name(&db).await;
                    db.remove().await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let db = crate::support::TestDb::postgres().await;
                    super::$name(&db).await;
                    db.remove().await;
                }
            )+
        }
    };
}
pub(crate) use on_both_engines;

enum Place {
    Sqlite(TempDir),
    Postgres { server: String, name: String },
}

pub struct TestDb {
    pub store: Store,
    pub url: DatabaseUrl,
    place: Place,
}

/// An empty place for a database: a folder, or a new database on the server.
async fn new_place(on_postgres: bool) -> (Place, DatabaseUrl) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    if !on_postgres {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("rollcall.db"));
        return (Place::Sqlite(folder), url);
    }
    let server = std::env::var("ROLLCALL_TEST_POSTGRES").expect(
        "ROLLCALL_TEST_POSTGRES is not set. Start a throw-away cluster and hand its address in: \
         export ROLLCALL_TEST_POSTGRES=$(scripts/postgres start DIR)",
    );
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("store_{}_{number}", std::process::id());
    let mut admin = PgConnection::connect(&server).await.expect("ROLLCALL_TEST_POSTGRES does not answer");
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    let base = server.rsplit_once('/').unwrap().0;
    let url = DatabaseUrl::parse(&format!("{base}/{name}")).unwrap();
    (Place::Postgres { server, name }, url)
}

impl TestDb {
    pub async fn sqlite() -> Self {
        Self::open(false).await
    }

    pub async fn postgres() -> Self {
        Self::open(true).await
    }

    async fn open(on_postgres: bool) -> Self {
        let (place, url) = new_place(on_postgres).await;
        let store = Store::open(&url, Vault::new(KEY)).await.unwrap();
        Self { store, url, place }
    }

    /// The customer that a fresh database has.
    pub async fn customer(&self) -> CustomerStore {
        self.store.customer("default").await.unwrap().unwrap()
    }

    /// Another customer.
    pub async fn other_customer(&self) -> CustomerStore {
        let mut write = self.store.begin().await.unwrap();
        write.add_customer("other", "Other", NOW).await.unwrap();
        write.commit().await.unwrap();
        self.store.customer("other").await.unwrap().unwrap()
    }

    async fn try_execute(&self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.url {
            DatabaseUrl::Sqlite(_) => sqlx::query(sql).execute(&mut self.raw_sqlite().await).await.map(drop),
            DatabaseUrl::Postgres(_) => {
                sqlx::query(sql).execute(&mut self.raw_postgres().await).await.map(drop)
            }
        }
    }

    /// Runs a statement past the API.
    pub async fn execute(&self, sql: &str) {
        self.try_execute(sql).await.unwrap();
    }

    /// Whether the database refuses a statement for a reference that it would break.
    pub async fn refuses(&self, sql: &str) -> bool {
        let refused = self.try_execute(sql).await.err();
        refused.is_some_and(|e| e.as_database_error().is_some_and(|e| e.is_foreign_key_violation()))
    }

    /// Reads one number past the API.
    pub async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.url {
            DatabaseUrl::Sqlite(_) => sqlx::query_scalar(sql).fetch_one(&mut self.raw_sqlite().await).await,
            DatabaseUrl::Postgres(_) => {
                sqlx::query_scalar(sql).fetch_one(&mut self.raw_postgres().await).await
            }
        }
        .unwrap()
    }

    pub async fn raw_sqlite(&self) -> SqliteConnection {
        SqliteConnection::connect(&self.url.to_string()).await.unwrap()
    }

    pub async fn raw_postgres(&self) -> PgConnection {
        let DatabaseUrl::Postgres(url) = &self.url else { panic!("not on Postgres") };
        PgConnection::connect(url).await.unwrap()
    }

    pub async fn remove(self) {
        self.store.close().await;
        if let Place::Postgres { server, name } = self.place {
            let mut admin = PgConnection::connect(&server).await.unwrap();
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            sqlx::query(AssertSqlSafe(drop)).execute(&mut admin).await.unwrap();
        }
    }

    /// The folder of a SQLite database.
    pub fn folder(&self) -> &std::path::Path {
        let Place::Sqlite(folder) = &self.place else { panic!("not on SQLite") };
        folder.path()
    }
}

/// An address that no store has opened yet, and what keeps it.
pub struct FreshPlace {
    pub url: DatabaseUrl,
    _place: Place,
}

pub async fn fresh_place(db: &TestDb) -> FreshPlace {
    let (place, url) = new_place(matches!(db.place, Place::Postgres { .. })).await;
    FreshPlace { url, _place: place }
}

/// Repeatable chance.
pub struct Seeded(pub AtomicU64);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64: small, and good enough to keep ids apart.
            let mut state = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(state ^ (state >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}

/// An id that no other call yields.
pub fn some_id() -> Uuid {
    static CHANCE: AtomicU64 = AtomicU64::new(0);
    Seeded::new(CHANCE.fetch_add(1 << 32, Ordering::Relaxed)).uuid(NOW)
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub fn addresses(texts: &[&str]) -> Vec<Address> {
    texts.iter().map(|text| address(text)).collect()
}

/// What the directory says about a user with that key and these proxy addresses.
pub fn directory_user(external_id: &str, proxies: &[&str]) -> DirectoryUser {
    DirectoryUser {
        external_id: external_id.to_owned(),
        user_principal_name: Some(format!("{external_id}@contoso.onmicrosoft.com")),
        mail: None,
        proxy_addresses: proxies.iter().map(ToString::to_string).collect(),
        display_name: Some(format!("User {external_id}")),
        account_enabled: Some(true),
        attributes: r#"{"department":"Büro"}"#.to_owned(),
    }
}

/// A user of Entra ID to be added, whose key is the local part of the primary address.
pub fn new_user(display_name: &str, primary: &str, aliases: &[&str]) -> UserWrite {
    UserWrite {
        id: None,
        restore_as: None,
        public_id: some_id(),
        source: Source::Azure,
        external_id: Some(primary.split('@').next().unwrap().to_owned()),
        display_name: display_name.to_owned(),
        primary: address(primary),
        address_lost: false,
        aliases: addresses(aliases),
        service_on: true,
        sign_in_blocked: false,
        conflict: None,
        created_at: None,
        now: NOW,
    }
}

/// Writes users in a transaction of its own.
pub async fn write(customer: &CustomerStore, users: &[UserWrite]) -> Vec<i64> {
    let mut write = customer.begin().await.unwrap();
    let ids = write.write_users(users).await.unwrap().ids;
    write.commit().await.unwrap();
    ids
}

/// The users of Entra ID with these keys, as they stand, in this order.
pub async fn read<const N: usize>(customer: &CustomerStore, external_ids: [&str; N]) -> [User; N] {
    let mut write = customer.begin().await.unwrap();
    let users =
        write.users_by_external_id(Source::Azure, &external_ids.map(ToOwned::to_owned)).await.unwrap();
    external_ids.map(|external_id| {
        let found = users.iter().find(|user| user.external_id.as_deref() == Some(external_id));
        found.unwrap_or_else(|| panic!("nobody has the key {external_id}")).clone()
    })
}

/// A conflict whose clock runs since that many milliseconds after the beginning.
pub fn missing(after: i64) -> Conflict {
    Conflict::opened(Reason::NotInDirectory, NOW.plus(after))
}

/// What is to be done in one transaction, which is then made to last.
macro_rules! in_one_write {
    ($customer:expr, |$write:ident| $body:block) => {{
        let mut $write = $customer.begin().await.unwrap();
        let answer = $body;
        $write.commit().await.unwrap();
        answer
    }};
}
pub(crate) use in_one_write;

/// The kept counts, after holding them against the users themselves.
pub async fn counts(db: &TestDb, customer: &CustomerStore) -> Vec<(Source, Status, i64)> {
    let kept = customer.user_counts().await.unwrap();
    for source in Source::ALL {
        for status in Status::ALL {
            let counted = db
                .number(&format!(
                    "SELECT COUNT(*) FROM users WHERE customer_id = {} AND source = '{}' AND status = '{}'",
                    customer.customer().id,
                    source.name(),
                    status.name()
                ))
                .await;
            let kept = kept.iter().find(|(s, t, _)| (*s, *t) == (source, status)).map_or(0, |(.., n)| *n);
            assert_eq!(kept, counted, "{source:?} {status:?}");
        }
    }
    kept
}
