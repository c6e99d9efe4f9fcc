//! The deletion guard of a run: the first pass over what is marked counts what would go, before anything is written.
//!
//! Each kind is counted apart: users that would become conflicts, users in conflict that would be deleted, groups that would leave. Whatever
//! an administrator approved is not counted, and what happened without approval in the last 24 hours is counted with it.

use domain::{
    Timestamp,
    guard::{Decision, Guarded},
    service::{Service, Source},
    settings::GuardLimits,
};

use super::{
    drive::{Failure, Job},
    plan_rules::{PlanRules, Verdict},
};

/// How long what happened without approval counts.
const WINDOW_MS: i64 = 24 * Timestamp::HOUR;

/// How many removals of one kind may happen in this run without an approval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance(i64);

impl Allowance {
    /// None at all.
    pub const fn none() -> Self {
        Self(0)
    }

    /// Uses one up; `false` when there is none left, and the removal is to be held.
    pub fn take(&mut self) -> bool {
        let some = self.0 > 0;
        self.0 -= i64::from(some);
        some
    }

    /// What the limits let happen: all of these removals or none.
    pub async fn of(
        job: &Job<'_>,
        limits: GuardLimits,
        kind: Guarded,
        new: i64,
        present: i64,
    ) -> Result<Self, Failure> {
        let now = job.engine.clock.now();
        let recent = job.customer.guard_recent(kind, now.plus(-WINDOW_MS)).await?;
        Ok(Self(if limits.holds(recent, new, present) { 0 } else { new }))
    }
}

/// Counts the users that would become conflicts, and says how many of them may.
pub(super) async fn removals(
    job: &Job<'_>,
    rules: &PlanRules,
    limits: GuardLimits,
) -> Result<Allowance, Failure> {
    let mut new = 0;
    let mut after = 0;
    loop {
        job.go_on()?;
        let page = job.customer.removal_candidates(Service::Entra, after, job.engine.page).await?;
        let Some(last) = page.last() else { break };
        after = last.mirror.id;
        let out: Vec<i64> = page
            .iter()
            .filter(|candidate| {
                !candidate.in_conflict && matches!(rules.verdict(&candidate.mirror), Verdict::Out(..))
            })
            .map(|candidate| candidate.user)
            .collect();
        new += undecided(job, Guarded::Removal, &out).await?;
    }
    let present = job.customer.delivered_count(Source::Azure).await?;
    Allowance::of(job, limits, Guarded::Removal, new, present).await
}

/// How many of these an administrator has not decided about.
pub(super) async fn undecided(job: &Job<'_>, kind: Guarded, objects: &[i64]) -> Result<i64, Failure> {
    if objects.is_empty() {
        return Ok(0);
    }
    let decided = job.customer.decisions(kind, objects).await?;
    let decided = decided.iter().filter(|(_, decision)| *decision != Decision::Waiting).count();
    Ok(i64::try_from(objects.len().saturating_sub(decided)).unwrap_or(i64::MAX))
}
