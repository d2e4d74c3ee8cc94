//! Captured values as a tape: tag, length, raw bytes. Nothing is escaped and nothing is allocated once the buffer is
//! warm; JSON is made of it in the background by [`json`].
//!
//! Layout: a value is a tag byte and its content. Text is its length and UTF-8. A sequence is its values and [`END`];
//! a map is keys and values in turn, and [`END`]; a key may be any value.

pub(crate) mod json;
pub(crate) mod serializer;
#[cfg(test)]
mod tests;

use std::{
    fmt::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::Serialize;

use self::serializer::TapeSerializer;
use crate::attachments;

pub(crate) const NULL: u8 = 0;
pub(crate) const FALSE: u8 = 1;
pub(crate) const TRUE: u8 = 2;
pub(crate) const U64: u8 = 3;
pub(crate) const I64: u8 = 4;
pub(crate) const F64: u8 = 5;
pub(crate) const F32: u8 = 6;
/// Text.
pub(crate) const STR: u8 = 7;
/// Bytes; base64 in JSON.
pub(crate) const BYTES: u8 = 8;
/// JSON text that is taken over as it is.
pub(crate) const RAW: u8 = 9;
pub(crate) const SEQ: u8 = 10;
pub(crate) const MAP: u8 = 11;
pub(crate) const END: u8 = 12;
/// Text that was cut: `full: u64`, then as [`STR`].
pub(crate) const CUT_STR: u8 = 13;
/// Something left out, with the reason as [`STR`].
pub(crate) const CUT: u8 = 14;
/// Text of less than 256 bytes: `len: u8` and UTF-8. Most keys and many values are; the fewer bytes, the fewer lines of
/// the log's memory that have to be fetched.
pub(crate) const SHORT_STR: u8 = 15;

/// The number of an attachment, which waits elsewhere: `u64`.
pub(crate) const ATTACHMENT: u8 = 16;

/// Levels of JSON nesting that are kept.
pub(crate) const MAX_DEPTH: u32 = 64;
/// Values of one captured value that are kept.
pub(crate) const MAX_NODES: u32 = 100_000;
/// Bytes of one captured value that are kept.
pub(crate) const MAX_VALUE: usize = 1 << 20;
/// Bytes of `Debug` text that are kept.
const MAX_DEBUG: usize = 8 << 10;
/// Brackets that may stand open in `Debug` text: it has no other depth limit, and a deep value would end the stack.
const MAX_DEBUG_DEPTH: i32 = 128;
/// Bytes of an error's text that are kept.
const MAX_ERROR: usize = 64 << 10;

/// Writes a value by its `Serialize`.
///
/// A failing or panicking implementation leaves a mark in place of the value.
pub(crate) fn write_serialize<T: Serialize + ?Sized>(buf: &mut Vec<u8>, value: &T) {
    let start = buf.len();
    let written = catch_unwind(AssertUnwindSafe(|| {
        let mut tape = TapeSerializer::new(buf);
        value.serialize(&mut tape)
    }));
    match written {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            attachments::forget(&buf[start..]);
            buf.truncate(start);
            write_mark(buf, "$error", &error.to_string());
        }
        Err(_) => {
            attachments::forget(&buf[start..]);
            buf.truncate(start);
            write_mark(buf, "$unserializable", "panic");
        }
    }
}

/// Writes the members of an object as metadata items.
pub(crate) fn write_members<T: Serialize + ?Sized>(buf: &mut Vec<u8>, value: &T) {
    let mut tape = Vec::new();
    write_serialize(&mut tape, value);
    attachments::forget(&tape);
    let members = json::TapeReader::new(&tape).json().ok().and_then(|json| serde_json::from_str(&json).ok());
    match members {
        Some(serde_json::Value::Object(members)) => {
            for (key, value) in members {
                crate::adapters::text(buf, crate::record::item::METADATA, &key);
                write_serialize(buf, &value);
            }
        }
        Some(serde_json::Value::Null) | None => {}
        Some(value) => {
            crate::adapters::text(buf, crate::record::item::METADATA, "metadata");
            write_serialize(buf, &value);
        }
    }
}

