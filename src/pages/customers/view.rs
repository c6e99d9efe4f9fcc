//! The customers, as the server renders them.

use domain::role::Role;
use leptos::prelude::*;
use store::Customer;
use sync::{
    SyncError,
    health::{Health, health},
};

use crate::{
    access::{self, Query, Visitor},
    components::{Empty, Icon, Moment, MomentView, Pager, count, counted},
    pages::{customer_path, sync_history::words::outcome_sign},
};

/// The list's own address.
pub(super) const PATH: &str = "/customers";
/// How many customers stand on a page.
const PER_PAGE: usize = 50;

/// The address of a customer's own settings.
pub(super) fn settings_path(slug: &str) -> String {
    customer_path(slug, "settings")
}

/// A page of the customers.
pub(super) struct List {
    rows: Vec<(Customer, Health)>,
    total: i64,
    next: Option<String>,
}

/// Reads a page. They are few enough to be put in order in memory; only those of the page are asked how they are.
pub(super) async fn load(visitor: &Visitor, query: &Query) -> Result<List, SyncError> {
    let open = access::open_customers(&visitor.portal, &visitor.session.administrator).await?;
    let total = i64::try_from(open.len()).unwrap_or(i64::MAX);
    let after = open.iter().position(|customer| customer.slug == query.get("after")).map_or(0, |at| at + 1);
    let more = open.len() > after + PER_PAGE;
    let mut rows = Vec::new();
    for customer in open.into_iter().skip(after).take(PER_PAGE) {
        // One that was deleted a moment ago is left out.
        if let Some(own) = visitor.portal.engine.store.customer(&customer.slug).await? {
            rows.push((customer, health(&own, visitor.portal.now()).await?));
        }
    }
    let next = rows.last().filter(|_| more).map(|(customer, _)| customer.slug.clone());
    Ok(List { rows, total, next })
}

