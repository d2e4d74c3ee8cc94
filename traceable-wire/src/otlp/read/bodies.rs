//! What went into a span and what came out of it, from the names of every convention.

use serde_json::{Map, Value, json};
use traceable_core::{
    messages::{Message, input_messages, output_messages},
    model::Json,
};

use super::{Attributes, messages};
use crate::otlp::names::{foreign, genai, langsmith, openinference as oi, openlit};

/// Where a whole body stands: `OpenInference`'s and ours, LangSmith's, GenAI's of a tool.
pub(super) const INPUTS: [&str; 3] = [oi::INPUT, langsmith::INPUTS, genai::TOOL_ARGUMENTS];
pub(super) const OUTPUTS: [&str; 3] = [oi::OUTPUT, langsmith::OUTPUTS, genai::TOOL_RESULT];

/// The inputs of a run, as one object.
pub(super) fn inputs(attributes: &mut Attributes) -> Option<Json> {
    let whole = whole(attributes, INPUTS, "input");
    attributes.take(oi::INPUT_MIME);
    let mut said = said(attributes, genai::INPUT_MESSAGES, oi::INPUT_MESSAGES, "gen_ai.prompt.");
    if let Some(Value::Array(parts)) = attributes.json(genai::SYSTEM_INSTRUCTIONS) {
        let is_said = said.iter().flatten().any(|message| message["role"] == "system");
        if !is_said {
            said.get_or_insert_default().insert(0, json!({ "role": "system", "parts": parts }));
        }
    }
    let tools = attributes.json(genai::TOOL_DEFINITIONS).filter(Value::is_array);
    let tools = tools.or_else(|| {
        let listed = messages::by_number(attributes.below("llm.tools."));
        let schema = |tool: &std::collections::BTreeMap<String, Value>| {
            let text = tool.get("tool.json_schema")?.as_str()?;
            serde_json::from_str::<Value>(text).ok()
        };
        let listed: Vec<_> = listed.values().filter_map(schema).collect();
        (!listed.is_empty()).then_some(Value::Array(listed))
    });
    let query = attributes.text(&[genai::QUERY, oi::RERANKER_QUERY]);
    if let Some(said) = said.filter(|_| !is_read(whole.as_ref(), "input", input_messages)) {
        let mut body = Map::from_iter([("messages".to_owned(), Value::Array(said))]);
        body.extend(tools.map(|tools| ("tools".to_owned(), tools)));
        body.extend(whole.map(|whole| ("input".to_owned(), whole.to_value())));
        return Some(Json::from_value(&Value::Object(body)));
    }
    let others =
        [foreign::TRACELOOP_INPUT, foreign::LANGFUSE_INPUT, foreign::LANGFUSE_TRACE_INPUT, foreign::MLFLOW_INPUT];
    whole
        .or_else(|| named(attributes, &others, "input"))
        .or_else(|| openlit(attributes))
        .or_else(|| Some(object("query", query.as_ref()?)))
        .or_else(|| Some(object("prompt", &attributes.text(&[langsmith::INPUTS])?)))
}

/// What `OpenLIT` says of a tool, of a function that it decorates, and of a search.
fn openlit(attributes: &mut Attributes) -> Option<Json> {
    let tool = named(attributes, &[openlit::read::TOOL_ARGUMENTS], "input");
    let mut arguments = Map::new();
    for (name, short, none) in
        [(openlit::read::FUNCTION_ARGS, "args", "()"), (openlit::read::FUNCTION_KWARGS, "kwargs", "{}")]
    {
        arguments
            .extend(attributes.text(&[name]).filter(|text| text != none).map(|text| (short.to_owned(), text.into())));
    }
    let arguments = (!arguments.is_empty()).then(|| Json::from_value(&Value::Object(arguments)));
    tool.or(arguments).or_else(|| Some(object("query", &attributes.text(&[openlit::read::DB_QUERY])?)))
}

