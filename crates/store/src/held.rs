//! What the deletion guard holds back, and what an administrator decided about each object.
//!
//! A run that holds names every object that it would remove. Each run computes the set anew: it holds again what is still to be removed, which
//! leaves an earlier decision and its date as they are, and drops those that it did not name.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    guard::{Decision, Guarded},
};
use uuid::Uuid;

use crate::{
    CustomerStore, CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{all, execute, one, row_count, statements},
};

statements! {
    USERS = "SELECT h.kind, h.object_id, h.decision, h.reason, h.since, h.run_id, u.public_id, u.display_name, u.primary_address AS address
             FROM held h JOIN users u ON u.customer_id = h.customer_id AND u.id = h.object_id
             WHERE h.customer_id = $1 AND h.kind = $2 AND h.object_id > $3 ORDER BY h.object_id LIMIT $4";
    GROUPS = "SELECT h.kind, h.object_id, h.decision, h.reason, h.since, h.run_id, g.public_id, g.display_name,
                  COALESCE(g.address, '') AS address
              FROM held h JOIN groups g ON g.customer_id = h.customer_id AND g.id = h.object_id
              WHERE h.customer_id = $1 AND h.kind = $2 AND h.object_id > $3 ORDER BY h.object_id LIMIT $4";
    DECIDED_USERS = "SELECT h.kind, h.object_id, h.decision, h.reason, h.since, h.run_id, u.public_id, u.display_name,
                         u.primary_address AS address
                     FROM held h JOIN users u ON u.customer_id = h.customer_id AND u.id = h.object_id
                     WHERE h.customer_id = $1 AND h.kind = $2 AND h.object_id > $3 AND h.decision = $5 ORDER BY h.object_id LIMIT $4";
    DECIDED_GROUPS = "SELECT h.kind, h.object_id, h.decision, h.reason, h.since, h.run_id, g.public_id, g.display_name,
                          COALESCE(g.address, '') AS address
                      FROM held h JOIN groups g ON g.customer_id = h.customer_id AND g.id = h.object_id
                      WHERE h.customer_id = $1 AND h.kind = $2 AND h.object_id > $3 AND h.decision = $5 ORDER BY h.object_id LIMIT $4";
    OPEN = "SELECT object_id FROM held WHERE customer_id = $1 AND kind = $2 AND decision = 'waiting' ORDER BY object_id";
    COUNTS = "SELECT kind, decision, COUNT(*) FROM held WHERE customer_id = $1 AND kind >= '' GROUP BY kind, decision ORDER BY kind, decision";
    WAITING = "SELECT COUNT(*) FROM held WHERE customer_id = $1 AND kind = $2 AND decision = 'waiting'";
    AMONG = "SELECT h.kind, h.object_id, h.decision, h.reason, h.since, h.run_id FROM held h
             WHERE h.customer_id = $1 AND h.kind = $2 AND h.object_id ", among("$3" "BIGINT"), " ORDER BY h.object_id";
    DECISIONS = "SELECT h.object_id, h.decision FROM held h
                 WHERE h.customer_id = $1 AND h.kind = $2 AND h.object_id ", among("$3" "BIGINT"), " ORDER BY h.object_id";
    HOLD = "INSERT INTO held (customer_id, kind, run_id, decision, since, object_id, reason)
            SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS BIGINT), 'waiting', CAST($4 AS BIGINT), given.object_id, given.reason
            FROM ",
           given("$5": object_id "BIGINT" 0 "$5", reason "TEXT" 1 "$6"),
           " WHERE TRUE
            ON CONFLICT (customer_id, kind, object_id) DO UPDATE SET run_id = excluded.run_id, reason = excluded.reason";
    APPROVE = "INSERT INTO held (customer_id, kind, run_id, decision, reason, since, decided_at, object_id)
               SELECT CAST($1 AS BIGINT), 'removal', 0, 'approved', '', CAST($2 AS BIGINT), CAST($2 AS BIGINT), given.object_id FROM ",
              given("$3": object_id "BIGINT" 0 "$3"),
              " WHERE TRUE
               ON CONFLICT (customer_id, kind, object_id) DO UPDATE SET decision = excluded.decision, decided_at = excluded.decided_at";
    DECIDE_ALL = "UPDATE held SET decision = $3, decided_at = $4 WHERE customer_id = $1 AND kind = $2 AND decision = 'waiting'";
    DECIDE = "UPDATE held SET decision = $3, decided_at = $4
              WHERE customer_id = $1 AND kind = $2 AND decision <> $3 AND object_id ", among("$5" "BIGINT"), "";
    DROP = "DELETE FROM held WHERE customer_id = $1 AND kind = $2 AND object_id ", among("$3" "BIGINT"), "";
    DROP_OF_OTHER_RUNS = "DELETE FROM held WHERE customer_id = $1 AND kind = $2 AND decision = 'waiting' AND run_id <> $3";
}

