//! The recycle bin: deleted users and groups, with what is needed to bring one back.
//!
//! Deleting takes an object out of its own tables altogether, so that no list has to leave deleted ones out. An entry keeps the number and the
//! public id: restored, the user is the one it was. Whoever restores writes the user ([`UserWrite::restore_as`](crate::UserWrite)) and takes
//! the entry out in the same transaction.

use std::collections::HashMap;

use domain::{
    Timestamp,
    address::Address,
    group::GroupKind,
    guard::Guarded,
    run::ObjectKind,
    service::Source,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    CustomerStore, CustomerWrite, Group, StoreError, User, Write,
    error::Result,
    given::Given,
    sql::{all, execute, optional, statements},
};

statements! {
    PAGE = "SELECT id, object, object_id, public_id, source, external_id, display_name, address, reason, snapshot, deleted_by, deleted_at
            FROM recycle_bin WHERE customer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    BY_EXTERNAL_ID = "SELECT b.id, b.object, b.object_id, b.public_id, b.source, b.external_id, b.display_name, b.address, b.reason,
                          b.snapshot, b.deleted_by, b.deleted_at
                      FROM recycle_bin b WHERE b.customer_id = $1 AND b.source = $2 AND b.external_id ", among("$3" "TEXT"), "";
    BY_ID = "SELECT b.id, b.object, b.object_id, b.public_id, b.source, b.external_id, b.display_name, b.address, b.reason, b.snapshot,
                 b.deleted_by, b.deleted_at
             FROM recycle_bin b WHERE b.customer_id = $1 AND b.id = $2";
    ADD = "INSERT INTO recycle_bin (customer_id, object, deleted_by, deleted_at, object_id, public_id, source, external_id, display_name,
               address, reason, snapshot)
           SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), given.object_id, given.public_id, given.source,
               given.external_id, given.display_name, given.address, given.reason, given.snapshot
           FROM ",
          given("$5": object_id "BIGINT" 0 "$5", public_id "TEXT" 1 "$6", source "TEXT" 2 "$7", external_id "TEXT" 3 "$8",
              display_name "TEXT" 4 "$9", address "TEXT" 5 "$10", reason "TEXT" 6 "$11", snapshot "TEXT" 7 "$12"),
          "";
    DELETE_USERS = "DELETE FROM users WHERE customer_id = $1 AND id ", among("$2" "BIGINT"), "";
    DELETE_GROUPS = "DELETE FROM groups WHERE customer_id = $1 AND id ", among("$2" "BIGINT"), "";
    TAKE = "DELETE FROM recycle_bin WHERE customer_id = $1 AND id ", among("$2" "BIGINT"), "";
    /// Of every customer: the bin is emptied by time.
    PURGE = "DELETE FROM recycle_bin WHERE id IN (SELECT id FROM recycle_bin WHERE deleted_at < $1 ORDER BY deleted_at LIMIT 1000)";
}

/// A user to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The user's number.
    pub user_id: i64,
    /// Why, in words for an administrator.
    pub reason: String,
}

/// An entry of the recycle bin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binned {
    /// The entry's number: later deletions have greater ones.
    pub id: i64,
    /// What was deleted.
    pub object: ObjectKind,
    /// The number that it had, and gets back.
    pub object_id: i64,
    /// The id that it had in addresses of pages, and gets back.
    pub public_id: Uuid,
    /// Where it came from.
    pub source: Source,
    /// The directory's key of it.
    pub external_id: Option<String>,
    /// The name shown.
    pub display_name: String,
    /// The address; empty for a group without one.
    pub address: String,
    /// Why it was deleted, in words for an administrator.
    pub reason: String,
    /// By whom, in words.
    pub deleted_by: String,
    /// When.
    pub deleted_at: Timestamp,
    /// What else a user was.
    pub user: Option<BinnedUser>,
    /// What else a group was.
    pub group: Option<BinnedGroup>,
}

/// What a deleted user was, beyond what stands in every entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinnedUser {
    /// The primary address, held or last known.
    pub primary: String,
    /// The other addresses, sorted.
    pub aliases: Vec<String>,
    /// Whether the service was on.
    pub service_on: bool,
    /// Whether the directory blocked sign-in.
    pub sign_in_blocked: bool,
    /// When the user was added.
    pub created_at: Timestamp,
    /// Since when the user was in conflict.
    pub missing_since: Option<Timestamp>,
}

impl From<&User> for BinnedUser {
    fn from(user: &User) -> Self {
        Self {
            primary: user.primary_address.to_string(),
            aliases: user.aliases.iter().map(ToString::to_string).collect(),
            service_on: user.service_on,
            sign_in_blocked: user.sign_in_blocked,
            created_at: user.created_at,
            missing_since: user.conflict.as_ref().map(|conflict| conflict.missing_since),
        }
    }
}

