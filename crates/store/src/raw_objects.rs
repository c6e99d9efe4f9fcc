//! A scratch table of objects as the directory sent them, for the benchmark of the sync: the least that a client which keeps a directory
//! has to write. The sync is measured against it, on the same engine, through the same pools and the same bulk statements.
//!
//! Only with the feature `raw-objects`, which no build of the portal has. The table is made by [`RawObjects::create`] and is no part of
//! the schema; so its statements are on no family's list, and the tests that prepare all statements do not know them.

use std::collections::BTreeMap;

use crate::{
    Store,
    error::Result,
    given::Given,
    open::Durability,
    sql::{Statement, execute, statement},
};

const CREATE: Statement =
    statement!(CREATE, "CREATE TABLE raw_objects (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL)");
const PUT: Statement = statement!(
    PUT, "INSERT INTO raw_objects (id, body) SELECT given.id, given.body FROM ",
    given("$1": id "TEXT" 0 "$1", body "TEXT" 1 "$2"),
    " WHERE TRUE ON CONFLICT (id) DO UPDATE SET body = excluded.body"
);
const REMOVE: Statement = statement!(REMOVE, "DELETE FROM raw_objects WHERE id ", among("$1" "TEXT"), "");

/// The table.
#[derive(Clone, Debug)]
pub struct RawObjects(Store);

impl RawObjects {
    /// Makes the table, empty, in a database that has none yet.
    ///
    /// # Errors
    /// When it is there already, or the database cannot do it.
    pub async fn create(store: &Store) -> Result<Self> {
        let mut connection = store.inner.pools.write(Durability::Full).await?;
        execute!(connection, CREATE)?;
        connection.commit().await?;
        Ok(Self(store.clone()))
    }

    /// The table that was made before.
    #[must_use]
    pub fn of(store: &Store) -> Self {
        Self(store.clone())
    }

    /// Writes a page in one transaction, as durable as a page of a run: each object by its id, and without those that are gone.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn put(&self, objects: &BTreeMap<String, String>, removed: &[String]) -> Result<()> {
        let mut connection = self.0.inner.pools.write(Durability::Chunk).await?;
        if !objects.is_empty() {
            let given = Given::nothing()
                .texts(objects.keys().map(String::as_str))
                .texts(objects.values().map(String::as_str));
            execute!(connection, PUT; given)?;
        }
        if !removed.is_empty() {
            execute!(connection, REMOVE; Given::nothing().texts(removed))?;
        }
        connection.commit().await
    }
}
