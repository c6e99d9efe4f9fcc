//! The portal's users and the addresses they hold, as a run or an administrator writes them.
//!
//! An address belongs to one user of a customer. A batch is written in two steps: every user of the batch lets go of all addresses, then
//! every one takes its own; so two people can swap theirs. The counts by source and status are kept in the same transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{
    Timestamp,
    address::Address,
    service::{Source, Status},
};
use uuid::Uuid;

use crate::{
    CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{Connection, all, execute, statements},
};

statements! {
    BY_EXTERNAL_ID = "SELECT u.id, u.public_id, u.source, u.external_id, u.display_name, u.primary_address, u.service_on, u.sign_in_blocked,
                          u.status, u.created_at, u.changed_at
                      FROM users u WHERE u.customer_id = $1 AND u.source = $2 AND u.external_id IS NOT NULL
                          AND u.external_id ", among("$3" "TEXT"), "";
    ALIASES = "SELECT a.user_id, a.address FROM user_addresses a
               WHERE a.customer_id = $1 AND a.is_primary = FALSE AND a.user_id ", among("$2" "BIGINT"), " ORDER BY a.user_id, a.address";
    /// Changes nothing, but lets one transaction at a time change a customer's users on Postgres, so that what is counted before and after a
    /// write is this write's difference. SQLite has one writer anyway.
    LOCK = "UPDATE customers SET suspended_at = suspended_at WHERE id = $1";
    COUNT = "SELECT u.source, u.status, COUNT(*) FROM users u WHERE u.customer_id = $1 AND u.id ", among("$2" "BIGINT"), " GROUP BY u.source, u.status";
    ADD_COUNTS = "INSERT INTO user_counts (customer_id, source, status, users)
                  SELECT CAST($1 AS BIGINT), given.source, given.status, given.users FROM ",
                 given("$2": source "TEXT" 0 "$2", status "TEXT" 1 "$3", users "BIGINT" 2 "$4"),
                 " WHERE TRUE ON CONFLICT (customer_id, source, status) DO UPDATE SET users = user_counts.users + excluded.users";
    ADD = "INSERT INTO users (customer_id, public_id, source, external_id, display_name, sort_name, primary_address, service_on,
               sign_in_blocked, status, created_at, changed_at)
           SELECT CAST($1 AS BIGINT), given.public_id, given.source, given.external_id, given.display_name, given.sort_name,
               given.primary_address, TRUE, given.sign_in_blocked, 'active', given.moment, given.moment
           FROM ",
          given("$2": public_id "TEXT" 0 "$2", source "TEXT" 1 "$3", external_id "TEXT" 2 "$4", display_name "TEXT" 3 "$5",
              sort_name "TEXT" 4 "$6", primary_address "TEXT" 5 "$7", sign_in_blocked "BOOLEAN" 6 "$8", moment "BIGINT" 7 "$9"),
          " RETURNING id, public_id";
    /// The customer is confirmed on each row that its number leads to. COALESCE keeps both planners from searching by the customer instead, and
    /// comparing all its users with all the given ones.
    CHANGE = "UPDATE users SET source = given.source, external_id = given.external_id, display_name = given.display_name,
                  sort_name = given.sort_name, primary_address = given.primary_address, sign_in_blocked = given.sign_in_blocked,
                  status = CASE WHEN service_on = TRUE THEN 'active' ELSE 'inactive' END, changed_at = given.moment
              FROM ",
             given("$2": id "BIGINT" 0 "$2", source "TEXT" 1 "$3", external_id "TEXT" 2 "$4", display_name "TEXT" 3 "$5",
                 sort_name "TEXT" 4 "$6", primary_address "TEXT" 5 "$7", sign_in_blocked "BOOLEAN" 6 "$8", moment "BIGINT" 7 "$9"),
             " WHERE users.id = given.id AND COALESCE(users.customer_id = $1, FALSE)";
    RELEASE_ALL = "DELETE FROM user_addresses WHERE customer_id = $1 AND user_id ", among("$2" "BIGINT"), "";
    CLAIM_ALL = "INSERT INTO user_addresses (customer_id, address, user_id, is_primary)
                 SELECT CAST($1 AS BIGINT), given.address, given.user_id, given.is_primary FROM ",
                given("$2": address "TEXT" 0 "$2", user_id "BIGINT" 1 "$3", is_primary "BOOLEAN" 2 "$4"),
                " WHERE TRUE ON CONFLICT (customer_id, address) DO NOTHING";
    RELEASE = "DELETE FROM user_addresses WHERE customer_id = $1 AND address ", among("$2" "TEXT"), "";
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
    /// The primary address.
    pub primary_address: Address,
    /// The other addresses, sorted.
    pub aliases: Vec<Address>,
    /// Whether the service is on for the user.
    pub service_on: bool,
    /// Whether the directory blocks sign-in.
    pub sign_in_blocked: bool,
    /// What stands in the Status column.
    pub status: Status,
    /// When the user was added.
    pub created_at: Timestamp,
    /// The last change.
    pub changed_at: Timestamp,
}

