//! How many users in conflict are to be deleted on which day: the dashboard's picture.

use domain::Timestamp;

use crate::{
    CustomerStore,
    error::Result,
    sql::{all, statements},
};

statements! {
    /// The same date as `domain::conflict::Conflict::delete_on` gives for a pending one.
    DAYS = "SELECT (CASE WHEN not_before IS NOT NULL AND not_before > clock_from + CAST($3 AS BIGINT) THEN not_before
                ELSE clock_from + CAST($3 AS BIGINT) END - CAST($2 AS BIGINT)) / 86400000 AS day, COUNT(*)
            FROM conflicts WHERE customer_id = $1 AND state = 'pending' GROUP BY 1 ORDER BY 1";
}

impl CustomerStore {
    /// How many pending conflicts are due how many days after `from`, by the present delay of deletion. Who is due already counts as day 0
    /// or, a day and more late, as a day before it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn deletion_days(&self, from: Timestamp, delay_ms: i64) -> Result<Vec<(i64, i64)>> {
        let mut connection = self.read().await?;
        all!(connection, (i64, i64), DAYS, self.id(), from.0, delay_ms)
    }
}
