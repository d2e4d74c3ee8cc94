//! The attributes of a span, to be taken by name: what nobody has taken is metadata.

use std::{collections::BTreeMap, fmt::Write as _};

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use serde_json::{Map, Number, Value};

use crate::otlp::view;

/// Attributes by their names. Of several with one name, the first is kept.
#[derive(Debug, Clone, Default)]
pub(in crate::otlp) struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    pub(in crate::otlp) fn of(pairs: Vec<KeyValue>) -> Self {
        let mut all = BTreeMap::new();
        for KeyValue { key, value, .. } in pairs {
            all.entry(key).or_insert_with(|| any(value));
        }
        Self(all)
    }

    /// A value that says something: no `null` and no empty text, which some SDKs write for what is not known.
    pub(in crate::otlp) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    pub(in crate::otlp) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(in crate::otlp) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Takes all of these; answers the first that says something and that `read` can read.
    fn first<T>(&mut self, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let found = names.iter().find_map(|name| self.get(name).and_then(&read));
        for name in names {
            self.0.remove(*name);
        }
        found
    }

    pub(in crate::otlp) fn text(&mut self, names: &[&str]) -> Option<String> {
        self.first(names, |value| Some(view::text(value).into_owned()))
    }

    /// A text that stands alone under one name, also an empty one.
    pub(in crate::otlp) fn exact_text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name)? {
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    pub(in crate::otlp) fn count(&mut self, names: &[&str]) -> Option<u64> {
        self.first(names, |value| match value {
            Value::String(text) => text.parse().ok(),
            value => view::int(value).and_then(|count| count.try_into().ok()),
        })
    }

    pub(in crate::otlp) fn double(&mut self, names: &[&str]) -> Option<f64> {
        self.first(names, |value| value.as_f64().or_else(|| value.as_str()?.parse().ok()))
    }

    pub(in crate::otlp) fn bool(&mut self, names: &[&str]) -> Option<bool> {
        self.first(names, |value| value.as_bool().or_else(|| value.as_str()?.parse().ok()))
    }

    /// Takes a value that is JSON as text, or structured already.
    pub(in crate::otlp) fn json(&mut self, name: &str) -> Option<Value> {
        match self.get(name)? {
            Value::String(text) => {
                let parsed = serde_json::from_str(text).ok()?;
                self.0.remove(name);
                Some(parsed)
            }
            _ => self.0.remove(name),
        }
    }

    /// Takes all whose name begins so; answers them by what follows.
    pub(in crate::otlp) fn below(&mut self, prefix: &str) -> Vec<(String, Value)> {
        let names = self.0.range(prefix.to_owned()..).map(|(name, _)| name);
        let names: Vec<_> = names.take_while(|name| name.starts_with(prefix)).cloned().collect();
        let taken = names.into_iter().filter_map(|name| Some((name[prefix.len()..].to_owned(), self.0.remove(&name)?)));
        taken.collect()
    }

    /// What nobody has taken.
    pub(in crate::otlp) fn left(self) -> impl Iterator<Item = (String, Value)> {
        self.0.into_iter()
    }
}

/// A value as JSON. What has no place there is text: numbers that are none, and bytes, in hexadecimal digits.
fn any(value: Option<AnyValue>) -> Value {
    match value.and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => Value::String(text),
        Some(any_value::Value::BoolValue(yes)) => Value::Bool(yes),
        Some(any_value::Value::IntValue(int)) => int.into(),
        Some(any_value::Value::DoubleValue(number)) => {
            Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number)
        }
        Some(any_value::Value::ArrayValue(list)) => list.values.into_iter().map(|value| any(Some(value))).collect(),
        Some(any_value::Value::KvlistValue(pairs)) => {
            let members = pairs.values.into_iter().map(|KeyValue { key, value, .. }| (key, any(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Some(any_value::Value::BytesValue(bytes)) => {
            let digits = bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
                // A text takes whatever is written to it.
                let _ = write!(digits, "{byte:02x}");
                digits
            });
            digits.into()
        }
        // A reference into a table of texts, which only profiles have, is none.
        _ => Value::Null,
    }
}
