//! Manual users whose primary address the directory delivers: whether each becomes the directory's.

use domain::{guard::Decision, service::Service};
use store::{Change, CustomerStore};
use uuid::Uuid;

use crate::{
    Actor, Engine, SyncError,
    run::{BY_HAND, hold_plan},
};

/// Decides about a Manual user whose primary address a person of the directory has: the next run takes the user over, or syncs the person
/// without the address. Answers whether that was asked.
///
/// # Errors
/// When the database cannot do it.
pub async fn decide(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    user: Uuid,
    external_id: &str,
    take_over: bool,
) -> Result<bool, SyncError> {
    let Some(user) = customer.user(user).await? else { return Ok(false) };
    let now = engine.clock.now();
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    let decision = if take_over { Decision::Approved } else { Decision::Dismissed };
    if !write.decide_take_over(user.id, external_id, decision).await? {
        return Ok(false);
    }
    write.mark_dirty(Service::Entra, &[external_id.to_owned()]).await?;
    let object = format!("{} <{}>", user.display_name, user.primary_address);
    let words = if take_over { "taken over by the next sync" } else { "never taken over" };
    let changes = vec![Change::new("Manual user", "", words)];
    write.audit(actor.entry(now, "take_over.decide", &object, changes)).await?;
    write.raise_topic(BY_HAND).await?;
    write.raise_topic("conflicts").await?;
    write.commit().await?;
    Ok(true)
}
