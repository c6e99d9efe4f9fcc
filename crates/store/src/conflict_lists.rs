//! Users in conflict as the page of User Conflicts lists them: searched and filtered; and what an administrator decided about many at once.
//!
//! A decision about "all that match" asks for the same filter again inside its transaction, where nobody else changes users meanwhile.

use domain::{
    Timestamp,
    conflict::{Conflict, Reason, State},
    service::Source,
};
use uuid::Uuid;

use crate::{
    ConflictRow, CustomerStore, CustomerWrite, StoreError,
    conflicts::Row,
    error::Result,
    given::Given,
    sql::{Connection, all, execute, one, row_count, statements},
    users::read_public_id,
};

statements! {
    PAGE = "SELECT c.user_id, u.public_id, u.display_name, u.primary_address, u.address_lost, u.source, u.external_id, c.reason,
                c.missing_since, c.clock_from, c.not_before, c.state, c.ignored_until, c.note, c.stay_inactive, c.rival
            FROM conflicts c JOIN users u ON u.customer_id = c.customer_id AND u.id = c.user_id
            WHERE c.customer_id = $1 AND (c.missing_since, c.user_id) > ($2, $3) AND ($4 = '' OR c.state = $4) AND ($5 = '' OR c.reason = $5)
                AND ($6 = '' OR u.sort_name LIKE $6 ESCAPE '!' OR u.primary_address LIKE $6 ESCAPE '!')
            ORDER BY c.missing_since, c.user_id LIMIT $7";
    COUNT = "SELECT COUNT(*) FROM conflicts c JOIN users u ON u.customer_id = c.customer_id AND u.id = c.user_id
             WHERE c.customer_id = $1 AND ($2 = '' OR c.state = $2) AND ($3 = '' OR c.reason = $3)
                 AND ($4 = '' OR u.sort_name LIKE $4 ESCAPE '!' OR u.primary_address LIKE $4 ESCAPE '!')";
    AMONG = "SELECT c.user_id, u.public_id, u.display_name, u.primary_address, u.address_lost, u.source, u.external_id, c.reason,
                 c.missing_since, c.clock_from, c.not_before, c.state, c.ignored_until, c.note, c.stay_inactive, c.rival
             FROM conflicts c JOIN users u ON u.customer_id = c.customer_id AND u.id = c.user_id
             WHERE c.customer_id = $1 AND c.user_id ", among("$2" "BIGINT"), "";
    /// COALESCE keeps the planner from searching by the customer instead.
    IDS = "SELECT u.id FROM users u WHERE COALESCE(u.customer_id = $1, FALSE) AND u.public_id ", among("$2" "TEXT"), "";
    WITH_RIVAL = "SELECT c.user_id, u.public_id, u.display_name, u.primary_address, u.address_lost, u.source, u.external_id, c.reason,
                      c.missing_since, c.clock_from, c.not_before, c.state, c.ignored_until, c.note, c.stay_inactive, c.rival
                  FROM conflicts c JOIN users u ON u.customer_id = c.customer_id AND u.id = c.user_id
                  WHERE c.customer_id = $1 AND c.missing_since >= $2 AND c.rival IS NOT NULL ORDER BY c.missing_since, c.user_id LIMIT $3";
    NAMES = "SELECT u.id, u.public_id, u.display_name, u.primary_address FROM users u WHERE u.customer_id = $1 AND u.id ",
            among("$2" "BIGINT"), " ORDER BY u.id";
    DELIVERED = "SELECT u.display_name, u.primary_address FROM users u
                 WHERE u.customer_id = $1 AND u.source = $2 AND u.external_id IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM conflicts c WHERE c.customer_id = u.customer_id AND c.user_id = u.id)
                     AND u.external_id ", among("$3" "TEXT"), "";
    SET_SERVICE = "UPDATE users SET service_on = $2 WHERE customer_id = $1 AND id ", among("$3" "BIGINT"), "";
    SET_STATUS = "UPDATE users SET status = CASE
                      WHEN service_on = FALSE THEN 'inactive'
                      WHEN EXISTS (SELECT 1 FROM conflicts c WHERE c.customer_id = users.customer_id AND c.user_id = users.id) THEN 'conflict'
                      ELSE 'active' END
                  WHERE customer_id = $1 AND id ", among("$2" "BIGINT"), "";
}

/// How many users [`CustomerWrite::decide_conflicts`] writes in one statement.
const CHUNK: usize = 1_000;

/// Which conflicts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConflictFilter {
    /// Part of the name or of the primary address, without regard to case; empty for all.
    pub text: String,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those for this reason.
    pub reason: Option<Reason>,
}

impl ConflictFilter {
    fn state(&self) -> &'static str {
        self.state.map_or("", State::name)
    }

    fn reason(&self) -> &'static str {
        self.reason.map_or("", Reason::name)
    }

    fn pattern(&self) -> String {
        any_part(&self.text)
    }
}

