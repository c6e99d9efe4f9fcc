//! The mirror: what the directory says, as last read. Here its users are written; [`crate::mirror_lists`] reads them.
//!
//! An object is rewritten only when its hash changed; it is *dirty* from then on until the portal's users were brought in line with it. That is
//! a row of `mirror_marks`, so that setting and taking the mark leaves the object's own, wide row alone. One that the directory no longer has
//! is *gone*: its row stays, dirty and without addresses, until the portal is in line with that too.
//! The addresses are kept beside an object in the form in which they are compared, so that every claimant of one is found.

use std::collections::{BTreeSet, HashMap};

use domain::{
    address::{Address, Addresses, principal_address},
    object::DirectoryUser,
    service::Service,
};

use crate::{
    ClaimKind, CustomerWrite, MirrorWritten, StoreError,
    batch::{Batch, Known, hash},
    error::Result,
    given::Given,
    sql::{all, execute, statements},
};

statements! {
    KNOWN = "SELECT m.id, m.external_id, m.hash, m.gone, m.round FROM mirror_users m
             WHERE m.customer_id = $1 AND m.service = $2 AND m.external_id ", among("$3" "TEXT"), "";
    SEEN = "UPDATE mirror_users SET round = $2 WHERE customer_id = $1 AND round <> $2 AND id ", among("$3" "BIGINT"), "";
    WRITE = "INSERT INTO mirror_users (customer_id, service, external_id, user_principal_name, mail, proxy_addresses, display_name,
                 account_enabled, attributes, hash, sort_name, round, gone)
             SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), given.external_id, given.user_principal_name, given.mail, given.proxy_addresses,
                 given.display_name, given.account_enabled, given.attributes, given.hash, given.sort_name, CAST($3 AS BIGINT), FALSE
             FROM ",
            given("$4": external_id "TEXT" 0 "$4", user_principal_name "TEXT" 1 "$5", mail "TEXT" 2 "$6", proxy_addresses "TEXT" 3 "$7",
                display_name "TEXT" 4 "$8", account_enabled "BOOLEAN" 5 "$9", attributes "TEXT" 6 "$10", hash "TEXT" 7 "$11",
                sort_name "TEXT" 8 "$12"),
            " WHERE TRUE
             ON CONFLICT (customer_id, service, external_id) DO UPDATE SET user_principal_name = excluded.user_principal_name,
                 mail = excluded.mail, proxy_addresses = excluded.proxy_addresses, display_name = excluded.display_name,
                 account_enabled = excluded.account_enabled, attributes = excluded.attributes, hash = excluded.hash,
                 sort_name = excluded.sort_name, round = excluded.round, gone = excluded.gone
             RETURNING id, external_id";
    REMOVE_ADDRESSES = "DELETE FROM mirror_addresses WHERE customer_id = $1 AND mirror_user_id ", among("$2" "BIGINT"), "";
    ADD_ADDRESSES = "INSERT INTO mirror_addresses (customer_id, mirror_user_id, address, kind)
                     SELECT CAST($1 AS BIGINT), given.id, given.address, given.kind FROM ",
                    given("$2": id "BIGINT" 0 "$2", address "TEXT" 1 "$3", kind "TEXT" 2 "$4"), "";
    GONE = "UPDATE mirror_users SET gone = TRUE WHERE customer_id = $1 AND service = $2 AND gone = FALSE AND external_id ",
           among("$3" "TEXT"), " RETURNING id";
    UNSEEN = "UPDATE mirror_users SET gone = TRUE WHERE customer_id = $1 AND service = $2 AND gone = FALSE AND round <> $3
              RETURNING id";
    /// Set against set: EXCEPT sorts or hashes on either engine. As NOT EXISTS, Postgres would look through all objects for each user while
    /// the tables have never been analysed; COALESCE is there for the same reason.
    LOST = "INSERT INTO mirror_users (customer_id, service, external_id, proxy_addresses, attributes, hash, round, gone)
            SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), lost.external_id, '[]', '{}', '', CAST($3 AS BIGINT), TRUE
            FROM (SELECT u.external_id FROM users u WHERE u.customer_id = $1 AND u.source = $4 AND u.external_id IS NOT NULL
                  EXCEPT SELECT m.external_id FROM mirror_users m WHERE m.customer_id = $1 AND m.service = $2
                  EXCEPT SELECT i.external_id FROM conflicts c JOIN users i ON i.id = c.user_id AND COALESCE(i.customer_id = $1, FALSE)
                         WHERE c.customer_id = $1 AND i.source = $4) AS lost
            RETURNING id";
    MARK_THESE = "INSERT INTO mirror_marks (customer_id, service, mirror_user_id)
                  SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), given.id FROM ", given("$3": id "BIGINT" 0 "$3"), "
                  WHERE TRUE ON CONFLICT (customer_id, service, mirror_user_id) DO NOTHING";
    MARK = "INSERT INTO mirror_marks (customer_id, service, mirror_user_id)
            SELECT m.customer_id, m.service, m.id FROM mirror_users m WHERE m.customer_id = $1 AND m.service = $2 AND m.external_id ",
           among("$3" "TEXT"), " ON CONFLICT (customer_id, service, mirror_user_id) DO NOTHING";
    MARK_LOST = "INSERT INTO mirror_users (customer_id, service, external_id, proxy_addresses, attributes, hash, round, gone)
                 SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), u.external_id, '[]', '{}', '', 0, TRUE FROM users u
                 WHERE u.customer_id = $1 AND u.source = $3 AND u.external_id IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM mirror_users m
                                     WHERE m.customer_id = $1 AND m.service = $2 AND m.external_id = u.external_id)
                     AND u.external_id ", among("$4" "TEXT"), "";
    /// Of every service.
    MARK_BY_ADDRESS = "INSERT INTO mirror_marks (customer_id, service, mirror_user_id)
                       SELECT m.customer_id, m.service, m.id FROM mirror_users m WHERE COALESCE(m.customer_id = $1, FALSE) AND m.id IN (
                           SELECT a.mirror_user_id FROM mirror_addresses a WHERE a.customer_id = $1 AND a.address ", among("$2" "TEXT"), ")
                       ON CONFLICT (customer_id, service, mirror_user_id) DO NOTHING";
    MARK_ALL = "INSERT INTO mirror_marks (customer_id, service, mirror_user_id)
                SELECT m.customer_id, m.service, m.id FROM mirror_users m WHERE m.customer_id = $1 AND m.service = $2
                ON CONFLICT (customer_id, service, mirror_user_id) DO NOTHING";
    FORGET = "DELETE FROM mirror_users WHERE customer_id = $1 AND COALESCE(service = $2, FALSE) AND gone = TRUE AND id ", among("$3" "BIGINT"), "";
    CLEAR = "DELETE FROM mirror_marks WHERE customer_id = $1 AND service = $2 AND mirror_user_id ", among("$3" "BIGINT"), "";
}

