//! Run ids (`UUIDv7`, RFC 9562).

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

    /// Another id, for a copy of the run that `key` names, such as a project: the same one each time, and with the same
    /// time. LangSmith's rule (Python SDK 0.14).
    ///
    /// ```
    /// use traceable_core::model::RunId;
    ///
    /// let id: RunId = "0190163d-8694-7000-8000-00000000002a".parse()?;
    /// let copy = id.derived("archive");
    /// assert_eq!((copy, copy.unix_millis()), (id.derived("archive"), id.unix_millis()));
    /// assert_ne!(copy, id.derived("audit"));
    /// # Ok::<(), traceable_core::model::ParseRunIdError>(())
    /// ```
    #[must_use]
    pub fn derived(self, key: &str) -> Self {
        /// Which bits the time, the version and the variant of an id take.
        const KEPT: u128 = (0xffff_ffff_ffff << 80) | (0xf << 76) | (0b11 << 62);
        let hash = xxhash_rust::xxh3::xxh3_128(format!("{self}:{key}").as_bytes());
        // Its first ten bytes become the last ten.
        Self((self.0 & KEPT) | ((hash >> 48) & !KEPT))
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

    /// The id that OpenTelemetry knows the run by: the last 8 bytes, never zero.
    ///
    /// The last, since the first are the time: two runs of one millisecond would share most of them.
    #[must_use]
    pub const fn span_id(self) -> u64 {
        match self.0 as u64 {
            0 => 1,
            id => id,
        }
    }

    /// The id that OpenTelemetry knows a trace by whose root is this run: all 16 bytes, never zero.
    ///
    /// A trace that goes on in a foreign one has that one's id instead: see [`OtelContext`](super::OtelContext).
    #[must_use]
    pub const fn otel_trace_id(self) -> u128 {
        match self.0 {
            0 => 1,
            id => id,
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The values that the tests of LangSmith's SDKs for Python and JavaScript hold each other to.
    #[test]
    fn a_copy_has_the_id_that_langsmiths_sdks_give_it() {
        for (id, key, copy) in [
            ("019c0711-e1aa-7223-bf21-12119afe80f7", "other-key", "019c0711-e1aa-7614-833c-500ba8e2e686"),
            ("019c0711-e1aa-7223-bf21-12119afe80f7", "replica-project", "019c0711-e1aa-7817-8301-943c0df9a3cd"),
            ("01900000-0000-7000-8000-000000000000", "test", "01900000-0000-7132-8131-f80e352488a3"),
        ] {
            assert_eq!(id.parse::<RunId>().unwrap().derived(key).to_string(), copy);
        }
        // Of another version, it stays one of that version.
        let random: RunId = "b64098b1-4ab7-43f6-afee-992304f198d8".parse().unwrap();
        assert!(random.derived("a").to_string().starts_with("b64098b1-4ab7-4"));
    }
}