/// An object that the guard holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What would happen to it.
    pub kind: Guarded,
    /// The number of the user or group.
    pub object_id: i64,
    /// What was decided.
    pub decision: Decision,
    /// Why it would be removed, in words; empty when it was approved before any run named it.
    pub reason: String,
    /// Since when it is held.
    pub since: Timestamp,
    /// The run that named it last; 0 when it was approved before any run did.
    pub run_id: i64,
}

/// A held object as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRow {
    /// What is held, and what was decided.
    pub held: Held,
    /// The id in addresses of pages.
    pub public_id: Uuid,
    /// The name shown.
    pub display_name: String,
    /// The primary address; empty for a group without one.
    pub address: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    kind: String,
    object_id: i64,
    decision: String,
    reason: String,
    since: i64,
    run_id: i64,
}

impl TryFrom<Row> for Held {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let corrupt = |column| StoreError::corrupt("held", column, row.object_id);
        Ok(Self {
            kind: Guarded::named(&row.kind).ok_or_else(|| corrupt("kind"))?,
            object_id: row.object_id,
            decision: Decision::named(&row.decision).ok_or_else(|| corrupt("decision"))?,
            reason: row.reason,
            since: Timestamp(row.since),
            run_id: row.run_id,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ListRow {
    #[sqlx(flatten)]
    held: Row,
    public_id: String,
    display_name: String,
    address: String,
}

impl TryFrom<ListRow> for HeldRow {
    type Error = StoreError;

    fn try_from(row: ListRow) -> Result<Self> {
        let held: Held = row.held.try_into()?;
        let table = if held.kind == Guarded::Group { "groups" } else { "users" };
        Ok(Self {
            public_id: Uuid::parse_str(&row.public_id)
                .map_err(|_| StoreError::corrupt(table, "public_id", held.object_id))?,
            display_name: row.display_name,
            address: row.address,
            held,
        })
    }
}

impl CustomerStore {
    /// What is held of a kind, decided or not, by number, `after` the object with that number (0 for all).
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn held(&self, kind: Guarded, after_object: i64, limit: i64) -> Result<Vec<HeldRow>> {
        let mut connection = self.read().await?;
        let statement = match kind {
            Guarded::Removal | Guarded::Deletion => USERS,
            Guarded::Group => GROUPS,
        };
        let rows = all!(connection, ListRow, statement, self.id(), kind.name(), after_object, limit)?;
        rows.into_iter().map(HeldRow::try_from).collect()
    }

    /// What is held of a kind with that decision, by number, `after` the object with that number (0 for all).
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn held_with(
        &self,
        kind: Guarded,
        decision: Decision,
        after_object: i64,
        limit: i64,
    ) -> Result<Vec<HeldRow>> {
        let mut connection = self.read().await?;
        let statement = match kind {
            Guarded::Removal | Guarded::Deletion => DECIDED_USERS,
            Guarded::Group => DECIDED_GROUPS,
        };
        let name = decision.name();
        let rows =
            all!(connection, ListRow, statement, self.id(), kind.name(), after_object, limit, name)?;
        rows.into_iter().map(HeldRow::try_from).collect()
    }

    /// The numbers of the objects of a kind that wait for a decision, ascending.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn waiting(&self, kind: Guarded) -> Result<Vec<i64>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, (i64,), OPEN, self.id(), kind.name())?;
        Ok(rows.into_iter().map(|(object,)| object).collect())
    }

    /// How many objects are held, by kind and decision; what there is none of is not among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn held_counts(&self) -> Result<Vec<(Guarded, Decision, i64)>> {
        let mut connection = self.read().await?;
        all!(connection, (String, String, i64), COUNTS, self.id())?
            .into_iter()
            .map(|(kind, decision, count)| {
                let corrupt = |column| StoreError::corrupt("held", column, &kind);
                Ok((
                    Guarded::named(&kind).ok_or_else(|| corrupt("kind"))?,
                    Decision::named(&decision).ok_or_else(|| corrupt("decision"))?,
                    count,
                ))
            })
            .collect()
    }

    /// What was decided about those of these objects that are held, by number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn decisions(&self, kind: Guarded, objects: &[i64]) -> Result<Vec<(i64, Decision)>> {
        let mut connection = self.read().await?;
        let given = Given::nothing().ints(objects.iter().copied());
        all!(connection, (i64, String), DECISIONS, self.id(), kind.name(); given)?
            .into_iter()
            .map(|(object, decision)| {
                let decision = Decision::named(&decision)
                    .ok_or_else(|| StoreError::corrupt("held", "decision", object))?;
                Ok((object, decision))
            })
            .collect()
    }

