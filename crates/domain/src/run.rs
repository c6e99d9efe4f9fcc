//! The words for a sync.

use serde::{Deserialize, Serialize};

use crate::named;

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// An administrator pressed Sync Now.
    SyncNow,
    /// `rollcall sync` on the command line.
    CommandLine,
    /// The Sync Frequency.
    Schedule,
}
named!(Trigger { SyncNow = "sync_now", CommandLine = "command_line", Schedule = "schedule" });

/// What a run is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A sync: read, decide, write.
    #[default]
    Sync,
    /// Reads the directory into the mirror and changes no user.
    Read,
    /// Reads, decides, and writes nothing but what it would do.
    Preview,
}
named!(Purpose { Sync = "sync", Read = "read", Preview = "preview" });

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading the directory into the mirror.
    Fetch,
    /// Counting the removals, for the deletion guard.
    Plan,
    /// Writing users and groups.
    Apply,
    /// Deleting users whose time has come.
    Delete,
    /// Over.
    Done,
}
named!(Phase { Fetch = "fetch", Plan = "plan", Apply = "apply", Delete = "delete", Done = "done" });

/// How a run stands or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Still going.
    Running,
    /// Everything was read and applied.
    Succeeded,
    /// As succeeded, but removals wait for an administrator's approval.
    Held,
    /// It ended early; what it had written stays, and nobody was removed.
    Failed,
}
named!(Outcome { Running = "running", Succeeded = "succeeded", Held = "held", Failed = "failed" });

/// What a run read and changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Directory users read, each once.
    pub users_read: i64,
    /// Directory groups read, each once.
    pub groups_read: i64,
    /// Pages read, of users and of groups.
    pub pages: i64,
    /// Requests sent to the directory, retries included.
    pub requests: i64,
    /// Body bytes received from the directory, after decompression.
    pub bytes: i64,
    /// Time waited because the directory said so, in milliseconds.
    pub throttled_ms: i64,
    /// Users created.
    pub added: i64,
    /// Users changed.
    pub updated: i64,
    /// Users that became conflicts.
    pub missing: i64,
    /// Users whose conflict closed, or who came back from the recycle bin.
    pub restored: i64,
    /// Users deleted.
    pub deleted: i64,
    /// Directory users left out, by whatever rule, among those read.
    pub left_out: i64,
    /// Groups created.
    pub groups_added: i64,
    /// Groups changed.
    pub groups_updated: i64,
    /// Groups deleted.
    pub groups_deleted: i64,
    /// Removals and deletions that wait for an approval.
    pub held: i64,
    /// How long reading took, in milliseconds.
    pub fetch_ms: i64,
    /// How long counting the removals took, in milliseconds.
    pub plan_ms: i64,
    /// How long writing took, in milliseconds.
    pub apply_ms: i64,
}

/// What a change in a run's history is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A portal user.
    User,
    /// A portal group.
    Group,
}
named!(ObjectKind { User = "user", Group = "group" });

/// What a run did to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Created.
    Added,
    /// Changed.
    Updated,
    /// Not delivered any more: a conflict opened.
    Missing,
    /// Delivered again: the conflict closed, or the object came back from the recycle bin.
    Restored,
    /// Deleted; it is in the recycle bin.
    Deleted,
}
named!(Action { Added = "added", Updated = "updated", Missing = "missing", Restored = "restored", Deleted = "deleted" });

/// What a run has to tell about one object; it never stops the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// No usable address: skipped.
    NoAddress,
    /// An address is held by somebody else: synced without it.
    Clash,
    /// A value had to be changed to be stored (NUL removed, cut to length).
    ValueChanged,
    /// An object could not be understood: skipped.
    Unreadable,
    /// The directory no longer knew the position of the read: it began again.
    Restarted,
    /// The directory delivers a Manual user's primary address: taking the user over waits for an administrator.
    TakeOver,
    /// Somebody new has the address of a user in conflict: the same person or a new one?
    SamePerson,
    /// A removal that waits for an approval.
    Held,
}
named!(NoticeKind {
    NoAddress = "no_address",
    Clash = "clash",
    ValueChanged = "value_changed",
    Unreadable = "unreadable",
    Restarted = "restarted",
    TakeOver = "take_over",
    SamePerson = "same_person",
    Held = "held",
});

/// A notice of a run: the kind, the object it is about, and the detail in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub kind: NoticeKind,
    /// The directory's id of the object, empty when it has none.
    pub external_id: String,
    /// The object's name as shown to an administrator.
    pub display_name: String,
    /// What happened, to whom, and what follows.
    pub detail: String,
}