/// A user as it is to stand: delivered by its source, with exactly these addresses.
#[derive(Clone, Debug)]
pub struct UserWrite {
    /// The user's number; `None` adds one.
    pub id: Option<i64>,
    /// The id in addresses of pages of a user to be added; an existing one keeps its own.
    pub public_id: Uuid,
    /// Where the user comes from.
    pub source: Source,
    /// The directory's key of the user.
    pub external_id: Option<String>,
    /// The name shown.
    pub display_name: String,
    /// The primary address.
    pub primary: Address,
    /// The other addresses.
    pub aliases: Vec<Address>,
    /// Whether the directory blocks sign-in.
    pub sign_in_blocked: bool,
    /// The present moment.
    pub now: Timestamp,
}

impl UserWrite {
    /// Each address once, and whether it is the primary.
    fn addresses(&self) -> impl Iterator<Item = (&Address, bool)> {
        let mut seen = HashSet::from([&self.primary]);
        let aliases = self.aliases.iter().filter(move |alias| seen.insert(alias));
        std::iter::once((&self.primary, true)).chain(aliases.map(|alias| (alias, false)))
    }
}

/// What came of writing a batch of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The users' numbers, in the order of the batch.
    pub ids: Vec<i64>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: i64,
    public_id: String,
    source: String,
    external_id: Option<String>,
    display_name: String,
    primary_address: String,
    service_on: bool,
    sign_in_blocked: bool,
    status: String,
    created_at: i64,
    changed_at: i64,
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

