//! The deletion guard of a run: the first pass over what is marked counts what would go, before anything is written.
//!
//! Each kind is counted apart: users that would become conflicts, users in conflict that would be deleted, groups that would leave. Whatever
//! an administrator approved is not counted, and what happened without approval in the last 24 hours is counted with it. While something of
//! the kind waits, whoever came since it was first held is not counted among those present: newcomers let nobody go.

use std::collections::BTreeSet;

use domain::{
    Timestamp,
    guard::{Decision, Guarded},
    service::{Service, Source},
    settings::GuardLimits,
};

use store::Candidate;

use super::{
    chunk::{Chunk, Plan},
    drive::{Failure, Job},
    plan_rules::{PlanRules, Verdict},
    scene::Party,
};

/// How long what happened without approval counts.
const WINDOW_MS: i64 = 24 * Timestamp::HOUR;

/// How many removals of one kind may happen in this run without an approval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    left: i64,
    present: i64,
}

impl Allowance {
    /// None at all.
    pub const fn none() -> Self {
        Self { left: 0, present: 0 }
    }

    /// How many there are that the removals were compared with.
    pub const fn present(&self) -> i64 {
        self.present
    }

    /// Whether there is one left.
    pub const fn is_left(&self) -> bool {
        self.left > 0
    }

    /// Uses one up; `false` when there is none left, and the removal is to be held.
    pub fn take(&mut self) -> bool {
        let some = self.left > 0;
        self.left -= i64::from(some);
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
        let present = job.customer.held_of(kind).await?.map_or(present, |then| then.min(present));
        Ok(Self { left: if limits.holds(recent, new, present) { 0 } else { new }, present })
    }
}

/// Counts the users that would become conflicts, and says how many of them may.
pub(super) async fn removals(
    job: &Job<'_>,
    rules: &PlanRules,
    limits: GuardLimits,
) -> Result<Allowance, Failure> {
    let present = job.customer.delivered_count(Source::Azure).await?;
    let mut new = 0;
    let mut after = 0;
    while let Some((last, out)) = out(job, rules, after, job.engine.page).await? {
        after = last;
        let users: Vec<i64> = out.iter().map(|candidate| candidate.user).collect();
        new += undecided(job, Guarded::Removal, &users).await?;
    }
    let allowance = Allowance::of(job, limits, Guarded::Removal, new, present).await?;
    if allowance.left == new {
        return Ok(allowance);
    }
    // Some of them may be the same person as somebody new, and so no removals. To know that costs a look at everybody who claims their
    // addresses, which few enough removals do without.
    let new = removed(job, rules).await?;
    Allowance::of(job, limits, Guarded::Removal, new, present).await
}

/// A page of the marked objects whose users the rules leave out and that are no conflicts yet, and the last number looked at.
async fn out(
    job: &Job<'_>,
    rules: &PlanRules,
    after: i64,
    limit: i64,
) -> Result<Option<(i64, Vec<Candidate>)>, Failure> {
    job.go_on()?;
    let page = job.customer.removal_candidates(Service::Entra, after, limit).await?;
    let Some((last, mut page)) = page else { return Ok(None) };
    page.retain(|candidate| {
        !candidate.in_conflict && matches!(rules.verdict(&candidate.mirror), Verdict::Out(..))
    });
    Ok(Some((last, page)))
}

/// How many users would become conflicts without an approval, decided as the chunks of the run decide.
async fn removed(job: &Job<'_>, rules: &PlanRules) -> Result<i64, Failure> {
    let mut removed = BTreeSet::new();
    let mut after = 0;
    while let Some((last, out)) = out(job, rules, after, job.engine.chunk).await? {
        after = last;
        let mut write = job.begin().await?;
        let rows = out.into_iter().map(|candidate| candidate.mirror).collect();
        let Plan { outcomes, parts, .. } = Chunk::new(&mut write, rules).plan(rows).await?;
        removed.extend(outcomes.into_keys().filter_map(|party| {
            let Party::Undelivered(user) = party else { return None };
            let user = parts.users.get(&user)?;
            let goes = user.conflict.is_none() && parts.reason(user).is_some() && !parts.is_approved(user);
            goes.then_some(user.id)
        }));
    }
    Ok(i64::try_from(removed.len()).unwrap_or(i64::MAX))
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
