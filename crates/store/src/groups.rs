//! The portal's groups. Who is in one stands in the mirror.

use std::collections::HashMap;

use domain::{Timestamp, address::Address, group::GroupKind, service::Source};
use uuid::Uuid;

use crate::{
    CustomerStore, CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{all, execute, one, optional, statements},
};

statements! {
    PAGE = "SELECT id, public_id, source, external_id, display_name, address, kind, created_at, changed_at FROM groups
            WHERE customer_id = $1 AND (sort_name, id) > ($2, $3) ORDER BY sort_name, id LIMIT $4";
    BY_PUBLIC_ID = "SELECT id, public_id, source, external_id, display_name, address, kind, created_at, changed_at FROM groups
                    WHERE customer_id = $1 AND public_id = $2";
    BY_ID = "SELECT g.id, g.public_id, g.source, g.external_id, g.display_name, g.address, g.kind, g.created_at, g.changed_at FROM groups g
             WHERE g.customer_id = $1 AND g.id ", among("$2" "BIGINT"), "";
    BY_EXTERNAL_ID = "SELECT g.id, g.public_id, g.source, g.external_id, g.display_name, g.address, g.kind, g.created_at, g.changed_at
                      FROM groups g WHERE g.customer_id = $1 AND g.source = $2 AND g.external_id ", among("$3" "TEXT"), "";
    BY_ADDRESS = "SELECT g.id, g.public_id, g.source, g.external_id, g.display_name, g.address, g.kind, g.created_at, g.changed_at
                  FROM groups g WHERE g.customer_id = $1 AND g.address ", among("$2" "TEXT"), "";
    COUNT = "SELECT COUNT(*) FROM groups WHERE customer_id = $1 AND source = $2";
    ADD = "INSERT INTO groups (customer_id, public_id, source, external_id, display_name, sort_name, address, kind, created_at, changed_at)
           SELECT CAST($1 AS BIGINT), given.public_id, given.source, given.external_id, given.display_name, given.sort_name, given.address,
               given.kind, given.moment, given.moment
           FROM ",
          given("$2": public_id "TEXT" 0 "$2", source "TEXT" 1 "$3", external_id "TEXT" 2 "$4", display_name "TEXT" 3 "$5",
              sort_name "TEXT" 4 "$6", address "TEXT" 5 "$7", kind "TEXT" 6 "$8", moment "BIGINT" 7 "$9"),
          " RETURNING id, public_id";
    RESTORE = "INSERT INTO groups (customer_id, id, public_id, source, external_id, display_name, sort_name, address, kind, created_at, changed_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// The customer is confirmed as when users are changed: on each row that its number leads to.
    CHANGE = "UPDATE groups SET source = given.source, external_id = given.external_id, display_name = given.display_name,
                  sort_name = given.sort_name, address = given.address, kind = given.kind, changed_at = given.moment
              FROM ",
             given("$2": id "BIGINT" 0 "$2", source "TEXT" 1 "$3", external_id "TEXT" 2 "$4", display_name "TEXT" 3 "$5",
                 sort_name "TEXT" 4 "$6", address "TEXT" 5 "$7", kind "TEXT" 6 "$8", moment "BIGINT" 7 "$9"),
             " WHERE groups.id = given.id AND COALESCE(groups.customer_id = $1, FALSE)";
}

/// A portal group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The number by which rows refer to the group.
    pub id: i64,
    /// The id in addresses of pages.
    pub public_id: Uuid,
    /// Where the group comes from.
    pub source: Source,
    /// The directory's key of the group.
    pub external_id: String,
    /// The name shown.
    pub display_name: String,
    /// The address under which the group is written to.
    pub address: Option<Address>,
    /// Its type.
    pub kind: GroupKind,
    /// When the group was added.
    pub created_at: Timestamp,
    /// The last change.
    pub changed_at: Timestamp,
}

impl Group {
    /// The group's place in the list: its folded name and its number.
    #[must_use]
    pub fn cursor(&self) -> (String, i64) {
        (self.display_name.to_lowercase(), self.id)
    }
}

/// A group as it is to stand.
#[derive(Clone, Debug)]
pub struct GroupWrite {
    /// The group's number; `None` adds one.
    pub id: Option<i64>,
    /// The id in addresses of pages of a group to be added; an existing one keeps its own.
    pub public_id: Uuid,
    /// Where the group comes from.
    pub source: Source,
    /// The directory's key of the group.
    pub external_id: String,
    /// The name shown.
    pub display_name: String,
    /// The address under which the group is written to.
    pub address: Option<Address>,
    /// Its type.
    pub kind: GroupKind,
    /// The present moment.
    pub now: Timestamp,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: i64,
    public_id: String,
    source: String,
    external_id: String,
    display_name: String,
    address: Option<String>,
    kind: String,
    created_at: i64,
    changed_at: i64,
}

impl TryFrom<Row> for Group {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let corrupt = |column| StoreError::corrupt("groups", column, row.id);
        Ok(Self {
            id: row.id,
            public_id: Uuid::parse_str(&row.public_id).map_err(|_| corrupt("public_id"))?,
            source: Source::named(&row.source).ok_or_else(|| corrupt("source"))?,
            external_id: row.external_id,
            display_name: row.display_name,
            address: row
                .address
                .map(|address| Address::parse(&address).ok_or_else(|| corrupt("address")))
                .transpose()?,
            kind: GroupKind::named(&row.kind).ok_or_else(|| corrupt("kind"))?,
            created_at: Timestamp(row.created_at),
            changed_at: Timestamp(row.changed_at),
        })
    }
}

