//! The dashboard, as the server renders it.

use domain::{
    Timestamp,
    role::Role,
    run::Outcome,
    service::{Source, Status},
};
use leptos::prelude::*;
use sync::health::Health;

use super::{
    figures::{DAYS, Figures},
    secret_warning,
};
use crate::{
    access::Desk,
    components::{
        Icon, Moment, MomentView, Tone,
        chart::{self, Series},
        count, counted,
    },
    pages::{CONNECT, customer_path, progress, sync_history::words::outcome_sign},
};

/// Below a customer's address: where User Conflicts, Held Removals and Additions are.
const ENTRA: &str = "service-settings/directory-services/entra-id";

/// The page.
pub(super) fn page(desk: &Desk, figures: Figures) -> impl IntoView + use<> {
    let (slug, now) = (desk.customer.customer().slug.as_str(), desk.portal.now());
    let suspended = desk.customer.customer().suspended_at.is_some();
    let alarms = alarms(&figures.health, slug, now, suspended);
    let set_up = figures.health.settings.is_some() || figures.health.users > 0;
    let sync = sync_card(&figures.health, slug, desk.role >= Role::Operator, now);
    let pictures = set_up.then(|| {
        let Figures { health, users, days, deletions, later, deletes } = figures;
        view! {
            {users_card(&users, slug)}
            {runs_card(days, slug)}
            {conflicts_card(&health, deletions, later, deletes, slug)}
        }
    });
    view! {
        <div class="page-head">
            <h1>"Dashboard"</h1>
        </div>
        {alarms}
        <div class="cards pairs">{sync} {pictures}</div>
    }
}

