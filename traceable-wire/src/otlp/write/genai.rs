//! OpenTelemetry's GenAI conventions, in their names of today, in those up to v1.41, or in both where they differ.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use traceable_core::{
    messages::Part,
    model::{Json, Run, RunType, Usage},
};

use super::{Attributes, Field, Said, operation, texts};
use crate::otlp::{
    conventions::Convention,
    names::{genai as names, resource},
    span::{Ended, error_type},
    view::{Document, View, int, text},
};

pub(super) fn write(ended: &Ended<'_>, out: &mut Attributes, said: &mut Said) {
    let view = &ended.view;
    let run = view.run;
    let (now, old) = (ended.conventions.has(Convention::GenAi), ended.conventions.has(Convention::GenAiOld));
    let operation =
        operation(run).map(|word| if view.is_completion() && word == "chat" { "text_completion" } else { word });
    out.text(names::OPERATION, operation);
    if let Some(provider) = &run.provider {
        let known = names::PROVIDERS.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(provider));
        let provider = known.map_or(&**provider, |(_, name)| name);
        out.text(names::PROVIDER, provider);
        said.text(Field::Provider, run.provider.as_deref(), Some(provider));
    }
    if run.error.is_some() {
        out.text(resource::ERROR_TYPE, error_type(run));
    }
    about(run, out, said);
    if run.run_type != RunType::Chain {
        request(view, out);
        if old && !now {
            out.double(names::TOP_K, view.asked_for(&["top_k", "topK"]).and_then(Value::as_f64));
        }
        out.int(names::TOP_K, view.asked_for(&["top_k", "topK"]).and_then(int));
        response(view, out);
    }
    if let Some(usage) = &run.usage {
        self::usage(usage, now, old, out);
        said.otherwise(Field::Usage);
    }
    match run.run_type {
        RunType::Llm | RunType::Agent => conversation(view, out),
        RunType::Tool => tool(view, out, said),
        RunType::Retriever => retrieval(view, now, out),
        RunType::Embedding => embedding(view, out),
        RunType::Chain if run.is_root() => out.text(names::WORKFLOW_NAME, &*run.name),
        _ => {}
    }
    if run.run_type == RunType::Agent {
        out.text(names::AGENT_NAME, &*run.name);
    }
}

/// Who and where: the same for every kind of run.
fn about(run: &Run, out: &mut Attributes, said: &mut Said) {
    for (name, field, value) in [
        (names::CONVERSATION_ID, Field::Thread, &run.thread_id),
        (resource::SESSION_ID, Field::Session, &run.session_id),
        (resource::USER_ID, Field::User, &run.user),
        (names::PROMPT_NAME, Field::Prompt, &run.prompt_ref),
        (names::PROMPT_VERSION, Field::Deployment, &run.deployment_ref),
        (names::REQUEST_MODEL, Field::Model, &run.model),
    ] {
        out.text(name, value.as_deref());
        said.text(field, value.as_deref(), value.as_deref());
    }
}

/// What a call of a model asks for; the same names are LangSmith's.
pub(super) fn request(view: &View<'_>, out: &mut Attributes) {
    for (name, keys) in [
        (names::TEMPERATURE, &["temperature"][..]),
        (names::TOP_P, &["top_p", "topP"]),
        (names::FREQUENCY_PENALTY, &["frequency_penalty"]),
        (names::PRESENCE_PENALTY, &["presence_penalty"]),
    ] {
        out.double(name, view.asked_for(keys).and_then(Value::as_f64));
    }
    let max_tokens = ["max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens", "maxOutputTokens"];
    for (name, keys) in [(names::MAX_TOKENS, &max_tokens[..]), (names::SEED, &["seed"]), (names::CHOICES, &["n"])] {
        out.int(name, view.asked_for(keys).and_then(int));
    }
    for (name, keys) in
        [(names::STOP, &["stop", "stop_sequences", "stopSequences"][..]), (names::ENCODINGS, &["encoding_format"])]
    {
        if let Some(value) = view.asked_for(keys) {
            out.texts(name, &texts(value));
        }
    }
    for (name, keys) in
        [(names::REASONING_LEVEL, "reasoning_effort"), (names::PREVIOUS_RESPONSE, "previous_response_id")]
    {
        out.text(name, view.asked_for(&[keys]).and_then(Value::as_str));
    }
    let format = view.asked_for(&["response_format"]).and_then(|format| format.get("type")?.as_str());
    out.text(names::OUTPUT_TYPE, format.map(|format| if format.starts_with("json") { "json" } else { format }));
    if view.is_stream() {
        out.bool(names::STREAM, true);
    }
}

/// What a model says beside its answer.
fn response(view: &View<'_>, out: &mut Attributes) {
    out.text(names::RESPONSE_ID, view.answer(&["id", "response_id", "responseId"]).and_then(Value::as_str));
    out.text(names::RESPONSE_MODEL, view.answer(&["model", "modelVersion", "model_version"]).and_then(Value::as_str));
    let reasons = view.finish_reasons();
    if !reasons.is_empty() {
        out.texts(names::FINISH_REASONS, &reasons);
    }
    out.double(names::TIME_TO_FIRST_CHUNK, view.run.time_to_first_chunk().map(|nanos| nanos as f64 / 1e9));
}

