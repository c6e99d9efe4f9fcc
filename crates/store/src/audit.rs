//! The audit log: who changed what, and from what to what.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    CustomerStore, CustomerWrite, Store, StoreError, Write,
    error::Result,
    sql::{Connection, all, execute, statements},
};

statements! {
    ADD = "INSERT INTO audit (customer_id, at, administrator_id, actor, action, object, changes) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    PAGE = "SELECT id, at, administrator_id, actor, action, object, changes FROM audit
            WHERE customer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    PORTAL_PAGE = "SELECT id, at, administrator_id, actor, action, object, changes FROM audit
                   WHERE customer_id IS NULL AND id < $1 ORDER BY id DESC LIMIT $2";
}

/// How many entries a search reads at once.
const BATCH: i64 = 500;
/// How many entries a search looks at before it hands back what it found so far.
const MOST_SEARCHED: usize = 20_000;

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

/// Which entries to show. An empty text asks for nothing. Who and the words are found in any case: that is Rust's work, because the engines do
/// not agree on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// A part of the name of who did it.
    pub actor: String,
    /// The action, exactly.
    pub action: String,
    /// A part of the object, of a field's label, or of a value old or new.
    pub text: String,
}

impl AuditFilter {
    /// Whether every entry is shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [&self.actor, &self.action, &self.text].iter().all(|text| text.trim().is_empty())
    }

    /// The same filter with its words in the form in which they are compared.
    fn folded(&self) -> Self {
        let fold = |text: &str| text.trim().to_lowercase();
        Self { actor: fold(&self.actor), action: self.action.trim().to_owned(), text: fold(&self.text) }
    }

    /// Whether this (folded) filter shows the entry.
    fn shows(&self, entry: &AuditEntry) -> bool {
        let has = |text: &str, part: &str| part.is_empty() || text.to_lowercase().contains(part);
        let in_changes = || {
            let mut texts = entry.changes.iter().flat_map(|change| [&change.field, &change.old, &change.new]);
            texts.any(|text| has(text, &self.text))
        };
        has(&entry.actor, &self.actor)
            && (self.action.is_empty() || entry.action == self.action)
            && (has(&entry.object, &self.text) || in_changes())
    }
}

/// A page of the entries that a filter shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The entries, the latest first.
    pub rows: Vec<AuditRow>,
    /// Before which entry to go on; `None` at the end of the log.
    pub next: Option<i64>,
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

/// Entries about that customer, or about the portal itself, before the one with that number.
async fn page(
    connection: &mut Connection,
    customer_id: Option<i64>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AuditRow>> {
    let before = before.unwrap_or(i64::MAX);
    let rows = match customer_id {
        Some(customer_id) => all!(connection, Row, PAGE, customer_id, before, limit),
        None => all!(connection, Row, PORTAL_PAGE, before, limit),
    }?;
    rows.into_iter().map(AuditRow::try_from).collect()
}

async fn search(
    connection: &mut Connection,
    customer_id: Option<i64>,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<AuditPage> {
    let filter = filter.folded();
    let (mut found, mut searched, mut before) = (AuditPage::default(), 0, before);
    loop {
        let rows = page(connection, customer_id, before, BATCH).await?;
        let last = rows.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
        searched += rows.len();
        for row in rows {
            before = Some(row.id);
            if filter.shows(&row.entry) {
                if found.rows.len() == limit {
                    // There is another one: the next page begins with it.
                    found.next = Some(row.id + 1);
                    return Ok(found);
                }
                found.rows.push(row);
            }
        }
        if last {
            return Ok(found);
        }
        if searched >= MOST_SEARCHED {
            found.next = before;
            return Ok(found);
        }
    }
}

impl Store {
    /// The entries about the portal itself that a filter shows, the latest first, `before` the one with that number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn search_portal_audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<AuditPage> {
        search(&mut self.read().await?, None, filter, before, limit).await
    }
}

impl CustomerStore {
    /// The entries about this customer, the latest first, `before` the one with that number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit(&self, before: Option<i64>, limit: i64) -> Result<Vec<AuditRow>> {
        page(&mut self.read().await?, Some(self.id()), before, limit).await
    }

    /// The entries about this customer that a filter shows, the latest first, `before` the one with that number. A search that finds little
    /// ends after many thousand entries, with the place to go on from.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn search_audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<AuditPage> {
        search(&mut self.read().await?, Some(self.id()), filter, before, limit).await
    }
}
