//! When the next run of a customer is due, and starting those that are.
//!
//! The moment is a row that every end of a run and every save of the settings writes anew, so that any process may start the run, and a
//! time that was missed (the portal was down) counts once. A run that fails is tried again sooner than the Sync Frequency says, each time
//! after a longer pause.

use std::{collections::HashSet, time::Duration};

use domain::{
    Random, Timestamp,
    run::{Outcome, Purpose, Trigger},
    service::Service,
    settings::{EntraSettings, SyncFrequency},
};
use store::{CustomerStore, CustomerWrite, Schedule, StoreError};
use tokio::{task::JoinSet, time::MissedTickBehavior};

use crate::{Actor, Engine, SyncError, run::StartRefused};

/// The pause after the first failure; each further one doubles it, up to the Sync Frequency.
const FIRST_PAUSE_MS: i64 = 5 * Timestamp::MINUTE;
/// A save never makes a run due at once: whoever saved may be about to press Sync Now.
const EARLIEST_MS: i64 = Timestamp::MINUTE;
/// How many runs one process keeps going by itself.
const MOST_RUNS: usize = 4;
/// How long a run, its notices and its changes are kept.
pub const RUNS_KEPT_MS: i64 = 400 * Timestamp::DAY;
/// How long a deleted user or group can be restored.
pub const BIN_KEPT_MS: i64 = 30 * Timestamp::DAY;

/// Sets the schedule after a save of the settings.
pub(crate) async fn follow(
    write: &mut CustomerWrite,
    customer: &CustomerStore,
    old: Option<&EntraSettings>,
    new: &EntraSettings,
    now: Timestamp,
) -> Result<(), SyncError> {
    let Some(frequency) = new.sync_frequency.milliseconds().filter(|_| new.enabled) else {
        write.clear_schedule(Service::Entra).await?;
        return Ok(());
    };
    if old.is_some_and(|old| old.enabled && old.sync_frequency == new.sync_frequency) {
        return Ok(());
    }
    let last = customer.runs(None, 1).await?.first().map(|run| run.started_at);
    let next_at = last.unwrap_or(now).plus(frequency).max(now.plus(EARLIEST_MS));
    write
        .put_schedule(&Schedule { service: Service::Entra, next_at, failures: 0, reason: String::new() })
        .await?;
    Ok(())
}

/// Sets the schedule at the end of a run.
pub(crate) async fn after_run(
    write: &mut CustomerWrite,
    before: Option<Schedule>,
    frequency: SyncFrequency,
    ended: &Ended<'_>,
) -> Result<(), StoreError> {
    let Some(frequency) = frequency.milliseconds() else { return write.clear_schedule(Service::Entra).await };
    write.put_schedule(&next(before.map_or(0, |before| before.failures), frequency, ended)).await
}

/// How a run ended, as far as the schedule is concerned.
pub(crate) struct Ended<'a> {
    pub outcome: Outcome,
    pub started_at: Timestamp,
    pub now: Timestamp,
    /// Why it failed.
    pub error: Option<&'a str>,
    /// It was told to stop: it goes on as soon as somebody can.
    pub interrupted: bool,
    pub random: &'a dyn Random,
}

fn next(failures: i64, frequency: i64, ended: &Ended<'_>) -> Schedule {
    let (failures, next_at) = match ended.outcome {
        Outcome::Failed if ended.interrupted => (failures, ended.now),
        Outcome::Failed => {
            let doublings = u32::try_from(failures.clamp(0, 20)).unwrap_or(0);
            let pause = FIRST_PAUSE_MS.saturating_mul(1 << doublings).min(frequency);
            (failures + 1, ended.now.plus(pause + jitter(pause, ended.random)))
        }
        Outcome::Running | Outcome::Succeeded | Outcome::Held => {
            let next = ended.started_at.plus(frequency + jitter(frequency, ended.random));
            // A run that took longer than the time between two is followed by the next one.
            (0, next.max(ended.now))
        }
    };
    Schedule {
        service: Service::Entra,
        next_at,
        failures,
        reason: ended.error.filter(|_| failures > 0).unwrap_or_default().to_owned(),
    }
}

/// Up to a twentieth of the pause, ten minutes at most: portals that were set up at the same minute do not all ask at the same second.
fn jitter(pause: i64, random: &dyn Random) -> i64 {
    let most = (pause / 20).clamp(1, 10 * Timestamp::MINUTE);
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    i64::try_from(u64::from_le_bytes(bytes) % most.unsigned_abs()).unwrap_or(0)
}

