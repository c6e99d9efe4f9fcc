//! The list of users: search, filters, orders, pages, all in the address.

use domain::{
    guard::Decision,
    role::Role,
    service::{Source, Status},
};
use leptos::prelude::*;
use store::{Search, UserFilter, UserList, UserOrder, UserPage, UserRow};

use crate::{
    access::{self, Desk, Query},
    components::{
        Address, Choice, Empty, Message, Moment, MomentView, Pager, Rendered, SearchForm, SortHead, count,
        counted,
    },
    error::AppError,
    pages::{CONNECT, NOTHING_MORE, TO_THE_FIRST, customer_path},
};

/// How many users stand on a page.
const PER_PAGE: i64 = 50;
/// What of the address stays when the page changes, and when the order changes.
const KEPT: [&str; 5] = ["q", "source", "status", "sort", "desc"];
const FILTERS: [&str; 3] = ["q", "source", "status"];

/// What a query asks for.
pub(crate) fn read(query: &Query) -> UserPage {
    UserPage {
        filter: UserFilter {
            search: Search::new(query.get("q")),
            source: Source::named(query.get("source")),
            status: Status::named(query.get("status")),
        },
        order: match query.get("sort") {
            "address" => UserOrder::Address,
            "changed" => UserOrder::Changed,
            _ => UserOrder::Name,
        },
        descending: !query.get("desc").is_empty(),
        after: query.get("after").parse().ok(),
        before: query.get("before").parse().ok(),
        limit: PER_PAGE,
    }
}

/// The page.
pub(super) async fn page(slug: &str, query: &str) -> Result<Rendered, AppError> {
    let desk = access::require(slug, Role::Viewer).await?;
    let query = Query::read(query);
    let page = read(&query);
    let path = customer_path(slug, "users");
    let loaded = async {
        let list = desk.customer.users(page.clone()).await?;
        let counts = desk.customer.user_counts().await?;
        let take_overs = desk.customer.take_overs().await?;
        Ok((list, counts, take_overs))
    };
    let (list, counts, take_overs) = loaded.await.map_err(|error| access::store_error(&error))?;
    let message = access::take_answer::<Message>(&desk.portal, &desk.session, &path).await?;
    let everybody: i64 = counts.iter().map(|(.., users)| users).sum();
    let waiting = take_overs.iter().filter(|one| one.decision == Decision::Waiting).count();
    let filtered = !page.filter.is_everybody();
    let body = if everybody == 0 {
        view! {
            <Empty
                why="There are no users yet. They appear here once a directory is connected and synced, or when you add them by hand."
                step=Some((customer_path(slug, CONNECT), "Connect Entra ID"))
            />
        }
        .into_any()
    } else {
        let sources = Source::ALL.map(|one| (one.name(), one.label())).to_vec();
        let statuses = Status::ALL.map(|one| (one.name(), one.label())).to_vec();
        view! {
            <SearchForm
                action=path.clone()
                label="Search"
                placeholder="Name or any address"
                text=query.get("q").to_owned()
                choices=vec![
                    Choice::new("source", "Source", "Any source", sources, query.get("source")),
                    Choice::new("status", "Status", "Any status", statuses, query.get("status")),
                ]
                kept=["sort", "desc"]
                    .into_iter()
                    .map(|name| (name, query.get(name).to_owned()))
                    .filter(|(_, value)| !value.is_empty())
                    .collect()
                clear=filtered
            />
            {rows(&desk, &query, &page, list, &path)}
        }
        .into_any()
    };
    let view = view! {
        <div class="page-head">
            <h1>"Users"</h1>
            <div class="page-actions">
                {(everybody > 0)
                    .then(|| {
                        let csv = query.link(&customer_path(slug, "users.csv"), &KEPT, &[]);
                        view! { <a class="button" href=csv rel="external">"Export CSV"</a> }
                    })}
                {(desk.role >= Role::Administrator)
                    .then(|| {
                        view! {
                            <a class="button" href=customer_path(slug, "users/import")>"Import"</a>
                            <a class="button primary" href=customer_path(slug, "users/new")>"Add user"</a>
                        }
                    })}
            </div>
        </div>
        {(waiting > 0)
            .then(|| {
                let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
                view! {
                    <p class="notice warning">
                        <crate::components::Icon name="warning" />
                        <span>
                            {format!(
                                "The directory delivers the address of {}. ",
                                counted(waiting, "Manual user", "Manual users"),
                            )} <a href=customer_path(slug, "users/take-over")>"Decide who is taken over"</a>
                        </span>
                    </p>
                }
            })}
        {body}
    };
    Ok(Rendered::new(view).with_message(message).about("users"))
}

