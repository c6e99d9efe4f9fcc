//! Users that their directory service does not deliver any more: when each is to be deleted, and what was decided about it.
//!
//! A conflict is a row beside its user. It is due when the delay since its clock started has passed, and no earlier than it was promised;
//! [`Conflict::delete_on`] says the same in Rust. The delay is a setting, so the date is never stored. Clocks are moved by whole sets: when an
//! Ignore ends, when the setting is shortened, when the service was off for a while.

use domain::{
    Timestamp,
    conflict::{Conflict, Reason, State},
    service::Source,
};
use uuid::Uuid;

use crate::{
    CustomerStore, CustomerWrite, StoreError, User,
    error::Result,
    given::Given,
    sql::{all, execute, one, row_count, statements},
    users::{self, read_public_id, read_source},
};

statements! {
    PAGE = "SELECT c.user_id, u.public_id, u.display_name, u.primary_address, u.address_lost, u.source, u.external_id, c.reason,
                c.missing_since, c.clock_from, c.not_before, c.state, c.ignored_until, c.note, c.stay_inactive, c.rival
            FROM conflicts c JOIN users u ON u.customer_id = c.customer_id AND u.id = c.user_id
            WHERE c.customer_id = $1 AND (c.missing_since, c.user_id) > ($2, $3) ORDER BY c.missing_since, c.user_id LIMIT $4";
    /// $3 is the start of a clock that runs out at $4.
    DUE = "SELECT c.user_id FROM conflicts c JOIN users u ON u.customer_id = c.customer_id AND u.id = c.user_id
           WHERE c.customer_id = $1 AND u.source = $2 AND c.state = 'pending' AND c.clock_from <= $3 AND COALESCE(c.not_before, $4) <= $4
               AND c.user_id > $5
           ORDER BY c.user_id LIMIT $6";
    DUE_COUNT = "SELECT COUNT(*) FROM conflicts c JOIN users u ON u.customer_id = c.customer_id AND u.id = c.user_id
                 WHERE c.customer_id = $1 AND u.source = $2 AND c.state = 'pending' AND c.clock_from <= $3
                     AND COALESCE(c.not_before, $4) <= $4";
    DUE_AMONG = "SELECT c.user_id FROM conflicts c JOIN users u ON u.customer_id = c.customer_id AND u.id = c.user_id
                 WHERE c.customer_id = $1 AND u.source = $2 AND c.state = 'pending' AND c.clock_from <= $3
                     AND COALESCE(c.not_before, $4) <= $4 AND c.user_id ", among("$5" "BIGINT"), "";
    PUT = "INSERT INTO conflicts (customer_id, user_id, reason, missing_since, clock_from, not_before, state, ignored_until, note,
               stay_inactive, rival)
           SELECT CAST($1 AS BIGINT), given.user_id, given.reason, given.missing_since, given.clock_from, given.not_before, given.state,
               given.ignored_until, given.note, given.stay_inactive, given.rival
           FROM ",
          given("$2": user_id "BIGINT" 0 "$2", reason "TEXT" 1 "$3", missing_since "BIGINT" 2 "$4", clock_from "BIGINT" 3 "$5",
              not_before "BIGINT" 4 "$6", state "TEXT" 5 "$7", ignored_until "BIGINT" 6 "$8", note "TEXT" 7 "$9",
              stay_inactive "BOOLEAN" 8 "$10", rival "TEXT" 9 "$11"),
          " WHERE TRUE
           ON CONFLICT (customer_id, user_id) DO UPDATE SET reason = excluded.reason, missing_since = excluded.missing_since,
               clock_from = excluded.clock_from, not_before = excluded.not_before, state = excluded.state,
               ignored_until = excluded.ignored_until, note = excluded.note, stay_inactive = excluded.stay_inactive, rival = excluded.rival";
    CLOSE = "DELETE FROM conflicts WHERE customer_id = $1 AND user_id ", among("$2" "BIGINT"), "";
    END_IGNORES = "UPDATE conflicts SET state = 'pending', clock_from = ignored_until, ignored_until = NULL
                   WHERE customer_id = $1 AND state = 'ignored' AND ignored_until <= $3
                       AND EXISTS (SELECT 1 FROM users u WHERE u.customer_id = $1 AND u.id = conflicts.user_id AND u.source = $2)";
    /// $3 is the start of a clock that runs out at $4. The clock of an Ignore with a date starts on that date.
    WOULD_PROMISE = "SELECT COUNT(*) FROM conflicts
                     WHERE customer_id = $1 AND state IN ('pending', 'ignored')
                         AND CASE WHEN state = 'pending' THEN clock_from ELSE ignored_until END < $3 AND COALESCE(not_before < $4, TRUE)
                         AND EXISTS (SELECT 1 FROM users u WHERE u.customer_id = $1 AND u.id = conflicts.user_id AND u.source = $2)";
    PROMISE = "UPDATE conflicts SET not_before = $4
               WHERE customer_id = $1 AND state IN ('pending', 'ignored')
                   AND CASE WHEN state = 'pending' THEN clock_from ELSE ignored_until END < $3 AND COALESCE(not_before < $4, TRUE)
                   AND EXISTS (SELECT 1 FROM users u WHERE u.customer_id = $1 AND u.id = conflicts.user_id AND u.source = $2)";
    PUT_OFF_IGNORES = "UPDATE conflicts SET ignored_until = $3
                       WHERE customer_id = $1 AND state = 'ignored' AND ignored_until < $3
                           AND EXISTS (SELECT 1 FROM users u WHERE u.customer_id = $1 AND u.id = conflicts.user_id AND u.source = $2)";
    SHIFT = "UPDATE conflicts SET clock_from = clock_from + $3, not_before = not_before + $3
             WHERE customer_id = $1 AND state = 'pending'
                 AND EXISTS (SELECT 1 FROM users u WHERE u.customer_id = $1 AND u.id = conflicts.user_id AND u.source = $2)";
}

