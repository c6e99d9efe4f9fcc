//! The words for runs, on every page that speaks of them.

use domain::{
    Timestamp,
    run::{Action, NoticeKind, Outcome, Phase, Purpose, Trigger},
};
use store::Run;

/// The class, the icon and the word of an outcome.
pub(in crate::pages) const fn outcome_sign(outcome: Outcome) -> (&'static str, &'static str, &'static str) {
    match outcome {
        Outcome::Running => ("running", "sync", "Running"),
        Outcome::Succeeded => ("good", "check", "Succeeded"),
        Outcome::Held => ("warning", "warning", "Held"),
        Outcome::Failed => ("bad", "cross", "Failed"),
    }
}

/// What a run is for.
pub(in crate::pages) const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Sync => "Sync",
        Purpose::Read => "Read the directory",
        Purpose::Preview => "Preview",
    }
}

/// Who or what started a run.
pub(in crate::pages) fn started_by(run: &Run) -> String {
    match run.trigger {
        Trigger::SyncNow => run.actor.clone(),
        Trigger::CommandLine => "Command line".to_owned(),
        Trigger::Schedule => "Schedule".to_owned(),
    }
}

/// Where a run is.
pub(in crate::pages) const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Fetch => "Reading the directory",
        Phase::Plan => "Counting what would go",
        Phase::Apply => "Writing users and groups",
        Phase::Delete => "Deleting users whose time has come",
        Phase::Done => "Done",
    }
}

/// What was done to an object; in a preview, what would be.
pub(in crate::pages) const fn action(action: Action) -> &'static str {
    match action {
        Action::Added => "Added",
        Action::Updated => "Changed",
        Action::Missing => "Missing",
        Action::Restored => "Back",
        Action::Deleted => "Deleted",
    }
}

/// The class of an action's badge.
pub(super) const fn action_class(action: Action) -> &'static str {
    match action {
        Action::Added | Action::Restored => "good",
        Action::Updated => "running",
        Action::Missing => "conflict",
        Action::Deleted => "bad",
    }
}

/// What a notice is about.
pub(super) const fn notice(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::NoAddress => "No usable address",
        NoticeKind::Clash => "Address clash",
        NoticeKind::ValueChanged => "Value changed",
        NoticeKind::Unreadable => "Unreadable",
        NoticeKind::Restarted => "Read again",
        NoticeKind::TakeOver => "Manual user",
        NoticeKind::SamePerson => "Same person?",
        NoticeKind::Held => "Held",
    }
}

/// How long a run took, or has taken so far, in seconds.
pub(in crate::pages) fn seconds(run: &Run, now: Timestamp) -> i64 {
    run.finished_at.unwrap_or(now).since(run.started_at) / Timestamp::SECOND
}

/// Seconds in words.
pub(in crate::pages) fn duration(seconds: i64) -> String {
    if seconds < 60 {
        format!("{} s", seconds.max(0))
    } else if seconds < 3_600 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else {
        format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60)
    }
}

/// Milliseconds in words, for phases that are often short.
pub(super) fn milliseconds(time: i64) -> String {
    if time < 10_000 { format!("{}.{} s", time / 1_000, time % 1_000 / 100) } else { duration(time / 1_000) }
}

/// Bytes in words.
pub(super) fn bytes(number: i64) -> String {
    match number {
        ..1_000 => format!("{number} B"),
        1_000..1_000_000 => format!("{} kB", number / 1_000),
        1_000_000..1_000_000_000 => format!("{}.{} MB", number / 1_000_000, number % 1_000_000 / 100_000),
        _ => format!("{}.{} GB", number / 1_000_000_000, number % 1_000_000_000 / 100_000_000),
    }
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
        assert_eq!([40, 1_250, 61_000].map(milliseconds), ["0.0 s", "1.2 s", "1 min 1 s"]);
    }

    #[test]
    fn bytes_are_said_in_units_of_a_thousand() {
        let said = [999, 1_000, 1_250_000, 5_460_000_000].map(bytes);
        assert_eq!(said, ["999 B", "1 kB", "1.2 MB", "5.4 GB"]);
    }
}
