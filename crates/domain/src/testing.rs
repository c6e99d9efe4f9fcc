//! Time and chance for tests of every room; behind the feature `testing`, so that no program has them.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::{Clock, Random, Timestamp};

/// A clock that stands still until it is moved.
pub struct HandClock(AtomicI64);

impl HandClock {
    /// A clock that shows this moment.
    #[must_use]
    pub const fn at(moment: Timestamp) -> Self {
        Self(AtomicI64::new(moment.0))
    }

    /// Moves it on.
    pub fn advance(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Chance that is the same in every run, and never the same twice in one.
#[derive(Default)]
pub struct CountingRandom(AtomicU64);

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64: enough to spread the counter over all bits.
            let mut bits =
                self.0.fetch_add(1, Ordering::SeqCst).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&bits.to_le_bytes()[..chunk.len()]);
        }
    }
}
