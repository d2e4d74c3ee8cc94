//! Moments in UTC as text, and back.

/// A moment in UTC as ISO 8601 with microseconds, which is how every backend's JSON writes times.
///
/// `time` is in nanoseconds since the epoch; what is below a microsecond is cut off, not rounded.
///
/// ```
/// use traceable_core::model::format_time;
///
/// assert_eq!(format_time(1_717_171_717_123_456_789), "2024-05-31T16:08:37.123456Z");
/// assert_eq!(format_time(-1), "1969-12-31T23:59:59.999999Z");
/// ```
#[must_use]
pub fn format_time(time: i64) -> String {
    let Civil { year, month, day, hour, minute, second, nanos } = Civil::from_nanos(time);
    let micros = nanos / 1_000;
    let Some(century) = u8::try_from(year / 100).ok().filter(|century| year >= 0 && *century < 100) else {
        return format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z");
    };
    // Digit by digit: the machinery of `format!` takes several times as long, and each run has two times and more.
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut two = |at: usize, number: u8| (text[at], text[at + 1]) = (b'0' + number / 10, b'0' + number % 10);
    two(0, century);
    two(2, (year % 100) as u8);
    for (at, number) in [(5, month), (8, day), (11, hour), (14, minute), (17, second)] {
        two(at, number);
    }
    for (at, number) in [(20, micros / 10_000), (22, micros / 100 % 100), (24, micros % 100)] {
        two(at, number as u8);
    }
    str::from_utf8(&text).unwrap_or_default().to_owned()
}

/// The reverse of [`format_time`], for what other programs write: a blank in place of the `T`, a fraction of any length
/// or none, an offset from UTC. Without an offset it is UTC. The answer is in nanoseconds since the epoch; `None` when the text
/// is no such moment or when 64 bits do not reach it.
///
/// ```
/// use traceable_core::model::parse_time;
///
/// assert_eq!(parse_time("2024-05-31T16:08:37.123456Z"), Some(1_717_171_717_123_456_000));
/// assert_eq!(parse_time("2024-05-31T18:08:37+02:00"), Some(1_717_171_717_000_000_000));
/// assert_eq!(parse_time("yesterday"), None);
/// ```
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    let (moment, rest) = text.as_bytes().split_at_checked(19)?;
    let [.., b'-', _, _, b'-', _, _, b'T' | b't' | b' ', _, _, b':', _, _, b':', _, _] = moment else { return None };
    let (nanos, offset) = match rest {
        [b'.' | b',', rest @ ..] => {
            let (fraction, offset) =
                rest.split_at(rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len()));
            let known = &fraction[..fraction.len().min(9)];
            (number(known)? * 10_i64.pow(9 - known.len() as u32), offset)
        }
        offset => (0, offset),
    };
    let ahead = match offset {
        b"" | b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, minutes @ ..] => {
            let minutes = minutes.strip_prefix(b":").unwrap_or(minutes);
            if !matches!(minutes.len(), 0 | 2) {
                return None;
            }
            let seconds = number(&[*h1, *h2])? * 3_600 + number(minutes)? * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let two = |at: usize| number(&moment[at..at + 2]);
    let day = (number(&moment[..4])?, two(5)?, two(8)?);
    since_epoch(day, (two(11)?, two(14)?, two(17)?), nanos, ahead)
}

/// A moment in UTC, split for printing.
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    pub(crate) nanos: u32,
}

impl Civil {
    /// Splits nanoseconds since the epoch by the proleptic Gregorian calendar.
    pub(crate) fn from_nanos(time: i64) -> Self {
        let seconds = time.div_euclid(1_000_000_000);
        let days = seconds.div_euclid(86_400);
        let of_day = seconds.rem_euclid(86_400);
        // Days are counted from 1 March of year 0, so that the leap day ends its year.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as u8,
            day: (of_year - (153 * shifted_month + 2) / 5 + 1) as u8,
            hour: (of_day / 3_600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
            nanos: time.rem_euclid(1_000_000_000) as u32,
        }
    }
}

/// The nanoseconds since the epoch of `%Y%m%dT%H%M%S%f`, where the fraction has one to six digits. `None` for anything
/// else, also for a day that is in no calendar and a moment that 64 bits do not reach.
pub(crate) fn parse_compact(text: &str) -> Option<i64> {
    let text = text.as_bytes();
    if !(16..=21).contains(&text.len()) || text[8] != b'T' {
        return None;
    }
    let two = |at: usize| number(&text[at..at + 2]);
    let fraction = &text[15..];
    let nanos = number(fraction)? * 10_i64.pow(9 - fraction.len() as u32);
    since_epoch((number(&text[..4])?, two(4)?, two(6)?), (two(9)?, two(11)?, two(13)?), nanos, 0)
}

/// The number that the digits write; zero without any.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

/// Nanoseconds since the epoch of a day (year, month, day) and a time (hour, minute, second) that are `ahead` seconds of UTC.
fn since_epoch(
    (year, month, day): (i64, i64, i64),
    (hour, minute, second): (i64, i64, i64),
    nanos: i64,
    ahead: i64,
) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - ahead;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// The reverse of [`Civil::from_nanos`], for a day.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(time: i64) {
            let Civil { year, month, day, hour, minute, second, nanos } = Civil::from_nanos(time);
            let micros = nanos / 1_000;
            let text = format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}{micros:06}");
            // The first microsecond of what 64 bits reach is only there in part.
            let cut = (time.div_euclid(1_000)).checked_mul(1_000);
            prop_assert_eq!(parse_compact(&text), cut);
            prop_assert_eq!(parse_time(&format_time(time)), cut);
        }

        #[test]
        fn anything_is_refused_or_read(text in "[0-9T]{0,30}|.{0,30}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}.{0,9}") {
            let _ = parse_compact(&text);
            let _ = parse_time(&text);
        }
    }

    #[test]
    fn a_moment_is_in_the_calendar_or_refused() {
        assert_eq!(parse_compact("19700101T000000000000"), Some(0));
        assert_eq!(parse_compact("20240229T120000000001"), Some(1_709_208_000_000_001_000));
        // Older JavaScript SDKs write milliseconds.
        assert_eq!(parse_compact("20230914T223155647"), Some(1_694_730_715_647_000_000));
        for wrong in [
            "20230229T120000000000",
            "21000229T120000000000",
            "20240431T120000000000",
            "20241301T120000000000",
            "20240001T120000000000",
            "20240100T120000000000",
            "20240101T240000000000",
            "20240101T006000000000",
            "20240101T000060000000",
            "20240101T000000",
            "20240101T0000000000000",
            "20240101 000000000000",
            "+0240101T000000000000",
            "20240101T000000000000Z",
            "99990101T000000000000",
        ] {
            assert_eq!(parse_compact(wrong), None, "{wrong}");
        }
    }
}