impl CustomerStore {
    /// How many groups of a source there are.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn group_count(&self, source: Source) -> Result<i64> {
        let mut connection = self.read().await?;
        Ok(one!(connection, (i64,), COUNT, self.id(), source.name())?.0)
    }

    /// A chunk of the groups by name, without regard to case, `after` the one at that [place](Group::cursor).
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn groups_page(&self, after: Option<(String, i64)>, limit: i64) -> Result<Vec<Group>> {
        let mut connection = self.read().await?;
        let (sort_name, id) = after.unwrap_or((String::new(), i64::MIN));
        let rows = all!(connection, Row, PAGE, self.id(), sort_name, id, limit)?;
        rows.into_iter().map(Group::try_from).collect()
    }

    /// The group with that id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn group(&self, public_id: Uuid) -> Result<Option<Group>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, Row, BY_PUBLIC_ID, self.id(), public_id.to_string())?;
        row.map(Group::try_from).transpose()
    }
}

impl CustomerWrite {
    /// The groups of a source with these keys of the directory, in no order; those that are not there are not among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn groups_by_external_id(
        &mut self,
        source: Source,
        external_ids: &[String],
    ) -> Result<Vec<Group>> {
        let given = Given::nothing().texts(external_ids);
        let rows = all!(self.connection, Row, BY_EXTERNAL_ID, self.customer_id, source.name(); given)?;
        rows.into_iter().map(Group::try_from).collect()
    }

    /// The groups that are written to under one of these addresses, in no order. Several may have the same one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn groups_by_address(&mut self, addresses: &[Address]) -> Result<Vec<Group>> {
        let given = Given::nothing().texts(addresses.iter().map(Address::as_str));
        let rows = all!(self.connection, Row, BY_ADDRESS, self.customer_id; given)?;
        rows.into_iter().map(Group::try_from).collect()
    }

    pub(crate) async fn groups_by_id(&mut self, ids: &[i64]) -> Result<Vec<Group>> {
        let given = Given::nothing().ints(ids.iter().copied());
        let rows = all!(self.connection, Row, BY_ID, self.customer_id; given)?;
        rows.into_iter().map(Group::try_from).collect()
    }

    /// Writes a batch of groups: adds those without a number, brings the others to how they are to stand. Answers their numbers, in the order
    /// of the batch.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when a key of the directory is another group's; [`StoreError::Missing`] when a group is none of this customer's.
    /// Then the transaction must be dropped.
    pub async fn write_groups(&mut self, groups: &[GroupWrite]) -> Result<Vec<i64>> {
        let taken = |error: StoreError| error.or_taken(|| "The directory's key of a group".to_owned());
        let (changed, new): (Vec<_>, Vec<_>) = groups.iter().partition(|group| group.id.is_some());
        if !changed.is_empty() {
            let given = Given::nothing().ints(changed.iter().filter_map(|group| group.id));
            let hit = execute!(self.connection, CHANGE, self.customer_id; with_columns(given, &changed))
                .map_err(taken)?;
            if usize::try_from(hit) != Ok(changed.len()) {
                return Err(StoreError::Missing("A group"));
            }
        }
        let mut added: HashMap<String, i64> = HashMap::new();
        if !new.is_empty() {
            let given = Given::nothing().texts(new.iter().map(|group| group.public_id.to_string()));
            let rows = all!(self.connection, (i64, String), ADD, self.customer_id; with_columns(given, &new))
                .map_err(taken)?;
            added.extend(rows.into_iter().map(|(id, public_id)| (public_id, id)));
        }
        Ok(groups
            .iter()
            .filter_map(|group| group.id.or_else(|| added.remove(&group.public_id.to_string())))
            .collect())
    }

    /// Adds a group under the number that it had before it went to the recycle bin, and as of the day when it was added first. `group.id` says
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the group is there already.
    pub async fn restore_group(&mut self, id: i64, created_at: Timestamp, group: &GroupWrite) -> Result<()> {
        execute!(
            self.connection,
            RESTORE,
            self.customer_id,
            id,
            group.public_id.to_string(),
            group.source.name(),
            group.external_id.as_str(),
            group.display_name.as_str(),
            group.display_name.to_lowercase(),
            group.address.as_ref().map(Address::to_string),
            group.kind.name(),
            created_at.0,
            group.now.0
        )
        .map_err(|error: StoreError| error.or_taken(|| "The directory's key of a group".to_owned()))?;
        Ok(())
    }
}

/// Behind the key's column, those that adding and changing share.
fn with_columns(given: Given, groups: &[&GroupWrite]) -> Given {
    given
        .texts(groups.iter().map(|group| group.source.name()))
        .texts(groups.iter().map(|group| group.external_id.as_str()))
        .texts(groups.iter().map(|group| group.display_name.as_str()))
        .texts(groups.iter().map(|group| group.display_name.to_lowercase()))
        .optional_texts(groups.iter().map(|group| group.address.as_ref().map(Address::to_string)))
        .texts(groups.iter().map(|group| group.kind.name()))
        .ints(groups.iter().map(|group| group.now.0))
}
