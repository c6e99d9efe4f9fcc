//! Users in conflict: what an administrator decides about them.
//!
//! A decision names its users one by one, or all that match a filter. For the latter the page (or the command line) hands over the count that
//! it showed; the filter is evaluated again inside the transaction, and a count that is another one by now refuses the decision: nobody is
//! deleted who was not shown.
//!
//! - [`decide`]: Delete, Ignore, Deactivate, and the reverse ones;
//! - [`export`]: the same users as CSV;
//! - [`rival`]: whether somebody who has a leaver's address is the same person.

pub mod export;
pub mod rival;

use domain::{
    Timestamp,
    conflict::{Conflict, State},
    settings::DeleteAfter,
};
use store::{Change, ConflictFilter, ConflictRow, CustomerStore, CustomerWrite, Deletion};
use uuid::Uuid;

use crate::{Actor, Engine, SyncError, connect, run::hold_plan};

/// How many users an audit entry names; of more it says how many.
const NAMED: usize = 100;

/// The setting by which users in conflict are deleted; `None` while no directory service is on, because the clocks stand still then.
///
/// # Errors
/// When the database cannot answer.
pub async fn deletion_setting(customer: &CustomerStore) -> Result<Option<DeleteAfter>, SyncError> {
    let saved = connect::saved(customer).await?.filter(|saved| saved.settings.enabled);
    Ok(saved.map(|saved| saved.settings.delete_users_after))
}

/// Which users are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These, by the ids in addresses of pages. Those whose conflict closed meanwhile are passed over.
    Users(Vec<Uuid>),
    /// All that match, if they are still as many as were shown.
    All {
        /// The filter of the list.
        filter: ConflictFilter,
        /// The count that was shown.
        shown: i64,
    },
}

/// What is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The users are deleted now; they go to the recycle bin.
    Delete,
    /// Pending ones are not deleted, for ever or until that moment.
    Ignore {
        /// When the clock starts anew; `None` for never.
        until: Option<Timestamp>,
        /// Why.
        note: String,
    },
    /// The clock of ignored ones starts anew.
    StopIgnoring,
    /// The service stops for the users, and so does the clock.
    Deactivate {
        /// The service stays off when they are delivered again.
        stay_inactive: bool,
        /// Why.
        note: String,
    },
    /// The service of deactivated ones is on again, and their clock starts anew.
    Activate,
}

impl Decision {
    /// The word of the audit log.
    const fn action(&self) -> &'static str {
        match self {
            Self::Delete => "conflict.delete",
            Self::Ignore { .. } => "conflict.ignore",
            Self::StopIgnoring => "conflict.stop_ignoring",
            Self::Deactivate { .. } => "conflict.deactivate",
            Self::Activate => "conflict.activate",
        }
    }

    /// Whether it makes sense for a conflict in that state.
    #[must_use]
    pub const fn applies_to(&self, state: State) -> bool {
        match self {
            Self::Delete => true,
            Self::Ignore { .. } | Self::Deactivate { .. } => !matches!(state, State::Deactivated),
            Self::StopIgnoring => matches!(state, State::Ignored),
            Self::Activate => matches!(state, State::Deactivated),
        }
    }

    /// What it does to the service.
    const fn service(&self) -> Option<bool> {
        match self {
            Self::Deactivate { .. } => Some(false),
            Self::Activate => Some(true),
            Self::Delete | Self::Ignore { .. } | Self::StopIgnoring => None,
        }
    }

    fn applied(&self, conflict: &Conflict, now: Timestamp) -> Conflict {
        let open = Conflict {
            state: State::Pending,
            ignored_until: None,
            note: String::new(),
            stay_inactive: false,
            ..conflict.clone()
        };
        match self {
            Self::Delete => open,
            Self::Ignore { until, note } => {
                Conflict { state: State::Ignored, ignored_until: *until, note: note.clone(), ..open }
            }
            Self::Deactivate { stay_inactive, note } => Conflict {
                state: State::Deactivated,
                stay_inactive: *stay_inactive,
                note: note.clone(),
                ..open
            },
            // An earlier promise of time was for the clock that stood before.
            Self::StopIgnoring | Self::Activate => Conflict { clock_from: now, not_before: None, ..open },
        }
    }
}

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// How many users it was applied to.
    pub users: i64,
    /// How many of the selected it does not apply to, or are in conflict no more.
    pub passed_over: i64,
}