/// A pattern for LIKE with the escape `!`: the text as part of a folded value; empty for an empty text.
pub(crate) fn any_part(text: &str) -> String {
    let folded = text.trim().to_lowercase();
    if folded.is_empty() {
        return folded;
    }
    let mut pattern = String::from("%");
    // Longer than any name or address: nothing would match the rest either.
    for letter in folded.chars().take(400) {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

fn rows(rows: Vec<Row>) -> Result<Vec<ConflictRow>> {
    rows.into_iter().map(ConflictRow::try_from).collect()
}

/// Those of these users that are in conflict, those that are missing longest first.
async fn of(connection: &mut Connection, customer_id: i64, public_ids: &[Uuid]) -> Result<Vec<ConflictRow>> {
    let given = Given::nothing().texts(public_ids.iter().map(Uuid::to_string));
    let ids = all!(connection, (i64,), IDS, customer_id; given)?;
    let given = Given::nothing().ints(ids.into_iter().map(|(id,)| id));
    let mut rows = rows(all!(connection, Row, AMONG, customer_id; given)?)?;
    rows.sort_by_key(ConflictRow::cursor);
    Ok(rows)
}

impl CustomerStore {
    /// A chunk of the conflicts that match, those that are missing longest first, `after` the one at that [place](ConflictRow::cursor).
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn conflicts_where(
        &self,
        filter: &ConflictFilter,
        after: Option<(Timestamp, i64)>,
        limit: i64,
    ) -> Result<Vec<ConflictRow>> {
        let mut connection = self.read().await?;
        let (since, user) = after.unwrap_or((Timestamp(i64::MIN), i64::MIN));
        rows(all!(
            connection,
            Row,
            PAGE,
            self.id(),
            since.0,
            user,
            filter.state(),
            filter.reason(),
            filter.pattern(),
            limit
        )?)
    }

    /// How many conflicts match.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn conflict_count(&self, filter: &ConflictFilter) -> Result<i64> {
        let mut connection = self.read().await?;
        let count = one!(
            connection,
            (i64,),
            COUNT,
            self.id(),
            filter.state(),
            filter.reason(),
            filter.pattern()
        )?;
        Ok(count.0)
    }

    /// The conflicts of which somebody has to say whether a newcomer is the same person, those that are missing longest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn conflicts_with_rival(&self, limit: i64) -> Result<Vec<ConflictRow>> {
        let mut connection = self.read().await?;
        rows(all!(connection, Row, WITH_RIVAL, self.id(), i64::MIN, limit)?)
    }

    /// Number, id in addresses of pages, name and primary address of those of these users that are there, by number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn user_names(&self, ids: &[i64]) -> Result<Vec<(i64, Uuid, String, String)>> {
        let mut connection = self.read().await?;
        let given = Given::nothing().ints(ids.iter().copied());
        all!(connection, (i64, String, String, String), NAMES, self.id(); given)?
            .into_iter()
            .map(|(id, public_id, name, address)| Ok((id, read_public_id(&public_id, id)?, name, address)))
            .collect()
    }

    /// Name and primary address of the users of a source with these keys of the directory that are not in conflict, by name.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delivered_among(
        &self,
        source: Source,
        external_ids: &[String],
    ) -> Result<Vec<(String, String)>> {
        let mut connection = self.read().await?;
        let given = Given::nothing().texts(external_ids);
        let mut users = all!(connection, (String, String), DELIVERED, self.id(), source.name(); given)?;
        users.sort();
        Ok(users)
    }

    /// Those of these users that are in conflict, by the ids in addresses of pages.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn conflicts_of(&self, public_ids: &[Uuid]) -> Result<Vec<ConflictRow>> {
        of(&mut self.read().await?, self.id(), public_ids).await
    }
}

impl CustomerWrite {
    /// All conflicts that match. Until this transaction ends, nobody else changes them or opens another.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn lock_conflicts_where(&mut self, filter: &ConflictFilter) -> Result<Vec<ConflictRow>> {
        self.lock_users().await?;
        rows(all!(
            self.connection,
            Row,
            PAGE,
            self.customer_id,
            i64::MIN,
            i64::MIN,
            filter.state(),
            filter.reason(),
            filter.pattern(),
            i64::MAX
        )?)
    }

    /// Those of these users that are in conflict. Until this transaction ends, nobody else changes them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn lock_conflicts_of(&mut self, public_ids: &[Uuid]) -> Result<Vec<ConflictRow>> {
        self.lock_users().await?;
        of(&mut self.connection, self.customer_id, public_ids).await
    }

    /// Changes the conflicts of users that have one, and switches their service on or off when that is said too.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when one of them is no user of this customer.
    pub async fn decide_conflicts(
        &mut self,
        conflicts: &[(i64, Conflict)],
        service_on: Option<bool>,
    ) -> Result<()> {
        for chunk in conflicts.chunks(CHUNK) {
            let ids: Vec<i64> = chunk.iter().map(|(id, _)| *id).collect();
            let given = || Given::nothing().ints(ids.iter().copied());
            let difference = self.uncount(&ids).await?;
            if let Some(on) = service_on {
                execute!(self.connection, SET_SERVICE, self.customer_id, on; given())?;
            }
            self.put_conflicts(chunk.iter().map(|(id, conflict)| (*id, conflict))).await?;
            let hit = row_count(execute!(self.connection, SET_STATUS, self.customer_id; given())?);
            if usize::try_from(hit) != Ok(ids.len()) {
                return Err(StoreError::Missing("A user"));
            }
            self.recount(&ids, difference).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_like_would_read_as_a_pattern_is_text() {
        assert_eq!(any_part(" 100%_Ada! "), "%100!%!_ada!!%");
        assert_eq!(any_part("  "), "");
    }
}
