//! The forms of the overview: each calls `sync`, and leaves its answer for the page's next load.

use domain::settings::GuardLimits;
use serde::{Deserialize, Serialize};
use sync::rules;

use super::view::path;
use crate::{
    access::{self, Desk},
    components::{Message, Tone},
    error::AppError,
};

/// What came of a form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) message: Message,
    /// The domains that were typed and refused: the page shows them again.
    pub(super) typed: Option<String>,
}

async fn leave(desk: &Desk, message: Message, typed: Option<String>) -> Result<(), AppError> {
    access::answer(&desk.portal, &desk.session, &path(desk), Answer { message, typed }).await.map(drop)
}

/// Saves the managed domains.
pub(super) async fn managed_domains(desk: &Desk, typed: String) -> Result<(), AppError> {
    let entries: Vec<String> = typed
        .split(|c: char| c.is_whitespace() || c == ',' || c == ';')
        .filter(|entry| !entry.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    let (engine, customer) = (&desk.portal.engine, &desk.customer);
    let saved = rules::save_managed_domains(engine, customer, &desk.actor(), &entries).await;
    match saved.map_err(|error| access::sync_error(&error))? {
        Ok(_) => {
            let message =
                Message::new(Tone::Good, "The managed domains were saved. The next sync decides by them.");
            leave(desk, message, None).await
        }
        Err(refused) => {
            let message = Message::new(Tone::Bad, format!("{} Nothing was saved.", refused.message));
            leave(desk, message, Some(typed)).await
        }
    }
}

/// Saves whether an approval needs two administrators.
pub(super) async fn two_administrators(desk: &Desk, on: bool) -> Result<(), AppError> {
    rules::save_two_administrators(&desk.portal.engine, &desk.customer, &desk.actor(), on)
        .await
        .map_err(|error| access::sync_error(&error))?;
    let words = if on {
        "Saved. From now on an approval needs a second, other administrator."
    } else {
        "Saved. From now on one administrator's approval is enough."
    };
    leave(desk, Message::new(Tone::Good, words), None).await
}

/// Saves the limits of the deletion guard.
pub(super) async fn guard(desk: &Desk, typed: [&str; 3]) -> Result<(), AppError> {
    let [Ok(max_removals), Ok(max_removals_percent), Ok(min_removals)] =
        typed.map(|text| text.trim().parse())
    else {
        let message = Message::new(Tone::Bad, "Enter whole numbers. Nothing was saved.");
        return leave(desk, message, None).await;
    };
    let limits = GuardLimits { max_removals, max_removals_percent, min_removals };
    let saved = rules::save_guard(&desk.portal.engine, &desk.customer, &desk.actor(), limits).await;
    let message = match saved.map_err(|error| access::sync_error(&error))? {
        Ok(_) => Message::new(Tone::Good, "The limits were saved. The next sync holds by them."),
        Err(refused) => Message::new(Tone::Bad, format!("{} Nothing was saved.", refused.message)),
    };
    leave(desk, message, None).await
}
