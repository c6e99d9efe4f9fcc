//! A user's page: who it is, what the directory says, why the user is here, and what happened to it.

use domain::{
    Timestamp,
    conflict::State,
    role::Role,
    run::Action,
    service::{Source, Status},
    settings::DeleteAfter,
};
use leptos::prelude::*;
use store::{Change, MirrorUser, TouchingException, User};
use sync::manual_users;

use crate::{
    access::{self, Desk, Query},
    components::{Address, Icon, Message, Moment, MomentView, Pager, Rendered, Steps, Tone, counted},
    error::AppError,
    pages::{customer_path, groups::service_of},
};

/// How many entries of the history stand on a page.
const EVENTS: i64 = 30;
/// How many groups are shown.
const GROUPS: i64 = 200;

/// Everything that the page shows beside the user.
struct Around {
    mirrored: Option<MirrorUser>,
    exceptions: Vec<TouchingException>,
    additions: Vec<(String, String)>,
    groups: Vec<(store::Group, bool)>,
    delete_after: Option<DeleteAfter>,
    why: Option<Vec<domain::check::Step>>,
    events: Vec<Event>,
    /// The cursor of the next page of events.
    more: Option<Timestamp>,
}

/// An entry of the history.
struct Event {
    at: Timestamp,
    /// What happened, with its icon.
    icon: &'static str,
    what: String,
    /// Who or what did it, and where that can be read.
    by: String,
    link: Option<String>,
    changes: Vec<Change>,
}

fn path(slug: &str, user: &User) -> String {
    customer_path(slug, &format!("users/{}", user.public_id))
}

/// The page.
pub(super) async fn page(slug: &str, id: &str, query: &str) -> Result<Rendered, AppError> {
    let desk = access::require(slug, Role::Viewer).await?;
    let Ok(id) = id.parse() else { return Err(access::not_found()) };
    let found = desk.customer.user(id).await.map_err(|error| access::store_error(&error))?;
    let Some(user) = found else { return Err(access::not_found()) };
    let query = Query::read(query);
    let around = around(&desk, &user, query.number("before").map(Timestamp)).await?;
    let path = path(slug, &user);
    let message = access::take_answer::<Message>(&desk.portal, &desk.session, &path).await?;
    let view = view(&desk, &user, around, &path, query.number("before").is_some());
    Ok(Rendered::new(view).with_message(message).about("users conflicts groups by_hand"))
}

async fn around(desk: &Desk, user: &User, before: Option<Timestamp>) -> Result<Around, AppError> {
    let slug = &desk.customer.customer().slug;
    let service = service_of(user.source);
    let key = user.external_id.as_deref().filter(|_| user.source != Source::Manual);
    let loaded = async {
        let mirrored = match key {
            Some(key) => desk.customer.mirrored_user(service, key).await?,
            None => None,
        };
        let addresses = std::iter::once(&user.primary_address).chain(&user.aliases).map(ToString::to_string);
        let addresses: Vec<String> = addresses.collect();
        let objects: Vec<String> = addresses.iter().cloned().chain(key.map(ToOwned::to_owned)).collect();
        let exceptions = desk.customer.exceptions_for(service, &objects).await?;
        let additions = desk.customer.additions_for(service, &addresses).await?;
        let groups = match key {
            Some(key) => desk.customer.groups_of(service, key, GROUPS).await?,
            None => Vec::new(),
        };
        let (events, more) = events(desk, user, slug, before).await?;
        Ok((mirrored, exceptions, additions, groups, events, more))
    };
    let (mirrored, exceptions, additions, groups, events, more) =
        loaded.await.map_err(|error| access::store_error(&error))?;
    let explained = async {
        let why = match key.filter(|_| user.source == Source::Azure) {
            Some(key) => sync::run::explain(&desk.customer, key).await?,
            None => None,
        };
        Ok((why, sync::conflicts::deletion_setting(&desk.customer).await?))
    };
    let (why, delete_after) = explained.await.map_err(|error| access::sync_error(&error))?;
    Ok(Around { mirrored, exceptions, additions, groups, delete_after, why, events, more })
}

