//! A run from its first request to its last row.

use std::{collections::HashMap, time::Duration};

use domain::{
    Timestamp,
    run::{Counts, Notice, Outcome, Phase, Purpose},
    service::Service,
};
use store::{CustomerStore, Lease, StoreError};
use tokio::task::AbortHandle;

use super::{
    RunReport, apply, fetch,
    plan_rules::{PlanRules, hold_plan},
    report::{LeftOut, read, summary},
    resolve::{Foreseen, Resolved},
    start::{INTERRUPTED, LEASE_MS, Started},
};
use crate::{
    Engine, SyncError, connect,
    schedule::{self, Ended},
};

/// How often the lease is renewed: several times within its life, so that one slow write does not cost it.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// What every step of a run works with.
pub(super) struct Job<'a> {
    pub engine: &'a Engine,
    pub customer: &'a CustomerStore,
    pub lease: &'a Lease,
    pub run_id: i64,
    pub purpose: Purpose,
    /// The tenant and the client whose answers are read.
    pub connection: (String, String),
    /// When the complete read ended; the beginning of the run until then.
    pub read_at: Timestamp,
    pub counts: Counts,
    /// In a preview: what would have become of users in conflict before their deletion is decided about.
    pub foreseen: HashMap<i64, Foreseen>,
    pub left_out: LeftOut,
    /// Addresses that somebody wanted and did not get.
    pub clashes: i64,
    /// What the summary tells besides the figures, a sentence each.
    pub remarks: Vec<String>,
}

/// Why a run failed.
#[derive(Debug)]
pub(super) enum Failure {
    Beneath(SyncError),
    /// Something that an administrator can cure, in words: what is wrong, and what to do.
    Explained(String),
}

impl<E: Into<SyncError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Beneath(error.into())
    }
}

/// Runs a started sync to its end, whatever that is.
pub(super) async fn drive(engine: &Engine, customer: &CustomerStore, started: Started) -> RunReport {
    let began = engine.clock.now();
    let heartbeat = Heartbeat::start(engine, customer, &started.lease);
    let mut job = Job {
        engine,
        customer,
        lease: &started.lease,
        run_id: started.id,
        purpose: started.purpose,
        connection: Default::default(),
        read_at: began,
        counts: Counts::default(),
        foreseen: HashMap::new(),
        left_out: LeftOut::new(),
        clashes: 0,
        remarks: Vec::new(),
    };
    let result = steps(&mut job).await;
    let ended = engine.clock.now();
    let report = finish(&job, &started, result, ended.since(began), ended).await;
    drop(heartbeat);
    if let Err(error) = customer.release_lease(&started.lease).await {
        tracing::warn!(%error, "the lease of a sync was not given back; it expires by itself");
    }
    report
}

async fn steps(job: &mut Job<'_>) -> Result<(), Failure> {
    let Some(saved) = connect::saved(job.customer).await? else {
        return Err(Failure::Explained("The connection was removed meanwhile.".to_owned()));
    };
    let Some(client_secret) = job.customer.secret(connect::CLIENT_SECRET).await? else {
        return Err(Failure::Explained(
            "There is no client secret. Enter it on the Connect page.".to_owned(),
        ));
    };
    job.connection = (saved.settings.tenant.clone(), saved.settings.client_id.clone());
    let graph = job.engine.graph(directory::entra::Credentials {
        tenant: saved.settings.tenant.clone(),
        client_id: saved.settings.client_id.clone(),
        client_secret,
    });
    let mut rules = PlanRules::of_the_tenant(job, &graph, saved).await?;
    let began = job.engine.clock.now();
    fetch::fetch(job, &graph, &rules).await?;
    job.read_at = job.engine.clock.now();
    job.counts.fetch_ms = job.read_at.since(began);
    let mut write = job.begin().await?;
    write.note_read_at(job.run_id, job.read_at).await?;
    write.commit().await?;
    match job.purpose {
        Purpose::Read => Ok(()),
        Purpose::Sync | Purpose::Preview => apply::apply(job, &mut rules).await,
    }
}

async fn finish(
    job: &Job<'_>,
    started: &Started,
    result: Result<(), Failure>,
    milliseconds: i64,
    now: Timestamp,
) -> RunReport {
    let (outcome, error) = match &result {
        Ok(()) if job.counts.held > 0 => (Outcome::Held, None),
        Ok(()) => (Outcome::Succeeded, None),
        Err(failure) => (Outcome::Failed, Some(words(failure))),
    };
    let mut text = match &error {
        None => summary(job.purpose, &job.counts, &job.left_out, job.clashes),
        Some(_) => format!("{} The users in the portal stay as they are.", read_so_far(&job.counts)),
    };
    for remark in &job.remarks {
        text.push(' ');
        text.push_str(remark);
    }
    let interrupted = matches!(result, Err(Failure::Beneath(SyncError::Interrupted)));
    let ended = Ended {
        outcome,
        started_at: now.plus(-milliseconds),
        now,
        error: error.as_deref(),
        interrupted,
        random: job.engine.random.as_ref(),
    };
    if matches!(result, Err(Failure::Beneath(SyncError::LeaseLost))) {
        tracing::warn!(run = %started.public_id, "a sync lost its lease: it was cancelled, or another process took it over");
    } else if let Err(error) = write_end(job, &ended, &text).await {
        // The row stays behind as running; whoever starts the next run ends it.
        tracing::error!(%error, run = %started.public_id, "the end of a sync could not be written");
    }
    tracing::info!(
        run = %started.public_id,
        outcome = outcome.name(),
        users = job.counts.users_read,
        added = job.counts.added,
        updated = job.counts.updated,
        milliseconds,
        "a sync ended"
    );
    let mut report = RunReport::new(started.public_id, outcome, &job.counts, milliseconds);
    report.error = error;
    report.summary = text;
    report.notices = notices(job).await;
    report
}

