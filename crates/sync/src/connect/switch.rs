//! Connecting another tenant than before: what that would do, and what it notes when it is done.
//!
//! Before the save, the tenant that is typed is read and compared with the portal's users ([`Switch`]); nothing is saved until somebody has seen
//! the figures. The save notes everybody as the former tenant had them. The first complete read of the new tenant hands the same people over
//! (`run/handover.rs`); the others become conflicts, and whoever was named in the figures has passed the deletion guard.

use std::time::Duration;

use directory::entra::Credentials;
use domain::{
    Timestamp,
    number::{count, counted},
    service::{Service, Source},
    settings::{DeleteAfter, EntraSettings, Organisation},
};
use store::{CursorKind, CustomerStore, CustomerWrite, PresentUser};

use crate::{
    Actor, Engine, SyncError, held,
    run::{Foreseen, foresee, on_premises_id},
};

/// How long the other tenant may take to be read: somebody sits before the browser.
const PATIENCE: Duration = Duration::from_secs(45);
/// How many of those who would become conflicts are named.
pub const NAMED: usize = 100;
/// How many users are noted in one statement.
const PAGE: i64 = 2_000;

/// What connecting another tenant would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// How many users are delivered by the present tenant.
    pub users: i64,
    /// How many groups the portal has of it.
    pub groups: i64,
    /// What was found in the other tenant, or why it could not be read.
    pub figures: Result<Figures, String>,
    /// When those who become conflicts are deleted at the earliest; `None` for never.
    pub delete_from: Option<Timestamp>,
    /// How long that is after the first sync, in words.
    pub delete_after: DeleteAfter,
    /// How many exceptions and additions there are.
    pub by_hand: (i64, i64),
}

/// What was found in the other tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Users who stay as they are.
    pub stay: i64,
    /// The numbers of the users who become conflicts.
    pub leaving: Vec<i64>,
    /// The first of them, by name and address.
    pub named: Vec<String>,
}

impl Switch {
    /// What names this question: the same answer to it from the same people, the same stamp.
    #[must_use]
    pub fn stamp(&self, organisation: Option<&Organisation>) -> String {
        let tenant = organisation.map_or("", |organisation| organisation.id.as_str());
        match &self.figures {
            Ok(figures) => format!("{tenant}:{}", held::stamp(&figures.leaving)),
            Err(_) => format!("{tenant}:unread"),
        }
    }

    /// What happens, a sentence each.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        match &self.figures {
            Ok(figures) => {
                let leaving = i64::try_from(figures.leaving.len()).unwrap_or(i64::MAX);
                let of = counted(self.users, "synced user", "synced users");
                sentences.push(format!(
                    "{} of {of} {} in the new tenant and {}: same id, same history.",
                    count(figures.stay),
                    if figures.stay == 1 { "is found" } else { "are found" },
                    if figures.stay == 1 { "stays" } else { "stay" },
                ));
                if leaving > 0 {
                    let when = match self.delete_from {
                        Some(at) => format!(
                            "each would be deleted {} after the first sync, which is {} at the earliest",
                            self.delete_after.label(),
                            at.words()
                        ),
                        None => "none of them is ever deleted by the sync".to_owned(),
                    };
                    let more = figures.leaving.len().saturating_sub(figures.named.len());
                    let more = if more > 0 {
                        format!(" and {} more", count(i64::try_from(more).unwrap_or(i64::MAX)))
                    } else {
                        String::new()
                    };
                    sentences.push(format!(
                        "{} with the first sync ({when}): {}{more}. Confirming this also approves it for the deletion guard.",
                        counted(leaving, "user becomes a conflict", "users become conflicts"),
                        figures.named.join(", "),
                    ));
                }
            }
            Err(why) => {
                let users = counted(self.users, "synced user", "synced users");
                let when = match self.delete_from {
                    Some(at) => format!(
                        "is deleted {} after that, {} at the earliest",
                        self.delete_after.label(),
                        at.words()
                    ),
                    None => "is never deleted by the sync".to_owned(),
                };
                sentences.push(format!(
                    "The new tenant could not be read, so nobody knows how many of {users} are in it. {why} Whoever is not found becomes a \
                     conflict with the first sync and {when}; the deletion guard holds them when they are too many."
                ));
            }
        }
        if self.groups > 0 {
            let groups = counted(self.groups, "group", "groups");
            sentences.push(format!(
                "{groups} of the present tenant leave Groups; those of the new one take their place."
            ));
        }
        let (exceptions, additions) = self.by_hand;
        if exceptions > 0 {
            let exceptions = counted(exceptions, "exception stays and holds", "exceptions stay and hold");
            sentences.push(format!("{exceptions} for whoever has the same address in the new tenant."));
        }
        if additions > 0 {
            let additions = counted(additions, "addition stays and waits", "additions stay and wait");
            sentences.push(format!("{additions} for the address in the new tenant."));
        }
        sentences
    }
}