/// Writes a value by its `Debug`, as `{"$debug": "…"}`.
pub(crate) fn write_debug<T: fmt::Debug + ?Sized>(buf: &mut Vec<u8>, value: &T) {
    let start = buf.len();
    buf.push(MAP);
    write_str(buf, "$debug");
    let written = catch_unwind(AssertUnwindSafe(|| {
        write_text(buf, MAX_DEBUG, STR, |text| {
            text.depth_limit = MAX_DEBUG_DEPTH;
            // An error means that the cap was reached, or that the implementation failed; what is there stays.
            let _ = write!(text, "{value:?}");
        });
    }));
    if written.is_err() {
        buf.truncate(start);
        write_mark(buf, "$unserializable", "panic");
        return;
    }
    buf.push(END);
}

/// Writes the name of a type that can be written in no other way, as `{"$type": "…"}`.
pub(crate) fn write_type_name<T: ?Sized>(buf: &mut Vec<u8>) {
    write_mark(buf, "$type", std::any::type_name::<T>());
}

/// Writes `{"key": "text"}`.
pub(crate) fn write_mark(buf: &mut Vec<u8>, key: &str, text: &str) {
    buf.push(MAP);
    write_str(buf, key);
    write_str(buf, text);
    buf.push(END);
}

/// Writes text as a value.
#[inline]
pub(crate) fn write_str(buf: &mut Vec<u8>, text: &str) {
    if let Ok(length) = u8::try_from(text.len()) {
        buf.extend_from_slice(&[SHORT_STR, length]);
    } else {
        let [a, b, c, d] = (text.len() as u32).to_le_bytes();
        buf.reserve(5 + text.len());
        buf.extend_from_slice(&[STR, a, b, c, d]);
    }
    buf.extend_from_slice(text.as_bytes());
}

/// Writes an error's text without a tag; `format` panicking leaves a mark.
pub(crate) fn write_error_text(buf: &mut Vec<u8>, format: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result) {
    let start = buf.len();
    let written = catch_unwind(AssertUnwindSafe(|| {
        write_text(buf, MAX_ERROR, STR, |text| {
            text.depth_limit = MAX_DEBUG_DEPTH;
            let _ = format(text);
        });
    }));
    if written.is_err() {
        buf.truncate(start);
        write_str(buf, "(the error's text could not be written: it panicked)");
    }
}

/// Writes formatted text as a value, cut at `limit` bytes with a mark.
fn write_text(buf: &mut Vec<u8>, limit: usize, tag: u8, format: impl FnOnce(&mut CappedText<'_>)) {
    buf.push(tag);
    let length_at = buf.len();
    buf.extend_from_slice(&[0; 4]);
    let start = buf.len();
    let mut text = CappedText { buf, end: start + limit, cut: false, depth: 0, depth_limit: i32::MAX, quoted: false };
    format(&mut text);
    if text.cut {
        buf.extend_from_slice("… [cut]".as_bytes());
    }
    let length = (buf.len() - start) as u32;
    buf[length_at..start].copy_from_slice(&length.to_le_bytes());
}

/// A `fmt::Write` that stops at a length or a nesting, so that what writes into it stops too.
struct CappedText<'a> {
    buf: &'a mut Vec<u8>,
    end: usize,
    cut: bool,
    depth: i32,
    depth_limit: i32,
    quoted: bool,
}

impl CappedText<'_> {
    /// Counts brackets outside of quotes. Text with escaped quotes may miscount, which only cuts early.
    fn too_deep(&mut self, text: &str) -> bool {
        for byte in text.bytes() {
            match byte {
                b'"' => self.quoted = !self.quoted,
                b'[' | b'{' | b'(' if !self.quoted => self.depth += 1,
                b']' | b'}' | b')' if !self.quoted => self.depth -= 1,
                _ => {}
            }
        }
        self.depth > self.depth_limit
    }
}

impl fmt::Write for CappedText<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.end.saturating_sub(self.buf.len());
        let kept = floor_char_boundary(text, room);
        self.buf.extend_from_slice(&text.as_bytes()[..kept]);
        if kept < text.len() || (self.depth_limit < i32::MAX && self.too_deep(&text[..kept])) {
            self.cut = true;
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// The greatest length of at most `limit` bytes that does not split a character.
pub(crate) fn floor_char_boundary(text: &str, limit: usize) -> usize {
    if limit >= text.len() {
        return text.len();
    }
    (0..=limit).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
