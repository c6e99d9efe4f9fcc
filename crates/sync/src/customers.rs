//! The customers of the portal: made, renamed, suspended, deleted.
//!
//! Who may do so is for the caller to ask: an administrator for all customers.

use domain::Timestamp;
use store::{Change, CustomerStore, StoreError};

use crate::{Actor, Engine, SyncError};

/// The longest slug.
const LONGEST_SLUG: usize = 40;
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// Why a customer was not made or changed, in words for whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The slug is none.
    #[error("Use small letters, digits and hyphens, at most 40, such as contoso-ltd.")]
    Slug,
    /// Another customer has the slug.
    #[error("Another customer has this short name.")]
    SlugTaken,
    /// The name is empty or endless.
    #[error("Enter a name of at most 100 characters.")]
    Name,
    /// What was typed to confirm a deletion is not the slug.
    #[error("Type the customer's short name exactly as it is shown. Nothing was deleted.")]
    NotConfirmed,
    /// A portal has a customer.
    #[error("This is the last customer of the portal. Add another one first. Nothing was deleted.")]
    Last,
}

/// Adds a customer.
///
/// # Errors
/// When the database cannot do it.
pub async fn create(
    engine: &Engine,
    actor: &Actor,
    slug: &str,
    name: &str,
) -> Result<Result<i64, Refused>, SyncError> {
    let slug = slug.trim();
    if !is_slug(slug) {
        return Ok(Err(Refused::Slug));
    }
    let Some(name) = read_name(name) else { return Ok(Err(Refused::Name)) };
    let now = engine.clock.now();
    let mut write = engine.store.begin().await?;
    let id = match write.add_customer(slug, name, now).await {
        Ok(id) => id,
        Err(StoreError::Taken(_)) => return Ok(Err(Refused::SlugTaken)),
        Err(error) => return Err(error.into()),
    };
    let changes = vec![Change::new("Short name", "", slug), Change::new("Name", "", name)];
    write.audit(Some(id), actor.entry(now, "customer.add", name, changes)).await?;
    write.commit().await?;
    Ok(Ok(id))
}

/// Gives a customer another name; the slug stays. `true` when it was another one before.
///
/// # Errors
/// When the database cannot do it.
pub async fn rename(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    name: &str,
) -> Result<Result<bool, Refused>, SyncError> {
    let Some(name) = read_name(name) else { return Ok(Err(Refused::Name)) };
    let before = &customer.customer().name;
    if before == name {
        return Ok(Ok(false));
    }
    let mut write = customer.begin().await?;
    write.rename_customer(name).await?;
    let changes = vec![Change::new("Name", before.as_str(), name)];
    write.audit(actor.entry(engine.clock.now(), "customer.rename", name, changes)).await?;
    write.raise_topic("customer").await?;
    write.commit().await?;
    Ok(Ok(true))
}

/// Suspends a customer: no sync begins, by schedule or by hand, until that ends; everything else stays. Or ends a suspension. `true` when it was
/// otherwise before.
///
/// # Errors
/// When the database cannot do it.
pub async fn suspend(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    suspended: bool,
) -> Result<bool, SyncError> {
    let before = customer.customer();
    if before.suspended_at.is_some() == suspended {
        return Ok(false);
    }
    let now: Timestamp = engine.clock.now();
    let mut write = customer.begin().await?;
    write.suspend_customer(suspended.then_some(now)).await?;
    let words = |suspended: bool| if suspended { "yes" } else { "no" };
    let changes = vec![Change::new("Suspended", words(!suspended), words(suspended))];
    let action = if suspended { "customer.suspend" } else { "customer.resume" };
    write.audit(actor.entry(now, action, &before.name, changes)).await?;
    write.raise_topic("customer").await?;
    write.commit().await?;
    Ok(true)
}

/// Deletes a customer with everything that belongs to it, its audit log included: the entry about it stands in the portal's own. `typed` is
/// what was typed to confirm it: the slug.
///
/// # Errors
/// When the database cannot do it.
pub async fn delete(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    typed: &str,
) -> Result<Result<(), Refused>, SyncError> {
    let gone = customer.customer();
    if typed.trim() != gone.slug {
        return Ok(Err(Refused::NotConfirmed));
    }
    let users: i64 = customer.user_counts().await?.iter().map(|(_, _, users)| users).sum();
    let mut write = engine.store.begin().await?;
    if engine.store.customers().await?.len() < 2 {
        return Ok(Err(Refused::Last));
    }
    write.delete_customer(gone.id).await?;
    let changes = vec![
        Change::new("Short name", gone.slug.as_str(), ""),
        Change::new("Name", gone.name.as_str(), ""),
        Change::new("Users", users.to_string(), ""),
    ];
    write.audit(None, actor.entry(engine.clock.now(), "customer.delete", &gone.name, changes)).await?;
    write.commit().await?;
    Ok(Ok(()))
}

/// A slug stands in addresses and on the command line.
fn is_slug(text: &str) -> bool {
    (1..=LONGEST_SLUG).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn read_name(text: &str) -> Option<&str> {
    let name = text.trim();
    let fits =
        !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_needs_no_escape_anywhere() {
        for slug in ["contoso", "contoso-ltd", "7", "a-b-c"] {
            assert!(is_slug(slug), "{slug}");
        }
        for slug in
            ["", "Contoso", "con toso", "-contoso", "contoso-", "contoso.ltd", "ä", "a/b", &"a".repeat(41)]
        {
            assert!(!is_slug(slug), "{slug}");
        }
    }

    #[test]
    fn a_name_is_trimmed_and_neither_empty_nor_endless() {
        assert_eq!(read_name("  Contoso Ltd "), Some("Contoso Ltd"));
        for name in ["", "  ", "a\nb", &"ä".repeat(101)] {
            assert_eq!(read_name(name), None, "{name:?}");
        }
    }
}
