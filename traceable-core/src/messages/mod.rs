//! The message normaliser: turns what a run was called with and what it answered into roles and parts.
//!
//! Every provider writes a conversation in a shape of its own. This is the one place that knows these shapes;
//! exporters, store, viewer and console read [`Message`]s and [`Usage`](crate::model::Usage) from here.
//!
//! - [`input_messages`] reads a run's inputs, [`output_messages`] its outputs, [`usage`] the token counters.
//! - [`preview_input`] and [`preview_output`] make one line of them.
//!
//! All functions are pure and take any JSON: a shape that nobody knows gives an empty list or `None`, never an
//! error. They look a fixed number of levels deep and take time linear in the size of the value.
//!
//! ```
//! use serde_json::json;
//! use traceable_core::messages::{Role, input_messages, output_messages, usage};
//!
//! let inputs = json!({ "messages": [{ "role": "user", "content": "I'd like to book a table for two." }] });
//! let outputs = json!({
//!     "choices": [{ "message": { "role": "assistant", "content": "Sure, for what time?" } }],
//!     "usage": { "prompt_tokens": 27, "completion_tokens": 13, "total_tokens": 40 },
//! });
//! assert_eq!(input_messages(&inputs)[0].role, Role::User);
//! assert_eq!(output_messages(&outputs)[0].text(), "Sure, for what time?");
//! assert_eq!(usage(&outputs).and_then(|u| u.total_tokens), Some(40));
//! ```

mod content;
mod find;
mod media;
mod message;
mod preview;
mod stream;
#[cfg(test)]
mod tests;
mod turn;
mod usage;

use serde_json::Value;

pub use find::{input_messages, output_messages};
pub use message::{Message, Part, Role};
pub use preview::{preview_input, preview_output, told};
pub use usage::{usage, usage_in_metadata};

/// The first of `keys` that holds something.
fn first<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().find_map(|key| value.get(key).filter(|v| !v.is_null()))
}

/// The first of `keys` that holds an object.
fn object<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().find_map(|key| value.get(key).filter(|v| v.is_object()))
}

/// The first of `keys` that holds a string.
fn text<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| value.get(key).and_then(Value::as_str))
}

/// As [`text`], owned.
fn string(value: &Value, keys: &[&str]) -> Option<String> {
    text(value, keys).map(str::to_owned)
}

/// The list under `key`; an empty one when there is none.
fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
