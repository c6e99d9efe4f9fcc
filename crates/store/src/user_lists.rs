//! The portal's users as pages and exports read them: page by page, by a cursor, never all at once.

use std::{collections::HashMap, fmt, str::FromStr};

use domain::{
    Timestamp,
    service::{Source, Status},
};
use uuid::Uuid;

use crate::{
    CustomerStore, StoreError,
    error::Result,
    sql::{Connection, all, optional, statements},
    users::{self, User, read_public_id, read_source, read_status},
};

statements! {
    AFTER = "SELECT u.id, u.public_id, u.display_name, u.sort_name, u.primary_address, u.address_lost,
                 (SELECT COUNT(*) FROM user_addresses a WHERE a.customer_id = u.customer_id AND a.user_id = u.id AND a.is_primary = FALSE)
                     AS aliases,
                 u.source, u.status, u.sign_in_blocked, u.changed_at
             FROM users u WHERE u.customer_id = $1 AND (u.sort_name, u.id) > ($2, $3) ORDER BY u.sort_name, u.id LIMIT $4";
    BEFORE = "SELECT u.id, u.public_id, u.display_name, u.sort_name, u.primary_address, u.address_lost,
                 (SELECT COUNT(*) FROM user_addresses a WHERE a.customer_id = u.customer_id AND a.user_id = u.id AND a.is_primary = FALSE)
                     AS aliases,
                 u.source, u.status, u.sign_in_blocked, u.changed_at
             FROM users u WHERE u.customer_id = $1 AND (u.sort_name, u.id) < ($2, $3) ORDER BY u.sort_name DESC, u.id DESC LIMIT $4";
    ANY_BEFORE = "SELECT u.id FROM users u WHERE u.customer_id = $1 AND (u.sort_name, u.id) < ($2, $3) LIMIT 1";
    ANY_AFTER = "SELECT u.id FROM users u WHERE u.customer_id = $1 AND (u.sort_name, u.id) > ($2, $3) LIMIT 1";
    BY_PUBLIC_ID = "SELECT id FROM users WHERE customer_id = $1 AND public_id = $2";
    EXPORT = "SELECT id, public_id, external_id, display_name, primary_address, address_lost, source, status FROM users
              WHERE customer_id = $1 AND (primary_address, id) > ($2, $3) ORDER BY primary_address, id LIMIT $4";
}

/// A place in the list of users, which is ordered by folded name and number. It goes into the page's address as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCursor {
    /// The folded name.
    pub sort_name: String,
    /// The number.
    pub id: i64,
}

impl fmt::Display for UserCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.sort_name)
    }
}

impl FromStr for UserCursor {
    type Err = ();

    /// Reads what `Display` writes; anything else is no place in the list, and the caller shows the first page.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (id, sort_name) = text.split_once('.').ok_or(())?;
        let id = id.parse().map_err(|_| ())?;
        Ok(Self { sort_name: sort_name.to_owned(), id })
    }
}

/// Which page of the list: after one place or before another; with neither, the first.
#[derive(Clone, Debug, Default)]
pub struct UserPage {
    /// The page begins behind this place.
    pub after: Option<UserCursor>,
    /// The page ends before this place. Counts only without `after`.
    pub before: Option<UserCursor>,
    /// The most rows.
    pub limit: i64,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub rows: Vec<T>,
    /// Whether there are rows before these.
    pub has_previous: bool,
    /// Whether there are rows behind these.
    pub has_next: bool,
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
    /// The row's place in the list.
    #[must_use]
    pub fn cursor(&self) -> UserCursor {
        UserCursor { sort_name: self.sort_name.clone(), id: self.id }
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

impl CustomerStore {
    /// A page of the users by name, without regard to case.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn users(&self, page: UserPage) -> Result<Page<UserRow>> {
        let mut connection = self.read().await?;
        let forward = page.after.is_some() || page.before.is_none();
        let (statement, from) = match (page.after, page.before) {
            (Some(after), _) => (AFTER, after),
            (None, Some(before)) => (BEFORE, before),
            (None, None) => (AFTER, UserCursor { sort_name: String::new(), id: i64::MIN }),
        };
        let limit = page.limit.max(1);
        let mut rows =
            all!(connection, Row, statement, self.id(), from.sort_name.as_str(), from.id, limit + 1)?;
        let more = i64::try_from(rows.len()).is_ok_and(|read| read > limit);
        if more {
            rows.pop();
        }
        if !forward {
            rows.reverse();
        }
        let rows = rows.into_iter().map(UserRow::try_from).collect::<Result<Vec<_>>>()?;
        // What lies beyond the other end is asked of the database: the row that the cursor stood for may be gone.
        let (has_previous, has_next) = if forward {
            let edge = rows.first().map_or(from, UserRow::cursor);
            (self.any(&mut connection, ANY_BEFORE, &edge).await?, more)
        } else {
            let edge = rows.last().map_or(from, UserRow::cursor);
            (more, self.any(&mut connection, ANY_AFTER, &edge).await?)
        };
        Ok(Page { rows, has_previous, has_next })
    }

    async fn any(
        &self,
        connection: &mut Connection,
        statement: crate::Statement,
        edge: &UserCursor,
    ) -> Result<bool> {
        let row = optional!(connection, (i64,), statement, self.id(), edge.sort_name.as_str(), edge.id)?;
        Ok(row.is_some())
    }

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
