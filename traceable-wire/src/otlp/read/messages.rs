//! Messages that were laid out as one attribute for each thing they say, as messages again.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Names with numbers in them (`0.message.role`), by number: what follows the number, of each.
pub(super) fn by_number(flat: Vec<(String, Value)>) -> BTreeMap<u64, BTreeMap<String, Value>> {
    let mut items: BTreeMap<u64, BTreeMap<String, Value>> = BTreeMap::new();
    for (name, value) in flat {
        let (number, rest) = name.split_once('.').unwrap_or((&name, ""));
        if let Ok(number) = number.parse() {
            items.entry(number).or_default().insert(rest.to_owned(), value);
        }
    }
    items
}

/// The ones whose name begins so, by what follows.
fn below(item: &BTreeMap<String, Value>, prefix: &str) -> Vec<(String, Value)> {
    let named = item.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone())));
    named.collect()
}

/// `OpenInference`'s messages, as `OpenAI`'s.
pub(super) fn openinference(flat: Vec<(String, Value)>) -> Vec<Value> {
    by_number(flat).into_values().map(|item| message(&below(&item, "message.").into_iter().collect())).collect()
}

fn message(said: &BTreeMap<String, Value>) -> Value {
    let mut message = Map::new();
    for name in ["role", "content", "name", "tool_call_id"] {
        if let Some(value) = said.get(name) {
            message.insert(name.to_owned(), value.clone());
        }
    }
    let parts = by_number(below(said, "contents."));
    if !parts.is_empty() {
        message.insert("content".into(), parts.values().map(part).collect());
    }
    let calls = by_number(below(said, "tool_calls."));
    if !calls.is_empty() {
        message.insert("tool_calls".into(), calls.values().map(call).collect());
        message.entry("content").or_insert(Value::Null);
    }
    // A message without a word is one all the same.
    message.entry("content").or_insert_with(|| "".into());
    Value::Object(message)
}

fn part(said: &BTreeMap<String, Value>) -> Value {
    let get = |name: &str| said.get(&format!("message_content.{name}")).cloned();
    let kind = get("type").unwrap_or_else(|| "text".into());
    let kind = kind.as_str().unwrap_or("text");
    if let Some(url) = get(&format!("{kind}.{kind}.url")) {
        let member = format!("{kind}_url");
        return json!({ "type": &*member, &*member: { "url": url } });
    }
    json!({ "type": kind, "text": get("text").unwrap_or_default() })
}

fn call(said: &BTreeMap<String, Value>) -> Value {
    let get = |name: &str| said.get(&format!("tool_call.{name}")).cloned().unwrap_or_default();
    let function = json!({ "name": get("function.name"), "arguments": get("function.arguments") });
    json!({ "id": get("id"), "type": "function", "function": function })
}

/// `OpenLLMetry`'s older messages: `0.role`, `0.content`, `0.tool_calls.0.name`.
pub(super) fn flat(flat: Vec<(String, Value)>) -> Vec<Value> {
    by_number(flat).into_values().map(|said| flat_message(&said)).collect()
}

fn flat_message(said: &BTreeMap<String, Value>) -> Value {
    let mut message: Map<_, _> = said
        .iter()
        .filter(|(name, _)| !name.contains('.'))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // Lists of parts were written as JSON.
    if let Some(Value::String(content)) = message.get("content")
        && content.starts_with('[')
        && let Ok(parts @ Value::Array(_)) = serde_json::from_str(content)
    {
        message.insert("content".into(), parts);
    }
    let calls = by_number(below(said, "tool_calls."));
    if !calls.is_empty() {
        let call = |said: &BTreeMap<String, Value>| {
            let get = |name: &str| said.get(name).cloned().unwrap_or_default();
            json!({ "id": get("id"), "function": { "name": get("name"), "arguments": get("arguments") } })
        };
        message.insert("tool_calls".into(), calls.values().map(call).collect());
    }
    message.entry("content").or_insert_with(|| "".into());
    message.entry("role").or_insert_with(|| "assistant".into());
    Value::Object(message)
}

/// `OpenInference`'s documents: `0.document.id`.
pub(super) fn documents(flat: Vec<(String, Value)>) -> Vec<Value> {
    let document = |item: BTreeMap<String, Value>| {
        let mut members: Map<_, _> = below(&item, "document.").into_iter().collect();
        if let Some(Value::String(text)) = members.get("metadata")
            && let Ok(metadata) = serde_json::from_str(text)
        {
            members.insert("metadata".into(), metadata);
        }
        Value::Object(members)
    };
    by_number(flat).into_values().map(document).collect()
}
