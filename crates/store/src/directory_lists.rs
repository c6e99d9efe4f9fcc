//! The view of the directory that exceptions are chosen from: users, groups and aliases of the mirror, by folded name or address, with
//! whether an exception leaves each out already.

use domain::service::Service;

use crate::{
    CustomerStore, ExceptionKind, MirrorUser,
    conflict_lists::any_part,
    error::Result,
    given::Given,
    mirror,
    sql::{all, optional, statements},
};

statements! {
    USERS = "SELECT m.id, m.external_id AS object, m.sort_name AS place, COALESCE(m.display_name, m.user_principal_name, '') AS name,
                 COALESCE((SELECT a.address FROM mirror_addresses a
                           WHERE a.customer_id = m.customer_id AND a.mirror_user_id = m.id AND a.kind = 'primary'), '') AS address,
                 EXISTS (SELECT 1 FROM exceptions e
                         WHERE e.customer_id = $1 AND e.service = $2 AND e.kind = 'user' AND e.object = m.external_id) AS excepted
             FROM mirror_users m
             WHERE m.customer_id = $1 AND m.service = $2 AND (m.sort_name, m.id) > ($3, $4) AND m.gone = FALSE
                 AND ($5 = '' OR m.sort_name LIKE $5 ESCAPE '!' OR EXISTS (SELECT 1 FROM mirror_addresses b
                     WHERE b.customer_id = m.customer_id AND b.mirror_user_id = m.id AND b.address LIKE $5 ESCAPE '!'))
             ORDER BY m.sort_name, m.id LIMIT $6";
    GROUPS = "SELECT m.id, m.external_id AS object, m.sort_name AS place, COALESCE(m.display_name, '') AS name,
                  COALESCE(m.address, '') AS address,
                  EXISTS (SELECT 1 FROM exceptions e
                          WHERE e.customer_id = $1 AND e.service = $2 AND e.kind = 'group' AND e.object = m.external_id) AS excepted
              FROM mirror_groups m
              WHERE m.customer_id = $1 AND m.service = $2 AND (m.sort_name, m.id) > ($3, $4) AND m.gone = FALSE
                  AND ($5 = '' OR m.sort_name LIKE $5 ESCAPE '!' OR m.address LIKE $5 ESCAPE '!')
              ORDER BY m.sort_name, m.id LIMIT $6";
    ALIASES = "SELECT a.mirror_user_id AS id, a.address AS object, a.address AS place,
                   COALESCE(m.display_name, m.user_principal_name, '') AS name, a.address,
                   EXISTS (SELECT 1 FROM exceptions e
                           WHERE e.customer_id = $1 AND e.service = $2 AND e.kind = 'alias' AND e.object = a.address) AS excepted
               FROM mirror_addresses a JOIN mirror_users m ON m.customer_id = a.customer_id AND m.id = a.mirror_user_id
               WHERE a.customer_id = $1 AND a.kind = 'alias' AND (a.address, a.mirror_user_id) > ($3, $4) AND m.service = $2
                   AND ($5 = '' OR a.address LIKE $5 ESCAPE '!' OR m.sort_name LIKE $5 ESCAPE '!')
               ORDER BY a.address, a.mirror_user_id LIMIT $6";
    USERS_AMONG = "SELECT m.id, m.gone, m.external_id, m.user_principal_name, m.mail, m.proxy_addresses, m.display_name, m.account_enabled,
                       m.attributes
                   FROM mirror_users m WHERE m.customer_id = $1 AND m.service = $2 AND m.external_id ", among("$3" "TEXT"), "";
    GROUPS_AMONG = "SELECT m.external_id, COALESCE(m.display_name, ''), COALESCE(m.address, '') FROM mirror_groups m
                    WHERE m.customer_id = $1 AND m.service = $2 AND m.gone = FALSE AND m.external_id ", among("$3" "TEXT"), "";
    ALIASES_AMONG = "SELECT a.address, COALESCE(m.display_name, m.user_principal_name, ''), a.address
                     FROM mirror_addresses a JOIN mirror_users m ON m.customer_id = a.customer_id AND m.id = a.mirror_user_id
                     WHERE a.customer_id = $1 AND m.service = $2 AND a.kind = 'alias' AND a.address ", among("$3" "TEXT"), "";
    ANY = "SELECT id FROM mirror_users WHERE customer_id = $1 AND service = $2 LIMIT 1";
}

/// A user, group or alias of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What it is.
    pub kind: ExceptionKind,
    /// The directory's id of the user or group, or the alias.
    pub object: String,
    /// Its name; of an alias the name of whom it belongs to.
    pub name: String,
    /// Its primary address, or the alias; empty for none.
    pub address: String,
    /// Whether an exception leaves it out.
    pub excepted: bool,
    /// Its place in the list of its kind.
    pub place: (String, i64),
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    object: String,
    place: String,
    name: String,
    address: String,
    excepted: bool,
}

impl CustomerStore {
    /// A chunk of the directory's users by name, groups by name, or aliases by address, behind that [place](Listed::place). The text is part of
    /// a name or address, without regard to case; empty for all.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn directory_list(
        &self,
        service: Service,
        kind: ExceptionKind,
        text: &str,
        after: Option<(String, i64)>,
        limit: i64,
    ) -> Result<Vec<Listed>> {
        let mut connection = self.read().await?;
        let statement = match kind {
            ExceptionKind::User => USERS,
            ExceptionKind::Group => GROUPS,
            ExceptionKind::Alias => ALIASES,
        };
        let (place, id) = after.unwrap_or_else(|| (String::new(), i64::MIN));
        let pattern = any_part(text);
        let rows = all!(connection, Row, statement, self.id(), service.name(), place, id, pattern, limit)?;
        Ok(rows
            .into_iter()
            .map(|row| Listed {
                kind,
                object: row.object,
                name: row.name,
                address: row.address,
                excepted: row.excepted,
                place: (row.place, row.id),
            })
            .collect())
    }

    /// The objects of the mirror with these keys, in no order; those that are not there are not among them, gone ones are.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn mirrored(&self, service: Service, external_ids: &[String]) -> Result<Vec<MirrorUser>> {
        let mut connection = self.read().await?;
        let given = Given::nothing().texts(external_ids);
        let rows = all!(connection, mirror::Row, USERS_AMONG, self.id(), service.name(); given)?;
        rows.into_iter().map(MirrorUser::try_from).collect()
    }

    /// Key, name and address of those of these groups or aliases that the directory has, in no order.
    ///
    /// # Errors
    /// When the database cannot answer. Users are what [`Self::mirrored`] is for: none is answered.
    pub async fn directory_names(
        &self,
        service: Service,
        kind: ExceptionKind,
        objects: &[String],
    ) -> Result<Vec<(String, String, String)>> {
        let statement = match kind {
            ExceptionKind::User => return Ok(Vec::new()),
            ExceptionKind::Group => GROUPS_AMONG,
            ExceptionKind::Alias => ALIASES_AMONG,
        };
        let mut connection = self.read().await?;
        let given = Given::nothing().texts(objects);
        all!(connection, (String, String, String), statement, self.id(), service.name(); given)
    }

    /// Whether the directory was ever read.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn has_mirror(&self, service: Service) -> Result<bool> {
        let mut connection = self.read().await?;
        Ok(optional!(connection, (i64,), ANY, self.id(), service.name())?.is_some())
    }
}
