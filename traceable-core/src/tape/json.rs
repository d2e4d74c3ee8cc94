//! Makes JSON text of a tape. Equal to what `serde_json` writes, but for the marks and for values JSON has no place for
//! (NaN and infinities as text, bytes as base64).

use std::io::Write as _;

use base64::Engine as _;

use super::{
    ATTACHMENT, BYTES, CUT, CUT_STR, END, F32, F64, FALSE, I64, MAP, NULL, RAW, SEQ, SHORT_STR, STR, TRUE, U64,
};

/// A tape that ends in the middle of a value, which only a fault of this library could make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BrokenTape;

type Result<T> = std::result::Result<T, BrokenTape>;

/// Reads a tape, or the items of a record, from front to back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TapeReader<'a> {
    rest: &'a [u8],
}

impl<'a> TapeReader<'a> {
    pub(crate) fn new(tape: &'a [u8]) -> Self {
        Self { rest: tape }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether the next value is an attachment.
    pub(crate) fn is_attachment(self) -> bool {
        self.rest.first() == Some(&ATTACHMENT)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(BrokenTape)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| BrokenTape)
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes behind their length.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.array().map(u32::from_le_bytes)?;
        self.take(length as usize)
    }

    /// Bytes behind their length of one byte.
    fn short_bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.byte()?;
        self.take(length.into())
    }

    /// Text behind its length.
    pub(crate) fn str(&mut self) -> Result<&'a str> {
        str::from_utf8(self.bytes()?).map_err(|_| BrokenTape)
    }

    /// The tape from here to where another reader of it stands.
    pub(crate) fn until(self, end: Self) -> &'a [u8] {
        let length = self.rest.len().saturating_sub(end.rest.len());
        self.rest.get(..length).unwrap_or_default()
    }

    /// Goes behind the next value; answers a reader of it alone.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Self> {
        let value = *self;
        let mut open = 0_u32;
        loop {
            match self.rest.first() {
                Some(&(SEQ | MAP)) => open += 1,
                Some(&END) => open = open.checked_sub(1).ok_or(BrokenTape)?,
                _ => {}
            }
            self.token()?;
            if open == 0 {
                return Ok(Self { rest: value.until(*self) });
            }
        }
    }

    /// Goes behind the next tag and what belongs to it, but for the values inside of it. Answers the number of an
    /// attachment.
    #[inline]
    pub(crate) fn token(&mut self) -> Result<Option<u64>> {
        match self.byte()? {
            NULL | FALSE | TRUE | SEQ | MAP | END => {}
            U64 | I64 | F64 => drop(self.take(8)?),
            F32 => drop(self.take(4)?),
            STR | RAW | CUT => drop(self.bytes()?),
            SHORT_STR => drop(self.short_bytes()?),
            BYTES | CUT_STR => {
                self.take(8)?;
                self.bytes()?;
            }
            ATTACHMENT => return self.u64().map(Some),
            _ => return Err(BrokenTape),
        }
        Ok(None)
    }

    /// Appends the next value as JSON.
    pub(crate) fn write_json(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let tag = self.byte()?;
        self.write_tagged(tag, out)
    }

    /// The next value as JSON text.
    pub(crate) fn json(&mut self) -> Result<String> {
        let mut out = Vec::with_capacity(self.rest.len() + self.rest.len() / 8);
        self.write_json(&mut out)?;
        Ok(into_text(out))
    }

    fn write_tagged(&mut self, tag: u8, out: &mut Vec<u8>) -> Result<()> {
        match tag {
            NULL => out.extend_from_slice(b"null"),
            FALSE => out.extend_from_slice(b"false"),
            TRUE => out.extend_from_slice(b"true"),
            U64 => drop(write!(out, "{}", self.u64()?)),
            I64 => drop(write!(out, "{}", self.u64()? as i64)),
            F64 => write_float(self.array().map(f64::from_le_bytes)?, out),
            F32 => {
                let value = self.array().map(f32::from_le_bytes)?;
                if value.is_finite() {
                    // Writing to a `Vec` cannot fail.
                    let _ = serde_json::to_writer(out, &value);
                } else {
                    write_float(value.into(), out);
                }
            }
            STR => write_text(self.bytes()?, out),
            SHORT_STR => write_text(self.short_bytes()?, out),
            CUT_STR => self.write_cut_text(out)?,
            BYTES => self.write_bytes(out)?,
            RAW => out.extend_from_slice(self.bytes()?),
            // Where no run takes it, such as in what `process_inputs` is given.
            ATTACHMENT => {
                self.u64()?;
                out.extend_from_slice("\"… [attachment]\"".as_bytes());
            }
            SEQ => self.write_seq(out)?,
            MAP => self.write_map(out)?,
            CUT => {
                out.extend_from_slice("\"… [".as_bytes());
                escape(self.bytes()?, out);
                out.extend_from_slice(b"]\"");
            }
            _ => return Err(BrokenTape),
        }
        Ok(())
    }

    fn write_cut_text(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let full = self.u64()?;
        out.push(b'"');
        let kept = self.bytes()?;
        escape(kept, out);
        let _ = write!(out, "… [cut: {} of {full} bytes kept]\"", kept.len());
        Ok(())
    }

    fn write_bytes(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let full = self.u64()?;
        let kept = self.bytes()?;
        out.extend_from_slice(b"{\"$bytes\":\"");
        let encoded = base64::engine::general_purpose::STANDARD.encode(kept);
        let _ = write!(out, "{encoded}\",\"length\":{full}}}");
        Ok(())
    }

    fn write_seq(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.push(b'[');
        let mut first = true;
        loop {
            match self.byte()? {
                END => break,
                tag => {
                    if !std::mem::take(&mut first) {
                        out.push(b',');
                    }
                    self.write_tagged(tag, out)?;
                }
            }
        }
        out.push(b']');
        Ok(())
    }

    fn write_map(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.push(b'{');
        let mut first = true;
        loop {
            match self.byte()? {
                END => break,
                tag => {
                    if !std::mem::take(&mut first) {
                        out.push(b',');
                    }
                    self.write_key(tag, out)?;
                    out.push(b':');
                    self.write_json(out)?;
                }
            }
        }
        out.push(b'}');
        Ok(())
    }

    /// A key is text in JSON: what is not is written as JSON inside of quotes.
    fn write_key(&mut self, tag: u8, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        self.write_tagged(tag, out)?;
        if out.get(start) != Some(&b'"') {
            let key = out.split_off(start);
            out.push(b'"');
            escape(&key, out);
            out.push(b'"');
        }
        Ok(())
    }
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    escape(text, out);
    out.push(b'"');
}

