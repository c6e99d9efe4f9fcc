//! What one administrator does to others: invite, give and take roles, deactivate.
//!
//! Everybody here acts from a customer's page. Whoever is Administrator there gives and takes roles at that customer. What reaches further (a
//! role for all customers, somebody's password or account) is for those who are Administrator wherever the other one has a role: otherwise a
//! link or an account would open another customer's door.

use domain::{Timestamp, role::Role};
use store::{Administrator, Change, CustomerStore, NewAdministrator, StoreError, Write};
use uuid::Uuid;

use super::{Refused, hash, is_sign_in_name};
use crate::{Actor, Engine, SyncError};

/// How long the link of an invitation is good for.
pub const INVITATION_LIFE: i64 = 7 * Timestamp::DAY;

/// Where a role counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// At the customer from whose page it is given.
    Customer,
    /// At every customer, those to come included.
    Everywhere,
}

/// Who acts, from which customer's page.
#[derive(Clone, Copy)]
pub struct By<'a> {
    /// The customer.
    pub customer: &'a CustomerStore,
    /// The signed-in administrator.
    pub administrator: &'a Administrator,
}

impl By<'_> {
    fn actor(&self) -> Actor {
        let Administrator { id, email, .. } = self.administrator;
        Actor { administrator_id: Some(*id), name: email.clone() }
    }

    fn is_full(&self) -> bool {
        self.administrator.every_customer_role == Some(Role::Administrator)
    }

    /// Whether the other one's account is in the hands of this one: nowhere has that one a role where this one is not Administrator.
    #[must_use]
    pub fn manages(&self, other: &Administrator) -> bool {
        self.is_full()
            || (other.every_customer_role.is_none()
                && other
                    .roles
                    .iter()
                    .all(|(customer, _)| self.administrator.role_for(*customer) == Some(Role::Administrator)))
    }

    /// The log in which a change of that reach stands.
    fn log(&self, reach: Reach) -> Option<i64> {
        (reach == Reach::Customer).then(|| self.customer.customer().id)
    }
}

/// What came of an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invited {
    /// The token of the one-time link, which is kept nowhere.
    Link(String),
    /// The person has an account already, and now the role as well.
    Known,
}

/// Invites a person by mail address, with a role. Who has an account gets the role at once.
///
/// # Errors
/// When the database cannot do it.
pub async fn invite(
    engine: &Engine,
    by: By<'_>,
    email: &str,
    display_name: &str,
    role: Role,
    reach: Reach,
) -> Result<Result<Invited, Refused>, SyncError> {
    let email = email.trim().to_lowercase();
    if !is_sign_in_name(&email) {
        return Ok(Err(Refused::Email));
    }
    if reach == Reach::Everywhere && !by.is_full() {
        return Ok(Err(Refused::Beyond));
    }
    let now = engine.clock.now();
    let mut write = engine.store.begin().await?;
    let known = engine.store.administrator_by_email(&email).await?;
    let waiting = known.as_ref().is_none_or(|known| known.password_hash.is_empty());
    let id = match known {
        Some(known) if known.id == by.administrator.id => return Ok(Err(Refused::Yourself)),
        Some(known) if known.deactivated_at.is_some() => return Ok(Err(Refused::Deactivated)),
        Some(known) if waiting && !by.manages(&known) => return Ok(Err(Refused::Beyond)),
        Some(known) if role_in(&known, by, reach).is_some() => return Ok(Err(Refused::Listed)),
        Some(known) => known.id,
        None => {
            let name = display_name.trim();
            let new = NewAdministrator {
                public_id: engine.random.uuid(now),
                email: email.clone(),
                display_name: if name.is_empty() { email.clone() } else { name.to_owned() },
                password_hash: String::new(),
                every_customer_role: None,
                created_at: now,
            };
            match write.add_administrator(new).await {
                Ok(id) => id,
                Err(StoreError::Taken(_)) => return Ok(Err(Refused::Taken)),
                Err(error) => return Err(error.into()),
            }
        }
    };
    match reach {
        Reach::Customer => write.grant(id, by.customer.customer().id, role).await?,
        Reach::Everywhere => write.set_every_customer_role(id, Some(role)).await?,
    }
    let invited =
        if waiting { Invited::Link(put_link(engine, &mut write, id, now).await?) } else { Invited::Known };
    let changes = vec![Change::new(role_label(reach), "", role.label())];
    write.audit(by.log(reach), by.actor().entry(now, "administrator.invite", &email, changes)).await?;
    write.commit().await?;
    Ok(Ok(invited))
}

