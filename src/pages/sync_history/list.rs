//! The list of runs, as the server renders it.

use domain::{Timestamp, role::Role, run::Purpose};
use leptos::prelude::*;
use store::{Run, Schedule};

use super::words;
use crate::{
    access::{Desk, Query},
    components::{Empty, Icon, Moment, MomentView, Pager, count},
    pages::{CONNECT, NOTHING_MORE, TO_THE_FIRST, customer_path},
};

/// How many runs stand on a page.
pub(super) const PER_PAGE: i64 = 50;

/// The page's own address.
pub(super) fn path(desk: &Desk) -> String {
    customer_path(&desk.customer.customer().slug, "sync-history")
}

/// The page. `runs` holds one more than is shown when there are more.
pub(super) fn page(
    desk: &Desk,
    query: &Query,
    mut runs: Vec<Run>,
    schedule: Option<Schedule>,
) -> impl IntoView {
    let (slug, now) = (desk.customer.customer().slug.clone(), desk.portal.now());
    let next = crate::pages::cut(&mut runs, PER_PAGE)
        .then(|| runs.last().map(|run| query.link(&path(desk), &[], &[("before", &run.id.to_string())])))
        .flatten();
    let previous = (!query.get("before").is_empty()).then(|| path(desk));
    let paged = next.is_some() || previous.is_some();
    let preview = (desk.role >= Role::Operator).then(|| {
        view! {
            <form method="post" action="/api/preview">
                <input type="hidden" name="slug" value=slug.clone() />
                <button class="button" type="submit">"Preview a sync"</button>
            </form>
        }
    });
    let list = if runs.is_empty() && previous.is_some() {
        view! { <Empty why=NOTHING_MORE step=previous.map(|first| (first, TO_THE_FIRST)) /> }.into_any()
    } else if runs.is_empty() {
        view! {
            <Empty
                why="Nothing was synced yet. Each sync will be listed here with what it changed."
                step=Some((customer_path(&slug, CONNECT), "Open Connect"))
            />
        }
        .into_any()
    } else {
        view! {
            <Runs slug=slug.clone() runs=runs now=now />
            {paged.then(|| view! { <Pager previous=previous next=next place="The latest first" /> })}
        }
        .into_any()
    };
    view! {
        <div class="page-head">
            <h1>"Sync History"</h1>
            {preview}
        </div>
        {schedule.map(|schedule| view! { <p class="soft">{next_words(&schedule, now)}</p> })}
        {list}
    }
}

/// When the next run is due, and why it comes sooner than usual.
pub(in crate::pages) fn next_words(schedule: &Schedule, now: Timestamp) -> String {
    let minutes = schedule.next_at.since(now) / Timestamp::MINUTE;
    let when = match minutes {
        ..1 => "The next scheduled sync is due now.".to_owned(),
        1..120 => format!("The next scheduled sync is in {minutes} min."),
        120..2_880 => format!("The next scheduled sync is in {} h.", minutes / 60),
        _ => format!("The next scheduled sync is in {} days.", minutes / 1_440),
    };
    match schedule.failures {
        0 => when,
        1 => format!("{when} The last one failed."),
        failures => format!("{when} The last {failures} failed."),
    }
}

/// The table.
#[component]
fn Runs(slug: String, runs: Vec<Run>, now: Timestamp) -> impl IntoView {
    let rows = runs.into_iter().map(|run| {
        let (class, icon, word) = words::outcome_sign(run.outcome);
        let (by, duration) = (words::started_by(&run), words::duration(words::seconds(&run, now)));
        let preview = run.purpose == Purpose::Preview;
        let figure = move |number: i64| {
            let class = match number {
                0 => "soft",
                _ if preview => "would",
                _ => "",
            };
            view! { <span class=class>{count(number)}</span> }
        };
        let counts = run.counts;
        view! {
            <tr>
                <th scope="row" data-label="Started">
                    <a href=customer_path(&slug, &format!("sync-history/{}", run.public_id))>
                        <MomentView moment=Moment::at(run.started_at, now) />
                    </a>
                </th>
                <td data-label="What">{words::purpose(run.purpose)}</td>
                <td data-label="Outcome"><span class=format!("badge {class}")><Icon name=icon />{word}</span></td>
                <td data-label="Started by"><bdi>{by}</bdi></td>
                <td data-label="Read" class="number">{figure(counts.users_read)}</td>
                <td data-label="Added" class="number">{figure(counts.added)}</td>
                <td data-label="Changed" class="number">{figure(counts.updated)}</td>
                <td data-label="Missing" class="number">{figure(counts.missing)}</td>
                <td data-label="Back" class="number">{figure(counts.restored)}</td>
                <td data-label="Deleted" class="number">{figure(counts.deleted)}</td>
                <td data-label="Held" class="number">{figure(counts.held)}</td>
                <td data-label="Duration" class="number">{duration}</td>
            </tr>
        }
    });
    let heads = [
        ("Started", ""),
        ("What", ""),
        ("Outcome", ""),
        ("Started by", ""),
        ("Read", "number"),
        ("Added", "number"),
        ("Changed", "number"),
        ("Missing", "number"),
        ("Back", "number"),
        ("Deleted", "number"),
        ("Held", "number"),
        ("Duration", "number"),
    ];
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="Syncs">
            <table class="list">
                <caption class="visually-hidden">"Syncs, the latest first"</caption>
                <thead>
                    <tr>{heads.map(|(words, class)| view! { <th scope="col" class=class>{words}</th> }).collect_view()}</tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}
