//! One run, as the server renders it: the summary, the phases, what it did to whom, and its notices.

use domain::{
    Timestamp,
    role::Role,
    run::{Action, NoticeKind, ObjectKind, Outcome, Purpose},
};
use leptos::prelude::*;
use store::{CustomerStore, Run, RunChangeRow, StoreError};
use uuid::Uuid;

use super::{
    undo::{self, Undo},
    words,
};
use crate::{
    access::{Desk, Query},
    components::{Icon, Moment, MomentView, Pager, count, counted},
    pages::{changed_fields::changed_fields, customer_path, cut, progress},
};

/// How many changes stand on a page.
const CHANGES_PER_PAGE: i64 = 50;
/// How many notices stand on a page.
const NOTICES_PER_PAGE: i64 = 50;

/// A run with what its page shows of it.
pub(super) struct Found {
    pub(super) run: Run,
    changes: Vec<RunChangeRow>,
    notice_counts: Vec<(NoticeKind, i64)>,
    notices: Vec<(i64, domain::run::Notice)>,
}

/// The page's own address.
pub(super) fn path(desk: &Desk, id: Uuid) -> String {
    customer_path(&desk.customer.customer().slug, &format!("sync-history/{id}"))
}

/// Reads the run with that id, as far as the query asks for it.
pub(super) async fn load(
    customer: &CustomerStore,
    id: Uuid,
    query: &Query,
) -> Result<Option<Found>, StoreError> {
    let Some(run) = customer.run(id).await? else { return Ok(None) };
    let (after, limit) = (query.number("after").unwrap_or(0), CHANGES_PER_PAGE + 1);
    let changes = match Action::named(query.get("action")) {
        Some(action) => customer.run_changes_of(run.id, action, after, limit).await?,
        None => customer.run_changes(run.id, after, limit).await?,
    };
    let notice_counts = customer.notice_counts(run.id).await?;
    let (after, limit) = (query.number("notices_after").unwrap_or(0), NOTICES_PER_PAGE + 1);
    let notices = match NoticeKind::named(query.get("notice")) {
        Some(kind) => customer.notices_of(run.id, kind, after, limit).await?,
        None => customer.notices(run.id, after, limit).await?,
    };
    Ok(Some(Found { run, changes, notice_counts, notices }))
}

/// The page.
pub(super) fn page(desk: &Desk, query: &Query, found: Found, undo: Undo) -> impl IntoView + use<> {
    let Found { run, changes, notice_counts, notices } = found;
    let path = path(desk, run.public_id);
    let slug = &desk.customer.customer().slug;
    let all = customer_path(slug, "sync-history");
    view! {
        <div class="page-head">
            <h1>{words::purpose(run.purpose)}</h1>
            <a href=all>"All syncs"</a>
        </div>
        {summary(&run, slug, desk.portal.now(), desk.role >= Role::Operator, notice_counts.iter().map(|(_, number)| number).sum())}
        {undo::card(desk, &run, undo)}
        {changes_card(&run, changes, query, &path, slug)}
        {notices_card(notice_counts, notices, query, &path)}
    }
}