/// Gives a role in place of the one before, or with `None` takes it. `true` when it was another one before.
///
/// # Errors
/// When the database cannot do it.
pub async fn set_role(
    engine: &Engine,
    by: By<'_>,
    whose: Uuid,
    role: Option<Role>,
    reach: Reach,
) -> Result<Result<bool, Refused>, SyncError> {
    if reach == Reach::Everywhere && !by.is_full() {
        return Ok(Err(Refused::Beyond));
    }
    let mut write = engine.store.begin().await?;
    // Before the account is looked at: what is decided by it must still hold when it is written.
    let full = write.full_administrators().await?;
    let other = match found(engine, by, whose).await? {
        Ok(other) => other,
        Err(refused) => return Ok(Err(refused)),
    };
    let here = by.customer.customer().id;
    let before = role_in(&other, by, reach);
    if before == role {
        return Ok(Ok(false));
    }
    match (reach, role) {
        (Reach::Everywhere, _) => {
            if is_full_now(&other) && full < 2 {
                return Ok(Err(Refused::LastAdministrator));
            }
            write.set_every_customer_role(other.id, role).await?;
        }
        (Reach::Customer, Some(_)) if other.password_hash.is_empty() && !by.manages(&other) => {
            return Ok(Err(Refused::Beyond));
        }
        (Reach::Customer, Some(role)) => write.grant(other.id, here, role).await?,
        (Reach::Customer, None) => write.revoke(other.id, here).await?,
    }
    let words = |role: Option<Role>| role.map_or("", Role::label);
    let changes = vec![Change::new(role_label(reach), words(before), words(role))];
    let action = if role.is_some() { "administrator.grant" } else { "administrator.revoke" };
    let entry = by.actor().entry(engine.clock.now(), action, &other.email, changes);
    write.audit(by.log(reach), entry).await?;
    write.commit().await?;
    Ok(Ok(true))
}

/// Deactivates an account, which ends its sessions and makes its link void, or activates it again. `true` when it was otherwise before.
///
/// # Errors
/// When the database cannot do it.
pub async fn set_active(
    engine: &Engine,
    by: By<'_>,
    whose: Uuid,
    active: bool,
) -> Result<Result<bool, Refused>, SyncError> {
    let mut write = engine.store.begin().await?;
    let full = write.full_administrators().await?;
    let other = match found(engine, by, whose).await? {
        Ok(other) if by.manages(&other) => other,
        Ok(_) => return Ok(Err(Refused::Beyond)),
        Err(refused) => return Ok(Err(refused)),
    };
    if other.deactivated_at.is_none() == active {
        return Ok(Ok(false));
    }
    if !active && is_full_now(&other) && full < 2 {
        return Ok(Err(Refused::LastAdministrator));
    }
    let now = engine.clock.now();
    write.deactivate_administrator(other.id, (!active).then_some(now)).await?;
    if !active {
        write.end_sessions_of(other.id).await?;
        write.drop_password_link(other.id).await?;
    }
    let words = |active: bool| if active { "yes" } else { "no" };
    let changes = vec![Change::new("May sign in", words(!active), words(active))];
    let action = if active { "administrator.activate" } else { "administrator.deactivate" };
    write.audit(by.log(Reach::Customer), by.actor().entry(now, action, &other.email, changes)).await?;
    write.commit().await?;
    Ok(Ok(true))
}

