//! Bringing a deleted user back from the recycle bin.
//!
//! The user gets its number, its id and what it was. An address that somebody else has by now is left out, and that is said. While the directory
//! does not deliver the person, the restored user is a conflict whose clock starts anew; the next run closes it when it does.

use domain::{
    address::Address,
    conflict::{Conflict, Reason},
    service::{Service, Source},
};
use store::{Binned, Change, CustomerStore, CustomerWrite, User, UserWrite};
use uuid::Uuid;

use crate::{Actor, Engine, SyncError, run::hold_plan};

/// What came of restoring a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The user's id in addresses of pages, the one that it had.
    pub user: Uuid,
    /// The user's name.
    pub name: String,
    /// Whether the user is in conflict, because no directory service delivers it.
    pub in_conflict: bool,
    /// Addresses that somebody else has by now.
    pub left_out: Vec<Address>,
}

/// Why nobody was restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was restored or removed for good meanwhile.
    #[error("This is not in the recycle bin any more.")]
    Gone,
    /// Groups come back with the directory.
    #[error("A group comes back by itself when the directory has it again; it cannot be restored here.")]
    Group,
    /// The directory's person is a user again.
    #[error("{0} is this person's user by now: there is nothing to restore.")]
    ThereAgain(String),
}

/// Restores a user.
///
/// # Errors
/// When the database cannot do it. Why nobody was restored is the inner error.
pub async fn restore(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    bin_id: i64,
) -> Result<Result<Restored, Refused>, SyncError> {
    let now = engine.clock.now();
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    let Some(binned) = write.lock_binned(bin_id).await? else { return Ok(Err(Refused::Gone)) };
    let Some(snapshot) = &binned.user else { return Ok(Err(Refused::Group)) };
    if let Some(user) = present(&mut write, &binned).await? {
        return Ok(Err(Refused::ThereAgain(format!("{} <{}>", user.display_name, user.primary_address))));
    }
    let wanted: Vec<Address> = std::iter::once(&snapshot.primary)
        .chain(&snapshot.aliases)
        .filter_map(|address| Address::parse(address))
        .collect();
    let Some(last_known) = wanted.first().cloned() else { return Ok(Err(Refused::Gone)) };
    let taken: Vec<Address> =
        write.holders(&wanted).await?.into_iter().map(|holder| holder.address).collect();
    let (left_out, mut free): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|address| taken.contains(address));
    let address_lost = free.is_empty();
    let primary = if address_lost { last_known } else { free.remove(0) };
    let conflict = (binned.source != Source::Manual).then(|| Conflict::opened(reason(&binned), now));
    let user = UserWrite {
        id: None,
        restore_as: Some(binned.object_id),
        public_id: binned.public_id,
        source: binned.source,
        external_id: binned.external_id.clone(),
        display_name: binned.display_name.clone(),
        primary,
        address_lost,
        aliases: free,
        service_on: snapshot.service_on,
        sign_in_blocked: snapshot.sign_in_blocked,
        conflict,
        created_at: Some(snapshot.created_at),
        now,
    };
    write.write_users(std::slice::from_ref(&user)).await?;
    write.take_from_bin(&[bin_id]).await?;
    if let Some(id) = &binned.external_id {
        // Whether the directory has the person now is for the next run to say.
        write.mark_dirty(Service::Entra, std::slice::from_ref(id)).await?;
    }
    let mut changes = vec![Change::new("Deleted", binned.deleted_at.words(), "")];
    if !left_out.is_empty() {
        let texts: Vec<String> = left_out.iter().map(ToString::to_string).collect();
        changes.push(Change::new("Left out, because somebody else has it", texts.join(", "), ""));
    }
    let object = format!("{} <{}>", binned.display_name, user.primary);
    write.audit(actor.entry(now, "user.restore", &object, changes)).await?;
    for topic in ["users", "conflicts", "recycle_bin"] {
        write.raise_topic(topic).await?;
    }
    write.commit().await?;
    Ok(Ok(Restored {
        user: binned.public_id,
        name: binned.display_name,
        in_conflict: user.conflict.is_some(),
        left_out,
    }))
}

/// The user that stands for the deleted one's person by now.
async fn present(write: &mut CustomerWrite, binned: &Binned) -> Result<Option<User>, SyncError> {
    let Some(id) = &binned.external_id else { return Ok(None) };
    Ok(write.users_by_external_id(binned.source, std::slice::from_ref(id)).await?.into_iter().next())
}

/// The reason of the conflict in which the user was deleted.
fn reason(binned: &Binned) -> Reason {
    [
        Reason::DisabledInDirectory,
        Reason::FilteredOut,
        Reason::Exception,
        Reason::OutsideManagedDomains,
        Reason::OtherDirectoryService,
    ]
    .into_iter()
    .find(|reason| reason.label() == binned.reason)
    .unwrap_or(Reason::NotInDirectory)
}
