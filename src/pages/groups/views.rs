//! What the pages of groups show.

use domain::{
    group::{GroupKind, MemberKind},
    role::Role,
    service::{Service, Source},
};
use leptos::prelude::*;
use store::{Group, GroupList, GroupPage, ListedMember, Search};

use crate::{
    access::{self, Query},
    components::{Address, Choice, Empty, Moment, MomentView, Pager, Rendered, SearchForm, count, counted},
    error::AppError,
    pages::{CONNECT, NOTHING_MORE, TO_THE_FIRST, customer_path},
};

/// How many groups, or members, stand on a page.
const PER_PAGE: i64 = 50;

/// A place in a list as it stands in an address: a number or key, and the text that the list is ordered by.
fn cursor(text: &str) -> Option<(String, String)> {
    let (key, place) = text.split_once('.')?;
    Some((place.to_owned(), key.to_owned()))
}

fn group_cursor(text: &str) -> Option<(String, i64)> {
    let (place, id) = cursor(text)?;
    Some((place, id.parse().ok()?))
}

/// The list.
pub(super) async fn list(slug: &str, query: &str) -> Result<Rendered, AppError> {
    let desk = access::require(slug, Role::Viewer).await?;
    let query = Query::read(query);
    let page = GroupPage {
        search: Search::new(query.get("q")),
        kind: GroupKind::named(query.get("type")),
        after: group_cursor(query.get("after")),
        before: group_cursor(query.get("before")),
        limit: PER_PAGE,
    };
    let filtered = !page.search.is_empty() || page.kind.is_some();
    let from_start = page.after.is_none() && page.before.is_none();
    let loaded = async {
        let mut all = 0;
        for source in Source::ALL {
            all += desk.customer.group_count(source).await?;
        }
        Ok((desk.customer.groups(page).await?, all))
    };
    let (list, all) = loaded.await.map_err(|error| access::store_error(&error))?;
    let path = customer_path(slug, "groups");
    let kinds = GroupKind::ALL.iter().map(|kind| (kind.name(), kind.label())).collect();
    let body = if all == 0 {
        view! {
            <Empty
                why="There are no groups yet. They appear here once a directory that has some is connected and synced."
                step=Some((customer_path(slug, CONNECT), "Connect Entra ID"))
            />
        }
        .into_any()
    } else {
        let rows = if list.rows.is_empty() {
            let (why, back, step) = if from_start {
                let why = "No group matches. Search for fewer letters, or leave out the type.";
                (why, path.clone(), "Show all groups")
            } else {
                (NOTHING_MORE, query.link(&path, &["q", "type"], &[]), TO_THE_FIRST)
            };
            view! { <Empty why=why step=Some((back, step)) /> }.into_any()
        } else {
            let place = if filtered { String::new() } else { counted(all, "group", "groups") };
            rows(slug, &query, list, &path, place)
        };
        view! {
            <SearchForm
                action=path.clone()
                label="Search"
                placeholder="Name or address"
                text=query.get("q").to_owned()
                choices=vec![Choice::new("type", "Type", "Any type", kinds, query.get("type"))]
                kept=Vec::new()
                clear=filtered
            />
            {rows}
        }
        .into_any()
    };
    let view = view! {
        <div class="page-head"><h1>"Groups"</h1></div>
        {body}
    };
    Ok(Rendered::new(view).about("groups"))
}

fn rows(slug: &str, query: &Query, list: GroupList, path: &str, place: String) -> AnyView {
    let step = |key: &str, row: Option<&(Group, i64)>| {
        row.map(|(group, _)| {
            let (place, id) = group.cursor();
            query.link(path, &["q", "type"], &[(key, &format!("{id}.{place}"))])
        })
    };
    let previous = step("before", list.rows.first().filter(|_| list.has_previous));
    let next = step("after", list.rows.last().filter(|_| list.has_next));
    let lines = list.rows.into_iter().map(|(group, members)| {
        let members = if members > GroupList::MOST_COUNTED {
            format!("{}+", count(GroupList::MOST_COUNTED))
        } else {
            count(members)
        };
        view! {
            <tr>
                <th scope="row" data-label="Name">
                    <a href=customer_path(slug, &format!("groups/{}", group.public_id))><bdi>{group.display_name}</bdi></a>
                </th>
                <td data-label="Address">{address(group.address.map(|address| address.to_string()))}</td>
                <td data-label="Type">{group.kind.label()}</td>
                <td data-label="Members" class="number">{members}</td>
            </tr>
        }
    });
    let lines = lines.collect_view();
    view! {
        <div class="table-wrap">
            <table class="list">
                <caption class="visually-hidden">"Groups by name"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Address"</th>
                        <th scope="col">"Type"</th>
                        <th scope="col" class="number">"Members"</th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
        <Pager previous=previous next=next place=place />
    }
    .into_any()
}

fn address(address: Option<String>) -> AnyView {
    match address {
        Some(address) => view! { <Address address=address /> }.into_any(),
        None => view! { <span class="soft">"none"</span> }.into_any(),
    }
}

