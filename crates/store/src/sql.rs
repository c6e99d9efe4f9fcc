//! One SQL text for two engines: the statements, the connection they run on, and the macros that run them.
//!
//! This is the only place that hands SQL to sqlx. A table family writes its statements in one [`statements!`] block, which also puts them on
//! the family's list; the tests prepare everything on the lists on both engines, and read the sources to see that no SQL goes past them.
//!
//! The text is the same for both engines, with one exception: many values or rows at once reach SQLite as one JSON text and Postgres as an
//! array per column ([`crate::given::Given`]). Only the piece that reads them differs.

use sqlx::{
    PgConnection, Postgres, Sqlite, SqliteConnection, encode::Encode, pool::PoolConnection, types::Type,
};
use tokio::sync::OwnedMutexGuard;

use crate::error::Result;

/// A statement of this crate, in the words of each engine.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// The family's module and the statement's name in it.
    pub name: &'static str,
    /// The text for SQLite.
    pub sqlite: &'static str,
    /// The text for Postgres.
    pub postgres: &'static str,
}

/// Declares a family's statements and its list of them.
///
/// - `NAME = "text";` is one text for both.
/// - `NAME = "… id ", among("$3" "BIGINT"), "…";` compares with the values of a list, the last parameter. On Postgres this is `= ANY`, not a
///   subquery: a table that was never analysed makes its planner join the list with all rows of a customer, pair by pair.
/// - `NAME = "… FROM ", found("$2"), " …";` reads the candidates of a search, users as `u` and their texts as `s`, and goes on within
///   WHERE: SQLite's index is asked with that parameter, Postgres finds them by the pattern that the rest compares with.
/// - `NAME = "… FROM ", given("$3": id "BIGINT" 0 "$3", address "TEXT" 1 "$4"), "…";` puts the given rows in between as a table named
///   `given`: after the colon each column's name, its Postgres type, its position in SQLite's JSON rows and its parameter in Postgres;
///   before the colon SQLite's one parameter.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $before:literal $(, $form:ident($($rows:tt)+), $after:literal)? ;)+) => {
        $($(#[$doc])* const $name: $crate::sql::Statement = $crate::sql::statement!($name, $before $(, $form($($rows)+), $after)?);)+
        /// Every statement of this family.
        pub(crate) const STATEMENTS: &[$crate::sql::Statement] = &[$($name),+];
    };
}

macro_rules! statement {
    ($name:ident, $text:literal) => {
        $crate::sql::Statement {
            name: concat!(module_path!(), "::", stringify!($name)),
            sqlite: $text,
            postgres: $text,
        }
    };
    ($name:ident, $before:literal, found($query:literal), $after:literal) => {
        $crate::sql::Statement {
            name: concat!(module_path!(), "::", stringify!($name)),
            // CROSS JOIN keeps the order: from the index to the rows, one by one, as many as are asked for.
            sqlite: concat!(
                $before,
                "user_search_index i CROSS JOIN user_search s ON s.user_id = i.rowid CROSS JOIN users u ON u.id = s.user_id
                WHERE i.user_search_index MATCH ",
                $query,
                " AND ",
                $after
            ),
            postgres: concat!(
                $before,
                "user_search s JOIN users u ON u.id = s.user_id WHERE CAST(",
                $query,
                " AS TEXT) <> '' AND ",
                $after
            ),
        }
    };
    ($name:ident, $before:literal, among($list:literal $type:literal), $after:literal) => {
        $crate::sql::Statement {
            name: concat!(module_path!(), "::", stringify!($name)),
            sqlite: concat!($before, "IN (SELECT value FROM json_each(", $list, "))", $after),
            postgres: concat!($before, "= ANY(CAST(", $list, " AS ", $type, "[]))", $after),
        }
    };
    ($name:ident, $before:literal, given($json:literal: $only:ident $type:literal 0 $array:literal), $after:literal) => {
        $crate::sql::Statement {
            name: concat!(module_path!(), "::", stringify!($name)),
            sqlite: concat!($before, "(SELECT value AS ", stringify!($only), " FROM json_each(", $json, ")) AS given", $after),
            postgres: concat!(
                $before, "UNNEST(CAST(", $array, " AS ", $type, "[])) AS given(", stringify!($only), ")", $after
            ),
        }
    };
    (
        $name:ident, $before:literal,
        given($json:literal: $first:ident $first_type:literal $first_at:literal $first_array:literal
            $(, $column:ident $type:literal $at:literal $array:literal)*),
        $after:literal
    ) => {
        $crate::sql::Statement {
            name: concat!(module_path!(), "::", stringify!($name)),
            sqlite: concat!(
                $before,
                "(SELECT value->>", $first_at, " AS ", stringify!($first),
                $(", value->>", $at, " AS ", stringify!($column),)*
                " FROM json_each(", $json, ")) AS given",
                $after
            ),
            postgres: concat!(
                $before,
                "UNNEST(CAST(", $first_array, " AS ", $first_type, "[])",
                $(", CAST(", $array, " AS ", $type, "[])",)*
                ") AS given(", stringify!($first), $(", ", stringify!($column),)* ")",
                $after
            ),
        }
    };
}

