//! Exceptions: users, groups and aliases that the sync leaves out.
//!
//! Nothing changes for a user at the save itself: what is touched is marked in the mirror, and the next run carries it out. A user who is in the
//! portal already is asked about: either the portal keeps the user, whom the sync no longer touches, or the user becomes a conflict. Whoever was
//! named there need not pass the deletion guard again.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    address::{Address, Addresses},
    service::{Service, Source},
};
use store::{Change, CustomerStore, CustomerWrite, Exception, ExceptionKind, Listed, MirrorUser, User};

use crate::{
    Actor, Engine, SyncError,
    run::{BY_HAND, hold_plan},
};

/// The most that one save changes: a page stages them in its address.
pub const MOST: usize = 500;

/// How many objects an audit entry names.
const NAMED: usize = 100;

/// A user, group or alias: the kind, and the directory's id or the alias.
pub type Object = (ExceptionKind, String);

/// What is to be saved.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// To be left out from now on.
    pub add: Vec<Object>,
    /// To be synced again by the other rules.
    pub remove: Vec<Object>,
    /// Why, for those that are added; may be empty.
    pub reason: String,
    /// What becomes of added users that are in the portal; `None` while nobody was asked.
    pub present: Option<Present>,
}

/// What becomes of users that are in the portal already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Present {
    /// They stay as they are; the sync no longer touches them.
    Keep,
    /// They become conflicts, with the reason `exception`.
    LetGo,
}

/// What was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Exceptions that were made.
    pub added: i64,
    /// Exceptions that were taken back.
    pub removed: i64,
    /// Users of the portal that the sync no longer touches.
    pub kept: i64,
    /// Users of the portal that become conflicts with the next run.
    pub let_go: i64,
}

/// Why nothing was saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is nothing to save.
    #[error("There is nothing to save: move something across first.")]
    Nothing,
    /// Too much at once.
    #[error("Save at most {MOST} changes at once.")]
    TooMany,
    /// The directory has no such object.
    #[error("Nothing was saved: the directory does not have {0} any more.")]
    Unknown(String),
    /// Users of the portal are among those to be left out: send it again with [`Changes::present`].
    #[error("Some of these users are in the portal. Say what becomes of them.")]
    AskAboutPresent(Vec<(String, String)>),
}

/// Saves exceptions, all of the changes or none.
///
/// # Errors
/// When the database cannot do it. Why nothing was saved is the inner error.
pub async fn save(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    changes: &Changes,
) -> Result<Result<Saved, Refused>, SyncError> {
    let service = Service::Entra;
    let add: BTreeSet<Object> = changes.add.iter().cloned().collect();
    let remove: BTreeSet<Object> =
        changes.remove.iter().filter(|object| !add.contains(*object)).cloned().collect();
    if add.is_empty() && remove.is_empty() {
        return Ok(Err(Refused::Nothing));
    }
    if add.len() + remove.len() > MOST {
        return Ok(Err(Refused::TooMany));
    }
    let named = names(customer, service, &add).await?;
    if let Some((_, unknown)) = add.iter().find(|object| !named.contains_key(*object)) {
        return Ok(Err(Refused::Unknown(unknown.clone())));
    }
    let now = engine.clock.now();
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    let ids: Vec<String> = of_kind(&add, ExceptionKind::User);
    let present: Vec<User> = write
        .users_by_external_id(Source::Azure, &ids)
        .await?
        .into_iter()
        .filter(|user| user.conflict.is_none())
        .collect();
    let fate = match changes.present {
        Some(fate) => fate,
        None if present.is_empty() => Present::LetGo,
        None => {
            let named =
                present.iter().map(|user| (user.display_name.clone(), user.primary_address.to_string()));
            return Ok(Err(Refused::AskAboutPresent(named.collect())));
        }
    };
    let keep: BTreeSet<&str> = present
        .iter()
        .filter(|_| fate == Present::Keep)
        .filter_map(|user| user.external_id.as_deref())
        .collect();
    let exceptions: Vec<Exception> = add
        .iter()
        .map(|(kind, object)| {
            let (name, address) = named.get(&(*kind, object.clone())).cloned().unwrap_or_default();
            Exception {
                kind: *kind,
                object: object.clone(),
                name,
                address,
                reason: changes.reason.trim().to_owned(),
                keep: *kind == ExceptionKind::User && keep.contains(object.as_str()),
                created_by: actor.name.clone(),
                created_at: now,
            }
        })
        .collect();
    write.add_exceptions(service, &exceptions).await?;
    let removed: Vec<Object> = remove.iter().cloned().collect();
    let removed_count = write.remove_exceptions(service, &removed).await?;
    if fate == Present::LetGo && !present.is_empty() {
        let ids: Vec<i64> = present.iter().map(|user| user.id).collect();
        crate::held::approve_in_advance(&mut write, actor, &ids, now).await?;
    }
    let touched: BTreeSet<Object> = add.iter().chain(&remove).cloned().collect();
    mark(&mut write, service, &touched).await?;
    let entries = exceptions
        .iter()
        .map(|exception| Change::new(label(exception.kind), "", shown(&exception.name, &exception.address)))
        .chain(remove.iter().map(|(kind, object)| Change::new(label(*kind), object.as_str(), "")));
    let mut entries: Vec<Change> = entries.take(NAMED).collect();
    if !exceptions.is_empty() && !changes.reason.trim().is_empty() {
        entries.push(Change::new("Reason", "", changes.reason.trim()));
    }
    if !present.is_empty() {
        let words = if fate == Present::Keep { "kept, not touched by the sync" } else { "let go" };
        entries.push(Change::new("Users in the portal", "", words));
    }
    let object = format!("{} added, {} removed", exceptions.len(), removed_count);
    write.audit(actor.entry(now, "exceptions.save", &object, entries)).await?;
    write.raise_topic(BY_HAND).await?;
    write.raise_topic("exceptions").await?;
    write.commit().await?;
    let present = crate::conflicts::count(present.len());
    Ok(Ok(Saved {
        added: crate::conflicts::count(exceptions.len()),
        removed: removed_count,
        kept: if fate == Present::Keep { present } else { 0 },
        let_go: if fate == Present::LetGo { present } else { 0 },
    }))
}

