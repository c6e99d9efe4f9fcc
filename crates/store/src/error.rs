//! What can go wrong in the database, in words that say what to do.
//!
//! A caller that only wants to know whether to try again asks [`StoreError::is_transient`]. A refusal that an administrator causes (a slug
//! or a domain that is taken) is [`StoreError::Taken`]; it is recognised by the engine's code for a violated unique index, and the statement
//! that ran into it says what was taken. No error text of an engine is ever parsed.

use std::error::Error;

use sqlx::migrate::MigrateError;

/// The answer of everything in this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What was wrong.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database's address is not one.
    #[error("ROLLCALL_DATABASE_URL: {0}")]
    Address(String),
    /// The database did not answer.
    #[error("The database cannot be reached. Check ROLLCALL_DATABASE_URL, and that the database runs: {0}")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// Somebody else kept the database or a row locked for too long.
    #[error("The database is busy: another process held it for too long. Try again.")]
    Busy,
    /// No room left.
    #[error("The disk of the database is full. Make room, then try again: nothing was changed.")]
    DiskFull,
    /// The file is no sound database.
    #[error("The database file is damaged, or is no database of this portal. Restore it from a backup.")]
    Damaged,
    /// A row holds a value that this version does not know.
    #[error(
        "The database holds an unknown value in {table}.{column}, row {row}: restore that row from a backup."
    )]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's number or key.
        row: String,
    },
    /// Something that must be unique is already there: what, in words.
    #[error("{0} is already taken.")]
    Taken(String),
    /// A row to be changed is not there, or belongs to another customer: what, in words.
    #[error("{0} does not exist (any more).")]
    Missing(&'static str),
    /// Another process has taken over the lease: whoever reads this must stop writing.
    #[error("Another process has taken over the lease \"{0}\", or it has expired: this one must stop.")]
    LostLease(String),
    /// A sealed secret could not be opened.
    #[error(
        "The saved secret \"{0}\" cannot be opened: the key (ROLLCALL_KEY, ROLLCALL_KEY_FILE) does not fit. Bring back the key that it was \
         saved with, or enter the secret again."
    )]
    KeyDoesNotFit(String),
    /// The database was written by a later version.
    #[error(
        "The database has migration {0}, which this version does not know: it was opened by a newer Rollcall. Run that version or a later one."
    )]
    NewerSchema(i64),
    /// Anything else the database said.
    #[error("The database refused: {0}")]
    Database(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// Whether the same call may succeed a little later without anybody's help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy)
    }

    pub(crate) fn corrupt(table: &'static str, column: &'static str, row: impl ToString) -> Self {
        Self::Corrupt { table, column, row: row.to_string() }
    }

    /// Says what was taken, when the statement ran into a unique index.
    pub(crate) fn or_taken(self, what: impl FnOnce() -> String) -> Self {
        match self {
            Self::Taken(_) => Self::Taken(what()),
            other => other,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as Sqlx;
        match error {
            Sqlx::Database(answer) if answer.is_unique_violation() => {
                Self::Taken("A value that must be unique".to_owned())
            }
            Sqlx::Database(answer) => {
                let code = answer.code().unwrap_or_default().into_owned();
                match kind_of(&code) {
                    Kind::Busy => Self::Busy,
                    Kind::DiskFull => Self::DiskFull,
                    Kind::Damaged => Self::Damaged,
                    Kind::Unreachable => Self::Unreachable(answer.into()),
                    Kind::Other => Self::Database(answer.into()),
                }
            }
            Sqlx::Io(_) | Sqlx::Tls(_) | Sqlx::PoolClosed | Sqlx::WorkerCrashed => {
                Self::Unreachable(error.into())
            }
            Sqlx::PoolTimedOut => Self::Busy,
            Sqlx::Migrate(answer) => (*answer).into(),
            other => Self::Database(other.into()),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::NewerSchema(version),
            MigrateError::Execute(answer) | MigrateError::ExecuteMigration(answer, _) => answer.into(),
            other => Self::Database(other.into()),
        }
    }
}

enum Kind {
    Busy,
    DiskFull,
    Damaged,
    Unreachable,
    Other,
}

/// Reads an engine's code: Postgres has SQLSTATEs of five characters, SQLite numbers whose lowest byte is the primary result code.
fn kind_of(code: &str) -> Kind {
    if code.len() == 5 {
        return match code {
            // Serialisation failure, deadlock, lock not available, too many connections, statement timeout.
            "40001" | "40P01" | "55P03" | "53300" | "57014" => Kind::Busy,
            "53100" => Kind::DiskFull,
            // Data or index corrupted.
            "XX001" | "XX002" => Kind::Damaged,
            // Shut down, crashed, starting up; connection exceptions.
            "57P01" | "57P02" | "57P03" => Kind::Unreachable,
            _ if code.starts_with("08") => Kind::Unreachable,
            _ => Kind::Other,
        };
    }
    match code.parse::<u32>().map(|code| code & 0xff) {
        // SQLITE_BUSY, SQLITE_LOCKED.
        Ok(5 | 6) => Kind::Busy,
        // SQLITE_FULL.
        Ok(13) => Kind::DiskFull,
        // SQLITE_CORRUPT, SQLITE_NOTADB.
        Ok(11 | 26) => Kind::Damaged,
        // SQLITE_IOERR, SQLITE_CANTOPEN.
        Ok(10 | 14) => Kind::Unreachable,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_engines_are_told_apart() {
        assert!(matches!(kind_of("40P01"), Kind::Busy));
        assert!(matches!(kind_of("08006"), Kind::Unreachable));
        assert!(matches!(kind_of("53100"), Kind::DiskFull));
        assert!(matches!(kind_of("5"), Kind::Busy));
        // SQLITE_BUSY_SNAPSHOT and SQLITE_IOERR_WRITE: extended codes of BUSY and IOERR.
        assert!(matches!(kind_of("517"), Kind::Busy));
        assert!(matches!(kind_of("778"), Kind::Unreachable));
        assert!(matches!(kind_of("13"), Kind::DiskFull));
        assert!(matches!(kind_of("1"), Kind::Other));
    }

    #[test]
    fn only_what_passes_by_itself_is_transient() {
        assert!(StoreError::Busy.is_transient());
        assert!(StoreError::from(sqlx::Error::PoolTimedOut).is_transient());
        assert!(!StoreError::DiskFull.is_transient());
        assert!(!StoreError::Taken("The slug".to_owned()).is_transient());
    }
}
