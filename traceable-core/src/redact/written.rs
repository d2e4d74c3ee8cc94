//! The rules of a redaction as text. They stand beside what was recorded for a destination, so that whoever sends it later
//! keeps to them.

use serde::{Deserialize, Serialize};

/// What is redacted beside credentials, as it is written down.
///
/// A reader that does not know all of it must not send what it is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub struct Written {
    /// E-mail addresses.
    pub emails: bool,
    /// Numbers of payment cards.
    pub cards: bool,
    /// Numbers of the social security of the United States.
    pub ssns: bool,
    /// Regular expressions.
    pub patterns: Vec<String>,
    /// Names of secrets.
    pub keys: Vec<String>,
    /// Whether there is code as well, which only the program has.
    pub has_callback: bool,
}