/// The page.
pub(super) fn page(visitor: &Visitor, query: &Query, list: List) -> impl IntoView + use<> {
    let full = visitor.session.administrator.every_customer_role == Some(Role::Administrator);
    let now = visitor.portal.now();
    let List { rows, total, next } = list;
    let next = next.map(|slug| query.link(PATH, &[], &[("after", &slug)]));
    let previous = (!query.get("after").is_empty()).then(|| PATH.to_owned());
    let paged = next.is_some() || previous.is_some();
    let table = if rows.is_empty() {
        view! { <Empty why="No customer is open to you yet. Ask an administrator for a role." /> }.into_any()
    } else {
        let rows =
            rows.into_iter().map(|(customer, health)| row(customer, &health, full, now)).collect_view();
        view! {
            <div class="table-wrap" tabindex="0" role="region" aria-label="Customers">
                <table class="list">
                    <caption class="visually-hidden">"Customers by name"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Customer"</th>
                            <th scope="col">"Sync"</th>
                            <th scope="col">"Last success"</th>
                            <th scope="col" class="number">"Users"</th>
                            <th scope="col" class="number">"Conflicts"</th>
                            <th scope="col" class="number">"Held"</th>
                            {full.then(|| view! { <th scope="col"><span class="visually-hidden">"Settings"</span></th> })}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <div class="page-head">
            <p class="brand"><Icon name="brand" />"Rollcall"</p>
            <a href="/account">"Your account"</a>
        </div>
        <h1>"Customers"</h1>
        {table}
        {paged.then(|| view! { <Pager previous=previous next=next place=counted(total, "customer", "customers") /> })}
        {full.then(add_form)}
    }
}

/// One customer, with how its sync is doing.
fn row(customer: Customer, health: &Health, full: bool, now: domain::Timestamp) -> impl IntoView + use<> {
    let slug = customer.slug;
    let (class, icon, words) = match (&health.latest, customer.suspended_at) {
        (_, Some(_)) => ("", "dash", "Suspended"),
        _ if !health.enabled() => ("", "dash", "Not connected"),
        _ if health.overdue_since.is_some() => ("bad", "warning", "No success for long"),
        (Some(run), None) => outcome_sign(run.outcome),
        (None, None) => ("", "dash", "Not synced yet"),
    };
    let entra =
        |page: &str| customer_path(&slug, &format!("service-settings/directory-services/entra-id/{page}"));
    let figure = |number: i64, href: String| {
        if number == 0 {
            view! { <span class="soft">"0"</span> }.into_any()
        } else {
            view! { <a href=href>{count(number)}</a> }.into_any()
        }
    };
    view! {
        <tr>
            <th scope="row" data-label="Customer">
                <a href=customer_path(&slug, "dashboard")><bdi>{customer.name.clone()}</bdi></a>
                <span class="second">{slug.clone()}</span>
            </th>
            <td data-label="Sync"><span class=format!("badge {class}")><Icon name=icon />{words}</span></td>
            <td data-label="Last success">
                {match health.last_success {
                    Some(at) => view! { <MomentView moment=Moment::at(at, now) /> }.into_any(),
                    None => view! { <span class="soft">"never"</span> }.into_any(),
                }}
            </td>
            <td data-label="Users" class="number">{figure(health.users, customer_path(&slug, "users"))}</td>
            <td data-label="Conflicts" class="number">{figure(health.conflicts, entra("user-conflicts"))}</td>
            <td data-label="Held" class="number">{figure(health.held, entra("held-removals"))}</td>
            {full.then(|| {
                view! {
                    <td>
                        <a href=settings_path(&slug)>"Settings"<span class="visually-hidden">{format!(" of {}", customer.name)}</span></a>
                    </td>
                }
            })}
        </tr>
    }
}

/// The form that adds a customer.
fn add_form() -> impl IntoView {
    view! {
        <section class="card invite">
            <h2>"Add a customer"</h2>
            <form method="post" action="/api/customer_add">
                <div class="field">
                    <label for="name">"Name"</label>
                    <input id="name" name="name" required="" maxlength="100" autocomplete="off" />
                </div>
                <div class="field">
                    <label for="slug">"Short name"</label>
                    <input
                        id="slug"
                        name="slug"
                        required=""
                        maxlength="40"
                        pattern="[a-z0-9]([a-z0-9\\-]*[a-z0-9])?"
                        autocapitalize="none"
                        spellcheck="false"
                        autocomplete="off"
                        aria-describedby="slug-help"
                    />
                    <div class="help" id="slug-help">
                        "Small letters, digits and hyphens, such as contoso-ltd. It stands in addresses and on the command line, and never changes."
                    </div>
                </div>
                <button class="button primary" type="submit">"Add"</button>
            </form>
        </section>
    }
}

/// A customer's own settings: name, suspension, deletion.
pub(super) fn settings(customer: &Customer, users: i64) -> impl IntoView + use<> {
    let Customer { slug, name, suspended_at, .. } = customer.clone();
    let form = |inner: AnyView| {
        view! {
            <form method="post" action="/api/customer_change">
                <input type="hidden" name="slug" value=slug.clone() />
                {inner}
            </form>
        }
    };
    let rename = form(
        view! {
            <div class="field">
                <label for="name">"Name"</label>
                <input id="name" name="name" required="" maxlength="100" autocomplete="off" value=name.clone() />
                <div class="help">{format!("The short name stays {slug}.")}</div>
            </div>
            <button class="button" type="submit" name="intent" value="rename">"Rename"</button>
        }
        .into_any(),
    );
    let (words, intent, label) = if suspended_at.is_some() {
        ("This customer is suspended: no sync begins, and nobody is deleted.", "resume", "End the suspension")
    } else {
        (
            "While a customer is suspended, no sync begins, by schedule or by hand, and nobody is deleted. Everything else stays.",
            "suspend",
            "Suspend",
        )
    };
    let suspend = form(
        view! { <button class="button" type="submit" name="intent" value=intent>{label}</button> }.into_any(),
    );
    let delete = form(
        view! {
            <div class="field">
                <label for="typed">{format!("Type {slug} to confirm")}</label>
                <input id="typed" name="typed" required="" autocomplete="off" autocapitalize="none" spellcheck="false" />
            </div>
            <button class="button danger" type="submit" name="intent" value="delete">"Delete this customer"</button>
        }
        .into_any(),
    );
    view! {
        <div class="page-head">
            <h1>"Customer"</h1>
            <a href=PATH>"All customers"</a>
        </div>
        <section class="card"><h2>"Name"</h2>{rename}</section>
        <section class="card"><h2>"Suspension"</h2><p>{words}</p>{suspend}</section>
        <section class="card">
            <h2>"Delete"</h2>
            <p>
                "Deletes "<bdi>{name}</bdi>
                {format!(
                    " with {}, its groups, settings, secrets, sync history and audit log. It cannot be undone: nothing of it goes to the recycle bin. The directory itself is not touched.",
                    counted(users, "user", "users"),
                )}
            </p>
            {delete}
        </section>
    }
}
