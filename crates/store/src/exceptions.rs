//! Exceptions: users, groups and aliases that an administrator leaves out of the sync of a directory service.

use std::collections::BTreeMap;

use domain::{Timestamp, service::Service};

use crate::{
    CustomerStore, CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{all, execute, one, row_count, statements},
};

statements! {
    RULES = "SELECT kind, object, keep FROM exceptions WHERE customer_id = $1 AND service = $2 ORDER BY kind, object";
    PAGE = "SELECT id, kind, object, name, address, reason, keep, created_by, created_at FROM exceptions
            WHERE customer_id = $1 AND service = $2 AND id > $3 ORDER BY id LIMIT $4";
    COUNT = "SELECT COUNT(*) FROM exceptions WHERE customer_id = $1 AND service = $2";
    ADD = "INSERT INTO exceptions (customer_id, service, kind, object, name, address, reason, keep, created_by, created_at)
           SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), given.kind, given.object, given.name, given.address, given.reason, given.keep,
               given.created_by, given.created_at
           FROM ",
          given("$3": kind "TEXT" 0 "$3", object "TEXT" 1 "$4", name "TEXT" 2 "$5", address "TEXT" 3 "$6", reason "TEXT" 4 "$7",
              keep "BOOLEAN" 5 "$8", created_by "TEXT" 6 "$9", created_at "BIGINT" 7 "$10"),
          " WHERE TRUE
           ON CONFLICT (customer_id, service, kind, object) DO UPDATE SET name = excluded.name, address = excluded.address,
               reason = excluded.reason, keep = excluded.keep";
    REMOVE = "DELETE FROM exceptions WHERE customer_id = $1 AND service = $2 AND kind = $3 AND object ", among("$4" "TEXT"), "";
}

/// What an exception is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExceptionKind {
    /// A user: never synced.
    User,
    /// A group: not listed.
    Group,
    /// An address: not attached to its user.
    Alias,
}

impl ExceptionKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::User, Self::Group, Self::Alias];

    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }

    /// The kind of that [`name`](Self::name).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// An exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// What it is about.
    pub kind: ExceptionKind,
    /// The directory's id of the user or group, or the alias in the form in which addresses are compared.
    pub object: String,
    /// The name when the exception was made.
    pub name: String,
    /// The address when the exception was made; empty for none.
    pub address: String,
    /// Why, as the administrator noted it.
    pub reason: String,
    /// For a user that was in the portal already: whether it stays there, untouched by the sync, instead of becoming a conflict.
    pub keep: bool,
    /// Who made it, in words.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
}

fn read_kind(name: &str, row: impl ToString) -> Result<ExceptionKind> {
    ExceptionKind::named(name).ok_or_else(|| StoreError::corrupt("exceptions", "kind", row))
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    kind: String,
    object: String,
    name: String,
    address: String,
    reason: String,
    keep: bool,
    created_by: String,
    created_at: i64,
}

impl CustomerStore {
    /// All exceptions of a service as rules: what each is about, the object, and whether a user stays as it is.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn exception_rules(&self, service: Service) -> Result<Vec<(ExceptionKind, String, bool)>> {
        let mut connection = self.read().await?;
        all!(connection, (String, String, bool), RULES, self.id(), service.name())?
            .into_iter()
            .map(|(kind, object, keep)| Ok((read_kind(&kind, &object)?, object, keep)))
            .collect()
    }

    /// A chunk of the exceptions of a service, each with its number, in the order in which they were made, `after` the one with that number
    /// (0 for all).
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn exceptions_page(
        &self,
        service: Service,
        after_id: i64,
        limit: i64,
    ) -> Result<Vec<(i64, Exception)>> {
        let mut connection = self.read().await?;
        all!(connection, Row, PAGE, self.id(), service.name(), after_id, limit)?
            .into_iter()
            .map(|row| {
                let exception = Exception {
                    kind: read_kind(&row.kind, row.id)?,
                    object: row.object,
                    name: row.name,
                    address: row.address,
                    reason: row.reason,
                    keep: row.keep,
                    created_by: row.created_by,
                    created_at: Timestamp(row.created_at),
                };
                Ok((row.id, exception))
            })
            .collect()
    }
}

impl CustomerStore {
    /// How many exceptions a service has.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn exception_count(&self, service: Service) -> Result<i64> {
        let mut connection = self.read().await?;
        Ok(one!(connection, (i64,), COUNT, self.id(), service.name())?.0)
    }
}

impl CustomerWrite {
    /// Adds exceptions to a service. One that is there keeps who made it and when, and takes the rest.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn add_exceptions(&mut self, service: Service, exceptions: &[Exception]) -> Result<()> {
        // Each object once, as it comes last: a statement of Postgres cannot update a row twice.
        let exceptions: BTreeMap<(ExceptionKind, &str), &Exception> = exceptions
            .iter()
            .map(|exception| ((exception.kind, exception.object.as_str()), exception))
            .collect();
        let given = Given::nothing()
            .texts(exceptions.values().map(|exception| exception.kind.name()))
            .texts(exceptions.values().map(|exception| exception.object.as_str()))
            .texts(exceptions.values().map(|exception| exception.name.as_str()))
            .texts(exceptions.values().map(|exception| exception.address.as_str()))
            .texts(exceptions.values().map(|exception| exception.reason.as_str()))
            .flags(exceptions.values().map(|exception| exception.keep))
            .texts(exceptions.values().map(|exception| exception.created_by.as_str()))
            .ints(exceptions.values().map(|exception| exception.created_at.0));
        execute!(self.connection, ADD, self.customer_id, service.name(); given).map(drop)
    }

    /// Removes exceptions from a service; answers how many were there.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn remove_exceptions(
        &mut self,
        service: Service,
        objects: &[(ExceptionKind, String)],
    ) -> Result<i64> {
        let mut removed = 0;
        for kind in ExceptionKind::ALL {
            let of_kind = objects.iter().filter(|(of, _)| *of == kind).map(|(_, object)| object.as_str());
            let given = Given::nothing().texts(of_kind);
            removed += row_count(execute!(
                self.connection, REMOVE, self.customer_id, service.name(), kind.name(); given
            )?);
        }
        Ok(removed)
    }
}
