//! The portal's users as a run or an administrator reads them before changing them: with every address, and the conflict when there is one.

use std::collections::HashMap;

use domain::{
    Timestamp,
    address::Address,
    conflict::Conflict,
    service::{Source, Status},
};
use uuid::Uuid;

use crate::{
    CustomerWrite, StoreError, conflicts,
    error::Result,
    given::Given,
    sql::{Connection, all, statements},
};

statements! {
    BY_EXTERNAL_ID = "SELECT u.id, u.public_id, u.source, u.external_id, u.display_name, u.primary_address, u.address_lost, u.service_on,
                          u.sign_in_blocked, u.status, u.created_at, u.changed_at, c.reason, c.missing_since, c.clock_from, c.not_before,
                          c.state, c.ignored_until, c.note, c.stay_inactive, c.rival
                      FROM users u LEFT JOIN conflicts c ON c.customer_id = u.customer_id AND c.user_id = u.id
                      WHERE u.customer_id = $1 AND u.source = $2 AND u.external_id IS NOT NULL
                          AND u.external_id ", among("$3" "TEXT"), "";
    BY_ID = "SELECT u.id, u.public_id, u.source, u.external_id, u.display_name, u.primary_address, u.address_lost, u.service_on,
                 u.sign_in_blocked, u.status, u.created_at, u.changed_at, c.reason, c.missing_since, c.clock_from, c.not_before,
                 c.state, c.ignored_until, c.note, c.stay_inactive, c.rival
             FROM users u LEFT JOIN conflicts c ON c.customer_id = u.customer_id AND c.user_id = u.id
             WHERE u.customer_id = $1 AND u.id ", among("$2" "BIGINT"), " ORDER BY u.id";
    /// Their own addresses, held or lost; whoever holds one now is in user_addresses.
    IN_CONFLICT_BY_ADDRESS = "SELECT u.id FROM users u
                              WHERE u.customer_id = $1 AND u.source = $2
                                  AND EXISTS (SELECT 1 FROM conflicts c WHERE c.customer_id = u.customer_id AND c.user_id = u.id)
                                  AND u.primary_address ", among("$3" "TEXT"), "";
    ALIASES = "SELECT a.user_id, a.address FROM user_addresses a
               WHERE a.customer_id = $1 AND a.is_primary = FALSE AND a.user_id ", among("$2" "BIGINT"), " ORDER BY a.user_id, a.address";
}

/// A portal user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The number by which rows refer to the user.
    pub id: i64,
    /// The id in addresses of pages.
    pub public_id: Uuid,
    /// Where the user comes from.
    pub source: Source,
    /// The directory's key of the user.
    pub external_id: Option<String>,
    /// The name shown.
    pub display_name: String,
    /// The primary address; with [`address_lost`](Self::address_lost) the last known one.
    pub primary_address: Address,
    /// Whether the primary address went to somebody who is delivered. The user holds no address at all then.
    pub address_lost: bool,
    /// The other addresses, sorted.
    pub aliases: Vec<Address>,
    /// Whether the service is on for the user.
    pub service_on: bool,
    /// Whether the directory blocks sign-in.
    pub sign_in_blocked: bool,
    /// What stands in the Status column: Inactive when the service is off, else Conflict when there is one, else Active.
    pub status: Status,
    /// Since when and why the directory service does not deliver the user; `None` when it does.
    pub conflict: Option<Conflict>,
    /// When the user was added.
    pub created_at: Timestamp,
    /// The last change.
    pub changed_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    public_id: String,
    source: String,
    external_id: Option<String>,
    display_name: String,
    primary_address: String,
    address_lost: bool,
    service_on: bool,
    sign_in_blocked: bool,
    status: String,
    created_at: i64,
    changed_at: i64,
    #[sqlx(flatten)]
    conflict: conflicts::Columns,
}