/// A directory user as the mirror holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorUser {
    /// The mirror's number of it.
    pub id: i64,
    /// Whether the directory no longer has it.
    pub gone: bool,
    /// What the directory says, or last said. Of one that was gone before it was ever mirrored, only the key is known.
    pub user: DirectoryUser,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: i64,
    gone: bool,
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
            gone: row.gone,
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

impl CustomerWrite {
    /// Writes what the directory said in a round of reading. An object that comes twice counts as it came last. An unchanged one only gets the
    /// round's number; a new or changed one, or one that was gone, is dirty afterwards, and its addresses are replaced.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn mirror_users(
        &mut self,
        service: Service,
        round: i64,
        users: &[DirectoryUser],
    ) -> Result<MirrorWritten> {
        let batch = Batch::new(users, |user| &user.external_id);
        let given = Given::nothing().texts(batch.keys());
        let known = all!(self.connection, Known, KNOWN, self.customer_id, service.name(); given)?;
        let compared = batch.compare(known, round, hash_of);
        let written = compared.written();
        if !compared.unchanged.is_empty() {
            let given = Given::nothing().ints(compared.unchanged);
            execute!(self.connection, SEEN, self.customer_id, round; given)?;
        }
        if !compared.changed.is_empty() {
            self.write_changed(service, round, &compared.changed, compared.replaced).await?;
        }
        Ok(written)
    }

    async fn write_changed(
        &mut self,
        service: Service,
        round: i64,
        changed: &[(&DirectoryUser, String)],
        replaced: Vec<i64>,
    ) -> Result<()> {
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
            .texts(changed.iter().map(|(_, hash)| hash.as_str()))
            .texts(users().map(sort_name));
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
        self.mark_these(service, ids.into_values()).await?;
        if !replaced.is_empty() {
            let given = Given::nothing().ints(replaced);
            execute!(self.connection, REMOVE_ADDRESSES, self.customer_id; given)?;
        }
        if !owners.is_empty() {
            let given = Given::nothing().ints(owners).texts(addresses).texts(kinds);
            execute!(self.connection, ADD_ADDRESSES, self.customer_id; given)?;
        }
        Ok(())
    }

    /// Notes that the directory no longer has these objects: they are gone and dirty, and claim no address. Keys that the mirror does not know
    /// are passed over. Answers how many became gone.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn mirror_users_gone(&mut self, service: Service, external_ids: &[String]) -> Result<i64> {
        let given = Given::nothing().texts(external_ids);
        let gone = all!(self.connection, (i64,), GONE, self.customer_id, service.name(); given)?;
        self.are_gone(service, gone).await
    }

    /// Ends a round that read every user of the directory: an object that it did not see is gone and dirty, and claims no address. So is a
    /// portal user of the service that the mirror never had, unless it is in conflict already. Answers how many became gone.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn end_full_round_users(&mut self, service: Service, round: i64) -> Result<i64> {
        let unseen = all!(self.connection, (i64,), UNSEEN, self.customer_id, service.name(), round)?;
        let unseen = self.are_gone(service, unseen).await?;
        let source = service.source().name();
        let lost = all!(self.connection, (i64,), LOST, self.customer_id, service.name(), round, source)?;
        let count = i64::try_from(lost.len()).unwrap_or(i64::MAX);
        self.mark_these(service, lost.into_iter().map(|(id,)| id)).await?;
        Ok(unseen + count)
    }

    /// Marks objects that became gone and removes their addresses; answers how many objects.
    async fn are_gone(&mut self, service: Service, gone: Vec<(i64,)>) -> Result<i64> {
        if gone.is_empty() {
            return Ok(0);
        }
        let count = i64::try_from(gone.len()).unwrap_or(i64::MAX);
        let given = Given::nothing().ints(gone.iter().map(|(id,)| *id));
        execute!(self.connection, REMOVE_ADDRESSES, self.customer_id; given)?;
        self.mark_these(service, gone.into_iter().map(|(id,)| id)).await?;
        Ok(count)
    }

    /// Marks the objects with these numbers dirty.
    async fn mark_these(&mut self, service: Service, ids: impl Iterator<Item = i64>) -> Result<()> {
        // In one order always, so that two writers never wait for each other's rows.
        let ids: BTreeSet<i64> = ids.collect();
        if ids.is_empty() {
            return Ok(());
        }
        let given = Given::nothing().ints(ids);
        execute!(self.connection, MARK_THESE, self.customer_id, service.name(); given).map(drop)
    }

    /// Marks the users with these keys dirty; answers how many were not yet. A portal user whose person the mirror has forgotten, because the
    /// directory no longer has it, gets its place there back, gone: a decision by hand may be of weight for that user too.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn mark_dirty(&mut self, service: Service, external_ids: &[String]) -> Result<i64> {
        let given = || Given::nothing().texts(external_ids);
        let source = service.source().name();
        execute!(self.connection, MARK_LOST, self.customer_id, service.name(), source; given())?;
        Ok(execute!(self.connection, MARK, self.customer_id, service.name(); given())?.cast_signed())
    }

    /// Marks whoever claims one of these addresses dirty, users and groups, because nobody has it any more.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub(crate) async fn mark_claimants_dirty(&mut self, addresses: &[Address]) -> Result<()> {
        let given = Given::nothing().texts(addresses.iter().map(Address::as_str));
        execute!(self.connection, MARK_BY_ADDRESS, self.customer_id; given)?;
        for service in Service::ALL {
            self.mark_groups_dirty_by_address(service, addresses).await?;
        }
        Ok(())
    }

    /// Marks every user and group of a service dirty, because a rule changed; answers how many users were not yet.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn mark_all_dirty(&mut self, service: Service) -> Result<i64> {
        self.mark_all_groups_dirty(service).await?;
        Ok(execute!(self.connection, MARK_ALL, self.customer_id, service.name())?.cast_signed())
    }

    /// Takes the mark from objects that the portal's users are in line with now. Those that are gone are forgotten.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn clear_dirty(&mut self, service: Service, ids: &[i64]) -> Result<()> {
        let given = || Given::nothing().ints(ids.iter().copied());
        execute!(self.connection, FORGET, self.customer_id, service.name(); given())?;
        execute!(self.connection, CLEAR, self.customer_id, service.name(); given())?;
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

/// What an object is listed under: its name, folded, else the name that it signs in with.
fn sort_name(user: &DirectoryUser) -> String {
    let named = user.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    named.or(user.user_principal_name.as_deref()).unwrap_or(&user.external_id).to_lowercase()
}

fn hash_of(user: &DirectoryUser) -> String {
    let fields = [
        Some(user.external_id.as_str()),
        user.user_principal_name.as_deref(),
        user.mail.as_deref(),
        user.display_name.as_deref(),
        user.account_enabled.map(|enabled| if enabled { "enabled" } else { "disabled" }),
        Some(&user.attributes),
    ];
    hash(fields.into_iter().chain(user.proxy_addresses.iter().map(|proxy| Some(proxy.as_str()))))
}
