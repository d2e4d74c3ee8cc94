//! What a run was asked and what it answered, in a few words.
//!
//! This file is the only one that knows shapes of inputs and outputs: [`of_inputs`] and [`of_outputs`] are all
//! that the rest of the console calls. Values are looked into without being built: a prompt with a picture of
//! megabytes costs one pass over its text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use traceable_core::model::Json;

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

/// The question in a run's inputs: the last message, the prompt, the only argument, or all as JSON.
pub(super) fn of_inputs(inputs: &Json) -> Option<Preview> {
    question(inputs.as_str(), DEPTH)
}

/// The answer in a run's outputs: the first choice, the message, its content, `output`, or all as JSON.
pub(super) fn of_outputs(outputs: &Json) -> Option<Preview> {
    answer(outputs.as_str(), DEPTH)
}

fn question(json: &str, depth: usize) -> Option<Preview> {
    let Some(fields) = Fields::of(json).filter(|_| depth > 0) else { return value(json) };
    if let Some(last) = fields.get("messages").and_then(|raw| items(raw)?.last().copied()) {
        return message(last.get());
    }
    if let Some(prompt) = fields.get("prompt") {
        return value(prompt);
    }
    match fields.only() {
        Some(raw) => question(raw, depth - 1),
        None => value(json),
    }
}

fn answer(json: &str, depth: usize) -> Option<Preview> {
    let Some(fields) = Fields::of(json).filter(|_| depth > 0) else { return value(json) };
    if let Some(choice) = fields.get("choices").and_then(|raw| items(raw)?.first().copied()) {
        return answer(choice.get(), depth - 1);
    }
    if let Some(raw) = fields.get("message") {
        return message(raw);
    }
    if fields.get("content").is_some() {
        return message(json);
    }
    match fields.get("output").or_else(|| fields.get("text")).or_else(|| fields.only()) {
        Some(raw) => answer(raw, depth - 1),
        None => value(json),
    }
}

/// A message: its content, or the tools that it calls.
fn message(json: &str) -> Option<Preview> {
    let Some(fields) = Fields::of(json) else { return value(json) };
    let said = fields.get("content").and_then(content);
    said.or_else(|| tool_calls(fields.get("tool_calls")?)).or_else(|| value(json))
}

/// The content of a message: a text, or parts of which the texts are joined and the others named.
fn content(json: &str) -> Option<Preview> {
    let Some(parts) = items(json) else { return value(json).filter(|said| !said.text.is_empty()) };
    let words: Vec<String> = parts.iter().filter_map(|part| part_words(part.get())).collect();
    (!words.is_empty()).then(|| Preview::quoted(&words.join(" ")))
}

fn part_words(json: &str) -> Option<String> {
    let Some(fields) = Fields::of(json) else { return string(json) };
    fields.get("text").and_then(string).or_else(|| Some(format!("[{}]", fields.get("type").and_then(string)?)))
}

/// `get_weather({"city":"Paris"})` for each call.
fn tool_calls(json: &str) -> Option<Preview> {
    let calls: Vec<String> = items(json)?.iter().filter_map(|call| tool_call(call.get())).collect();
    (!calls.is_empty()).then(|| Preview::bare(&calls.join(", ")))
}

fn tool_call(json: &str) -> Option<String> {
    let call = Fields::of(json)?;
    let function = call.get("function").and_then(Fields::of).unwrap_or(call);
    let name = string(function.get("name")?)?;
    let arguments = function.get("arguments").map(|raw| string(raw).unwrap_or_else(|| raw.to_owned()));
    Some(format!("{name}({})", arguments.unwrap_or_default()))
}

/// Any value: a text in quotation marks, nothing for nothing, else its JSON.
fn value(json: &str) -> Option<Preview> {
    let json = json.trim();
    match string(json) {
        Some(text) => Some(Preview::quoted(&text)),
        None if json == "null" || Fields::of(json).is_some_and(|fields| fields.0.is_empty()) => None,
        None => Some(Preview::bare(json)),
    }
}

fn string(json: &str) -> Option<String> {
    json.trim_start().starts_with('"').then(|| serde_json::from_str(json).ok())?
}

fn items(json: &str) -> Option<Vec<&RawValue>> {
    json.trim_start().starts_with('[').then(|| serde_json::from_str(json).ok())?
}

/// The fields of an object in the order in which they stand, their values unread.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    fn of(json: &'a str) -> Option<Self> {
        json.trim_start().starts_with('{').then(|| serde_json::from_str(json).ok())?
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, raw)| raw.get())
    }

    fn only(&self) -> Option<&'a str> {
        match self.0.as_slice() {
            [(_, raw)] => Some(raw.get()),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
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
                r#"{"messages":[{"content":[{"type":"text","text":"See"},{"type":"image_url"}]}]}"#,
                "\"See [image_url]\"",
            ),
            (r#"{"prompt":"Once","n":1}"#, "\"Once\""),
            (r#"{"question":"Why?"}"#, "\"Why?\""),
            (r#"{"city":"Paris","unit":"C"}"#, r#"{"city":"Paris","unit":"C"}"#),
            ("{\n  \"a\": 1,\n  \"b\": 2\n}", r#"{ "a": 1, "b": 2 }"#),
            ("{}", ""),
            (r#"{"messages":[],"a":1}"#, r#"{"messages":[],"a":1}"#),
            (r#"{"a":"\ud800"}"#, r#""\ud800""#),
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