/// What runs and administrators did, the latest first, from before that moment on.
async fn events(
    desk: &Desk,
    user: &User,
    slug: &str,
    before: Option<Timestamp>,
) -> Result<(Vec<Event>, Option<Timestamp>), store::StoreError> {
    // Both are read as far as the page reaches, then merged: neither knows the other's numbers.
    let earlier = |at: Timestamp| before.is_none_or(|before| at < before);
    let mut events = Vec::new();
    let mut from = None;
    loop {
        let rows = desk.customer.object_changes(user.public_id, from, EVENTS + 1).await?;
        let Some(last) = rows.last() else { break };
        from = Some(last.id);
        events.extend(rows.into_iter().filter(|row| earlier(row.at)).map(|row| {
            let (icon, what) = match row.change.action {
                Action::Added => ("check", "Added"),
                Action::Updated => ("sync", "Changed"),
                Action::Missing => ("warning", "No longer delivered"),
                Action::Restored => ("check", "Back"),
                Action::Deleted => ("cross", "Deleted"),
            };
            let why =
                if row.change.reason.is_empty() { String::new() } else { format!(": {}", row.change.reason) };
            Event {
                at: row.at,
                icon,
                what: format!("{what}{why}"),
                by: "a sync".to_owned(),
                link: Some(customer_path(slug, &format!("sync-history/{}", row.run_public_id))),
                changes: row.change.changes,
            }
        }));
        if i64::try_from(events.len()).is_ok_and(|read| read > EVENTS) {
            break;
        }
    }
    let mut from = None;
    let runs = events.len();
    loop {
        let rows = desk.customer.audit_of(user.primary_address.as_str(), from, EVENTS + 1).await?;
        let Some(last) = rows.last() else { break };
        from = Some(last.id);
        events.extend(rows.into_iter().map(|row| row.entry).filter(|entry| earlier(entry.at)).map(|entry| {
            Event {
                at: entry.at,
                icon: "users",
                what: action_words(&entry.action),
                by: entry.actor,
                link: None,
                changes: entry.changes,
            }
        }));
        if i64::try_from(events.len() - runs).is_ok_and(|read| read > EVENTS) {
            break;
        }
    }
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    let page = usize::try_from(EVENTS).unwrap_or(usize::MAX);
    // Events of one moment stay together, so that a moment is cursor enough.
    let mut end = page.min(events.len());
    while end > 0 && end < events.len() && events[end].at == events[end - 1].at {
        end += 1;
    }
    let more = (end < events.len()).then(|| events[end - 1].at);
    events.truncate(end);
    Ok((events, more))
}

fn action_words(action: &str) -> String {
    match action {
        "user.add" => "Entered by hand",
        "user.edit" => "Changed by hand",
        "user.import" => "Imported",
        "user.delete" => "Deleted by hand",
        "user.activate" => "Activated",
        "user.deactivate" => "Deactivated",
        other => other,
    }
    .to_owned()
}

fn view(desk: &Desk, user: &User, around: Around, path: &str, earlier: bool) -> impl IntoView + use<> {
    let slug = desk.customer.customer().slug.clone();
    let now = desk.portal.now();
    let manual = user.source == Source::Manual;
    let may_edit = manual && desk.role >= Role::Administrator;
    let service = (desk.role >= Role::Operator).then(|| service_button(&slug, user));
    let notice = conflict_notice(&slug, user, around.delete_after, now);
    let aliases = user.aliases.iter().map(|alias| view! { <li><Address address=alias.to_string() /></li> });
    let aliases = aliases.collect_view();
    let no_aliases = user.aliases.is_empty();
    let by_hand = by_hand(&around);
    let groups = groups_view(&slug, around.groups);
    let directory = directory_view(around.mirrored);
    let events = events_view(around.events, now);
    let next = around.more.map(|at| format!("{path}?before={}", at.0));
    let first = earlier.then(|| path.to_owned());
    view! {
        <div class="page-head">
            <h1><bdi>{user.display_name.clone()}</bdi></h1>
            <div class="page-actions">
                {may_edit
                    .then(|| {
                        view! {
                            <a class="button" href=format!("{path}/edit")>"Edit"</a>
                            <a class="button" href=format!("{path}/delete")>"Delete"</a>
                        }
                    })}
                {service}
            </div>
        </div>
        {notice}
        <div class="columns">
            <div>
                <section class="card">
                    <dl class="facts">
                        <div>
                            <dt>{if user.address_lost { "Last known address" } else { "Primary address" }}</dt>
                            <dd><Address address=user.primary_address.to_string() /></dd>
                        </div>
                        <div>
                            <dt>"Status"</dt>
                            <dd>
                                <span class=format!("badge {}", user.status.name())>{user.status.label()}</span>
                                {user.sign_in_blocked.then(|| view! { " " <span class="soft">"sign-in blocked"</span> })}
                            </dd>
                        </div>
                        <div><dt>"Source"</dt><dd>{user.source.label()}</dd></div>
                        <div><dt>"Added"</dt><dd><MomentView moment=Moment::at(user.created_at, now) /></dd></div>
                        <div><dt>"Last change"</dt><dd><MomentView moment=Moment::at(user.changed_at, now) /></dd></div>
                        {user
                            .external_id
                            .clone()
                            .map(|id| view! { <div><dt>"Directory ID"</dt><dd><code>{id}</code></dd></div> })}
                    </dl>
                    <h2 class="part">{counted(i64::try_from(user.aliases.len()).unwrap_or(i64::MAX), "alias", "aliases")}</h2>
                    {(!no_aliases).then(|| view! { <ul class="plain aliases-list">{aliases}</ul> })}
                </section>
                <section class="card">
                    <h2>"History"</h2>
                    {events}
                    {(next.is_some() || first.is_some())
                        .then(|| view! { <Pager previous=first next=next place="" back="Latest" /> })}
                </section>
                {directory}
            </div>
            <div>
                <section class="card">
                    <h2>"Why this user is here"</h2>
                    {by_hand}
                    {match around.why {
                        Some(steps) => view! { <Steps steps=steps /> }.into_any(),
                        None if manual => view! { <p>"An administrator entered this user. No sync changes it."</p> }.into_any(),
                        None => {
                            view! {
                                <p>"The directory was not seen to have this person since it was last read completely, so its rules have nothing to decide."</p>
                            }
                                .into_any()
                        }
                    }}
                </section>
                {groups}
            </div>
        </div>
    }
}

