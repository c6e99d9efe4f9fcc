//! The runs of a customer, and one run with what it read and changed.

use domain::run::{Counts, Notice, NoticeKind, Outcome, Phase, Trigger};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use serde::{Deserialize, Serialize};

use super::{CONNECT, customer_path, use_slug};
use crate::{
    components::{Empty, ErrorView, Icon, Loading, Moment, MomentView, Pager, count, counted},
    error::AppError,
};

/// How many runs stand on a page.
#[cfg(feature = "ssr")]
const RUNS_PER_PAGE: i64 = 50;
/// How many notices stand on a page.
#[cfg(feature = "ssr")]
const NOTICES_PER_PAGE: i64 = 100;

/// A run as the pages show it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct RunData {
    id: String,
    outcome: Outcome,
    phase: Phase,
    trigger: Trigger,
    actor: String,
    started: Moment,
    /// How long it took or has taken so far, in seconds.
    seconds: i64,
    counts: Counts,
    summary: String,
    error: Option<String>,
}

#[cfg(feature = "ssr")]
impl RunData {
    fn of(run: store::Run, now: domain::Timestamp) -> Self {
        Self {
            id: run.public_id.to_string(),
            outcome: run.outcome,
            phase: run.phase,
            trigger: run.trigger,
            actor: run.actor,
            started: Moment::at(run.started_at, now),
            seconds: run.finished_at.unwrap_or(now).since(run.started_at) / domain::Timestamp::SECOND,
            counts: run.counts,
            summary: run.summary,
            error: run.error,
        }
    }
}

/// Cuts a list that was asked for one row more than a page holds, and says whether there is a next page.
#[cfg(feature = "ssr")]
fn cut<T>(rows: &mut Vec<T>, page: i64) -> bool {
    let page = usize::try_from(page).unwrap_or(usize::MAX);
    let more = rows.len() > page;
    rows.truncate(page);
    more
}

/// A page of runs, the latest first, and the cursor of the next page.
#[server(endpoint = "runs")]
async fn runs(slug: String, before: Option<String>) -> Result<(Vec<RunData>, Option<String>), AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    let before = before.and_then(|before| before.parse().ok());
    let mut runs =
        desk.customer.runs(before, RUNS_PER_PAGE + 1).await.map_err(|error| access::store_error(&error))?;
    let more = cut(&mut runs, RUNS_PER_PAGE);
    let next = runs.last().filter(|_| more).map(|run| run.id.to_string());
    let now = desk.portal.now();
    Ok((runs.into_iter().map(|run| RunData::of(run, now)).collect(), next))
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct RunPageData {
    run: RunData,
    /// How many notices of each kind there are.
    notice_counts: Vec<(NoticeKind, i64)>,
    notices: Vec<Notice>,
    /// The cursor of the next page of notices.
    next: Option<String>,
}

/// One run with a page of its notices.
#[server(endpoint = "run")]
async fn run(slug: String, id: String, after: Option<String>) -> Result<RunPageData, AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    let Ok(id) = id.parse() else { return Err(access::not_found()) };
    let after = after.and_then(|after| after.parse().ok()).unwrap_or(0);
    let loaded = async {
        let Some(run) = desk.customer.run(id).await? else { return Ok(None) };
        let counts = desk.customer.notice_counts(run.id).await?;
        let notices = desk.customer.notices(run.id, after, NOTICES_PER_PAGE + 1).await?;
        Ok(Some((run, counts, notices)))
    };
    let Some((run, notice_counts, mut notices)) =
        loaded.await.map_err(|error| access::store_error(&error))?
    else {
        return Err(access::not_found());
    };
    let more = cut(&mut notices, NOTICES_PER_PAGE);
    Ok(RunPageData {
        run: RunData::of(run, desk.portal.now()),
        notice_counts,
        next: notices.last().filter(|_| more).map(|(number, _)| number.to_string()),
        notices: notices.into_iter().map(|(_, notice)| notice).collect(),
    })
}

/// The class, the icon and the word of an outcome.
const fn outcome_sign(outcome: Outcome) -> (&'static str, &'static str, &'static str) {
    match outcome {
        Outcome::Running => ("running", "sync", "Running"),
        Outcome::Succeeded => ("good", "check", "Succeeded"),
        Outcome::Failed => ("bad", "cross", "Failed"),
    }
}

