//! The tape against `serde_json`, and against values that mean harm.
#![allow(
    clippy::zero_sized_map_values,
    clippy::items_after_statements,
    clippy::unwrap_used,
    clippy::uninlined_format_args
)]

use std::{cell::RefCell, collections::BTreeMap, fmt, rc::Rc};

use proptest::prelude::*;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};

use super::{json::TapeReader, *};

fn text<T: Serialize + ?Sized>(value: &T) -> String {
    let mut tape = Vec::new();
    write_serialize(&mut tape, value);
    read(&tape)
}

fn debug_text<T: fmt::Debug>(value: &T) -> String {
    let mut tape = Vec::new();
    write_debug(&mut tape, value);
    read(&tape)
}

/// The tape as JSON; it must hold exactly one value.
fn read(tape: &[u8]) -> String {
    let mut skipped = TapeReader::new(tape);
    skipped.value().unwrap();
    assert!(skipped.is_empty());
    TapeReader::new(tape).json().unwrap()
}

#[derive(Debug, Clone, Serialize)]
struct Unit;

#[derive(Debug, Clone, Serialize)]
struct Wrapper(i64);

#[derive(Debug, Clone, Serialize)]
struct Pair(String, f64);

#[derive(Debug, Clone, Serialize)]
enum Shape {
    Nothing,
    New(Box<Thing>),
    Tuple(i8, u64),
    Struct { a: char, b: Option<bool> },
}

#[derive(Debug, Clone, Serialize)]
struct Thing {
    float: f64,
    short: f32,
    int: i64,
    natural: u64,
    text: String,
    list: Vec<i32>,
    by_text: BTreeMap<String, Option<i16>>,
    by_int: BTreeMap<i64, bool>,
    by_char: BTreeMap<char, ()>,
    wrapper: Wrapper,
    pair: Pair,
    unit: Unit,
    small: i128,
    #[serde(skip_serializing_if = "Option::is_none")]
    maybe: Option<Box<Shape>>,
}

