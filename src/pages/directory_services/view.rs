//! The overview of directory services, as the server renders it.

use domain::{Timestamp, role::Role, service::Service};
use leptos::prelude::*;
use store::DirectoryService;
use sync::{
    SyncError,
    health::{Health, health},
};

use crate::{
    access::Desk,
    components::{Checkbox, Moment, MomentView, count, markup::inside_of_area},
    pages::{CONNECT, customer_path, dashboard::view::alarms},
};

/// What the page shows.
pub(super) struct Overview {
    health: Health,
    ldap: Option<DirectoryService>,
    managed: Vec<String>,
    /// The domains of the tenant, once it was asked.
    verified: Vec<String>,
    /// Whether an approval needs two administrators.
    two_administrators: bool,
}

/// The page's own address.
pub(super) fn path(desk: &Desk) -> String {
    customer_path(&desk.customer.customer().slug, "service-settings/directory-services")
}

/// Reads the page.
pub(super) async fn load(desk: &Desk) -> Result<Overview, SyncError> {
    let customer = &desk.customer;
    let organisation = customer.service(Service::Entra).await?.and_then(|service| service.organisation);
    Ok(Overview {
        health: health(customer, desk.portal.now()).await?,
        ldap: customer.service(Service::Ldap).await?,
        managed: customer.managed_domains().await?,
        two_administrators: customer.two_administrators().await?,
        verified: organisation.map(|organisation| organisation.domains).unwrap_or_default(),
    })
}

/// The page. `typed` are domains that were refused.
pub(super) fn page(desk: &Desk, overview: Overview, typed: Option<String>) -> impl IntoView + use<> {
    let (slug, now) = (desk.customer.customer().slug.as_str(), desk.portal.now());
    let may_change = desk.role >= Role::Administrator;
    let suspended = desk.customer.customer().suspended_at.is_some();
    let Overview { health, ldap, managed, verified, two_administrators } = overview;
    let none_on = (!health.enabled() && ldap.as_ref().is_none_or(|ldap| !ldap.enabled) && health.users > 0).then(|| {
        view! {
            <p class="notice">
                <span>"No directory service is on: no syncs, no new conflicts, and the deletion clocks stand still."</span>
            </p>
        }
    });
    view! {
        <div class="page-head">
            <h1>"Directory Services"</h1>
        </div>
        {alarms(&health, slug, now, suspended)}
        {none_on}
        <div class="cards pairs">
            {entra_card(&health, slug, now)}
            {ldap_card(ldap.as_ref())}
            {domains_card(&managed, &verified, typed, slug, may_change)}
            {guard_card(desk, health.held, two_administrators, may_change)}
        </div>
    }
}

fn entra_card(health: &Health, slug: &str, now: Timestamp) -> impl IntoView + use<> {
    let saved = health.settings.is_some();
    let (class, words) = match (saved, health.enabled()) {
        (_, true) => ("good", "Enabled"),
        (true, false) => ("", "Saved, not enabled"),
        (false, false) => ("", "Not set up"),
    };
    let page =
        |page: &str| customer_path(slug, &format!("service-settings/directory-services/entra-id/{page}"));
    let figure = |words: &'static str, number: i64, name: &str| {
        view! { <li><a href=page(name)>{words}</a><span class="number">{count(number)}</span></li> }
    };
    let moment = |words: &'static str, at: Option<Timestamp>, none: &'static str| {
        let at = match at {
            Some(at) => view! { <MomentView moment=Moment::at(at, now) /> }.into_any(),
            None => view! { <span class="soft">{none}</span> }.into_any(),
        };
        view! { <li><span>{words}</span>{at}</li> }
    };
    let next = health.schedule.as_ref().map(|schedule| schedule.next_at);
    let facts = saved.then(|| {
        view! {
            <ul class="plain split">
                {moment("Last success", health.last_success, "never")}
                {moment("Next sync", next, "not scheduled")}
                {figure("User Conflicts", health.conflicts, "user-conflicts")}
                {figure("Held Removals", health.held, "held-removals")}
            </ul>
        }
    });
    view! {
        <section class="card">
            <h2>"Entra ID"</h2>
            <p class=format!("badge {class}")>{words}</p>
            {health.organisation.clone().map(|name| view! { <p>"Connected to "<bdi>{name}</bdi></p> })}
            {facts}
            <a class="button" href=customer_path(slug, CONNECT)>{if saved { "Open Connect" } else { "Connect Entra ID" }}</a>
        </section>
    }
}

