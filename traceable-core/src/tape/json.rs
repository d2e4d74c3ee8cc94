//! Makes JSON text of a tape. Equal to what `serde_json` writes, but for the marks and for values JSON has no place for
//! (NaN and infinities as text, bytes as base64).

use std::io::Write as _;

use base64::Engine as _;

use super::{BYTES, CUT, CUT_STR, END, F32, F64, FALSE, I64, MAP, NULL, RAW, SEQ, STR, TRUE, U64};

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

    /// Text behind its length.
    pub(crate) fn str(&mut self) -> Result<&'a str> {
        str::from_utf8(self.bytes()?).map_err(|_| BrokenTape)
    }

    /// Goes behind the next value.
    pub(crate) fn skip(&mut self) -> Result<()> {
        let mut open = 0_u32;
        loop {
            match self.byte()? {
                NULL | FALSE | TRUE => {}
                U64 | I64 | F64 => drop(self.take(8)?),
                F32 => drop(self.take(4)?),
                STR | RAW | CUT => drop(self.bytes()?),
                BYTES | CUT_STR => {
                    self.take(8)?;
                    self.bytes()?;
                }
                SEQ | MAP => open += 1,
                END => open = open.checked_sub(1).ok_or(BrokenTape)?,
                _ => return Err(BrokenTape),
            }
            if open == 0 {
                return Ok(());
            }
        }
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
            STR => {
                out.push(b'"');
                escape(self.bytes()?, out);
                out.push(b'"');
            }
            CUT_STR => self.write_cut_text(out)?,
            BYTES => self.write_bytes(out)?,
            RAW => out.extend_from_slice(self.bytes()?),
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

/// Appends text with JSON's escapes.
///
/// Escaping is most of what the background does for a prompt. Eight bytes are looked at and copied at a time; where one
/// of them needs an escape, what was copied behind it is taken back.
pub(crate) fn escape(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len());
    let mut rest = text;
    while let Some(word) = rest.first_chunk::<8>() {
        out.extend_from_slice(word);
        let clean = clean_prefix(u64::from_le_bytes(*word));
        if clean == 8 {
            rest = &rest[8..];
        } else {
            out.truncate(out.len() - 8 + clean);
            escape_byte(word[clean], out);
            rest = &rest[clean + 1..];
        }
    }
    for &byte in rest {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            escape_byte(byte, out);
        } else {
            out.push(byte);
        }
    }
}

/// How many of eight bytes, from the first on, need no escape.
#[inline]
fn clean_prefix(word: u64) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // A byte's high bit is set where the byte is a control character, a quote or a backslash. A borrow may mark a byte
    // behind a true hit as well, never one before it, and the first hit is all that is used.
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    let hits = (control | quote | backslash) & !word & HIGHS;
    (hits.trailing_zeros() / 8) as usize
}

#[inline]
fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
