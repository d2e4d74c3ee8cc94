//! Our own serde `Serializer`: writes the tape, and never goes deeper, wider or longer than its caps.

use std::fmt;

use serde::{
    Serialize, Serializer,
    ser::{
        self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

use super::{
    ATTACHMENT, BYTES, CUT, CUT_STR, END, F32, F64, FALSE, I64, MAP, MAX_DEPTH, MAX_NODES, MAX_VALUE, NULL, RAW, SEQ,
    STR, TRUE, U64, floor_char_boundary, write_str, write_text,
};

use crate::attachments;

/// The name under which `serde_json::value::RawValue` serialises its text.
pub(crate) const RAW_VALUE: &str = "$serde_json::private::RawValue";
/// The name under which `serde_json::Number` serialises its text when its feature `arbitrary_precision` is on.
const NUMBER: &str = "$serde_json::private::Number";
/// Wrappers (`Some`, newtypes) make no JSON level but do use stack.
const MAX_CALLS: u32 = 2 * MAX_DEPTH;

/// What a `Serialize` implementation said went wrong.
#[derive(Debug)]
pub(crate) struct TapeError(String);

impl fmt::Display for TapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TapeError {}

impl ser::Error for TapeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Done = Result<(), TapeError>;

/// Writes values to a tape.
pub(crate) struct TapeSerializer<'a> {
    buf: &'a mut Vec<u8>,
    /// Where this value must end.
    end: usize,
    depth: u32,
    calls: u32,
    nodes: u32,
    /// The level now open is none: its one field holds JSON text to be taken over.
    raw: bool,
    /// Levels, by depth, that have left the mark of being full.
    full: u128,
}

impl<'a> TapeSerializer<'a> {
    pub(crate) fn new(buf: &'a mut Vec<u8>) -> Self {
        let end = buf.len() + MAX_VALUE;
        Self { buf, end, depth: 0, calls: 0, nodes: 0, raw: false, full: 0 }
    }

    #[inline]
    fn put(&mut self, tag: u8, content: &[u8]) {
        self.nodes += 1;
        self.buf.push(tag);
        self.buf.extend_from_slice(content);
    }

    /// A tag and eight bytes, stored at once.
    #[inline]
    fn put_word(&mut self, tag: u8, word: [u8; 8]) {
        self.nodes += 1;
        let mut value = [tag; 9];
        value[1..].copy_from_slice(&word);
        self.buf.extend_from_slice(&value);
    }

    #[inline]
    fn text(&mut self, text: &str) {
        if text.len() <= self.end.saturating_sub(self.buf.len()) {
            self.nodes += 1;
            write_str(self.buf, text);
        } else {
            self.cut_text(text);
        }
    }

    /// The part of a text that fits.
    #[cold]
    fn cut_text(&mut self, text: &str) {
        let kept = floor_char_boundary(text, self.end.saturating_sub(self.buf.len()));
        self.put(CUT_STR, &(text.len() as u64).to_le_bytes());
        self.buf.extend_from_slice(&(kept as u32).to_le_bytes());
        self.buf.extend_from_slice(&text.as_bytes()[..kept]);
    }

    /// JSON text, taken over as it is where all of it fits.
    #[cold]
    fn raw_text(&mut self, text: &str) {
        if text.len() > self.end.saturating_sub(self.buf.len()) {
            self.cut_text(text);
        } else {
            self.put(RAW, &(text.len() as u32).to_le_bytes());
            self.buf.extend_from_slice(text.as_bytes());
        }
    }

    /// Whether no more values fit.
    #[inline]
    fn is_full(&self) -> bool {
        self.nodes >= MAX_NODES || self.buf.len() >= self.end
    }

    #[cold]
    fn cut(&mut self, reason: &str) {
        self.buf.push(CUT);
        self.buf.extend_from_slice(&(reason.len() as u32).to_le_bytes());
        self.buf.extend_from_slice(reason.as_bytes());
    }

    #[inline]
    fn open(&mut self, tag: u8) -> Level<'_, 'a> {
        self.depth += 1;
        if self.is_skipped() {
            self.cut("nested more than 64 levels deep");
        } else {
            self.full &= !(1 << self.depth);
            self.put(tag, &[]);
        }
        Level(self)
    }

    /// Opens `{"variant": ` and the level inside.
    fn open_variant(&mut self, variant: &'static str, tag: u8) -> Level<'_, 'a> {
        self.put(MAP, &[]);
        self.text(variant);
        self.depth += 1;
        self.open(tag)
    }

    /// Whether the level now open is too deep: nothing inside is written, nor asked for.
    fn is_skipped(&self) -> bool {
        self.depth > MAX_DEPTH
    }

    /// Writes the number of an attachment; the mark that it gives where it found no room is text.
    #[cold]
    fn attachment<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let at = self.buf.len();
        attachments::ask(|| self.inside(value))?;
        if let Some(tag) = self.buf.get_mut(at).filter(|tag| **tag == U64) {
            *tag = ATTACHMENT;
        }
        Ok(())
    }

    /// Serialises what stands inside a wrapper that makes no JSON level.
    fn inside<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        if self.calls >= MAX_CALLS {
            self.cut("nested too deep");
            return Ok(());
        }
        self.calls += 1;
        let done = value.serialize(&mut *self);
        self.calls -= 1;
        done
    }
}