/// Seconds in words.
fn duration(seconds: i64) -> String {
    if seconds < 60 {
        format!("{} s", seconds.max(0))
    } else if seconds < 3_600 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else {
        format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60)
    }
}

/// Who or what started a run.
fn started_by(run: &RunData) -> String {
    match run.trigger {
        Trigger::SyncNow => format!("Sync Now, {}", run.actor),
        Trigger::CommandLine => "Command line".to_owned(),
    }
}

/// The list of runs.
#[component]
pub(super) fn SyncHistory() -> impl IntoView {
    let slug = use_slug();
    let query = use_query_map();
    let before = Memo::new(move |_| query.with(|query| query.get("before")));
    let data = super::load::load(move || (slug.get(), before.get()), |(slug, before)| runs(slug, before));
    view! {
        <Title text="Sync History" />
        <div class="page-head">
            <h1>"Sync History"</h1>
        </div>
        <Transition fallback=|| view! { <Loading /> }>
            {move || Suspend::new(async move {
                match data.await {
                    Ok((runs, next)) => {
                        view! { <Runs slug=slug.get_untracked() runs=runs next=next first=before.get_untracked().is_none() /> }.into_any()
                    }
                    Err(error) => view! { <ErrorView error=error /> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// The list once its page is there.
#[component]
fn Runs(slug: String, runs: Vec<RunData>, next: Option<String>, first: bool) -> impl IntoView {
    if runs.is_empty() {
        return view! {
            <Empty
                why="Nothing was synced yet. Each sync will be listed here with what it changed."
                step=Some((customer_path(&slug, CONNECT), "Open Connect"))
            />
        }
        .into_any();
    }
    let list = customer_path(&slug, "sync-history");
    let rows = runs.into_iter().map(|run| {
        let (class, icon, word) = outcome_sign(run.outcome);
        let by = started_by(&run);
        view! {
            <tr>
                <th scope="row" data-label="Started">
                    <a href=customer_path(&slug, &format!("sync-history/{}", run.id))><MomentView moment=run.started /></a>
                </th>
                <td data-label="Outcome"><span class=format!("badge {class}")><Icon name=icon />{word}</span></td>
                <td data-label="Started by">{by}</td>
                <td data-label="Read" class="number">{count(run.counts.users_read)}</td>
                <td data-label="Added" class="number">{count(run.counts.added)}</td>
                <td data-label="Changed" class="number">{count(run.counts.updated)}</td>
                <td data-label="Duration" class="number">{duration(run.seconds)}</td>
            </tr>
        }
    });
    view! {
        <div class="table-wrap">
            <table class="list">
                <caption class="visually-hidden">"Syncs, the latest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Started"</th>
                        <th scope="col">"Outcome"</th>
                        <th scope="col">"Started by"</th>
                        <th scope="col" class="number">"Read"</th>
                        <th scope="col" class="number">"Added"</th>
                        <th scope="col" class="number">"Changed"</th>
                        <th scope="col" class="number">"Duration"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
        <Pager
            previous=(!first).then(|| list.clone())
            next=next.map(|cursor| format!("{list}?before={cursor}"))
            place="The latest first"
        />
    }
    .into_any()
}

/// The page of a run.
#[component]
pub(super) fn RunPage() -> impl IntoView {
    let slug = use_slug();
    let params = use_params_map();
    let query = use_query_map();
    let id = Memo::new(move |_| params.with(|params| params.get("run").unwrap_or_default()));
    let after = Memo::new(move |_| query.with(|query| query.get("after")));
    let data =
        super::load::load(move || (slug.get(), id.get(), after.get()), |(slug, id, after)| run(slug, id, after));
    refetch_while_running(data);
    view! {
        <Title text="Sync" />
        <div class="page-head">
            <h1>"Sync"</h1>
            <a href=move || customer_path(&slug.get(), "sync-history")>"All syncs"</a>
        </div>
        <Transition fallback=|| view! { <Loading /> }>
            {move || Suspend::new(async move {
                match data.await {
                    Ok(data) => {
                        let path = customer_path(&slug.get_untracked(), &format!("sync-history/{}", data.run.id));
                        view! { <RunView data=data path=path /> }.into_any()
                    }
                    Err(error) => view! { <ErrorView error=error /> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// While the run goes on, the page asks again every two seconds. Without JavaScript it reloads itself.
fn refetch_while_running(data: super::load::Loaded<Result<RunPageData, AppError>>) {
    Effect::new(move || {
        let running = data.with(|data| {
            data.as_ref()
                .is_some_and(|data| data.as_ref().is_ok_and(|data| data.run.outcome == Outcome::Running))
        });
        if running {
            let timer = set_timeout_with_handle(move || data.refetch(), std::time::Duration::from_secs(2));
            on_cleanup(move || drop(timer.map(|timer| timer.clear())));
        }
    });
}

/// The run once its data is there.
#[component]
fn RunView(data: RunPageData, path: String) -> impl IntoView {
    let RunPageData { run, notice_counts, notices, next } = data;
    let (class, icon, word) = outcome_sign(run.outcome);
    let by = started_by(&run);
    let running = run.outcome == Outcome::Running;
    let progress = match run.phase {
        Phase::Fetch => "Reading the directory",
        Phase::Apply => "Writing users",
        Phase::Done => "Done",
    };
    let figures = [
        ("People read", run.counts.users_read),
        ("Added", run.counts.added),
        ("Changed", run.counts.updated),
        ("Left out", run.counts.left_out),
        ("Pages", run.counts.pages),
        ("Requests", run.counts.requests),
    ];
    let figures = figures.into_iter().map(|(words, number)| {
        view! { <div><dt>{words}</dt><dd class="number">{count(number)}</dd></div> }
    });
    view! {
        // Only a browser without JavaScript reads what is inside <noscript>: there the page reloads itself. The content is set as text,
        // because a browser with JavaScript holds no elements there that could be brought to life.
        {running.then(|| view! { <noscript inner_html="<meta http-equiv=\"refresh\" content=\"3\">"></noscript> })}
        <section class="card" aria-live="polite">
            <p class="run-head">
                <span class=format!("badge {class}")><Icon name=icon />{word}</span>
                <span class="soft">
                    <MomentView moment=run.started />", "{duration(run.seconds)}", "{by}
                </span>
            </p>
            {if running { view! { <p>{progress}"…"</p> }.into_any() } else { view! { <p>{run.summary}</p> }.into_any() }}
            {run.error.map(|error| view! { <p class="notice bad"><Icon name="cross" /><span>{error}</span></p> })}
            <dl class="figures">{figures.collect_view()}</dl>
        </section>
        <Notices counts=notice_counts notices=notices next=next path=path />
    }
}

/// What the run has to tell about single objects.
#[component]
fn Notices(
    counts: Vec<(NoticeKind, i64)>,
    notices: Vec<Notice>,
    next: Option<String>,
    path: String,
) -> impl IntoView {
    if counts.is_empty() {
        return ().into_any();
    }
    let words = |kind: NoticeKind| match kind {
        NoticeKind::NoAddress => "No usable address",
        NoticeKind::Clash => "Address clash",
        NoticeKind::ValueChanged => "Value changed",
        NoticeKind::Unreadable => "Unreadable",
    };
    let total = counts.iter().map(|(_, number)| number).sum();
    let kinds = counts.into_iter().map(|(kind, number)| view! { <li><span>{words(kind)}</span><span class="number">{count(number)}</span></li> });
    let rows = notices.into_iter().map(|notice| {
        view! {
            <tr>
                <th scope="row" data-label="Who"><bdi>{notice.display_name}</bdi></th>
                <td data-label="What">{words(notice.kind)}</td>
                <td data-label="Detail">{notice.detail}</td>
            </tr>
        }
    });
    view! {
        <section class="card">
            <h2>{counted(total, "notice", "notices")}</h2>
            <ul class="plain split">{kinds.collect_view()}</ul>
            <div class="table-wrap">
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
            {next
                .map(|cursor| view! { <Pager previous=None next=Some(format!("{path}?after={cursor}")) place="" /> })}
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_said_in_its_two_greatest_units() {
        assert_eq!(
            [0, 59, 60, 3_599, 3_660, -1].map(duration),
            ["0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 1 min", "0 s"]
        );
    }
}
