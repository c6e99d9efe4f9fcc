//! Manual users: people whom an administrator enters, because no directory delivers them. And the service of any user, on and off.
//!
//! A Manual user holds its addresses like anybody. What a change sets free goes to whoever claims it in the directory: those objects are
//! marked, and the next run decides about them.

mod import;

use std::collections::BTreeSet;

use domain::{
    Timestamp,
    address::Address,
    conflict::State,
    plan::ManagedDomains,
    service::{Service, Source},
};
use store::{Change, CustomerStore, CustomerWrite, Deletion, StoreError, User, UserWrite};
use uuid::Uuid;

pub use import::{ImportRow, MOST_ROWS, Review, Verdict, import, review};

use crate::{Actor, Engine, SyncError, connect, run::hold_plan};

/// The longest name, in characters.
const LONGEST_NAME: usize = 256;
/// The most aliases of one user.
const MOST_ALIASES: usize = 500;

/// A Manual user as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManualUser {
    /// The name.
    pub name: String,
    /// The primary address.
    pub primary: String,
    /// Further addresses, one a line (or between commas, semicolons or spaces).
    pub aliases: String,
}

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManualField {
    /// The name.
    Name,
    /// The primary address.
    Primary,
    /// The aliases.
    Aliases,
}

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A field is wrong: which, and why in words.
    Field(ManualField, String),
    /// There is no such Manual user (any more).
    Missing,
}

/// A Manual user whose fields are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    name: String,
    primary: Address,
    aliases: Vec<Address>,
}

impl ManualUser {
    fn read(&self, managed: &ManagedDomains) -> Result<Read, Refused> {
        let refuse = |field, words: String| Err(Refused::Field(field, words));
        let name: String = self.name.chars().filter(|c| !c.is_control()).collect();
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return refuse(ManualField::Name, format!("Enter a name of at most {LONGEST_NAME} letters."));
        }
        let Some(primary) = Address::parse(&self.primary) else {
            return refuse(ManualField::Primary, "Enter a mail address, such as ada@contoso.com.".to_owned());
        };
        if !managed.contains(&primary) {
            return refuse(
                ManualField::Primary,
                format!("{} is not a managed domain of this customer.", primary.domain()),
            );
        }
        let mut aliases = BTreeSet::new();
        for text in self.aliases.split([',', ';']).flat_map(str::split_whitespace) {
            let Some(alias) = Address::parse(text) else {
                return refuse(ManualField::Aliases, format!("{text} is not a mail address."));
            };
            if !managed.contains(&alias) {
                return refuse(
                    ManualField::Aliases,
                    format!("{alias} is outside the managed domains of this customer."),
                );
            }
            aliases.insert(alias);
        }
        aliases.remove(&primary);
        if aliases.len() > MOST_ALIASES {
            return refuse(ManualField::Aliases, format!("At most {MOST_ALIASES} aliases are taken."));
        }
        Ok(Read { name, primary, aliases: aliases.into_iter().collect() })
    }
}

/// The domains that a Manual user's addresses may have; all while none is known.
async fn managed(customer: &CustomerStore) -> Result<ManagedDomains, SyncError> {
    let set = customer.managed_domains().await?;
    let verified = connect::saved(customer).await?.and_then(|saved| saved.organisation);
    let managed = ManagedDomains::of(&set, &verified.map(|o| o.domains).unwrap_or_default());
    Ok(if managed == ManagedDomains::Only(BTreeSet::new()) { ManagedDomains::All } else { managed })
}

/// Adds a Manual user; answers its public id.
///
/// # Errors
/// When the database cannot do it. What is wrong with the fields is the inner error.
pub async fn add(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    typed: &ManualUser,
) -> Result<Result<Uuid, Refused>, SyncError> {
    let read = match typed.read(&managed(customer).await?) {
        Ok(read) => read,
        Err(refused) => return Ok(Err(refused)),
    };
    let now = engine.clock.now();
    let public_id = engine.random.uuid(now);
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    match write.write_users(&[read.write(None, public_id, now)]).await {
        Ok(_) => {}
        Err(StoreError::Taken(what)) => return Ok(Err(taken(&read, &what))),
        Err(error) => return Err(error.into()),
    }
    record(&mut write, actor, "user.add", now, &read.primary, changes(None, &read)).await?;
    write.commit().await?;
    Ok(Ok(public_id))
}

/// Changes a Manual user.
///
/// # Errors
/// When the database cannot do it. What is wrong with the fields is the inner error.
pub async fn edit(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    user: Uuid,
    typed: &ManualUser,
) -> Result<Result<(), Refused>, SyncError> {
    let read = match typed.read(&managed(customer).await?) {
        Ok(read) => read,
        Err(refused) => return Ok(Err(refused)),
    };
    let now = engine.clock.now();
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    let Some(before) = customer.user(user).await?.filter(|user| user.source == Source::Manual) else {
        return Ok(Err(Refused::Missing));
    };
    let changes = changes(Some(&before), &read);
    if changes.is_empty() {
        return Ok(Ok(()));
    }
    let freed: Vec<Address> = std::iter::once(&before.primary_address)
        .chain(&before.aliases)
        .filter(|address| **address != read.primary && !read.aliases.contains(address))
        .cloned()
        .collect();
    match write.write_users(&[read.write(Some(&before), before.public_id, now)]).await {
        Ok(_) => {}
        Err(StoreError::Taken(what)) => return Ok(Err(taken(&read, &what))),
        Err(error) => return Err(error.into()),
    }
    offer(&mut write, &freed).await?;
    record(&mut write, actor, "user.edit", now, &read.primary, changes).await?;
    write.commit().await?;
    Ok(Ok(()))
}

