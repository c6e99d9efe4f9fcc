//! Opening a database: its address, its pools, and bringing its schema up to this version.
//!
//! Several processes may start at the same moment on the same database. Postgres is migrated under sqlx's advisory lock; for SQLite, where
//! sqlx takes none, a lock file beside the database is held from its creation until the schema is there.

use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
    time::Duration,
};

use sqlx::{
    Connection as _, Executor as _, PgConnection, PgPool, SqlitePool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Mutex;

use crate::{
    error::{Result, StoreError},
    sql::Connection,
};

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// How long another process's write may keep SQLite locked before a call is refused as busy.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call waits for its turn at SQLite before it is refused as busy.
const SQLITE_PATIENCE: Duration = Duration::from_secs(20);
/// How long a call waits for a connection to Postgres, a new one included.
const POSTGRES_PATIENCE: Duration = Duration::from_secs(5);
/// How long a starting process waits for another one that migrates the same SQLite file.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(120);
const MIGRATION_POLL: Duration = Duration::from_millis(25);
/// A run's transaction on Postgres. That statements are planned anew each time (see [`open_postgres`]) would hold for the checks of foreign keys
/// as well, which the server makes row by row: planning them took a third of its time in a first sync. So this is off here; statements that
/// are given rows are not kept as prepared ones, and so are planned for what they are given all the same.
/// A commit does not wait for the disk, as on SQLite (see [`Durability::Chunk`]).
const POSTGRES_CHUNK: &str = "BEGIN; SET LOCAL plan_cache_mode = auto; SET LOCAL synchronous_commit = off";
/// Gathers what the planner of Postgres knows of tables that were never analysed and have rows by now. The server does it by itself, but only
/// minutes after a first sync has begun; until then it takes every column for selective, and reads all rows of a customer for each page.
const POSTGRES_ANALYSE: &str = "DO $$
    DECLARE
        name TEXT;
    BEGIN
        FOR name IN
            SELECT c.relname FROM pg_class c
            WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind = 'r' AND c.reltuples < 0 AND pg_relation_size(c.oid) > 0
                AND c.relname IN ('conflicts', 'groups', 'mirror_addresses', 'mirror_groups', 'mirror_marks', 'mirror_members', 'mirror_users',
                    'run_changes', 'user_addresses', 'user_search', 'users')
            ORDER BY c.relname
        LOOP
            EXECUTE format('ANALYZE %I', name);
        END LOOP;
    END
    $$";
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;

/// Where the database is. Prints without the password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file; it is created when it is not there.
    Sqlite(PathBuf),
    /// A Postgres database, which must exist: `postgres://user:password@host/database`.
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads `sqlite://path`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// [`StoreError::Address`] with what is wrong; it never repeats the text, which may hold a password.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |words: &str| Err(StoreError::Address(words.to_owned()));
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            return wrong("this is no address. Write sqlite://PATH or postgres://USER@HOST/DATABASE.");
        };
        match scheme {
            "sqlite" if rest.is_empty() || rest == ":memory:" => {
                wrong("the path of the file is missing, such as sqlite:///var/lib/rollcall/rollcall.db.")
            }
            "sqlite" if rest.contains('?') => {
                wrong("options behind a question mark are not taken for SQLite.")
            }
            "sqlite" => Ok(Self::Sqlite(PathBuf::from(rest))),
            "postgres" | "postgresql" => match PgConnectOptions::from_str(text) {
                Ok(_) => Ok(Self::Postgres(text.to_owned())),
                Err(_) => {
                    wrong("this is no Postgres address. Write postgres://USER:PASSWORD@HOST:PORT/DATABASE.")
                }
            },
            _ => wrong("only sqlite:// and postgres:// are databases of this portal."),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(text) => match PgConnectOptions::from_str(text) {
                Ok(options) => write!(
                    f,
                    "postgres://{}:{}/{}",
                    options.get_host(),
                    options.get_port(),
                    options.get_database().unwrap_or_default()
                ),
                Err(_) => f.write_str("postgres://"),
            },
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a write promises when its commit returns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It outlives a power cut: somebody was told that it is saved.
    Full,
    /// It outlives a crash of the process. A power cut may undo the last ones, whole and in order: a run does them again.
    Chunk,
}

