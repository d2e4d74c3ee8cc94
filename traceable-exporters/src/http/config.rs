//! What is said of a backend before it is used: its key, and what was wrong with what was said.

use std::fmt;

use reqwest::header::HeaderValue;

/// A key or a token. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Takes the text, without the blanks around it that come along when a key is copied.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim().to_owned())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key as a header, behind a prefix such as `Bearer `.
    pub(crate) fn header(&self, prefix: &str, name: &'static str) -> Result<HeaderValue, ConfigError> {
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.0))
            .map_err(|_| ConfigError::new(format!("{name} holds a character that no header may have")))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// A text of somebody else's, without the key in it.
    pub(crate) fn mask(&self, text: &str) -> String {
        // A very short key would be found everywhere.
        if self.0.len() < 4 { text.to_owned() } else { text.replace(&self.0, "[key]") }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

/// Why a backend cannot be used as it was described, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl From<ConfigError> for std::io::Error {
    fn from(error: ConfigError) -> Self {
        Self::new(std::io::ErrorKind::InvalidInput, error)
    }
}