fn ldap_card(ldap: Option<&DirectoryService>) -> impl IntoView + use<> {
    let (class, words) = match ldap {
        Some(ldap) if ldap.enabled => ("good", "Enabled"),
        Some(_) => ("", "Saved, not enabled"),
        None => ("", "Not set up"),
    };
    view! {
        <section class="card">
            <h2>"LDAP"</h2>
            <p class=format!("badge {class}")>{words}</p>
            <p class="soft">"One directory service is on at a time. Enabling one disables the other."</p>
        </section>
    }
}

fn domains_card(
    managed: &[String],
    verified: &[String],
    typed: Option<String>,
    slug: &str,
    may_change: bool,
) -> impl IntoView + use<> {
    let served = match managed {
        [] if verified.is_empty() => "The tenant's verified domains.".to_owned(),
        [] => format!("The tenant's verified domains: {}.", verified.join(", ")),
        [star] if star == "*" => "Every domain.".to_owned(),
        domains => domains.join(", "),
    };
    let value = typed.unwrap_or_else(|| managed.join("\n"));
    let form = may_change.then(|| {
        view! {
            <form method="post" action="/api/managed_domains">
                <input type="hidden" name="slug" value=slug.to_owned() />
                <div class="field">
                    <label for="domains">"Domains"</label>
                    <textarea id="domains" name="domains" rows="3" spellcheck="false" aria-describedby="domains-help" inner_html=inside_of_area(&value)></textarea>
                    <div class="help" id="domains-help">
                        "One a line. Empty: the tenant's verified domains, without names ending in .onmicrosoft.com unless there are no others. * for all."
                    </div>
                </div>
                <button class="button" type="submit">"Save domains"</button>
            </form>
        }
    });
    view! {
        <section class="card">
            <h2>"Managed domains"</h2>
            <p>{served}</p>
            <p class="soft">
                "People with a mail address in one of these domains are served; who has none becomes a conflict at the next sync. A domain belongs to one customer."
            </p>
            {form}
        </section>
    }
}

fn guard_card(desk: &Desk, held: i64, two: bool, may_change: bool) -> impl IntoView + use<> {
    let limits = desk.customer.customer().guard;
    let field = |name: &'static str, label: &'static str, value: i64| {
        view! {
            <div class="field">
                <label for=name>{label}</label>
                <input id=name name=name type="number" min="0" required="" value=value.to_string() readonly=!may_change />
            </div>
        }
    };
    view! {
        <section class="card">
            <h2>"Deletion guard"</h2>
            <p class="soft">
                "Removals wait for an approval when more people would go than one of the first two limits, counted over 24 hours since the last approval. Fewer than the third are never held, unless it is everybody."
            </p>
            <form method="post" action="/api/guard">
                <input type="hidden" name="slug" value=desk.customer.customer().slug.clone() />
                {field("max_removals", "People", limits.max_removals)}
                {field("max_removals_percent", "Per cent of the synced users", limits.max_removals_percent)}
                {field("min_removals", "Never held below", limits.min_removals)}
                {may_change.then(|| view! { <button class="button" type="submit">"Save limits"</button> })}
            </form>
            <form method="post" action="/api/two_administrators">
                <input type="hidden" name="slug" value=desk.customer.customer().slug.clone() />
                <Checkbox name="two" label="Approvals need two administrators" checked=two locked=!may_change>
                    {format!(
                        "What the guard holds, and undoing a run, waits until a second, other administrator approves as well. Held now: {}.",
                        count(held),
                    )}
                </Checkbox>
                {may_change.then(|| view! { <button class="button" type="submit">"Save"</button> })}
            </form>
        </section>
    }
}
