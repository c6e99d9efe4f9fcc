//! The screens: a component and its server functions side by side, one file or folder per screen; here the document and the routes.

mod account;
mod additions;
mod administrators;
mod audit_log;
#[cfg(feature = "ssr")]
mod changed_fields;
mod connect;
mod customers;
mod dashboard;
mod directory_services;
mod entra_head;
mod exceptions;
mod frame;
mod groups;
mod held_removals;
mod help;
mod live;
mod login;
#[cfg(feature = "ssr")]
mod progress;
#[cfg(feature = "ssr")]
mod query;
mod recycle_bin;
mod screen;
mod setup;
mod sync_history;
mod user_conflicts;
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

#[cfg(feature = "ssr")]
pub(crate) use self::{progress::progress, users::read as users_page};

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
                <Route path=path!("/invitation") view=account::Invitation ssr=SsrMode::Async />
                <Route path=path!("/account") view=account::Account ssr=SsrMode::Async />
                <Route path=path!("/customers") view=customers::Customers ssr=SsrMode::Async />
                <Route path=path!("/help/custom-filters") view=help::CustomFilters ssr=SsrMode::Async />
                <ParentRoute path=path!("/customers/:slug") view=frame::Frame ssr=SsrMode::Async>
                    <Route path=path!("") view=dashboard::Dashboard ssr=SsrMode::Async />
                    <Route path=path!("dashboard") view=dashboard::Dashboard ssr=SsrMode::Async />
                    <Route path=path!("users") view=users::Users ssr=SsrMode::Async />
                    <Route path=path!("users/new") view=users::ManualUserForm ssr=SsrMode::Async />
                    <Route path=path!("users/import") view=users::ImportUsers ssr=SsrMode::Async />
                    <Route path=path!("users/take-over") view=users::TakeOvers ssr=SsrMode::Async />
                    <Route path=path!("users/:id") view=users::UserPage ssr=SsrMode::Async />
                    <Route path=path!("users/:id/edit") view=users::ManualUserForm ssr=SsrMode::Async />
                    <Route path=path!("users/:id/delete") view=users::DeleteManualUser ssr=SsrMode::Async />
                    <Route path=path!("groups") view=groups::Groups ssr=SsrMode::Async />
                    <Route path=path!("groups/:id") view=groups::GroupPage ssr=SsrMode::Async />
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
                    <Route
                        path=path!("service-settings/directory-services/entra-id/exceptions")
                        view=exceptions::Exceptions
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=path!("service-settings/directory-services/entra-id/additions")
                        view=additions::Additions
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=path!("service-settings/directory-services/entra-id/user-conflicts")
                        view=user_conflicts::UserConflicts
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=path!("service-settings/directory-services/entra-id/user-conflicts/decide")
                        view=user_conflicts::Decide
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=path!("service-settings/directory-services/entra-id/held-removals")
                        view=held_removals::HeldRemovals
                        ssr=SsrMode::Async
                    />
                    <Route path=path!("recycle-bin") view=recycle_bin::RecycleBin ssr=SsrMode::Async />
                    <Route path=path!("sync-history") view=sync_history::SyncHistory ssr=SsrMode::Async />
                    <Route path=path!("sync-history/:run") view=sync_history::RunPage ssr=SsrMode::Async />
                    <Route path=path!("audit-log") view=audit_log::AuditLog ssr=SsrMode::Async />
                    <Route path=path!("administrators") view=administrators::Administrators ssr=SsrMode::Async />
                    <Route path=path!("settings") view=customers::CustomerSettings ssr=SsrMode::Async />
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

/// Cuts a list that was asked for one row more than a page holds, and says whether there is a next page.
#[cfg(feature = "ssr")]
fn cut<T>(rows: &mut Vec<T>, page: i64) -> bool {
    let page = usize::try_from(page).unwrap_or(usize::MAX);
    let more = rows.len() > page;
    rows.truncate(page);
    more
}

/// Why a page of a list that was asked for by its place in it is empty, and the step to what there is.
#[cfg(feature = "ssr")]
const NOTHING_MORE: &str = "There is nothing more here: the list has changed meanwhile.";
#[cfg(feature = "ssr")]
const TO_THE_FIRST: &str = "Back to the first page";

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

/// The pages of Entra ID, below a customer's address.
#[cfg(feature = "ssr")]
const ENTRA: &str = "service-settings/directory-services/entra-id";

/// The users in conflict that a query of their page selects, for the export beside it.
#[cfg(feature = "ssr")]
pub(crate) fn conflicts_selected(query: &str) -> sync::conflicts::Selection {
    user_conflicts::selected(query)
}