fn service_button(slug: &str, user: &User) -> impl IntoView + use<> {
    let (on, words) = if user.service_on { ("off", "Deactivate") } else { ("on", "Activate") };
    view! {
        <form method="post" action="/api/set_service">
            <input type="hidden" name="slug" value=slug.to_owned() />
            <input type="hidden" name="id" value=user.public_id.to_string() />
            <button type="submit" class="button" name="on" value=on>{words}</button>
        </form>
    }
}

fn conflict_notice(
    slug: &str,
    user: &User,
    delete_after: Option<DeleteAfter>,
    now: Timestamp,
) -> Option<impl IntoView + use<>> {
    let conflict = user.conflict.as_ref()?;
    let since = domain::moment::day_words(conflict.missing_since.date());
    let then = match (delete_after.and_then(|setting| conflict.delete_on(setting)), conflict.state) {
        (_, State::Deactivated) => "The service is off, and the user is not deleted.".to_owned(),
        (None, State::Ignored) => "The user is ignored and is not deleted.".to_owned(),
        (None, State::Pending) if delete_after.is_none() => {
            "Nobody is deleted while no directory service is on.".to_owned()
        }
        (None, State::Pending) => "Nobody is deleted by the present setting.".to_owned(),
        (Some(due), _) if due <= now => {
            "The next complete sync that still lacks the person deletes the user.".to_owned()
        }
        (Some(due), _) => {
            let day = domain::moment::day_words(due.date());
            format!("The user will be deleted on {day} unless you ignore or deactivate it.")
        }
    };
    let lost = user.address_lost.then_some(" The address went to somebody else who is delivered.");
    let words =
        format!("In conflict since {since}: {}. {then}{}", conflict.reason.label(), lost.unwrap_or_default());
    let link = customer_path(slug, "service-settings/directory-services/entra-id/user-conflicts");
    Some(view! {
        <p class="notice warning">
            <Icon name="warning" />
            <span>{words} " " <a href=link>"Open User Conflicts"</a></span>
        </p>
    })
}

fn by_hand(around: &Around) -> impl IntoView + use<> {
    let exceptions = around.exceptions.iter().map(|exception| {
        let what = match (exception.kind.as_str(), exception.keep) {
            ("alias", _) => format!("Exception: the alias {} is not attached", exception.object),
            (_, true) => "Exception: the sync does not touch this user".to_owned(),
            (_, false) => "Exception: the person is left out of the sync".to_owned(),
        };
        let reason = if exception.reason.is_empty() {
            String::new()
        } else {
            format!(" \u{201c}{}\u{201d}", exception.reason)
        };
        format!("{what}, by {}.{reason}", exception.created_by)
    });
    let additions =
        around.additions.iter().map(|(address, by)| format!("Addition: {address} was added by {by}."));
    let lines: Vec<_> = exceptions.chain(additions).map(|line| view! { <li>{line}</li> }).collect();
    (!lines.is_empty()).then(|| view! { <ul class="plain by-hand">{lines}</ul> })
}

