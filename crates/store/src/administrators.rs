//! Administrators: who may sign in, and what they may do.

use std::{collections::HashMap, fmt};

use domain::{Timestamp, role::Role};
use uuid::Uuid;

use crate::{
    Store, StoreError, Write,
    error::Result,
    sql::{Connection, all, execute, one, optional, statements},
};

statements! {
    BY_EMAIL = "SELECT id, public_id, email, display_name, password_hash, every_customer_role, created_at, deactivated_at, last_sign_in_at
                FROM administrators WHERE email = $1";
    BY_ID = "SELECT id, public_id, email, display_name, password_hash, every_customer_role, created_at, deactivated_at, last_sign_in_at
             FROM administrators WHERE id = $1";
    BY_PUBLIC_ID = "SELECT id, public_id, email, display_name, password_hash, every_customer_role, created_at, deactivated_at, last_sign_in_at
             FROM administrators WHERE public_id = $1";
    ALL = "SELECT id, public_id, email, display_name, password_hash, every_customer_role, created_at, deactivated_at, last_sign_in_at
           FROM administrators ORDER BY id";
    ALL_ROLES = "SELECT administrator_id, customer_id, role FROM administrator_roles ORDER BY administrator_id, customer_id";
    ROLES = "SELECT customer_id, role FROM administrator_roles WHERE administrator_id = $1 ORDER BY customer_id";
    COUNT = "SELECT COUNT(*) FROM administrators";
    ADD = "INSERT INTO administrators (public_id, email, display_name, password_hash, every_customer_role, created_at)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    SET_PASSWORD = "UPDATE administrators SET password_hash = $2 WHERE id = $1";
    RENAME = "UPDATE administrators SET display_name = $2 WHERE id = $1";
    SET_EVERY = "UPDATE administrators SET every_customer_role = $2 WHERE id = $1";
    DEACTIVATE = "UPDATE administrators SET deactivated_at = $2 WHERE id = $1";
    REVOKE = "DELETE FROM administrator_roles WHERE administrator_id = $1 AND customer_id = $2";
    /// Changes nothing, and makes every other transaction that does the same wait for this one.
    HOLD_FULL = "UPDATE administrators SET every_customer_role = every_customer_role WHERE every_customer_role = 'administrator'";
    COUNT_FULL = "SELECT COUNT(*) FROM administrators
                  WHERE every_customer_role = 'administrator' AND deactivated_at IS NULL AND password_hash <> ''";
    GRANT = "INSERT INTO administrator_roles (administrator_id, customer_id, role) VALUES ($1, $2, $3)
             ON CONFLICT (administrator_id, customer_id) DO UPDATE SET role = excluded.role";
}

/// An administrator with all grants. Prints without the password's hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Administrator {
    /// The number by which rows refer to the administrator.
    pub id: i64,
    /// The id in addresses of pages.
    pub public_id: Uuid,
    /// The mail address to sign in with, folded.
    pub email: String,
    /// The name on pages.
    pub display_name: String,
    /// The password's argon2id hash in PHC form; empty for who was invited and has not chosen a password yet.
    pub password_hash: String,
    /// The role towards every customer, those to come included.
    pub every_customer_role: Option<Role>,
    /// The roles towards single customers, by the customer's number.
    pub roles: Vec<(i64, Role)>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Since when the account may not sign in.
    pub deactivated_at: Option<Timestamp>,
    /// The last sign-in.
    pub last_sign_in_at: Option<Timestamp>,
}

impl Administrator {
    /// What the administrator may do for a customer: the greater of the role for every customer and the one for this customer.
    #[must_use]
    pub fn role_for(&self, customer_id: i64) -> Option<Role> {
        let own = self.roles.iter().find(|(customer, _)| *customer == customer_id).map(|(_, role)| *role);
        own.max(self.every_customer_role)
    }
}

impl fmt::Debug for Administrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Administrator")
            .field("id", &self.id)
            .field("email", &self.email)
            .field("every_customer_role", &self.every_customer_role)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// An administrator to be added. Prints without the password's hash.
#[derive(Clone)]
pub struct NewAdministrator {
    /// The id in addresses of pages.
    pub public_id: Uuid,
    /// The mail address to sign in with, in any case.
    pub email: String,
    /// The name on pages.
    pub display_name: String,
    /// The password's argon2id hash in PHC form; empty for somebody who is invited.
    pub password_hash: String,
    /// The role towards every customer.
    pub every_customer_role: Option<Role>,
    /// The present moment.
    pub created_at: Timestamp,
}

impl fmt::Debug for NewAdministrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAdministrator").field("email", &self.email).finish_non_exhaustive()
    }
}

/// The form in which the address of an administrator is stored and looked up.
fn fold(email: &str) -> String {
    email.trim().to_lowercase()
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    public_id: String,
    email: String,
    display_name: String,
    password_hash: String,
    every_customer_role: Option<String>,
    created_at: i64,
    deactivated_at: Option<i64>,
    last_sign_in_at: Option<i64>,
}

async fn with_roles(connection: &mut Connection, row: Option<Row>) -> Result<Option<Administrator>> {
    let Some(row) = row else { return Ok(None) };
    let roles = all!(connection, (i64, String), ROLES, row.id)?
        .into_iter()
        .map(|(customer_id, name)| Ok((customer_id, named_role(&name, row.id)?)))
        .collect::<Result<_>>()?;
    row.with(roles).map(Some)
}

fn named_role(name: &str, administrator_id: i64) -> Result<Role> {
    Role::named(name).ok_or_else(|| StoreError::corrupt("administrator_roles", "role", administrator_id))
}

