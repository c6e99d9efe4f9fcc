//! The portal's users as pages and exports read them: page by page, by a cursor, never all at once. How a page is found is `user_pages`.

use std::{collections::HashMap, fmt, str::FromStr};

use domain::{
    Timestamp,
    service::{Source, Status},
};
use uuid::Uuid;

use crate::{
    CustomerStore, StoreError,
    error::Result,
    given::Given,
    sql::{Connection, all, optional, statements},
    user_search::Search,
    users::{self, User, read_public_id, read_source, read_status},
};

statements! {
    ROWS = "SELECT u.id, u.public_id, u.display_name, u.sort_name, u.primary_address, u.address_lost,
                (SELECT COUNT(*) FROM user_addresses a WHERE a.customer_id = u.customer_id AND a.user_id = u.id AND a.is_primary = FALSE)
                    AS aliases,
                u.source, u.status, u.sign_in_blocked, u.changed_at
            FROM users u WHERE u.customer_id = $1 AND u.id ", among("$2" "BIGINT"), "";
    BY_PUBLIC_ID = "SELECT id FROM users WHERE customer_id = $1 AND public_id = $2";
    EXPORT = "SELECT id, public_id, external_id, display_name, primary_address, address_lost, source, status FROM users
              WHERE customer_id = $1 AND (primary_address, id) > ($2, $3) ORDER BY primary_address, id LIMIT $4";
}

/// A place in the list of users: what the list is ordered by, and the number. It goes into the page's address as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCursor {
    /// The folded name, the primary address, or the moment of the last change in milliseconds, as the list is ordered.
    pub key: String,
    /// The number.
    pub id: i64,
}

impl fmt::Display for UserCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.key)
    }
}

impl FromStr for UserCursor {
    type Err = ();

    /// Reads what `Display` writes; anything else is no place in the list, and the caller shows the first page.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (id, key) = text.split_once('.').ok_or(())?;
        let id = id.parse().map_err(|_| ())?;
        Ok(Self { key: key.to_owned(), id })
    }
}

/// What the list is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserOrder {
    /// The name, without regard to case.
    #[default]
    Name,
    /// The primary address.
    Address,
    /// The last change.
    Changed,
}

/// Who is on the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Who is found by this.
    pub search: Search,
    /// Who comes from there.
    pub source: Option<Source>,
    /// Whose status is this.
    pub status: Option<Status>,
}

impl UserFilter {
    /// Whether everybody is on the list.
    #[must_use]
    pub fn is_everybody(&self) -> bool {
        *self == Self::default()
    }
}

/// Which page of the list: after one place or before another; with neither, the first.
#[derive(Clone, Debug, Default)]
pub struct UserPage {
    /// Who is on the list.
    pub filter: UserFilter,
    /// What it is ordered by.
    pub order: UserOrder,
    /// Whether the last comes first.
    pub descending: bool,
    /// The page begins behind this place.
    pub after: Option<UserCursor>,
    /// The page ends before this place. Counts only without `after`.
    pub before: Option<UserCursor>,
    /// The most rows.
    pub limit: i64,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserList {
    /// The rows, in the list's order.
    pub rows: Vec<UserRow>,
    /// Whether there are rows before these, as far as the cursor tells: whoever came from a page can go back to it.
    pub has_previous: bool,
    /// Whether there are rows behind these.
    pub has_next: bool,
    /// How many there are on all pages; `None` for more than [`UserList::MOST_FOUND`] that a search found.
    pub total: Option<i64>,
    /// Whether the list shows only those whose name (in the order of addresses: whose primary address) begins with the one or two letters
    /// that were searched for, because too many have them at the beginning of any address.
    pub narrowed: bool,
}

/// A user as a row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// The user's number.
    pub id: i64,
    /// The id in addresses of pages.
    pub public_id: Uuid,
    /// The name shown.
    pub display_name: String,
    /// The folded name that the list is ordered by.
    pub sort_name: String,
    /// The primary address.
    pub primary_address: String,
    /// Whether the primary address went to somebody who is delivered: it is the last known one then.
    pub address_lost: bool,
    /// How many other addresses the user has.
    pub aliases: i64,
    /// Where the user comes from.
    pub source: Source,
    /// What stands in the Status column.
    pub status: Status,
    /// Whether the directory blocks sign-in.
    pub sign_in_blocked: bool,
    /// The last change.
    pub changed_at: Timestamp,
}

