//! Who may sign in, and as what.
//!
//! Passwords arrive hashed: hashing belongs to whoever takes the password in. The first administrator comes from the environment, from
//! `rollcall admin create`, or from a one-time link that the portal prints while there is none.

mod team;

use domain::{Timestamp, role::Role};
use sha2::{Digest, Sha256};
use store::{Change, CustomerStore, NewAdministrator, StoreError, Write};

pub use self::team::{
    By, INVITATION_LIFE, Invited, Reach, invite, link_of, new_link, set_active, set_role, use_link,
};
use crate::{Actor, Engine, SyncError};

/// How long a set-up link is good for.
pub const SETUP_LINK_LIFE: i64 = Timestamp::DAY;

/// An administrator to be.
#[derive(Clone)]
pub struct Candidate {
    /// The mail address to sign in with.
    pub email: String,
    /// The name on pages; empty for the mail address.
    pub display_name: String,
    /// The password's argon2id hash in PHC form.
    pub password_hash: String,
}

/// Why an administrator was not added or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The mail address is none.
    #[error("Enter a mail address, such as admin@contoso.com.")]
    Email,
    /// Another administrator has the mail address.
    #[error("There already is an administrator with this mail address.")]
    Taken,
    /// The portal is set up: it has an administrator.
    #[error("The portal already has an administrator. Sign in, or use `rollcall admin set-password`.")]
    AlreadySetUp,
    /// The link was used, is too old, or never was one.
    #[error("This link is no longer valid. Restart the portal to get a new one.")]
    Link,
    /// There is no such administrator.
    #[error("There is no administrator with this mail address.")]
    Missing,
    /// The link of an invitation was used, is too old, or never was one.
    #[error("This link was used, has expired or is mistyped. Ask an administrator for a new one.")]
    OldLink,
    /// Who is invited has the role already, or another one.
    #[error("This person is on the list already. Change the role there.")]
    Listed,
    /// Nobody locks himself out.
    #[error("This is your own account. Ask another administrator to change it.")]
    Yourself,
    /// Somebody has to remain who may do everything.
    #[error("This is the last administrator for all customers. Give somebody else that role first.")]
    LastAdministrator,
    /// The account is deactivated.
    #[error("This account is deactivated. Activate it first.")]
    Deactivated,
    /// It reaches beyond the customers of who asked for it.
    #[error("This reaches beyond your customers. Ask an administrator for all customers.")]
    Beyond,
}

/// Creates the first administrator, with the role Administrator for all customers; refused when there is one already.
///
/// # Errors
/// When the database cannot do it.
pub async fn create_first(
    engine: &Engine,
    actor: &Actor,
    candidate: Candidate,
) -> Result<Result<i64, Refused>, SyncError> {
    let write = engine.store.begin().await?;
    if engine.store.administrator_count().await? > 0 {
        return Ok(Err(Refused::AlreadySetUp));
    }
    add_with(engine, write, actor, candidate, Some(Role::Administrator)).await
}

/// Adds an administrator, with a role for all customers or (for the time being) for none.
///
/// # Errors
/// When the database cannot do it.
pub async fn add(
    engine: &Engine,
    actor: &Actor,
    candidate: Candidate,
    every_customer_role: Option<Role>,
) -> Result<Result<i64, Refused>, SyncError> {
    let write = engine.store.begin().await?;
    add_with(engine, write, actor, candidate, every_customer_role).await
}

async fn add_with(
    engine: &Engine,
    mut write: Write,
    actor: &Actor,
    candidate: Candidate,
    every_customer_role: Option<Role>,
) -> Result<Result<i64, Refused>, SyncError> {
    let email = candidate.email.trim().to_lowercase();
    if !is_sign_in_name(&email) {
        return Ok(Err(Refused::Email));
    }
    let now = engine.clock.now();
    let name = candidate.display_name.trim();
    let new = NewAdministrator {
        public_id: engine.random.uuid(now),
        email: email.clone(),
        display_name: if name.is_empty() { email.clone() } else { name.to_owned() },
        password_hash: candidate.password_hash,
        every_customer_role,
        created_at: now,
    };
    let id = match write.add_administrator(new).await {
        Ok(id) => id,
        Err(StoreError::Taken(_)) => return Ok(Err(Refused::Taken)),
        Err(error) => return Err(error.into()),
    };
    let role = every_customer_role.map_or("", Role::label);
    let changes = vec![Change::new("Role for all customers", "", role), Change::new("Password", "", "***")];
    write.audit(None, actor.entry(now, "administrator.add", &email, changes)).await?;
    write.commit().await?;
    Ok(Ok(id))
}