/// Whether a save connects another tenant: by its own id, or where that is not known by what was typed.
pub(super) fn is_switch(
    before: &EntraSettings,
    known: Option<&Organisation>,
    new: &EntraSettings,
    organisation: Option<&Organisation>,
) -> bool {
    match (known, organisation) {
        (Some(before), Some(now)) => before.id != now.id,
        _ => before.tenant != new.tenant,
    }
}

/// Finds out what a switch would do.
pub(super) async fn foreseen(
    engine: &Engine,
    customer: &CustomerStore,
    credentials: Credentials,
    settings: &EntraSettings,
    organisation: Option<&Organisation>,
    managed: &[String],
) -> Result<Switch, SyncError> {
    let users = customer.delivered_count(Source::Azure).await?;
    let graph = engine.graph(credentials);
    let figures = match organisation {
        None => Err("It did not say who it is.".to_owned()),
        Some(_) => {
            let read = foresee(engine, customer, &graph, settings, organisation, managed);
            match tokio::time::timeout(PATIENCE, read).await {
                Ok(foreseen) => foreseen?.map(figures),
                Err(_elapsed) => {
                    Err(format!("It is too large to be read in {} seconds.", PATIENCE.as_secs()))
                }
            }
        }
    };
    let now = engine.clock.now();
    Ok(Switch {
        users,
        groups: customer.group_count(Source::Azure).await?,
        figures,
        delete_from: settings.delete_users_after.milliseconds().map(|delay| now.plus(delay)),
        delete_after: settings.delete_users_after,
        by_hand: (
            customer.exception_count(Service::Entra).await?,
            i64::try_from(customer.additions(Service::Entra).await?.len()).unwrap_or(i64::MAX),
        ),
    })
}

fn figures(foreseen: Foreseen) -> Figures {
    let named = |user: &PresentUser| format!("{} <{}>", user.display_name, user.primary_address);
    Figures {
        stay: foreseen.stay,
        named: foreseen.leaving.iter().take(NAMED).map(named).collect(),
        leaving: foreseen.leaving.iter().map(|user| user.user_id).collect(),
    }
}

/// Notes in the transaction that connects the other tenant what its first run needs.
pub(super) async fn begin(
    write: &mut CustomerWrite,
    customer: &CustomerStore,
    actor: &Actor,
    switch: &Switch,
    now: Timestamp,
) -> Result<(), SyncError> {
    let mut after = 0;
    loop {
        let page = customer.present_users(Service::Entra, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.user_id;
        let former: Vec<_> = page
            .into_iter()
            .map(|user| {
                let person = user.attributes.as_deref().map(on_premises_id).unwrap_or_default();
                (user.user_id, user.external_id, person)
            })
            .collect();
        write.note_former_users(&former).await?;
    }
    write.set_switched(Service::Entra, Some(now)).await?;
    for kind in [CursorKind::Users, CursorKind::Groups] {
        write.clear_cursor(Service::Entra, kind).await?;
    }
    if let Ok(figures) = &switch.figures {
        held::approve_in_advance(write, actor, &figures.leaving, now).await?;
        // Groups are not named one by one; where it needs two administrators, the guard asks about them.
        if !write.needs_two_administrators().await? {
            write.approve_all_groups(Source::Azure, now).await?;
        }
    }
    Ok(())
}
