//! Base64 in bodies: taken out into blobs, and put back.
//!
//! A picture in a prompt is sent again with every turn of the conversation. As a blob it lies in the store once, and lists,
//! searches and views do not carry it along.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// Shorter base64 stays where it is.
const MIN: usize = 1_024;

/// What stands in the place of the base64 of a blob, before its hash.
const MARK: &str = "blob:sha256-";

/// The SHA-256 of a blob, by which it is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash([u8; 32]);

impl BlobHash {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The hash itself.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseBlobHashError;

impl fmt::Display for ParseBlobHashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the hash of a blob: expected 64 hexadecimal digits")
    }
}

impl std::error::Error for ParseBlobHashError {}

impl FromStr for BlobHash {
    type Err = ParseBlobHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.as_bytes();
        if text.len() != 64 {
            return Err(ParseBlobHashError);
        }
        let mut hash = [0; 32];
        for (byte, digits) in hash.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(ParseBlobHashError);
            *byte = (digit(digits[0])? << 4 | digit(digits[1])?) as u8;
        }
        Ok(Self(hash))
    }
}

impl Serialize for BlobHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Takes long base64 out of the texts of a JSON document: whole texts, and what stands in `data:` addresses. `None` when
/// there is none.
///
/// Only base64 that comes out the same when it is written again is taken, so that nothing changes on the way.
pub(crate) fn lift(json: &str, blobs: &mut Vec<(BlobHash, Vec<u8>)>) -> Option<String> {
    if json.len() < MIN {
        return None;
    }
    let mut lifted = String::new();
    let (mut copied, mut at) = (0, 0);
    let bytes = json.as_bytes();
    while let Some(open) = find(bytes, at, b'"') {
        let close = end_of_text(bytes, open + 1);
        let text = &json[open + 1..close];
        if let Some(skip) = start_of_base64(text)
            && let Ok(blob) = STANDARD.decode(&text[skip..])
            && STANDARD.encode(&blob) == text[skip..]
        {
            let hash = BlobHash::of(&blob);
            lifted.push_str(&json[copied..open + 1 + skip]);
            lifted.push_str(MARK);
            lifted.push_str(&hash.to_string());
            copied = close;
            blobs.push((hash, blob));
        }
        at = close + 1;
    }
    if copied == 0 {
        return None;
    }
    lifted.push_str(&json[copied..]);
    Some(lifted)
}

/// The reverse of [`lift`]. What `blob` does not know stays a mark.
pub(crate) fn restore(json: &str, mut blob: impl FnMut(BlobHash) -> Option<Vec<u8>>) -> String {
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find(MARK) {
        let behind = &rest[at + MARK.len()..];
        let hash = behind.get(..64).and_then(|hash| hash.parse().ok());
        whole.push_str(&rest[..at]);
        match hash.and_then(&mut blob) {
            Some(bytes) => {
                whole.push_str(&STANDARD.encode(bytes));
                rest = &behind[64..];
            }
            None => {
                whole.push_str(MARK);
                rest = behind;
            }
        }
    }
    whole.push_str(rest);
    whole
}

/// Where the base64 of a text begins, if it looks like it.
fn start_of_base64(text: &str) -> Option<usize> {
    if text.len() < MIN {
        return None;
    }
    let skip = match text.strip_prefix("data:") {
        // A media type is short; what is behind it is not searched.
        Some(_) => text.get(..256)?.find(";base64,")? + ";base64,".len(),
        None => 0,
    };
    let data = &text.as_bytes()[skip..];
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    (data.len() >= MIN && data.len().is_multiple_of(4) && data.iter().all(is_base64)).then_some(skip)
}

fn find(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    bytes.get(from..)?.iter().position(|byte| *byte == wanted).map(|at| from + at)
}

/// Where the quote stands that ends the text.
fn end_of_text(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(json: &str) -> (Vec<(BlobHash, Vec<u8>)>, String) {
        let mut blobs = Vec::new();
        let lifted = lift(json, &mut blobs).unwrap_or_else(|| json.to_owned());
        let back = restore(&lifted, |hash| blobs.iter().find(|(known, _)| *known == hash).map(|(_, b)| b.clone()));
        assert_eq!(back, json);
        (blobs, lifted)
    }

    #[test]
    fn pictures_are_taken_out_and_come_back() {
        let picture = vec![7_u8; 3_000];
        let base64 = STANDARD.encode(&picture);
        let json = format!(r#"{{"a":"\"","url":"data:image/png;base64,{base64}","raw":"{base64}","n":1.50}}"#);
        let (blobs, lifted) = there_and_back(&json);
        assert_eq!(blobs.iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(), [&picture, &picture]);
        assert!(lifted.len() < 300, "{lifted}");
        assert!(lifted.contains(r#""data:image/png;base64,blob:sha256-"#));
    }

    #[test]
    fn what_would_come_back_otherwise_stays() {
        let prose = "word ".repeat(1_000);
        // The last digit has bits that no byte has.
        let loose = format!("{}B==", "A".repeat(2_045));
        for text in [prose, loose, "A".repeat(1_020), format!("data:{}", "A".repeat(2_044)), "é".repeat(2_000)] {
            let (blobs, _) = there_and_back(&format!(r#"["{text}"]"#));
            assert!(blobs.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_mark_that_somebody_wrote_is_left_alone() {
        let foreign = format!("{MARK}{}", "0".repeat(64));
        let (blobs, _) = there_and_back(&format!(r#"["{foreign}","{MARK}é"]"#));
        assert!(blobs.is_empty());
    }
}
