//! The mirror's users, read: page by page, by key, and those of them that may be removed from the portal.

use std::collections::{BTreeSet, HashMap};

use domain::{
    address::Address,
    service::{Service, Status},
};

use crate::{
    CustomerStore, CustomerWrite, MirrorUser, StoreError,
    error::Result,
    given::Given,
    mirror::Row,
    sql::{all, one, statements},
    users::read_status,
};

statements! {
    /// Each object is looked up by its number, and its customer confirmed.
    DIRTY = "SELECT m.id, m.gone, m.external_id, m.user_principal_name, m.mail, m.proxy_addresses, m.display_name, m.account_enabled,
                 m.attributes
             FROM (SELECT d.mirror_user_id FROM mirror_marks d WHERE d.customer_id = $1 AND d.service = $2 AND d.mirror_user_id > $3
                   ORDER BY d.mirror_user_id LIMIT $4) AS found
             JOIN mirror_users m ON m.id = found.mirror_user_id AND COALESCE(m.customer_id = $1, FALSE) ORDER BY m.id";
    DIRTY_KEYS = "SELECT m.id, m.external_id
                  FROM (SELECT d.mirror_user_id FROM mirror_marks d WHERE d.customer_id = $1 AND d.service = $2 AND d.mirror_user_id > $3
                        ORDER BY d.mirror_user_id LIMIT $4) AS found
                  JOIN mirror_users m ON m.id = found.mirror_user_id AND COALESCE(m.customer_id = $1, FALSE) ORDER BY m.id";
    /// COALESCE keeps Postgres from searching by the service instead, and reading all of it for each page, while the table has never been
    /// analysed: behind the number there is less with each page.
    PAGE = "SELECT id, gone, external_id, user_principal_name, mail, proxy_addresses, display_name, account_enabled, attributes
            FROM mirror_users WHERE customer_id = $1 AND COALESCE(service = $2, FALSE) AND gone = FALSE AND id > $3 ORDER BY id LIMIT $4";
    COUNT = "SELECT COUNT(*) FROM mirror_users WHERE customer_id = $1 AND service = $2 AND gone = FALSE";
    BY_EXTERNAL_ID = "SELECT m.id, m.gone, m.external_id, m.user_principal_name, m.mail, m.proxy_addresses, m.display_name, m.account_enabled,
                          m.attributes
                      FROM mirror_users m WHERE m.customer_id = $1 AND m.service = $2 AND m.external_id ", among("$3" "TEXT"), "";
    BY_ID = "SELECT m.id, m.gone, m.external_id, m.user_principal_name, m.mail, m.proxy_addresses, m.display_name, m.account_enabled,
                 m.attributes
             FROM mirror_users m WHERE m.customer_id = $1 AND m.service = $2 AND m.id ", among("$3" "BIGINT"), "";
    USERS = "SELECT u.external_id, u.id, EXISTS (SELECT 1 FROM conflicts c WHERE c.customer_id = $1 AND c.user_id = u.id) AS in_conflict
             FROM users u WHERE u.customer_id = $1 AND u.source = $2 AND u.external_id ", among("$3" "TEXT"), "";
    /// The users are looked up for each object, and the service is no condition of the search, for the reasons above.
    PEOPLE = "SELECT found.id, found.gone, found.external_id, found.user_principal_name, found.mail, found.proxy_addresses, found.display_name,
                  found.account_enabled, found.attributes, found.user_id,
                  (SELECT u.status FROM users u WHERE u.customer_id = $1 AND u.id = found.user_id) AS status,
                  EXISTS (SELECT 1 FROM conflicts c WHERE c.customer_id = $1 AND c.user_id = found.user_id) AS in_conflict
              FROM (SELECT d.id, d.gone, d.external_id, d.user_principal_name, d.mail, d.proxy_addresses, d.display_name,
                        d.account_enabled, d.attributes,
                        (SELECT u.id FROM users u WHERE u.customer_id = $1 AND u.source = $3 AND u.external_id = d.external_id) AS user_id
                    FROM mirror_users d
                    WHERE d.customer_id = $1 AND COALESCE(d.service = $2, FALSE) AND d.gone = FALSE AND d.id > $4
                    ORDER BY d.id LIMIT $5) AS found
              ORDER BY found.id";
    PEOPLE_BY_ADDRESS = "SELECT found.id, found.gone, found.external_id, found.user_principal_name, found.mail, found.proxy_addresses,
                             found.display_name, found.account_enabled, found.attributes, found.user_id,
                             (SELECT u.status FROM users u WHERE u.customer_id = $1 AND u.id = found.user_id) AS status,
                             EXISTS (SELECT 1 FROM conflicts c WHERE c.customer_id = $1 AND c.user_id = found.user_id) AS in_conflict
                         FROM (SELECT d.id, d.gone, d.external_id, d.user_principal_name, d.mail, d.proxy_addresses, d.display_name,
                                   d.account_enabled, d.attributes,
                                   (SELECT u.id FROM users u WHERE u.customer_id = $1 AND u.source = $3 AND u.external_id = d.external_id)
                                       AS user_id
                               FROM mirror_addresses a JOIN mirror_users d ON d.customer_id = a.customer_id AND d.id = a.mirror_user_id
                               WHERE a.customer_id = $1 AND a.address = $4 AND COALESCE(d.service = $2, FALSE) AND d.gone = FALSE
                               ORDER BY a.mirror_user_id LIMIT $5) AS found
                         ORDER BY found.id";
}

