//! Approvals by two administrators: whether a customer wants them, and who was the first.

use domain::{
    Timestamp,
    guard::{Decision, Guarded},
};

use crate::{
    CustomerStore, CustomerWrite,
    error::Result,
    given::Given,
    sql::{all, execute, one, statements},
};

statements! {
    SETTING = "SELECT two_administrators FROM customers WHERE id = $1";
    SET = "UPDATE customers SET two_administrators = $2 WHERE id = $1";
    FIRST = "SELECT h.object_id, h.first_approver_id, h.first_approver FROM held h
             WHERE h.customer_id = $1 AND h.kind = $2 AND h.first_approver IS NOT NULL AND h.object_id ", among("$3" "BIGINT"),
            " ORDER BY h.object_id";
    NOTE = "UPDATE held SET first_approver_id = $3, first_approver = $4, decision = $5, decided_at = NULL
            WHERE customer_id = $1 AND kind = $2 AND object_id ", among("$6" "BIGINT"), "";
    AWAIT = "INSERT INTO held (customer_id, kind, run_id, decision, reason, since, first_approver_id, first_approver, object_id)
             SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), 0, 'waiting', '', CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS TEXT),
                 given.object_id FROM ",
            given("$6": object_id "BIGINT" 0 "$6"),
            " WHERE TRUE
             ON CONFLICT (customer_id, kind, object_id) DO UPDATE SET decision = excluded.decision, decided_at = NULL,
                 first_approver_id = excluded.first_approver_id, first_approver = excluded.first_approver
             WHERE held.decision <> 'approved' AND held.first_approver IS NULL";
}

/// Who approved something first: the account's number, none at the command line, and the name.
pub type Approver = (Option<i64>, String);

impl CustomerStore {
    /// Whether an approval needs two administrators, as saved now.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn two_administrators(&self) -> Result<bool> {
        let mut connection = self.read().await?;
        Ok(one!(connection, (bool,), SETTING, self.id())?.0)
    }

    /// Who approved these objects first, by their numbers; those that nobody approved are not among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn first_approvers(&self, kind: Guarded, objects: &[i64]) -> Result<Vec<(i64, Approver)>> {
        let mut connection = self.read().await?;
        let given = Given::nothing().ints(objects.iter().copied());
        let rows =
            all!(connection, (i64, Option<i64>, String), FIRST, self.id(), kind.name(); given)?;
        Ok(rows.into_iter().map(|(object, id, name)| (object, (id, name))).collect())
    }
}

impl CustomerWrite {
    /// Whether an approval needs two administrators, as this transaction sees it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn needs_two_administrators(&mut self) -> Result<bool> {
        Ok(one!(self.connection, (bool,), SETTING, self.customer_id)?.0)
    }

    /// Saves whether an approval needs two administrators.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn set_two_administrators(&mut self, on: bool) -> Result<()> {
        execute!(self.connection, SET, self.customer_id, on).map(drop)
    }

    /// As [`CustomerStore::first_approvers`], as this transaction sees it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn first_approvers_in(
        &mut self,
        kind: Guarded,
        objects: &[i64],
    ) -> Result<Vec<(i64, Approver)>> {
        let given = Given::nothing().ints(objects.iter().copied());
        let rows =
            all!(self.connection, (i64, Option<i64>, String), FIRST, self.customer_id, kind.name(); given)?;
        Ok(rows.into_iter().map(|(object, id, name)| (object, (id, name))).collect())
    }

    /// Notes who approved held objects first, which wait for a second approval then; `None` forgets it, with the decision as given.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn note_first_approver(
        &mut self,
        kind: Guarded,
        objects: &[i64],
        approver: Option<&Approver>,
        decision: Decision,
    ) -> Result<()> {
        let given = Given::nothing().ints(objects.iter().copied());
        let (id, name) = (approver.and_then(|it| it.0), approver.map(|it| it.1.as_str()));
        execute!(
            self.connection, NOTE, self.customer_id, kind.name(), id, name, decision.name(); given
        )
        .map(drop)
    }

    /// Lets objects wait that no run has named yet, approved by one administrator.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn await_second_approval(
        &mut self,
        kind: Guarded,
        objects: &[i64],
        approver: &Approver,
        now: Timestamp,
    ) -> Result<()> {
        let mut objects = objects.to_vec();
        objects.sort_unstable();
        objects.dedup();
        let given = Given::nothing().ints(objects);
        let (id, name) = (approver.0, approver.1.as_str());
        execute!(self.connection, AWAIT, self.customer_id, kind.name(), now.0, id, name; given).map(drop)
    }
}