impl UserRow {
    /// The row's place in a list of that order.
    #[must_use]
    pub fn cursor(&self, order: UserOrder) -> UserCursor {
        let key = match order {
            UserOrder::Name => self.sort_name.clone(),
            UserOrder::Address => self.primary_address.clone(),
            UserOrder::Changed => self.changed_at.0.to_string(),
        };
        UserCursor { key, id: self.id }
    }
}

/// A user as exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedUser {
    /// The user's number: with the primary address, where the next chunk begins.
    pub id: i64,
    /// The id in addresses of pages.
    pub public_id: Uuid,
    /// The directory's key of the user.
    pub external_id: Option<String>,
    /// The name shown.
    pub display_name: String,
    /// The primary address.
    pub primary_address: String,
    /// Whether the primary address went to somebody who is delivered: it is the last known one then.
    pub address_lost: bool,
    /// The other addresses, sorted.
    pub aliases: Vec<String>,
    /// Where the user comes from.
    pub source: Source,
    /// What stands in the Status column.
    pub status: Status,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    public_id: String,
    display_name: String,
    sort_name: String,
    primary_address: String,
    address_lost: bool,
    aliases: i64,
    source: String,
    status: String,
    sign_in_blocked: bool,
    changed_at: i64,
}

impl TryFrom<Row> for UserRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            public_id: read_public_id(&row.public_id, row.id)?,
            source: read_source(&row.source, row.id)?,
            status: read_status(&row.status, row.id)?,
            display_name: row.display_name,
            sort_name: row.sort_name,
            primary_address: row.primary_address,
            address_lost: row.address_lost,
            aliases: row.aliases,
            sign_in_blocked: row.sign_in_blocked,
            changed_at: Timestamp(row.changed_at),
        })
    }
}

/// The rows of these users, in this order; one that is gone by now is left out.
pub(crate) async fn rows(
    connection: &mut Connection,
    customer_id: i64,
    ids: &[i64],
) -> Result<Vec<UserRow>> {
    let given = Given::nothing().ints(ids.iter().copied());
    let mut rows = HashMap::new();
    for row in all!(connection, Row, ROWS, customer_id; given)? {
        rows.insert(row.id, UserRow::try_from(row)?);
    }
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}

impl UserList {
    /// Beyond so many, those whom a search found are not counted.
    pub const MOST_FOUND: i64 = 1_000;
}

impl CustomerStore {
    /// The aliases of the users of a page, sorted, by the user's number; a user without any is not among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn user_aliases(&self, user_ids: &[i64]) -> Result<HashMap<i64, Vec<String>>> {
        users::aliases(&mut self.read().await?, self.id(), user_ids.iter().copied()).await
    }

    /// The user with that id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn user(&self, public_id: Uuid) -> Result<Option<User>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, (i64,), BY_PUBLIC_ID, self.id(), public_id.to_string())?;
        let Some((id,)) = row else { return Ok(None) };
        Ok(users::by_id(&mut connection, self.id(), [id]).await?.pop())
    }

    /// A chunk of all users by primary address, `after` the user with that primary address and number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn export_users(&self, after: Option<(String, i64)>, limit: i64) -> Result<Vec<ExportedUser>> {
        let mut connection = self.read().await?;
        let (address, id) = after.unwrap_or((String::new(), i64::MIN));
        type Row = (i64, String, Option<String>, String, String, bool, String, String);
        let rows = all!(connection, Row, EXPORT, self.id(), address, id, limit)?;
        let mut aliases =
            users::aliases(&mut connection, self.id(), rows.iter().map(|(id, ..)| *id)).await?;
        rows.into_iter()
            .map(|(id, public_id, external_id, display_name, primary_address, address_lost, source, status)| {
                Ok(ExportedUser {
                    id,
                    public_id: read_public_id(&public_id, id)?,
                    external_id,
                    display_name,
                    primary_address,
                    address_lost,
                    aliases: aliases.remove(&id).unwrap_or_default(),
                    source: read_source(&source, id)?,
                    status: read_status(&status, id)?,
                })
            })
            .collect()
    }
}
