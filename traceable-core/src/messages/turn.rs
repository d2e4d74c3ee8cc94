//! One message, or one item of a list that makes up a conversation.

use serde_json::Value;

use super::{Message, Part, Role, content, first, list, object, string, text};

/// Keys that say why a model stopped: OpenAI and Cohere, Anthropic, Gemini, Bedrock, Ollama.
const FINISH: [&str; 5] = ["finish_reason", "stop_reason", "finishReason", "stopReason", "done_reason"];

/// The keys that a message says something under.
const BODY: [&str; 5] = ["content", "parts", "tool_calls", "function_call", "refusal"];

/// Why the model stopped.
pub(super) fn finish_reason(value: &Value) -> Option<String> {
    string(value, &FINISH)
}

/// A message: an object with a role and something said, or a pair of both.
pub(super) fn message(value: &Value) -> Option<Message> {
    if let Value::Array(items) = value {
        return pair(items);
    }
    // LangChain's serialised messages keep their fields under `kwargs`.
    let value = object(value, &["kwargs"]).unwrap_or(value);
    let role = role(value)?;
    BODY.iter().any(|key| value.get(key).is_some()).then_some(())?;
    let parts = if role == Role::Tool { tool_parts(value) } else { parts(value) };
    Some(Message { role, parts, name: string(value, &["name"]), finish_reason: finish_reason(value) })
}

/// The role, under `role`, or under `type` as `LangChain` writes it (`human`, `ai`).
fn role(value: &Value) -> Option<Role> {
    match text(value, &["role"]) {
        Some(name) => Some(Role::from(name)),
        None => Role::known(text(value, &["type"])?),
    }
}

/// A pair of role and content, when the first is the name of a role.
pub(super) fn pair(items: &[Value]) -> Option<Message> {
    let [Value::String(role), content] = items else { return None };
    Some(Message::new(Role::known(role)?, content::parts(content)))
}

/// Everything that a message says, thoughts first, tool calls last.
pub(super) fn parts(message: &Value) -> Vec<Part> {
    let mut all = said(message);
    // LangChain gives the calls twice, as blocks of the content and under `tool_calls`.
    if !all.iter().any(|part| matches!(part, Part::ToolCall { .. })) {
        all.extend(list(message, "tool_calls").iter().filter_map(content::tool_call));
        // OpenAI's older form of one call.
        all.extend(object(message, &["function_call"]).and_then(content::tool_call));
    }
    all
}

/// What a message says, without the tool calls beside the content.
pub(super) fn said(message: &Value) -> Vec<Part> {
    let refusal = string(message, &["refusal"]).filter(|t| !t.is_empty());
    let refusal = refusal.map(|content| Part::Refusal { content });
    thoughts(message).into_iter().chain(body(message)).chain(refusal).collect()
}

/// The content, or GenAI's, Gemini's and Vercel's `parts`.
fn body(message: &Value) -> Vec<Part> {
    let said = message.get("content").map(content::parts).unwrap_or_default();
    if said.is_empty() { message.get("parts").map(content::parts).unwrap_or_default() } else { said }
}

/// Thoughts beside the content: `DeepSeek` and Qwen, vLLM and `OpenRouter`, Ollama.
pub(super) fn thoughts(message: &Value) -> Option<Part> {
    let content = string(message, &["reasoning_content", "reasoning", "thinking"]).filter(|t| !t.is_empty())?;
    Some(Part::Reasoning { content })
}

/// The parts of a tool's message: its whole content is the answer, unless it is made of answers already.
fn tool_parts(message: &Value) -> Vec<Part> {
    let parts = parts(message);
    let answers = parts.iter().any(|part| matches!(part, Part::ToolResult { .. }));
    match first(message, &["content"]) {
        Some(content) if !answers => vec![Part::ToolResult {
            id: string(message, &["tool_call_id", "tool_use_id", "toolCallId"]),
            name: None,
            response: content::response_value(content),
        }],
        _ => parts,
    }
}

/// The messages of a list. What is no message is left out.
pub(super) fn turns(items: &[Value]) -> Vec<Message> {
    // LangChain's callbacks log a list of conversations, which is a list of one.
    let items = match items {
        [Value::Array(only)] if only.iter().all(Value::is_object) => only,
        _ => items,
    };
    let mut all: Vec<Message> = Vec::with_capacity(items.len());
    // Whether the last message was made of items of OpenAI's Responses API, which go on in the next item.
    let mut open = false;
    for value in items {
        let item = item(value);
        let is_item = item.is_some() || text(value, &["type"]) == Some("message");
        let Some(next) = item.or_else(|| message(value)) else { continue };
        match all.last_mut() {
            Some(last) if open && is_item && last.role == Role::Assistant && next.role == Role::Assistant => {
                last.parts.extend(next.parts);
            }
            _ => all.push(next),
        }
        open = is_item;
    }
    all
}

/// Whether every item of a list is a message; for lists under keys that say nothing.
pub(super) fn are_turns(items: &[Value]) -> bool {
    !items.is_empty() && items.iter().all(|value| item(value).is_some() || message(value).is_some())
}

/// An item of OpenAI's Responses API that is not a message.
fn item(value: &Value) -> Option<Message> {
    if value.get("role").is_some() {
        return None;
    }
    let part = match text(value, &["type"])? {
        "function_call" | "custom_tool_call" => content::tool_call(value)?,
        "function_call_output" | "custom_tool_call_output" => {
            return Some(Message::new(Role::Tool, vec![content::tool_result(value)]));
        }
        "reasoning" => content::reasoning(value).filter(|p| !p.is_blank()).unwrap_or_else(|| content::other(value)),
        // Calls of tools that OpenAI runs itself, such as `web_search_call`.
        kind if kind.ends_with("_call") || kind.starts_with("mcp_") => content::other(value),
        kind if kind.ends_with("_call_output") => {
            return Some(Message::new(Role::Tool, vec![content::other(value)]));
        }
        _ => return None,
    };
    Some(Message::new(Role::Assistant, vec![part]))
}
