//! The content of a message, in the words of any provider, as parts.

use serde_json::{Map, Value};

use super::{Part, first, list, media, object, string, text};

/// What an id of a tool call is called: `call_id` comes first, since an item of OpenAI's Responses API also has an
/// `id` of its own that the answer does not refer to.
const CALL_IDS: [&str; 7] = ["call_id", "tool_call_id", "tool_use_id", "toolUseId", "toolCallId", "tool_id", "id"];

/// Reads a message's content: a text, a part, or a list of both. Empty texts are left out.
pub(super) fn parts(content: &Value) -> Vec<Part> {
    match content {
        Value::Array(list) => list.iter().filter_map(part).collect(),
        // The genai crate keeps the list in an object.
        Value::Object(map) if map.len() == 1 && map.contains_key("parts") => {
            list(content, "parts").iter().filter_map(part).collect()
        }
        one => part(one).into_iter().collect(),
    }
}

fn part(value: &Value) -> Option<Part> {
    part_or_blank(value).filter(|part| !part.is_blank())
}

/// Reads one part; an empty text stays, since a stream begins its blocks with one.
pub(super) fn part_or_blank(value: &Value) -> Option<Part> {
    match value {
        Value::Null => None,
        Value::String(content) => Some(Part::Text { content: content.clone() }),
        Value::Object(_) => tagged(value).or_else(|| untagged(value)).or_else(|| Some(other(value))),
        _ => Some(other(value)),
    }
}

pub(super) fn other(value: &Value) -> Part {
    Part::Other { value: value.clone() }
}

/// Parts that say what they are under `type`: OpenAI, Anthropic, Mistral, Cohere, GenAI, MCP, Vercel's AI SDK.
fn tagged(value: &Value) -> Option<Part> {
    match text(value, &["type"])? {
        // `input_text` and `output_text`: OpenAI Responses. `content`: GenAI.
        "text" | "input_text" | "output_text" => Some(Part::Text { content: string(value, &["text", "content"])? }),
        "thinking" | "reasoning" | "reasoning_text" | "summary_text" => reasoning(value),
        "refusal" => Some(Part::Refusal { content: string(value, &["refusal", "content"])? }),
        "tool_call" | "tool_use" | "tool-call" | "toolcall" | "function" | "function_call" | "custom_tool_call"
        | "server_tool_use" | "mcp_tool_use" | "server_tool_call" => tool_call(value),
        // Anthropic's server tools answer as `web_search_tool_result` and the like.
        kind if kind.ends_with("tool_result") || kind.ends_with("call_output") => Some(tool_result(value)),
        "tool_call_response" | "server_tool_call_response" | "tool-result" | "toolresult" => Some(tool_result(value)),
        "other" => value.get("value").map(other),
        kind => media::tagged(value, kind),
    }
}

/// Parts that are known by the key that they have: Gemini and Bedrock Converse, and Gemini's in snake case, as its
/// Python SDK dumps them; of Rust's libraries, rig (`reasoning`, `function`) and genai (`Text`, `ToolCall`, …).
fn untagged(value: &Value) -> Option<Part> {
    if let Some(content) = string(value, &["text"]) {
        let thought = value.get("thought") == Some(&Value::Bool(true));
        return Some(if thought { Part::Reasoning { content } } else { Part::Text { content } });
    }
    if let Some(content) = string(value, &["Text"]) {
        return Some(Part::Text { content });
    }
    if let Some(content) = string(value, &["ReasoningContent"]) {
        return Some(Part::Reasoning { content });
    }
    if value.get("reasoning").is_some_and(Value::is_array) {
        return reasoning(value);
    }
    if let Some(inner) = object(value, &["reasoningContent", "reasoning_content"]) {
        return reasoning(object(inner, &["reasoningText"]).unwrap_or(inner));
    }
    if object(value, &["functionCall", "function_call", "toolUse", "function", "ToolCall"]).is_some() {
        return tool_call(value);
    }
    if let Some(inner) = object(value, &["functionResponse", "function_response", "toolResult", "ToolResponse"]) {
        return Some(tool_result(inner));
    }
    media::untagged(value)
}

/// Thoughts: a text (Anthropic `thinking`, GenAI `content`), or a list of texts (Mistral `thinking`, OpenAI
/// Responses `summary` and `content`). `None` when they are kept from us, as in `redacted_thinking`.
pub(super) fn reasoning(value: &Value) -> Option<Part> {
    let texts = |key: &str| match value.get(key)? {
        Value::String(one) => Some(one.clone()),
        Value::Array(list) => {
            Some(list.iter().filter_map(|t| t.as_str().or_else(|| text(t, &["text"]))).collect::<Vec<_>>().join("\n\n"))
        }
        _ => None,
    };
    let found: Vec<_> = ["thinking", "text", "summary", "content", "reasoning"].into_iter().filter_map(texts).collect();
    // The first that says something; an empty one still tells that there is a block.
    let content = found.iter().find(|t| !t.is_empty()).or(found.first())?;
    Some(Part::Reasoning { content: content.clone() })
}

/// A tool call, flat or under the key of its provider (OpenAI `function` and `custom`, Gemini `functionCall`,
/// Bedrock `toolUse`). `None` without a name.
pub(super) fn tool_call(value: &Value) -> Option<Part> {
    let body = tool_call_body(value);
    Some(Part::ToolCall {
        id: string(value, &CALL_IDS).or_else(|| string(body, &CALL_IDS)),
        name: string(body, &["name", "toolName", "fn_name"])?,
        arguments: call_arguments(body).map(|a| arguments(a.clone())).unwrap_or_default(),
    })
}

/// Where name and arguments of a tool call stand.
pub(super) fn tool_call_body(value: &Value) -> &Value {
    object(value, &["function", "custom", "functionCall", "function_call", "toolUse", "ToolCall"]).unwrap_or(value)
}

/// The arguments of a tool call as they came.
pub(super) fn call_arguments(body: &Value) -> Option<&Value> {
    first(body, &["arguments", "input", "args", "fn_arguments", "server_tool_call"])
}

/// Arguments that came as JSON text, parsed. Text that is no object or list stays text.
pub(super) fn arguments(value: Value) -> Value {
    let Value::String(text) = &value else { return value };
    if text.is_empty() {
        return Value::Object(Map::new());
    }
    serde_json::from_str(text).ok().filter(|v: &Value| v.is_object() || v.is_array()).unwrap_or(value)
}

pub(super) fn tool_result(value: &Value) -> Part {
    let response = first(value, &["response", "result", "output", "content", "server_tool_call_response"]);
    Part::ToolResult {
        id: string(value, &CALL_IDS),
        name: string(value, &["name", "toolName"]),
        response: response.map(response_value).unwrap_or_default(),
    }
}

/// What a tool answered: one text when it is made of text parts only, else as it came.
pub(super) fn response_value(content: &Value) -> Value {
    let texts = content
        .as_array()
        .filter(|list| !list.is_empty())
        .and_then(|list| list.iter().map(plain_text).collect::<Option<Vec<_>>>());
    texts.map_or_else(|| content.clone(), |texts| Value::String(texts.join("\n")))
}

/// The text of an item that is text and nothing else: `{"type": "text", "text": …}`, in Bedrock without the type.
fn plain_text(item: &Value) -> Option<&str> {
    let keys = item.as_object()?.len();
    let said = text(item, &["type"]).is_some_and(|kind| matches!(kind, "text" | "input_text" | "output_text"));
    (keys == 1 || said).then(|| text(item, &["text"]))?
}
