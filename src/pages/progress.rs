//! How a running sync is doing, in words: for the pill in the frame and the run's page.

use domain::{
    Timestamp,
    number::{count, counted},
    run::Phase,
};
use store::Run;

/// What the run is at, how much it has done, how fast, and where that can be told how long it will take.
pub(crate) fn progress(run: &Run, now: Timestamp) -> String {
    let counts = &run.counts;
    let read = counts.users_read + counts.groups_read;
    match run.phase {
        Phase::Fetch => {
            let what = format!(
                "Reading the directory: {}, {}, {}",
                counted(counts.users_read, "person", "people"),
                counted(counts.groups_read, "group", "groups"),
                counted(counts.pages, "page", "pages"),
            );
            with_rate(what, read, now.since(run.started_at))
        }
        Phase::Plan => "Counting what would go".to_owned(),
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
            let milliseconds = now.since(run.read_at.unwrap_or(run.started_at));
            let what = format!("Writing users and groups: {} of {}", count(done.min(read)), count(read));
            with_left(with_rate(what, done, milliseconds), done, read, milliseconds)
        }
        Phase::Delete => "Deleting users whose time has come".to_owned(),
        Phase::Done => "Done".to_owned(),
    }
}

/// With the rate, once there is one.
fn with_rate(what: String, objects: i64, milliseconds: i64) -> String {
    match objects.saturating_mul(Timestamp::SECOND).checked_div(milliseconds) {
        Some(rate) if rate > 0 && milliseconds >= Timestamp::SECOND => {
            format!("{what}, {} a second", count(rate))
        }
        _ => what,
    }
}

/// With the time that is left, once that is more than a guess.
fn with_left(what: String, done: i64, all: i64, milliseconds: i64) -> String {
    if done * 20 < all || done >= all || milliseconds < 2 * Timestamp::SECOND {
        return what;
    }
    let left = (all - done).saturating_mul(milliseconds) / done.max(1) / Timestamp::SECOND;
    let words = if left < 60 { format!("{} s", left.max(1)) } else { format!("{} min", (left + 30) / 60) };
    format!("{what}, about {words} left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_are_said_once_they_are_known() {
        assert_eq!(with_rate("x".to_owned(), 900, 500), "x");
        assert_eq!(with_rate("x".to_owned(), 9_000, 3_000), "x, 3,000 a second");
        assert_eq!(with_rate("x".to_owned(), 0, 0), "x");
        assert_eq!(with_left("x".to_owned(), 10, 1_000, 60_000), "x");
        assert_eq!(with_left("x".to_owned(), 500, 1_000, 30_000), "x, about 30 s left");
        assert_eq!(with_left("x".to_owned(), 100, 1_000, 60_000), "x, about 9 min left");
        assert_eq!(with_left("x".to_owned(), 1_000, 1_000, 60_000), "x");
    }
}
