//! Starting a run: whether it may, and what a dead process left behind.

use domain::{
    Timestamp,
    run::{Outcome, Purpose, Trigger},
    service::Service,
};
use store::{CustomerStore, Lease, NewRun};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{Owner, RunReport, drive};
use crate::{Actor, Engine, SyncError, connect};

/// The lease under which a customer's runs are made: one at a time, whatever the process.
pub(super) const LEASE: &str = "sync";
/// How long a lease is good for without being renewed.
pub(super) const LEASE_MS: i64 = 20_000;

/// What stands in a run that ended without a word: its process was killed, or told to stop.
pub(super) const INTERRUPTED: &str =
    "interrupted: the portal was stopped during the run. The next sync goes on where this one ended.";

/// Why a run does not start, in words for whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartRefused {
    /// Nothing was saved yet.
    #[error("Azure sync is not configured yet: fill in the Connect page and save it.")]
    NotConfigured,
    /// The switch is off.
    #[error("Azure sync is not enabled: switch on \"Enable Azure Sync\" on the Connect page and save it.")]
    NotEnabled,
    /// One run at a time. Its id, unless it only just begins.
    #[error("a sync is already running")]
    AlreadyRunning(Option<Uuid>),
    /// Another process made the run that was due.
    #[error("The scheduled sync was made elsewhere.")]
    NotDue,
    /// The customer is suspended.
    #[error("This customer is suspended: nothing is synced until that ends.")]
    CustomerSuspended,
}

/// A run that goes on by itself.
#[derive(Debug)]
pub struct Running {
    /// The run's id in addresses of pages.
    pub run: Uuid,
    task: JoinHandle<RunReport>,
}

impl Running {
    /// Waits for the end. `None` when the run's task broke down; the next run tidies up.
    pub async fn finished(self) -> Option<RunReport> {
        self.task.await.ok()
    }
}

/// A run that has its lease and its row.
pub(super) struct Started {
    pub lease: Lease,
    /// The run's number.
    pub id: i64,
    pub public_id: Uuid,
    pub purpose: Purpose,
}

impl Engine {
    /// Starts a run, which then goes on by itself.
    ///
    /// # Errors
    /// When the database cannot do it. Why a run may not start is the inner error.
    pub async fn start(
        &self,
        customer: &CustomerStore,
        purpose: Purpose,
        trigger: Trigger,
        actor: &Actor,
    ) -> Result<Result<Running, StartRefused>, SyncError> {
        let started = match start(self, customer, purpose, trigger, actor).await? {
            Ok(started) => started,
            Err(refused) => return Ok(Err(refused)),
        };
        let run = started.public_id;
        let (engine, customer) = (self.clone(), customer.clone());
        let task = self.tasks.spawn(async move { drive::drive(&engine, &customer, started).await });
        Ok(Ok(Running { run, task }))
    }
}

/// Runs a sync and waits for its end: for the command line.
///
/// # Errors
/// When the database cannot start it. Why a run may not start is the inner error; how it ended is the report.
pub async fn run_to_end(
    engine: &Engine,
    customer: &CustomerStore,
    purpose: Purpose,
    trigger: Trigger,
    actor: &Actor,
) -> Result<Result<RunReport, StartRefused>, SyncError> {
    Ok(match start(engine, customer, purpose, trigger, actor).await? {
        Ok(started) => Ok(drive::drive(engine, customer, started).await),
        Err(refused) => Err(refused),
    })
}

async fn start(
    engine: &Engine,
    customer: &CustomerStore,
    purpose: Purpose,
    trigger: Trigger,
    actor: &Actor,
) -> Result<Result<Started, StartRefused>, SyncError> {
    let fresh = engine.store.customer(&customer.customer().slug).await?;
    if fresh.is_some_and(|fresh| fresh.customer().suspended_at.is_some()) {
        return Ok(Err(StartRefused::CustomerSuspended));
    }
    let Some(saved) = connect::saved(customer).await? else { return Ok(Err(StartRefused::NotConfigured)) };
    if !saved.settings.enabled {
        return Ok(Err(StartRefused::NotEnabled));
    }
    let now = engine.clock.now();
    let owner = engine.owner.as_str();
    let Some(lease) = customer.take_lease(LEASE, owner, now, LEASE_MS, Owner::is_dead).await? else {
        let running = customer.running(Service::Entra).await?;
        return Ok(Err(StartRefused::AlreadyRunning(running.map(|run| run.public_id))));
    };
    let written = match is_due(customer, trigger, now).await {
        Ok(true) => write_row(engine, customer, &lease, purpose, trigger, actor).await.map(Some),
        Ok(false) => Ok(None),
        Err(error) => Err(error),
    };
    if let Ok(Some((id, public_id))) = written {
        return Ok(Ok(Started { lease, id, public_id, purpose }));
    }
    // Otherwise nobody could start a run until the lease expires.
    if let Err(error) = customer.release_lease(&lease).await {
        tracing::warn!(%error, "the lease of a sync that did not start was not given back");
    }
    written.map(|_| Err(StartRefused::NotDue))
}

/// Whether a scheduled run is still due. Several processes may have seen that it was; one that gets the lease when another has given it back
/// finds the time of the next run.
async fn is_due(customer: &CustomerStore, trigger: Trigger, now: Timestamp) -> Result<bool, SyncError> {
    if trigger != Trigger::Schedule {
        return Ok(true);
    }
    let schedule = customer.schedule(Service::Entra).await?;
    Ok(schedule.is_some_and(|schedule| schedule.next_at <= now))
}

async fn write_row(
    engine: &Engine,
    customer: &CustomerStore,
    lease: &Lease,
    purpose: Purpose,
    trigger: Trigger,
    actor: &Actor,
) -> Result<(i64, Uuid), SyncError> {
    let now = engine.clock.now();
    let public_id = engine.random.uuid(now);
    let orphan = customer.running(Service::Entra).await?;
    let mut write = customer.begin_chunk(lease, now).await?;
    if let Some(run) = orphan {
        // Its owner had the lease and is gone.
        write.finish_run(run.id, Outcome::Failed, Some(INTERRUPTED), "", &run.counts, now).await?;
    }
    let new = NewRun {
        public_id,
        service: Service::Entra,
        purpose,
        trigger,
        actor: actor.name.clone(),
        started_at: now,
    };
    let id = write.start_run(new).await?;
    write.raise_topic("runs").await?;
    write.commit().await?;
    Ok((id, public_id))
}