/// Why nothing was decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody was selected.
    #[error("Nobody is selected. Tick the users that are meant.")]
    Nobody,
    /// The list is another one by now.
    #[error(
        "Nothing was changed: {shown} users were shown, and {now} match by now. Look at the list again before you decide."
    )]
    Changed {
        /// The count that was shown.
        shown: i64,
        /// The count as it is.
        now: i64,
    },
    /// None of the selected is in a state that the decision is about.
    #[error(
        "Nothing was changed: this does not apply to any of the selected users, or they are in conflict no more."
    )]
    DoesNotApply,
    /// An Ignore would end before it begins.
    #[error("Choose a day after today, or leave the field empty for as long as the absence lasts.")]
    Past,
}

/// Decides about users in conflict.
///
/// # Errors
/// When the database cannot do it. Why nothing was decided is the inner error.
pub async fn decide(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    selection: &Selection,
    decision: &Decision,
) -> Result<Result<Done, Refused>, SyncError> {
    let now = engine.clock.now();
    if let Decision::Ignore { until: Some(until), .. } = decision
        && *until <= now
    {
        return Ok(Err(Refused::Past));
    }
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    let (chosen, asked) = match selection {
        Selection::Users(ids) if ids.is_empty() => return Ok(Err(Refused::Nobody)),
        Selection::Users(ids) => (write.lock_conflicts_of(ids).await?, count(ids.len())),
        Selection::All { filter, shown } => {
            let rows = write.lock_conflicts_where(filter).await?;
            if count(rows.len()) != *shown {
                return Ok(Err(Refused::Changed { shown: *shown, now: count(rows.len()) }));
            }
            (rows, *shown)
        }
    };
    let rows: Vec<ConflictRow> =
        chosen.into_iter().filter(|row| decision.applies_to(row.conflict.state)).collect();
    if rows.is_empty() {
        return Ok(Err(Refused::DoesNotApply));
    }
    match decision {
        Decision::Delete => {
            let deletions: Vec<Deletion> = rows.iter().map(deletion).collect();
            write.delete_users(&deletions, &actor.name, now).await?;
        }
        _ => {
            let conflicts: Vec<(i64, Conflict)> =
                rows.iter().map(|row| (row.user_id, decision.applied(&row.conflict, now))).collect();
            write.decide_conflicts(&conflicts, decision.service()).await?;
        }
    }
    note(&mut write, actor, decision, &rows, now).await?;
    write.commit().await?;
    let users = count(rows.len());
    Ok(Ok(Done { users, passed_over: asked - users }))
}

/// The reason stays that of the conflict: a restored user gets it back.
fn deletion(row: &ConflictRow) -> Deletion {
    Deletion { user_id: row.user_id, reason: row.conflict.reason.label().to_owned() }
}

async fn note(
    write: &mut CustomerWrite,
    actor: &Actor,
    decision: &Decision,
    rows: &[ConflictRow],
    now: Timestamp,
) -> Result<(), SyncError> {
    let mut changes: Vec<Change> = rows
        .iter()
        .take(NAMED)
        .map(|row| {
            let after = match decision {
                Decision::Delete => "deleted",
                _ => decision.applied(&row.conflict, now).state.label(),
            };
            Change::new(shown(row), row.conflict.state.label(), after)
        })
        .collect();
    match decision {
        Decision::Ignore { until, note } => {
            let until = until.map_or("as long as the absence lasts".to_owned(), Timestamp::words);
            changes.push(Change::new("Until", "", until));
            changes.push(Change::new("Reason", "", note.as_str()));
        }
        Decision::Deactivate { stay_inactive, note } => {
            changes.push(Change::new("Stay inactive", "", if *stay_inactive { "yes" } else { "no" }));
            changes.push(Change::new("Reason", "", note.as_str()));
        }
        Decision::Delete | Decision::StopIgnoring | Decision::Activate => {}
    }
    changes.retain(|change| change.old != change.new);
    let object = match rows {
        [one] => shown(one),
        several => format!("{} users", several.len()),
    };
    write.audit(actor.entry(now, decision.action(), &object, changes)).await?;
    write.raise_topic("conflicts").await?;
    write.raise_topic("users").await?;
    Ok(())
}

fn shown(row: &ConflictRow) -> String {
    format!("{} <{}>", row.display_name, row.primary_address)
}

/// A length as counts are kept here.
pub(crate) fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
