//! Protobuf, written from borrowed text straight into bytes, and read without making anything of it.
//!
//! A span is mostly text that is there already. Written this way it is copied once, and its length is known as soon as
//! it is written, which is what requests are split by.

use std::fmt;

use serde::Serialize;

/// How a field's value is laid out.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED32: u64 = 5;

pub(super) fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

const fn varint_len(number: u64) -> usize {
    let bits = u64::BITS - (number | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// How long a field of so many bytes is, with its tag and length. The tag is one byte: all fields here are below 16.
pub(super) const fn field_len(bytes: usize) -> usize {
    1 + varint_len(bytes as u64) + bytes
}

fn tag(out: &mut Vec<u8>, field: u64, layout: u64) {
    varint(out, field << 3 | layout);
}

pub(super) fn open(out: &mut Vec<u8>, field: u64, bytes: usize) {
    tag(out, field, LENGTH);
    varint(out, bytes as u64);
}

pub(super) fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    open(out, field, value.len());
    out.extend_from_slice(value);
}

pub(super) fn uint(out: &mut Vec<u8>, field: u64, value: u64) {
    tag(out, field, VARINT);
    varint(out, value);
}

pub(super) fn fixed64(out: &mut Vec<u8>, field: u64, value: u64) {
    tag(out, field, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(super) fn fixed32(out: &mut Vec<u8>, field: u64, value: u32) {
    tag(out, field, FIXED32);
    out.extend_from_slice(&value.to_le_bytes());
}

/// How much of a run is written: for one that fits into no request, ever less.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Bytes of one text.
    pub(super) text: usize,
    /// Messages, documents, events and the like, each.
    pub(super) items: usize,
}

impl Bounds {
    pub(super) const NONE: Self = Self { text: usize::MAX, items: usize::MAX };
}

/// A text, or as much of it as there is room for.
pub(super) fn text(out: &mut Vec<u8>, field: u64, text: &str, bounds: Bounds) {
    let (kept, mark) = cut(text, bounds.text);
    open(out, field, kept.len() + mark.len());
    out.extend_from_slice(kept.as_bytes());
    out.extend_from_slice(mark.as_bytes());
}

fn text_len(text: &str, bounds: Bounds) -> usize {
    let (kept, mark) = cut(text, bounds.text);
    field_len(kept.len() + mark.len())
}

/// Attributes as they stand in a span, an event, a log record or a resource. A name is written once: whoever says it
/// first has said it.
#[derive(Debug)]
pub(super) struct Attributes {
    out: Vec<u8>,
    /// The number of the field that holds attributes.
    field: u64,
    pub(super) bounds: Bounds,
    /// Where in `out` the names stand.
    names: Vec<(u32, u32)>,
    json: Vec<u8>,
    name: String,
}

impl Attributes {
    pub(super) fn new(field: u64) -> Self {
        let (out, names, json, name) = (Vec::new(), Vec::new(), Vec::new(), String::new());
        Self { out, field, bounds: Bounds::NONE, names, json, name }
    }

    /// Begins anew, in the same memory.
    pub(super) fn clear(&mut self, bounds: Bounds) {
        self.out.clear();
        self.names.clear();
        self.bounds = bounds;
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    pub(super) fn has(&self, name: &str) -> bool {
        let is = |&(at, len): &(u32, u32)| {
            len as usize == name.len() && self.out[at as usize..][..len as usize] == *name.as_bytes()
        };
        self.names.iter().any(is)
    }

    /// Opens an attribute whose value has so many bytes; `false` when it is there already.
    fn begin(&mut self, name: &str, value: usize) -> bool {
        if self.has(name) {
            return false;
        }
        let at = self.start(name, value);
        self.names.push((at as u32, name.len() as u32));
        true
    }

    /// Opens an attribute that nobody else writes. Answers where its name stands.
    fn start(&mut self, name: &str, value: usize) -> usize {
        open(&mut self.out, self.field, field_len(name.len()) + field_len(value));
        bytes(&mut self.out, 1, name.as_bytes());
        let at = self.out.len() - name.len();
        open(&mut self.out, 2, value);
        at
    }

    pub(super) fn text<'t>(&mut self, name: &str, value: impl Into<Option<&'t str>>) {
        let Some(value) = value.into() else { return };
        if self.begin(name, text_len(value, self.bounds)) {
            text(&mut self.out, 1, value, self.bounds);
        }
    }

    /// A text under a name that is made for it, such as that of the third message, and that nobody else writes.
    pub(super) fn text_at(&mut self, name: fmt::Arguments<'_>, value: &str) {
        self.named(name, text_len(value, self.bounds));
        text(&mut self.out, 1, value, self.bounds);
    }

    /// Opens an attribute under a name that is made for it.
    fn named(&mut self, name: fmt::Arguments<'_>, value: usize) {
        self.name.clear();
        // A text takes whatever is written to it.
        let _ = fmt::Write::write_fmt(&mut self.name, name);
        let name = std::mem::take(&mut self.name);
        self.start(&name, value);
        self.name = name;
    }

    /// A value as JSON text; what cannot be JSON is left out.
    pub(super) fn json<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.with_json(value, |this, text| this.text(name, text));
    }

    pub(super) fn json_at<T: Serialize + ?Sized>(&mut self, name: fmt::Arguments<'_>, value: &T) {
        self.with_json(value, |this, text| this.text_at(name, text));
    }

    fn with_json<T: Serialize + ?Sized>(&mut self, value: &T, write: impl FnOnce(&mut Self, &str)) {
        let mut json = std::mem::take(&mut self.json);
        json.clear();
        if serde_json::to_writer(&mut json, value).is_ok()
            && let Ok(text) = str::from_utf8(&json)
        {
            write(self, text);
        }
        self.json = json;
    }

    pub(super) fn int(&mut self, name: &str, value: impl Into<Option<i64>>) {
        let Some(value) = value.into() else { return };
        // A negative number is written as the large one that has its bits.
        if self.begin(name, 1 + varint_len(value as u64)) {
            uint(&mut self.out, 3, value as u64);
        }
    }

    pub(super) fn double(&mut self, name: &str, value: impl Into<Option<f64>>) {
        let Some(value) = value.into() else { return };
        if self.begin(name, 9) {
            fixed64(&mut self.out, 4, value.to_bits());
        }
    }

    pub(super) fn double_at(&mut self, name: fmt::Arguments<'_>, value: f64) {
        self.named(name, 9);
        fixed64(&mut self.out, 4, value.to_bits());
    }

    pub(super) fn bool(&mut self, name: &str, value: impl Into<Option<bool>>) {
        let Some(value) = value.into() else { return };
        if self.begin(name, 2) {
            uint(&mut self.out, 2, u64::from(value));
        }
    }

    /// A list of texts.
    pub(super) fn texts<T: AsRef<str>>(&mut self, name: &str, values: &[T]) {
        let item = |text: &str| field_len(field_len(text.len()));
        let values = &values[..values.len().min(self.bounds.items)];
        let len = values.iter().map(|text| item(cut(text.as_ref(), self.bounds.text).0)).sum();
        if self.begin(name, field_len(len)) {
            open(&mut self.out, 5, len);
            for text in values {
                let (text, _) = cut(text.as_ref(), self.bounds.text);
                open(&mut self.out, 1, field_len(text.len()));
                bytes(&mut self.out, 1, text.as_bytes());
            }
        }
    }
}

/// A text of at most `max` bytes, and what says how much is missing behind it.
pub(super) fn cut(text: &str, max: usize) -> (&str, String) {
    if text.len() <= max {
        return (text, String::new());
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let kept = &text[..end];
    (kept, format!("… [cut: {} of {} bytes]", text.len() - kept.len(), text.len()))
}

/// A field's value: bytes, or a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wire<'b> {
    Bytes(&'b [u8]),
    Number(u64),
}

impl<'b> Wire<'b> {
    pub(super) fn bytes(self) -> &'b [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(_) => &[],
        }
    }

    pub(super) fn number(self) -> u64 {
        match self {
            Self::Bytes(_) => 0,
            Self::Number(number) => number,
        }
    }
}

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoMessage;

/// The fields of a message, one after the other, until its end or the first that is broken.
#[derive(Debug)]
pub(super) struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    pub(super) fn of(message: &'b [u8]) -> Self {
        Self(message)
    }

    fn take(&mut self, bytes: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn take_varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn read(&mut self) -> Option<(u64, Wire<'b>)> {
        let tag = self.take_varint()?;
        let value = match tag & 7 {
            VARINT => Wire::Number(self.take_varint()?),
            FIXED64 => Wire::Number(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            LENGTH => {
                let bytes = usize::try_from(self.take_varint()?).ok()?;
                Wire::Bytes(self.take(bytes)?)
            }
            FIXED32 => Wire::Number(u32::from_le_bytes(self.take(4)?.try_into().ok()?).into()),
            _ => return None,
        };
        Some((tag >> 3, value))
    }
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Wire<'b>), NoMessage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(NoMessage))
    }
}
