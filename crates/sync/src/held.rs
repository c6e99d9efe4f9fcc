//! What the deletion guard holds: approving and dismissing.
//!
//! Each run computes the set anew. Whoever approves or dismisses everything hands over the [`stamp`] of what was shown, so that the decision is
//! about exactly those objects: a run that changed the set meanwhile makes it another one.
//!
//! A customer may want two administrators for each approval ([`rules::save_two_administrators`](crate::rules::save_two_administrators)): then the
//! first one is noted, and what is held goes on waiting until somebody else approves it as well. Dismissing needs one, for it removes nobody.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    guard::{Decision, Guarded},
};
use sha2::{Digest as _, Sha256};
use store::{Approver, Change, CustomerStore, CustomerWrite, Held};

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

/// What was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// About how many objects the decision is another one now.
    pub objects: i64,
    /// How many were approved by one administrator, and wait for another one.
    pub awaiting: i64,
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
    /// The second approval has to be somebody else's.
    #[error(
        "Nothing was changed: you have approved this already. Another administrator has to approve it as well; at the command line, one who is \
         signed in to the portal."
    )]
    SameAdministrator,
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

/// Approves or dismisses what is held. The next run carries it out, unless it needs a second approval.
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
) -> Result<Result<Decided, Refused>, SyncError> {
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
    let (one, several) = named(kind);
    let words = |number: i64| format!("{number} {}", if number == 1 { one } else { several });
    let me = approver(actor);
    let first: BTreeMap<i64, Approver> =
        write.first_approvers_in(kind, &objects).await?.into_iter().collect();
    let (mut objects, mut awaiting) = (objects, Vec::new());
    if approve && write.needs_two_administrators().await? {
        let open = held.iter().filter(|held| held.decision != Decision::Approved).map(|held| held.object_id);
        let open: Vec<i64> = open.collect();
        awaiting = open.iter().copied().filter(|object| !first.contains_key(object)).collect();
        objects = open
            .iter()
            .copied()
            .filter(|object| first.get(object).is_some_and(|other| !is_same(other, &me)))
            .collect();
        if objects.is_empty() && awaiting.is_empty() {
            return Ok(Err(if open.is_empty() { Refused::Nothing } else { Refused::SameAdministrator }));
        }
    }
    if !awaiting.is_empty() {
        write.note_first_approver(kind, &awaiting, Some(&me), Decision::Waiting).await?;
        let object = words(count(awaiting.len()));
        let changes =
            vec![Change::new("Decision", "waiting", "approved by one administrator, waits for another")];
        write.audit(actor.entry(now, "held.approve_first", &object, changes)).await?;
    }
    if !approve && !first.is_empty() {
        let noted: Vec<i64> = first.keys().copied().collect();
        write.note_first_approver(kind, &noted, None, Decision::Waiting).await?;
    }
    let changed = write.decide_held(kind, Some(&objects), decision, now).await?;
    if changed == 0 && awaiting.is_empty() {
        return Ok(Err(Refused::Nothing));
    }
    if changed > 0 {
        if approve {
            write.log_guard(kind, true, changed, now).await?;
        }
        let first = first.iter().filter(|(object, _)| objects.contains(object)).map(|(_, approver)| approver);
        let changes = said(&held, decision, first);
        let action = if approve { "held.approve" } else { "held.dismiss" };
        write.audit(actor.entry(now, action, &words(changed), changes)).await?;
    }
    write.raise_topic("conflicts").await?;
    write.commit().await?;
    Ok(Ok(Decided { objects: changed, awaiting: count(awaiting.len()) }))
}

/// What the audit log says of a decision.
fn said<'a>(held: &[Held], decision: Decision, first: impl Iterator<Item = &'a Approver>) -> Vec<Change> {
    let before = held.iter().filter(|held| held.decision != Decision::Waiting).count();
    let mut changes = vec![Change::new("Decision", "waiting", decision.name())];
    if before > 0 {
        changes.push(Change::new("Decided about before", "", count(before).to_string()));
    }
    let mut names: Vec<&str> = first.map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() && decision == Decision::Approved {
        changes.push(Change::new("First approved by", "", names.join(", ")));
    }
    changes
}

/// Who an actor is, for a second approval. Whoever works at the command line is the same one.
pub(crate) fn approver(actor: &Actor) -> Approver {
    (actor.administrator_id, actor.name.clone())
}

/// Whether both are the same administrator.
pub(crate) fn is_same(one: &Approver, other: &Approver) -> bool {
    match (one.0, other.0) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one.1 == other.1,
        _ => false,
    }
}

/// Approves the removal of users whom a page has named and somebody has confirmed. Where it needs two administrators this is the first
/// approval: if the guard holds them, somebody else has to approve as well.
pub(crate) async fn approve_in_advance(
    write: &mut CustomerWrite,
    actor: &Actor,
    users: &[i64],
    now: Timestamp,
) -> Result<(), SyncError> {
    if write.needs_two_administrators().await? {
        write.await_second_approval(Guarded::Removal, users, &approver(actor), now).await?;
    } else {
        write.approve_removals(users, now).await?;
    }
    Ok(())
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