    /// How many objects of a kind wait for a decision.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn held_count(&self, kind: Guarded) -> Result<i64> {
        let mut connection = self.read().await?;
        Ok(one!(connection, (i64,), WAITING, self.id(), kind.name())?.0)
    }
}

impl CustomerWrite {
    /// Holds objects, each with the reason why it would be removed: new ones wait from now on, of those that are held already only the run and
    /// the reason change.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn hold(
        &mut self,
        run_id: i64,
        kind: Guarded,
        objects: &[(i64, String)],
        now: Timestamp,
    ) -> Result<()> {
        // Each once: a statement of Postgres cannot update a row twice.
        let objects: BTreeMap<i64, &str> =
            objects.iter().map(|(object, reason)| (*object, reason.as_str())).collect();
        let given = Given::nothing().ints(objects.keys().copied()).texts(objects.values().copied());
        execute!(self.connection, HOLD, self.customer_id, kind.name(), run_id, now.0; given).map(drop)
    }

    /// Approves the removal of users in advance: whoever confirmed a page that named them need not be asked again.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn approve_removals(&mut self, user_ids: &[i64], now: Timestamp) -> Result<()> {
        let mut ids = user_ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        execute!(self.connection, APPROVE, self.customer_id, now.0; Given::nothing().ints(ids)).map(drop)
    }

    /// Decides about held objects: about these, whatever was decided about them before, or without a list about all that wait. Answers how
    /// many decisions changed.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn decide_held(
        &mut self,
        kind: Guarded,
        objects: Option<&[i64]>,
        decision: Decision,
        now: Timestamp,
    ) -> Result<i64> {
        let changed = match objects {
            None => {
                execute!(
                    self.connection,
                    DECIDE_ALL,
                    self.customer_id,
                    kind.name(),
                    decision.name(),
                    now.0
                )
            }
            Some(objects) => {
                let given = Given::nothing().ints(objects.iter().copied());
                execute!(
                    self.connection, DECIDE, self.customer_id, kind.name(), decision.name(), now.0; given
                )
            }
        };
        changed.map(row_count)
    }

    /// The numbers of the objects of a kind that wait for a decision, ascending, as this transaction sees them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn waiting_in(&mut self, kind: Guarded) -> Result<Vec<i64>> {
        let rows = all!(self.connection, (i64,), OPEN, self.customer_id, kind.name())?;
        Ok(rows.into_iter().map(|(object,)| object).collect())
    }

    /// Those of these objects that are held, by number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn held_among(&mut self, kind: Guarded, objects: &[i64]) -> Result<Vec<Held>> {
        let given = Given::nothing().ints(objects.iter().copied());
        let rows = all!(self.connection, Row, AMONG, self.customer_id, kind.name(); given)?;
        rows.into_iter().map(Held::try_from).collect()
    }

    /// Forgets what is held about these objects: they were removed, or are delivered again.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn drop_held(&mut self, kind: Guarded, objects: &[i64]) -> Result<()> {
        let given = Given::nothing().ints(objects.iter().copied());
        execute!(self.connection, DROP, self.customer_id, kind.name(); given).map(drop)
    }

    /// Forgets the objects that wait, but which this run did not hold: they are not to be removed any more. Answers how many.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn drop_held_of_other_runs(&mut self, kind: Guarded, run_id: i64) -> Result<i64> {
        execute!(self.connection, DROP_OF_OTHER_RUNS, self.customer_id, kind.name(), run_id).map(row_count)
    }
}
