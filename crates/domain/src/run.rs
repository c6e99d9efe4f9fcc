//! The words for a sync.

use serde::{Deserialize, Serialize};

macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the database and in JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The value of that [`name`](Self::name).
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }
    };
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// An administrator pressed Sync Now.
    SyncNow,
    /// `rollcall sync` on the command line.
    CommandLine,
}
named!(Trigger { SyncNow = "sync_now", CommandLine = "command_line" });

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading the directory into the mirror.
    Fetch,
    /// Writing users.
    Apply,
    /// Over.
    Done,
}
named!(Phase { Fetch = "fetch", Apply = "apply", Done = "done" });

/// How a run stands or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Still going.
    Running,
    /// Everything was read and applied.
    Succeeded,
    /// It ended early; what it had written stays, and nobody was removed.
    Failed,
}
named!(Outcome { Running = "running", Succeeded = "succeeded", Failed = "failed" });

/// What a run read and changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Directory users read, each once.
    pub users_read: i64,
    /// Pages read.
    pub pages: i64,
    /// Requests sent to the directory, retries included.
    pub requests: i64,
    /// Body bytes received from the directory, after decompression.
    pub bytes: i64,
    /// Users created.
    pub added: i64,
    /// Users changed.
    pub updated: i64,
    /// Directory users left out, by whatever rule.
    pub left_out: i64,
}

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
}
named!(NoticeKind { NoAddress = "no_address", Clash = "clash", ValueChanged = "value_changed", Unreadable = "unreadable" });

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
