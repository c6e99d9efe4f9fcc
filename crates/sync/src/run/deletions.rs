//! Deleting the users in conflict whose time has come.
//!
//! Only a run whose complete read ended after the due moment deletes somebody, and by then it has closed the conflicts of everybody who is
//! back. Whoever is said to be missing is asked for by id before: a list can leave somebody out by mistake, and a round of changes never
//! tells so. The condition stands once more in the statement that deletes, because an administrator may decide otherwise at any moment.

use std::collections::{HashMap, HashSet};

use directory::entra::Graph;
use domain::{
    conflict::Reason,
    guard::{Decision, Guarded},
    run::{Action, ObjectKind, Phase},
    service::{Service, Source},
    settings::GuardLimits,
};
use store::{CursorKind, RunChange, User};

use super::{
    drive::{Failure, Job},
    groups::BY_THE_SYNC,
    guard::{Allowance, undecided},
    plan_rules::PlanRules,
    resolve::Foreseen,
};

/// Deletes who is due, unless there are too many at once.
pub(super) async fn apply(
    job: &mut Job<'_>,
    graph: &Graph,
    rules: &mut PlanRules,
    limits: GuardLimits,
) -> Result<(), Failure> {
    let mut allowance = allowance(job, rules, limits).await?;
    let (mut after, mut left_out) = (0, 0);
    // Never means that nobody is due.
    while let Some(delay) = rules.delete_after.milliseconds() {
        job.go_on()?;
        let page =
            job.customer.due_conflicts(Source::Azure, job.read_at, delay, after, job.engine.chunk).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        let there = still_there(job, graph, rules, &allowance, &page).await?;
        let now = job.engine.clock.now();
        let mut write = job.begin().await?;
        rules.confirm(job.customer, &mut write).await?;
        // Another Delete Users After may have been saved meanwhile.
        let Some(delay) = rules.delete_after.milliseconds() else { break };
        let ids: Vec<i64> = page.iter().map(|user| user.id).collect();
        let decisions = write.held_among(Guarded::Deletion, &ids).await?;
        let decision = |user: &User| {
            let held = decisions.iter().find(|held| held.object_id == user.id);
            held.map_or(Decision::Waiting, |held| held.decision)
        };
        let (mut delete, mut held, mut unapproved) = (Vec::new(), Vec::new(), 0);
        for user in page.iter().filter(|user| is_left(job, rules, user) && !there.contains(&user.id)) {
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
                write.hold(job.run_id, Guarded::Deletion, &held, allowance.present(), now).await?;
            }
            if unapproved > 0 {
                write.log_guard(Guarded::Deletion, false, unapproved, now).await?;
            }
            write.delete_due(Source::Azure, job.read_at, delay, &delete, BY_THE_SYNC, now).await?
        };
        let changes: Vec<RunChange> = deleted.iter().map(|user| told(job, user)).collect();
        write.add_run_changes(job.run_id, now, &changes).await?;
        job.counts.deleted += i64::try_from(deleted.len()).unwrap_or(i64::MAX);
        if !changes.is_empty() && !job.is_preview() {
            write.raise_topic("users").await?;
            write.raise_topic("conflicts").await?;
        }
        if !there.is_empty() && !job.is_preview() {
            write.clear_cursor(Service::Entra, CursorKind::Users).await?;
        }
        left_out += there.len();
        job.note_progress(&mut write, Phase::Delete).await?;
        write.commit().await?;
    }
    if left_out > 0 {
        let (users, are) = if left_out == 1 { ("user", "is") } else { ("users", "are") };
        job.remarks.push(format!(
            "{left_out} {users} who had to be deleted {are} in the directory, although its list left them out. They were not deleted; the \
             next sync reads everything from the start."
        ));
    }
    if !job.is_preview() {
        let mut write = job.begin().await?;
        write.drop_held_of_other_runs(Guarded::Deletion, job.run_id).await?;
        write.commit().await?;
    }
    Ok(())
}

/// Who of those that are said to be missing, and would be deleted, is in the directory nevertheless.
async fn still_there(
    job: &Job<'_>,
    graph: &Graph,
    rules: &PlanRules,
    allowance: &Allowance,
    due: &[User],
) -> Result<HashSet<i64>, Failure> {
    let missing = due.iter().filter(|user| {
        is_left(job, rules, user)
            && user.conflict.as_ref().is_some_and(|conflict| conflict.reason == Reason::NotInDirectory)
    });
    let missing: Vec<(i64, String)> =
        missing.filter_map(|user| Some((user.id, user.external_id.clone()?))).collect();
    let numbers: Vec<i64> = missing.iter().map(|(user, _)| *user).collect();
    let decided: HashMap<i64, Decision> =
        job.customer.decisions(Guarded::Deletion, &numbers).await?.into_iter().collect();
    let would_go = |user: &i64| match decided.get(user) {
        Some(Decision::Approved) => true,
        Some(Decision::Dismissed) => false,
        Some(Decision::Waiting) | None => allowance.is_left(),
    };
    let (users, ids): (Vec<i64>, Vec<String>) =
        missing.into_iter().filter(|(user, _)| would_go(user)).unzip();
    let existing = graph.existing(ObjectKind::User, &ids).await?;
    Ok(users.into_iter().zip(&ids).filter(|(_, id)| existing.contains(*id)).map(|(user, _)| user).collect())
}

/// Counts who is due that nobody decided about, and says how many of them may go.
async fn allowance(job: &Job<'_>, rules: &PlanRules, limits: GuardLimits) -> Result<Allowance, Failure> {
    let (mut new, mut after) = (0, 0);
    if let Some(delay) = rules.delete_after.milliseconds() {
        loop {
            let page =
                job.customer.due_conflicts(Source::Azure, job.read_at, delay, after, job.engine.page).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let due = page.iter().filter(|user| is_left(job, rules, user));
            let ids: Vec<i64> = due.map(|user| user.id).collect();
            new += undecided(job, Guarded::Deletion, &ids).await?;
        }
    }
    let counts = job.customer.user_counts().await?;
    let present =
        counts.iter().filter(|(source, ..)| *source == Source::Azure).map(|(.., users)| users).sum();
    Allowance::of(job, limits, Guarded::Deletion, new, present).await
}

/// Whether a due user is to be deleted: not one that an exception keeps, nor in a preview one that would be back by then.
fn is_left(job: &Job<'_>, rules: &PlanRules, user: &User) -> bool {
    !rules.leaves_alone(user) && !matches!(job.foreseen.get(&user.id), Some(Foreseen::Back))
}

fn told(job: &Job<'_>, user: &User) -> RunChange {
    let (reason, address) = match job.foreseen.get(&user.id) {
        Some(Foreseen::InConflict(reason, address)) => (Some(*reason), address),
        _ => (user.conflict.as_ref().map(|conflict| conflict.reason), &user.primary_address),
    };
    RunChange {
        object: ObjectKind::User,
        object_id: user.public_id,
        display_name: user.display_name.clone(),
        address: address.to_string(),
        action: Action::Deleted,
        reason: reason.map_or("", Reason::label).to_owned(),
        changes: Vec::new(),
    }
}
