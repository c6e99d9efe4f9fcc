//! The screens: a component and its server functions side by side, one file or folder per screen; here the document and the routes.

mod connect;
mod customers;
mod dashboard;
mod directory_services;
mod frame;
mod help;
mod load;
mod login;
mod setup;
mod sync_history;
mod users;

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    hooks::use_params_map,
    path,
};

use crate::{components::ErrorView, error::AppError};

/// The document around every page. `theme` is the reader's choice: `light`, `dark`, or neither for what the system prefers.
#[cfg(feature = "ssr")]
#[must_use]
pub fn shell(options: LeptosOptions, theme: Option<String>) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/icon.svg" type="image/svg+xml" />
                <HydrationScripts options=options.clone() />
                <leptos_meta::HashedStylesheet options=options id="style" />
                <leptos_meta::MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The whole portal.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=|title: String| if title.is_empty() { "Rollcall".to_owned() } else { format!("{title} · Rollcall") } />
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/login") view=login::Login ssr=SsrMode::Async />
                <Route path=path!("/setup") view=setup::Setup ssr=SsrMode::Async />
                <Route path=path!("/customers") view=customers::Customers ssr=SsrMode::Async />
                <Route path=path!("/help/custom-filters") view=help::CustomFilters ssr=SsrMode::Async />
                <ParentRoute path=path!("/customers/:slug") view=frame::Frame ssr=SsrMode::Async>
                    <Route path=path!("") view=dashboard::Dashboard ssr=SsrMode::Async />
                    <Route path=path!("dashboard") view=dashboard::Dashboard ssr=SsrMode::Async />
                    <Route path=path!("users") view=users::Users ssr=SsrMode::Async />
                    <Route
                        path=path!("service-settings/directory-services")
                        view=directory_services::DirectoryServices
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=path!("service-settings/directory-services/entra-id/connect")
                        view=connect::Connect
                        ssr=SsrMode::Async
                    />
                    <Route path=path!("sync-history") view=sync_history::SyncHistory ssr=SsrMode::Async />
                    <Route path=path!("sync-history/:run") view=sync_history::RunPage ssr=SsrMode::Async />
                    <Route path=path!("*any") view=NothingHere ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}

/// The page for an address that leads nowhere.
#[component]
fn NotFound() -> impl IntoView {
    view! {
        <main class="alone">
            <NothingHere />
        </main>
    }
}

/// The same inside a customer's frame, which has the `<main>` already.
#[component]
fn NothingHere() -> impl IntoView {
    #[cfg(feature = "ssr")]
    let _ = crate::access::not_found();
    view! {
        <Title text="Not found" />
        <ErrorView error=AppError::NotFound />
    }
}

/// The customer's slug in the address.
fn use_slug() -> Memo<String> {
    let params = use_params_map();
    Memo::new(move |_| params.with(|params| params.get("slug").unwrap_or_default()))
}

/// The address of a customer's page.
fn customer_path(slug: &str, page: &str) -> String {
    format!("/customers/{slug}/{page}")
}

/// The help page on custom filters.
const HELP: &str = "/help/custom-filters";

/// The Connect page, below a customer's address.
const CONNECT: &str = "service-settings/directory-services/entra-id/connect";
