//! Dates, times and GUIDs as OData and Graph write them, without a calendar library.

/// A calendar day, `2024-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date {
    /// Days since 1970-01-01.
    days: i64,
}

/// A moment, to the picosecond (OData allows twelve digits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant {
    seconds: i64,
    picoseconds: u64,
}

impl Date {
    pub(crate) fn parse(text: &str) -> Option<Date> {
        let (date, rest) = Self::prefix(text)?;
        rest.is_empty().then_some(date)
    }

    /// The day at the beginning of `text`, and what follows it.
    fn prefix(text: &str) -> Option<(Date, &str)> {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (year_text, rest) = unsigned.split_once('-')?;
        // Four digits, or more without a leading zero; the bound keeps the arithmetic below in range.
        let regular = year_text.len() == 4 || (year_text.len() > 4 && !year_text.starts_with('0'));
        if !regular || year_text.len() > 9 {
            return None;
        }
        let year = number(year_text)?;
        let (month, rest) = two_digits(rest)?;
        let (day, rest) = two_digits(rest.strip_prefix('-')?)?;
        let year = if negative { -year } else { year };
        let valid = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        valid.then(|| (Date { days: days_from_civil(year, month, day) }, rest))
    }

    /// Midnight in UTC: what comparing a date with a timestamp means.
    pub(crate) fn midnight(self) -> Instant {
        Instant { seconds: self.days * 86_400, picoseconds: 0 }
    }
}

impl Instant {
    /// `2024-01-31T10:00Z`, `…T10:00:00.123+02:00`.
    pub(crate) fn parse(text: &str) -> Option<Instant> {
        let (date, rest) = Date::prefix(text)?;
        let rest = rest.strip_prefix(['T', 't'])?;
        let (seconds, picoseconds, rest) = time(rest)?;
        let offset = if rest.eq_ignore_ascii_case("z") {
            0
        } else {
            let sign = match rest.chars().next()? {
                '+' => 1,
                '-' => -1,
                _ => return None,
            };
            let (hours, rest) = two_digits(rest.get(1..)?)?;
            let (minutes, rest) = two_digits(rest.strip_prefix(':')?)?;
            if !rest.is_empty() || hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 3_600 + minutes * 60)
        };
        Some(Instant { seconds: date.midnight().seconds + seconds - offset, picoseconds })
    }

    /// A timestamp, or a day read as its midnight.
    pub(crate) fn parse_lenient(text: &str) -> Option<Instant> {
        Self::parse(text).or_else(|| Date::parse(text).map(Date::midnight))
    }
}

pub(crate) fn is_time_of_day(text: &str) -> bool {
    time(text).is_some_and(|(_, _, rest)| rest.is_empty())
}

/// Whether the writer meant a date: digits, a dash, two digits, a dash, and so on, but it is not one.
pub(crate) fn looks_like_date(text: &str) -> bool {
    let bytes = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let dash = |at: usize| bytes.get(at) == Some(&b'-');
    (0..4).all(digit) && dash(4) && digit(5) && (dash(6) || dash(7))
}

/// Whether the writer meant a GUID: groups of hexadecimal digits, at least three dashes.
pub(crate) fn looks_like_guid(text: &str) -> bool {
    let dashes = text.bytes().filter(|byte| *byte == b'-').count();
    dashes >= 3 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `hh:mm[:ss[.fraction]]`: seconds of the day, picoseconds, and the rest. Second 60 is a leap second.
fn time(text: &str) -> Option<(i64, u64, &str)> {
    let (hours, rest) = two_digits(text)?;
    let (minutes, rest) = two_digits(rest.strip_prefix(':')?)?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    let minute = hours * 3_600 + minutes * 60;
    let Some(rest) = rest.strip_prefix(':') else { return Some((minute, 0, rest)) };
    let (seconds, rest) = two_digits(rest)?;
    if seconds > 60 {
        return None;
    }
    let Some(fraction) = rest.strip_prefix('.') else { return Some((minute + seconds, 0, rest)) };
    let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=12).contains(&length) {
        return None;
    }
    let digits = fraction.get(..length)?;
    let scale = 10_u64.pow(12 - u32::try_from(length).ok()?);
    Some((minute + seconds, digits.parse::<u64>().ok()? * scale, fraction.get(length..)?))
}

fn two_digits(text: &str) -> Option<(i64, &str)> {
    Some((number(text.get(..2)?)?, text.get(2..)?))
}

fn number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar; years are counted from March, so that the leap
/// day comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_and_a_leap_day_are_counted_right() {
        assert_eq!(Date::parse("1970-01-01").map(|date| date.days), Some(0));
        assert_eq!(Date::parse("2024-02-29").map(|date| date.days), Some(19_782));
        assert_eq!(Date::parse("2023-02-29"), None);
    }

    #[test]
    fn offsets_and_fractions_name_the_same_moment() {
        assert_eq!(Instant::parse("2024-01-31T10:00:00.500+02:00"), Instant::parse("2024-01-31T08:00:00.5Z"));
        assert!(Instant::parse("2024-01-31T08:00Z") < Instant::parse("2024-01-31T08:00:00.000000000001Z"));
        assert_eq!(Instant::parse_lenient("2024-01-31"), Instant::parse("2024-01-31T00:00:00Z"));
    }

    #[test]
    fn hour_24_and_a_missing_offset_are_refused() {
        assert_eq!(Instant::parse("2011-12-31T24:00Z"), None);
        assert_eq!(Instant::parse("2011-12-31T10:00:00"), None);
    }
}