fn groups_view(slug: &str, groups: Vec<(store::Group, bool)>) -> Option<impl IntoView + use<>> {
    if groups.is_empty() {
        return None;
    }
    let words = counted(i64::try_from(groups.len()).unwrap_or(i64::MAX), "group", "groups");
    let lines: Vec<_> = groups
        .into_iter()
        .map(|(group, direct)| {
            view! {
                <li>
                    <a href=customer_path(slug, &format!("groups/{}", group.public_id))><bdi>{group.display_name}</bdi></a>
                    <span class="soft">{if direct { group.kind.label() } else { "through another group" }}</span>
                </li>
            }
        })
        .collect();
    Some(view! {
        <section class="card">
            <h2>{words}</h2>
            <ul class="plain split">{lines}</ul>
        </section>
    })
}

/// What the directory says, as it was read: every property that was asked for.
fn directory_view(mirrored: Option<MirrorUser>) -> Option<impl IntoView + use<>> {
    let MirrorUser { user, gone, .. } = mirrored?;
    let attributes: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&user.attributes).unwrap_or_default();
    let lines: Vec<_> = attributes
        .into_iter()
        // It stands above.
        .filter(|(name, _)| name != "id")
        .filter_map(|(name, value)| {
            let text = plain(&value)?;
            Some(view! { <div><dt>{name}</dt><dd class="lines"><bdi>{text}</bdi></dd></div> })
        })
        .collect();
    Some(view! {
        <section class="card">
            <h2>{if gone { "What the directory last said" } else { "What the directory says" }}</h2>
            <dl class="facts">{lines}</dl>
        </section>
    })
}

/// A value as a person reads it, a line for each part; `None` when there is nothing in it.
fn plain(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;

    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(values) => values.iter().filter_map(plain).collect::<Vec<_>>().join("\n"),
        Value::Object(parts) => {
            let parts = parts.iter().filter_map(|(name, value)| Some(format!("{name}: {}", plain(value)?)));
            parts.collect::<Vec<_>>().join("\n")
        }
    };
    (!text.is_empty()).then_some(text)
}

fn events_view(events: Vec<Event>, now: Timestamp) -> impl IntoView {
    if events.is_empty() {
        return view! { <p class="soft">"Nothing was noted yet."</p> }.into_any();
    }
    let lines: Vec<_> = events
        .into_iter()
        .map(|event| {
            let by = match event.link {
                Some(link) => view! { <a href=link>{event.by}</a> }.into_any(),
                None => view! { {event.by} }.into_any(),
            };
            let changes: Vec<_> = event
                .changes
                .into_iter()
                .map(|Change { field, old, new }| {
                    let old = if old.is_empty() { "nothing".to_owned() } else { old };
                    let new = if new.is_empty() { "nothing".to_owned() } else { new };
                    view! { <li>{field} ": " <del><bdi>{old}</bdi></del> " \u{2192} " <ins><bdi>{new}</bdi></ins></li> }
                })
                .collect();
            view! {
                <li class="event">
                    <Icon name=event.icon />
                    <div>
                        <p>
                            <strong>{event.what}</strong>
                            <span class="soft">", by " {by} ", " <MomentView moment=Moment::at(event.at, now) /></span>
                        </p>
                        {(!changes.is_empty()).then(|| view! { <ul class="plain">{changes}</ul> })}
                    </div>
                </li>
            }
        })
        .collect();
    view! { <ol class="timeline">{lines}</ol> }.into_any()
}

/// Activate and Deactivate.
pub(super) async fn set_service(slug: &str, id: &str, on: bool) -> Result<(), AppError> {
    let desk = access::require(slug, Role::Operator).await?;
    let Ok(id) = id.parse() else { return Err(access::not_found()) };
    let done = manual_users::set_service(&desk.portal.engine, &desk.customer, &desk.actor(), id, on).await;
    if !done.map_err(|error| access::sync_error(&error))? {
        return Err(access::not_found());
    }
    let words = if on {
        format!("The user is {} again.", Status::Active.label().to_lowercase())
    } else {
        "The service is off for this user. No sync switches it on again.".to_owned()
    };
    let path = customer_path(slug, &format!("users/{id}"));
    access::answer(&desk.portal, &desk.session, &path, Message::new(Tone::Good, words)).await.map(drop)
}