fn usage(usage: &Usage, now: bool, old: bool, out: &mut Attributes) {
    let written = usage.input_token_details.get("cache_creation").copied();
    for (name, tokens) in [
        (names::INPUT_TOKENS, usage.input_tokens),
        (names::OUTPUT_TOKENS, usage.output_tokens),
        (names::CACHE_READ, usage.input_token_details.get("cache_read").copied()),
        (names::CACHE_WRITE, written.filter(|_| now)),
        (names::OLD_CACHE_WRITE, written.filter(|_| old)),
        (names::REASONING, usage.output_token_details.get("reasoning").copied()),
    ] {
        out.int(name, tokens.and_then(|tokens| i64::try_from(tokens).ok()));
    }
}

fn conversation(view: &View<'_>, out: &mut Attributes) {
    let mut asked = &view.asked[..];
    if let [first, others @ ..] = asked
        && view.is_instructed
    {
        out.json(names::SYSTEM_INSTRUCTIONS, &first.parts);
        asked = others;
    }
    let items = out.bounds.items;
    if !asked.is_empty() {
        out.json(names::INPUT_MESSAGES, &asked[asked.len().saturating_sub(items)..]);
    }
    if !view.answered.is_empty() {
        out.json(names::OUTPUT_MESSAGES, &view.answered[..view.answered.len().min(items)]);
    }
    let tools = view.tools();
    if !tools.is_empty() {
        let tools: Vec<_> = tools.iter().take(items).map(definition).collect();
        out.json(names::TOOL_DEFINITIONS, &tools);
    }
}

/// A tool as the conventions describe one, flat: `{"type": "function", "name", "description", "parameters"}`.
fn definition(tool: &Value) -> Cow<'_, Value> {
    let Some(function) = tool.get("function").and_then(Value::as_object) else { return Cow::Borrowed(tool) };
    let kind = tool.get("type").cloned().unwrap_or_else(|| "function".into());
    let flat = [("type".to_owned(), kind)].into_iter();
    Cow::Owned(Value::Object(flat.chain(function.clone()).collect::<Map<_, _>>()))
}

fn tool(view: &View<'_>, out: &mut Attributes, said: &mut Said) {
    let run = view.run;
    out.text(names::TOOL_NAME, &*run.name);
    out.text(names::TOOL_TYPE, "function");
    let call = view.said("tool_call_id").or_else(|| view.asked_for(&["tool_call_id"]));
    out.text(names::TOOL_CALL_ID, call.and_then(Value::as_str));
    for (name, field, body) in
        [(names::TOOL_ARGUMENTS, Field::Inputs, &run.inputs), (names::TOOL_RESULT, Field::Outputs, &run.outputs)]
    {
        if let Some(body) = body {
            out.text(name, body.as_str());
            said.exactly(field);
        }
    }
}

fn retrieval(view: &View<'_>, now: bool, out: &mut Attributes) {
    out.text(names::QUERY, view.query());
    let top_k = view.asked_for(&["top_k", "k", "limit", "n_results"]).and_then(int);
    out.int(if now { names::RETRIEVAL_TOP_K } else { names::TOP_K }, top_k);
    out.text(names::DATA_SOURCE, view.collection());
    let documents = view.documents();
    if !documents.is_empty() {
        let documents: Vec<_> = documents.iter().take(out.bounds.items).enumerate().map(Found::of).collect();
        out.json(names::DOCUMENTS, &documents);
    }
}

/// A document of the conventions, which want an id and a score of each.
#[derive(Debug, Serialize)]
struct Found<'a> {
    id: Cow<'a, str>,
    score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Value>,
}

impl<'a> Found<'a> {
    fn of((place, document): (usize, &'a Document<'a>)) -> Self {
        Self {
            id: document.id.as_deref().map_or_else(|| place.to_string().into(), Cow::Borrowed),
            score: document.score.unwrap_or_default(),
            content: document.content.as_deref(),
            metadata: document.metadata,
        }
    }
}

fn embedding(view: &View<'_>, out: &mut Attributes) {
    let asked = view.asked_for(&["dimensions", "output_dimensionality"]).and_then(int);
    let answered = || {
        let first = view.answer(&["data"]).and_then(|data| data.get(0)?.get("embedding")?.as_array());
        let first = first.or_else(|| view.answer(&["embeddings", "output"]).and_then(|list| list.get(0)?.as_array()));
        first.map(|vector| vector.len() as i64)
    };
    out.int(names::DIMENSIONS, asked.or_else(answered));
}

/// A body as text, where it is one: what a traced function returned.
pub(super) fn plain(body: &Json) -> Cow<'_, str> {
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(body.as_str()) else { return body.as_str().into() };
    match object.into_iter().collect::<Vec<_>>().as_slice() {
        [(_, one @ Value::String(_))] => Cow::Owned(text(one).into_owned()),
        _ => body.as_str().into(),
    }
}

/// What a part says to a reader of plain text.
pub(super) fn said_in(part: &Part) -> Option<Cow<'_, str>> {
    Some(match part {
        Part::Text { content } | Part::Refusal { content } => content.into(),
        Part::ToolResult { response, .. } => text(response),
        Part::ToolCall { name, arguments, .. } => format!("{name}({arguments})").into(),
        _ => return None,
    })
}
