//! Bringing the portal's users in line with the mirror, chunk by chunk.

use domain::{run::Phase, service::Service};

use super::{
    chunk::{Chunk, Unknown},
    drive::{Failure, Job},
    plan_rules::PlanRules,
};

/// Decides about everything that is marked in the mirror, and writes it.
///
/// There are two passes. In the first, somebody whose address is held by a user of whom nothing is known yet is put off: that user's own turn
/// may come in a later chunk, and will settle both. What is still open then is decided in the second.
pub(super) async fn apply(job: &mut Job<'_>, rules: &mut PlanRules) -> Result<(), Failure> {
    if job.counts.users_read == 0 {
        return Err(Failure::Explained(
            "The directory was read to its end and showed nobody at all, which cannot be right. Check that the app may read users \
             (User.Read.All) and that this is the right tenant."
                .to_owned(),
        ));
    }
    for unknown in [Unknown::PutOff, Unknown::Decide] {
        let mut after = 0;
        loop {
            job.go_on()?;
            let rows = job.customer.dirty_users(Service::Entra, after, job.engine.chunk).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            let mut write = job.begin().await?;
            rules.confirm(job.customer, &mut write).await?;
            let plan = Chunk::new(&mut write, rules).plan(rows, unknown).await?;
            let written = plan.write(job, &mut write).await?;
            job.counts.added += written.added;
            job.counts.updated += written.updated;
            job.clashes += written.clashes;
            job.note_progress(&mut write, Phase::Apply).await?;
            write.commit().await?;
        }
    }
    Ok(())
}
