//! The users of a customer.

use domain::service::{Source, Status};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

use super::{CONNECT, customer_path, use_slug};
use crate::{
    components::{Empty, ErrorView, Loading, Moment, MomentView, Pager, count, counted},
    error::AppError,
};

/// How many users stand on a page.
#[cfg(feature = "ssr")]
const PER_PAGE: i64 = 50;

/// A row of the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    id: String,
    name: String,
    address: String,
    aliases: Vec<String>,
    source: Source,
    status: Status,
    sign_in_blocked: bool,
    changed: Moment,
}

/// A page of the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct UsersPage {
    rows: Vec<Row>,
    total: i64,
    /// The cursor of the page before this one, and of the one after, ready for an address.
    previous: Option<String>,
    next: Option<String>,
}

/// A page of a customer's users, by name. `after` and `before` are cursors of [`UsersPage`]; a mangled one shows the first page.
#[server(endpoint = "users")]
async fn users(slug: String, after: Option<String>, before: Option<String>) -> Result<UsersPage, AppError> {
    use domain::role::Role;
    use store::{UserPage, UserRow};

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    let now = desk.portal.now();
    let page = UserPage {
        after: after.and_then(|after| after.parse().ok()),
        before: before.and_then(|before| before.parse().ok()),
        limit: PER_PAGE,
    };
    let loaded = async {
        let page = desk.customer.users(page).await?;
        let ids: Vec<_> = page.rows.iter().map(|row| row.id).collect();
        let aliases = desk.customer.user_aliases(&ids).await?;
        let counts = desk.customer.user_counts().await?;
        Ok((page, aliases, counts))
    };
    let (page, mut aliases, counts) = loaded.await.map_err(|error| access::store_error(&error))?;
    let cursor = |row: &UserRow| access::query_value(&row.cursor().to_string());
    Ok(UsersPage {
        total: counts.iter().map(|(_, _, users)| users).sum(),
        previous: page.rows.first().filter(|_| page.has_previous).map(cursor),
        next: page.rows.last().filter(|_| page.has_next).map(cursor),
        rows: page
            .rows
            .into_iter()
            .map(|row| Row {
                id: row.public_id.to_string(),
                name: row.display_name,
                address: row.primary_address,
                aliases: aliases.remove(&row.id).unwrap_or_default(),
                source: row.source,
                status: row.status,
                sign_in_blocked: row.sign_in_blocked,
                changed: Moment::at(row.changed_at, now),
            })
            .collect(),
    })
}

/// The list of users.
#[component]
pub(super) fn Users() -> impl IntoView {
    let slug = use_slug();
    let query = use_query_map();
    let cursor = Memo::new(move |_| query.with(|query| (query.get("after"), query.get("before"))));
    let data = super::load::load(
        move || (slug.get(), cursor.get()),
        |(slug, (after, before))| users(slug, after, before),
    );
    view! {
        <Title text="Users" />
        <div class="page-head">
            <h1>"Users"</h1>
        </div>
        <Transition fallback=|| view! { <Loading rows=12 /> }>
            {move || Suspend::new(async move {
                match data.await {
                    Ok(page) => view! { <Filled slug=slug.get_untracked() page=page /> }.into_any(),
                    Err(error) => view! { <ErrorView error=error /> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// The list once its page is there.
#[component]
fn Filled(slug: String, page: UsersPage) -> impl IntoView {
    if page.total == 0 {
        return view! {
            <Empty
                why="There are no users yet. They appear here once a directory is connected and synced."
                step=Some((customer_path(&slug, CONNECT), "Connect Entra ID"))
            />
        }
        .into_any();
    }
    let address = |key: &str, cursor: Option<String>| {
        cursor.map(|cursor| format!("{}?{key}={cursor}", customer_path(&slug, "users")))
    };
    let rows = page.rows.into_iter().map(|row| {
        view! {
            <tr id=format!("user-{}", row.id)>
                <th scope="row" data-label="Name"><bdi>{row.name}</bdi></th>
                <td data-label="Address"><Address address=row.address /></td>
                <td data-label="Aliases"><Aliases aliases=row.aliases /></td>
                <td data-label="Source">{row.source.label()}</td>
                <td data-label="Status">
                    <span class=format!("badge {}", row.status.name())>{row.status.label()}</span>
                    {row.sign_in_blocked.then(|| view! { " "<span class="soft">"sign-in blocked"</span> })}
                </td>
                <td data-label="Last change"><MomentView moment=row.changed /></td>
            </tr>
        }
    });
    view! {
        <div class="table-wrap">
            <table class="list">
                <caption class="visually-hidden">"Users by name"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Address"</th>
                        <th scope="col">"Aliases"</th>
                        <th scope="col">"Source"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Last change"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
        <Pager
            previous=address("before", page.previous)
            next=address("after", page.next)
            place=counted(page.total, "user", "users")
        />
    }
    .into_any()
}

/// A mail address that may be shortened in its local part, never in its domain.
#[component]
fn Address(address: String) -> impl IntoView {
    let (local, domain) = address
        .rsplit_once('@')
        .map_or((address.clone(), String::new()), |(local, domain)| (local.to_owned(), format!("@{domain}")));
    view! {
        <span class="address" title=address>
            <span class="address-local">{local}</span>
            <span>{domain}</span>
        </span>
    }
}

/// The aliases: one is shown, several are folded behind their count.
#[component]
fn Aliases(aliases: Vec<String>) -> impl IntoView {
    match aliases.len() {
        0 => view! { <span class="soft">"none"</span> }.into_any(),
        1 => {
            aliases.into_iter().map(|address| view! { <Address address=address /> }).collect_view().into_any()
        }
        several => {
            let rows = aliases.into_iter().map(|address| view! { <li><Address address=address /></li> });
            view! {
                <details class="aliases">
                    <summary>{count(i64::try_from(several).unwrap_or(i64::MAX))}" aliases"</summary>
                    <ul class="plain">{rows.collect_view()}</ul>
                </details>
            }
            .into_any()
        }
    }
}
