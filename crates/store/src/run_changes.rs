//! What runs did to single objects, old and new: the history of a run, and of a user or group.
//!
//! An object is named by the id in the addresses of pages, with its name and address as they were then, so that the history outlives it.
//! It goes with its run.

use domain::{
    Timestamp,
    run::{Action, ObjectKind},
};
use uuid::Uuid;

use crate::{
    Change, CustomerStore, CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{all, execute, row_count, statements},
};

statements! {
    ADD = "INSERT INTO run_changes (customer_id, run_id, at, object, object_id, display_name, address, action, reason, changes)
           SELECT r.customer_id, r.id, CAST($3 AS BIGINT), given.object, given.object_id, given.display_name, given.address, given.action,
               given.reason, given.changes
           FROM runs r CROSS JOIN ",
          given("$4": object "TEXT" 0 "$4", object_id "TEXT" 1 "$5", display_name "TEXT" 2 "$6", address "TEXT" 3 "$7", action "TEXT" 4 "$8",
              reason "TEXT" 5 "$9", changes "TEXT" 6 "$10"),
          " WHERE r.customer_id = $1 AND r.id = $2";
    OF_RUN = "SELECT c.id, c.run_id, (SELECT r.public_id FROM runs r WHERE r.customer_id = $1 AND r.id = c.run_id) AS run_public_id, c.at,
                  c.object, c.object_id, c.display_name, c.address, c.action, c.reason, c.changes
              FROM run_changes c WHERE c.customer_id = $1 AND c.run_id = $2 AND c.id > $3 ORDER BY c.id LIMIT $4";
    OF_ACTION = "SELECT c.id, c.run_id, (SELECT r.public_id FROM runs r WHERE r.customer_id = $1 AND r.id = c.run_id) AS run_public_id, c.at,
                     c.object, c.object_id, c.display_name, c.address, c.action, c.reason, c.changes
                 FROM run_changes c WHERE c.customer_id = $1 AND c.run_id = $2 AND c.action = $3 AND c.id > $4 ORDER BY c.id LIMIT $5";
    OF_OBJECT = "SELECT c.id, c.run_id, (SELECT r.public_id FROM runs r WHERE r.customer_id = $1 AND r.id = c.run_id) AS run_public_id, c.at,
                     c.object, c.object_id, c.display_name, c.address, c.action, c.reason, c.changes
                 FROM run_changes c WHERE c.customer_id = $1 AND c.object_id = $2 AND c.id < $3 ORDER BY c.id DESC LIMIT $4";
    MOVE = "UPDATE run_changes SET object_id = $3 WHERE customer_id = $1 AND object_id = $2";
    COUNTS = "SELECT object, action, COUNT(*) FROM run_changes WHERE customer_id = $1 AND run_id = $2
              GROUP BY object, action ORDER BY object, action";
}

/// What a run did to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunChange {
    /// What the object is.
    pub object: ObjectKind,
    /// The object's id in addresses of pages.
    pub object_id: Uuid,
    /// Its name then.
    pub display_name: String,
    /// Its primary address then; empty for a group that has none.
    pub address: String,
    /// What was done to it.
    pub action: Action,
    /// Why, in words; empty when the directory's new data are the reason.
    pub reason: String,
    /// What changed, field by field.
    pub changes: Vec<Change>,
}

/// A change as it stands in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunChangeRow {
    /// Its number: later changes have greater ones.
    pub id: i64,
    /// The run's number.
    pub run_id: i64,
    /// The run's id in addresses of pages.
    pub run_public_id: Uuid,
    /// When.
    pub at: Timestamp,
    /// The change.
    pub change: RunChange,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    run_id: i64,
    run_public_id: String,
    at: i64,
    object: String,
    object_id: String,
    display_name: String,
    address: String,
    action: String,
    reason: String,
    changes: String,
}

