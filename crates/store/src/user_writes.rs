//! Writing users and the addresses they hold.
//!
//! An address belongs to one user of a customer. A batch is written in two steps: every user of the batch lets go of all addresses, then
//! every one takes its own; so two people can swap theirs. Conflicts and the counts by source and status are kept in the same transaction.

use std::collections::{HashMap, HashSet};

use domain::{
    Timestamp,
    address::Address,
    conflict::Conflict,
    service::{Source, Status},
};
use uuid::Uuid;

use crate::{
    CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{all, execute, statements},
};

statements! {
    ADD = "INSERT INTO users (customer_id, public_id, source, external_id, display_name, sort_name, primary_address, address_lost,
               service_on, sign_in_blocked, status, changed_at, created_at)
           SELECT CAST($1 AS BIGINT), given.public_id, given.source, given.external_id, given.display_name, given.sort_name,
               given.primary_address, given.address_lost, given.service_on, given.sign_in_blocked, given.status, given.moment,
               given.created_at
           FROM ",
          given("$2": public_id "TEXT" 0 "$2", source "TEXT" 1 "$3", external_id "TEXT" 2 "$4", display_name "TEXT" 3 "$5",
              sort_name "TEXT" 4 "$6", primary_address "TEXT" 5 "$7", address_lost "BOOLEAN" 6 "$8", service_on "BOOLEAN" 7 "$9",
              sign_in_blocked "BOOLEAN" 8 "$10", status "TEXT" 9 "$11", moment "BIGINT" 10 "$12", created_at "BIGINT" 11 "$13"),
          " RETURNING id, public_id";
    RESTORE = "INSERT INTO users (customer_id, public_id, source, external_id, display_name, sort_name, primary_address, address_lost,
                   service_on, sign_in_blocked, status, changed_at, created_at, id)
               SELECT CAST($1 AS BIGINT), given.public_id, given.source, given.external_id, given.display_name, given.sort_name,
                   given.primary_address, given.address_lost, given.service_on, given.sign_in_blocked, given.status, given.moment,
                   given.created_at, given.id
               FROM ",
              given("$2": public_id "TEXT" 0 "$2", source "TEXT" 1 "$3", external_id "TEXT" 2 "$4", display_name "TEXT" 3 "$5",
                  sort_name "TEXT" 4 "$6", primary_address "TEXT" 5 "$7", address_lost "BOOLEAN" 6 "$8", service_on "BOOLEAN" 7 "$9",
                  sign_in_blocked "BOOLEAN" 8 "$10", status "TEXT" 9 "$11", moment "BIGINT" 10 "$12", created_at "BIGINT" 11 "$13",
                  id "BIGINT" 12 "$14"),
              " RETURNING id, public_id";
    /// The customer is confirmed on each row that its number leads to. COALESCE keeps both planners from searching by the customer instead, and
    /// comparing all its users with all the given ones.
    CHANGE = "UPDATE users SET source = given.source, external_id = given.external_id, display_name = given.display_name,
                  sort_name = given.sort_name, primary_address = given.primary_address, address_lost = given.address_lost,
                  service_on = given.service_on, sign_in_blocked = given.sign_in_blocked, status = given.status, changed_at = given.moment
              FROM ",
             given("$2": id "BIGINT" 0 "$2", source "TEXT" 1 "$3", external_id "TEXT" 2 "$4", display_name "TEXT" 3 "$5",
                 sort_name "TEXT" 4 "$6", primary_address "TEXT" 5 "$7", address_lost "BOOLEAN" 6 "$8", service_on "BOOLEAN" 7 "$9",
                 sign_in_blocked "BOOLEAN" 8 "$10", status "TEXT" 9 "$11", moment "BIGINT" 10 "$12"),
             " WHERE users.id = given.id AND COALESCE(users.customer_id = $1, FALSE)";
    SET_SERVICE = "UPDATE users SET service_on = $3 WHERE customer_id = $1 AND id = $2";
    SET_STATUS = "UPDATE users SET status = CASE
                      WHEN service_on = FALSE THEN 'inactive'
                      WHEN EXISTS (SELECT 1 FROM conflicts c WHERE c.customer_id = users.customer_id AND c.user_id = users.id) THEN 'conflict'
                      ELSE 'active' END
                  WHERE customer_id = $1 AND id = $2";
    RELEASE_ALL = "DELETE FROM user_addresses WHERE customer_id = $1 AND user_id ", among("$2" "BIGINT"), "";
    CLAIM_ALL = "INSERT INTO user_addresses (customer_id, address, user_id, is_primary)
                 SELECT CAST($1 AS BIGINT), given.address, given.user_id, given.is_primary FROM ",
                given("$2": address "TEXT" 0 "$2", user_id "BIGINT" 1 "$3", is_primary "BOOLEAN" 2 "$4"),
                " WHERE TRUE ON CONFLICT (customer_id, address) DO NOTHING";
    RELEASE = "DELETE FROM user_addresses WHERE customer_id = $1 AND address ", among("$2" "TEXT"), "";
}

/// A user as it is to stand, with exactly these addresses.
#[derive(Clone, Debug)]
pub struct UserWrite {
    /// The user's number; `None` adds one.
    pub id: Option<i64>,
    /// With `id: None`: adds the user under this number, the one it had before it went to the recycle bin.
    pub restore_as: Option<i64>,
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
    /// Whether the primary address went to somebody who is delivered: it stands there as the last known one, and the user holds no
    /// address, aliases included.
    pub address_lost: bool,
    /// The other addresses.
    pub aliases: Vec<Address>,
    /// Whether the service is on for the user.
    pub service_on: bool,
    /// Whether the directory blocks sign-in.
    pub sign_in_blocked: bool,
    /// The conflict to be opened or changed; `None` closes the one that there is.
    pub conflict: Option<Conflict>,
    /// When a user to be added was added first; `None` for now. An existing one keeps its own.
    pub created_at: Option<Timestamp>,
    /// The present moment.
    pub now: Timestamp,
}

