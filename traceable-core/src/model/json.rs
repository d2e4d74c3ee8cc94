//! A JSON document kept as text: captured once, copied to every exporter without being parsed again.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use serde_json::{Value, value::RawValue};

use crate::tape::{self, json::TapeReader, serializer::RAW_VALUE};

/// A JSON value as text.
///
/// ```
/// use traceable_core::model::Json;
///
/// let json = Json::from_value(&serde_json::json!({ "prompt": "hello" }));
/// assert_eq!(json.as_str(), r#"{"prompt":"hello"}"#);
/// assert_eq!(json.to_value()["prompt"], "hello");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Cow<'static, str>);

impl Json {
    /// Takes text that the tape writer made, which is JSON by construction.
    pub(crate) fn from_written(text: String) -> Self {
        Self(Cow::Owned(text))
    }

    /// A value as the capture writes an argument: what fails or goes too deep leaves a mark in its place.
    ///
    /// ```
    /// use traceable_core::model::Json;
    ///
    /// assert_eq!(Json::of(&["Paris", "Rome"]).as_str(), r#"["Paris","Rome"]"#);
    /// ```
    #[must_use]
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        let mut tape = Vec::new();
        tape::write_serialize(&mut tape, value);
        TapeReader::new(&tape).json().map_or(Self::null(), Self::from_written)
    }

    /// Checks that `text` is one JSON value and takes it as it is.
    ///
    /// # Errors
    ///
    /// When the text is not JSON; the error says where.
    pub fn parse(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        let text = text.into();
        serde_json::from_str::<&RawValue>(&text)?;
        Ok(Self(Cow::Owned(text)))
    }

    /// The text of a value.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        Self(Cow::Owned(value.to_string()))
    }

    /// `null`.
    #[must_use]
    pub const fn null() -> Self {
        Self(Cow::Borrowed("null"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, without a copy where it is owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0.into_owned()
    }

    /// Whether the value is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.trim_ascii_start().starts_with('{')
    }

    /// The value, parsed. `null` should the text be nested too deeply to be parsed, which captured values never are.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // As a `RawValue` does, of which there is none to be had of text but by reading it through once more.
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, &*self.0)?;
        raw.end()
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(Cow::Owned(String::from(Box::<str>::from(raw)))))
    }
}
