//! The customers of an administrator, with how their syncs are doing; who administers all of them adds, suspends and deletes some.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{components::Rendered, error::AppError};

/// Every customer at which the administrator has a role, page by page; `after` in the query is where it goes on.
#[server(endpoint = "customers")]
async fn customers(query: String) -> Result<Rendered, AppError> {
    use crate::{
        access::{self, Query},
        components::Message,
    };

    let visitor = access::signed_in().await?;
    let query = Query::read(&query);
    let list = view::load(&visitor, &query).await.map_err(|error| access::sync_error(&error))?;
    let message: Option<Message> = access::take_answer(&visitor.portal, &visitor.session, view::PATH).await?;
    Ok(Rendered::new(view::page(&visitor, &query, list)).with_message(message))
}

/// The page on which a customer is renamed, suspended or deleted.
#[server(endpoint = "customer_settings")]
async fn customer_settings(slug: String) -> Result<Rendered, AppError> {
    use crate::{access, components::Message};

    let desk = change::desk(&slug).await?;
    let users = desk.customer.user_counts().await.map_err(|error| access::store_error(&error))?;
    let path = view::settings_path(&slug);
    let message: Option<Message> = access::take_answer(&desk.portal, &desk.session, &path).await?;
    let users = users.iter().map(|(_, _, users)| users).sum();
    Ok(Rendered::new(view::settings(desk.customer.customer(), users)).with_message(message))
}

/// Adds a customer.
#[server(endpoint = "customer_add")]
async fn customer_add(slug: String, name: String) -> Result<(), AppError> {
    change::add(&slug, &name).await
}

/// Changes a customer, by `intent`: `rename`, `suspend`, `resume` or `delete`.
#[server(endpoint = "customer_change")]
async fn customer_change(
    slug: String,
    intent: String,
    name: Option<String>,
    typed: Option<String>,
) -> Result<(), AppError> {
    change::change(&slug, &intent, &name.unwrap_or_default(), &typed.unwrap_or_default()).await
}

/// The list of customers.
#[component]
pub(super) fn Customers() -> impl IntoView {
    view! { <main class="alone wider">{screen("Customers", |Place { query, .. }| Box::pin(customers(query)))}</main> }
}

/// The page of one customer's own settings.
#[component]
pub(super) fn CustomerSettings() -> impl IntoView {
    screen("Customer", |Place { slug, .. }| Box::pin(customer_settings(slug)))
}

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod view;
