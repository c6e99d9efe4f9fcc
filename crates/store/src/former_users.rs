//! Users as the tenant that was connected before had them, until the tenant that is connected now has them.
//!
//! Connecting another tenant notes everybody who came from the former one. A complete read of the new tenant finds the same people under
//! other ids, hands their users over, and forgets the note; whoever is left is in conflict because of the switch, and not for having left.

use domain::{
    Timestamp,
    address::Address,
    service::{Service, Source},
};

use crate::{
    CustomerStore, CustomerWrite,
    error::Result,
    given::Given,
    sql::{all, execute, one, row_count, statements},
};

statements! {
    PENDING = "SELECT EXISTS (SELECT 1 FROM former_users f WHERE f.customer_id = $1 AND f.user_id > 0),
                   EXISTS (SELECT 1 FROM directory_services s WHERE s.customer_id = $1 AND s.service = $2 AND s.switched_at IS NOT NULL)";
    PRESENT = "SELECT u.id, u.external_id, u.display_name, u.primary_address, u.address_lost, c.user_id IS NOT NULL AS in_conflict, m.attributes
               FROM users u
                   LEFT JOIN conflicts c ON c.customer_id = u.customer_id AND c.user_id = u.id
                   LEFT JOIN mirror_users m ON m.customer_id = u.customer_id AND m.service = $2 AND m.external_id = u.external_id
               WHERE u.customer_id = $1 AND u.id > $4 AND u.source = $3 AND u.external_id IS NOT NULL ORDER BY u.id LIMIT $5";
    /// What an earlier switch noted of somebody whom the mirror does not have any more is kept.
    NOTE = "INSERT INTO former_users (customer_id, user_id, external_id, on_premises_id)
            SELECT CAST($1 AS BIGINT), given.user_id, given.external_id, given.on_premises_id FROM ",
           given("$2": user_id "BIGINT" 0 "$2", external_id "TEXT" 1 "$3", on_premises_id "TEXT" 2 "$4"),
           " WHERE TRUE
            ON CONFLICT (customer_id, user_id) DO UPDATE SET external_id = excluded.external_id,
                on_premises_id = CASE WHEN excluded.on_premises_id = '' THEN former_users.on_premises_id
                                      ELSE excluded.on_premises_id END";
    /// Somebody who was handed over since has another key.
    AMONG = "SELECT f.user_id FROM former_users f
                 JOIN users u ON u.customer_id = f.customer_id AND u.id = f.user_id AND u.external_id = f.external_id
             WHERE f.customer_id = $1 AND f.user_id ", among("$2" "BIGINT"), " ORDER BY f.user_id";
    BY_ON_PREMISES = "SELECT f.user_id, f.external_id, f.on_premises_id FROM former_users f
                          JOIN users u ON u.customer_id = f.customer_id AND u.id = f.user_id AND u.external_id = f.external_id
                      WHERE f.customer_id = $1 AND f.on_premises_id ", among("$2" "TEXT"), " ORDER BY f.user_id";
    /// Somebody in conflict may be a leaver whose address was handed on.
    BY_ADDRESS = "SELECT f.user_id, f.external_id, a.address FROM user_addresses a
                      JOIN former_users f ON f.customer_id = a.customer_id AND f.user_id = a.user_id
                      JOIN users u ON u.customer_id = f.customer_id AND u.id = f.user_id AND u.external_id = f.external_id
                  WHERE a.customer_id = $1 AND a.is_primary = TRUE
                      AND NOT EXISTS (SELECT 1 FROM conflicts c WHERE c.customer_id = a.customer_id AND c.user_id = a.user_id)
                      AND a.address ", among("$2" "TEXT"), " ORDER BY f.user_id";
    HAND_OVER = "UPDATE users SET external_id = given.external_id, changed_at = $2 FROM ",
                given("$3": id "BIGINT" 0 "$3", external_id "TEXT" 1 "$4"),
                " WHERE users.id = given.id AND COALESCE(users.customer_id = $1, FALSE)";
    FORGET = "DELETE FROM former_users WHERE customer_id = $1 AND user_id ", among("$2" "BIGINT"), "";
    FORGET_SEEN = "DELETE FROM former_users WHERE customer_id = $1 AND EXISTS (
                       SELECT 1 FROM mirror_users m WHERE m.customer_id = $1 AND m.service = $2 AND m.external_id = former_users.external_id
                           AND m.gone = FALSE)";
    SWITCHED = "UPDATE directory_services SET switched_at = $3 WHERE customer_id = $1 AND service = $2";
    UNLINK_ADDITIONS = "UPDATE additions SET external_id = NULL, reads_without = 0 WHERE customer_id = $1 AND service = $2";
    APPROVE_GROUPS = "INSERT INTO held (customer_id, kind, run_id, decision, reason, since, decided_at, object_id)
                      SELECT customer_id, 'group', 0, 'approved', '', CAST($3 AS BIGINT), CAST($3 AS BIGINT), id FROM groups
                      WHERE customer_id = $1 AND source = $2
                      ON CONFLICT (customer_id, kind, object_id) DO UPDATE SET decision = excluded.decision, decided_at = excluded.decided_at";
}

