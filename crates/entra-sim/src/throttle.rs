//! Throttling as Graph's identity service does it (contract 6.3, 6.4): requests cost resource units, an
//! application has so many of them in ten seconds per tenant, and what it asks for beyond is refused but counts.
//! The bucket leaks by the simulator's clock, so a test that moves the clock need not wait.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Resource units are counted in thousandths, so that the leak of a millisecond is a whole number.
const UNIT: u64 = 1000;
/// The service stops telling how far above the limit one is at 180 per cent.
const MOST_PERCENT: u64 = 180;
/// From this share on, answers say how much is used; callers of low priority are refused from here.
const NOTICE_PERCENT: u64 = 80;

/// How the tenant throttles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Throttling {
    /// Resource units in ten seconds; without it 3,500, 5,000 or 8,000 by the number of users.
    pub units: Option<u32>,
    /// Whether a refusal says in `Retry-After` how long to wait.
    pub retry_after: bool,
}

impl Default for Throttling {
    fn default() -> Self {
        Self { units: None, retry_after: true }
    }
}

/// What one application has used of one tenant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    rules: Throttling,
    used: u64,
    at: OffsetDateTime,
}

/// What a request meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Charged {
    /// Used so far, of a hundred; nothing below 80.
    pub(crate) percent: Option<u64>,
    /// The request is refused. The seconds are those after which one of its kind would pass; nothing when the
    /// tenant keeps them to itself.
    pub(crate) refused: Option<Option<u64>>,
}

impl Bucket {
    pub(crate) fn new(rules: Throttling, now: OffsetDateTime) -> Self {
        Self { rules, used: 0, at: now }
    }

    /// Takes the cost of a request, in resource units.
    pub(crate) fn charge(
        &mut self,
        cost: u32,
        users: usize,
        low_priority: bool,
        now: OffsetDateTime,
    ) -> Charged {
        let units = u64::from(self.rules.units.unwrap_or(match users {
            0..50 => 3_500,
            50..=500 => 5_000,
            _ => 8_000,
        }));
        let size = units.max(1) * UNIT;
        let elapsed = u64::try_from((now - self.at).whole_milliseconds()).unwrap_or_default();
        // In ten seconds all of it, so in a millisecond a ten-thousandth.
        self.used = self.used.saturating_sub(elapsed.saturating_mul(size) / 10_000);
        self.at = now;
        self.used = (self.used + u64::from(cost) * UNIT).min(size * MOST_PERCENT / 100);
        let limit = if low_priority { size * NOTICE_PERCENT / 100 } else { size };
        let percent = self.used * 100 / size;
        let wait = || ((self.used - limit) * 10).div_ceil(size).max(1);
        Charged {
            percent: (percent >= NOTICE_PERCENT).then_some(percent),
            refused: (self.used > limit).then(|| self.rules.retry_after.then(wait)),
        }
    }
}
