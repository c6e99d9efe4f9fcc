//! Administrators: who may sign in, and what they may do.

use std::fmt;

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
    ROLES = "SELECT customer_id, role FROM administrator_roles WHERE administrator_id = $1 ORDER BY customer_id";
    COUNT = "SELECT COUNT(*) FROM administrators";
    ADD = "INSERT INTO administrators (public_id, email, display_name, password_hash, every_customer_role, created_at)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    SET_PASSWORD = "UPDATE administrators SET password_hash = $2 WHERE id = $1";
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
    /// The password's argon2id hash in PHC form.
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
    /// The password's argon2id hash in PHC form.
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
        .map(|(customer_id, name)| {
            let role = Role::named(&name)
                .ok_or_else(|| StoreError::corrupt("administrator_roles", "role", row.id))?;
            Ok((customer_id, role))
        })
        .collect::<Result<_>>()?;
    let every_customer_role = row
        .every_customer_role
        .map(|name| {
            Role::named(&name)
                .ok_or_else(|| StoreError::corrupt("administrators", "every_customer_role", row.id))
        })
        .transpose()?;
    Ok(Some(Administrator {
        id: row.id,
        public_id: Uuid::parse_str(&row.public_id)
            .map_err(|_| StoreError::corrupt("administrators", "public_id", row.id))?,
        email: row.email,
        display_name: row.display_name,
        password_hash: row.password_hash,
        every_customer_role,
        roles,
        created_at: Timestamp(row.created_at),
        deactivated_at: row.deactivated_at.map(Timestamp),
        last_sign_in_at: row.last_sign_in_at.map(Timestamp),
    }))
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
}