/// A person whom the directory has, and the portal's user of that person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// What the directory says.
    pub mirror: MirrorUser,
    /// The portal's user; `None` when there is none of this service.
    pub user: Option<Standing>,
}

/// How a portal user stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The user's number.
    pub id: i64,
    /// Its status. A user whose service is off is inactive, in conflict or not.
    pub status: Status,
    /// Whether it is in conflict: not delivered any more.
    pub in_conflict: bool,
}

#[derive(sqlx::FromRow)]
struct MirroredRow {
    #[sqlx(flatten)]
    mirror: Row,
    user_id: Option<i64>,
    status: Option<String>,
    in_conflict: bool,
}

impl TryFrom<MirroredRow> for Mirrored {
    type Error = StoreError;

    fn try_from(row: MirroredRow) -> Result<Self> {
        let user = match (row.user_id, row.status) {
            (Some(id), Some(status)) => {
                Some(Standing { id, status: read_status(&status, id)?, in_conflict: row.in_conflict })
            }
            _ => None,
        };
        Ok(Self { mirror: row.mirror.try_into()?, user })
    }
}

/// A dirty directory user that the portal has: whoever decides may find that the portal is to lose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What the directory says, or last said.
    pub mirror: MirrorUser,
    /// The portal user's number.
    pub user: i64,
    /// Whether the portal user is in conflict already.
    pub in_conflict: bool,
}

