//! How many users there are by source and status: kept by every transaction that writes users, so that no page has to count them.
//!
//! A write counts the users that it is about to change, changes them, counts them again and adds the difference.

use std::collections::BTreeMap;

use domain::service::{Source, Status};

use crate::{
    CustomerStore, CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{all, execute, one, statements},
};

statements! {
    ALL = "SELECT source, status, users FROM user_counts WHERE customer_id = $1 AND users <> 0 ORDER BY source, status";
    IN_CONFLICT = "SELECT COUNT(*) FROM conflicts c WHERE c.customer_id = $1
                       AND (SELECT u.source FROM users u WHERE u.customer_id = c.customer_id AND u.id = c.user_id) = $2";
    /// Changes nothing, but lets one transaction at a time change a customer's users on Postgres, so that what is counted before and after a
    /// write is this write's difference. SQLite has one writer anyway.
    LOCK = "UPDATE customers SET suspended_at = suspended_at WHERE id = $1";
    /// COALESCE keeps SQLite from counting all users of the customer along the index of sources and statuses.
    COUNT = "SELECT u.source, u.status, COUNT(*) FROM users u WHERE COALESCE(u.customer_id = $1, FALSE) AND u.id ", among("$2" "BIGINT"), " GROUP BY u.source, u.status";
    ADD = "INSERT INTO user_counts (customer_id, source, status, users)
           SELECT CAST($1 AS BIGINT), given.source, given.status, given.users FROM ",
          given("$2": source "TEXT" 0 "$2", status "TEXT" 1 "$3", users "BIGINT" 2 "$4"),
          " WHERE TRUE ON CONFLICT (customer_id, source, status) DO UPDATE SET users = user_counts.users + excluded.users";
}

/// By how much each count changes, by source and status. As long as a write is under way, the users that it changes are taken away.
#[derive(Default)]
pub(crate) struct Difference(BTreeMap<(String, String), i64>);

impl Difference {
    /// Whether nobody was counted.
    pub(crate) fn is_nobody(&self) -> bool {
        self.0.is_empty()
    }
}

impl CustomerStore {
    /// How many users there are, by source and status; what there is none of is not among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn user_counts(&self) -> Result<Vec<(Source, Status, i64)>> {
        let mut connection = self.read().await?;
        all!(connection, (String, String, i64), ALL, self.id())?
            .into_iter()
            .map(|(source, status, users)| {
                let source = Source::named(&source)
                    .ok_or_else(|| StoreError::corrupt("user_counts", "source", &source))?;
                let status = Status::named(&status)
                    .ok_or_else(|| StoreError::corrupt("user_counts", "status", &status))?;
                Ok((source, status, users))
            })
            .collect()
    }
}

impl CustomerStore {
    /// How many users of a source are delivered, as far as the portal knows: those without a conflict, whatever their service.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delivered_count(&self, source: Source) -> Result<i64> {
        let counts = self.user_counts().await?;
        let all: i64 = counts.iter().filter(|(of, ..)| *of == source).map(|(.., users)| users).sum();
        let mut connection = self.read().await?;
        let (in_conflict,) = one!(connection, (i64,), IN_CONFLICT, self.id(), source.name())?;
        Ok(all - in_conflict)
    }
}

impl CustomerWrite {
    /// Keeps every other transaction from changing this customer's users and conflicts until this one ends.
    pub(crate) async fn lock_users(&mut self) -> Result<()> {
        execute!(self.connection, LOCK, self.customer_id).map(drop)
    }

    /// Locks the users and takes those that are about to be changed out of the counts. Behind the change belongs [`Self::recount`].
    pub(crate) async fn uncount(&mut self, ids: &[i64]) -> Result<Difference> {
        self.lock_users().await?;
        let mut difference = Difference::default();
        self.count(ids, -1, &mut difference).await?;
        Ok(difference)
    }

    /// Counts the users as they stand after the change, and keeps the difference.
    pub(crate) async fn recount(&mut self, ids: &[i64], mut difference: Difference) -> Result<()> {
        self.count(ids, 1, &mut difference).await?;
        let Difference(mut difference) = difference;
        difference.retain(|_, users| *users != 0);
        if difference.is_empty() {
            return Ok(());
        }
        let given = Given::nothing()
            .texts(difference.keys().map(|(source, _)| source.as_str()))
            .texts(difference.keys().map(|(_, status)| status.as_str()))
            .ints(difference.values().copied());
        execute!(self.connection, ADD, self.customer_id; given).map(drop)
    }

    async fn count(&mut self, ids: &[i64], sign: i64, Difference(counts): &mut Difference) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let given = Given::nothing().ints(ids.iter().copied());
        for (source, status, users) in
            all!(self.connection, (String, String, i64), COUNT, self.customer_id; given)?
        {
            *counts.entry((source, status)).or_default() += sign * users;
        }
        Ok(())
    }
}