/// A connection that statements run on: a reader's, or a writer's in the midst of its transaction.
///
/// Dropping a writer's rolls back.
pub(crate) enum Connection {
    SqliteReader(PoolConnection<Sqlite>),
    /// The guard is this process's turn to write; it stands behind the transaction so that it is dropped after it.
    SqliteWriter(sqlx::Transaction<'static, Sqlite>, OwnedMutexGuard<()>),
    PostgresReader(PoolConnection<Postgres>),
    PostgresWriter(sqlx::Transaction<'static, Postgres>),
}

/// The engine behind a connection, for the macros of this module.
pub(crate) enum Engine<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Connection {
    pub(crate) fn engine(&mut self) -> Engine<'_> {
        match self {
            Self::SqliteReader(connection) => Engine::Sqlite(&mut *connection),
            Self::SqliteWriter(transaction, _) => Engine::Sqlite(&mut *transaction),
            Self::PostgresReader(connection) => Engine::Postgres(&mut *connection),
            Self::PostgresWriter(transaction) => Engine::Postgres(&mut *transaction),
        }
    }

    /// Makes a writer's changes last; a reader has none.
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::SqliteWriter(transaction, turn) => {
                transaction.commit().await?;
                drop(turn);
            }
            Self::PostgresWriter(transaction) => transaction.commit().await?,
            Self::SqliteReader(_) | Self::PostgresReader(_) => {}
        }
        Ok(())
    }
}

/// Adds a parameter to an engine's arguments.
pub(crate) fn add<'q, DB, T>(arguments: &mut DB::Arguments, value: T) -> Result<()>
where
    DB: sqlx::Database,
    T: Encode<'q, DB> + Type<DB>,
{
    use sqlx::Arguments as _;
    arguments.add(value).map_err(|error| sqlx::Error::Encode(error).into())
}

/// How many rows a statement changed, as counts are kept here.
pub(crate) fn row_count(changed: u64) -> i64 {
    i64::try_from(changed).unwrap_or(i64::MAX)
}

/// Runs a statement with its parameters, and after `;` the rows it is given; answers how many rows it changed.
macro_rules! execute {
    ($connection:expr, $statement:expr $(, $value:expr)* $(; $given:expr)?) => {
        $crate::sql::run!($connection, $statement $(, $value)* $(; $given)?; |connection, text, arguments, kept| {
            sqlx::query_with(text, arguments).persistent(kept).execute(connection).await.map(|done| done.rows_affected())
        })
    };
}

/// Runs a statement as [`execute!`] does and answers every row, read as the type named second.
macro_rules! all {
    ($connection:expr, $row:ty, $statement:expr $(, $value:expr)* $(; $given:expr)?) => {
        $crate::sql::run!($connection, $statement $(, $value)* $(; $given)?; |connection, text, arguments, kept| {
            sqlx::query_as_with::<_, $row, _>(text, arguments).persistent(kept).fetch_all(connection).await
        })
    };
}

/// Runs a statement as [`execute!`] does and answers its first row, if any, read as the type named second.
macro_rules! optional {
    ($connection:expr, $row:ty, $statement:expr $(, $value:expr)* $(; $given:expr)?) => {
        $crate::sql::run!($connection, $statement $(, $value)* $(; $given)?; |connection, text, arguments, kept| {
            sqlx::query_as_with::<_, $row, _>(text, arguments).persistent(kept).fetch_optional(connection).await
        })
    };
}

/// Runs a statement as [`execute!`] does and answers the one row it always has, read as the type named second.
macro_rules! one {
    ($connection:expr, $row:ty, $statement:expr $(, $value:expr)* $(; $given:expr)?) => {
        $crate::sql::run!($connection, $statement $(, $value)* $(; $given)?; |connection, text, arguments, kept| {
            sqlx::query_as_with::<_, $row, _>(text, arguments).persistent(kept).fetch_one(connection).await
        })
    };
}

/// The two arms that the macros above share.
macro_rules! run {
    (
        $connection:expr, $statement:expr $(, $value:expr)*;
        |$on:ident, $text:ident, $arguments:ident, $kept:ident| $body:block
    ) => {
        $crate::sql::run!(
            $connection, $statement $(, $value)*; $crate::given::Given::nothing(); |$on, $text, $arguments, $kept| $body
        )
    };
    (
        $connection:expr, $statement:expr $(, $value:expr)*; $given:expr;
        |$on:ident, $text:ident, $arguments:ident, $kept:ident| $body:block
    ) => {
        match $connection.engine() {
            $crate::sql::Engine::Sqlite($on) => {
                let ($text, $kept) = ($statement.sqlite, true);
                let mut $arguments = sqlx::sqlite::SqliteArguments::default();
                $($crate::sql::add::<sqlx::Sqlite, _>(&mut $arguments, $value)?;)*
                $given.add_to_sqlite(&mut $arguments)?;
                $body
            }
            $crate::sql::Engine::Postgres($on) => {
                let given = $given;
                // Not kept when rows are given, so that it is planned for these.
                let ($text, $kept) = ($statement.postgres, given.is_nothing());
                let mut $arguments = sqlx::postgres::PgArguments::default();
                $($crate::sql::add::<sqlx::Postgres, _>(&mut $arguments, $value)?;)*
                given.add_to_postgres(&mut $arguments)?;
                $body
            }
        }
        .map_err($crate::error::StoreError::from)
    };
}

pub(crate) use {all, execute, one, optional, run, statement, statements};