/// Name and address of what the directory has of these objects.
///
/// # Errors
/// When the database cannot answer.
pub async fn names(
    customer: &CustomerStore,
    service: Service,
    objects: &BTreeSet<Object>,
) -> Result<BTreeMap<Object, (String, String)>, SyncError> {
    let mut named = BTreeMap::new();
    for user in customer.mirrored(service, &of_kind(objects, ExceptionKind::User)).await? {
        if user.gone {
            continue;
        }
        let address = Addresses::of(&user.user).map(|all| all.primary.to_string()).unwrap_or_default();
        named.insert((ExceptionKind::User, user.user.external_id.clone()), (name(&user), address));
    }
    for kind in [ExceptionKind::Group, ExceptionKind::Alias] {
        for (object, name, address) in
            customer.directory_names(service, kind, &of_kind(objects, kind)).await?
        {
            named.insert((kind, object), (name, address));
        }
    }
    Ok(named)
}

/// The object of the directory that somebody means by its id or its address, for the command line.
///
/// # Errors
/// When the database cannot answer.
pub async fn find(
    customer: &CustomerStore,
    kind: ExceptionKind,
    text: &str,
) -> Result<Option<Object>, SyncError> {
    let service = Service::Entra;
    let typed = Address::parse(text).map_or_else(|| text.trim().to_owned(), |address| address.to_string());
    let by_id = BTreeSet::from([(kind, typed.clone())]);
    if names(customer, service, &by_id).await?.contains_key(&(kind, typed.clone())) {
        return Ok(Some((kind, typed)));
    }
    let mut after = None;
    loop {
        let rows: Vec<Listed> = customer.directory_list(service, kind, &typed, after.take(), 100).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        after = Some(last.place.clone());
        if let Some(found) = rows.into_iter().find(|row| row.address == typed) {
            return Ok(Some((kind, found.object)));
        }
    }
}

/// Marks what the next run has to decide about anew.
async fn mark(
    write: &mut CustomerWrite,
    service: Service,
    objects: &BTreeSet<Object>,
) -> Result<(), SyncError> {
    let mut users = of_kind(objects, ExceptionKind::User);
    let aliases: Vec<Address> =
        of_kind(objects, ExceptionKind::Alias).iter().filter_map(|alias| Address::parse(alias)).collect();
    for claim in write.claims(&aliases).await? {
        users.push(claim.claimant.user.external_id);
    }
    write.mark_dirty(service, &users).await?;
    write.mark_groups_dirty(service, &of_kind(objects, ExceptionKind::Group)).await?;
    Ok(())
}

fn of_kind(objects: &BTreeSet<Object>, kind: ExceptionKind) -> Vec<String> {
    objects.iter().filter(|(of, _)| *of == kind).map(|(_, object)| object.clone()).collect()
}

fn name(user: &MirrorUser) -> String {
    let user = &user.user;
    let named = user.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    named.or(user.user_principal_name.as_deref()).unwrap_or(&user.external_id).to_owned()
}

fn shown(name: &str, address: &str) -> String {
    if address.is_empty() { name.to_owned() } else { format!("{name} <{address}>") }
}

/// What stands for a kind in the audit log.
const fn label(kind: ExceptionKind) -> &'static str {
    match kind {
        ExceptionKind::User => "User",
        ExceptionKind::Group => "Group",
        ExceptionKind::Alias => "Alias",
    }
}
