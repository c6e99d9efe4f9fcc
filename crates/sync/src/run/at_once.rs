//! Settling one object of the mirror outside a run: an addition shows under Users at once, decided by the same planner as in a run.

use domain::service::Service;
use store::{CustomerStore, CustomerWrite, User};

use super::{
    chunk::Chunk,
    drive::Failure,
    guard::Allowance,
    plan_rules::PlanRules,
    resolve::{Moment, resolve},
};
use crate::{Engine, SyncError, connect::SavedConnection};

/// Brings the portal in line with an object that has just become an addition, in the transaction that makes it one and holds the plan. Removes
/// nobody: whoever else would have to go for it is left to the next run. Answers the user that stands for the object then; the text of an inner
/// error says why the rules cannot be used.
pub(crate) async fn settle_addition(
    engine: &Engine,
    customer: &CustomerStore,
    write: &mut CustomerWrite,
    saved: &SavedConnection,
    external_id: &str,
) -> Result<Result<Option<User>, String>, SyncError> {
    let mut rules = match PlanRules::saved(customer, saved).await {
        Ok(rules) => rules,
        Err(Failure::Beneath(error)) => return Err(error),
        Err(Failure::Explained(why)) => return Ok(Err(why)),
    };
    rules.add(external_id);
    let ids = [external_id.to_owned()];
    let rows = write.mirror_by_external_id(Service::Entra, &ids).await?;
    let plan = Chunk::new(write, &rules).plan(rows).await?;
    let now = engine.clock.now();
    let moment = Moment { random: engine.random.as_ref(), now, read_at: now };
    let mut resolved = resolve(plan, &rules, &mut Allowance::none(), &moment);
    resolved.hold_nobody();
    resolved.write(write, 0, now).await?;
    let source = Service::Entra.source();
    Ok(Ok(write.users_by_external_id(source, &ids).await?.into_iter().next()))
}
