//! What the deletion guard holds: approving and dismissing.
//!
//! Each run computes the set anew. Whoever approves or dismisses everything hands over the [`stamp`] of what was shown, so that the decision is
//! about exactly those objects: a run that changed the set meanwhile makes it another one.

use domain::guard::{Decision, Guarded};
use sha2::{Digest as _, Sha256};
use store::{Change, CustomerStore};

use crate::{Actor, Engine, SyncError, conflicts::count};

/// What is decided about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// These objects, by number, whatever was decided about them before.
    Objects(Vec<i64>),
    /// All that wait, if they are those of this [`stamp`].
    Waiting {
        /// The stamp of what was shown.
        stamp: String,
    },
}

/// Why nothing was decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing was selected, or it is not held any more.
    #[error("Nothing was changed: nothing of what was selected is held any more.")]
    Nothing,
    /// Others are held by now.
    #[error(
        "Nothing was changed: a sync ran meanwhile and holds others now. Look at the list again before you decide."
    )]
    Changed,
}

/// What names a set of held objects: the same set, the same stamp.
#[must_use]
pub fn stamp(objects: &[i64]) -> String {
    let mut hasher = Sha256::new();
    for object in objects {
        hasher.update(object.to_be_bytes());
    }
    hasher.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// What the audit log and messages call the objects of a kind.
#[must_use]
pub const fn named(kind: Guarded) -> (&'static str, &'static str) {
    match kind {
        Guarded::Removal => ("removal", "removals"),
        Guarded::Deletion => ("deletion", "deletions"),
        Guarded::Group => ("group removal", "group removals"),
    }
}

/// Approves or dismisses what is held. Answers about how many objects the decision is another one now. The next run carries it out.
///
/// # Errors
/// When the database cannot do it. Why nothing was decided is the inner error.
pub async fn decide(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    kind: Guarded,
    chosen: &Chosen,
    approve: bool,
) -> Result<Result<i64, Refused>, SyncError> {
    let now = engine.clock.now();
    let decision = if approve { Decision::Approved } else { Decision::Dismissed };
    let mut write = customer.begin().await?;
    crate::run::hold_plan(&mut write).await?;
    let objects = match chosen {
        Chosen::Objects(objects) => objects.clone(),
        Chosen::Waiting { stamp: shown } => {
            let waiting = write.waiting_in(kind).await?;
            if stamp(&waiting) != *shown {
                return Ok(Err(Refused::Changed));
            }
            waiting
        }
    };
    let held = write.held_among(kind, &objects).await?;
    let changed = write.decide_held(kind, Some(&objects), decision, now).await?;
    if changed == 0 {
        return Ok(Err(Refused::Nothing));
    }
    if approve {
        write.log_guard(kind, true, changed, now).await?;
    }
    let (one, several) = named(kind);
    let object = format!("{changed} {}", if changed == 1 { one } else { several });
    let before = held.iter().filter(|held| held.decision != Decision::Waiting).count();
    let mut changes = vec![Change::new("Decision", "waiting", decision.name())];
    if before > 0 {
        changes.push(Change::new("Decided about before", "", count(before).to_string()));
    }
    let action = if approve { "held.approve" } else { "held.dismiss" };
    write.audit(actor.entry(now, action, &object, changes)).await?;
    write.raise_topic("conflicts").await?;
    write.commit().await?;
    Ok(Ok(changed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_set_of_as_many_has_another_stamp() {
        assert_eq!(stamp(&[1, 2]), stamp(&[1, 2]));
        assert_ne!(stamp(&[1, 2]), stamp(&[1, 3]));
        assert_ne!(stamp(&[]), stamp(&[0]));
    }
}
