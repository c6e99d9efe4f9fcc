//! The frame around a customer's pages: menu, customer switcher, status, account.

use leptos::prelude::*;
use leptos_router::{
    components::{A, Outlet},
    hooks::use_location,
};
use serde::{Deserialize, Serialize};

use super::{
    customer_path,
    live::{Live, listen, when_changed},
    use_slug,
};
use crate::{
    components::{Icon, Moment, MomentView, count},
    error::AppError,
};

/// What the frame shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FrameData {
    /// The customer's name.
    name: String,
    /// Every customer of the administrator: slug and name.
    customers: Vec<(String, String)>,
    /// The administrator's name.
    administrator: String,
    /// Whether the administrator may see who else administers this customer.
    administers: bool,
    /// How many users there are.
    users: i64,
    /// How many groups there are.
    groups: i64,
    /// The versions of the topics, as the live stream sends them.
    topics: String,
    /// The latest run: how it stands, when, and its id.
    run: Option<RunPill>,
}

/// The status pill.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct RunPill {
    id: String,
    outcome: domain::run::Outcome,
    when: Moment,
    /// How it is doing, while it is going on.
    progress: String,
}

/// The frame of a customer's pages.
#[server(endpoint = "frame")]
async fn frame(slug: String) -> Result<FrameData, AppError> {
    use domain::{role::Role, run::Outcome};

    use super::progress;
    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    let administrator = &desk.session.administrator;
    let loaded = async {
        let customers = access::open_customers(&desk.portal, administrator).await?;
        let counts = desk.customer.user_counts().await?;
        let runs = desk.customer.runs(None, 1).await?;
        let groups = desk.customer.group_count(domain::service::Source::Azure).await?;
        let topics = desk.customer.topic_versions().await?;
        Ok((customers, counts, runs, groups, topics))
    };
    let (customers, counts, runs, groups, topics) =
        loaded.await.map_err(|error| access::store_error(&error))?;
    let now = desk.portal.now();
    Ok(FrameData {
        name: desk.customer.customer().name.clone(),
        customers: customers.into_iter().map(|customer| (customer.slug, customer.name)).collect(),
        administrator: administrator.display_name.clone(),
        administers: desk.role == Role::Administrator,
        users: counts.iter().map(|(_, _, users)| users).sum(),
        groups,
        topics: topics.into_iter().map(|(topic, version)| format!("{topic} {version}\n")).collect(),
        run: runs.into_iter().next().map(|run| RunPill {
            id: run.public_id.to_string(),
            outcome: run.outcome,
            when: Moment::at(run.finished_at.unwrap_or(run.started_at), now),
            progress: if run.outcome == Outcome::Running { progress(&run, now) } else { String::new() },
        }),
    })
}

/// Ends the session here, or on every device.
#[server(endpoint = "sign_out")]
async fn sign_out(everywhere: Option<String>) -> Result<(), AppError> {
    use crate::access;

    let visitor = access::signed_in().await?;
    if everywhere.is_some() {
        access::end_every_session(&visitor.portal, &visitor.session).await?;
    } else {
        access::end_session(&visitor.portal, &visitor.session).await?;
    }
    access::redirect("/login");
    Ok(())
}

/// A number that pages raise when they changed something that the frame shows.
#[derive(Clone, Copy)]
pub(super) struct FrameVersion(pub RwSignal<u32>);

/// The frame with the page in it.
///
/// The page stands outside every `<Suspense>`: what is inside one is built twice on the server, and a page that was built twice would have
/// loaded twice.
#[component]
pub(super) fn Frame() -> impl IntoView {
    let slug = use_slug();
    let version = RwSignal::new(0);
    provide_context(FrameVersion(version));
    let data = Resource::new(move || (slug.get(), version.get()), |(slug, _)| frame(slug));
    let live = Live::new();
    provide_context(live);
    // What the page was rendered from is what the stream's first message is compared with.
    Effect::new(move || {
        let topics = data
            .with(|data| data.as_ref().and_then(|data| data.as_ref().ok().map(|data| data.topics.clone())));
        if let Some(topics) = topics {
            live.begin(&topics);
        }
    });
    when_changed(|| "*".to_owned(), move || version.update(|version| *version += 1));
    listen(slug, live);
    view! {
        <a class="skip" href="#content">"Skip to the content"</a>
        <div class="frame">
            <Transition fallback=|| view! { <header class="side"></header> }>
                {move || Suspend::new(async move {
                    let data = data.await.ok();
                    let slug = slug.get_untracked();
                    let (users, groups) = data.as_ref().map(|data| (data.users, data.groups)).unzip();
                    let administers = data.as_ref().is_some_and(|data| data.administers);
                    view! {
                        <header class="side">
                            <a class="brand" href=customer_path(&slug, "dashboard")><Icon name="brand" />"Rollcall"</a>
                            <nav class="wide-menu" aria-label="Main"><Menu slug=slug.clone() users=users groups=groups administers=administers /></nav>
                            <details class="narrow-menu">
                                <summary><Icon name="menu" />"Menu"</summary>
                                <nav aria-label="Main, folded"><Menu slug=slug.clone() users=users groups=groups administers=administers /></nav>
                            </details>
                        </header>
                        <section class="top" aria-label="Customer and account">{data.map(|data| view! { <Top slug=slug data=data /> })}</section>
                    }
                })}
            </Transition>
            <main id="content" tabindex="-1"><Outlet /></main>
        </div>
    }
}

