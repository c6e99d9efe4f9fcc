//! What a run has to tell at its end: the object of `rollcall sync --json`, and the summary in words.

use std::collections::BTreeMap;

use domain::{
    number::{count, counted},
    plan::Out,
    run::{Counts, Notice, Outcome, Purpose},
};
use serde::Serialize;
use uuid::Uuid;

/// The end of a run as `rollcall sync --json` prints it, on one line. The names are stable.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunReport {
    /// The run's id, as in the portal's addresses.
    pub run: Uuid,
    /// `succeeded`, `failed`, or `held` for a run whose removals wait for an approval.
    pub outcome: &'static str,
    /// Why it failed and what to do, in words.
    pub error: Option<String>,
    /// What was read.
    pub read: Read,
    /// What was changed in the portal.
    pub changes: Changes,
    /// Removals that wait for an approval.
    pub held: i64,
    /// What the run has to tell about single objects: the first [`RunReport::MOST_NOTICES`] of them.
    pub notices: Vec<Notice>,
    /// How long it took.
    pub seconds: f64,
    /// What happened, in a sentence or two for a person. Not part of the JSON.
    #[serde(skip)]
    pub summary: String,
}

/// What a run read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Read {
    /// Directory users, each once.
    pub users: i64,
    /// Directory groups, each once.
    pub groups: i64,
    /// Requests sent, retries included.
    pub requests: i64,
}

/// What a run changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Users created.
    pub added: i64,
    /// Users changed.
    pub updated: i64,
    /// Users that became conflicts.
    pub missing: i64,
    /// Users that came back.
    pub restored: i64,
    /// Users deleted.
    pub deleted: i64,
}

impl RunReport {
    /// How many notices a report carries; the run's page has them all.
    pub const MOST_NOTICES: i64 = 1_000;

    /// A report from what the run counted.
    #[must_use]
    pub fn new(run: Uuid, outcome: Outcome, counts: &Counts, milliseconds: i64) -> Self {
        Self {
            run,
            outcome: outcome.name(),
            error: None,
            read: Read { users: counts.users_read, groups: counts.groups_read, requests: counts.requests },
            changes: Changes {
                added: counts.added,
                updated: counts.updated,
                missing: counts.missing,
                restored: counts.restored,
                deleted: counts.deleted,
            },
            held: counts.held,
            notices: Vec::new(),
            seconds: std::time::Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)).as_secs_f64(),
            summary: String::new(),
        }
    }

    /// The exit code of the command line: 0, or 3 when something is held, or 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.outcome {
            "succeeded" => 0,
            "held" => 3,
            _ => 1,
        }
    }
}

/// Why directory users were left out, counted by reason.
pub type LeftOut = BTreeMap<Out, i64>;

/// What a complete run did, such as `1,204 people and 60 groups read. 12 added, 3 changed. 40 left out: 31 outside the managed domains, 9
/// disabled.`
pub fn summary(purpose: Purpose, counts: &Counts, left_out: &LeftOut, clashes: i64) -> String {
    let mut text = format!("{} read.", read(counts));
    if purpose == Purpose::Read {
        text.push_str(" No user was changed.");
        return text;
    }
    if purpose == Purpose::Preview {
        text.push_str(" Nothing was changed; a sync would do this:");
    }
    let users = [
        (counts.restored, "back"),
        (counts.added, "added"),
        (counts.updated, "changed"),
        (counts.missing, "missing"),
        (counts.deleted, "deleted"),
    ];
    let groups =
        [(counts.groups_added, "added"), (counts.groups_updated, "changed"), (counts.groups_deleted, "gone")];
    let parts = |figures: &[(i64, &str)]| {
        let some = figures.iter().filter(|(number, _)| *number > 0);
        some.map(|(number, words)| format!("{} {words}", count(*number))).collect::<Vec<_>>().join(", ")
    };
    match (parts(&users), parts(&groups)) {
        (users, groups) if users.is_empty() && groups.is_empty() => text.push_str(" Nothing changed."),
        (users, groups) if groups.is_empty() => text.push_str(&format!(" {}.", users)),
        (users, groups) if users.is_empty() => text.push_str(&format!(" Groups: {groups}.")),
        (users, groups) => text.push_str(&format!(" {users}. Groups: {groups}.")),
    }
    if counts.held > 0 {
        let (removals, verb) = if counts.held == 1 { ("removal", "waits") } else { ("removals", "wait") };
        text.push_str(&format!(
            " {} {removals} {verb} for an approval, because there are unusually many.",
            count(counts.held)
        ));
    }
    let reasons: Vec<_> = left_out
        .iter()
        .filter(|(_, number)| **number > 0)
        .map(|(reason, number)| format!("{} {}", count(*number), reason_words(*reason)))
        .collect();
    if !reasons.is_empty() {
        let total = count(left_out.values().sum());
        text.push_str(&format!(" {total} left out: {}.", reasons.join(", ")));
    }
    if clashes > 0 {
        let (addresses, verb) = if clashes == 1 { ("address", "is") } else { ("addresses", "are") };
        text.push_str(&format!(
            " {} {addresses} {verb} claimed by somebody else as well: see the notices.",
            count(clashes)
        ));
    }
    text
}

/// What was read, such as `1,204 people and 60 groups`.
pub fn read(counts: &Counts) -> String {
    let people = counted(counts.users_read, "person", "people");
    match counts.groups_read {
        0 => people,
        groups => format!("{people} and {}", counted(groups, "group", "groups")),
    }
}

const fn reason_words(reason: Out) -> &'static str {
    match reason {
        Out::Exception => "excepted",
        Out::NoAddress => "without a usable address",
        Out::OutsideManagedDomains => "outside the managed domains",
        Out::Disabled => "disabled",
        Out::FilteredOut => "not matched by the custom filter",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_names_figures_and_reasons_and_leaves_out_what_did_not_happen() {
        let counts = Counts { users_read: 1_204, added: 12, updated: 3, ..Counts::default() };
        let left_out = LeftOut::from([(Out::OutsideManagedDomains, 31), (Out::Disabled, 9)]);
        assert_eq!(
            summary(Purpose::Sync, &counts, &left_out, 0),
            "1,204 people read. 12 added, 3 changed. 40 left out: 31 outside the managed domains, 9 disabled."
        );
        let counts = Counts { users_read: 1, ..Counts::default() };
        assert_eq!(summary(Purpose::Sync, &counts, &LeftOut::new(), 0), "1 person read. Nothing changed.");
    }

    #[test]
    fn the_json_has_exactly_the_stable_names() {
        let report = RunReport::new(Uuid::nil(), Outcome::Succeeded, &Counts::default(), 1_500);
        let json = serde_json::to_value(&report).unwrap();
        let names =
            |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut all = names(&json);
        all.sort();
        assert_eq!(all, ["changes", "error", "held", "notices", "outcome", "read", "run", "seconds"]);
        let mut changes = names(&json["changes"]);
        changes.sort();
        assert_eq!(changes, ["added", "deleted", "missing", "restored", "updated"]);
        let mut read = names(&json["read"]);
        read.sort();
        assert_eq!(read, ["groups", "requests", "users"]);
        assert_eq!(json["seconds"], 1.5);
    }

    #[test]
    fn the_exit_code_says_how_it_ended() {
        let report = |outcome| RunReport::new(Uuid::nil(), outcome, &Counts::default(), 0);
        assert_eq!(report(Outcome::Succeeded).exit_code(), 0);
        assert_eq!(report(Outcome::Held).exit_code(), 3);
        assert_eq!(report(Outcome::Failed).exit_code(), 1);
    }
}
