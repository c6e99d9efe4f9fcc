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

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn bucket(units: u32) -> Bucket {
        Bucket::new(Throttling { units: Some(units), retry_after: true }, START)
    }

    fn refused_after(seconds: u64) -> Option<Option<u64>> {
        Some(Some(seconds))
    }

    #[test]
    fn what_is_used_shows_from_eighty_percent_on_and_is_refused_beyond_all() {
        let mut bucket = bucket(10);
        let mut charged = |cost| bucket.charge(cost, 60, false, START);
        assert_eq!(charged(7), Charged { percent: None, refused: None });
        assert_eq!(charged(1), Charged { percent: Some(80), refused: None });
        assert_eq!(charged(2), Charged { percent: Some(100), refused: None });
        assert_eq!(charged(1), Charged { percent: Some(110), refused: refused_after(1) });
        assert_eq!(charged(3), Charged { percent: Some(140), refused: refused_after(4) });
        assert_eq!(charged(50), Charged { percent: Some(180), refused: refused_after(8) });
    }

    #[test]
    fn it_empties_in_ten_seconds_and_refused_requests_delay_that() {
        let mut full = bucket(10);
        full.charge(10, 60, false, START);
        assert_eq!(full.charge(10, 60, false, START + Duration::seconds(10)).percent, Some(100));
        let mut over = bucket(10);
        over.charge(10, 60, false, START);
        over.charge(5, 60, false, START);
        let later = over.charge(10, 60, false, START + Duration::seconds(10));
        assert_eq!(later, Charged { percent: Some(150), refused: refused_after(5) });
    }

    #[test]
    fn low_priority_has_four_fifths() {
        let mut bucket = bucket(10);
        assert_eq!(bucket.charge(8, 60, true, START).refused, None);
        assert_eq!(bucket.charge(1, 60, true, START).refused, refused_after(1));
        assert_eq!(bucket.charge(1, 60, false, START).refused, None);
    }

    #[test]
    fn the_limit_follows_the_number_of_users() {
        for (users, limit) in [(49, 3_500), (50, 5_000), (500, 5_000), (501, 8_000)] {
            let mut bucket = Bucket::new(Throttling::default(), START);
            assert_eq!(bucket.charge(limit, users, false, START).refused, None, "{users}");
            assert_eq!(bucket.charge(1, users, false, START).refused, refused_after(1), "{users}");
        }
    }

    #[test]
    fn a_clock_that_is_moved_back_gives_nothing_and_takes_nothing() {
        let mut bucket = bucket(10);
        bucket.charge(5, 60, false, START);
        assert_eq!(bucket.charge(4, 60, false, START - Duration::hours(1)).percent, Some(90));
    }
}