/// How the run stands or ended, and what it cost.
fn summary(run: &Run, slug: &str, now: Timestamp, may_cancel: bool, notices: i64) -> impl IntoView + use<> {
    let (class, icon, word) = words::outcome_sign(run.outcome);
    let running = run.outcome == Outcome::Running;
    let counts = &run.counts;
    let would = run.purpose == Purpose::Preview;
    let figures = [
        ("People read", counts.users_read),
        ("Groups read", counts.groups_read),
        (if would { "Would be added" } else { "Added" }, counts.added),
        (if would { "Would change" } else { "Changed" }, counts.updated),
        (if would { "Would be missing" } else { "Missing" }, counts.missing),
        (if would { "Would be back" } else { "Back" }, counts.restored),
        (if would { "Would be deleted" } else { "Deleted" }, counts.deleted),
        ("Held", counts.held),
        ("Left out", counts.left_out),
    ];
    let figures = figures.map(|(words, number)| {
        view! { <div><dt>{words}</dt><dd class="number">{count(number)}</dd></div> }
    });
    let phases = [
        ("Reading the directory", words::milliseconds(counts.fetch_ms)),
        ("Counting what would go", words::milliseconds(counts.plan_ms)),
        ("Writing", words::milliseconds(counts.apply_ms)),
        ("Pages", count(counts.pages)),
        ("Requests", count(counts.requests)),
        ("Received", words::bytes(counts.bytes)),
        ("Waited because the directory asked for it", words::milliseconds(counts.throttled_ms)),
    ];
    let phases = phases
        .map(|(words, value)| view! { <li><span>{words}</span><span class="number">{value}</span></li> });
    let held = (counts.held > 0 && run.outcome == Outcome::Held).then(|| {
        let link = customer_path(slug, "service-settings/directory-services/entra-id/held-removals");
        view! {
            <p class="notice warning">
                <Icon name="warning" />
                <span>
                    {counted(counts.held, "removal waits", "removals wait")}
                    " for an approval, because there are unusually many. "<a href=link>"See them"</a>
                </span>
            </p>
        }
    });
    view! {
        <section class="card" aria-label="Summary">
            <p class="run-head">
                <span class=format!("badge {class}")><Icon name=icon />{word}</span>
                <span class="soft">
                    <MomentView moment=Moment::at(run.started_at, now) />
                    {format!(", {}, started by ", words::duration(words::seconds(run, now)))}
                    <bdi>{words::started_by(run)}</bdi>
                </span>
            </p>
            {if running {
                progress::running(run, slug, may_cancel, now).into_any()
            } else {
                view! { <p>{run.summary.clone()}</p> }.into_any()
            }}
            {run.error.clone().map(|error| view! { <p class="notice bad"><Icon name="cross" /><span>{error}</span></p> })}
            {held}
            {(notices > 0).then(|| {
                let words = counted(notices, "notice about a single object", "notices about single objects");
                view! { <p><a href="#notices">{words}</a></p> }
            })}
            <dl class="figures">{figures.collect_view()}</dl>
            <details class="phases">
                <summary>"How long it took and what was transferred"</summary>
                <ul class="plain split">{phases.collect_view()}</ul>
            </details>
        </section>
    }
}

/// How many objects a run did that to, by its own counts.
fn done(run: &Run, action: Action) -> i64 {
    let counts = &run.counts;
    match action {
        Action::Added => counts.added + counts.groups_added,
        Action::Updated => counts.updated + counts.groups_updated,
        Action::Missing => counts.missing,
        Action::Restored => counts.restored,
        Action::Deleted => counts.deleted + counts.groups_deleted,
    }
}

/// Links that narrow a list, the chosen one marked.
fn filters(label: &'static str, links: Vec<(String, String, bool)>) -> impl IntoView {
    let links = links.into_iter().map(|(href, words, chosen)| {
        view! { <li><a href=href aria-current=chosen.then_some("true")>{words}</a></li> }
    });
    view! { <nav aria-label=label><ul class="plain filters">{links.collect_view()}</ul></nav> }
}

