//! How the sync of a customer is doing: what the dashboard, the list of customers and the overview of directory services say at first sight.

use domain::{
    Timestamp,
    guard::Guarded,
    run::Purpose,
    service::{Service, Status},
    settings::EntraSettings,
};
use store::{CustomerStore, Run, Schedule};

use crate::{SyncError, connect};

/// How many latest runs are looked through for the latest sync; reads and previews are few.
const LOOKED_THROUGH: i64 = 20;

/// The state of a customer's sync.
#[derive(Clone, Debug)]
pub struct Health {
    /// The saved settings of Entra ID, enabled or not.
    pub settings: Option<EntraSettings>,
    /// The organisation that the tenant says it is.
    pub organisation: Option<String>,
    /// All users.
    pub users: i64,
    /// Users in conflict whose service is on.
    pub conflicts: i64,
    /// Removals, deletions and groups that wait for an approval.
    pub held: i64,
    /// Additions that two complete reads did not find.
    pub never_found: i64,
    /// The end of the latest sync that brought the users in line with a complete read.
    pub last_success: Option<Timestamp>,
    /// The latest sync, however it stands or ended.
    pub latest: Option<Run>,
    /// The next run, and why the last ones failed.
    pub schedule: Option<Schedule>,
    /// Since when there should have been a success; `None` while all is well or no sync is expected.
    pub overdue_since: Option<Timestamp>,
}

impl Health {
    /// Whether a directory service is on.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.settings.as_ref().is_some_and(|settings| settings.enabled)
    }
}

/// How the sync of that customer is doing at `now`.
///
/// # Errors
/// When the database cannot answer.
pub async fn health(customer: &CustomerStore, now: Timestamp) -> Result<Health, SyncError> {
    let saved = connect::saved(customer).await?;
    let counts = customer.user_counts().await?;
    let mut held = 0;
    for kind in [Guarded::Removal, Guarded::Deletion, Guarded::Group] {
        held += customer.held_count(kind).await?;
    }
    let additions = customer.additions(Service::Entra).await?;
    let success = customer.last_success().await?;
    let runs = customer.runs(None, LOOKED_THROUGH).await?;
    let latest = runs.into_iter().find(|run| run.purpose == Purpose::Sync);
    let settings = saved.as_ref().map(|saved| saved.settings.clone());
    let last_success = success.map(|run| run.finished_at.unwrap_or(run.started_at));
    let expected_from = last_success.or(latest.as_ref().map(|run| run.started_at));
    let limit = settings.as_ref().filter(|settings| settings.enabled).and_then(longest_silence);
    let suspended = customer.customer().suspended_at.is_some();
    Ok(Health {
        organisation: saved
            .and_then(|saved| saved.organisation)
            .map(|organisation| organisation.display_name),
        users: counts.iter().map(|(_, _, users)| users).sum(),
        conflicts: counts
            .iter()
            .filter(|(_, status, _)| *status == Status::Conflict)
            .map(|(_, _, users)| users)
            .sum(),
        held,
        never_found: i64::try_from(
            additions
                .iter()
                .filter(|addition| addition.external_id.is_none() && addition.reads_without >= 2)
                .count(),
        )
        .unwrap_or(i64::MAX),
        last_success,
        latest,
        schedule: customer.schedule(Service::Entra).await?,
        overdue_since: expected_from
            .zip(limit)
            .map(|(from, limit)| from.plus(limit))
            .filter(|due| *due < now && !suspended),
        settings,
    })
}

/// How long there may be no success before it is an alarm: twice the Sync Frequency and at least a day. With `Manual only` nothing is expected.
fn longest_silence(settings: &EntraSettings) -> Option<i64> {
    settings.sync_frequency.milliseconds().map(|frequency| (2 * frequency).max(Timestamp::DAY))
}
