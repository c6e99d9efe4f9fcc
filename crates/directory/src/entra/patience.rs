//! How often and how long a failing request is tried again. The schedule is data, so that a run, a Test and a test each have their own.

use std::time::Duration;

use domain::Random;

/// A retry schedule.
///
/// Two clocks run apart. Waiting that the service asked for (`Retry-After`) is bounded by [`announced`](Self::announced) over the whole life
/// of a client: throttling is the service's normal way to slow a reader down. Everything else, attempts included, must end within
/// [`budget`](Self::budget) per request: a page that keeps failing ends the read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The pauses before the second, third, … attempt when the service names none. Each is shortened by chance by up to a half, so that
    /// many readers do not come back together.
    pub pauses: Vec<Duration>,
    /// The time one request may take from its first attempt to its last, announced waiting apart.
    pub budget: Duration,
    /// How long a client waits in total because it was told to.
    pub announced: Duration,
}

impl Patience {
    /// For a sync: a page may fail for up to 60 seconds, and the service may slow the reader down by 10 minutes.
    #[must_use]
    pub fn of_a_run() -> Self {
        Self {
            pauses: [500, 1_000, 2_000, 4_000, 8_000, 16_000].map(Duration::from_millis).to_vec(),
            budget: Duration::from_secs(60),
            announced: Duration::from_mins(10),
        }
    }

    /// For somebody who waits before a browser.
    #[must_use]
    pub fn of_a_test() -> Self {
        Self {
            pauses: [300, 900].map(Duration::from_millis).to_vec(),
            budget: Duration::from_secs(15),
            announced: Duration::from_secs(15),
        }
    }

    /// The pause after the `failed`-th attempt (counted from 0) that nobody announced, if there may be another attempt.
    pub(super) fn pause(&self, failed: usize, random: &dyn Random) -> Option<Duration> {
        let pause = *self.pauses.get(failed)?;
        let mut byte = [0];
        random.fill(&mut byte);
        Some(pause / 2 + pause / 2 * u32::from(byte[0]) / 255)
    }
}

/// The value of `Retry-After`: whole seconds, as Graph sends them. At least one, so that a zero is no invitation to a tight loop.
pub(super) fn announced_wait(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(|seconds: u64| Duration::from_secs(seconds.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Random for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn chance_shortens_a_pause_by_up_to_a_half() {
        let patience = Patience::of_a_run();
        assert_eq!(patience.pause(1, &Always(0)), Some(Duration::from_millis(500)));
        assert_eq!(patience.pause(1, &Always(255)), Some(Duration::from_secs(1)));
        assert_eq!(patience.pause(6, &Always(255)), None);
    }

    #[test]
    fn the_pauses_of_a_run_fit_into_its_budget() {
        for patience in [Patience::of_a_run(), Patience::of_a_test()] {
            assert!(patience.pauses.iter().sum::<Duration>() < patience.budget);
        }
    }

    #[test]
    fn a_retry_after_is_whole_seconds_and_never_none_at_all() {
        assert_eq!(announced_wait(" 17 "), Some(Duration::from_secs(17)));
        assert_eq!(announced_wait("0"), Some(Duration::from_secs(1)));
        assert_eq!(announced_wait("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(announced_wait("-1"), None);
    }
}