/// What the run did to whom.
fn changes_card(
    run: &Run,
    mut rows: Vec<RunChangeRow>,
    query: &Query,
    path: &str,
    slug: &str,
) -> impl IntoView + use<> {
    let chosen = Action::named(query.get("action"));
    if rows.is_empty() && chosen.is_none() && query.get("after").is_empty() {
        return ().into_any();
    }
    let kept = ["notice", "notices_after"];
    let mut links = vec![(query.link(path, &kept, &[]), "All".to_owned(), chosen.is_none())];
    for action in [Action::Added, Action::Updated, Action::Missing, Action::Restored, Action::Deleted] {
        let number = done(run, action);
        if number > 0 || chosen == Some(action) {
            links.push((
                query.link(path, &kept, &[("action", action.name())]),
                format!("{} {}", words::action(action), count(number)),
                chosen == Some(action),
            ));
        }
    }
    let more = cut(&mut rows, CHANGES_PER_PAGE);
    let kept = ["action", "notice", "notices_after"];
    let next =
        rows.last().filter(|_| more).map(|row| query.link(path, &kept, &[("after", &row.id.to_string())]));
    let previous = (!query.get("after").is_empty()).then(|| query.link(path, &kept, &[]));
    let export = query.link(&format!("{path}/changes.csv"), &["action"], &[]);
    let preview = run.purpose == Purpose::Preview;
    let title = if preview { "What a sync would do" } else { "What changed" };
    let paged = next.is_some() || previous.is_some();
    let list = if rows.is_empty() {
        view! { <p class="soft">"The run did this to nobody. "<a href=path.to_owned()>"Show all"</a></p> }
            .into_any()
    } else {
        let rows = rows.into_iter().map(|row| change(row, preview, slug)).collect_view();
        view! {
            <div class="table-wrap" tabindex="0" role="region" aria-label="Changes">
                <table class="list diff">
                    <caption class="visually-hidden">{title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Who"</th>
                            <th scope="col">"What"</th>
                            <th scope="col">"Before → after"</th>
                            <th scope="col">"Why"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="card" id="changes">
            <div class="card-head">
                <h2>{title}</h2>
                <a href=export rel="external" download="">"Export CSV"</a>
            </div>
            {filters("Changes by kind", links)}
            {list}
            {paged.then(|| view! { <Pager previous=previous next=next place="In the order of the run" /> })}
        </section>
    }
    .into_any()
}

/// One row of the diff. What a preview would add is not there yet.
fn change(row: RunChangeRow, preview: bool, slug: &str) -> impl IntoView + use<> {
    let change = row.change;
    let (folder, kind) = match change.object {
        ObjectKind::User => ("users", ""),
        ObjectKind::Group => ("groups", "Group"),
    };
    let is_there = match change.action {
        Action::Added => !preview,
        Action::Deleted => preview,
        Action::Updated | Action::Missing | Action::Restored => true,
    };
    let name = if is_there {
        let href = customer_path(slug, &format!("{folder}/{}", change.object_id));
        view! { <a href=href><bdi>{change.display_name}</bdi></a> }.into_any()
    } else {
        view! { <bdi>{change.display_name}</bdi> }.into_any()
    };
    view! {
        <tr>
            <th scope="row" data-label="Who">
                {name}
                <span class="second">{(!kind.is_empty()).then(|| format!("{kind} "))}<bdi>{change.address}</bdi></span>
            </th>
            <td data-label="What">
                <span class=format!("badge {}", words::action_class(change.action))>{words::action(change.action)}</span>
            </td>
            <td data-label="Before → after">{changed_fields(change.changes)}</td>
            <td data-label="Why">{change.reason}</td>
        </tr>
    }
}

/// What the run has to tell about single objects.
fn notices_card(
    counts: Vec<(NoticeKind, i64)>,
    mut notices: Vec<(i64, domain::run::Notice)>,
    query: &Query,
    path: &str,
) -> impl IntoView + use<> {
    if counts.is_empty() {
        return ().into_any();
    }
    let total = counts.iter().map(|(_, number)| number).sum();
    let chosen = NoticeKind::named(query.get("notice"));
    let kept = ["action", "after"];
    let to = |address: String| format!("{address}#notices");
    let mut links = vec![(to(query.link(path, &kept, &[])), "All".to_owned(), chosen.is_none())];
    links.extend(counts.into_iter().map(|(kind, number)| {
        let address = query.link(path, &kept, &[("notice", kind.name())]);
        (to(address), format!("{} {}", words::notice(kind), count(number)), chosen == Some(kind))
    }));
    let more = cut(&mut notices, NOTICES_PER_PAGE);
    let kept = ["action", "after", "notice"];
    let next = notices
        .last()
        .filter(|_| more)
        .map(|(seq, _)| to(query.link(path, &kept, &[("notices_after", &seq.to_string())])));
    let previous = (!query.get("notices_after").is_empty()).then(|| to(query.link(path, &kept, &[])));
    let paged = next.is_some() || previous.is_some();
    let rows = notices.into_iter().map(|(_, notice)| {
        view! {
            <tr>
                <th scope="row" data-label="Who"><bdi>{notice.display_name}</bdi></th>
                <td data-label="What">{words::notice(notice.kind)}</td>
                <td data-label="Detail">{notice.detail}</td>
            </tr>
        }
    });
    view! {
        <section class="card" id="notices">
            <h2>{counted(total, "notice", "notices")}</h2>
            {filters("Notices by kind", links)}
            <div class="table-wrap" tabindex="0" role="region" aria-label="Notices">
                <table class="list">
                    <caption class="visually-hidden">"Notices"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Who"</th>
                            <th scope="col">"What"</th>
                            <th scope="col">"Detail"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
            {paged.then(|| view! { <Pager previous=previous next=next place="In the order of the run" /> })}
        </section>
    }
    .into_any()
}
