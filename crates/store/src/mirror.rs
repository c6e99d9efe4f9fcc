//! The mirror: what the directory says, as last read.
//!
//! An object is rewritten only when its hash changed; it is *dirty* from then on until the portal's users were brought in line with it. Its
//! addresses are kept beside it in the form in which they are compared, so that every claimant of an address is found.

use std::collections::HashMap;

use domain::{
    address::{Address, Addresses, principal_address},
    object::DirectoryUser,
    service::{Service, Status},
};
use sha2::{Digest as _, Sha256};

use crate::{
    ClaimKind, CustomerStore, CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{all, execute, statements},
    users::read_status,
};

statements! {
    DIRTY = "SELECT id, external_id, user_principal_name, mail, proxy_addresses, display_name, account_enabled, attributes
             FROM mirror_users WHERE customer_id = $1 AND service = $2 AND dirty = TRUE AND id > $3 ORDER BY id LIMIT $4";
    /// The customer stands on both sides of the join, and so does the condition of the index on users.
    PAGE = "SELECT m.id, m.external_id, m.user_principal_name, m.mail, m.proxy_addresses, m.display_name, m.account_enabled, m.attributes,
                u.status
            FROM mirror_users m LEFT JOIN users u
                ON u.customer_id = m.customer_id AND u.source = $3 AND u.external_id = m.external_id AND u.external_id IS NOT NULL
            WHERE m.customer_id = $1 AND m.service = $2 AND m.id > $4 ORDER BY m.id LIMIT $5";
    BY_ADDRESS = "SELECT m.id, m.external_id, m.user_principal_name, m.mail, m.proxy_addresses, m.display_name, m.account_enabled,
                      m.attributes, u.status
                  FROM mirror_addresses a JOIN mirror_users m ON m.customer_id = a.customer_id AND m.id = a.mirror_user_id
                      LEFT JOIN users u
                      ON u.customer_id = m.customer_id AND u.source = $3 AND u.external_id = m.external_id AND u.external_id IS NOT NULL
                  WHERE a.customer_id = $1 AND m.service = $2 AND a.address = $4 ORDER BY a.mirror_user_id LIMIT $5";
    KNOWN = "SELECT m.id, m.external_id, m.hash FROM mirror_users m
             WHERE m.customer_id = $1 AND m.service = $2 AND m.external_id ", among("$3" "TEXT"), "";
    SEEN = "UPDATE mirror_users SET round = $2 WHERE customer_id = $1 AND round <> $2 AND id ", among("$3" "BIGINT"), "";
    WRITE = "INSERT INTO mirror_users (customer_id, service, external_id, user_principal_name, mail, proxy_addresses, display_name,
                 account_enabled, attributes, hash, round, dirty)
             SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), given.external_id, given.user_principal_name, given.mail, given.proxy_addresses,
                 given.display_name, given.account_enabled, given.attributes, given.hash, CAST($3 AS BIGINT), TRUE
             FROM ",
            given("$4": external_id "TEXT" 0 "$4", user_principal_name "TEXT" 1 "$5", mail "TEXT" 2 "$6", proxy_addresses "TEXT" 3 "$7",
                display_name "TEXT" 4 "$8", account_enabled "BOOLEAN" 5 "$9", attributes "TEXT" 6 "$10", hash "TEXT" 7 "$11"),
            " WHERE TRUE
             ON CONFLICT (customer_id, service, external_id) DO UPDATE SET user_principal_name = excluded.user_principal_name,
                 mail = excluded.mail, proxy_addresses = excluded.proxy_addresses, display_name = excluded.display_name,
                 account_enabled = excluded.account_enabled, attributes = excluded.attributes, hash = excluded.hash,
                 round = excluded.round, dirty = excluded.dirty
             RETURNING id, external_id";
    REMOVE_ADDRESSES = "DELETE FROM mirror_addresses WHERE customer_id = $1 AND mirror_user_id ", among("$2" "BIGINT"), "";
    ADD_ADDRESSES = "INSERT INTO mirror_addresses (customer_id, mirror_user_id, address, kind)
                     SELECT CAST($1 AS BIGINT), given.id, given.address, given.kind FROM ",
                    given("$2": id "BIGINT" 0 "$2", address "TEXT" 1 "$3", kind "TEXT" 2 "$4"), "";
    MARK_ALL = "UPDATE mirror_users SET dirty = TRUE WHERE customer_id = $1 AND service = $2 AND dirty = FALSE";
    CLEAR = "UPDATE mirror_users SET dirty = FALSE WHERE customer_id = $1 AND id ", among("$2" "BIGINT"), "";
}

