//! JSON as text, which Adaline's contents are made of.

use std::fmt;

use crate::{Json, Record};

/// A text that is JSON: of a value, or checked.
///
/// Without the feature `enable` nothing is written or checked: a value's text is `null`, and any text is taken.
///
/// ```
/// use serde_json::json;
/// use traceable::adaline::ContentJson;
///
/// let input = ContentJson::of(&json!([{ "role": "user", "content": "Hello" }]));
/// let output = ContentJson::try_from(r#"{"role":"assistant","content":"Hi!"}"#)?;
/// let error = ContentJson::try_from("Hi!").unwrap_err();
/// assert_eq!(error.to_string(), r#"not JSON: expected value at line 1 column 1 in "Hi!""#);
/// # Ok::<(), traceable::adaline::NotJson>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentJson(pub(super) Json);

impl ContentJson {
    /// The JSON of a value, as a traced function's argument is written.
    pub fn of<T: Record + ?Sized>(value: &T) -> Self {
        Self(Json::of(value))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for ContentJson {
    type Error = NotJson;

    fn try_from(text: String) -> Result<Self, NotJson> {
        let begin: String = text.chars().take(SHOWN).collect();
        let cut = begin.len() < text.len();
        Json::parse(text).map(Self).map_err(|error| NotJson { begin, cut, said: error.to_string() })
    }
}

impl TryFrom<&str> for ContentJson {
    type Error = NotJson;

    fn try_from(text: &str) -> Result<Self, NotJson> {
        Self::try_from(text.to_owned())
    }
}

impl fmt::Display for ContentJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Characters of a text that its error shows.
const SHOWN: usize = 40;

/// A text that is not JSON. Says where it stops being JSON, and how it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotJson {
    said: String,
    begin: String,
    cut: bool,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not JSON: {} in {:?}{}", self.said, self.begin, if self.cut { "…" } else { "" })
    }
}

impl std::error::Error for NotJson {}
