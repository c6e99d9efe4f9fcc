//! The mirror's users, read: page by page, by key, and those of them that may be removed from the portal.

use std::collections::BTreeSet;

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
    DIRTY = "SELECT id, gone, external_id, user_principal_name, mail, proxy_addresses, display_name, account_enabled, attributes
             FROM mirror_users WHERE customer_id = $1 AND service = $2 AND dirty = TRUE AND id > $3 ORDER BY id LIMIT $4";
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
    /// The user is looked up for each object. As a join, Postgres would compare all objects with all users of a customer while the tables
    /// have never been analysed.
    CANDIDATES = "SELECT m.id, m.gone, m.external_id, m.user_principal_name, m.mail, m.proxy_addresses, m.display_name, m.account_enabled,
                      m.attributes, m.user_id,
                      EXISTS (SELECT 1 FROM conflicts c WHERE c.customer_id = $1 AND c.user_id = m.user_id) AS in_conflict
                  FROM (SELECT d.id, d.gone, d.external_id, d.user_principal_name, d.mail, d.proxy_addresses, d.display_name,
                            d.account_enabled, d.attributes,
                            (SELECT u.id FROM users u WHERE u.customer_id = $1 AND u.source = $3 AND u.external_id = d.external_id) AS user_id
                        FROM mirror_users d WHERE d.customer_id = $1 AND d.service = $2 AND d.dirty = TRUE AND d.id > $4) AS m
                  WHERE m.user_id IS NOT NULL ORDER BY m.id LIMIT $5";
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

#[derive(sqlx::FromRow)]
struct CandidateRow {
    #[sqlx(flatten)]
    mirror: Row,
    user_id: i64,
    in_conflict: bool,
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

    /// Dirty objects that a portal user of the service's source stands for, by number, `after` that number. Gone ones are among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn removal_candidates(
        &self,
        service: Service,
        after_id: i64,
        limit: i64,
    ) -> Result<Vec<Candidate>> {
        let mut connection = self.read().await?;
        let source = service.source().name();
        all!(connection, CandidateRow, CANDIDATES, self.id(), service.name(), source, after_id, limit)?
            .into_iter()
            .map(|row| {
                Ok(Candidate {
                    mirror: row.mirror.try_into()?,
                    user: row.user_id,
                    in_conflict: row.in_conflict,
                })
            })
            .collect()
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
