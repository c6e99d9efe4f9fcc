//! What a process has sent to Microsoft since it began, for whoever watches it from outside. A client counts its own as [`Traffic`](super::Traffic).

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The two endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// Where tokens are issued.
    Login,
    /// Microsoft Graph.
    Graph,
}

/// Counters that only rise.
#[derive(Debug, Default)]
pub struct Meter {
    requests: Mutex<BTreeMap<(Endpoint, Option<u16>), u64>>,
    throttled_ms: AtomicU64,
}

impl Meter {
    /// How many requests an endpoint answered with each HTTP status; no status counts those without an answer.
    #[must_use]
    pub fn requests(&self) -> BTreeMap<(Endpoint, Option<u16>), u64> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long requests waited because the service said so.
    #[must_use]
    pub fn throttled(&self) -> Duration {
        Duration::from_millis(self.throttled_ms.load(Ordering::Relaxed))
    }

    pub(super) fn count(&self, endpoint: Endpoint, status: Option<u16>) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((endpoint, status)).or_default() += 1;
    }

    pub(super) fn add_throttled(&self, milliseconds: u64) {
        self.throttled_ms.fetch_add(milliseconds, Ordering::Relaxed);
    }
}
