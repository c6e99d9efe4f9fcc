//! The liberties that the service takes in the answers to delta queries: each is documented or was seen, none
//! can be relied on, so a test switches them. The default is the plainest behaviour.

use serde::{Deserialize, Serialize};

/// What delta answers do beyond the necessary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeltaHabits {
    /// Pages begin with an object that was already delivered, on the page or in the round before.
    pub replays: bool,
    /// A first round also has what is in the recycle bin, as `@removed`.
    pub removed_in_first_round: bool,
    /// The deletion and the restoration of a member show up as changes of its groups. The service does not do
    /// so reliably: a reader has to follow from the users alone.
    pub members_follow: bool,
    /// How a delta token that is too old or unknown is refused.
    pub resync: Resync,
}

/// The spellings of "begin again".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resync {
    /// `410 SyncStateNotFound` with a `Location` to begin at.
    #[default]
    Gone,
    /// `410 resyncRequired` with a `Location`.
    ResyncRequired,
    /// `400 syncStateNotFound` without one.
    BadRequest,
}
