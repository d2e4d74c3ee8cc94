//! Run ids (`UUIDv7`, RFC 9562) and the dotted order that LangSmith sorts a trace by.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The id of a run: a `UUIDv7` whose time is the start of the run.
///
/// ```
/// use traceable_core::model::RunId;
///
/// let id: RunId = "0190163d-8694-7000-8000-00000000002a".parse()?;
/// assert_eq!(id.to_string(), "0190163d-8694-7000-8000-00000000002a");
/// assert_eq!(id.unix_millis(), 0x0190_163d_8694);
/// # Ok::<(), traceable_core::model::ParseRunIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RunId(u128);

impl RunId {
    /// Makes the id of a run that started at `start_time` (nanoseconds since the epoch).
    ///
    /// `prefix` gives the 42 random bits that tell processes apart, `counter` the 32 bits that tell
    /// runs of one process apart: two ids are equal only when the millisecond and all 74 bits are.
    #[must_use]
    pub fn new(start_time: i64, prefix: u64, counter: u32) -> Self {
        let millis = (start_time.max(0) / 1_000_000) as u128 & 0xffff_ffff_ffff;
        let random_a = u128::from(prefix >> 30) & 0xfff;
        let random_b = (u128::from(prefix & 0x3fff_ffff) << 32) | u128::from(counter);
        Self((millis << 80) | (0x7 << 76) | (random_a << 64) | (0b10 << 62) | random_b)
    }

    /// The id as a number, most significant byte first.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// An id from its number. Any UUID is taken, also one that is not version 7.
    #[must_use]
    pub const fn from_u128(value: u128) -> Self {
        Self(value)
    }

    /// The time inside the id, in milliseconds since the epoch.
    #[must_use]
    pub const fn unix_millis(self) -> u64 {
        (self.0 >> 80) as u64
    }

    /// The id as 36 ASCII characters, without an allocation.
    #[must_use]
    pub fn encode(self) -> [u8; 36] {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (i, byte) in self.0.to_be_bytes().into_iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        text
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(str::from_utf8(&self.encode()).unwrap_or_default())
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseRunIdError;

impl fmt::Display for ParseRunIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a run id: expected a UUID such as 0190163d-8694-7000-8000-00000000002a")
    }
}

impl std::error::Error for ParseRunIdError {}

impl FromStr for RunId {
    type Err = ParseRunIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dashed = text.len() == 36;
        if !dashed && text.len() != 32 {
            return Err(ParseRunIdError);
        }
        let mut value = 0;
        for (i, byte) in text.bytes().enumerate() {
            if dashed && matches!(i, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return Err(ParseRunIdError);
                }
                continue;
            }
            let digit = char::from(byte).to_digit(16).ok_or(ParseRunIdError)?;
            value = (value << 4) | u128::from(digit);
        }
        Ok(Self(value))
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.encode()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The place of a run in its trace as LangSmith writes it: one `<start>Z<id>` a level, joined by dots,
/// so that sorting the text sorts the trace.
///
/// ```
/// use traceable_core::model::{DottedOrder, RunId};
///
/// let root = DottedOrder::root(1_717_171_717_123_456_789, RunId::from_u128(1));
/// assert_eq!(
///     root.as_str(),
///     "20240531T160837123456Z00000000-0000-0000-0000-000000000001",
/// );
/// let child = root.child(1_717_171_717_200_000_000, RunId::from_u128(2));
/// assert!(child.as_str().starts_with(root.as_str()));
/// assert_eq!(child.depth(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DottedOrder(String);

impl DottedOrder {
    const SEGMENT: usize = 22 + 36;

    /// The order of a run without a parent.
    #[must_use]
    pub fn root(start_time: i64, id: RunId) -> Self {
        let mut text = String::with_capacity(Self::SEGMENT);
        push_segment(&mut text, start_time, id);
        Self(text)
    }

    /// The order of a child of this run.
    #[must_use]
    pub fn child(&self, start_time: i64, id: RunId) -> Self {
        let mut text = String::with_capacity(self.0.len() + 1 + Self::SEGMENT);
        text.push_str(&self.0);
        text.push('.');
        push_segment(&mut text, start_time, id);
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number of runs from the root to this one: 1 for a root, 0 when unknown.
    #[must_use]
    pub fn depth(&self) -> usize {
        if self.0.is_empty() { 0 } else { self.0.split('.').count() }
    }
}

fn push_segment(text: &mut String, start_time: i64, id: RunId) {
    use fmt::Write as _;

    let civil = Civil::from_nanos(start_time);
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        "{:04}{:02}{:02}T{:02}{:02}{:02}{:06}Z{id}",
        civil.year,
        civil.month,
        civil.day,
        civil.hour,
        civil.minute,
        civil.second,
        civil.nanos / 1_000
    );
}

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
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
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