/// What a deleted group was, beyond what stands in every entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinnedGroup {
    /// Its type.
    pub kind: GroupKind,
    /// When it was added.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    object: String,
    object_id: i64,
    public_id: String,
    source: String,
    external_id: Option<String>,
    display_name: String,
    address: String,
    reason: String,
    snapshot: String,
    deleted_by: String,
    deleted_at: i64,
}

impl TryFrom<Row> for Binned {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let corrupt = |column| StoreError::corrupt("recycle_bin", column, row.id);
        let object = ObjectKind::named(&row.object).ok_or_else(|| corrupt("object"))?;
        let (user, group) = match object {
            ObjectKind::User => (Some(read_snapshot(&row)?), None),
            ObjectKind::Group => (None, Some(read_snapshot(&row)?)),
        };
        Ok(Self {
            id: row.id,
            object,
            object_id: row.object_id,
            public_id: Uuid::parse_str(&row.public_id).map_err(|_| corrupt("public_id"))?,
            source: Source::named(&row.source).ok_or_else(|| corrupt("source"))?,
            external_id: row.external_id,
            display_name: row.display_name,
            address: row.address,
            reason: row.reason,
            deleted_by: row.deleted_by,
            deleted_at: Timestamp(row.deleted_at),
            user,
            group,
        })
    }
}

fn read_snapshot<T: DeserializeOwned>(row: &Row) -> Result<T> {
    serde_json::from_str(&row.snapshot).map_err(|_| StoreError::corrupt("recycle_bin", "snapshot", row.id))
}

/// An entry to be added; the rest of it is the same for all that are deleted at once.
struct Entry {
    object_id: i64,
    public_id: Uuid,
    source: Source,
    external_id: Option<String>,
    display_name: String,
    address: String,
    reason: String,
    snapshot: String,
}

impl Entry {
    fn of_user(user: &User, reason: String) -> Result<Self> {
        Ok(Self {
            object_id: user.id,
            public_id: user.public_id,
            source: user.source,
            external_id: user.external_id.clone(),
            display_name: user.display_name.clone(),
            address: user.primary_address.to_string(),
            reason,
            snapshot: json(&BinnedUser::from(user))?,
        })
    }

    fn of_group(group: &Group, reason: &str) -> Result<Self> {
        Ok(Self {
            object_id: group.id,
            public_id: group.public_id,
            source: group.source,
            external_id: Some(group.external_id.clone()),
            display_name: group.display_name.clone(),
            address: group.address.as_ref().map(Address::to_string).unwrap_or_default(),
            reason: reason.to_owned(),
            snapshot: json(&BinnedGroup { kind: group.kind, created_at: group.created_at })?,
        })
    }
}

fn json(snapshot: &impl Serialize) -> Result<String> {
    serde_json::to_string(snapshot).map_err(|error| StoreError::Database(error.into()))
}

impl CustomerStore {
    /// The recycle bin, the latest deletion first, `before` the entry with that number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn recycle_bin(&self, before: Option<i64>, limit: i64) -> Result<Vec<Binned>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, Row, PAGE, self.id(), before.unwrap_or(i64::MAX), limit)?;
        rows.into_iter().map(Binned::try_from).collect()
    }
}