fn rows(desk: &Desk, query: &Query, page: &UserPage, list: UserList, path: &str) -> AnyView {
    let UserList { rows, has_previous, has_next, total, narrowed } = list;
    let now = desk.portal.now();
    let slug = &desk.customer.customer().slug;
    let from_start = page.after.is_none() && page.before.is_none();
    if rows.is_empty() {
        let (why, step) = if from_start {
            ("Nobody matches. Search for fewer letters, or leave out a filter.", "Show everybody")
        } else {
            (NOTHING_MORE, TO_THE_FIRST)
        };
        let back = if from_start { path.to_owned() } else { query.link(path, &KEPT, &[]) };
        return view! { <Empty why=why step=Some((back, step)) /> }.into_any();
    }
    let step = |key: &str, row: Option<&UserRow>| {
        row.map(|row| query.link(path, &KEPT, &[(key, &row.cursor(page.order).to_string())]))
    };
    let previous = step("before", rows.first().filter(|_| has_previous));
    let next = step("after", rows.last().filter(|_| has_next));
    let place = match total {
        Some(total) => counted(total, "user", "users"),
        None => format!("more than {} users", count(UserList::MOST_FOUND)),
    };
    let head = |order: UserOrder, name: &str, words: &'static str| {
        let here = page.order == order;
        // The last change is looked for from the latest on; pressing the same again turns the order round.
        let descending = if here { !page.descending } else { order == UserOrder::Changed };
        let link = query.link(path, &FILTERS, &[("sort", name), ("desc", if descending { "1" } else { "" })]);
        view! { <SortHead words=words link=link sorted=here.then_some(page.descending) /> }
    };
    let lines = rows.into_iter().map(|row| {
        view! {
            <tr>
                <th scope="row" data-label="Name">
                    <a href=customer_path(slug, &format!("users/{}", row.public_id))><bdi>{row.display_name}</bdi></a>
                </th>
                <td data-label="Address">
                    <Address address=row.primary_address />
                    {row.address_lost.then(|| view! { <span class="soft">"now somebody else's"</span> })}
                </td>
                <td data-label="Aliases" class="number">{count(row.aliases)}</td>
                <td data-label="Source">{row.source.label()}</td>
                <td data-label="Status">
                    <span class=format!("badge {}", row.status.name())>{row.status.label()}</span>
                    {row.sign_in_blocked.then(|| view! { " " <span class="soft">"sign-in blocked"</span> })}
                </td>
                <td data-label="Last change"><MomentView moment=Moment::at(row.changed_at, now) /></td>
            </tr>
        }
    });
    let lines = lines.collect_view();
    view! {
        {narrowed
            .then(|| {
                let what = if page.order == UserOrder::Address { "address" } else { "name" };
                view! {
                    <p class="soft">
                        {format!(
                            "Very many begin with \u{201c}{}\u{201d}: shown are those whose {what} does. Type three letters to search every part.",
                            page.filter.search.as_str(),
                        )}
                    </p>
                }
            })}
        <div class="table-wrap">
            <table class="list">
                <caption class="visually-hidden">"Users"</caption>
                <thead>
                    <tr>
                        {head(UserOrder::Name, "", "Name")}
                        {head(UserOrder::Address, "address", "Address")}
                        <th scope="col" class="number">"Aliases"</th>
                        <th scope="col">"Source"</th>
                        <th scope="col">"Status"</th>
                        {head(UserOrder::Changed, "changed", "Last change")}
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
        <Pager previous=previous next=next place=place />
    }
    .into_any()
}
