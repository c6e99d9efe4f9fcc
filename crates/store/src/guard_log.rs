//! What the deletion guard counts: removals that happened without anybody's approval, and when one was given. It counts from the last one.

use domain::{Timestamp, guard::Guarded};

use crate::{
    CustomerStore, CustomerWrite,
    error::Result,
    sql::{execute, one, statements},
};

statements! {
    ADD = "INSERT INTO guard_log (customer_id, kind, approval, objects, at) VALUES ($1, $2, $3, $4, $5)";
    /// After an approval is what was noted later, whatever the clock said.
    RECENT = "SELECT CAST(COALESCE(SUM(objects), 0) AS BIGINT) FROM guard_log
              WHERE customer_id = $1 AND kind = $2 AND approval = FALSE AND at >= $3
                  AND id > COALESCE((SELECT MAX(id) FROM guard_log WHERE customer_id = $1 AND kind = $2 AND approval = TRUE), 0)";
}

impl CustomerStore {
    /// How many objects of a kind were removed without an approval since that moment, and since the last approval.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn guard_recent(&self, kind: Guarded, since: Timestamp) -> Result<i64> {
        let mut connection = self.read().await?;
        Ok(one!(connection, (i64,), RECENT, self.id(), kind.name(), since.0)?.0)
    }
}

impl CustomerWrite {
    /// Notes that so many objects of a kind were removed without an approval, or that an approval was given.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn log_guard(&mut self, kind: Guarded, approval: bool, objects: i64, now: Timestamp) -> Result<()> {
        execute!(self.connection, ADD, self.customer_id, kind.name(), approval, objects, now.0).map(drop)
    }
}