impl UserWrite {
    /// Each address that the user is to hold once, and whether it is the primary.
    fn addresses(&self) -> impl Iterator<Item = (&Address, bool)> {
        let mut seen = HashSet::from([&self.primary]);
        let aliases = self.aliases.iter().filter(move |alias| seen.insert(alias));
        std::iter::once((&self.primary, true))
            .chain(aliases.map(|alias| (alias, false)))
            .filter(|_| !self.address_lost)
    }

    fn status(&self) -> Status {
        match (self.service_on, &self.conflict) {
            (false, _) => Status::Inactive,
            (true, Some(_)) => Status::Conflict,
            (true, None) => Status::Active,
        }
    }
}

/// What came of writing a batch of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The users' numbers, in the order of the batch.
    pub ids: Vec<i64>,
}

impl CustomerWrite {
    /// Writes a batch of users: adds those without a number, brings the others to how they are to stand, moves the addresses, and opens,
    /// changes and closes conflicts. Addresses may change hands within the batch, and to it from users that were made to release them before.
    ///
    /// # Errors
    /// [`StoreError::Taken`] with the first address that another user holds, or when a user to be restored is already there;
    /// [`StoreError::Missing`] when a user is none of this customer's. Then the transaction must be dropped.
    pub async fn write_users(&mut self, users: &[UserWrite]) -> Result<Written> {
        if users.is_empty() {
            return Ok(Written { ids: Vec::new() });
        }
        let existing: Vec<i64> = users.iter().filter_map(|user| user.id).collect();
        let difference = self.uncount(&existing).await?;

        let given = Given::nothing().ints(existing.iter().copied());
        execute!(self.connection, RELEASE_ALL, self.customer_id; given)?;
        self.change(users).await?;
        let mut added = self.add(users).await?;
        let ids: Vec<i64> = users
            .iter()
            .filter_map(|user| user.id.or_else(|| added.remove(&user.public_id.to_string())))
            .collect();
        self.claim(users, &ids).await?;

        let delivered = users.iter().filter(|user| user.conflict.is_none()).filter_map(|user| user.id);
        self.close_conflicts(delivered).await?;
        let undelivered = users.iter().zip(&ids);
        let undelivered =
            undelivered.filter_map(|(user, id)| user.conflict.as_ref().map(|conflict| (*id, conflict)));
        self.put_conflicts(undelivered).await?;

        self.write_search(&ids).await?;
        self.recount(&ids, difference).await?;
        Ok(Written { ids })
    }

    async fn add(&mut self, users: &[UserWrite]) -> Result<HashMap<String, i64>> {
        let (restored, new): (Vec<_>, Vec<_>) =
            users.iter().filter(|user| user.id.is_none()).partition(|user| user.restore_as.is_some());
        let mut added = HashMap::new();
        let keys = [
            (ADD, new, "The directory's key of a user to be added"),
            (RESTORE, restored, "The number or the directory's key of a user to be restored"),
        ];
        for (statement, users, key) in keys {
            if users.is_empty() {
                continue;
            }
            let given = Given::nothing().texts(users.iter().map(|user| user.public_id.to_string()));
            let mut given = with_columns(given, &users)
                .ints(users.iter().map(|user| user.created_at.unwrap_or(user.now).0));
            if statement.name == RESTORE.name {
                given = given.ints(users.iter().filter_map(|user| user.restore_as));
            }
            let rows = all!(self.connection, (i64, String), statement, self.customer_id; given)
                .map_err(|error: StoreError| error.or_taken(|| key.to_owned()))?;
            added.extend(rows.into_iter().map(|(id, public_id)| (public_id, id)));
        }
        Ok(added)
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

    /// Switches the service on or off for a user. A conflict stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when this customer has no such user.
    pub async fn set_service(&mut self, user_id: i64, on: bool) -> Result<()> {
        let difference = self.uncount(&[user_id]).await?;
        if difference.is_nobody() {
            return Err(StoreError::Missing("The user"));
        }
        execute!(self.connection, SET_SERVICE, self.customer_id, user_id, on)?;
        self.refresh_status(user_id).await?;
        self.recount(&[user_id], difference).await
    }

    /// Brings a user's status in line with its service and its conflict.
    pub(crate) async fn refresh_status(&mut self, user_id: i64) -> Result<()> {
        execute!(self.connection, SET_STATUS, self.customer_id, user_id).map(drop)
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
        self.lock_users().await?;
        let asked: Vec<Address> = addresses.iter().map(|(_, address)| address.clone()).collect();
        let held = self.holders(&asked).await?.into_iter().map(|row| (row.user_id, row.address));
        // What somebody else holds by now is not theirs to release.
        let asked: HashSet<&(i64, Address)> = addresses.iter().collect();
        let released: Vec<(i64, Address)> = held.filter(|holding| asked.contains(holding)).collect();
        let given = Given::nothing().texts(released.iter().map(|(_, address)| address.to_string()));
        execute!(self.connection, RELEASE, self.customer_id; given)?;
        let users: Vec<i64> = released.into_iter().map(|(user, _)| user).collect();
        self.write_search(&users).await
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
        .flags(users.iter().map(|user| user.address_lost))
        .flags(users.iter().map(|user| user.service_on))
        .flags(users.iter().map(|user| user.sign_in_blocked))
        .texts(users.iter().map(|user| user.status().name()))
        .ints(users.iter().map(|user| user.now.0))
}
