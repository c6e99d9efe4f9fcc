//! The users of a customer: the list, a user's page, and entering Manual users.
//!
//! The server renders these pages whole (see [`screen`](super::screen)); their forms are plain ones, sent to the server functions here.

#[cfg(feature = "ssr")]
mod detail;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod manual;

use leptos::prelude::*;

#[cfg(feature = "ssr")]
pub(crate) use list::read;

use super::screen::screen;
use crate::{components::Rendered, error::AppError};

/// The list of users, as the query of the page's address has it.
#[server(endpoint = "users")]
async fn users(slug: String, query: Option<String>) -> Result<Rendered, AppError> {
    list::page(&slug, &query.unwrap_or_default()).await
}

/// One user.
#[server(endpoint = "user")]
async fn user(slug: String, id: String, query: Option<String>) -> Result<Rendered, AppError> {
    detail::page(&slug, &id, &query.unwrap_or_default()).await
}

/// Switches a user's service on or off.
#[server(endpoint = "set_service")]
async fn set_service(slug: String, id: String, on: String) -> Result<(), AppError> {
    detail::set_service(&slug, &id, on == "on").await
}

/// The form for a Manual user: a new one, or with an id the one that is there.
#[server(endpoint = "manual_user_form")]
async fn manual_user_form(slug: String, id: String) -> Result<Rendered, AppError> {
    manual::form(&slug, &id).await
}

/// Adds a Manual user, or with an id changes the one that is there.
#[server(endpoint = "save_manual_user")]
async fn save_manual_user(
    slug: String,
    id: Option<String>,
    name: String,
    primary: String,
    aliases: Option<String>,
) -> Result<(), AppError> {
    let typed = sync::manual_users::ManualUser { name, primary, aliases: aliases.unwrap_or_default() };
    manual::save(&slug, id.filter(|id| !id.is_empty()).as_deref(), typed).await
}

/// The page that asks before a Manual user is deleted.
#[server(endpoint = "delete_manual_user_page")]
async fn delete_manual_user_page(slug: String, id: String) -> Result<Rendered, AppError> {
    manual::delete_page(&slug, &id).await
}

/// Deletes a Manual user.
#[server(endpoint = "delete_manual_user")]
async fn delete_manual_user(slug: String, id: String) -> Result<(), AppError> {
    manual::delete(&slug, &id).await
}

/// The page on which Manual users are imported.
#[server(endpoint = "import_users_page")]
async fn import_users_page(slug: String) -> Result<Rendered, AppError> {
    manual::import_page(&slug).await
}

/// Reviews a file of Manual users, or with `go` adds those that were found right.
#[server(endpoint = "import_users")]
async fn import_users(slug: String, csv: String, go: Option<String>) -> Result<(), AppError> {
    manual::import(&slug, csv, go.is_some()).await
}

/// Manual users whose address the directory delivers.
#[server(endpoint = "take_overs")]
async fn take_overs(slug: String) -> Result<Rendered, AppError> {
    manual::take_overs_page(&slug).await
}

/// Decides about a Manual user whose address the directory delivers: `take` or `never`.
#[server(endpoint = "decide_take_over")]
async fn decide_take_over(
    slug: String,
    id: String,
    external_id: String,
    decision: String,
) -> Result<(), AppError> {
    manual::decide_take_over(&slug, &id, &external_id, &decision).await
}

/// The list of users.
#[component]
pub(super) fn Users() -> impl IntoView {
    screen("Users", |place| Box::pin(users(place.slug, Some(place.query))))
}

/// A user's page.
#[component]
pub(super) fn UserPage() -> impl IntoView {
    screen("User", |place| Box::pin(user(place.slug, place.id, Some(place.query))))
}

/// The form for a new Manual user, or for the one in the address.
#[component]
pub(super) fn ManualUserForm() -> impl IntoView {
    screen("Manual user", |place| Box::pin(manual_user_form(place.slug, place.id)))
}

/// The page that asks before a Manual user is deleted.
#[component]
pub(super) fn DeleteManualUser() -> impl IntoView {
    screen("Delete user", |place| Box::pin(delete_manual_user_page(place.slug, place.id)))
}

/// The import of Manual users.
#[component]
pub(super) fn ImportUsers() -> impl IntoView {
    screen("Import users", |place| Box::pin(import_users_page(place.slug)))
}

/// The take-over list.
#[component]
pub(super) fn TakeOvers() -> impl IntoView {
    screen("Take over", |place| Box::pin(take_overs(place.slug)))
}
