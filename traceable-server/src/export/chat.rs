//! A conversation in the words of OpenAI's chat interface.

use serde_json::{Map, Value, json};
use traceable_core::messages::{Message, Part, Role};

/// The messages in OpenAI's form. A message with answers of tools becomes one for each of them.
pub(crate) fn messages(said: &[Message]) -> Vec<Value> {
    said.iter().flat_map(message).collect()
}

fn message(message: &Message) -> Vec<Value> {
    let mut all = Vec::new();
    let (mut content, mut calls, mut refusal) = (Vec::new(), Vec::new(), None);
    for part in &message.parts {
        match part {
            Part::Text { content: text } => content.push(json!({ "type": "text", "text": text })),
            Part::Refusal { content } => refusal = Some(content),
            Part::ToolCall { id, name, arguments } => calls.push(json!({
                "id": id.clone().unwrap_or_else(|| format!("call_{}", calls.len())),
                "type": "function",
                "function": { "name": name, "arguments": text_of(arguments) },
            })),
            Part::ToolResult { id, name, response } => {
                let mut answer = json!({ "role": "tool", "tool_call_id": id, "content": text_of(response) });
                if let (None, Some(name)) = (id, name) {
                    answer["tool_call_id"] = json!(name);
                }
                all.push(answer);
            }
            Part::Blob { modality, content: bytes, mime_type } if modality == "image" => {
                let mime = mime_type.as_deref().unwrap_or("image/png");
                let url = format!("data:{mime};base64,{bytes}");
                content.push(json!({ "type": "image_url", "image_url": { "url": url } }));
            }
            Part::Uri { modality, uri, .. } if modality == "image" => {
                content.push(json!({ "type": "image_url", "image_url": { "url": uri } }));
            }
            // Thoughts are no part of what a model is taught, and other media cannot be.
            _ => {}
        }
    }
    let mut own = Map::new();
    own.insert("role".into(), json!(role(&message.role)));
    match content.as_slice() {
        [] => {}
        texts if texts.iter().all(|part| part["type"] == "text") => {
            let texts: Vec<&str> = texts.iter().filter_map(|part| part["text"].as_str()).collect();
            own.insert("content".into(), texts.concat().into());
        }
        parts => drop(own.insert("content".into(), parts.into())),
    }
    own.extend(refusal.map(|refusal| ("refusal".into(), json!(refusal))));
    if !calls.is_empty() {
        own.insert("tool_calls".into(), calls.into());
    }
    own.extend(message.name.as_ref().map(|name| ("name".into(), json!(name))));
    if own.contains_key("content") || own.contains_key("tool_calls") || own.contains_key("refusal") {
        all.push(Value::Object(own));
    }
    all
}

fn role(role: &Role) -> &str {
    match role {
        Role::Tool => "tool",
        Role::Custom(_) => "user",
        known => known.as_str(),
    }
}

/// Arguments and answers are texts there.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The tools that a call was given, in OpenAI's form.
pub(crate) fn tools(given: &Value) -> Vec<Value> {
    given.as_array().into_iter().flatten().filter_map(tool).collect()
}

fn tool(tool: &Value) -> Option<Value> {
    if tool.get("function").is_some_and(Value::is_object) {
        return Some(json!({ "type": "function", "function": tool["function"] }));
    }
    // Anthropic's form, and OpenAI's newer one.
    let name = tool.get("name")?.as_str()?;
    let parameters = tool.get("input_schema").or_else(|| tool.get("parameters")).cloned();
    let mut function = json!({ "name": name, "parameters": parameters.unwrap_or_else(|| json!({})) });
    if let Some(description) = tool.get("description") {
        function["description"] = description.clone();
    }
    Some(json!({ "type": "function", "function": function }))
}