/// A group with its members: direct ones, or with `show=nested` everybody in it and in the groups that it contains.
pub(super) async fn group(slug: &str, id: &str, query: &str) -> Result<Rendered, AppError> {
    let desk = access::require(slug, Role::Viewer).await?;
    let query = Query::read(query);
    let nested = query.get("show") == "nested";
    let Ok(id) = id.parse() else { return Err(access::not_found()) };
    let loaded = async {
        let Some(group) = desk.customer.group(id).await? else { return Ok(None) };
        let service = service_of(group.source);
        let members = desk
            .customer
            .listed_members(service, &group.external_id, nested, cursor(query.get("after")), PER_PAGE + 1)
            .await?;
        let within = desk.customer.groups_of(service, &group.external_id, 100).await?;
        Ok(Some((group, members, within)))
    };
    let loaded = loaded.await.map_err(|error| access::store_error(&error))?;
    let Some((group, mut members, within)) = loaded else { return Err(access::not_found()) };
    let more = i64::try_from(members.len()).is_ok_and(|read| read > PER_PAGE);
    members.truncate(usize::try_from(PER_PAGE).unwrap_or(usize::MAX));
    let path = customer_path(slug, &format!("groups/{}", group.public_id));
    let next = members.last().filter(|_| more).map(|member| {
        query.link(&path, &["show"], &[("after", &format!("{}.{}", member.member_id, member.place))])
    });
    let first = (!query.get("after").is_empty()).then(|| query.link(&path, &["show"], &[]));
    let now = desk.portal.now();
    let tab = |words: &'static str, link: String, here: bool| {
        view! { <a href=link aria-current=here.then_some("page")>{words}</a> }
    };
    let within = within.into_iter().map(|(group, direct)| {
        view! {
            <li>
                <a href=customer_path(slug, &format!("groups/{}", group.public_id))><bdi>{group.display_name}</bdi></a>
                {(!direct).then(|| view! { <span class="soft">"through another group"</span> })}
            </li>
        }
    });
    let within: Vec<_> = within.collect();
    let view = view! {
        <div class="page-head">
            <h1><bdi>{group.display_name.clone()}</bdi></h1>
            <a href=customer_path(slug, "groups")>"All groups"</a>
        </div>
        <section class="card">
            <dl class="facts">
                <div><dt>"Address"</dt><dd>{address(group.address.as_ref().map(ToString::to_string))}</dd></div>
                <div><dt>"Type"</dt><dd>{group.kind.label()}</dd></div>
                <div><dt>"Source"</dt><dd>{group.source.label()}</dd></div>
                <div><dt>"Last change"</dt><dd><MomentView moment=Moment::at(group.changed_at, now) /></dd></div>
                <div><dt>"Directory ID"</dt><dd><code>{group.external_id.clone()}</code></dd></div>
            </dl>
            {(!within.is_empty())
                .then(|| view! { <h2 class="part">"Is itself in"</h2> <ul class="plain split">{within}</ul> })}
        </section>
        <h2>"Members"</h2>
        <nav class="tabs" aria-label="Members">
            {tab("Direct", path.clone(), !nested)}
            {tab("With nested groups", query.link(&path, &[], &[("show", "nested")]), nested)}
        </nav>
        {members_table(slug, members, nested)}
        {(first.is_some() || next.is_some()).then(|| view! { <Pager previous=first next=next place="" back="First page" /> })}
    };
    Ok(Rendered::new(view).about("groups users"))
}

/// The service that delivers a source.
pub(in crate::pages) const fn service_of(source: Source) -> Service {
    match source {
        Source::Ldap => Service::Ldap,
        Source::Azure | Source::Manual => Service::Entra,
    }
}

fn members_table(slug: &str, members: Vec<ListedMember>, nested: bool) -> AnyView {
    if members.is_empty() {
        let why = if nested {
            "Nobody is in this group, nor in the groups that it contains."
        } else {
            "Nobody is in this group. The directory may hide its members from the app."
        };
        return view! { <Empty why=why /> }.into_any();
    }
    let lines = members.into_iter().map(|member| {
        let name = member.display_name.unwrap_or_else(|| "Unknown to this portal".to_owned());
        let place = match member.kind {
            MemberKind::Group => "groups",
            MemberKind::User | MemberKind::Other => "users",
        };
        let name = match member.synced {
            Some(id) => view! { <a href=customer_path(slug, &format!("{place}/{id}"))><bdi>{name}</bdi></a> }
                .into_any(),
            None => view! { <bdi>{name}</bdi> }.into_any(),
        };
        let kind = match member.kind {
            MemberKind::User => "User",
            MemberKind::Group => "Group",
            MemberKind::Other => "Other (device, contact, app)",
        };
        let synced = if member.synced.is_some() {
            view! { <span class="badge good">"Synced"</span> }.into_any()
        } else {
            view! { <span class="badge">"Not synced"</span> }.into_any()
        };
        view! {
            <tr>
                <th scope="row" data-label="Name">{name}</th>
                <td data-label="Address">{address(member.address)}</td>
                <td data-label="Kind">{kind}</td>
                <td data-label="In the portal">{synced}</td>
            </tr>
        }
    });
    let lines = lines.collect_view();
    view! {
        <div class="table-wrap">
            <table class="list">
                <caption class="visually-hidden">"Members"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Address"</th>
                        <th scope="col">"Kind"</th>
                        <th scope="col">"In the portal"</th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
    }
    .into_any()
}