impl<'t, 'a> Serializer for &'t mut TapeSerializer<'a> {
    type Ok = ();
    type Error = TapeError;
    type SerializeSeq = Level<'t, 'a>;
    type SerializeTuple = Level<'t, 'a>;
    type SerializeTupleStruct = Level<'t, 'a>;
    type SerializeTupleVariant = Level<'t, 'a>;
    type SerializeMap = Level<'t, 'a>;
    type SerializeStruct = Level<'t, 'a>;
    type SerializeStructVariant = Level<'t, 'a>;

    #[inline]
    fn serialize_bool(self, v: bool) -> Done {
        self.put(if v { TRUE } else { FALSE }, &[]);
        Ok(())
    }

    #[inline]
    fn serialize_i8(self, v: i8) -> Done {
        self.serialize_i64(v.into())
    }

    #[inline]
    fn serialize_i16(self, v: i16) -> Done {
        self.serialize_i64(v.into())
    }

    #[inline]
    fn serialize_i32(self, v: i32) -> Done {
        self.serialize_i64(v.into())
    }

    #[inline]
    fn serialize_i64(self, v: i64) -> Done {
        self.put_word(I64, v.to_le_bytes());
        Ok(())
    }

    fn serialize_i128(self, v: i128) -> Done {
        match (i64::try_from(v), u64::try_from(v)) {
            (Ok(v), _) => self.serialize_i64(v),
            (_, Ok(v)) => self.serialize_u64(v),
            // JSON readers lose what is longer than 64 bits: text keeps every digit.
            _ => self.collect_str(&v),
        }
    }

    #[inline]
    fn serialize_u8(self, v: u8) -> Done {
        self.serialize_u64(v.into())
    }

    #[inline]
    fn serialize_u16(self, v: u16) -> Done {
        self.serialize_u64(v.into())
    }

    #[inline]
    fn serialize_u32(self, v: u32) -> Done {
        self.serialize_u64(v.into())
    }

    #[inline]
    fn serialize_u64(self, v: u64) -> Done {
        self.put_word(U64, v.to_le_bytes());
        Ok(())
    }

    fn serialize_u128(self, v: u128) -> Done {
        match u64::try_from(v) {
            Ok(v) => self.serialize_u64(v),
            Err(_) => self.collect_str(&v),
        }
    }