impl TryFrom<Row> for RunChangeRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let corrupt = |column| StoreError::corrupt("run_changes", column, row.id);
        Ok(Self {
            id: row.id,
            run_id: row.run_id,
            run_public_id: Uuid::parse_str(&row.run_public_id)
                .map_err(|_| StoreError::corrupt("runs", "public_id", row.run_id))?,
            at: Timestamp(row.at),
            change: RunChange {
                object: ObjectKind::named(&row.object).ok_or_else(|| corrupt("object"))?,
                object_id: Uuid::parse_str(&row.object_id).map_err(|_| corrupt("object_id"))?,
                display_name: row.display_name,
                address: row.address,
                action: Action::named(&row.action).ok_or_else(|| corrupt("action"))?,
                reason: row.reason,
                changes: serde_json::from_str(&row.changes).map_err(|_| corrupt("changes"))?,
            },
        })
    }
}

impl CustomerStore {
    /// What a run did in the order in which it did it, `after` the change with that number (0 for all).
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn run_changes(&self, run_id: i64, after_id: i64, limit: i64) -> Result<Vec<RunChangeRow>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, Row, OF_RUN, self.id(), run_id, after_id, limit)?;
        rows.into_iter().map(RunChangeRow::try_from).collect()
    }

    /// As [`CustomerStore::run_changes`], of one kind only.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn run_changes_of(
        &self,
        run_id: i64,
        action: Action,
        after_id: i64,
        limit: i64,
    ) -> Result<Vec<RunChangeRow>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, Row, OF_ACTION, self.id(), run_id, action.name(), after_id, limit)?;
        rows.into_iter().map(RunChangeRow::try_from).collect()
    }

    /// What runs did to an object, the latest first, `before` the change with that number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn object_changes(
        &self,
        object_id: Uuid,
        before_id: Option<i64>,
        limit: i64,
    ) -> Result<Vec<RunChangeRow>> {
        let mut connection = self.read().await?;
        let before = before_id.unwrap_or(i64::MAX);
        let rows = all!(connection, Row, OF_OBJECT, self.id(), object_id.to_string(), before, limit)?;
        rows.into_iter().map(RunChangeRow::try_from).collect()
    }

    /// How often a run did what to which kind of object.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn run_change_counts(&self, run_id: i64) -> Result<Vec<(ObjectKind, Action, i64)>> {
        let mut connection = self.read().await?;
        let corrupt = |column| StoreError::corrupt("run_changes", column, format!("run {run_id}"));
        all!(connection, (String, String, i64), COUNTS, self.id(), run_id)?
            .into_iter()
            .map(|(object, action, count)| {
                let object = ObjectKind::named(&object).ok_or_else(|| corrupt("object"))?;
                Ok((object, Action::named(&action).ok_or_else(|| corrupt("action"))?, count))
            })
            .collect()
    }
}

impl CustomerWrite {
    /// Adds to the history what a run did at that moment.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when this customer has no such run.
    pub async fn add_run_changes(
        &mut self,
        run_id: i64,
        at: Timestamp,
        changes: &[RunChange],
    ) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let fields = changes
            .iter()
            .map(|change| serde_json::to_string(&change.changes))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| StoreError::Database(error.into()))?;
        let given = Given::nothing()
            .texts(changes.iter().map(|change| change.object.name()))
            .texts(changes.iter().map(|change| change.object_id.to_string()))
            .texts(changes.iter().map(|change| change.display_name.as_str()))
            .texts(changes.iter().map(|change| change.address.as_str()))
            .texts(changes.iter().map(|change| change.action.name()))
            .texts(changes.iter().map(|change| change.reason.as_str()))
            .texts(fields);
        match execute!(self.connection, ADD, self.customer_id, run_id, at.0; given)? {
            0 => Err(StoreError::Missing("The run")),
            _ => Ok(()),
        }
    }
}

impl CustomerWrite {
    /// Hands the history of one object to another: the two were found to be one. Answers how many changes that were.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn move_history(&mut self, from: Uuid, to: Uuid) -> Result<i64> {
        execute!(self.connection, MOVE, self.customer_id, from.to_string(), to.to_string()).map(row_count)
    }
}
