//! The audit log: who changed what, from what to what, filtered and page by page.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{components::Rendered, error::AppError};

/// A page of the log, the latest first. The query holds the filter, and in `before` where it goes on.
#[server(endpoint = "audit_log")]
async fn audit_log(slug: String, query: String) -> Result<Rendered, AppError> {
    use domain::role::Role;

    use crate::access::{self, Query};

    let desk = access::require(&slug, Role::Viewer).await?;
    let query = Query::read(&query);
    let found = view::load(&desk, &query).await.map_err(|error| access::store_error(&error))?;
    // Of a running sync, only its end is an entry: its progress is none.
    Ok(Rendered::new(view::page(&desk, &query, found))
        .about("settings users conflicts by_hand exceptions additions customer"))
}

/// The audit log.
#[component]
pub(super) fn AuditLog() -> impl IntoView {
    screen("Audit Log", |Place { slug, query, .. }| Box::pin(audit_log(slug, query)))
}

#[cfg(feature = "ssr")]
mod view;