fn thing() -> impl Strategy<Value = Thing> {
    let leaf = (
        any::<f64>().prop_filter("JSON has no other floats", |f| f.is_finite()),
        any::<f32>().prop_filter("JSON has no other floats", |f| f.is_finite()),
        any::<(i64, u64, char, Option<bool>)>(),
        prop_oneof![any::<String>(), "[ -~\"\\\\\\n\\t\u{0}-\u{1f}é😀]{0,80}"],
        prop::collection::vec(any::<i32>(), 0..6),
        prop::collection::btree_map(any::<String>(), any::<Option<i16>>(), 0..4),
        prop::collection::btree_map(any::<i64>(), any::<bool>(), 0..4),
        prop::collection::btree_map(any::<char>(), Just(()), 0..4),
    )
        .prop_map(|(float, short, (int, natural, c, b), text, list, by_text, by_int, by_char)| Thing {
            float,
            short,
            int,
            natural,
            pair: Pair(text.clone(), float),
            text,
            list,
            by_text,
            by_int,
            by_char,
            wrapper: Wrapper(int),
            unit: Unit,
            small: i128::from(natural),
            maybe: Some(Box::new(match int.rem_euclid(3) {
                0 => Shape::Nothing,
                1 => Shape::Struct { a: c, b },
                _ => Shape::Tuple(int as i8, natural),
            })),
        });
    leaf.prop_recursive(4, 8, 1, |inner| {
        (inner.clone(), inner).prop_map(|(mut outer, inner)| {
            outer.maybe = Some(Box::new(Shape::New(Box::new(inner))));
            outer
        })
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_is_written_as_serde_json_writes_it(thing in thing()) {
        prop_assert_eq!(text(&thing), serde_json::to_string(&thing).unwrap());
    }

    #[test]
    fn json_values_come_back_as_they_were(value in any_json()) {
        prop_assert_eq!(text(&value), serde_json::to_string(&value).unwrap());
    }

    #[test]
    fn raw_values_are_taken_over(value in any_json()) {
        let raw = serde_json::value::to_raw_value(&value).unwrap();
        prop_assert_eq!(text(&BTreeMap::from([("raw", raw)])), json!({ "raw": value }).to_string());
    }

    #[test]
    fn text_is_escaped_as_serde_json_escapes_it(
        parts in prop::collection::vec("[a-zé😀]{0,90}[ -~]{0,30}[\"\\\\\u{0}-\u{1f}]{0,4}", 0..9),
    ) {
        let text = parts.concat();
        let mut out = Vec::new();
        super::json::escape(text.as_bytes(), &mut out);
        prop_assert_eq!(format!("\"{}\"", String::from_utf8(out).unwrap()), serde_json::to_string(&text).unwrap());
    }

    #[test]
    fn debug_text_is_kept_whole_when_it_is_short(text in "\\PC{0,200}") {
        let value: Value = serde_json::from_str(&debug_text(&text)).unwrap();
        prop_assert_eq!(&value["$debug"], &json!(format!("{text:?}")));
    }

    /// Whatever bytes stand where a tape should, reading neither panics nor hangs.
    #[test]
    fn garbage_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = TapeReader::new(&bytes).json();
        let _ = TapeReader::new(&bytes).value();
        crate::record::Items::new(&bytes).for_each(drop);
        let _ = crate::record::parse(&bytes);
    }
}

/// The values that `serde_json` writes otherwise, or not at all.
#[test]
fn what_json_has_no_place_for() {
    assert_eq!(text(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]), r#"["NaN","Infinity","-Infinity"]"#);
    assert_eq!(text(&[f32::NAN, f32::INFINITY]), r#"["NaN","Infinity"]"#);
    assert_eq!(text(&u128::MAX), r#""340282366920938463463374607431768211455""#);
    assert_eq!(text(&i128::MIN), r#""-170141183460469231731687303715884105728""#);
    struct Bytes;
    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            s.serialize_bytes(b"hello")
        }
    }
    assert_eq!(text(&Bytes), r#"{"$bytes":"aGVsbG8=","length":5}"#);
    assert_eq!(text(&BTreeMap::from([((1, "a"), true)])), r#"{"[1,\"a\"]":true}"#);
    assert_eq!(text(&BTreeMap::from([(None::<u8>, 1), (Some(2), 3)])), r#"{"null":1,"2":3}"#);
    assert_eq!(text("a\0b"), r#""a\u0000b""#);
}

struct Cyclic(RefCell<Option<Rc<Cyclic>>>);

impl Serialize for Cyclic {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(Some(1))?;
        map.serialize_entry("next", &self.0.borrow().as_deref())?;
        map.end()
    }
}

impl fmt::Debug for Cyclic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("C").field(&self.0.borrow()).finish()
    }
}

/// Runs on the stack that async runtimes give their workers.
fn on_a_worker(f: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(f).unwrap().join().unwrap();
}

#[test]
fn a_cyclic_value_ends_at_the_depth_cap() {
    on_a_worker(|| {
        let value = Rc::new(Cyclic(RefCell::new(None)));
        *value.0.borrow_mut() = Some(Rc::clone(&value));
        let json = text(&*value);
        assert!(json.contains("nested more than 64 levels deep"), "{json}");
        serde_json::from_str::<Value>(&json).unwrap();
        let json = debug_text(&value);
        assert!(json.len() < 16 << 10 && json.contains("[cut]"), "{json}");
        value.0.borrow_mut().take();
    });
}

struct Deep(Option<Box<Deep>>);

impl Deep {
    fn new(levels: usize) -> Self {
        (0..levels).fold(Self(None), |inner, _| Self(Some(Box::new(inner))))
    }
}

impl Serialize for Deep {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_newtype_struct("Deep", &self.0)
    }
}

impl fmt::Debug for Deep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

impl Drop for Deep {
    fn drop(&mut self) {
        let mut inner = self.0.take();
        while let Some(mut next) = inner {
            inner = next.0.take();
        }
    }
}

#[test]
fn a_value_50_000_levels_deep_does_not_end_the_stack() {
    on_a_worker(|| {
        let value = Deep::new(50_000);
        assert!(text(&value).contains("nested too deep"));
        assert!(debug_text(&value).contains("[cut]"));
        let mut list = json!(1);
        for _ in 0..1_000 {
            list = json!([list]);
        }
        let json = text(&list);
        serde_json::from_str::<Value>(&json).unwrap();
        assert!(json.contains("nested more than 64 levels deep"));
    });
}

#[test]
fn values_that_fail_leave_a_mark() {
    struct Fails;
    impl Serialize for Fails {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            let mut map = s.serialize_map(None)?;
            map.serialize_entry("partial", &1)?;
            Err(serde::ser::Error::custom("the lock is poisoned"))
        }
    }
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("on purpose, in a test")
        }
    }
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("on purpose, in a test")
        }
    }
    assert_eq!(text(&Fails), r#"{"$error":"the lock is poisoned"}"#);
    assert_eq!(text(&Panics), r#"{"$unserializable":"panic"}"#);
    assert_eq!(debug_text(&Panics), r#"{"$unserializable":"panic"}"#);
    assert_eq!(text(&RefCell::new(1)), "1");
}

#[test]
fn long_values_are_cut_with_a_mark() {
    let long = "ü".repeat(50 << 20);
    let json = text(&long);
    assert!(json.len() < (1 << 20) + 200);
    assert!(
        json.ends_with(&format!("… [cut: {} of {} bytes kept]\"", 1 << 20, 100 << 20)),
        "{}",
        &json[json.len() - 80..]
    );
    let json = text(&vec![7; 1_000_000]);
    let list: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(list.len(), MAX_NODES as usize);
    assert_eq!(list.last().unwrap(), "… [more left out]");
    let map: BTreeMap<u32, u32> = (0..1_000_000).map(|i| (i, i)).collect();
    let json: Value = serde_json::from_str(&text(&map)).unwrap();
    assert_eq!(json["…"], "… [more left out]");
    let mut tape = Vec::new();
    write_debug(&mut tape, &long);
    assert!(read(&tape).len() < 10 << 10);
    let mut bytes = Vec::new();
    serde_json::to_writer(&mut bytes, &json).unwrap();
    assert!(text(&serde_bytes(&vec![0; 4 << 20])).len() < (1 << 20) + 200);
}

/// A value that serialises as bytes.
fn serde_bytes(bytes: &[u8]) -> impl Serialize + '_ {
    struct Bytes<'a>(&'a [u8]);
    impl Serialize for Bytes<'_> {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            s.serialize_bytes(self.0)
        }
    }
    Bytes(bytes)
}

#[test]
fn an_error_that_panics_while_it_is_written_leaves_a_mark() {
    struct Panics;
    impl fmt::Display for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("on purpose, in a test")
        }
    }
    let mut tape = Vec::new();
    write_error_text(&mut tape, |out| write!(out, "{}", Panics));
    assert_eq!(read(&tape), r#""(the error's text could not be written: it panicked)""#);
}
