//! How a running sync is doing: in words for the pill in the frame, and as a block with the way to cancel it for the pages about the sync.

use domain::{
    Timestamp,
    number::{count, counted},
    run::{Counts, Phase, Purpose},
};
use leptos::prelude::*;
use store::Run;

use super::{customer_path, sync_history::words};

/// Where a running sync is, how much it has done, how fast, and where that can be told how long it will take.
struct Progress {
    phase: Phase,
    counts: Counts,
    /// Objects read, or when writing, decided about.
    done: i64,
    /// How many objects there are, once that is known.
    all: Option<i64>,
    /// Objects a second.
    rate: Option<i64>,
    /// How long it will take from here.
    left: Option<String>,
}

impl Progress {
    fn of(run: &Run, now: Timestamp) -> Self {
        let counts = run.counts;
        let read = counts.users_read + counts.groups_read;
        let (done, all, began) = match run.phase {
            Phase::Fetch => (read, None, run.started_at),
            Phase::Apply => {
                let done = counts.added
                    + counts.updated
                    + counts.missing
                    + counts.restored
                    + counts.left_out
                    + counts.held
                    + counts.groups_added
                    + counts.groups_updated
                    + counts.groups_deleted;
                (done.min(read), Some(read), run.read_at.unwrap_or(run.started_at))
            }
            Phase::Plan | Phase::Delete | Phase::Done => (0, None, now),
        };
        let milliseconds = now.since(began);
        let left = all.and_then(|all| left(done, all, milliseconds));
        Self { phase: run.phase, counts, done, all, rate: rate(done, milliseconds), left }
    }
}

/// What the run is at, how much it has done, how fast, and where that can be told how long it will take.
pub(crate) fn progress(run: &Run, now: Timestamp) -> String {
    let Progress { phase, counts, done, all, rate, left } = Progress::of(run, now);
    let mut text = words::phase(phase).to_owned();
    match (phase, all) {
        (Phase::Fetch, _) => text.push_str(&format!(
            ": {}, {}, {}",
            counted(counts.users_read, "person", "people"),
            counted(counts.groups_read, "group", "groups"),
            counted(counts.pages, "page", "pages"),
        )),
        (_, Some(all)) => text.push_str(&format!(": {} of {}", count(done), count(all))),
        _ => {}
    }
    if let Some(rate) = rate {
        text.push_str(&format!(", {} a second", count(rate)));
    }
    if let Some(left) = left {
        text.push_str(&format!(", {left} left"));
    }
    text
}

/// Objects a second, once that is more than a guess.
fn rate(objects: i64, milliseconds: i64) -> Option<i64> {
    let rate = objects.saturating_mul(Timestamp::SECOND).checked_div(milliseconds)?;
    (rate > 0 && milliseconds >= Timestamp::SECOND).then_some(rate)
}

/// The time that is left, once that is more than a guess.
fn left(done: i64, all: i64, milliseconds: i64) -> Option<String> {
    if done * 20 < all || done >= all || milliseconds < 2 * Timestamp::SECOND {
        return None;
    }
    let left = (all - done).saturating_mul(milliseconds) / done.max(1) / Timestamp::SECOND;
    Some(if left < 60 {
        format!("about {} s", left.max(1))
    } else {
        format!("about {} min", (left + 30) / 60)
    })
}

