//! Time, passed in.

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// Where the present moment comes from. The server hands in the system's clock, a test one that it moves by hand.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A moment: milliseconds since 1970-01-01T00:00:00Z. It is stored as this number in both databases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// One second in milliseconds.
    pub const SECOND: i64 = 1_000;
    /// One minute in milliseconds.
    pub const MINUTE: i64 = 60 * Self::SECOND;
    /// One hour in milliseconds.
    pub const HOUR: i64 = 60 * Self::MINUTE;
    /// One day in milliseconds.
    pub const DAY: i64 = 24 * Self::HOUR;

    /// This moment moved by `milliseconds`, which may be negative; it stops at the ends of the number range.
    #[must_use]
    pub const fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` to this moment; negative when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment as RFC 3339 in UTC, such as `2026-11-24T05:22:46Z`, for `<time datetime>` and JSON.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.utc().format(&Rfc3339).unwrap_or_default()
    }

    /// The moment for a reader, in UTC to the minute, such as `24 Nov 2026, 05:22 UTC`.
    #[must_use]
    pub fn words(self) -> String {
        let format = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
        self.utc().format(format).unwrap_or_default()
    }

    /// The beginning of a day in UTC.
    #[must_use]
    pub fn of_day(day: time::Date) -> Self {
        Self(day.midnight().assume_utc().unix_timestamp() * Self::SECOND)
    }

    /// The day in UTC.
    #[must_use]
    pub fn date(self) -> time::Date {
        self.utc().date()
    }

    fn utc(self) -> OffsetDateTime {
        // A number outside the calendar (year ±9999) can only come from a broken row; it shows as 1970.
        OffsetDateTime::from_unix_timestamp_nanos(
            i128::from(self.0 - self.0.rem_euclid(Self::SECOND)) * 1_000_000,
        )
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// A calendar day such as `2027-06-30`, read and written in that form.
///
/// # Errors
/// `None` when the text is not a day of the calendar in that form.
#[must_use]
pub fn parse_day(text: &str) -> Option<time::Date> {
    time::Date::parse(text.trim(), format_description!("[year]-[month]-[day]")).ok()
}

/// A day as `2027-06-30`.
#[must_use]
pub fn day_text(day: time::Date) -> String {
    day.format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

/// A day for a reader, such as `30 Jun 2027`.
#[must_use]
pub fn day_words(day: time::Date) -> String {
    day.format(format_description!("[day padding:none] [month repr:short] [year]")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc_without_fractions() {
        let moment = Timestamp(1_795_497_766_999);
        assert_eq!(moment.rfc3339(), "2026-11-24T05:22:46Z");
        assert_eq!(moment.words(), "24 Nov 2026, 05:22 UTC");
    }

    #[test]
    fn a_moment_before_1970_is_rounded_down() {
        assert_eq!(Timestamp(-1).rfc3339(), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn a_day_is_read_and_written_alike_and_a_wrong_one_refused() {
        assert_eq!(parse_day(" 2027-06-30 ").map(day_text), Some("2027-06-30".to_owned()));
        assert_eq!(parse_day("2027-02-30"), None);
        assert_eq!(parse_day("30.06.2027"), None);
    }
}
