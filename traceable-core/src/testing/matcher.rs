//! Placeholders for the parts of a value that a test leaves open.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A placeholder in an expected value: made by [`any`], [`containing`] and [`partial`].
///
/// It can stand in the place of a whole value, and anywhere in one that [`json!`](super::json) makes.
#[derive(Debug, Clone, Serialize)]
pub struct Matcher {
    /// Placeholders travel inside of JSON, under a key that no program uses.
    #[serde(rename = "$traceable::testing")]
    part: Part,
}

/// The key of [`Matcher`].
const KEY: &str = "$traceable::testing";

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Part {
    Any,
    Containing(String),
    Partial(Value),
}

/// Any value, where there is one: the time, an id, a model's words.
#[must_use]
pub fn any() -> Matcher {
    Matcher { part: Part::Any }
}

/// A text that has this text in it.
#[must_use]
pub fn containing(text: impl Into<String>) -> Matcher {
    Matcher { part: Part::Containing(text.into()) }
}

/// An object that has at least these keys with these values, and so on for the objects inside.
///
/// A list still has as many items as this one.
#[must_use]
pub fn partial(value: impl Serialize) -> Matcher {
    Matcher { part: Part::Partial(to_value(value)) }
}

impl Part {
    fn of(value: &Value) -> Option<Self> {
        value.get(KEY).and_then(|part| Self::deserialize(part).ok())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("[any]"),
            Self::Containing(text) => write!(f, "[containing {text:?}]"),
            Self::Partial(value) => write!(f, "[partial {value}]"),
        }
    }
}

/// A value as it is captured. By way of text, as captured values come: an `f32` is a shorter number there.
pub(super) fn to_value(value: impl Serialize) -> Value {
    let json = serde_json::to_string(&value).and_then(|text| serde_json::from_str(&text));
    json.unwrap_or_else(|error| panic!("the expected value is no JSON: {error}"))
}

/// What was expected, with the actual values in the place of those placeholders that they satisfy: equal to what is
/// actual if, and only if, that is as expected. What is left is what there is to show.
pub(super) fn resolve(expected: &Value, actual: Option<&Value>) -> Value {
    resolve_part(expected, actual, false)
}

fn resolve_part(expected: &Value, actual: Option<&Value>, partial: bool) -> Value {
    match (Part::of(expected), actual) {
        (Some(Part::Any), Some(actual)) => return actual.clone(),
        (Some(Part::Containing(text)), Some(Value::String(actual))) if actual.contains(&text) => {
            return Value::from(actual.as_str());
        }
        (Some(Part::Partial(expected)), actual) => return resolve_part(&expected, actual, true),
        (Some(part), _) => return Value::from(part.to_string()),
        (None, _) => {}
    }
    match expected {
        Value::Object(expected) => {
            let actual = actual.and_then(Value::as_object).map_or_else(Cow::default, Cow::Borrowed);
            Value::Object(resolve_object(expected, &actual, partial))
        }
        Value::Array(expected) => {
            let actual = |at: usize| actual.and_then(|actual| actual.get(at));
            expected.iter().enumerate().map(|(at, item)| resolve_part(item, actual(at), partial)).collect()
        }
        expected => expected.clone(),
    }
}

/// In the order of the actual keys, so that the two differ by their contents only.
fn resolve_object(expected: &Map<String, Value>, actual: &Map<String, Value>, partial: bool) -> Map<String, Value> {
    let mut resolved = Map::new();
    for (key, actual) in actual {
        if let Some(expected) = expected.get(key) {
            resolved.insert(key.clone(), resolve_part(expected, Some(actual), partial));
        } else if partial {
            resolved.insert(key.clone(), actual.clone());
        }
    }
    for (key, expected) in expected.iter().filter(|(key, _)| !actual.contains_key(*key)) {
        resolved.insert(key.clone(), resolve_part(expected, None, partial));
    }
    resolved
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::{btree_map, vec},
        prelude::{Just, Strategy, prop_assert, prop_assert_eq},
        prop_oneof, proptest,
    };
    use serde_json::json;

    use super::*;

    fn fits(expected: impl Serialize, actual: &Value) -> bool {
        resolve(&to_value(expected), Some(actual)) == *actual
    }

    #[test]
    fn placeholders_leave_open_what_they_say() {
        let actual = json!({ "role": "assistant", "content": "It is Paris.", "meta": { "id": 7, "n": null } });
        assert!(fits(any(), &actual));
        assert!(fits(partial(json!({ "role": "assistant" })), &actual));
        assert!(fits(partial(json!({ "meta": { "id": any() } })), &actual), "partial goes on inside");
        assert!(fits(partial(json!({ "meta": { "n": any() } })), &actual), "null is a value");
        assert!(fits(json!({ "role": any(), "content": containing("Paris"), "meta": partial(json!({})) }), &actual));

        assert!(!fits(json!({ "role": any(), "content": any() }), &actual), "a key too much");
        assert!(!fits(partial(json!({ "user": any() })), &actual), "a key that is not there");
        assert!(!fits(partial(json!({ "content": containing("Rome") })), &actual));
        assert!(!fits(partial(json!({ "meta": { "id": containing("7") } })), &actual), "a number is no text");
        assert!(!fits(partial(json!([])), &actual));
    }

    #[test]
    fn a_list_has_its_length() {
        let actual = json!([{ "a": 1, "b": 2 }, { "a": 3 }]);
        assert!(fits(partial(json!([{ "a": 1 }, { "a": any() }])), &actual));
        assert!(!fits(json!([{ "a": 1 }, { "a": 3 }]), &actual));
        assert!(!fits(partial(json!([{ "a": 1 }])), &actual));
        assert!(!fits(partial(json!([{ "a": 1 }, { "a": 3 }, any()])), &actual));
        assert!(fits(0.1_f32, &json!(0.1)));
    }

    #[test]
    fn what_does_not_fit_is_all_that_differs() {
        let expected = to_value(json!({ "id": any(), "text": containing("tea"), "n": 1 }));
        let resolved = resolve(&expected, Some(&json!({ "id": 5, "text": "coffee", "n": 1, "x": 0 })));
        assert_eq!(resolved, json!({ "id": 5, "text": "[containing \"tea\"]", "n": 1 }));
        assert_eq!(resolve(&to_value(any()), None), json!("[any]"));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            proptest::bool::ANY.prop_map(Value::from),
            (-1..2_i64).prop_map(Value::from),
            "[a-c]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..3).prop_map(Value::from),
                btree_map("[a-c]", inner, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn without_placeholders_it_is_equality(expected in values(), actual in values()) {
            prop_assert!(fits(&expected, &expected));
            prop_assert_eq!(fits(&expected, &actual), expected == actual);
        }
    }
}