/// The text of bytes that were made of UTF-8 text only.
pub(crate) fn into_text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn write_float(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        // Writing to a `Vec` cannot fail.
        let _ = serde_json::to_writer(out, &value);
    } else if value.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else if value > 0.0 {
        out.extend_from_slice(b"\"Infinity\"");
    } else {
        out.extend_from_slice(b"\"-Infinity\"");
    }
}

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// Bytes that are copied in one step.
const STEP: usize = 16;

/// What a block may become: six bytes for each of its own, and what is copied too many behind.
const LONGEST: usize = BLOCK * 8;

/// Bytes that are gathered before they are appended.
const GATHERED: usize = 2 * LONGEST;

/// Appends text with JSON's escapes.
///
/// Escaping is most of what the background does for a prompt, and mispredicted branches are most of escaping: prose has a
/// quote or a line break every few words. So a block is looked at without a branch, which leaves a bit for each byte that
/// needs an escape, and what lies between two bits is copied in steps of sixteen bytes, too many rather than too few. What
/// comes of it is gathered, for appending a little at a time is dear, too.
pub(crate) fn escape(text: &[u8], out: &mut Vec<u8>) {
    if text.len() < SHORT {
        text.iter().for_each(|&byte| escape_byte(byte, out));
        return;
    }
    out.reserve(text.len());
    let (mut gathered, mut at, mut from) = ([0; GATHERED], 0, 0);
    // A block is read with a step behind it.
    while let Some(source) = text[from..].first_chunk() {
        at = escape_block(source, &mut gathered, at);
        from += BLOCK;
        if at > GATHERED - LONGEST {
            out.extend_from_slice(&gathered[..at]);
            at = 0;
        }
    }
    // There always is a rest: the loop ends with a step or more to go.
    for rest in text[from..].chunks(BLOCK) {
        // Blanks need no escape, and are left out again.
        let mut source = [b' '; BLOCK + STEP];
        source[..rest.len()].copy_from_slice(rest);
        at = escape_block(&source, &mut gathered, at) - (BLOCK - rest.len());
        out.extend_from_slice(&gathered[..at]);
        at = 0;
    }
}