impl CustomerWrite {
    /// Deletes users and puts them in the recycle bin; their addresses are free for whoever claims them in the directory, which the next sync
    /// decides, and what was held about them is dropped. Answers the numbers of those that were there.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn delete_users(
        &mut self,
        deletions: &[Deletion],
        deleted_by: &str,
        now: Timestamp,
    ) -> Result<Vec<i64>> {
        let reasons: HashMap<i64, &str> =
            deletions.iter().map(|deletion| (deletion.user_id, deletion.reason.as_str())).collect();
        let ids: Vec<i64> = reasons.keys().copied().collect();
        // Before they are read, so that the bin gets them as they are when they are deleted.
        self.lock_users().await?;
        let users = self.users_by_id(&ids).await?;
        let reason = |user: &User| reasons.get(&user.id).copied().unwrap_or_default().to_owned();
        self.bin_users(&users, reason, deleted_by, now).await?;
        Ok(users.into_iter().map(|user| user.id).collect())
    }

    /// Deletes those of these users that are still due by that moment, as [`CustomerStore::due_conflicts`] means it: nobody whose conflict was
    /// closed, ignored or put off meanwhile. The reason is the conflict's. Answers those that were deleted, as they were.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn delete_due(
        &mut self,
        source: Source,
        due_before: Timestamp,
        delay_ms: i64,
        user_ids: &[i64],
        deleted_by: &str,
        now: Timestamp,
    ) -> Result<Vec<User>> {
        self.lock_users().await?;
        let due = self.due_among(source, due_before, delay_ms, user_ids).await?;
        let users = self.users_by_id(&due).await?;
        let reason = |user: &User| {
            user.conflict.as_ref().map(|conflict| conflict.reason.label()).unwrap_or_default().to_owned()
        };
        self.bin_users(&users, reason, deleted_by, now).await?;
        Ok(users)
    }

    /// Moves users that are locked to the bin.
    async fn bin_users(
        &mut self,
        users: &[User],
        reason: impl Fn(&User) -> String,
        deleted_by: &str,
        now: Timestamp,
    ) -> Result<()> {
        if users.is_empty() {
            return Ok(());
        }
        let entries: Vec<Entry> =
            users.iter().map(|user| Entry::of_user(user, reason(user))).collect::<Result<_>>()?;
        let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
        self.add_to_bin(ObjectKind::User, &entries, deleted_by, now).await?;
        let difference = self.uncount(&ids).await?;
        execute!(self.connection, DELETE_USERS, self.customer_id; Given::nothing().ints(ids.iter().copied()))?;
        self.recount(&[], difference).await?;
        let freed: Vec<Address> = users
            .iter()
            .filter(|user| !user.address_lost)
            .flat_map(|user| std::iter::once(&user.primary_address).chain(&user.aliases))
            .cloned()
            .collect();
        self.mark_claimants_dirty(&freed).await?;
        self.drop_held(Guarded::Removal, &ids).await?;
        self.drop_held(Guarded::Deletion, &ids).await
    }

    /// Deletes groups and puts them in the recycle bin; what was held about them is dropped. Answers the numbers of those that were there.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn delete_groups(
        &mut self,
        ids: &[i64],
        reason: &str,
        deleted_by: &str,
        now: Timestamp,
    ) -> Result<Vec<i64>> {
        let mut groups = self.groups_by_id(ids).await?;
        groups.sort_by_key(|group| group.id);
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let entries: Vec<Entry> =
            groups.iter().map(|group| Entry::of_group(group, reason)).collect::<Result<_>>()?;
        let ids: Vec<i64> = groups.iter().map(|group| group.id).collect();
        self.add_to_bin(ObjectKind::Group, &entries, deleted_by, now).await?;
        execute!(self.connection, DELETE_GROUPS, self.customer_id; Given::nothing().ints(ids.iter().copied()))?;
        self.drop_held(Guarded::Group, &ids).await?;
        Ok(ids)
    }

    async fn add_to_bin(
        &mut self,
        object: ObjectKind,
        entries: &[Entry],
        deleted_by: &str,
        now: Timestamp,
    ) -> Result<()> {
        let given = Given::nothing()
            .ints(entries.iter().map(|entry| entry.object_id))
            .texts(entries.iter().map(|entry| entry.public_id.to_string()))
            .texts(entries.iter().map(|entry| entry.source.name()))
            .optional_texts(entries.iter().map(|entry| entry.external_id.clone()))
            .texts(entries.iter().map(|entry| entry.display_name.as_str()))
            .texts(entries.iter().map(|entry| entry.address.as_str()))
            .texts(entries.iter().map(|entry| entry.reason.as_str()))
            .texts(entries.iter().map(|entry| entry.snapshot.as_str()));
        execute!(self.connection, ADD, self.customer_id, object.name(), deleted_by, now.0; given).map_err(
            |error: StoreError| error.or_taken(|| "The place in the recycle bin of what is deleted".to_owned()),
        )?;
        Ok(())
    }

    /// The deleted users and groups of a source with these keys of the directory, the earliest deletion first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn binned(&mut self, source: Source, external_ids: &[String]) -> Result<Vec<Binned>> {
        let given = Given::nothing().texts(external_ids);
        let mut rows = all!(self.connection, Row, BY_EXTERNAL_ID, self.customer_id, source.name(); given)?;
        // Not by the database: SQLite would walk through the customer's whole bin to have them in order.
        rows.sort_by_key(|row| row.id);
        rows.into_iter().map(Binned::try_from).collect()
    }

    /// The entry with that number. Until this transaction ends, nobody else changes users.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn lock_binned(&mut self, bin_id: i64) -> Result<Option<Binned>> {
        self.lock_users().await?;
        let row = optional!(self.connection, Row, BY_ID, self.customer_id, bin_id)?;
        row.map(Binned::try_from).transpose()
    }

    /// Takes entries out of the recycle bin, because what they stand for is there again.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn take_from_bin(&mut self, bin_ids: &[i64]) -> Result<()> {
        let given = Given::nothing().ints(bin_ids.iter().copied());
        execute!(self.connection, TAKE, self.customer_id; given).map(drop)
    }
}

impl Write {
    /// Empties every customer's recycle bin of what was deleted before that moment, at most 1,000 entries a call; answers how many.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn purge_bin(&mut self, before: Timestamp) -> Result<u64> {
        execute!(self.connection, PURGE, before.0)
    }
}