pub(crate) fn read_address(text: &str, user_id: i64) -> Result<Address> {
    Address::parse(text).ok_or_else(|| StoreError::corrupt("user_addresses", "address", user_id))
}

pub(crate) fn read_public_id(text: &str, user_id: i64) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| StoreError::corrupt("users", "public_id", user_id))
}

pub(crate) fn read_source(name: &str, user_id: i64) -> Result<Source> {
    Source::named(name).ok_or_else(|| StoreError::corrupt("users", "source", user_id))
}

pub(crate) fn read_status(name: &str, user_id: i64) -> Result<Status> {
    Status::named(name).ok_or_else(|| StoreError::corrupt("users", "status", user_id))
}

/// The aliases of these users, sorted.
pub(crate) async fn aliases(
    connection: &mut Connection,
    customer_id: i64,
    user_ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, Vec<String>>> {
    let mut aliases = HashMap::<_, Vec<_>>::new();
    let given = Given::nothing().ints(user_ids);
    for (user_id, address) in all!(connection, (i64, String), ALIASES, customer_id; given)? {
        aliases.entry(user_id).or_default().push(address);
    }
    Ok(aliases)
}

/// The users with these numbers, by number; those that are not there are not among them.
pub(crate) async fn by_id(
    connection: &mut Connection,
    customer_id: i64,
    ids: impl IntoIterator<Item = i64>,
) -> Result<Vec<User>> {
    let given = Given::nothing().ints(ids);
    let rows = all!(connection, Row, BY_ID, customer_id; given)?;
    with_aliases(connection, customer_id, rows).await
}

async fn with_aliases(connection: &mut Connection, customer_id: i64, rows: Vec<Row>) -> Result<Vec<User>> {
    let mut aliases = aliases(connection, customer_id, rows.iter().map(|row| row.id)).await?;
    rows.into_iter()
        .map(|row| {
            Ok(User {
                id: row.id,
                public_id: read_public_id(&row.public_id, row.id)?,
                source: read_source(&row.source, row.id)?,
                external_id: row.external_id,
                display_name: row.display_name,
                primary_address: read_address(&row.primary_address, row.id)?,
                address_lost: row.address_lost,
                aliases: aliases
                    .remove(&row.id)
                    .unwrap_or_default()
                    .iter()
                    .map(|alias| read_address(alias, row.id))
                    .collect::<Result<_>>()?,
                service_on: row.service_on,
                sign_in_blocked: row.sign_in_blocked,
                status: read_status(&row.status, row.id)?,
                conflict: row.conflict.read(row.id)?,
                created_at: Timestamp(row.created_at),
                changed_at: Timestamp(row.changed_at),
            })
        })
        .collect()
}

impl CustomerWrite {
    /// The users of a source with these keys of the directory, in no order; those that are not there are not among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn users_by_external_id(&mut self, source: Source, external_ids: &[String]) -> Result<Vec<User>> {
        let given = Given::nothing().texts(external_ids);
        let rows = all!(self.connection, Row, BY_EXTERNAL_ID, self.customer_id, source.name(); given)?;
        with_aliases(&mut self.connection, self.customer_id, rows).await
    }

    /// The users with these numbers, by number; those that are not there are not among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn users_by_id(&mut self, ids: &[i64]) -> Result<Vec<User>> {
        by_id(&mut self.connection, self.customer_id, ids.iter().copied()).await
    }

    /// The users of a source that are in conflict and whose primary address, held or lost, is one of these; by number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn conflict_users_by_address(
        &mut self,
        source: Source,
        addresses: &[Address],
    ) -> Result<Vec<User>> {
        let given = Given::nothing().texts(addresses.iter().map(Address::as_str));
        let ids =
            all!(self.connection, (i64,), IN_CONFLICT_BY_ADDRESS, self.customer_id, source.name(); given)?;
        by_id(&mut self.connection, self.customer_id, ids.into_iter().map(|(id,)| id)).await
    }
}