/// Starts the runs that are due, until the engine is [stopped](Engine::stop). Also clears away what is kept long enough.
pub async fn keep(engine: Engine) {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut runs = JoinSet::new();
    let mut running = HashSet::new();
    let mut cleared = Timestamp(0);
    loop {
        tokio::select! {
            _ = second.tick() => {}
            () = engine.stopped() => return,
        }
        while let Some(ended) = runs.try_join_next() {
            if let Ok(slug) = ended {
                running.remove(&slug);
            }
        }
        let now = engine.clock.now();
        if now.since(cleared) >= Timestamp::HOUR {
            cleared = now;
            if let Err(error) = clear_away(&engine, now).await {
                tracing::warn!(%error, "old runs and deleted users could not be cleared away");
            }
        }
        match engine.store.due_schedules(now, 100).await {
            Ok(due) => {
                for (slug, _) in due {
                    if runs.len() < MOST_RUNS && !running.contains(&slug) {
                        running.insert(slug.clone());
                        runs.spawn(run(engine.clone(), slug));
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the schedule could not be read; trying again"),
        }
    }
}

/// Makes a due run, and answers whose it was.
async fn run(engine: Engine, slug: String) -> String {
    match start(&engine, &slug).await {
        Ok(()) => {}
        Err(error) => tracing::warn!(%error, customer = slug, "a scheduled sync could not start"),
    }
    slug
}

async fn start(engine: &Engine, slug: &str) -> Result<(), SyncError> {
    let Some(customer) = engine.store.customer(slug).await? else { return Ok(()) };
    let actor = Actor { administrator_id: None, name: "schedule".to_owned() };
    match engine.start(&customer, Purpose::Sync, Trigger::Schedule, &actor).await? {
        Ok(running) => {
            running.finished().await;
        }
        // The end of the other run sets the schedule; a suspended customer's run is due when that ends.
        Err(StartRefused::AlreadyRunning(_) | StartRefused::NotDue | StartRefused::CustomerSuspended) => {}
        Err(StartRefused::NotConfigured | StartRefused::NotEnabled) => {
            let mut write = customer.begin().await?;
            write.clear_schedule(Service::Entra).await?;
            write.commit().await?;
        }
    }
    Ok(())
}

async fn clear_away(engine: &Engine, now: Timestamp) -> Result<(), StoreError> {
    // A little at a time, so that no other change waits long.
    loop {
        let mut write = engine.store.begin().await?;
        let cleared = write.purge_runs(now.plus(-RUNS_KEPT_MS)).await?
            + write.purge_bin(now.plus(-BIN_KEPT_MS)).await?;
        write.commit().await?;
        if cleared == 0 || engine.is_stopping() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::testing::CountingRandom;

    use super::*;

    const HOUR: i64 = Timestamp::HOUR;

    fn after(failures: i64, outcome: Outcome, interrupted: bool) -> Schedule {
        let ended = Ended {
            outcome,
            started_at: Timestamp(0),
            now: Timestamp(Timestamp::MINUTE),
            error: (outcome == Outcome::Failed).then_some("no answer"),
            interrupted,
            random: &CountingRandom::default(),
        };
        next(failures, 6 * HOUR, &ended)
    }

    #[test]
    fn after_a_run_the_next_one_is_due_one_frequency_after_its_start_and_a_little_later() {
        let schedule = after(3, Outcome::Succeeded, false);
        assert_eq!((schedule.failures, schedule.reason.as_str()), (0, ""));
        assert!((6 * HOUR..6 * HOUR + 10 * Timestamp::MINUTE).contains(&schedule.next_at.0));
        assert_eq!(after(3, Outcome::Held, false).failures, 0);
    }

    #[test]
    fn after_failures_the_pause_doubles_up_to_the_frequency_and_the_reason_is_kept() {
        let pause = |failures| after(failures, Outcome::Failed, false).next_at.0 - Timestamp::MINUTE;
        assert!((FIRST_PAUSE_MS..FIRST_PAUSE_MS * 21 / 20).contains(&pause(0)));
        assert!((4 * FIRST_PAUSE_MS..4 * FIRST_PAUSE_MS * 21 / 20).contains(&pause(2)));
        assert!((6 * HOUR..6 * HOUR * 21 / 20).contains(&pause(1_000)));
        let schedule = after(2, Outcome::Failed, false);
        assert_eq!((schedule.failures, schedule.reason.as_str()), (3, "no answer"));
    }

    #[test]
    fn a_run_that_was_told_to_stop_goes_on_as_soon_as_somebody_can() {
        let schedule = after(0, Outcome::Failed, true);
        assert_eq!((schedule.failures, schedule.next_at), (0, Timestamp(Timestamp::MINUTE)));
    }
}
