//! What is said of a backend before it is used: its key, and what was wrong with what was said.

use std::fmt;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

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

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as a header, behind a prefix such as `Bearer `.
    pub(crate) fn header(&self, prefix: &str, name: &'static str) -> Result<HeaderValue, ConfigError> {
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.0))
            .map_err(|_| ConfigError::new(format!("{name} holds a character that no header may have")))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Adds a header whose value is shown nowhere.
pub(crate) fn add_header(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), ConfigError> {
    let wrong = || ConfigError::new(format!("{name:?} and its value cannot be a header"));
    let header = HeaderName::try_from(name).map_err(|_| wrong())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
    value.set_sensitive(true);
    headers.insert(header, value);
    Ok(())
}

/// The value of a header, which may be a key.
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[value]")
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