/// A directory user as the mirror holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorUser {
    /// The mirror's number of it.
    pub id: i64,
    /// What the directory says.
    pub user: DirectoryUser,
}

/// A directory user of the mirror, and how the portal's user of it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// What the mirror holds.
    pub mirror: MirrorUser,
    /// The portal user's status; `None` when there is no such user.
    pub status: Option<Status>,
}

/// What came of writing a batch to the mirror.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MirrorWritten {
    /// New or changed objects: written and dirty.
    pub written: i64,
    /// Objects that were as the mirror had them.
    pub unchanged: i64,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: i64,
    external_id: String,
    user_principal_name: Option<String>,
    mail: Option<String>,
    proxy_addresses: String,
    display_name: Option<String>,
    account_enabled: Option<bool>,
    attributes: String,
}

impl TryFrom<Row> for MirrorUser {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let proxy_addresses = serde_json::from_str(&row.proxy_addresses)
            .map_err(|_| StoreError::corrupt("mirror_users", "proxy_addresses", row.id))?;
        Ok(Self {
            id: row.id,
            user: DirectoryUser {
                external_id: row.external_id,
                user_principal_name: row.user_principal_name,
                mail: row.mail,
                proxy_addresses,
                display_name: row.display_name,
                account_enabled: row.account_enabled,
                attributes: row.attributes,
            },
        })
    }
}

#[derive(sqlx::FromRow)]
struct MirroredRow {
    #[sqlx(flatten)]
    mirror: Row,
    status: Option<String>,
}

impl TryFrom<MirroredRow> for Mirrored {
    type Error = StoreError;

    fn try_from(row: MirroredRow) -> Result<Self> {
        let status = row.status.as_deref().map(|status| read_status(status, row.mirror.id)).transpose()?;
        Ok(Self { mirror: row.mirror.try_into()?, status })
    }
}

impl CustomerStore {
    /// A page of the mirror by number, `after` that number: to look at the whole directory without ever holding it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn mirror_page(&self, service: Service, after_id: i64, limit: i64) -> Result<Vec<Mirrored>> {
        let mut connection = self.read().await?;
        let source = service.source().name();
        let rows =
            all!(connection, MirroredRow, PAGE, self.id(), service.name(), source, after_id, limit)?;
        rows.into_iter().map(Mirrored::try_from).collect()
    }

    /// The directory users that claim an address, in whatever role; at most `limit`.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn mirror_by_address(
        &self,
        service: Service,
        address: &Address,
        limit: i64,
    ) -> Result<Vec<Mirrored>> {
        let mut connection = self.read().await?;
        let source = service.source().name();
        let rows = all!(
            connection, MirroredRow, BY_ADDRESS, self.id(), service.name(), source, address.as_str(), limit
        )?;
        rows.into_iter().map(Mirrored::try_from).collect()
    }

    /// Dirty objects by number, `after` that number: a page of those that the portal's users are not in line with.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn dirty_users(&self, service: Service, after_id: i64, limit: i64) -> Result<Vec<MirrorUser>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, Row, DIRTY, self.id(), service.name(), after_id, limit)?;
        rows.into_iter().map(MirrorUser::try_from).collect()
    }
}