pub(crate) async fn with_aliases(
    connection: &mut Connection,
    customer_id: i64,
    rows: Vec<Row>,
) -> Result<Vec<User>> {
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
                aliases: aliases
                    .remove(&row.id)
                    .unwrap_or_default()
                    .iter()
                    .map(|alias| read_address(alias, row.id))
                    .collect::<Result<_>>()?,
                service_on: row.service_on,
                sign_in_blocked: row.sign_in_blocked,
                status: read_status(&row.status, row.id)?,
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

    /// Writes a batch of users as delivered by their source: adds those without a number, brings the others to how they are to stand, and
    /// moves the addresses. Addresses may change hands within the batch, and to it from users that were made to release them before.
    ///
    /// # Errors
    /// [`StoreError::Taken`] with the first address that another user holds; [`StoreError::Missing`] when a user is none of this customer's.
    /// Then the transaction must be dropped.
    pub async fn write_users(&mut self, users: &[UserWrite]) -> Result<Written> {
        if users.is_empty() {
            return Ok(Written { ids: Vec::new() });
        }
        execute!(self.connection, LOCK, self.customer_id)?;
        let existing: Vec<i64> = users.iter().filter_map(|user| user.id).collect();
        let mut difference = BTreeMap::new();
        self.count(&existing, -1, &mut difference).await?;

        let given = Given::nothing().ints(existing.iter().copied());
        execute!(self.connection, RELEASE_ALL, self.customer_id; given)?;
        self.change(users).await?;
        let mut added = self.add(users).await?;
        let ids: Vec<i64> = users
            .iter()
            .filter_map(|user| user.id.or_else(|| added.remove(&user.public_id.to_string())))
            .collect();
        self.claim(users, &ids).await?;

        self.count(&ids, 1, &mut difference).await?;
        self.add_counts(difference).await?;
        Ok(Written { ids })
    }

    async fn add(&mut self, users: &[UserWrite]) -> Result<HashMap<String, i64>> {
        let new: Vec<_> = users.iter().filter(|user| user.id.is_none()).collect();
        if new.is_empty() {
            return Ok(HashMap::new());
        }
        let given = Given::nothing().texts(new.iter().map(|user| user.public_id.to_string()));
        let rows = all!(self.connection, (i64, String), ADD, self.customer_id; with_columns(given, &new))
            .map_err(|error: StoreError| {
                error.or_taken(|| "The directory's key of a user to be added".to_owned())
            })?;
        Ok(rows.into_iter().map(|(id, public_id)| (public_id, id)).collect())
    }

    async fn change(&mut self, users: &[UserWrite]) -> Result<()> {
        let changed: Vec<_> = users.iter().filter(|user| user.id.is_some()).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let given = Given::nothing().ints(changed.iter().filter_map(|user| user.id));
        let hit = execute!(self.connection, CHANGE, self.customer_id; with_columns(given, &changed)).map_err(
            |error: StoreError| error.or_taken(|| "The directory's key of a user to be changed".to_owned()),
        )?;
        if usize::try_from(hit) == Ok(changed.len()) { Ok(()) } else { Err(StoreError::Missing("A user")) }
    }

    async fn claim(&mut self, users: &[UserWrite], ids: &[i64]) -> Result<()> {
        let claims: Vec<(&Address, i64, bool)> = users
            .iter()
            .zip(ids)
            .flat_map(|(user, id)| user.addresses().map(move |(address, is_primary)| (address, *id, is_primary)))
            .collect();
        let given = Given::nothing()
            .texts(claims.iter().map(|(address, ..)| address.as_str()))
            .ints(claims.iter().map(|(_, id, _)| *id))
            .flags(claims.iter().map(|(.., is_primary)| *is_primary));
        let taken = execute!(self.connection, CLAIM_ALL, self.customer_id; given)?;
        if usize::try_from(taken) == Ok(claims.len()) {
            return Ok(());
        }
        let addresses: Vec<Address> = claims.iter().map(|(address, ..)| (*address).clone()).collect();
        let holders: HashMap<Address, i64> =
            self.holders(&addresses).await?.into_iter().map(|row| (row.address, row.user_id)).collect();
        let lost = claims.iter().find(|(address, id, _)| holders.get(*address) != Some(id));
        Err(StoreError::Taken(
            lost.map_or_else(|| "An address".to_owned(), |(address, ..)| format!("The address {address}")),
        ))
    }

    /// Adds `sign` for each of these users under its source and status.
    async fn count(
        &mut self,
        ids: &[i64],
        sign: i64,
        counts: &mut BTreeMap<(String, String), i64>,
    ) -> Result<()> {
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

    async fn add_counts(&mut self, mut difference: BTreeMap<(String, String), i64>) -> Result<()> {
        difference.retain(|_, users| *users != 0);
        if difference.is_empty() {
            return Ok(());
        }
        let given = Given::nothing()
            .texts(difference.keys().map(|(source, _)| source.as_str()))
            .texts(difference.keys().map(|(_, status)| status.as_str()))
            .ints(difference.values().copied());
        execute!(self.connection, ADD_COUNTS, self.customer_id; given)?;
        Ok(())
    }

    /// Takes addresses from the users that hold them, so that a later batch may give them to others. A primary among them is to be replaced in the same
    /// transaction by writing its user.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn release_addresses(&mut self, addresses: &[(i64, Address)]) -> Result<()> {
        if addresses.is_empty() {
            return Ok(());
        }
        execute!(self.connection, LOCK, self.customer_id)?;
        let asked: Vec<Address> = addresses.iter().map(|(_, address)| address.clone()).collect();
        let held = self.holders(&asked).await?.into_iter().map(|row| (row.user_id, row.address));
        // What somebody else holds by now is not theirs to release.
        let asked: HashSet<&(i64, Address)> = addresses.iter().collect();
        let released = held.filter(|holding| asked.contains(holding)).map(|(_, address)| address.to_string());
        let given = Given::nothing().texts(released);
        execute!(self.connection, RELEASE, self.customer_id; given)?;
        Ok(())
    }
}

/// Behind the key's column, those that adding and changing share.
fn with_columns(given: Given, users: &[&UserWrite]) -> Given {
    given
        .texts(users.iter().map(|user| user.source.name()))
        .optional_texts(users.iter().map(|user| user.external_id.clone()))
        .texts(users.iter().map(|user| user.display_name.as_str()))
        .texts(users.iter().map(|user| user.display_name.to_lowercase()))
        .texts(users.iter().map(|user| user.primary.as_str()))
        .flags(users.iter().map(|user| user.sign_in_blocked))
        .ints(users.iter().map(|user| user.now.0))
}