/// The open pools of either engine.
pub(crate) enum Pools {
    Sqlite {
        readers: SqlitePool,
        /// One connection each, which differ in `synchronous`: it cannot be changed within a transaction.
        durable: SqlitePool,
        chunk: SqlitePool,
        /// SQLite takes one writer at a time. This queue is fair, SQLite's own waiting is not: without it, a run could starve a page.
        turn: Arc<Mutex<()>>,
    },
    Postgres(PgPool),
}

impl Pools {
    pub(crate) async fn open(url: &DatabaseUrl) -> Result<Self> {
        match url {
            DatabaseUrl::Sqlite(path) => open_sqlite(path).await,
            DatabaseUrl::Postgres(text) => open_postgres(text).await,
        }
    }

    pub(crate) async fn read(&self) -> Result<Connection> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Connection::SqliteReader(readers.acquire().await?),
            Self::Postgres(pool) => {
                Connection::PostgresReader(pool.acquire().await.map_err(|error| why_none(pool, error))?)
            }
        })
    }

    pub(crate) async fn write(&self, durability: Durability) -> Result<Connection> {
        Ok(match self {
            Self::Sqlite { durable, chunk, turn, .. } => {
                let turn = Arc::clone(turn).lock_owned().await;
                let pool = if durability == Durability::Full { durable } else { chunk };
                // IMMEDIATE takes the write lock at once: a transaction that read first and then wanted to write could only be refused.
                Connection::SqliteWriter(pool.begin_with("BEGIN IMMEDIATE").await?, turn)
            }
            Self::Postgres(pool) => {
                let begin = if durability == Durability::Full { "BEGIN" } else { POSTGRES_CHUNK };
                Connection::PostgresWriter(
                    pool.begin_with(begin).await.map_err(|error| why_none(pool, error))?,
                )
            }
        })
    }

    /// Lets Postgres look at tables that have just got their first rows; SQLite's plans need no look.
    pub(crate) async fn analyse_new(&self) -> Result<()> {
        if let Self::Postgres(pool) = self {
            let mut connection = pool.acquire().await.map_err(|error| why_none(pool, error))?;
            connection.execute(POSTGRES_ANALYSE).await?;
        }
        Ok(())
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { readers, durable, chunk, .. } => {
                readers.close().await;
                chunk.close().await;
                // The last to close folds the write-ahead log back into the file.
                durable.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

async fn open_sqlite(path: &Path) -> Result<Pools> {
    let lock = lock_beside(path).await?;
    private_file(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal);
    let pool = || {
        SqlitePoolOptions::new()
            .acquire_timeout(SQLITE_PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let durable =
        pool().max_connections(1).connect_with(options.clone().synchronous(SqliteSynchronous::Full)).await?;
    SQLITE.run(&durable).await?;
    drop(lock);
    // A run's chunks touch many pages of many indexes. With SQLite's own 2 MB they would be written out in the midst of a transaction, and with
    // its own 1,000 pages the log would be folded back, and synced, several times a second.
    let chunk = pool().max_connections(1).connect_lazy_with(
        options
            .clone()
            .synchronous(SqliteSynchronous::Normal)
            .pragma("cache_size", "-16384")
            .pragma("wal_autocheckpoint", "4000"),
    );
    let readers =
        pool().max_connections(SQLITE_READERS).connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Pools::Sqlite { readers, durable, chunk, turn: Arc::default() })
}

async fn open_postgres(text: &str) -> Result<Pools> {
    let options = PgConnectOptions::from_str(text)?
        .application_name("rollcall")
        // A plan made once for all values does not know how long a list is, and on a table that was never analysed it then compares the
        // whole list with every row. Planning anew takes less than a millisecond.
        .options([("plan_cache_mode", "force_custom_plan")]);
    // Past the pool, which would go on trying for a while: who starts the portal is told at once that nobody answers.
    PgConnection::connect_with(&options).await?.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(POSTGRES_PATIENCE)
        .connect_lazy_with(options);
    POSTGRES.run(&pool).await?;
    Ok(Pools::Postgres(pool))
}

/// Waiting in vain for a connection means that all are in use, or else that no new one could be made.
fn why_none(pool: &PgPool, error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::PoolTimedOut if pool.size() < POSTGRES_CONNECTIONS => {
            StoreError::Unreachable(error.into())
        }
        other => other.into(),
    }
}

/// Waits for the lock file beside the database. It is released when the handle is dropped, or the process dies.
async fn lock_beside(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = private_file(Path::new(&name))?;
    let waiting = async {
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(MIGRATION_POLL).await,
                Err(TryLockError::Error(error)) => return Err(StoreError::Unreachable(error.into())),
            }
        }
    };
    match tokio::time::timeout(MIGRATION_TIMEOUT, waiting).await {
        Ok(locked) => locked.map(|()| file),
        Err(_) => Err(StoreError::Busy),
    }
}

