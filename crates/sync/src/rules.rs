//! The rules of a customer that belong to no single directory service: the managed domains and the deletion guard's limits.

use domain::{
    service::Service,
    settings::{Field, FieldError, GuardLimits, read_managed_domains},
};
use store::{Change, CustomerStore, CustomerWrite, StoreError};

use crate::{Actor, Engine, SyncError, run::hold_plan};

/// Saves the managed domains: none for the tenant's verified domains, `*` for all, else names. `true` when they were others before.
///
/// # Errors
/// When the database cannot do it. A wrong entry or another customer's domain is the inner error.
pub async fn save_managed_domains(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    entries: &[String],
) -> Result<Result<bool, FieldError>, SyncError> {
    let domains = match check_managed_domains(customer, entries).await? {
        Ok(domains) => domains,
        Err(error) => return Ok(Err(error)),
    };
    let mut write = customer.begin().await?;
    let changed = match write_managed_domains(engine, customer, &mut write, actor, &domains).await {
        Ok(changed) => changed,
        Err(SyncError::Store(StoreError::Taken(what))) => return Ok(Err(taken(&what))),
        Err(error) => return Err(error),
    };
    write.commit().await?;
    Ok(Ok(changed))
}

/// Reads managed domains, and looks whether another customer has one of them.
pub(crate) async fn check_managed_domains(
    customer: &CustomerStore,
    entries: &[String],
) -> Result<Result<Vec<String>, FieldError>, SyncError> {
    let domains = match read_managed_domains(entries) {
        Ok(domains) => domains,
        Err(error) => return Ok(Err(error)),
    };
    let owners = customer.domain_owners(&domains).await?;
    Ok(match owners.first() {
        Some((domain, owner)) => Err(FieldError::new(
            Field::ManagedDomains,
            format!(
                "{domain} is a managed domain of {owner}. A domain belongs to one customer: remove it there first."
            ),
        )),
        None => Ok(domains),
    })
}

/// Another customer took the domain between the check and the write.
fn taken(what: &str) -> FieldError {
    FieldError::new(Field::ManagedDomains, format!("{what} is a managed domain of another customer."))
}

pub(crate) async fn write_managed_domains(
    engine: &Engine,
    customer: &CustomerStore,
    write: &mut CustomerWrite,
    actor: &Actor,
    domains: &[String],
) -> Result<bool, SyncError> {
    hold_plan(write).await?;
    let before = customer.managed_domains().await?;
    if before == domains {
        return Ok(false);
    }
    write.set_managed_domains(domains).await?;
    for service in Service::ALL {
        write.mark_all_dirty(service).await?;
    }
    let changes = vec![Change::new(Field::ManagedDomains.label(), before.join(", "), domains.join(", "))];
    record(engine, write, actor, changes).await?;
    Ok(true)
}

/// Saves the deletion guard's limits. `true` when they were others before.
///
/// # Errors
/// When the database cannot do it. Limits that make no sense are the inner error.
pub async fn save_guard(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    limits: GuardLimits,
) -> Result<Result<bool, FieldError>, SyncError> {
    if let Err(error) = limits.check() {
        return Ok(Err(error));
    }
    let mut write = customer.begin().await?;
    let changed = write_guard(engine, customer, &mut write, actor, limits).await?;
    write.commit().await?;
    Ok(Ok(changed))
}

/// The limits as saved now: a [`CustomerStore`] knows those of the moment when it was handed out.
pub(crate) async fn guard(engine: &Engine, customer: &CustomerStore) -> Result<GuardLimits, SyncError> {
    let fresh = engine.store.customer(&customer.customer().slug).await?;
    Ok(fresh.map_or(customer.customer().guard, |fresh| fresh.customer().guard))
}

pub(crate) async fn write_guard(
    engine: &Engine,
    customer: &CustomerStore,
    write: &mut CustomerWrite,
    actor: &Actor,
    limits: GuardLimits,
) -> Result<bool, SyncError> {
    let before = guard(engine, customer).await?;
    let changes: Vec<_> = [
        ("max_removals", before.max_removals, limits.max_removals),
        ("max_removals_percent", before.max_removals_percent, limits.max_removals_percent),
        ("min_removals", before.min_removals, limits.min_removals),
    ]
    .into_iter()
    .filter(|(_, old, new)| old != new)
    .map(|(name, old, new)| {
        Change::new(format!("{}: {name}", Field::Guard.label()), old.to_string(), new.to_string())
    })
    .collect();
    if changes.is_empty() {
        return Ok(false);
    }
    write.set_guard(limits).await?;
    record(engine, write, actor, changes).await?;
    Ok(true)
}

/// Saves whether what the deletion guard holds, and undoing a run, need two administrators. `true` when it was otherwise before.
///
/// # Errors
/// When the database cannot do it.
pub async fn save_two_administrators(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    on: bool,
) -> Result<bool, SyncError> {
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    if write.needs_two_administrators().await? == on {
        return Ok(false);
    }
    write.set_two_administrators(on).await?;
    let words = |on: bool| if on { "needed" } else { "not needed" };
    let changes = vec![Change::new("Deletion guard: approval by two administrators", words(!on), words(on))];
    record(engine, &mut write, actor, changes).await?;
    write.commit().await?;
    Ok(true)
}

async fn record(
    engine: &Engine,
    write: &mut CustomerWrite,
    actor: &Actor,
    changes: Vec<Change>,
) -> Result<(), SyncError> {
    write.audit(actor.entry(engine.clock.now(), "settings.save", "Directory Services", changes)).await?;
    write.raise_topic("settings").await?;
    Ok(())
}
