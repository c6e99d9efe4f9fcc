//! The first page of a customer: whether the sync works, who is there, what is about to happen, and what to do next.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{
    components::{Rendered, Tone, counted},
    error::AppError,
};

/// The dashboard of a customer.
#[server(endpoint = "dashboard")]
async fn dashboard(slug: String) -> Result<Rendered, AppError> {
    use domain::{role::Role, run::Outcome};

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    let figures = figures::load(&desk.customer, desk.portal.now()).await;
    let figures = figures.map_err(|error| access::sync_error(&error))?;
    let running = figures.health.latest.as_ref().is_some_and(|run| run.outcome == Outcome::Running);
    let page = Rendered::new(view::page(&desk, figures));
    Ok(page.about("runs users conflicts by_hand settings customer").live(running))
}

/// The warning about a client secret that expires soon or has expired, in words.
pub(super) fn secret_warning(days: i64) -> (Tone, String) {
    let what = "Create a new one in Entra and save it on the Connect page, or the sync will stop.";
    match days {
        ..0 => (
            Tone::Bad,
            "The client secret has expired: syncs fail until a new one is saved on the Connect page."
                .to_owned(),
        ),
        0 => (Tone::Bad, format!("The client secret expires today. {what}")),
        _ => {
            (Tone::Warning, format!("The client secret expires in {}. {what}", counted(days, "day", "days")))
        }
    }
}

/// The dashboard.
#[component]
pub(super) fn Dashboard() -> impl IntoView {
    screen("Dashboard", |Place { slug, .. }| Box::pin(dashboard(slug)))
}

#[cfg(feature = "ssr")]
mod figures;
#[cfg(feature = "ssr")]
pub(super) mod view;
