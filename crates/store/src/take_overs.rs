//! Manual users whose primary address the directory delivers: each waits for an administrator to say whether it becomes the directory's.

use domain::{Timestamp, guard::Decision};

use crate::{
    CustomerStore, CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{all, execute, statements},
};

statements! {
    ALL = "SELECT user_id, external_id, display_name, decision, since FROM take_overs WHERE customer_id = $1
           ORDER BY since, user_id, external_id";
    AMONG = "SELECT t.user_id, t.external_id, t.display_name, t.decision, t.since FROM take_overs t
             WHERE t.customer_id = $1 AND t.user_id ", among("$2" "BIGINT"), " ORDER BY t.user_id, t.external_id";
    /// The subquery reads one row by its number, whatever the planner knows of the table.
    AWAIT = "INSERT INTO take_overs (customer_id, user_id, external_id, display_name, decision, since)
             SELECT CAST($1 AS BIGINT), given.user_id, given.external_id, given.display_name, 'waiting', CAST($2 AS BIGINT) FROM ",
            given("$3": user_id "BIGINT" 0 "$3", external_id "TEXT" 1 "$4", display_name "TEXT" 2 "$5"),
            " WHERE (SELECT u.customer_id FROM users u WHERE u.id = given.user_id) = $1
             ON CONFLICT (customer_id, user_id, external_id) DO NOTHING";
    DECIDE = "UPDATE take_overs SET decision = $4 WHERE customer_id = $1 AND user_id = $2 AND external_id = $3";
    SETTLE = "DELETE FROM take_overs WHERE customer_id = $1 AND decision = 'waiting' AND external_id ", among("$2" "TEXT"), "";
    DROP = "DELETE FROM take_overs WHERE customer_id = $1
                AND (user_id, external_id) IN (SELECT given.user_id, given.external_id FROM ",
           given("$2": user_id "BIGINT" 0 "$2", external_id "TEXT" 1 "$3"),
           ")";
}

/// A Manual user that the directory would take over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeOver {
    /// The Manual user's number.
    pub user_id: i64,
    /// The directory's key of the person that has the address.
    pub external_id: String,
    /// That person's name.
    pub display_name: String,
    /// What was decided; dismissed means never.
    pub decision: Decision,
    /// Since when it waits.
    pub since: Timestamp,
}

type Row = (i64, String, String, String, i64);

fn read((user_id, external_id, display_name, decision, since): Row) -> Result<TakeOver> {
    Ok(TakeOver {
        user_id,
        external_id,
        display_name,
        decision: Decision::named(&decision)
            .ok_or_else(|| StoreError::corrupt("take_overs", "decision", user_id))?,
        since: Timestamp(since),
    })
}

impl CustomerStore {
    /// Every take-over, decided or not, the one that waits longest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn take_overs(&self) -> Result<Vec<TakeOver>> {
        let mut connection = self.read().await?;
        all!(connection, Row, ALL, self.id())?.into_iter().map(read).collect()
    }
}

impl CustomerWrite {
    /// Lets take-overs wait for an administrator: the Manual user, and key and name of the person in the directory. Those that are there stay
    /// as they are; a user of another customer is passed over.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn await_take_overs(&mut self, take_overs: &[(i64, String, String)], now: Timestamp) -> Result<()> {
        let given = Given::nothing()
            .ints(take_overs.iter().map(|(user, ..)| *user))
            .texts(take_overs.iter().map(|(_, external_id, _)| external_id.as_str()))
            .texts(take_overs.iter().map(|(.., name)| name.as_str()));
        execute!(self.connection, AWAIT, self.customer_id, now.0; given).map(drop)
    }

    /// The take-overs of these users.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn take_overs_among(&mut self, user_ids: &[i64]) -> Result<Vec<TakeOver>> {
        let given = Given::nothing().ints(user_ids.iter().copied());
        all!(self.connection, Row, AMONG, self.customer_id; given)?.into_iter().map(read).collect()
    }

    /// Decides about a take-over; answers whether it was there.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn decide_take_over(
        &mut self,
        user_id: i64,
        external_id: &str,
        decision: Decision,
    ) -> Result<bool> {
        let hit =
            execute!(self.connection, DECIDE, self.customer_id, user_id, external_id, decision.name())?;
        Ok(hit > 0)
    }

    /// Forgets the take-overs that wait for a decision about these people: they were synced, or left out, without one.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn settle_take_overs(&mut self, external_ids: &[String]) -> Result<()> {
        let given = Given::nothing().texts(external_ids);
        execute!(self.connection, SETTLE, self.customer_id; given).map(drop)
    }

    /// Forgets take-overs: they happened, or the directory does not deliver the address any more.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn drop_take_overs(&mut self, take_overs: &[(i64, String)]) -> Result<()> {
        let given = Given::nothing()
            .ints(take_overs.iter().map(|(user, _)| *user))
            .texts(take_overs.iter().map(|(_, external_id)| external_id.as_str()));
        execute!(self.connection, DROP, self.customer_id; given).map(drop)
    }
}