impl CustomerStore {
    /// Dirty objects by number, `after` that number: a page of those that the portal's users are not in line with. Gone ones are among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn dirty_users(&self, service: Service, after_id: i64, limit: i64) -> Result<Vec<MirrorUser>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, Row, DIRTY, self.id(), service.name(), after_id, limit)?;
        rows.into_iter().map(MirrorUser::try_from).collect()
    }

    /// The objects that the directory has, by number, `after` that number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn mirror_page(&self, service: Service, after_id: i64, limit: i64) -> Result<Vec<MirrorUser>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, Row, PAGE, self.id(), service.name(), after_id, limit)?;
        rows.into_iter().map(MirrorUser::try_from).collect()
    }

    /// The people whom the directory has, by number, `after` that number, each with the portal's user: to look at a whole directory without
    /// ever holding it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn mirrored_people(
        &self,
        service: Service,
        after_id: i64,
        limit: i64,
    ) -> Result<Vec<Mirrored>> {
        let mut connection = self.read().await?;
        let source = service.source().name();
        let rows =
            all!(connection, MirroredRow, PEOPLE, self.id(), service.name(), source, after_id, limit)?;
        rows.into_iter().map(Mirrored::try_from).collect()
    }

    /// The people whom the directory has under an address, in whatever role; at most `limit`.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn mirrored_by_address(
        &self,
        service: Service,
        address: &Address,
        limit: i64,
    ) -> Result<Vec<Mirrored>> {
        let mut connection = self.read().await?;
        let source = service.source().name();
        let rows = all!(
            connection,
            MirroredRow,
            PEOPLE_BY_ADDRESS,
            self.id(),
            service.name(),
            source,
            address.as_str(),
            limit
        )?;
        rows.into_iter().map(Mirrored::try_from).collect()
    }

    /// How many objects the directory has. Counts them one by one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn mirror_count(&self, service: Service) -> Result<i64> {
        let mut connection = self.read().await?;
        let (count,) = one!(connection, (i64,), COUNT, self.id(), service.name())?;
        Ok(count)
    }

    /// Of a page of the dirty objects behind that number, those that a portal user of the service's source stands for, by number, and the last
    /// number of the page; `None` when there is none left. Gone ones are among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn removal_candidates(
        &self,
        service: Service,
        after_id: i64,
        limit: i64,
    ) -> Result<Option<(i64, Vec<Candidate>)>> {
        let mut connection = self.read().await?;
        let dirty =
            all!(connection, (i64, String), DIRTY_KEYS, self.id(), service.name(), after_id, limit)?;
        let Some(last) = dirty.last().map(|(id, _)| *id) else { return Ok(None) };
        // Step by step, because a statement that does all of it reads all users for each object while Postgres has never analysed the tables.
        let given = Given::nothing().texts(dirty.iter().map(|(_, key)| key.as_str()));
        let source = service.source().name();
        let users: HashMap<String, (i64, bool)> =
            all!(connection, (String, i64, bool), USERS, self.id(), source; given)?
                .into_iter()
                .map(|(key, user, in_conflict)| (key, (user, in_conflict)))
                .collect();
        if users.is_empty() {
            return Ok(Some((last, Vec::new())));
        }
        let known = dirty.iter().filter(|(_, key)| users.contains_key(key)).map(|(id, _)| *id);
        let rows = all!(connection, Row, BY_ID, self.id(), service.name(); Given::nothing().ints(known))?;
        let mut candidates = Vec::new();
        for row in rows {
            let mirror = MirrorUser::try_from(row)?;
            if let Some((user, in_conflict)) = users.get(&mirror.user.external_id).copied() {
                candidates.push(Candidate { mirror, user, in_conflict });
            }
        }
        candidates.sort_by_key(|candidate| candidate.mirror.id);
        Ok(Some((last, candidates)))
    }
}

impl CustomerWrite {
    /// The objects with these keys, in no order; those that are not there are not among them, gone ones are.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn mirror_by_external_id(
        &mut self,
        service: Service,
        external_ids: &[String],
    ) -> Result<Vec<MirrorUser>> {
        let given = Given::nothing().texts(external_ids);
        let rows = all!(self.connection, Row, BY_EXTERNAL_ID, self.customer_id, service.name(); given)?;
        rows.into_iter().map(MirrorUser::try_from).collect()
    }

    /// The objects with these numbers, in no order; those that are not there, or are another service's, are not among them.
    pub(crate) async fn mirror_by_id(
        &mut self,
        service: Service,
        ids: BTreeSet<i64>,
    ) -> Result<Vec<MirrorUser>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let given = Given::nothing().ints(ids);
        let rows = all!(self.connection, Row, BY_ID, self.customer_id, service.name(); given)?;
        rows.into_iter().map(MirrorUser::try_from).collect()
    }
}
