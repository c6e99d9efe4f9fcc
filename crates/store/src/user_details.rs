//! What a user's page shows beside the user: what the directory says, what was decided by hand, and what administrators did.

use domain::service::Service;

use crate::{
    AuditRow, CustomerStore, MirrorUser, User, audit,
    error::Result,
    given::Given,
    mirror, sql::{all, optional, statements},
    users,
};

statements! {
    MIRRORED = "SELECT id, gone, external_id, user_principal_name, mail, proxy_addresses, display_name, account_enabled, attributes
                FROM mirror_users WHERE customer_id = $1 AND service = $2 AND external_id = $3";
    EXCEPTIONS = "SELECT e.kind, e.object, e.reason, e.keep, e.created_by FROM exceptions e
                  WHERE e.customer_id = $1 AND e.service = $2 AND e.object ", among("$3" "TEXT"), " AND e.kind <> 'group' ORDER BY e.id";
    ADDITIONS = "SELECT a.address, a.created_by FROM additions a WHERE a.customer_id = $1 AND a.service = $2
                 AND a.address ", among("$3" "TEXT"), " ORDER BY a.address";
    AUDIT = "SELECT id, at, administrator_id, actor, action, object, changes FROM audit
             WHERE customer_id = $1 AND object = $2 AND id < $3 ORDER BY id DESC LIMIT $4";
}

/// An exception that touches a user.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TouchingException {
    /// `user` or `alias`.
    pub kind: String,
    /// The directory's key of the user, or the alias.
    pub object: String,
    /// Why, in the administrator's words.
    pub reason: String,
    /// Whether the user stays in the portal, untouched by the sync.
    pub keep: bool,
    /// Who made it.
    pub created_by: String,
}

impl CustomerStore {
    /// What the directory says, or last said, about the user of that key.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn mirrored_user(&self, service: Service, external_id: &str) -> Result<Option<MirrorUser>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, mirror::Row, MIRRORED, self.id(), service.name(), external_id)?;
        row.map(MirrorUser::try_from).transpose()
    }

    /// The exceptions for these objects: keys of the directory, and addresses for aliases.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn exceptions_for(
        &self,
        service: Service,
        objects: &[String],
    ) -> Result<Vec<TouchingException>> {
        let mut connection = self.read().await?;
        let given = Given::nothing().texts(objects);
        all!(connection, TouchingException, EXCEPTIONS, self.id(), service.name(); given)
    }

    /// The additions of these addresses, each with who made it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn additions_for(&self, service: Service, addresses: &[String]) -> Result<Vec<(String, String)>> {
        let mut connection = self.read().await?;
        let given = Given::nothing().texts(addresses);
        all!(connection, (String, String), ADDITIONS, self.id(), service.name(); given)
    }

    /// What administrators did to the object of that name, the latest first, `before` the entry with that number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_of(&self, object: &str, before: Option<i64>, limit: i64) -> Result<Vec<AuditRow>> {
        let mut connection = self.read().await?;
        let before = before.unwrap_or(i64::MAX);
        let rows = all!(connection, audit::Row, AUDIT, self.id(), object, before, limit)?;
        rows.into_iter().map(AuditRow::try_from).collect()
    }

    /// The users with these numbers, by number; those that are not there are not among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn users_numbered(&self, ids: &[i64]) -> Result<Vec<User>> {
        users::by_id(&mut self.read().await?, self.id(), ids.iter().copied()).await
    }
}
