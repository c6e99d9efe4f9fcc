//! The forms of the page: each calls `sync`, and leaves its answer for the page's next load.

use domain::role::Role;
use serde::{Deserialize, Serialize};
use sync::{
    SyncError,
    administrators::{self, By, Invited, Reach, Refused},
};
use uuid::Uuid;

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
    /// A one-time link that is shown this once: whom it is for, and the link.
    pub(super) shown: Option<(String, String)>,
}

impl Answer {
    fn good(text: impl Into<String>) -> Self {
        Self { message: Message::new(Tone::Good, text), shown: None }
    }
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        Self { message: Message::new(Tone::Bad, refused.to_string()), shown: None }
    }
}

fn by(desk: &Desk) -> By<'_> {
    By { customer: &desk.customer, administrator: &desk.session.administrator }
}

/// The address under which a one-time link is used.
fn link(desk: &Desk, token: &str) -> String {
    format!("{}/invitation?token={token}", desk.portal.public.origin)
}

async fn leave(desk: &Desk, answer: Answer) -> Result<(), AppError> {
    access::answer(&desk.portal, &desk.session, &path(desk), answer).await.map(drop)
}

/// Invites somebody.
pub(super) async fn invite(
    desk: &Desk,
    email: &str,
    display_name: &str,
    role: &str,
    everywhere: bool,
) -> Result<(), AppError> {
    let Some(role) = Role::named(role) else { return Err(access::not_found()) };
    let reach = if everywhere { Reach::Everywhere } else { Reach::Customer };
    let invited =
        administrators::invite(&desk.portal.engine, by(desk), email, display_name, role, reach).await;
    let email = email.trim().to_lowercase();
    let answer = match invited.map_err(|error| access::sync_error(&error))? {
        Ok(Invited::Link(token)) => Answer {
            shown: Some((email.clone(), link(desk, &token))),
            ..Answer::good(format!("{email} is invited. Hand over the link below: it is shown once."))
        },
        Ok(Invited::Known) => {
            Answer::good(format!("{email} has an account already, and now this role. No link is needed."))
        }
        Err(refused) => refused.into(),
    };
    leave(desk, answer).await
}

/// Changes somebody's role or account.
pub(super) async fn change(desk: &Desk, id: &str, intent: &str, role: &str) -> Result<(), AppError> {
    let Ok(whose) = id.parse::<Uuid>() else { return Err(access::not_found()) };
    let (engine, by) = (&desk.portal.engine, by(desk));
    let changed =
        |result: Result<Result<bool, Refused>, SyncError>, done: &str| -> Result<Answer, AppError> {
            Ok(match result.map_err(|error| access::sync_error(&error))? {
                Ok(true) => Answer::good(done),
                Ok(false) => Answer::good("It was so already. Nothing was changed."),
                Err(refused) => refused.into(),
            })
        };
    let role = match role {
        "" | "none" => None,
        name => match Role::named(name) {
            Some(role) => Some(role),
            None => return Err(access::not_found()),
        },
    };
    let answer = match intent {
        "role" => changed(
            administrators::set_role(engine, by, whose, role, Reach::Customer).await,
            "The role at this customer was changed.",
        )?,
        "everywhere" => changed(
            administrators::set_role(engine, by, whose, role, Reach::Everywhere).await,
            "The role for all customers was changed.",
        )?,
        "deactivate" => changed(
            administrators::set_active(engine, by, whose, false).await,
            "The account was deactivated and signed out everywhere.",
        )?,
        "activate" => changed(
            administrators::set_active(engine, by, whose, true).await,
            "The account was activated. The password is the one from before.",
        )?,
        "link" => match administrators::new_link(engine, by, whose)
            .await
            .map_err(|error| access::sync_error(&error))?
        {
            Ok(token) => {
                let email = administrators::link_of(engine, &token)
                    .await
                    .map_err(|error| access::sync_error(&error))?;
                Answer {
                    shown: Some((email.unwrap_or_default(), link(desk, &token))),
                    ..Answer::good("Hand over the link below: it is shown once.")
                }
            }
            Err(refused) => refused.into(),
        },
        _ => return Err(access::not_found()),
    };
    leave(desk, answer).await
}