/// Makes a new one-time link by which somebody chooses a password, in place of the one before: for an invitation that expired, or for who
/// forgot the password, which is good until the link is used. Answers the token, which is kept nowhere.
///
/// # Errors
/// When the database cannot do it.
pub async fn new_link(
    engine: &Engine,
    by: By<'_>,
    whose: Uuid,
) -> Result<Result<String, Refused>, SyncError> {
    let mut write = engine.store.begin().await?;
    let other = match found(engine, by, whose).await? {
        Ok(other) if by.manages(&other) => other,
        Ok(_) => return Ok(Err(Refused::Beyond)),
        Err(refused) => return Ok(Err(refused)),
    };
    if other.deactivated_at.is_some() {
        return Ok(Err(Refused::Deactivated));
    }
    let now = engine.clock.now();
    let token = put_link(engine, &mut write, other.id, now).await?;
    let changes = vec![Change::new("One-time link", "", "***")];
    let entry = by.actor().entry(now, "administrator.link", &other.email, changes);
    write.audit(by.log(Reach::Customer), entry).await?;
    write.commit().await?;
    Ok(Ok(token))
}

/// Uses a one-time link: sets the password, and ends whatever sessions there are. Answers the mail address to sign in with.
///
/// # Errors
/// When the database cannot do it.
pub async fn use_link(
    engine: &Engine,
    token: &str,
    password_hash: &str,
) -> Result<Result<String, Refused>, SyncError> {
    let now = engine.clock.now();
    let mut write = engine.store.begin().await?;
    let Some(id) = write.use_password_link(&hash(token), now).await? else {
        return Ok(Err(Refused::OldLink));
    };
    let Some(own) = engine.store.administrator(id).await?.filter(|own| own.deactivated_at.is_none()) else {
        return Ok(Err(Refused::OldLink));
    };
    write.set_password(id, password_hash).await?;
    write.end_sessions_of(id).await?;
    let actor = Actor { administrator_id: Some(id), name: own.email.clone() };
    let before = if own.password_hash.is_empty() { "" } else { "***" };
    let changes = vec![Change::new("Password", before, "***")];
    write.audit(None, actor.entry(now, "administrator.use_link", &own.email, changes)).await?;
    write.commit().await?;
    Ok(Ok(own.email))
}

/// Whose that token is, while its link is good: the mail address.
///
/// # Errors
/// When the database cannot answer.
pub async fn link_of(engine: &Engine, token: &str) -> Result<Option<String>, SyncError> {
    let Some(id) = engine.store.password_link(&hash(token), engine.clock.now()).await? else {
        return Ok(None);
    };
    let own = engine.store.administrator(id).await?;
    Ok(own.filter(|own| own.deactivated_at.is_none()).map(|own| own.email))
}

/// Somebody else of this customer's page: a stranger there answers like nobody.
async fn found(
    engine: &Engine,
    by: By<'_>,
    whose: Uuid,
) -> Result<Result<Administrator, Refused>, SyncError> {
    let here = by.customer.customer().id;
    let other = engine.store.administrator_by_public_id(whose).await?;
    Ok(match other.filter(|other| by.is_full() || other.role_for(here).is_some()) {
        Some(other) if other.id == by.administrator.id => Err(Refused::Yourself),
        Some(other) => Ok(other),
        None => Err(Refused::Missing),
    })
}

/// The role that somebody has at exactly that reach.
fn role_in(own: &Administrator, by: By<'_>, reach: Reach) -> Option<Role> {
    let here = by.customer.customer().id;
    match reach {
        Reach::Customer => own.roles.iter().find(|(customer, _)| *customer == here).map(|(_, role)| *role),
        Reach::Everywhere => own.every_customer_role,
    }
}

/// Whether the account counts among those who may do everything everywhere, and can sign in.
fn is_full_now(own: &Administrator) -> bool {
    own.every_customer_role == Some(Role::Administrator)
        && own.deactivated_at.is_none()
        && !own.password_hash.is_empty()
}

async fn put_link(
    engine: &Engine,
    write: &mut Write,
    administrator_id: i64,
    now: Timestamp,
) -> Result<String, SyncError> {
    let token: String = engine.random.token().iter().map(|byte| format!("{byte:02x}")).collect();
    write.put_password_link(administrator_id, &hash(&token), now, now.plus(INVITATION_LIFE)).await?;
    Ok(token)
}

const fn role_label(reach: Reach) -> &'static str {
    match reach {
        Reach::Customer => "Role",
        Reach::Everywhere => "Role for all customers",
    }
}
