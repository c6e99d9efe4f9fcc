//! The first page of a customer: whether the sync works, who is there, and what to do next.

use domain::{run::Outcome, service::Source};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::{Deserialize, Serialize};

use super::{CONNECT, customer_path, use_slug};
use crate::{
    components::{ErrorView, Icon, Loading, Moment, MomentView, Tone, count, counted},
    error::AppError,
};

/// What the dashboard shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DashboardData {
    /// Users by source.
    users: Vec<(Source, i64)>,
    /// The connected organisation's name, when a directory service is enabled.
    organisation: Option<String>,
    /// Whether a directory service is set up and enabled.
    enabled: bool,
    /// Days until the client secret expires, when that is soon.
    secret_days: Option<i64>,
    /// The latest run.
    run: Option<LastRun>,
}

/// The latest run, in short.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LastRun {
    id: String,
    outcome: Outcome,
    when: Moment,
    summary: String,
}

/// The dashboard of a customer.
#[server(endpoint = "dashboard")]
async fn dashboard(slug: String) -> Result<DashboardData, AppError> {
    use domain::{role::Role, service::Service, settings::EntraSettings};

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    let now = desk.portal.now();
    let loaded = async {
        let counts = desk.customer.user_counts().await?;
        let service = desk.customer.service(Service::Entra).await?;
        let runs = desk.customer.runs(None, 1).await?;
        let settings = service.as_ref().map(store::DirectoryService::entra).transpose()?;
        Ok((counts, service, settings, runs))
    };
    let (counts, service, settings, runs) = loaded.await.map_err(|error| access::store_error(&error))?;
    let days = settings.as_ref().and_then(|settings: &EntraSettings| settings.secret_expires_soon(now));
    let per_source =
        |source: Source| counts.iter().filter(|(own, _, _)| *own == source).map(|(_, _, users)| users).sum();
    Ok(DashboardData {
        users: Source::ALL.into_iter().map(|source| (source, per_source(source))).collect(),
        enabled: settings.is_some_and(|settings| settings.enabled),
        organisation: service
            .and_then(|service| service.organisation)
            .map(|organisation| organisation.display_name),
        secret_days: days,
        run: runs.into_iter().next().map(|run| LastRun {
            id: run.public_id.to_string(),
            outcome: run.outcome,
            when: Moment::at(run.finished_at.unwrap_or(run.started_at), now),
            summary: run.error.unwrap_or(run.summary),
        }),
    })
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
    let slug = use_slug();
    let data = super::load::load(move || slug.get(), dashboard);
    view! {
        <Title text="Dashboard" />
        <div class="page-head">
            <h1>"Dashboard"</h1>
        </div>
        <Suspense fallback=|| view! { <Loading /> }>
            {move || Suspend::new(async move {
                match data.await {
                    Ok(data) => view! { <Filled slug=slug.get_untracked() data=data /> }.into_any(),
                    Err(error) => view! { <ErrorView error=error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// The dashboard once its data is there.
#[component]
fn Filled(slug: String, data: DashboardData) -> impl IntoView {
    let connect = customer_path(&slug, CONNECT);
    let warning = data.secret_days.map(secret_warning).map(|(tone, words)| {
        view! {
            <p class=format!("notice {}", tone.class())>
                <Icon name=tone.icon() />
                <span>{words}" "<a href=connect.clone()>"Open Connect"</a></span>
            </p>
        }
    });
    let sync = match data.run {
        Some(run) => {
            let words = match run.outcome {
                Outcome::Running => "A sync is running, started ",
                Outcome::Succeeded => "The last sync succeeded ",
                Outcome::Failed => "The last sync failed ",
            };
            view! {
                <p class="figure-words">{words}<MomentView moment=run.when />"."</p>
                <p class="soft">{run.summary}</p>
                <a href=customer_path(&slug, &format!("sync-history/{}", run.id))>"See the run"</a>
            }
            .into_any()
        }
        None if data.enabled => view! {
            <p>"Nothing was synced yet. Start the first sync with Sync Now on the Connect page."</p>
            <a class="button" href=connect.clone()>"Open Connect"</a>
        }
        .into_any(),
        None => view! {
            <p>"No directory is connected. Connect the Entra ID tenant whose users this portal should serve."</p>
            <a class="button primary" href=connect.clone()>"Connect Entra ID"</a>
        }
        .into_any(),
    };
    let total: i64 = data.users.iter().map(|(_, users)| users).sum();
    let sources = data.users.into_iter().filter(|(_, users)| *users > 0).map(|(source, users)| {
        view! { <li><span>{source.label()}</span><span class="number">{count(users)}</span></li> }
    });
    view! {
        {warning}
        <div class="cards">
            <section class="card">
                <h2>"Sync"</h2>
                {data.organisation.map(|name| view! { <p class="soft">"Connected to "{name}</p> })}
                {sync}
            </section>
            <section class="card">
                <h2>"Users"</h2>
                <p class="figure"><a href=customer_path(&slug, "users")>{count(total)}</a></p>
                <ul class="plain split">{sources.collect_view()}</ul>
            </section>
        </div>
    }
}