/// The outputs of a run, as one object.
pub(super) fn outputs(attributes: &mut Attributes) -> Option<Json> {
    let whole = whole(attributes, OUTPUTS, "output");
    attributes.take(oi::OUTPUT_MIME);
    // OpenLIT's decorator puts a text or a map there.
    let plain = match attributes.get(genai::OUTPUT_MESSAGES) {
        Some(Value::String(text)) if serde_json::from_str::<Value>(text).is_err() => Some(object("output", text)),
        Some(map @ Value::Object(_)) => Some(Json::from_value(map)),
        _ => None,
    };
    if plain.is_some() {
        attributes.take(genai::OUTPUT_MESSAGES);
    }
    let said = said(attributes, genai::OUTPUT_MESSAGES, oi::OUTPUT_MESSAGES, "gen_ai.completion.");
    let documents = attributes.json(genai::DOCUMENTS).and_then(|list| list.as_array().cloned());
    let found =
        [oi::DOCUMENTS, oi::RERANKED].map(|prefix| messages::documents(attributes.below(&format!("{prefix}."))));
    let documents = documents.or_else(|| found.into_iter().find(|list| !list.is_empty()));
    if let Some(said) = said.filter(|_| !is_read(whole.as_ref(), "output", output_messages)) {
        let mut body = Map::from_iter([("messages".to_owned(), Value::Array(said))]);
        body.extend(whole.map(|whole| ("output".to_owned(), whole.to_value())));
        return Some(Json::from_value(&Value::Object(body)));
    }
    let others =
        [foreign::TRACELOOP_OUTPUT, foreign::LANGFUSE_OUTPUT, foreign::LANGFUSE_TRACE_OUTPUT, foreign::MLFLOW_OUTPUT];
    whole
        .or(plain)
        .or_else(|| named(attributes, &others, "output"))
        .or_else(|| documents.map(|documents| Json::from_value(&json!({ "documents": documents }))))
        .or_else(|| Some(object("output", &attributes.text(&[langsmith::OUTPUTS])?)))
}

/// Whether messages are found in a body that somebody wrote; one that was made here around a text has none.
fn is_read(whole: Option<&Json>, member: &str, messages: fn(&Value) -> Vec<Message>) -> bool {
    whole.map(Json::to_value).is_some_and(|whole| {
        let is_made = whole.get(member).is_some() && whole.as_object().is_some_and(|whole| whole.len() == 1);
        !is_made && !messages(&whole).is_empty()
    })
}

fn object(name: &str, text: &str) -> Json {
    Json::from_value(&json!({ name: text }))
}

/// A whole body: under a name of bodies, or an object under one that others use for plain text.
fn whole(attributes: &mut Attributes, [body, text, tool]: [&str; 3], member: &str) -> Option<Json> {
    let is_object = |value: &Value| value.as_str().is_some_and(|text| text.trim_start().starts_with('{'));
    let text = attributes.get(text).is_some_and(is_object).then_some(text);
    named(attributes, &[Some(body), text, Some(tool)].into_iter().flatten().collect::<Vec<_>>(), member)
}

/// Takes all of these; answers the first. A text that is a JSON object is what it says, anything else a member.
fn named(attributes: &mut Attributes, names: &[&str], member: &str) -> Option<Json> {
    let mut found = None;
    for name in names {
        let Some(value) = attributes.take(name).filter(|value| !value.is_null()) else { continue };
        found = found.or_else(|| {
            let Value::String(text) = value else { return Some(under(member, &value)) };
            Some(match text.trim_start().starts_with(['{', '[']).then(|| Json::parse(&*text)) {
                Some(Ok(json)) if json.is_object() => json,
                Some(Ok(json)) => under(member, &json.to_value()),
                _ => object(member, &text),
            })
        });
    }
    found
}

fn under(member: &str, value: &Value) -> Json {
    if value.is_object() { Json::from_value(value) } else { Json::from_value(&json!({ member: value })) }
}

/// A body of a span of ours, which is as it was; one that was cut is text.
pub(super) fn exact(attributes: &mut Attributes, names: [&str; 3], member: &str) -> Option<Json> {
    let text = names.into_iter().find_map(|name| attributes.exact_text(name))?;
    Some(Json::parse(&*text).unwrap_or_else(|_| object(member, &text)))
}

/// What was said, as a list of messages: GenAI's, `OpenInference`'s, or `OpenLLMetry`'s older ones.
fn said(attributes: &mut Attributes, genai: &str, openinference: &str, older: &str) -> Option<Vec<Value>> {
    let genai = attributes.json(genai).and_then(|list| list.as_array().cloned());
    let openinference = messages::openinference(attributes.below(&format!("{openinference}.")));
    let older = messages::flat(numbered(attributes, older));
    genai.into_iter().chain([openinference, older]).find(|list| !list.is_empty())
}

/// Takes what has a number behind the prefix; `gen_ai.prompt.name` has none.
fn numbered(attributes: &mut Attributes, prefix: &str) -> Vec<(String, Value)> {
    (b'0'..=b'9')
        .flat_map(|digit| {
            let digit = char::from(digit);
            let below = attributes.below(&format!("{prefix}{digit}"));
            below.into_iter().map(move |(rest, value)| (format!("{digit}{rest}"), value))
        })
        .collect()
}