/// Texts below this are looked at byte by byte.
const SHORT: usize = 24;

fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    if byte < 0x20 || byte == b'"' || byte == b'\\' {
        let (escape, length) = escape_of(byte);
        out.extend_from_slice(&escape[..length]);
    } else {
        out.push(byte);
    }
}

/// Writes a block with its escapes from `at` on. Answers where it ends.
#[inline]
fn escape_block(source: &[u8; BLOCK + STEP], gathered: &mut [u8; GATHERED], mut at: usize) -> usize {
    let Some(block) = source.first_chunk::<BLOCK>() else { return at };
    let mut marks = marks(block);
    let mut from = 0;
    while marks != 0 {
        let to = marks.trailing_zeros() as usize;
        marks &= marks - 1;
        copy_in_steps(source, from, to, gathered, at);
        at += to - from;
        let (escape, length) = escape_of(block[to]);
        gathered[at..at + 8].copy_from_slice(&escape);
        at += length;
        from = to + 1;
    }
    copy_in_steps(source, from, BLOCK, gathered, at);
    at + BLOCK - from
}

/// Copies a stretch and up to a step of what is behind it.
#[inline]
fn copy_in_steps(source: &[u8; BLOCK + STEP], from: usize, to: usize, gathered: &mut [u8; GATHERED], mut at: usize) {
    let mut from = from;
    while from < to {
        gathered[at..at + STEP].copy_from_slice(&source[from..from + STEP]);
        from += STEP;
        at += STEP;
    }
}

#[cfg(not(target_arch = "x86_64"))]
use self::portable_marks as marks;
/// A bit for each byte that needs an escape.
#[cfg(target_arch = "x86_64")]
use crate::sys::escape_marks as marks;

/// As `marks`, eight bytes at a time, for processors without vectors of bytes that are known beforehand.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn portable_marks(block: &[u8; BLOCK]) -> u64 {
    const LOWS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const ONES: u64 = 0x0101_0101_0101_0101;
    const QUOTES: u64 = ONES * 0x22;
    const BACKSLASHES: u64 = ONES * 0x5c;
    /// The high bit of each byte that is zero.
    const fn zeros(word: u64) -> u64 {
        !(((word & LOWS) + LOWS) | word | LOWS)
    }
    let mut marks = 0;
    for (at, word) in block.as_chunks::<8>().0.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = zeros(word & (ONES * 0xe0));
        let quote = zeros(word ^ QUOTES);
        let backslash = zeros(word ^ BACKSLASHES);
        // Gathers the high bits of the eight bytes in one.
        let bits = ((control | quote | backslash) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        marks |= bits << (8 * at);
    }
    marks
}

/// The escape of a byte that needs one, filled up to eight bytes, and its length.
#[inline]
fn escape_of(byte: u8) -> ([u8; 8], usize) {
    /// Behind a backslash: for bytes below 0x20 that have a short form.
    const SHORT: [u8; 32] = {
        let mut short = [0; 32];
        (short[0x08], short[0x09], short[0x0a], short[0x0c], short[0x0d]) = (b'b', b't', b'n', b'f', b'r');
        short
    };
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = SHORT.get(usize::from(byte)).copied().unwrap_or(byte);
    if short != 0 {
        return ([b'\\', short, 0, 0, 0, 0, 0, 0], 2);
    }
    ([b'\\', b'u', b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)], 0, 0], 6)
}

#[cfg(test)]
mod marks_tests {
    use super::*;

    #[test]
    fn every_processor_marks_the_same_bytes() {
        for byte in 0..=u8::MAX {
            for other in [b'a', b'"', b'\\', 0x1f, 0x20, 0x7f, 0x80, 0xff] {
                let mut block = [other; BLOCK];
                for at in [0, 1, 7, 8, 15, 16, 31, 62, 63] {
                    block[at] = byte;
                    assert_eq!(marks(&block), portable_marks(&block), "{byte} among {other} at {at}");
                }
            }
        }
    }
}
