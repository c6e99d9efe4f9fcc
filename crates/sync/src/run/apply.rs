//! Bringing the portal in line with the mirror: users and groups that are marked, chunk by chunk, and the deletions that are due.

use std::collections::BTreeSet;

use directory::entra::Graph;
use domain::{
    guard::Guarded,
    run::Phase,
    service::{Service, Source},
};

use super::{
    chunk::Chunk,
    deletions,
    drive::{Failure, Job},
    groups, guard, handover,
    plan_rules::PlanRules,
    resolve::{Moment, resolve},
};
use crate::rules::guard as limits_as_saved;

/// How often a run goes through what is marked, when rules are saved again and again meanwhile; the next run does the rest.
const MOST_PASSES: usize = 3;

/// Decides about everything that is marked, and writes it, or in a preview says what it would write.
pub(super) async fn apply(job: &mut Job<'_>, graph: &Graph, rules: &mut PlanRules) -> Result<(), Failure> {
    let began = job.engine.clock.now();
    job.enter(Phase::Plan).await?;
    let mut write = job.begin().await?;
    if !job.is_preview() {
        write.end_ignores(Source::Azure, began).await?;
    }
    rules.confirm(job.customer, &mut write).await?;
    write.commit().await?;
    handover::hand_over(job, rules).await?;
    let limits = limits_as_saved(job.engine, job.customer).await?;
    let mut allowance = guard::removals(job, rules, limits).await?;
    let planned = job.engine.clock.now();
    job.counts.plan_ms = planned.since(began);

    job.enter(Phase::Apply).await?;
    // Rules that are saved meanwhile mark everybody once more, also those who were decided about already.
    for _ in 0..MOST_PASSES {
        let began = rules.stand();
        users(job, rules, &mut allowance).await?;
        if rules.stand() == began {
            break;
        }
    }
    groups::apply(job, rules, limits).await?;
    if !job.is_preview() {
        let mut write = job.begin().await?;
        for kind in [Guarded::Removal, Guarded::Group] {
            write.drop_held_of_other_runs(kind, job.run_id).await?;
        }
        write.count_read_without(Service::Entra).await?;
        write.commit().await?;
    }
    job.enter(Phase::Delete).await?;
    deletions::apply(job, graph, rules, limits).await?;
    job.counts.apply_ms = job.engine.clock.now().since(planned);
    Ok(())
}

async fn users(
    job: &mut Job<'_>,
    rules: &mut PlanRules,
    allowance: &mut guard::Allowance,
) -> Result<(), Failure> {
    let mut after = 0;
    // A preview writes nothing, so that somebody may be drawn into several chunks: the first counts.
    let (mut told, mut told_released) = (BTreeSet::new(), BTreeSet::new());
    let mut waiting = BTreeSet::new();
    loop {
        job.go_on()?;
        let rows = job.customer.dirty_users(Service::Entra, after, job.engine.chunk).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        let first = after == 0;
        after = last.id;
        let now = job.engine.clock.now();
        let mut write = job.begin().await?;
        rules.confirm(job.customer, &mut write).await?;
        let mut plan = Chunk::new(&mut write, rules).plan(rows).await?;
        if job.is_preview() {
            plan.outcomes.retain(|party, _| told.insert(party.clone()));
            plan.released.retain(|released| told_released.insert(released.clone()));
        }
        let moment = Moment { random: job.engine.random.as_ref(), now, read_at: job.read_at };
        let resolved = resolve(plan, rules, allowance, &moment);
        if job.is_preview() {
            drop(write);
            write = job.begin().await?;
        } else {
            resolved.write(&mut write, job.run_id, now).await?;
        }
        resolved.tell(&mut write, job.run_id, now).await?;
        job.add(&resolved);
        let more = resolved.held().filter(|user| waiting.insert(*user)).count();
        job.counts.held += i64::try_from(more).unwrap_or(i64::MAX);
        job.note_progress(&mut write, Phase::Apply).await?;
        write.commit().await?;
        if first {
            job.engine.store.analyse_new_tables().await?;
        }
    }
}