/// Opens a file that only its owner may read, and creates it when needed. SQLite gives the log beside it the same mode.
fn private_file(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| StoreError::Unreachable(error.into()))
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;
    use crate::sql::Engine;

    #[tokio::test]
    async fn on_sqlite_a_durable_write_syncs_its_commit_and_a_chunk_leaves_that_to_the_next_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let pools = Pools::open(&DatabaseUrl::Sqlite(folder.path().join("rollcall.db"))).await.unwrap();
        // The values of PRAGMA synchronous: 1 is NORMAL, 2 is FULL.
        for (durability, expected) in [(Durability::Full, 2), (Durability::Chunk, 1)] {
            let mut connection = pools.write(durability).await.unwrap();
            let Engine::Sqlite(sqlite) = connection.engine() else { panic!("this is SQLite") };
            let synchronous: i64 = sqlite.fetch_one("PRAGMA synchronous").await.unwrap().get(0);
            assert_eq!(synchronous, expected);
        }
        pools.close().await;
    }

    fn refusal(text: &str) -> String {
        DatabaseUrl::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn both_engines_are_read_from_their_schemes() {
        assert_eq!(
            DatabaseUrl::parse("sqlite:///srv/rollcall.db").unwrap(),
            DatabaseUrl::Sqlite(PathBuf::from("/srv/rollcall.db"))
        );
        assert_eq!(
            DatabaseUrl::parse("sqlite://./data/rollcall.db").unwrap(),
            DatabaseUrl::Sqlite(PathBuf::from("./data/rollcall.db"))
        );
        for text in ["postgres://rollcall@db.example/rollcall", "postgresql://rollcall@db.example/rollcall"] {
            assert_eq!(DatabaseUrl::parse(text).unwrap(), DatabaseUrl::Postgres(text.to_owned()));
        }
    }

    #[test]
    fn another_scheme_is_refused_in_words_that_do_not_repeat_a_password() {
        let words = refusal("mysql://rollcall:hunter2@db.example/rollcall");
        assert!(words.contains("only sqlite:// and postgres://") && !words.contains("hunter2"), "{words}");
        assert!(refusal("rollcall.db").contains("this is no address"));
        assert!(refusal("sqlite://").contains("path"));
        assert!(refusal("sqlite://a.db?mode=memory").contains("question mark"));
    }

    #[test]
    fn an_address_prints_without_its_password() {
        let url = DatabaseUrl::parse("postgres://rollcall:hunter2@db.example:5433/portal").unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "postgres://db.example:5433/portal postgres://db.example:5433/portal"
        );
    }
}
