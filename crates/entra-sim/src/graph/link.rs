//! The opaque tokens in next links and delta links. They carry their whole meaning, so that the simulator
//! keeps no state per reader and any number of readers may be under way.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Where a listing goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageToken {
    /// The path it belongs to.
    pub(super) path: String,
    pub(super) generation: u64,
    /// Position of the next object.
    pub(super) at: usize,
}

/// Where a delta round goes on, or from when on changes are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DeltaToken {
    pub(super) path: String,
    pub(super) generation: u64,
    /// When the round began, in seconds since 1970; a token lasts seven days from then.
    pub(super) issued: i64,
    /// `$select` of the first request.
    pub(super) select: Option<String>,
    /// `$filter` of the first request.
    pub(super) filter: Option<String>,
    /// Changes up to this number were in the rounds before; `None` in the first round, which has everything.
    pub(super) since: Option<usize>,
    /// Changes up to this number are in this round; later ones wait for the next, also when the reader is slow.
    pub(super) until: usize,
    /// What the next page begins with; `None` in a delta link: the round is over.
    pub(super) next: Option<Place>,
}

/// A place in a delta round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Position of the object in a first round, number of the change in a later one.
    pub(super) at: usize,
    /// For a group: how many of its members were on earlier pages.
    pub(super) members: usize,
    /// The next page is the empty one that each round of several pages has.
    pub(super) hollow: bool,
}

pub(super) fn encode<T: Serialize>(token: &T) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(token).unwrap_or_default())
}

pub(super) fn decode<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