/// How a running sync is doing, and for those who may, the button that cancels it with what that does.
pub(super) fn running(run: &Run, slug: &str, may_cancel: bool, now: Timestamp) -> impl IntoView + use<> {
    let Progress { phase, counts, done, all, rate, left } = Progress::of(run, now);
    let figures = [
        ("Pages", Some(count(counts.pages))),
        ("Objects read", Some(count(counts.users_read + counts.groups_read))),
        ("Written", all.map(|all| format!("{} of {}", count(done), count(all)))),
        ("Objects a second", rate.map(count)),
        ("Time left", left),
        ("Running for", Some(words::duration(words::seconds(run, now)))),
    ];
    let figures = figures
        .into_iter()
        .filter_map(|(words, value)| Some((words, value?)))
        .map(|(words, value)| view! { <div><dt>{words}</dt><dd class="number">{value}</dd></div> });
    // Without a value the bar shows that something is going on.
    let (value, most) = all.filter(|all| *all > 0).map(|all| (done.to_string(), all.to_string())).unzip();
    view! {
        <div class="run-progress">
            <p class="run-phase">{format!("{}…", words::phase(phase))}</p>
            <progress value=value max=most aria-label="How far the sync is"></progress>
            <dl class="figures">{figures.collect_view()}</dl>
            {may_cancel.then(|| cancel(run, slug))}
        </div>
    }
}

/// The button that cancels a run. It destroys nothing, so it asks no more.
fn cancel(run: &Run, slug: &str) -> impl IntoView + use<> {
    let (label, what) = match run.purpose {
        Purpose::Sync => (
            "Cancel the sync",
            "It ends at once. What it has written stays; nobody else is added, changed or removed, and the next sync goes on from there.",
        ),
        Purpose::Read => (
            "Cancel the read",
            "It ends at once. What was read stays, and the next read or sync goes on from there.",
        ),
        Purpose::Preview => ("Cancel the preview", "It ends at once. No user was changed."),
    };
    view! {
        <form method="post" action="/api/cancel_run" class="cancel-run">
            <input type="hidden" name="slug" value=slug.to_owned() />
            <input type="hidden" name="run" value=run.public_id.to_string() />
            // The id keeps the focus on the button while the figures around it change.
            <button type="submit" id="cancel-run" class="button" aria-describedby="cancel-run-help">{label}</button>
            <span class="soft" id="cancel-run-help">{what}</span>
        </form>
    }
}

/// The page of a run.
pub(super) fn run_path(slug: &str, run: &Run) -> String {
    customer_path(slug, &format!("sync-history/{}", run.public_id))
}

#[cfg(test)]
mod tests {
    use domain::{
        run::{Outcome, Trigger},
        service::Service,
    };

    use super::*;

    #[test]
    fn rate_and_time_left_are_said_once_they_are_known() {
        assert_eq!(rate(900, 500), None);
        assert_eq!(rate(9_000, 3_000), Some(3_000));
        assert_eq!(rate(0, 0), None);
        assert_eq!(left(10, 1_000, 60_000), None);
        assert_eq!(left(500, 1_000, 30_000).as_deref(), Some("about 30 s"));
        assert_eq!(left(100, 1_000, 60_000).as_deref(), Some("about 9 min"));
        assert_eq!(left(1_000, 1_000, 60_000), None);
    }

    #[test]
    fn each_phase_says_what_it_is_at_and_how_far() {
        let mut run = Run {
            id: 1,
            public_id: uuid::Uuid::nil(),
            service: Service::Entra,
            purpose: Purpose::Sync,
            trigger: Trigger::Schedule,
            actor: String::new(),
            phase: Phase::Fetch,
            outcome: Outcome::Running,
            started_at: Timestamp(0),
            read_at: None,
            finished_at: None,
            counts: Counts { users_read: 1_900, groups_read: 100, pages: 3, ..Counts::default() },
            error: None,
            summary: String::new(),
        };
        assert_eq!(
            progress(&run, Timestamp(2_000)),
            "Reading the directory: 1,900 people, 100 groups, 3 pages, 1,000 a second"
        );
        run.phase = Phase::Plan;
        assert_eq!(progress(&run, Timestamp(9_000)), "Counting what would go");
        run.phase = Phase::Apply;
        run.read_at = Some(Timestamp(10_000));
        run.counts.added = 400;
        run.counts.groups_added = 100;
        assert_eq!(
            progress(&run, Timestamp(20_000)),
            "Writing users and groups: 500 of 2,000, 50 a second, about 30 s left"
        );
    }
}
