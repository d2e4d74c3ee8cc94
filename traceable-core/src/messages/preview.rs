//! One line of a conversation, for lists and terminals.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Message, Part, Role};

/// One line of what a model was asked: the last message of the user's that has text, else the last message.
///
/// ```
/// use traceable_core::messages::{Message, Role, preview_input};
///
/// let messages = [Message::with_text(Role::User, "I'd like to book\na table for two.")];
/// assert_eq!(preview_input(&messages, 17).as_deref(), Some("I'd like to book…"));
/// assert_eq!(preview_input(&[], 80), None);
/// ```
#[must_use]
pub fn preview_input(messages: &[Message], max_chars: usize) -> Option<String> {
    let asked = messages.iter().rev().find(|m| m.role == Role::User && !m.text().is_empty());
    asked.and_then(|m| m.preview(max_chars)).or_else(|| last(messages, max_chars))
}

/// One line of what a model answered: its last message's text, else its tool calls.
///
/// ```
/// use serde_json::json;
/// use traceable_core::messages::{output_messages, preview_output};
///
/// let call = json!({ "name": "book", "arguments": "{\"seats\":2}" });
/// let reply = json!({ "message": { "role": "assistant", "tool_calls": [{ "id": "1", "function": call }] } });
/// assert_eq!(preview_output(&output_messages(&reply), 80).as_deref(), Some(r#"book({"seats":2})"#));
/// ```
#[must_use]
pub fn preview_output(messages: &[Message], max_chars: usize) -> Option<String> {
    last(messages, max_chars)
}

/// Under which names programs have what a person wrote or is to read, beside other values.
const TOLD: &[&str] =
    &["question", "query", "input", "prompt", "message", "answer", "output", "response", "result", "text", "content"];

/// Of several values that are no conversation, the text that is for people, by its name.
///
/// ```
/// use serde_json::json;
/// use traceable_core::messages::told;
///
/// let asked = json!({ "number": 1044, "question": "Where is it?" });
/// assert_eq!(told(asked.as_object().unwrap()), Some("Where is it?"));
/// ```
#[must_use]
pub fn told(values: &Map<String, Value>) -> Option<&str> {
    let text = TOLD.iter().find_map(|name| values.get(*name)?.as_str());
    text.filter(|text| !text.trim().is_empty())
}

fn last(messages: &[Message], max_chars: usize) -> Option<String> {
    messages.iter().rev().find_map(|m| m.preview(max_chars))
}

impl Message {
    /// The message on one line of at most `max_chars` characters; `None` when there is nothing to show.
    ///
    /// Thoughts are shown only when there is nothing else. Line breaks and control characters become spaces, so that
    /// the line is safe to print to a terminal.
    #[must_use]
    pub fn preview(&self, max_chars: usize) -> Option<String> {
        let is_thought = |part: &&Part| matches!(part, Part::Reasoning { .. });
        let said = self.parts.iter().filter(|part| !is_thought(part));
        let line = one_line(said.map(glance), max_chars);
        line.or_else(|| one_line(self.parts.iter().filter(is_thought).map(glance), max_chars))
    }
}

/// What to show of a part.
fn glance(part: &Part) -> Cow<'_, str> {
    match part {
        Part::Text { content } | Part::Reasoning { content } | Part::Refusal { content } => content.into(),
        Part::ToolCall { name, arguments, .. } if arguments.is_null() => format!("{name}()").into(),
        Part::ToolCall { name, arguments, .. } => format!("{name}({arguments})").into(),
        Part::ToolResult { response, .. } => match response.as_str() {
            Some(text) => text.into(),
            None if response.is_null() => "".into(),
            None => response.to_string().into(),
        },
        Part::Blob { modality, .. } | Part::Uri { modality, .. } | Part::File { modality, .. } => {
            format!("[{modality}]").into()
        }
        Part::Other { value } => match value.get("type").and_then(|kind| kind.as_str()) {
            Some(kind) => format!("[{kind}]").into(),
            None => "[…]".into(),
        },
    }
}

/// The words of the texts with single spaces between, cut to `max_chars`. Reads no further than it shows.
fn one_line<'a>(texts: impl Iterator<Item = Cow<'a, str>>, max_chars: usize) -> Option<String> {
    let mut line = String::new();
    let (mut chars, mut space) = (0, false);
    for text in texts {
        line.reserve(text.len().min(max_chars));
        for c in text.chars() {
            // Most are, and the tables of Unicode take their time.
            if !c.is_ascii_graphic() && (c.is_whitespace() || is_unprintable(c)) {
                space = chars > 0;
                continue;
            }
            let wanted = chars + usize::from(space) + 1;
            if wanted > max_chars {
                return cut(line, chars, max_chars);
            }
            if std::mem::take(&mut space) {
                line.push(' ');
            }
            line.push(c);
            chars = wanted;
        }
        space = chars > 0;
    }
    (chars > 0).then_some(line)
}

/// Ends a line that goes on with an ellipsis inside its limit.
fn cut(mut line: String, chars: usize, max_chars: usize) -> Option<String> {
    if chars >= max_chars {
        line.pop();
    }
    let keep = line.trim_end().len();
    line.truncate(keep);
    line.push('…');
    (max_chars > 0).then_some(line)
}

/// Control characters, and those that turn the direction of the text around.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