impl CustomerWrite {
    /// Writes what the directory said in a round of reading. An object that comes twice counts as it came last. An unchanged one only gets the
    /// round's number; a new or changed one is dirty afterwards, and its addresses are replaced.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn mirror_users(
        &mut self,
        service: Service,
        round: i64,
        users: &[DirectoryUser],
    ) -> Result<MirrorWritten> {
        let latest: HashMap<&str, &DirectoryUser> =
            users.iter().map(|user| (user.external_id.as_str(), user)).collect();
        let given = Given::nothing().texts(latest.keys().copied());
        let known: HashMap<String, (i64, String)> =
            all!(self.connection, (i64, String, String), KNOWN, self.customer_id, service.name(); given)?
                .into_iter()
                .map(|(id, external_id, hash)| (external_id, (id, hash)))
                .collect();

        let mut unchanged = Vec::new();
        let mut changed = Vec::new();
        for (external_id, user) in latest {
            let hash = hash(user);
            match known.get(external_id) {
                Some((id, saved)) if *saved == hash => unchanged.push(*id),
                _ => changed.push((user, hash)),
            }
        }
        let counted = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        let written = MirrorWritten { written: counted(changed.len()), unchanged: counted(unchanged.len()) };
        if !unchanged.is_empty() {
            execute!(self.connection, SEEN, self.customer_id, round; Given::nothing().ints(unchanged))?;
        }
        if !changed.is_empty() {
            self.write_changed(service, round, changed).await?;
        }
        Ok(written)
    }

    async fn write_changed(
        &mut self,
        service: Service,
        round: i64,
        mut changed: Vec<(&DirectoryUser, String)>,
    ) -> Result<()> {
        // In one order always, so that two writers never wait for each other's rows.
        changed.sort_by_key(|(user, _)| user.external_id.as_str());
        let users = || changed.iter().map(|(user, _)| *user);
        let proxies = users()
            .map(|user| serde_json::to_string(&user.proxy_addresses))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| StoreError::Database(error.into()))?;
        let given = Given::nothing()
            .texts(users().map(|user| user.external_id.as_str()))
            .optional_texts(users().map(|user| user.user_principal_name.clone()))
            .optional_texts(users().map(|user| user.mail.clone()))
            .texts(proxies)
            .optional_texts(users().map(|user| user.display_name.clone()))
            .optional_flags(users().map(|user| user.account_enabled))
            .texts(users().map(|user| user.attributes.as_str()))
            .texts(changed.iter().map(|(_, hash)| hash.as_str()));
        let ids: HashMap<String, i64> =
            all!(self.connection, (i64, String), WRITE, self.customer_id, service.name(), round; given)?
                .into_iter()
                .map(|(id, external_id)| (external_id, id))
                .collect();

        let mut owners = Vec::new();
        let mut addresses = Vec::new();
        let mut kinds = Vec::new();
        for user in users() {
            let Some(id) = ids.get(&user.external_id) else { continue };
            for (address, kind) in claimed(user) {
                owners.push(*id);
                addresses.push(address.as_str().to_owned());
                kinds.push(kind.name());
            }
        }
        let removed = Given::nothing().ints(ids.into_values());
        execute!(self.connection, REMOVE_ADDRESSES, self.customer_id; removed)?;
        if !owners.is_empty() {
            let given = Given::nothing().ints(owners).texts(addresses).texts(kinds);
            execute!(self.connection, ADD_ADDRESSES, self.customer_id; given)?;
        }
        Ok(())
    }

    /// Marks every object of a service dirty, because a rule changed; answers how many were not yet.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn mark_all_dirty(&mut self, service: Service) -> Result<i64> {
        Ok(execute!(self.connection, MARK_ALL, self.customer_id, service.name())?.cast_signed())
    }

    /// Takes the mark from objects that the portal's users are in line with now.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn clear_dirty(&mut self, ids: &[i64]) -> Result<()> {
        let given = Given::nothing().ints(ids.iter().copied());
        execute!(self.connection, CLEAR, self.customer_id; given)?;
        Ok(())
    }
}

/// The addresses that an object claims, each once, in its strongest role.
fn claimed(user: &DirectoryUser) -> Vec<(Address, ClaimKind)> {
    let mut claimed = Vec::new();
    if let Some(addresses) = Addresses::of(user) {
        claimed.push((addresses.primary, ClaimKind::Primary));
        claimed.extend(addresses.aliases.into_iter().map(|alias| (alias, ClaimKind::Alias)));
    }
    if let Some(principal) = principal_address(user)
        && !claimed.iter().any(|(address, _)| *address == principal)
    {
        claimed.push((principal, ClaimKind::Principal));
    }
    claimed
}

/// SHA-256 in hexadecimal over everything that the directory says about an object. Each part goes in behind its length, so that moving a
/// letter from one field to the next is a change.
fn hash(user: &DirectoryUser) -> String {
    let mut hasher = Sha256::new();
    let mut part = |text: Option<&str>| match text {
        Some(text) => {
            hasher.update(text.len().to_be_bytes());
            hasher.update(text);
        }
        None => hasher.update(usize::MAX.to_be_bytes()),
    };
    part(Some(&user.external_id));
    part(user.user_principal_name.as_deref());
    part(user.mail.as_deref());
    part(user.display_name.as_deref());
    part(user.account_enabled.map(|enabled| if enabled { "enabled" } else { "disabled" }));
    part(Some(&user.attributes));
    for proxy in &user.proxy_addresses {
        part(Some(proxy));
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