/// A conflict with its user, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictRow {
    /// The user's number.
    pub user_id: i64,
    /// The id in addresses of pages.
    pub public_id: Uuid,
    /// The name shown.
    pub display_name: String,
    /// The primary address.
    pub primary_address: String,
    /// Whether that address went to somebody who is delivered: it is the last known one then.
    pub address_lost: bool,
    /// Where the user comes from.
    pub source: Source,
    /// The directory's key of the user.
    pub external_id: Option<String>,
    /// The conflict.
    pub conflict: Conflict,
}

impl ConflictRow {
    /// The row's place in the list.
    #[must_use]
    pub const fn cursor(&self) -> (Timestamp, i64) {
        (self.conflict.missing_since, self.user_id)
    }
}

/// A conflict's columns beside those of its user; all NULL for a user that has none.
#[derive(sqlx::FromRow)]
pub(crate) struct Columns {
    reason: Option<String>,
    missing_since: Option<i64>,
    clock_from: Option<i64>,
    not_before: Option<i64>,
    state: Option<String>,
    ignored_until: Option<i64>,
    note: Option<String>,
    stay_inactive: Option<bool>,
    rival: Option<String>,
}

impl Columns {
    pub(crate) fn read(self, user_id: i64) -> Result<Option<Conflict>> {
        let corrupt = |column| StoreError::corrupt("conflicts", column, user_id);
        let Some(reason) = self.reason else { return Ok(None) };
        Ok(Some(Conflict {
            reason: Reason::named(&reason).ok_or_else(|| corrupt("reason"))?,
            missing_since: Timestamp(self.missing_since.ok_or_else(|| corrupt("missing_since"))?),
            clock_from: Timestamp(self.clock_from.ok_or_else(|| corrupt("clock_from"))?),
            not_before: self.not_before.map(Timestamp),
            state: self.state.as_deref().and_then(State::named).ok_or_else(|| corrupt("state"))?,
            ignored_until: self.ignored_until.map(Timestamp),
            note: self.note.ok_or_else(|| corrupt("note"))?,
            stay_inactive: self.stay_inactive.ok_or_else(|| corrupt("stay_inactive"))?,
            rival: self.rival,
        }))
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    user_id: i64,
    public_id: String,
    display_name: String,
    primary_address: String,
    address_lost: bool,
    source: String,
    external_id: Option<String>,
    #[sqlx(flatten)]
    conflict: Columns,
}

impl TryFrom<Row> for ConflictRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            user_id: row.user_id,
            public_id: read_public_id(&row.public_id, row.user_id)?,
            display_name: row.display_name,
            primary_address: row.primary_address,
            address_lost: row.address_lost,
            source: read_source(&row.source, row.user_id)?,
            external_id: row.external_id,
            conflict: row
                .conflict
                .read(row.user_id)?
                .ok_or_else(|| StoreError::corrupt("conflicts", "reason", row.user_id))?,
        })
    }
}

impl CustomerStore {
    /// A chunk of the conflicts, those that are missing longest first, `after` the one at that [place](ConflictRow::cursor).
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn conflicts(&self, after: Option<(Timestamp, i64)>, limit: i64) -> Result<Vec<ConflictRow>> {
        let mut connection = self.read().await?;
        let (since, user_id) = after.unwrap_or((Timestamp(i64::MIN), i64::MIN));
        let rows = all!(connection, Row, PAGE, self.id(), since.0, user_id, limit)?;
        rows.into_iter().map(ConflictRow::try_from).collect()
    }

    /// Users of a source whose deletion is due by that moment, by number, `after` the one with that number (0 for all). The delay is the
    /// present setting in milliseconds.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn due_conflicts(
        &self,
        source: Source,
        due_before: Timestamp,
        delay_ms: i64,
        after_user: i64,
        limit: i64,
    ) -> Result<Vec<User>> {
        let mut connection = self.read().await?;
        let started = clock_start(due_before, delay_ms);
        let ids = all!(
            connection,
            (i64,),
            DUE,
            self.id(),
            source.name(),
            started,
            due_before.0,
            after_user,
            limit
        )?;
        users::by_id(&mut connection, self.id(), ids.into_iter().map(|(id,)| id)).await
    }

    /// How many users [`Self::due_conflicts`] has in all.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn due_count(&self, source: Source, due_before: Timestamp, delay_ms: i64) -> Result<i64> {
        let mut connection = self.read().await?;
        let started = clock_start(due_before, delay_ms);
        Ok(one!(connection, (i64,), DUE_COUNT, self.id(), source.name(), started, due_before.0)?.0)
    }

    /// How many deletions [`CustomerWrite::promise_notice`] would move.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn would_promise(&self, source: Source, delay_ms: i64, earliest: Timestamp) -> Result<i64> {
        let mut connection = self.read().await?;
        let started = clock_start(earliest, delay_ms);
        Ok(one!(connection, (i64,), WOULD_PROMISE, self.id(), source.name(), started, earliest.0)?.0)
    }
}