/// A user that came from a directory service, with what tells it apart in another tenant.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PresentUser {
    /// The user's number.
    #[sqlx(rename = "id")]
    pub user_id: i64,
    /// The directory's key of the user.
    pub external_id: String,
    /// The name shown.
    pub display_name: String,
    /// The primary address as compared.
    pub primary_address: String,
    /// Whether somebody else has that address.
    pub address_lost: bool,
    /// Whether the user is in conflict.
    pub in_conflict: bool,
    /// What the mirror holds of the person as JSON, when it has the person.
    pub attributes: Option<String>,
}

/// A user that waits for the person in the new tenant: the number, the former tenant's key, and what it was found by.
pub type Former = (i64, String, String);

impl CustomerStore {
    /// Whether users of a former tenant are left, and whether the first complete read after a switch is still to come.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn switch_pending(&self, service: Service) -> Result<(bool, bool)> {
        let mut connection = self.read().await?;
        one!(connection, (bool, bool), PENDING, self.id(), service.name())
    }

    /// A page of the users that came from a service, by number, `after` that number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn present_users(
        &self,
        service: Service,
        after_id: i64,
        limit: i64,
    ) -> Result<Vec<PresentUser>> {
        let mut connection = self.read().await?;
        let source = service.source().name();
        all!(connection, PresentUser, PRESENT, self.id(), service.name(), source, after_id, limit)
    }
}

impl CustomerWrite {
    /// Notes users as the former tenant had them: the number, the key, and the immutable id of the person on premises (empty for none).
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn note_former_users(&mut self, users: &[Former]) -> Result<()> {
        let given = Given::nothing()
            .ints(users.iter().map(|(user, ..)| *user))
            .texts(users.iter().map(|(_, external_id, _)| external_id.as_str()))
            .texts(users.iter().map(|(.., on_premises)| on_premises.as_str()));
        execute!(self.connection, NOTE, self.customer_id; given).map(drop)
    }

    /// Notes that another tenant was connected: additions wait for their addresses there. `None` once its first read was taken account of.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn set_switched(&mut self, service: Service, at: Option<Timestamp>) -> Result<()> {
        execute!(self.connection, SWITCHED, self.customer_id, service.name(), at.map(|at| at.0))?;
        if at.is_some() {
            execute!(self.connection, UNLINK_ADDITIONS, self.customer_id, service.name())?;
        }
        Ok(())
    }

    /// Approves that every group that came from a service may leave: whoever confirmed the switch was told of them.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn approve_all_groups(&mut self, source: Source, now: Timestamp) -> Result<i64> {
        execute!(self.connection, APPROVE_GROUPS, self.customer_id, source.name(), now.0).map(row_count)
    }

    /// Which of these users are left from a former tenant.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn former_among(&mut self, user_ids: &[i64]) -> Result<Vec<i64>> {
        let given = Given::nothing().ints(user_ids.iter().copied());
        let rows = all!(self.connection, (i64,), AMONG, self.customer_id; given)?;
        Ok(rows.into_iter().map(|(user,)| user).collect())
    }

    /// Users of the former tenant by the immutable id of their person on premises.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn former_by_on_premises_id(&mut self, ids: &[String]) -> Result<Vec<Former>> {
        let given = Given::nothing().texts(ids);
        all!(self.connection, Former, BY_ON_PREMISES, self.customer_id; given)
    }

    /// Users of the former tenant that are no conflicts, by their primary address.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn former_by_address(&mut self, addresses: &[Address]) -> Result<Vec<Former>> {
        let given = Given::nothing().texts(addresses.iter().map(Address::as_str));
        all!(self.connection, Former, BY_ADDRESS, self.customer_id; given)
    }

    /// Hands users over to their persons in the new tenant: each keeps everything but the directory's key.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn hand_over(&mut self, users: &[(i64, String)], now: Timestamp) -> Result<()> {
        let given = Given::nothing()
            .ints(users.iter().map(|(user, _)| *user))
            .texts(users.iter().map(|(_, external_id)| external_id.as_str()));
        execute!(self.connection, HAND_OVER, self.customer_id, now.0; given)?;
        let given = Given::nothing().ints(users.iter().map(|(user, _)| *user));
        execute!(self.connection, FORGET, self.customer_id; given).map(drop)
    }

    /// Forgets the users whom the directory has under the same key: the former tenant is connected again.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn forget_former_seen(&mut self, service: Service) -> Result<i64> {
        execute!(self.connection, FORGET_SEEN, self.customer_id, service.name()).map(row_count)
    }
}