/// The menu.
#[component]
fn Menu(
    slug: String,
    /// How many users there are, when that could be loaded.
    users: Option<i64>,
    /// How many groups.
    groups: Option<i64>,
    /// Whether the administrators are shown.
    administers: bool,
) -> impl IntoView {
    let link = |page: &str| customer_path(&slug, page);
    view! {
        <ul class="menu">
            <li><A href=link("dashboard")><Icon name="dashboard" />"Dashboard"</A></li>
            <li>
                <A href=link("users")>
                    <Icon name="users" />"Users" <span class="menu-count">{users.map(count)}</span>
                </A>
            </li>
            <li>
                <A href=link("groups")>
                    <Icon name="groups" />"Groups" <span class="menu-count">{groups.map(count)}</span>
                </A>
            </li>
            <li class="menu-heading">"Service Settings"</li>
            <li>
                <A href=link("service-settings/directory-services")>
                    <Icon name="directory" />"Directory Services"
                </A>
            </li>
            <li><A href=link("sync-history")><Icon name="history" />"Sync History"</A></li>
            <li><A href=link("audit-log")><Icon name="log" />"Audit Log"</A></li>
            {administers.then(|| view! { <li><A href=link("administrators")><Icon name="lock" />"Administrators"</A></li> })}
        </ul>
    }
}

/// The bar over the page: customer, status, account.
#[component]
fn Top(slug: String, data: FrameData) -> impl IntoView {
    let live = use_context::<Live>();
    let pill = data.run.map(|run| {
        let (class, icon, words) = match run.outcome {
            domain::run::Outcome::Running => ("running", "sync", ""),
            domain::run::Outcome::Succeeded => ("good", "check", "Synced"),
            domain::run::Outcome::Held => ("warning", "warning", "Synced, removals held"),
            domain::run::Outcome::Failed => ("bad", "cross", "Last sync failed"),
        };
        let running = run.outcome == domain::run::Outcome::Running;
        // The stream has newer words than those that came with the page.
        let progress = move || {
            let heard = live.map(|live| live.progress.get()).filter(|words| !words.is_empty());
            heard.unwrap_or_else(|| run.progress.clone())
        };
        view! {
            <a class=format!("pill {class}") href=customer_path(&slug, &format!("sync-history/{}", run.id))>
                <Icon name=icon />
                {if running {
                    view! { <span>{progress}</span> }.into_any()
                } else {
                    view! { <span>{words}" "<MomentView moment=run.when /></span> }.into_any()
                }}
            </a>
        }
    });
    view! {
        <Switcher name=data.name customers=data.customers slug=slug.clone() />
        <div class="top-right">
            {pill}
            <Account name=data.administrator />
        </div>
    }
}

/// The customer's name; with several customers, the way to the others.
#[component]
fn Switcher(name: String, customers: Vec<(String, String)>, slug: String) -> impl IntoView {
    if customers.len() < 2 {
        return view! { <p class="customer">{name}</p> }.into_any();
    }
    let others = customers.into_iter().filter(|(other, _)| *other != slug).take(20).map(|(slug, name)| {
        view! { <li><a href=customer_path(&slug, "dashboard")>{name}</a></li> }
    });
    view! {
        <details class="drop customer">
            <summary>{name}<Icon name="down" /></summary>
            <ul>
                {others.collect_view()}
                <li><a href="/customers">"All customers"</a></li>
            </ul>
        </details>
    }
    .into_any()
}

/// The administrator's own menu: light and dark, sign out.
#[component]
fn Account(name: String) -> impl IntoView {
    let location = use_location();
    let here = move || {
        format!(
            "{}{}",
            location.pathname.get(),
            location.search.with(|search| if search.is_empty() {
                String::new()
            } else {
                format!("?{search}")
            })
        )
    };
    let theme = |value: &'static str, words: &'static str| {
        view! { <button type="submit" name="theme" value=value>{words}</button> }
    };
    view! {
        <details class="drop account">
            <summary>{name}<Icon name="down" /></summary>
            <div>
                // Plain forms: the whole page follows, so there is nothing to keep in step.
                <form method="post" action="/theme" class="themes" aria-label="Light or dark">
                    <input type="hidden" name="next" value=here />
                    {theme("light", "Light")}
                    {theme("dark", "Dark")}
                    {theme("auto", "As the system")}
                </form>
                <ul class="plain">
                    <li><a href="/account">"Your account"</a></li>
                    <li><a href="/customers">"Customers"</a></li>
                </ul>
                <form method="post" action="/api/sign_out">
                    <button type="submit">"Sign out"</button>
                    <button type="submit" name="everywhere" value="on">"Sign out everywhere"</button>
                </form>
            </div>
        </details>
    }
}
