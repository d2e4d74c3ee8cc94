//! Joins the chunks of a streamed answer into the messages that they make up.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Message, Part, Role, content, list, object, string, text, turn};

/// The place of OpenAI's older `function_call`, which has no index, among the tool calls.
const FUNCTION_CALL: u64 = u64::MAX;

/// Joins chunks: of OpenAI (chat, completions, Responses), Anthropic, Gemini and Ollama, and those of whole messages
/// that LangSmith's documentation streams. Empty when the list holds none.
pub(super) fn join(chunks: &[Value]) -> Vec<Message> {
    let mut answers = BTreeMap::new();
    for chunk in chunks {
        feed(&mut answers, chunk);
    }
    let messages: Vec<_> = answers.into_values().filter_map(Draft::finish).collect();
    if messages.is_empty() { responses(chunks) } else { messages }
}

fn feed(answers: &mut BTreeMap<u64, Draft>, chunk: &Value) {
    for choice in list(chunk, "choices").iter().chain(list(chunk, "candidates")) {
        answers.entry(index(choice)).or_default().choice(choice);
    }
    // Ollama's lines all say whether they are the last.
    let is_line = object(chunk, &["message"]).is_some() || text(chunk, &["response"]).is_some();
    if is_line && chunk.get("done").is_some() {
        answers.entry(0).or_default().choice(chunk);
    }
    // Anthropic's events.
    match text(chunk, &["type"]) {
        Some("message_start") => answers.entry(0).or_default().delta(chunk.get("message")),
        Some("content_block_start") => answers.entry(0).or_default().open_block(chunk),
        Some("content_block_delta") => answers.entry(0).or_default().grow_block(chunk),
        Some("message_delta") => answers.entry(0).or_default().stop(chunk.get("delta")),
        _ => {}
    }
}

/// A missing index is 0, as some servers leave it out.
fn index(value: &Value) -> u64 {
    value.get("index").and_then(Value::as_u64).unwrap_or(0)
}

/// OpenAI's Responses API: the last event holds the whole response; a stream that was cut has its finished items, or
/// at least the text so far.
fn responses(events: &[Value]) -> Vec<Message> {
    let kind = |event| text(event, &["type"]).unwrap_or_default();
    let ended = ["response.completed", "response.incomplete", "response.failed"];
    let whole = events.iter().rev().find(|event| ended.contains(&kind(event)));
    let whole = whole.and_then(|event| event.get("response")).map(|response| turn::turns(list(response, "output")));
    if let Some(messages) = whole.filter(|messages| !messages.is_empty()) {
        return messages;
    }
    let of = |name: &'static str| events.iter().filter(move |event| kind(event) == name);
    let items: Vec<_> = of("response.output_item.done").filter_map(|event| event.get("item").cloned()).collect();
    if !items.is_empty() {
        return turn::turns(&items);
    }
    let said: String = of("response.output_text.delta").filter_map(|event| text(event, &["delta"])).collect();
    if said.is_empty() { Vec::new() } else { vec![Message::with_text(Role::Assistant, said)] }
}

/// An answer that is still growing.
#[derive(Default)]
struct Draft {
    role: Option<Role>,
    parts: Vec<Part>,
    finish_reason: Option<String>,
    /// Where in `parts` the tool call or block of an index stands.
    places: BTreeMap<u64, usize>,
}

impl Draft {
    /// A chunk's choice: OpenAI's `delta` or `text`, the `message` of LangSmith's example and of Ollama, Ollama's
    /// `response`, Gemini's `content`.
    fn choice(&mut self, choice: &Value) {
        self.delta(object(choice, &["delta", "message", "content"]));
        if let Some(content) = string(choice, &["text", "response"]) {
            self.grow(Part::Text { content });
        }
        self.stop(Some(choice));
    }

    fn stop(&mut self, delta: Option<&Value>) {
        if let Some(reason) = delta.and_then(turn::finish_reason) {
            self.finish_reason = Some(reason);
        }
    }

