//! The simulator's clock: the machine's time plus an offset that a test can move, so that tokens expire and
//! secrets run out without waiting. This is the only place that asks the machine what time it is.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

const GRAPH: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const GRAPH_ERROR: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
const LOGIN: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");

/// A clock that runs beside the machine's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    offset: Duration,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { offset: Duration::ZERO }
    }

    #[expect(clippy::disallowed_methods, reason = "the simulated tenant has a clock of its own; this is it")]
    pub(crate) fn now(self) -> OffsetDateTime {
        OffsetDateTime::now_utc().saturating_add(self.offset)
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.offset = self.offset.saturating_add(by);
    }
}

/// `2026-01-02T03:04:05Z`, as Graph writes a property.
pub(crate) fn graph_time(at: OffsetDateTime) -> String {
    written(at, GRAPH)
}

/// `2026-01-02T03:04:05`, as Graph writes the date of an error: without a zone.
pub(crate) fn graph_error_time(at: OffsetDateTime) -> String {
    written(at, GRAPH_ERROR)
}

/// `2026-01-02 03:04:05Z`, as the token endpoint writes it.
pub(crate) fn login_time(at: OffsetDateTime) -> String {
    written(at, LOGIN)
}

fn written(at: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    // A year beyond 9999 is the one thing that cannot be written; nothing here reaches it.
    at.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}