/// Replaces a password and ends the administrator's sessions: whoever knew the old one is out.
///
/// # Errors
/// When the database cannot do it.
pub async fn set_password(
    engine: &Engine,
    actor: &Actor,
    email: &str,
    password_hash: &str,
) -> Result<Result<(), Refused>, SyncError> {
    let Some(administrator) = engine.store.administrator_by_email(email).await? else {
        return Ok(Err(Refused::Missing));
    };
    let mut write = engine.store.begin().await?;
    write.set_password(administrator.id, password_hash).await?;
    write.end_sessions_of(administrator.id).await?;
    let changes = vec![Change::new("Password", "***", "***")];
    let now = engine.clock.now();
    write.audit(None, actor.entry(now, "administrator.set_password", &administrator.email, changes)).await?;
    write.commit().await?;
    Ok(Ok(()))
}

/// Gives an administrator a role towards one customer, in place of the one before. The entry stands in the customer's log.
///
/// # Errors
/// When the database cannot do it.
pub async fn grant(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    email: &str,
    role: Role,
) -> Result<Result<(), Refused>, SyncError> {
    let Some(administrator) = engine.store.administrator_by_email(email).await? else {
        return Ok(Err(Refused::Missing));
    };
    let customer_id = customer.customer().id;
    let before = administrator.roles.iter().find(|(id, _)| *id == customer_id).map(|(_, role)| *role);
    if before == Some(role) {
        return Ok(Ok(()));
    }
    let mut write = engine.store.begin().await?;
    write.grant(administrator.id, customer_id, role).await?;
    let changes = vec![Change::new("Role", before.map_or("", Role::label), role.label())];
    let entry = actor.entry(engine.clock.now(), "administrator.grant", &administrator.email, changes);
    write.audit(Some(customer_id), entry).await?;
    write.commit().await?;
    Ok(Ok(()))
}

/// Makes a one-time set-up link while there is no administrator: its token, which is kept nowhere. `None` when there is one.
///
/// # Errors
/// When the database cannot do it.
pub async fn make_setup_link(engine: &Engine) -> Result<Option<String>, SyncError> {
    let mut write = engine.store.begin().await?;
    if engine.store.administrator_count().await? > 0 {
        return Ok(None);
    }
    let token: String = engine.random.token().iter().map(|byte| format!("{byte:02x}")).collect();
    let now = engine.clock.now();
    write.add_setup_link(&hash(&token), now, now.plus(SETUP_LINK_LIFE)).await?;
    write.commit().await?;
    Ok(Some(token))
}

/// Uses a set-up link: creates the first administrator. A refused attempt leaves the link as it is, so that a typing mistake does not cost it.
///
/// # Errors
/// When the database cannot do it.
pub async fn use_setup_link(
    engine: &Engine,
    token: &str,
    candidate: Candidate,
) -> Result<Result<i64, Refused>, SyncError> {
    let mut write = engine.store.begin().await?;
    if engine.store.administrator_count().await? > 0 {
        return Ok(Err(Refused::AlreadySetUp));
    }
    if !write.use_setup_link(&hash(token), engine.clock.now()).await? {
        return Ok(Err(Refused::Link));
    }
    let actor = Actor { administrator_id: None, name: "set-up link".to_owned() };
    add_with(engine, write, &actor, candidate, Some(Role::Administrator)).await
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// A sign-in name has the form of a mail address; whether mail arrives there is no question (`admin@localhost` is fine).
fn is_sign_in_name(email: &str) -> bool {
    let plain = email.len() <= 254 && !email.chars().any(|c| c.is_whitespace() || c.is_control());
    plain
        && email
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'))
}
