//! Deleting the users in conflict whose time has come.
//!
//! Only a run whose complete read ended after the due moment deletes somebody, and by then it has closed the conflicts of everybody who is
//! back. The condition stands once more in the statement that deletes, because an administrator may decide otherwise at any moment.

use std::collections::BTreeSet;

use domain::{
    guard::{Decision, Guarded},
    run::{Action, ObjectKind, Phase},
    service::Source,
    settings::GuardLimits,
};
use store::{RunChange, User};

use super::{
    drive::{Failure, Job},
    groups::BY_THE_SYNC,
    guard::{Allowance, undecided},
    plan_rules::PlanRules,
};

/// Deletes who is due, unless there are too many at once. `back` are users whose conflicts a preview has not closed.
pub(super) async fn apply(
    job: &mut Job<'_>,
    rules: &mut PlanRules,
    limits: GuardLimits,
    back: &BTreeSet<i64>,
) -> Result<(), Failure> {
    let Some(delay) = rules.delete_after.milliseconds() else { return Ok(()) };
    let due = due(job, rules, back, delay).await?;
    let mut allowance = due.allowance(job, limits).await?;
    let mut after = 0;
    loop {
        job.go_on()?;
        let page =
            job.customer.due_conflicts(Source::Azure, job.read_at, delay, after, job.engine.chunk).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        let ids: Vec<i64> = page.iter().map(|user| user.id).collect();
        let decisions = job.customer.decisions(Guarded::Deletion, &ids).await?;
        let decision = |user: &User| {
            decisions
                .iter()
                .find(|(id, _)| *id == user.id)
                .map_or(Decision::Waiting, |(_, decision)| *decision)
        };
        let now = job.engine.clock.now();
        let mut write = job.begin().await?;
        rules.confirm(job.customer, &mut write).await?;
        let (mut delete, mut held, mut unapproved) = (Vec::new(), Vec::new(), 0);
        for user in page.iter().filter(|user| may_go(rules, back, user)) {
            match decision(user) {
                Decision::Dismissed => {}
                Decision::Approved => delete.push(user.id),
                Decision::Waiting if allowance.take() => {
                    unapproved += 1;
                    delete.push(user.id);
                }
                Decision::Waiting => {
                    let reason = user.conflict.as_ref().map_or("", |conflict| conflict.reason.label());
                    held.push((user.id, reason.to_owned()));
                }
            }
        }
        job.counts.held += i64::try_from(held.len()).unwrap_or(i64::MAX);
        let deleted = if job.is_preview() {
            page.iter().filter(|user| delete.contains(&user.id)).cloned().collect()
        } else {
            if !held.is_empty() {
                write.hold(job.run_id, Guarded::Deletion, &held, now).await?;
            }
            if unapproved > 0 {
                write.log_guard(Guarded::Deletion, false, unapproved, now).await?;
            }
            write.delete_due(Source::Azure, job.read_at, delay, &delete, BY_THE_SYNC, now).await?
        };
        let changes: Vec<RunChange> = deleted.iter().map(told).collect();
        write.add_run_changes(job.run_id, now, &changes).await?;
        job.counts.deleted += i64::try_from(deleted.len()).unwrap_or(i64::MAX);
        if !changes.is_empty() && !job.is_preview() {
            write.raise_topic("users").await?;
            write.raise_topic("conflicts").await?;
        }
        job.note_progress(&mut write, Phase::Delete).await?;
        write.commit().await?;
    }
    if !job.is_preview() {
        let mut write = job.begin().await?;
        write.drop_held_of_other_runs(Guarded::Deletion, job.run_id).await?;
        write.commit().await?;
    }
    Ok(())
}

/// Whether nothing but the date speaks: no exception keeps the user as it is, and nobody is back.
fn may_go(rules: &PlanRules, back: &BTreeSet<i64>, user: &User) -> bool {
    let kept = user.external_id.as_ref().is_some_and(|id| rules.keeps(id));
    !kept && !back.contains(&user.id)
}

/// How many are due that nobody decided about.
struct Due(i64);

async fn due(
    job: &Job<'_>,
    rules: &PlanRules,
    back: &BTreeSet<i64>,
    delay: i64,
) -> Result<Due, Failure> {
    let (mut new, mut after) = (0, 0);
    loop {
        let page =
            job.customer.due_conflicts(Source::Azure, job.read_at, delay, after, job.engine.page).await?;
        let Some(last) = page.last() else { return Ok(Due(new)) };
        after = last.id;
        let ids: Vec<i64> = page.iter().filter(|user| may_go(rules, back, user)).map(|user| user.id).collect();
        new += undecided(job, Guarded::Deletion, &ids).await?;
    }
}

impl Due {
    async fn allowance(&self, job: &Job<'_>, limits: GuardLimits) -> Result<Allowance, Failure> {
        let counts = job.customer.user_counts().await?;
        let present =
            counts.iter().filter(|(source, ..)| *source == Source::Azure).map(|(.., users)| users).sum();
        Allowance::of(job, limits, Guarded::Deletion, self.0, present).await
    }
}

fn told(user: &User) -> RunChange {
    let reason = user.conflict.as_ref().map_or("", |conflict| conflict.reason.label());
    RunChange {
        object: ObjectKind::User,
        object_id: user.public_id,
        display_name: user.display_name.clone(),
        address: user.primary_address.to_string(),
        action: Action::Deleted,
        reason: reason.to_owned(),
        changes: Vec::new(),
    }
}