/// Deletes a Manual user; it goes to the recycle bin. Answers whether it was there.
///
/// # Errors
/// When the database cannot do it.
pub async fn delete(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    user: Uuid,
) -> Result<bool, SyncError> {
    let now = engine.clock.now();
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    let Some(user) = customer.user(user).await?.filter(|user| user.source == Source::Manual) else {
        return Ok(false);
    };
    let deletion = Deletion { user_id: user.id, reason: "deleted by hand".to_owned() };
    write.delete_users(&[deletion], &actor.name, now).await?;
    let freed: Vec<Address> = std::iter::once(&user.primary_address).chain(&user.aliases).cloned().collect();
    offer(&mut write, &freed).await?;
    let gone = vec![Change::new("Name", user.display_name.as_str(), "")];
    record(&mut write, actor, "user.delete", now, &user.primary_address, gone).await?;
    write.commit().await?;
    Ok(true)
}

/// Switches the service of a user, of whatever source, on or off; the sync does not undo it. Somebody in conflict whose service is switched off
/// is not deleted, and stays inactive when they come back; switched on, the deletion clock starts anew. Answers whether there is such a user.
///
/// # Errors
/// When the database cannot do it.
pub async fn set_service(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    user: Uuid,
    on: bool,
) -> Result<bool, SyncError> {
    let now = engine.clock.now();
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    let Some(user) = customer.user(user).await? else { return Ok(false) };
    if user.service_on == on {
        return Ok(true);
    }
    write.set_service(user.id, on).await?;
    if let Some(mut conflict) = user.conflict {
        if on {
            conflict.state = State::Pending;
            conflict.clock_from = now;
        } else {
            conflict.state = State::Deactivated;
        }
        conflict.ignored_until = None;
        conflict.stay_inactive = !on;
        write.set_conflict(user.id, &conflict).await?;
        write.raise_topic("conflicts").await?;
    }
    let words = |on| if on { "on" } else { "off" };
    let changes = vec![Change::new("Service", words(!on), words(on))];
    let action = if on { "user.activate" } else { "user.deactivate" };
    record(&mut write, actor, action, now, &user.primary_address, changes).await?;
    write.commit().await?;
    Ok(true)
}

impl Read {
    fn write(&self, before: Option<&User>, public_id: Uuid, now: Timestamp) -> UserWrite {
        UserWrite {
            id: before.map(|user| user.id),
            restore_as: None,
            public_id,
            source: Source::Manual,
            external_id: None,
            display_name: self.name.clone(),
            primary: self.primary.clone(),
            aliases: self.aliases.clone(),
            address_lost: false,
            service_on: before.is_none_or(|user| user.service_on),
            sign_in_blocked: false,
            conflict: None,
            created_at: None,
            now,
        }
    }
}

/// Somebody else holds an address.
fn taken(read: &Read, what: &str) -> Refused {
    let field =
        if what.ends_with(read.primary.as_str()) { ManualField::Primary } else { ManualField::Aliases };
    Refused::Field(field, format!("{what} belongs to another user."))
}

/// Lets the next run decide about whoever claims these addresses in the directory.
async fn offer(write: &mut CustomerWrite, freed: &[Address]) -> Result<(), StoreError> {
    if freed.is_empty() {
        return Ok(());
    }
    for service in Service::ALL {
        let claims = write.claims(freed).await?;
        let claimants = claims.into_iter().filter(|claim| claim.service == service);
        let ids: Vec<String> = claimants.map(|claim| claim.claimant.user.external_id).collect();
        write.mark_dirty(service, &ids).await?;
        write.mark_groups_dirty_by_address(service, freed).await?;
    }
    Ok(())
}

async fn record(
    write: &mut CustomerWrite,
    actor: &Actor,
    action: &str,
    now: Timestamp,
    object: &Address,
    changes: Vec<Change>,
) -> Result<(), StoreError> {
    write.audit(actor.entry(now, action, object.as_str(), changes)).await?;
    write.raise_topic("users").await
}

fn changes(before: Option<&User>, after: &Read) -> Vec<Change> {
    let list = |addresses: &[Address]| addresses.iter().map(Address::as_str).collect::<Vec<_>>().join(", ");
    let old = |value: fn(&User) -> String| before.map(value).unwrap_or_default();
    [
        ("Name", old(|user| user.display_name.clone()), after.name.clone()),
        ("Primary address", old(|user| user.primary_address.to_string()), after.primary.to_string()),
        ("Aliases", before.map(|user| list(&user.aliases)).unwrap_or_default(), list(&after.aliases)),
    ]
    .into_iter()
    .filter(|(_, old, new)| old != new)
    .map(|(field, old, new)| Change::new(field, old, new))
    .collect()
}