    #[inline]
    fn serialize_f32(self, v: f32) -> Done {
        self.put(F32, &v.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, v: f64) -> Done {
        self.put_word(F64, v.to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, v: char) -> Done {
        self.text(v.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    #[inline]
    fn serialize_str(self, v: &str) -> Done {
        if self.raw {
            self.raw_text(v);
        } else {
            self.text(v);
        }
        Ok(())
    }

    fn serialize_bytes(self, v: &[u8]) -> Done {
        // Base64 makes four characters of three bytes.
        let kept = v.len().min(self.end.saturating_sub(self.buf.len()) / 4 * 3);
        self.put(BYTES, &(v.len() as u64).to_le_bytes());
        self.buf.extend_from_slice(&(kept as u32).to_le_bytes());
        self.buf.extend_from_slice(&v[..kept]);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Done {
        self.put(NULL, &[]);
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.inside(value)
    }

    #[inline]
    fn serialize_unit(self) -> Done {
        self.put(NULL, &[]);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Done {
        self.put(NULL, &[]);
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Done {
        self.text(variant);
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Done {
        if name == attachments::NAME { self.attachment(value) } else { self.inside(value) }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        let mut level = self.open(MAP);
        level.entry(variant, value)?;
        level.close(false)
    }

    #[inline]
    fn serialize_seq(self, _len: Option<usize>) -> Result<Level<'t, 'a>, TapeError> {
        Ok(self.open(SEQ))
    }

    #[inline]
    fn serialize_tuple(self, _len: usize) -> Result<Level<'t, 'a>, TapeError> {
        Ok(self.open(SEQ))
    }

    #[inline]
    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Level<'t, 'a>, TapeError> {
        Ok(self.open(SEQ))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Level<'t, 'a>, TapeError> {
        Ok(self.open_variant(variant, SEQ))
    }

    #[inline]
    fn serialize_map(self, _len: Option<usize>) -> Result<Level<'t, 'a>, TapeError> {
        Ok(self.open(MAP))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Level<'t, 'a>, TapeError> {
        if name == RAW_VALUE || name == NUMBER {
            self.raw = true;
            return Ok(Level(self));
        }
        Ok(self.open(MAP))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Level<'t, 'a>, TapeError> {
        Ok(self.open_variant(variant, MAP))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Done {
        let room = self.end.saturating_sub(self.buf.len());
        self.nodes += 1;
        let mut failed = false;
        write_text(self.buf, room, STR, |text| {
            failed = fmt::Write::write_fmt(text, format_args!("{value}")).is_err() && !text.cut;
        });
        if failed { Err(ser::Error::custom("a Display implementation returned an error")) } else { Ok(()) }
    }
}

/// An open sequence or map. All that is known of it stands in the serializer, for levels close in the order in which they
/// opened; a level of two words would be written in parts and moved whole, which costs more than a short value does.
pub(crate) struct Level<'t, 'a>(&'t mut TapeSerializer<'a>);

impl Level<'_, '_> {
    /// Whether one more value may be written; the first refusal leaves a mark.
    #[inline]
    fn admit(&mut self, is_map: bool) -> bool {
        !self.0.is_skipped() && (!self.0.is_full() || self.refuse(is_map))
    }

    /// Marks the level as full, once.
    #[cold]
    fn refuse(&mut self, is_map: bool) -> bool {
        let bit = 1 << self.0.depth;
        if self.0.full & bit == 0 {
            self.0.full |= bit;
            if is_map {
                write_str(self.0.buf, "…");
            }
            self.0.cut("more left out");
        }
        false
    }

    #[inline]
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        if self.admit(false) { value.serialize(&mut *self.0) } else { Ok(()) }
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "where a key is known, writing it is a few stores")]
    fn entry<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        if self.0.raw {
            return value.serialize(&mut *self.0);
        }
        if !self.admit(true) {
            return Ok(());
        }
        self.0.text(key);
        value.serialize(&mut *self.0)
    }

    /// Closes the level, and the object around it where it is a variant's.
    #[inline]
    #[allow(clippy::unnecessary_wraps, reason = "it is the answer of every `end` below")]
    fn close(self, is_variant: bool) -> Done {
        if std::mem::take(&mut self.0.raw) {
            return Ok(());
        }
        if !self.0.is_skipped() {
            self.0.buf.push(END);
        }
        self.0.depth -= 1;
        if is_variant {
            self.0.depth -= 1;
            self.0.buf.push(END);
        }
        Ok(())
    }
}

/// The traits that write values in a row, and those that write named fields, differ in names only.
macro_rules! levels {
    ($($trait:ident :: $method:ident ( $($key:ident)? ) $variant:literal),* $(,)?) => { $(
        impl $trait for Level<'_, '_> {
            type Ok = ();
            type Error = TapeError;

            #[inline(always)]
            #[allow(clippy::inline_always, reason = "where a key is known, writing it is a few stores")]
            fn $method<T: Serialize + ?Sized>(&mut self, $($key: &'static str,)? value: &T) -> Done {
                levels!(@write self, value $(, $key)?)
            }

            #[inline]
            fn end(self) -> Done {
                self.close($variant)
            }
        }
    )* };
    (@write $self:ident, $value:ident) => { $self.value($value) };
    (@write $self:ident, $value:ident, $key:ident) => { $self.entry($key, $value) };
}

levels! {
    SerializeSeq::serialize_element() false,
    SerializeTuple::serialize_element() false,
    SerializeTupleStruct::serialize_field() false,
    SerializeTupleVariant::serialize_field() true,
    SerializeStruct::serialize_field(key) false,
    SerializeStructVariant::serialize_field(key) true,
}

impl SerializeMap for Level<'_, '_> {
    type Ok = ();
    type Error = TapeError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        if self.admit(true) { key.serialize(&mut *self.0) } else { Ok(()) }
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        // A key that was written needs its value, even when the room ended between the two.
        let refused = self.0.is_skipped() || self.0.full & (1 << self.0.depth) != 0;
        if refused { Ok(()) } else { value.serialize(&mut *self.0) }
    }

    fn end(self) -> Done {
        self.close(false)
    }
}