impl CustomerWrite {
    /// Opens or changes the conflict of one user, as an administrator decided.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when this customer has no such user.
    pub async fn set_conflict(&mut self, user_id: i64, conflict: &Conflict) -> Result<()> {
        let difference = self.uncount(&[user_id]).await?;
        if difference.is_nobody() {
            return Err(StoreError::Missing("The user"));
        }
        self.put_conflicts([(user_id, conflict)]).await?;
        self.refresh_status(user_id).await?;
        self.recount(&[user_id], difference).await
    }

    /// Starts the clock of every Ignore whose date has come, from that date; answers how many there were.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn end_ignores(&mut self, source: Source, now: Timestamp) -> Result<i64> {
        self.lock_users().await?;
        execute!(self.connection, END_IGNORES, self.customer_id, source.name(), now.0).map(row_count)
    }

    /// Moves every pending deletion that would be due before `earliest` to that moment, for a delay that is being shortened; also that of an
    /// Ignore with a date. Answers how many were moved.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn promise_notice(&mut self, source: Source, delay_ms: i64, earliest: Timestamp) -> Result<i64> {
        self.lock_users().await?;
        let started = clock_start(earliest, delay_ms);
        execute!(self.connection, PROMISE, self.customer_id, source.name(), started, earliest.0).map(row_count)
    }

    /// Moves every running clock by as long as the service was off; answers how many. Ignores whose date came before that are to be
    /// [ended](Self::end_ignores) before, those whose date came meanwhile [put off](Self::put_off_ignores) behind.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn shift_clocks(&mut self, source: Source, by_ms: i64) -> Result<i64> {
        self.lock_users().await?;
        execute!(self.connection, SHIFT, self.customer_id, source.name(), by_ms).map(row_count)
    }

    /// Lets every Ignore whose date has passed last until that moment, so that its clock starts then; answers how many.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn put_off_ignores(&mut self, source: Source, until: Timestamp) -> Result<i64> {
        self.lock_users().await?;
        execute!(self.connection, PUT_OFF_IGNORES, self.customer_id, source.name(), until.0).map(row_count)
    }

    /// Those of these users that are due, as [`CustomerStore::due_conflicts`] means it.
    pub(crate) async fn due_among(
        &mut self,
        source: Source,
        due_before: Timestamp,
        delay_ms: i64,
        user_ids: &[i64],
    ) -> Result<Vec<i64>> {
        let started = clock_start(due_before, delay_ms);
        let given = Given::nothing().ints(user_ids.iter().copied());
        let rows = all!(
            self.connection, (i64,), DUE_AMONG, self.customer_id, source.name(), started, due_before.0; given
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Opens and changes conflicts of users that are known to be this customer's.
    pub(crate) async fn put_conflicts(
        &mut self,
        conflicts: impl IntoIterator<Item = (i64, &Conflict)>,
    ) -> Result<()> {
        let (ids, conflicts): (Vec<i64>, Vec<&Conflict>) = conflicts.into_iter().unzip();
        if ids.is_empty() {
            return Ok(());
        }
        let given = Given::nothing()
            .ints(ids)
            .texts(conflicts.iter().map(|conflict| conflict.reason.name()))
            .ints(conflicts.iter().map(|conflict| conflict.missing_since.0))
            .ints(conflicts.iter().map(|conflict| conflict.clock_from.0))
            .optional_ints(conflicts.iter().map(|conflict| conflict.not_before.map(|at| at.0)))
            .texts(conflicts.iter().map(|conflict| conflict.state.name()))
            .optional_ints(conflicts.iter().map(|conflict| conflict.ignored_until.map(|at| at.0)))
            .texts(conflicts.iter().map(|conflict| conflict.note.as_str()))
            .flags(conflicts.iter().map(|conflict| conflict.stay_inactive))
            .optional_texts(conflicts.iter().map(|conflict| conflict.rival.clone()));
        execute!(self.connection, PUT, self.customer_id; given).map(drop)
    }

    /// Closes the conflicts of those of these users that have one.
    pub(crate) async fn close_conflicts(&mut self, user_ids: impl IntoIterator<Item = i64>) -> Result<()> {
        let given = Given::nothing().ints(user_ids);
        execute!(self.connection, CLOSE, self.customer_id; given).map(drop)
    }
}

/// When a clock that runs out at that moment started.
const fn clock_start(moment: Timestamp, delay_ms: i64) -> i64 {
    moment.plus(-delay_ms).0
}
