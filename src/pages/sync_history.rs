//! The runs of a customer, and one run with what it read, changed and has to tell.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{components::Rendered, error::AppError};

/// A page of runs, the latest first: `before` in the query is where it goes on.
#[server(endpoint = "runs")]
async fn runs(slug: String, query: String) -> Result<Rendered, AppError> {
    use domain::{role::Role, service::Service};

    use crate::access::{self, Query};

    let desk = access::require(&slug, Role::Viewer).await?;
    let query = Query::read(&query);
    let loaded = async {
        let runs = desk.customer.runs(query.number("before"), list::PER_PAGE + 1).await?;
        Ok((runs, desk.customer.schedule(Service::Entra).await?))
    };
    let (runs, schedule) = loaded.await.map_err(|error| access::store_error(&error))?;
    let message = access::take_answer(&desk.portal, &desk.session, &list::path(&desk)).await?;
    Ok(Rendered::new(list::page(&desk, &query, runs, schedule)).with_message(message).about("runs"))
}

/// One run, with a page of its changes and a page of its notices.
#[server(endpoint = "run")]
async fn run(slug: String, id: String, query: String) -> Result<Rendered, AppError> {
    use domain::{role::Role, run::Outcome};

    use crate::access::{self, Query};

    let desk = access::require(&slug, Role::Viewer).await?;
    let Ok(id) = id.parse() else { return Err(access::not_found()) };
    let query = Query::read(&query);
    let loaded = one::load(&desk.customer, id, &query).await;
    let Some(found) = loaded.map_err(|error| access::store_error(&error))? else {
        return Err(access::not_found());
    };
    let running = found.run.outcome == Outcome::Running;
    let undo = undo::load(&desk, &found.run, &query).await?;
    let message = access::take_answer(&desk.portal, &desk.session, &one::path(&desk, id)).await?;
    Ok(Rendered::new(one::page(&desk, &query, found, undo)).with_message(message).live(running))
}

/// Starts a preview: a run that reads and decides, and writes nothing but what it would do.
#[server(endpoint = "preview")]
async fn preview(slug: String) -> Result<crate::components::Message, AppError> {
    use domain::{
        role::Role,
        run::{Purpose, Trigger},
    };
    use sync::run::StartRefused;

    use crate::{
        access,
        components::{Message, Tone},
    };

    let desk = access::require(&slug, Role::Operator).await?;
    let engine = &desk.portal.engine;
    let started = engine.start(&desk.customer, Purpose::Preview, Trigger::SyncNow, &desk.actor()).await;
    let (path, message) = match started.map_err(|error| access::sync_error(&error))? {
        Ok(running) => (
            one::path(&desk, running.run),
            Message::new(Tone::Good, "The preview has started. It changes no user."),
        ),
        Err(StartRefused::AlreadyRunning(Some(id))) => (
            one::path(&desk, id),
            Message::new(Tone::Warning, "Nothing was started: this one is already running."),
        ),
        Err(refused) => (list::path(&desk), Message::new(Tone::Bad, refused.to_string())),
    };
    access::answer(&desk.portal, &desk.session, &path, message).await
}

/// Takes back what a run did to users, as its page showed it.
#[server(endpoint = "undo_run")]
async fn undo_run(slug: String, id: String, stamp: String) -> Result<(), AppError> {
    let desk = crate::access::require(&slug, domain::role::Role::Administrator).await?;
    let Ok(id) = id.parse() else { return Err(crate::access::not_found()) };
    undo::confirm(&desk, id, &stamp).await
}

/// The list of runs.
#[component]
pub(super) fn SyncHistory() -> impl IntoView {
    screen("Sync History", |Place { slug, query, .. }| Box::pin(runs(slug, query)))
}

/// The page of a run.
#[component]
pub(super) fn RunPage() -> impl IntoView {
    screen("Sync", |Place { slug, id, query }| Box::pin(run(slug, id, query)))
}

#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod one;
#[cfg(feature = "ssr")]
mod undo;
#[cfg(feature = "ssr")]
pub(super) mod words;
