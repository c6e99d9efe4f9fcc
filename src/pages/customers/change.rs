//! The forms about customers: each calls `sync`, and leaves its answer for the page's next load.

use domain::role::Role;
use sync::customers::{self, Refused};

use super::view::{PATH, settings_path};
use crate::{
    access::{self, Desk},
    components::{Message, Tone},
    error::AppError,
};

/// The desk of an administrator for all customers at one of them. To a stranger there is no such customer.
pub(super) async fn desk(slug: &str) -> Result<Desk, AppError> {
    let desk = access::require(slug, Role::Administrator).await?;
    access::require_everywhere().await?;
    Ok(desk)
}

fn refusal(refused: &Refused) -> Message {
    Message::new(Tone::Bad, refused.to_string())
}

/// Adds a customer.
pub(super) async fn add(slug: &str, name: &str) -> Result<(), AppError> {
    let visitor = access::require_everywhere().await?;
    let added = customers::create(&visitor.portal.engine, &visitor.actor(), slug, name).await;
    let message = match added.map_err(|error| access::sync_error(&error))? {
        Ok(_) => {
            let to = crate::pages::customer_path(slug.trim(), crate::pages::CONNECT);
            Message::new(Tone::Good, format!("{} was added.", name.trim()))
                .linked(to, "Connect its directory")
        }
        Err(refused) => refusal(&refused),
    };
    access::answer(&visitor.portal, &visitor.session, PATH, message).await.map(drop)
}

/// Changes a customer.
pub(super) async fn change(slug: &str, intent: &str, name: &str, typed: &str) -> Result<(), AppError> {
    let desk = desk(slug).await?;
    let (engine, customer, actor) = (&desk.portal.engine, &desk.customer, desk.actor());
    let good = |text: &str| Message::new(Tone::Good, text);
    let own = settings_path(slug);
    let (path, message) = match intent {
        "rename" => {
            let renamed = customers::rename(engine, customer, &actor, name).await;
            match renamed.map_err(|error| access::sync_error(&error))? {
                Ok(_) => (own, good("The customer has its new name.")),
                Err(refused) => (own, refusal(&refused)),
            }
        }
        "suspend" | "resume" => {
            let suspended = intent == "suspend";
            let done = customers::suspend(engine, customer, &actor, suspended).await;
            done.map_err(|error| access::sync_error(&error))?;
            let words = if suspended {
                "The customer is suspended. No sync begins until you end that."
            } else {
                "The suspension has ended. The next scheduled sync begins as planned."
            };
            (own, good(words))
        }
        "delete" => {
            let deleted = customers::delete(engine, customer, &actor, typed).await;
            match deleted.map_err(|error| access::sync_error(&error))? {
                Ok(()) => {
                    let name = &customer.customer().name;
                    (
                        PATH.to_owned(),
                        good(&format!("{name} was deleted with everything that belonged to it.")),
                    )
                }
                Err(refused) => (own, refusal(&refused)),
            }
        }
        _ => return Err(access::not_found()),
    };
    access::answer(&desk.portal, &desk.session, &path, message).await.map(drop)
}
