//! What a run was asked and what it answered, in a few words.
//!
//! Conversations are read by the one normaliser of the project; [`of_inputs`] and [`of_outputs`] are all that the rest
//! of the console calls.

use serde_json::Value;
use traceable_core::{
    messages::{Message, input_messages, output_messages, preview_input, preview_output, told},
    model::Json,
};

use super::text;

/// The most columns that are kept of a value; more never fits a line.
const KEPT: usize = 240;

/// How far objects with one field are looked into.
const DEPTH: usize = 4;

/// A value in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Preview {
    text: String,
    quoted: bool,
}

impl Preview {
    fn quoted(text: &str) -> Self {
        Self { text: text::clean(text, KEPT), quoted: true }
    }

    fn bare(text: &str) -> Self {
        Self { text: text::clean(text, KEPT), quoted: false }
    }

    /// The columns that it takes in full.
    pub(super) fn width(&self) -> usize {
        text::width(&self.text) + if self.quoted { 2 } else { 0 }
    }

    /// The preview in at most `max` columns; the closing quotation mark stays.
    pub(super) fn fit(&self, max: usize) -> String {
        if self.quoted {
            format!("\"{}\"", text::fit(&self.text, max.saturating_sub(2)))
        } else {
            text::fit(&self.text, max).into_owned()
        }
    }
}

/// The question in a run's inputs: what the model was asked, the only argument, or all as JSON.
pub(super) fn of_inputs(inputs: &Json) -> Option<Preview> {
    let value = inputs.to_value();
    let messages = input_messages(&value);
    said(&messages, preview_input(&messages, KEPT)).or_else(|| plain(&value, inputs.as_str(), DEPTH))
}

/// The answer in a run's outputs: what the model said or which tools it called, `output`, or all as JSON.
pub(super) fn of_outputs(outputs: &Json) -> Option<Preview> {
    let value = outputs.to_value();
    let messages = output_messages(&value);
    said(&messages, preview_output(&messages, KEPT)).or_else(|| plain(&value, outputs.as_str(), DEPTH))
}

/// A line of a conversation: in quotation marks where it is text, and not a call of tools.
fn said(messages: &[Message], line: Option<String>) -> Option<Preview> {
    let line = line?;
    let is_text = messages.iter().any(|message| !message.text().is_empty());
    Some(if is_text { Preview::quoted(&line) } else { Preview::bare(&line) })
}

/// Any value: a text in quotation marks, the one field of an object or that for people, nothing for nothing, else its JSON.
fn plain(value: &Value, json: &str, depth: usize) -> Option<Preview> {
    match value {
        Value::String(text) => Some(Preview::quoted(text)),
        Value::Object(fields) if fields.is_empty() => None,
        Value::Object(fields) if fields.len() == 1 && depth > 0 => {
            fields.values().next().and_then(|only| plain(only, &only.to_string(), depth - 1))
        }
        Value::Object(fields) if told(fields).is_some() => told(fields).map(Preview::quoted),
        // Text that could not be read as JSON stands as it is.
        Value::Null if json.trim() == "null" => None,
        _ => Some(Preview::bare(json.trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(json: &str) -> String {
        of_inputs(&Json::parse(json).unwrap()).map_or_else(String::new, |preview| preview.fit(80))
    }

    fn answered(json: &str) -> String {
        of_outputs(&Json::parse(json).unwrap()).map_or_else(String::new, |preview| preview.fit(80))
    }

    #[test]
    fn inputs_show_what_was_asked() {
        let shown = [
            (r#"{"messages":[{"role":"system","content":"S"},{"role":"user","content":"Hi"}],"n":1}"#, "\"Hi\""),
            (r#"{"req":{"model":"m","messages":[{"role":"user","content":"Hi"}]}}"#, "\"Hi\""),
            (
                r#"{"messages":[{"role":"user","content":[{"type":"text","text":"See"},{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}]}]}"#,
                "\"See [image]\"",
            ),
            (r#"{"prompt":"Once","n":1}"#, "\"Once\""),
            (r#"{"question":"Why?"}"#, "\"Why?\""),
            (r#"{"limit":2,"query":"Why?"}"#, "\"Why?\""),
            (r#"{"city":"Paris","unit":"C"}"#, r#"{"city":"Paris","unit":"C"}"#),
            ("{\n  \"a\": 1,\n  \"b\": 2\n}", r#"{ "a": 1, "b": 2 }"#),
            ("{}", ""),
            (r#"{"messages":[],"a":1}"#, r#"{"messages":[],"a":1}"#),
            (r#"{"a":"\ud800"}"#, r#"{"a":"\ud800"}"#),
        ];
        for (json, text) in shown {
            assert_eq!(asked(json), text, "{json}");
        }
    }

    #[test]
    fn outputs_show_what_was_answered() {
        let shown = [
            (r#"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"Yes"}}]}"#, "\"Yes\""),
            (r#"{"choices":[{"text":"Yes","index":0}]}"#, "\"Yes\""),
            (r#"{"message":{"content":"Yes"},"n":1}"#, "\"Yes\""),
            (r#"{"role":"assistant","content":[{"type":"text","text":"Yes"}]}"#, "\"Yes\""),
            (r#"{"output":{"content":"Yes","role":"a"}}"#, "\"Yes\""),
            (r#"{"output":[1,2]}"#, "[1,2]"),
            (r#"{"output":null}"#, ""),
            (r#"{"output":""}"#, "\"\""),
            (
                r#"{"choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"f","arguments":"{\"a\":1}"}}]}}]}"#,
                r#"f({"a":1})"#,
            ),
        ];
        for (json, text) in shown {
            assert_eq!(answered(json), text, "{json}");
        }
    }

    #[test]
    fn a_cut_keeps_the_closing_quotation_mark() {
        assert_eq!(Preview::quoted("Where is my order?").fit(10), "\"Where i…\"");
    }
}
