//! Somebody has the address of a user in conflict, under another directory id and another name: the same person, or a new one?
//!
//! Only an administrator knows. The run keeps the two apart, so that a new hire never inherits a leaver's record, and notes the newcomer's
//! directory id as the conflict's *rival*.

use domain::{
    conflict::{Conflict, State},
    service::{Service, Source},
};
use store::{Change, CustomerStore, CustomerWrite, Deletion, User, UserWrite};
use uuid::Uuid;

use crate::{Actor, Engine, SyncError, run::hold_plan};

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The leaver is back under another directory id: one user, with the leaver's id and the history of both.
    SamePerson,
    /// Somebody else: the question is not asked again.
    NewPerson,
}

/// Why the question was not settled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The conflict closed, or the newcomer left.
    #[error("This question is no longer open: the list has changed meanwhile.")]
    Closed,
}

/// Settles whether the rival of a user in conflict is the same person.
///
/// # Errors
/// When the database cannot do it. Why it was not settled is the inner error.
pub async fn answer(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    user: Uuid,
    answer: Answer,
) -> Result<Result<(), Refused>, SyncError> {
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    let row = write.lock_conflicts_of(&[user]).await?.into_iter().next();
    let Some(leaver) = row else { return Ok(Err(Refused::Closed)) };
    let Some(rival) = leaver.conflict.rival.clone() else { return Ok(Err(Refused::Closed)) };
    let ids = [rival.clone()];
    let newcomer = write.users_by_external_id(Source::Azure, &ids).await?.into_iter().next();
    let now = engine.clock.now();
    let name = format!("{} <{}>", leaver.display_name, leaver.primary_address);
    let (action, changes) = match answer {
        Answer::NewPerson => {
            let settled = Conflict { rival: None, ..leaver.conflict.clone() };
            write.decide_conflicts(&[(leaver.user_id, settled)], None).await?;
            ("conflict.new_person", vec![Change::new("Somebody else", "", shown(newcomer.as_ref(), &rival))])
        }
        Answer::SamePerson => {
            let Some(before) = write.users_by_id(&[leaver.user_id]).await?.into_iter().next() else {
                return Ok(Err(Refused::Closed));
            };
            let there = write.mirror_by_external_id(Service::Entra, &ids).await?;
            if !there.iter().any(|row| !row.gone) {
                return Ok(Err(Refused::Closed));
            }
            let changes = vec![
                Change::new("Directory id", before.external_id.clone().unwrap_or_default(), rival.as_str()),
                Change::new("Merged", "", shown(newcomer.as_ref(), &rival)),
            ];
            merge(&mut write, engine, actor, before, newcomer, &rival).await?;
            // The next run brings the rest in line: names, addresses, and the conflict where it could not close here.
            write.mark_dirty(Service::Entra, &ids).await?;
            ("conflict.same_person", changes)
        }
    };
    write.audit(actor.entry(now, action, &name, changes)).await?;
    write.raise_topic("conflicts").await?;
    write.raise_topic("users").await?;
    write.commit().await?;
    Ok(Ok(()))
}

/// The leaver takes over the newcomer's directory id, and with it whatever the newcomer's own user had; that user is merged away.
async fn merge(
    write: &mut CustomerWrite,
    engine: &Engine,
    actor: &Actor,
    leaver: User,
    newcomer: Option<User>,
    rival: &str,
) -> Result<(), SyncError> {
    let now = engine.clock.now();
    if let Some(newcomer) = &newcomer {
        let deletion = Deletion { user_id: newcomer.id, reason: "merged".to_owned() };
        write.delete_users(&[deletion], &actor.name, now).await?;
        // It is no deleted user that could be restored: it lives on in the leaver.
        let binned = write.binned(Source::Azure, &[rival.to_owned()]).await?;
        let entries: Vec<i64> = binned
            .iter()
            .filter(|entry| entry.public_id == newcomer.public_id)
            .map(|entry| entry.id)
            .collect();
        write.take_from_bin(&entries).await?;
        write.move_history(newcomer.public_id, leaver.public_id).await?;
    }
    let wakes = leaver
        .conflict
        .as_ref()
        .is_some_and(|conflict| conflict.state == State::Deactivated && !conflict.stay_inactive);
    let mut merged = UserWrite {
        id: Some(leaver.id),
        restore_as: None,
        public_id: leaver.public_id,
        source: Source::Azure,
        external_id: Some(rival.to_owned()),
        display_name: leaver.display_name,
        primary: leaver.primary_address,
        address_lost: leaver.address_lost,
        aliases: leaver.aliases,
        service_on: leaver.service_on || wakes,
        sign_in_blocked: leaver.sign_in_blocked,
        conflict: None,
        created_at: None,
        now,
    };
    match newcomer {
        Some(newcomer) => {
            merged.display_name = newcomer.display_name;
            merged.primary = newcomer.primary_address;
            merged.address_lost = newcomer.address_lost;
            merged.aliases = newcomer.aliases;
            merged.sign_in_blocked = newcomer.sign_in_blocked;
            merged.conflict = newcomer.conflict;
        }
        // Nobody was synced under that id yet: the run that delivers it closes the conflict.
        None => merged.conflict = leaver.conflict.map(|conflict| Conflict { rival: None, ..conflict }),
    }
    write.write_users(&[merged]).await?;
    Ok(())
}

fn shown(newcomer: Option<&User>, rival: &str) -> String {
    newcomer.map_or_else(
        || format!("directory id {rival}"),
        |user| format!("{} <{}>", user.display_name, user.primary_address),
    )
}