async fn write_end(job: &Job<'_>, ended: &Ended<'_>, summary: &str) -> Result<(), SyncError> {
    let saved = connect::saved(job.customer).await?.filter(|saved| saved.settings.enabled);
    let before = job.customer.schedule(Service::Entra).await?;
    let mut write = job.customer.begin_chunk(job.lease, ended.now).await?;
    write.finish_run(job.run_id, ended.outcome, ended.error, summary, &job.counts, ended.now).await?;
    if let Some(saved) = saved.filter(|_| job.purpose == Purpose::Sync) {
        schedule::after_run(&mut write, before, saved.settings.sync_frequency, ended).await?;
    }
    write.raise_topic("runs").await?;
    write.commit().await?;
    Ok(())
}

async fn notices(job: &Job<'_>) -> Vec<Notice> {
    match job.customer.notices(job.run_id, 0, RunReport::MOST_NOTICES).await {
        Ok(notices) => notices.into_iter().map(|(_, notice)| notice).collect(),
        Err(error) => {
            tracing::warn!(%error, "the notices of a sync could not be read");
            Vec::new()
        }
    }
}

fn words(failure: &Failure) -> String {
    match failure {
        Failure::Explained(words) => words.clone(),
        Failure::Beneath(SyncError::Interrupted) => INTERRUPTED.to_owned(),
        Failure::Beneath(error) => {
            match error {
                SyncError::Directory(error) => {
                    tracing::warn!(detail = %error.detail(), "the directory ended a sync");
                }
                other => tracing::error!(error = %other, "a sync failed"),
            }
            format!("{} {}", error.headline(), error.remedy())
        }
    }
}

fn read_so_far(counts: &Counts) -> String {
    match counts.users_read + counts.groups_read {
        0 => "Nothing was read.".to_owned(),
        _ => format!("{} read before the run ended early.", read(counts)),
    }
}

impl Job<'_> {
    /// An error when the process was told to stop.
    pub fn go_on(&self) -> Result<(), SyncError> {
        if self.engine.is_stopping() { Err(SyncError::Interrupted) } else { Ok(()) }
    }

    /// Begins a transaction of this run.
    pub async fn begin(&self) -> Result<store::CustomerWrite, StoreError> {
        self.customer.begin_chunk(self.lease, self.engine.clock.now()).await
    }

    /// Begins a transaction that keeps what the tenant told: an error when another tenant was saved meanwhile.
    pub async fn begin_page(&self) -> Result<store::CustomerWrite, Failure> {
        let mut write = self.begin().await?;
        hold_plan(&mut write).await?;
        let saved = connect::saved(self.customer).await?.map(|saved| saved.settings);
        let same = saved.is_some_and(|saved| (saved.tenant, saved.client_id) == self.connection);
        if same {
            Ok(write)
        } else {
            Err(Failure::Explained(
                "Another tenant or client was saved during the run. The next sync reads that one from the start."
                    .to_owned(),
            ))
        }
    }

    /// Whether nothing is to be written but what would be done.
    pub fn is_preview(&self) -> bool {
        self.purpose == Purpose::Preview
    }

    /// Adds what a chunk did.
    pub fn add(&mut self, chunk: &Resolved) {
        if self.is_preview() {
            self.foreseen.extend(chunk.foreseen());
        }
        let (all, new) = (&mut self.counts, &chunk.counts);
        all.added += new.added;
        all.updated += new.updated;
        all.missing += new.missing;
        all.restored += new.restored;
        all.left_out += new.left_out;
        self.clashes += chunk.clashes;
        for (reason, number) in &chunk.left_out {
            *self.left_out.entry(*reason).or_default() += number;
        }
    }

    /// Says that the next step begins.
    pub async fn enter(&self, phase: Phase) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        self.note_progress(&mut write, phase).await?;
        write.commit().await
    }

    /// Writes where the run is, in the transaction of what it did.
    pub async fn note_progress(
        &self,
        write: &mut store::CustomerWrite,
        phase: Phase,
    ) -> Result<(), StoreError> {
        write.update_run(self.run_id, phase, &self.counts).await?;
        write.raise_topic("runs").await
    }
}

/// Renews the lease until it is dropped.
struct Heartbeat(AbortHandle);

impl Heartbeat {
    fn start(engine: &Engine, customer: &CustomerStore, lease: &Lease) -> Self {
        let (engine, customer, lease) = (engine.clone(), customer.clone(), lease.clone());
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                match customer.renew_lease(&lease, engine.clock.now(), LEASE_MS).await {
                    Ok(true) => {}
                    // The run finds out by itself: each of its transactions confirms the lease.
                    Ok(false) => return,
                    Err(error) => {
                        tracing::warn!(%error, "the lease of a sync could not be renewed; trying again")
                    }
                }
            }
        });
        Self(task.abort_handle())
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.abort();
    }
}
