//! The audit log: who changed what, and from what to what.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    CustomerStore, CustomerWrite, StoreError, Write,
    error::Result,
    sql::{Connection, all, execute, statements},
};

statements! {
    ADD = "INSERT INTO audit (customer_id, at, administrator_id, actor, action, object, changes) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    PAGE = "SELECT id, at, administrator_id, actor, action, object, changes FROM audit
            WHERE customer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
}

/// One field's change. A secret's values are written as `***` by whoever makes the entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The field, as it is labelled on its page.
    pub field: String,
    /// The value before; empty for none.
    pub old: String,
    /// The value after; empty for none.
    pub new: String,
}

impl Change {
    /// A change of that field.
    pub fn new(field: impl Into<String>, old: impl Into<String>, new: impl Into<String>) -> Self {
        Self { field: field.into(), old: old.into(), new: new.into() }
    }
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// By which administrator; `None` on the command line.
    pub administrator_id: Option<i64>,
    /// By whom in words, which stay when the administrator is gone: the mail address, or `command line`.
    pub actor: String,
    /// What was done, such as `settings.save`.
    pub action: String,
    /// What it was done to, such as `Azure AD`.
    pub object: String,
    /// What changed, field by field.
    pub changes: Vec<Change>,
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number: later entries have greater ones.
    pub id: i64,
    /// The entry.
    pub entry: AuditEntry,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: i64,
    at: i64,
    administrator_id: Option<i64>,
    actor: String,
    action: String,
    object: String,
    changes: String,
}

impl TryFrom<Row> for AuditRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let changes = serde_json::from_str(&row.changes)
            .map_err(|_| StoreError::corrupt("audit", "changes", row.id))?;
        Ok(Self {
            id: row.id,
            entry: AuditEntry {
                at: Timestamp(row.at),
                administrator_id: row.administrator_id,
                actor: row.actor,
                action: row.action,
                object: row.object,
                changes,
            },
        })
    }
}

async fn add(connection: &mut Connection, customer_id: Option<i64>, entry: AuditEntry) -> Result<()> {
    let changes = serde_json::to_string(&entry.changes).map_err(|error| StoreError::Database(error.into()))?;
    execute!(
        connection,
        ADD,
        customer_id,
        entry.at.0,
        entry.administrator_id,
        entry.actor.as_str(),
        entry.action.as_str(),
        entry.object.as_str(),
        changes.as_str()
    )?;
    Ok(())
}

impl Write {
    /// Adds an entry about a customer, or without one about the portal itself.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn audit(&mut self, customer_id: Option<i64>, entry: AuditEntry) -> Result<()> {
        add(&mut self.connection, customer_id, entry).await
    }
}

impl CustomerWrite {
    /// Adds an entry about this customer.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn audit(&mut self, entry: AuditEntry) -> Result<()> {
        add(&mut self.connection, Some(self.customer_id), entry).await
    }
}

impl CustomerStore {
    /// The entries about this customer, the latest first, `before` the one with that number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit(&self, before: Option<i64>, limit: i64) -> Result<Vec<AuditRow>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, Row, PAGE, self.id(), before.unwrap_or(i64::MAX), limit)?;
        rows.into_iter().map(AuditRow::try_from).collect()
    }
}
