//! Who may sign in for this customer, and as what.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{components::Rendered, error::AppError};

/// The administrators who have a role at this customer.
#[server(endpoint = "administrators")]
async fn administrators(slug: String) -> Result<Rendered, AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Administrator).await?;
    let list = view::load(&desk).await.map_err(|error| access::store_error(&error))?;
    let answer: Option<change::Answer> =
        access::take_answer(&desk.portal, &desk.session, &view::path(&desk)).await?;
    let (message, shown) = answer.map_or((None, None), |answer| (Some(answer.message), answer.shown));
    Ok(Rendered::new(view::page(&desk, list, shown)).with_message(message))
}

/// Invites somebody.
#[server(endpoint = "administrator_invite")]
async fn administrator_invite(
    slug: String,
    email: String,
    display_name: String,
    role: String,
    everywhere: Option<String>,
) -> Result<(), AppError> {
    let desk = crate::access::require(&slug, domain::role::Role::Administrator).await?;
    change::invite(&desk, &email, &display_name, &role, everywhere.is_some()).await
}

/// Changes somebody's role or account, by `intent`: `role`, `everywhere`, `deactivate`, `activate` or `link`.
#[server(endpoint = "administrator_change")]
async fn administrator_change(
    slug: String,
    id: String,
    intent: String,
    role: Option<String>,
) -> Result<(), AppError> {
    let desk = crate::access::require(&slug, domain::role::Role::Administrator).await?;
    change::change(&desk, &id, &intent, &role.unwrap_or_default()).await
}

/// The administrators.
#[component]
pub(super) fn Administrators() -> impl IntoView {
    screen("Administrators", |Place { slug, .. }| Box::pin(administrators(slug)))
}

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod view;
