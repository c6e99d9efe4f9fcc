//! Ending a run from outside, whichever process makes it.
//!
//! Every transaction of a run first confirms the run's lease. So whoever cancels takes the lease away and ends the run's row, in one
//! transaction; the run finds out at its next page or chunk and writes nothing more. What it had written stays, and the next run goes on
//! from there.

use domain::{
    run::{Outcome, Purpose},
    service::Service,
};
use store::{Change, CustomerStore};
use uuid::Uuid;

use super::start::LEASE;
use crate::{
    Actor, Engine, SyncError, connect,
    schedule::{self, Ended},
};

/// Cancels a run. Answers whether it was going on.
///
/// # Errors
/// When the database cannot do it.
pub async fn cancel(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    run: Uuid,
) -> Result<bool, SyncError> {
    let mut write = customer.begin().await?;
    // From here on no chunk of the run is committed, so its row cannot end by itself meanwhile.
    write.break_lease(LEASE).await?;
    let Some(run) = customer.run(run).await?.filter(|run| run.outcome == Outcome::Running) else {
        return Ok(false);
    };
    let now = engine.clock.now();
    let error = format!("cancelled by {}. What was written until then stays.", actor.name);
    let summary = "The run was cancelled.";
    write.finish_run(run.id, Outcome::Failed, Some(&error), summary, &run.counts, now).await?;
    if run.purpose == Purpose::Sync
        && let Some(saved) = connect::saved(customer).await?.filter(|saved| saved.settings.enabled)
    {
        let before = customer.schedule(Service::Entra).await?;
        // As after a run that did its work: who cancelled does not want it again in a minute.
        let ended = Ended {
            outcome: Outcome::Succeeded,
            started_at: now,
            now,
            error: None,
            interrupted: false,
            random: engine.random.as_ref(),
        };
        schedule::after_run(&mut write, before, saved.settings.sync_frequency, &ended).await?;
    }
    let changes = vec![Change::new("Outcome", Outcome::Running.name(), "cancelled")];
    write.audit(actor.entry(now, "run.cancel", &run.public_id.to_string(), changes)).await?;
    write.raise_topic("runs").await?;
    write.commit().await?;
    Ok(true)
}