impl Row {
    fn with(self, roles: Vec<(i64, Role)>) -> Result<Administrator> {
        let corrupt = |column| StoreError::corrupt("administrators", column, self.id);
        let every_customer_role = self
            .every_customer_role
            .map(|name| Role::named(&name).ok_or_else(|| corrupt("every_customer_role")))
            .transpose()?;
        Ok(Administrator {
            id: self.id,
            public_id: Uuid::parse_str(&self.public_id).map_err(|_| corrupt("public_id"))?,
            email: self.email,
            display_name: self.display_name,
            password_hash: self.password_hash,
            every_customer_role,
            roles,
            created_at: Timestamp(self.created_at),
            deactivated_at: self.deactivated_at.map(Timestamp),
            last_sign_in_at: self.last_sign_in_at.map(Timestamp),
        })
    }
}

pub(crate) async fn by_id(connection: &mut Connection, id: i64) -> Result<Option<Administrator>> {
    let row = optional!(connection, Row, BY_ID, id)?;
    with_roles(connection, row).await
}

impl Store {
    /// The administrator with that mail address, in any case, deactivated or not.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn administrator_by_email(&self, email: &str) -> Result<Option<Administrator>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, Row, BY_EMAIL, fold(email))?;
        with_roles(&mut connection, row).await
    }

    /// The administrator with that number, deactivated or not.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn administrator(&self, id: i64) -> Result<Option<Administrator>> {
        by_id(&mut self.read().await?, id).await
    }

    /// The administrator with that id in addresses of pages, deactivated or not.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn administrator_by_public_id(&self, public_id: Uuid) -> Result<Option<Administrator>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, Row, BY_PUBLIC_ID, public_id.to_string())?;
        with_roles(&mut connection, row).await
    }

    /// Every administrator, deactivated ones included, in the order in which they were made.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn administrators(&self) -> Result<Vec<Administrator>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, Row, ALL)?;
        let mut roles: HashMap<i64, Vec<(i64, Role)>> = HashMap::new();
        for (administrator_id, customer_id, name) in all!(connection, (i64, i64, String), ALL_ROLES)? {
            let role = named_role(&name, administrator_id)?;
            roles.entry(administrator_id).or_default().push((customer_id, role));
        }
        rows.into_iter().map(|row| { let roles = roles.remove(&row.id).unwrap_or_default(); row.with(roles) }).collect()
    }

    /// How many administrators there are, deactivated ones included: with none, the portal offers its one-time set-up.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn administrator_count(&self) -> Result<i64> {
        let mut connection = self.read().await?;
        Ok(one!(connection, (i64,), COUNT)?.0)
    }
}

impl Write {
    /// Adds an administrator; answers the number.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when another administrator has that mail address.
    pub async fn add_administrator(&mut self, new: NewAdministrator) -> Result<i64> {
        let email = fold(&new.email);
        let (id,) = one!(
            self.connection,
            (i64,),
            ADD,
            new.public_id.to_string(),
            email.as_str(),
            new.display_name,
            new.password_hash,
            new.every_customer_role.map(Role::name),
            new.created_at.0
        )
        .map_err(|error: StoreError| error.or_taken(|| format!("The mail address {email}")))?;
        Ok(id)
    }

    /// Replaces a password's hash. Sessions go on until [`Write::end_sessions_of`].
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such administrator.
    pub async fn set_password(&mut self, administrator_id: i64, password_hash: &str) -> Result<()> {
        match execute!(self.connection, SET_PASSWORD, administrator_id, password_hash)? {
            1 => Ok(()),
            _ => Err(StoreError::Missing("The administrator")),
        }
    }

    /// Gives an administrator a role towards a customer, in place of the one before.
    ///
    /// # Errors
    /// When there is no such administrator or customer.
    pub async fn grant(&mut self, administrator_id: i64, customer_id: i64, role: Role) -> Result<()> {
        execute!(self.connection, GRANT, administrator_id, customer_id, role.name())?;
        Ok(())
    }

    /// Takes the role towards a customer from an administrator; one towards every customer stays.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn revoke(&mut self, administrator_id: i64, customer_id: i64) -> Result<()> {
        execute!(self.connection, REVOKE, administrator_id, customer_id).map(drop)
    }

    /// Gives an administrator a role towards every customer, those to come included, or takes it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such administrator.
    pub async fn set_every_customer_role(&mut self, administrator_id: i64, role: Option<Role>) -> Result<()> {
        match execute!(self.connection, SET_EVERY, administrator_id, role.map(Role::name))? {
            1 => Ok(()),
            _ => Err(StoreError::Missing("The administrator")),
        }
    }

    /// Deactivates an administrator since that moment, or with `None` ends that. Sessions go on until [`Write::end_sessions_of`], but count
    /// for nothing while the account is deactivated.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such administrator.
    pub async fn deactivate_administrator(
        &mut self,
        administrator_id: i64,
        since: Option<Timestamp>,
    ) -> Result<()> {
        match execute!(self.connection, DEACTIVATE, administrator_id, since.map(|since| since.0))? {
            1 => Ok(()),
            _ => Err(StoreError::Missing("The administrator")),
        }
    }

    /// Gives an administrator another name.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such administrator.
    pub async fn rename_administrator(&mut self, administrator_id: i64, display_name: &str) -> Result<()> {
        match execute!(self.connection, RENAME, administrator_id, display_name)? {
            1 => Ok(()),
            _ => Err(StoreError::Missing("The administrator")),
        }
    }

    /// How many can sign in with the role Administrator for all customers. Until this transaction ends, no other one that asks gets an answer,
    /// so that two administrators cannot remove each other.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn full_administrators(&mut self) -> Result<i64> {
        execute!(self.connection, HOLD_FULL)?;
        Ok(one!(self.connection, (i64,), COUNT_FULL)?.0)
    }
}
