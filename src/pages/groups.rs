//! The groups of a customer: the list, and a group with its members.

#[cfg(feature = "ssr")]
mod views;

use leptos::prelude::*;

#[cfg(feature = "ssr")]
pub(super) use views::service_of;

use super::screen::screen;
use crate::{components::Rendered, error::AppError};

/// The list of groups, as the query of the page's address has it.
#[server(endpoint = "groups")]
async fn groups(slug: String, query: Option<String>) -> Result<Rendered, AppError> {
    views::list(&slug, &query.unwrap_or_default()).await
}

/// One group with its members.
#[server(endpoint = "group")]
async fn group(slug: String, id: String, query: Option<String>) -> Result<Rendered, AppError> {
    views::group(&slug, &id, &query.unwrap_or_default()).await
}

/// The list of groups.
#[component]
pub(super) fn Groups() -> impl IntoView {
    screen("Groups", |place| Box::pin(groups(place.slug, Some(place.query))))
}

/// A group's page.
#[component]
pub(super) fn GroupPage() -> impl IntoView {
    screen("Group", |place| Box::pin(group(place.slug, place.id, Some(place.query))))
}