    /// A message of which this is the next piece.
    fn delta(&mut self, delta: Option<&Value>) {
        let Some(delta) = delta else { return };
        if self.role.is_none() {
            self.role = text(delta, &["role"]).filter(|role| !role.is_empty()).map(Role::from);
        }
        for part in turn::said(delta) {
            self.grow(part);
        }
        for (position, call) in list(delta, "tool_calls").iter().enumerate() {
            let index = call.get("index").and_then(Value::as_u64).unwrap_or(position as u64);
            self.call(index, call);
        }
        if let Some(call) = object(delta, &["function_call"]) {
            self.call(FUNCTION_CALL, call);
        }
    }

    /// Adds a part: to the last one when both are text of one kind, else after it.
    fn grow(&mut self, part: Part) {
        match (self.parts.last_mut(), &part) {
            (Some(Part::Text { content }), Part::Text { content: more })
            | (Some(Part::Reasoning { content }), Part::Reasoning { content: more })
            | (Some(Part::Refusal { content }), Part::Refusal { content: more }) => content.push_str(more),
            _ => self.parts.push(part),
        }
    }

    /// Adds a piece of a tool call: id and name come once, the arguments piece by piece.
    fn call(&mut self, index: u64, delta: &Value) {
        let body = content::tool_call_body(delta);
        let new_id = string(delta, &["id"]).filter(|id| !id.is_empty());
        let new_name = string(body, &["name"]).filter(|name| !name.is_empty());
        let place = self.places.get(&index).copied();
        let part = place.and_then(|place| self.parts.get_mut(place));
        match part {
            // Another id at the same index is another call: some servers number them all 0.
            Some(Part::ToolCall { id, name, arguments }) if new_id.is_none() || id.is_none() || *id == new_id => {
                *id = id.take().or(new_id);
                if name.is_empty() {
                    *name = new_name.unwrap_or_default();
                }
                grow_arguments(arguments, content::call_arguments(body));
            }
            _ => {
                let mut arguments = Value::Null;
                grow_arguments(&mut arguments, content::call_arguments(body));
                self.places.insert(index, self.parts.len());
                self.parts.push(Part::ToolCall { id: new_id, name: new_name.unwrap_or_default(), arguments });
            }
        }
    }

    /// Anthropic: a block begins, with its id and name or its first words.
    fn open_block(&mut self, event: &Value) {
        let Some(part) = event.get("content_block").and_then(content::part_or_blank) else { return };
        self.places.insert(index(event), self.parts.len());
        self.parts.push(part);
    }

    /// Anthropic: a block goes on.
    fn grow_block(&mut self, event: &Value) {
        let place = self.places.get(&index(event)).copied();
        let (Some(part), Some(delta)) = (place.and_then(|p| self.parts.get_mut(p)), event.get("delta")) else {
            return;
        };
        match part {
            Part::Text { content } => content.push_str(text(delta, &["text"]).unwrap_or_default()),
            Part::Reasoning { content } => content.push_str(text(delta, &["thinking"]).unwrap_or_default()),
            Part::ToolCall { arguments, .. } => grow_arguments(arguments, delta.get("partial_json")),
            _ => {}
        }
    }

    /// The message; `None` when nothing was said and no one spoke.
    fn finish(mut self) -> Option<Message> {
        self.parts.retain(|part| !part.is_blank());
        for part in &mut self.parts {
            if let Part::ToolCall { arguments, .. } = part {
                *arguments = content::arguments(arguments.take());
            }
        }
        let silent = self.parts.is_empty() && self.role.is_none();
        let message = Message::new(self.role.unwrap_or(Role::Assistant), self.parts);
        (!silent).then_some(Message { finish_reason: self.finish_reason, ..message })
    }
}

/// Adds a piece of JSON text; an object (Ollama's arguments, the empty one that Anthropic's blocks begin with) stands
/// until text comes.
fn grow_arguments(arguments: &mut Value, piece: Option<&Value>) {
    match (arguments, piece) {
        (Value::String(whole), Some(Value::String(more))) => whole.push_str(more),
        (Value::Object(begun), Some(Value::String(more))) if more.is_empty() && begun.is_empty() => {}
        (arguments, Some(piece)) => *arguments = piece.clone(),
        (_, None) => {}
    }
}
