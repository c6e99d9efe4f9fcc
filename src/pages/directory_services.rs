//! The directory services of a customer: how each is doing, which mail domains are served, and how many removals are too many.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{components::Rendered, error::AppError};

/// The directory services of a customer.
#[server(endpoint = "directory_services")]
async fn directory_services(slug: String) -> Result<Rendered, AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    let overview = view::load(&desk).await.map_err(|error| access::sync_error(&error))?;
    let answer: Option<change::Answer> =
        access::take_answer(&desk.portal, &desk.session, &view::path(&desk)).await?;
    let (message, typed) = answer.map_or((None, None), |answer| (Some(answer.message), answer.typed));
    Ok(Rendered::new(view::page(&desk, overview, typed)).with_message(message))
}

/// Saves the managed domains: one a line, none for the tenant's own, `*` for all.
#[server(endpoint = "managed_domains")]
async fn managed_domains(slug: String, domains: String) -> Result<(), AppError> {
    let desk = crate::access::require(&slug, domain::role::Role::Administrator).await?;
    change::managed_domains(&desk, domains).await
}

/// Saves the limits of the deletion guard.
#[server(endpoint = "guard")]
async fn guard(
    slug: String,
    max_removals: String,
    max_removals_percent: String,
    min_removals: String,
) -> Result<(), AppError> {
    let desk = crate::access::require(&slug, domain::role::Role::Administrator).await?;
    change::guard(&desk, [&max_removals, &max_removals_percent, &min_removals]).await
}

/// Saves whether an approval needs two administrators.
#[server(endpoint = "two_administrators")]
async fn two_administrators(slug: String, two: Option<String>) -> Result<(), AppError> {
    let desk = crate::access::require(&slug, domain::role::Role::Administrator).await?;
    change::two_administrators(&desk, two.is_some()).await
}

/// The overview.
#[component]
pub(super) fn DirectoryServices() -> impl IntoView {
    screen("Directory Services", |Place { slug, .. }| Box::pin(directory_services(slug)))
}

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod view;