/// One line that wants somebody's attention.
fn alarm(tone: Tone, words: String, link: Option<(String, &'static str)>) -> AnyView {
    view! {
        <li class=format!("notice {}", tone.class())>
            <Icon name=tone.icon() />
            <span>{words} " " {link.map(|(href, words)| view! { <a href=href>{words}</a> })}</span>
        </li>
    }
    .into_any()
}

/// What wants attention, the worst first. Also stands on the overview of directory services.
pub(in crate::pages) fn alarms(
    health: &Health,
    slug: &str,
    now: Timestamp,
    suspended: bool,
) -> impl IntoView + use<> {
    let to = |page: &str| customer_path(slug, page);
    let entra = |page: &str| customer_path(slug, &format!("{ENTRA}/{page}"));
    let mut all = Vec::new();
    if suspended {
        let words = "This customer is suspended: nothing is synced and nobody is deleted until that ends.";
        all.push(alarm(Tone::Warning, words.to_owned(), None));
    }
    if health.overdue_since.is_some() {
        let words = match health.last_success {
            Some(last) => format!("No successful sync for {}.", span(now.since(last))),
            None => "No sync has succeeded yet.".to_owned(),
        };
        let what = "The users are as old as that, and nobody is deleted meanwhile.";
        all.push(alarm(Tone::Bad, format!("{words} {what}"), Some((to("sync-history"), "See the syncs"))));
    }
    if let Some(schedule) = health.schedule.as_ref().filter(|schedule| schedule.failures > 0) {
        let failed = if schedule.failures == 1 {
            "The last sync failed".to_owned()
        } else {
            format!("The last {} syncs failed", count(schedule.failures))
        };
        let words = format!("{failed}: {}", schedule.reason);
        all.push(alarm(Tone::Bad, words, Some((to("sync-history"), "See the syncs"))));
    }
    if let Some((tone, words)) =
        health.settings.as_ref().and_then(|settings| settings.secret_expires_soon(now)).map(secret_warning)
    {
        all.push(alarm(tone, words, Some((to(CONNECT), "Open Connect"))));
    }
    if health.held > 0 {
        let words = format!("{} for an approval.", counted(health.held, "removal waits", "removals wait"));
        all.push(alarm(Tone::Warning, words, Some((entra("held-removals"), "See Held Removals"))));
    }
    if health.never_found > 0 {
        let words = format!(
            "{} not found in the directory by two complete reads.",
            counted(health.never_found, "addition was", "additions were")
        );
        all.push(alarm(Tone::Warning, words, Some((entra("additions"), "See Additions"))));
    }
    (!all.is_empty()).then(|| view! { <ul class="plain alarms" aria-label="Needs attention">{all}</ul> })
}

/// A time in its greatest unit.
fn span(time: i64) -> String {
    match time / Timestamp::HOUR {
        ..1 => counted(time / Timestamp::MINUTE, "minute", "minutes"),
        hours @ 1..48 => counted(hours, "hour", "hours"),
        hours => counted(hours / 24, "day", "days"),
    }
}

/// How the sync is doing, and what to do first.
fn sync_card(health: &Health, slug: &str, may_cancel: bool, now: Timestamp) -> impl IntoView + use<> {
    let connect = customer_path(slug, CONNECT);
    let state = match &health.latest {
        Some(run) => {
            let (class, icon, word) = outcome_sign(run.outcome);
            let how = if run.outcome == Outcome::Running {
                progress::running(run, slug, may_cancel, now).into_any()
            } else {
                let words = run.error.clone().unwrap_or_else(|| run.summary.clone());
                view! { <p class="soft">{words}</p> }.into_any()
            };
            let href = progress::run_path(slug, run);
            let when = Moment::at(run.finished_at.unwrap_or(run.started_at), now);
            view! {
                <p class="run-head">
                    <span class=format!("badge {class}")><Icon name=icon />{word}</span>
                    <MomentView moment=when />
                </p>
                {how}
                <a href=href>"See the run"</a>
            }
            .into_any()
        }
        None if health.enabled() => view! {
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
    let off = (health.settings.is_some() && !health.enabled()).then(|| {
        view! {
            <p class="soft">
                "Azure sync is switched off: no syncs, no new conflicts, and the deletion clocks stand still."
            </p>
        }
    });
    let fact = |words: &'static str, at: Option<Timestamp>| {
        at.map(|at| view! { <li><span>{words}</span><MomentView moment=Moment::at(at, now) /></li> })
    };
    let next = health.schedule.as_ref().map(|schedule| schedule.next_at);
    let days = health.settings.as_ref().and_then(|settings| settings.secret_days_left(now));
    let facts = health.settings.is_some().then(|| {
        view! {
            <ul class="plain split">
                {fact("Last success", health.last_success)}
                {fact("Next sync", next)}
                {days
                    .filter(|days| *days >= 0)
                    .map(|days| view! { <li><span>"Client secret"</span><span>{counted(days, "day left", "days left")}</span></li> })}
            </ul>
        }
    });
    view! {
        <section class="card">
            <h2>"Sync"</h2>
            {health.organisation.clone().map(|name| view! { <p class="soft">"Connected to "<bdi>{name}</bdi></p> })}
            {state}
            {off}
            {facts}
        </section>
    }
}

/// The class that colours a part of the users' bar.
const fn users_class(source: Source, status: Status) -> &'static str {
    match (source, status) {
        (_, Status::Conflict) => "conflicted",
        (_, Status::Inactive) => "inactive",
        (Source::Azure, Status::Active) => "azure",
        (Source::Ldap, Status::Active) => "ldap",
        (Source::Manual, Status::Active) => "manual",
    }
}

/// Users by source and status.
fn users_card(users: &[(Source, Status, i64)], slug: &str) -> impl IntoView + use<> {
    let total: i64 = users.iter().map(|(_, _, number)| number).sum();
    let list = customer_path(slug, "users");
    let mut parts: Vec<_> = users.iter().copied().filter(|(_, _, number)| *number > 0).collect();
    parts.sort_by_key(|(source, status, _)| (*status, *source));
    let bar: Vec<_> =
        parts.iter().map(|(source, status, number)| (users_class(*source, *status), *number)).collect();
    let rows = parts.into_iter().map(|(source, status, number)| {
        let href = format!("{list}?source={}&status={}", source.name(), status.name());
        view! {
            <li>
                <span>
                    <span class=format!("swatch {}", users_class(source, status)) aria-hidden="true"></span>
                    <a href=href>{format!("{}, {}", source.label(), status.label())}</a>
                </span>
                <span class="number">{count(number)}</span>
            </li>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section class="card">
            <h2>"Users"</h2>
            <p class="figure"><a href=list>{count(total)}</a></p>
            {(total > 0).then(|| chart::stack(&bar))}
            <ul class="plain split">{rows}</ul>
        </section>
    }
}

/// What the syncs of the last days did.
fn runs_card(days: Vec<chart::Column>, slug: &str) -> impl IntoView + use<> {
    let series = [
        Series { words: "added", class: "added" },
        Series { words: "changed", class: "changed" },
        Series { words: "missing or deleted", class: "missing" },
    ];
    view! {
        <section class="card broad">
            <h2>{format!("Changes in the last {DAYS} days")}</h2>
            {chart::columns("What the syncs of each day did; other days did nothing", &series, days)}
            <a href=customer_path(slug, "sync-history")>"Sync History"</a>
        </section>
    }
}

/// When users in conflict are to be deleted.
fn conflicts_card(
    health: &Health,
    days: Vec<chart::Column>,
    later: i64,
    deletes: bool,
    slug: &str,
) -> impl IntoView + use<> {
    let list = customer_path(slug, &format!("{ENTRA}/user-conflicts"));
    let next = days.iter().find(|day| day.values.iter().sum::<i64>() > 0);
    let words = match next {
        Some(day) => format!(
            "{} to be deleted on {} unless you ignore or deactivate them.",
            counted(day.values.iter().sum(), "person is", "people are"),
            day.label
        ),
        None if health.conflicts == 0 => {
            "Everybody who came from the directory is still delivered by it.".to_owned()
        }
        None if !deletes => "Nobody is deleted by the present settings.".to_owned(),
        None => format!("Nobody is to be deleted in the next {DAYS} days."),
    };
    let picture = next.is_some().then(|| {
        let series = [Series { words: "to be deleted", class: "missing" }];
        chart::columns("Users in conflict by the day on which they are to be deleted", &series, days.clone())
    });
    view! {
        <section class="card broad">
            <h2>"User conflicts"</h2>
            <p class="figure"><a href=list>{count(health.conflicts)}</a></p>
            <p>{words}</p>
            {picture}
            {(later > 0).then(|| view! { <p class="soft">{counted(later, "more is", "more are")}" due later."</p> })}
        </section>
    }
}
