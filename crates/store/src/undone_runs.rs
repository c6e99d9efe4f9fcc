//! Runs whose changes were taken back, and what is needed to find out which can be.

use domain::Timestamp;
use uuid::Uuid;

use crate::{
    Approver, CustomerStore, CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{all, execute, optional, statements},
};

statements! {
    GET = "SELECT asked_by_id, asked_by, undone_by, undone_at FROM undone_runs WHERE customer_id = $1 AND run_id = $2";
    ASK = "INSERT INTO undone_runs (customer_id, run_id, asked_by_id, asked_by) VALUES ($1, $2, $3, $4)";
    DONE = "INSERT INTO undone_runs (customer_id, run_id, asked_by_id, asked_by, undone_by, undone_at) VALUES ($1, $2, $3, $4, $4, $5)
            ON CONFLICT (customer_id, run_id) DO UPDATE SET undone_by = excluded.undone_by, undone_at = excluded.undone_at";
    /// What a run that was taken back did is as if it had not been.
    LATER = "SELECT DISTINCT c.object_id FROM run_changes c JOIN runs r ON r.customer_id = c.customer_id AND r.id = c.run_id
             WHERE c.customer_id = $1 AND c.run_id > $2 AND r.purpose = 'sync'
                 AND NOT EXISTS (SELECT 1 FROM undone_runs d
                                 WHERE d.customer_id = c.customer_id AND d.run_id = c.run_id AND d.undone_at IS NOT NULL)
                 AND c.object_id ", among("$3" "TEXT"), "";
    /// COALESCE keeps both planners from searching by the customer instead of by the few ids.
    USERS = "SELECT u.id FROM users u WHERE COALESCE(u.customer_id = $1, FALSE) AND u.public_id ", among("$2" "TEXT"), " ORDER BY u.id";
    BINNED = "SELECT b.id FROM recycle_bin b WHERE COALESCE(b.customer_id = $1, FALSE) AND b.public_id ",
             among("$2" "TEXT"), " ORDER BY b.id";
}

/// A run that was taken back, or that somebody wants to take back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneRun {
    /// Who asked for it first.
    pub asked_by: Approver,
    /// Who did it, and when; `None` while it waits for a second administrator.
    pub undone: Option<(String, Timestamp)>,
}

type Row = (Option<i64>, String, Option<String>, Option<i64>);

fn read((id, name, by, at): Row) -> UndoneRun {
    UndoneRun { asked_by: (id, name), undone: by.zip(at.map(Timestamp)) }
}

fn texts(ids: &[Uuid]) -> Given {
    Given::nothing().texts(ids.iter().map(Uuid::to_string))
}

impl CustomerStore {
    /// Whether a run was taken back, or somebody wants to.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn undone_run(&self, run_id: i64) -> Result<Option<UndoneRun>> {
        let mut connection = self.read().await?;
        Ok(optional!(connection, Row, GET, self.id(), run_id)?.map(read))
    }
}

impl CustomerWrite {
    /// As [`CustomerStore::undone_run`], as this transaction sees it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn undone_run_in(&mut self, run_id: i64) -> Result<Option<UndoneRun>> {
        Ok(optional!(self.connection, Row, GET, self.customer_id, run_id)?.map(read))
    }

    /// Notes that somebody wants to take a run back, which waits for another administrator.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn ask_to_undo(&mut self, run_id: i64, by: &Approver) -> Result<()> {
        execute!(self.connection, ASK, self.customer_id, run_id, by.0, by.1.as_str())
            .map(drop)
            .map_err(|error: StoreError| error.or_taken(|| "Undoing this run".to_owned()))
    }

    /// Notes that a run was taken back.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn note_undone(&mut self, run_id: i64, by: &Approver, now: Timestamp) -> Result<()> {
        execute!(self.connection, DONE, self.customer_id, run_id, by.0, by.1.as_str(), now.0).map(drop)
    }

    /// Which of these objects a later run changed, other than one that was taken back.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn changed_since_run(&mut self, run_id: i64, objects: &[Uuid]) -> Result<Vec<Uuid>> {
        let rows = all!(self.connection, (String,), LATER, self.customer_id, run_id; texts(objects))?;
        rows.into_iter()
            .map(|(id,)| {
                Uuid::parse_str(&id).map_err(|_| StoreError::corrupt("run_changes", "object_id", &id))
            })
            .collect()
    }

    /// The numbers of the users with these ids.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn users_with(&mut self, ids: &[Uuid]) -> Result<Vec<i64>> {
        let rows = all!(self.connection, (i64,), USERS, self.customer_id; texts(ids))?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The numbers of the entries of the recycle bin with these ids.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn binned_with(&mut self, ids: &[Uuid]) -> Result<Vec<i64>> {
        let rows = all!(self.connection, (i64,), BINNED, self.customer_id; texts(ids))?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}
