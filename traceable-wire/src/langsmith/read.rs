//! A run out of its record: whatever is not as it should be is as if it were not there.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use traceable_core::model::{Attachment, Event, Json, Run, RunId, RunType, Status, Usage, parse_time};

use super::{
    normalise::settle,
    record::{SDK, concluded},
};
use crate::names::{self, REST, RUN_TYPE};

/// The members of a record by their names.
pub(super) type Fields = BTreeMap<String, Json>;

/// The run of a record. Members that are not known are kept in its metadata.
pub(super) fn run(id: RunId, mut record: Fields, beside: Vec<Attachment>) -> Run {
    let mut run = Run {
        id,
        trace_id: take(&mut record, "trace_id").unwrap_or_default(),
        parent_id: take(&mut record, "parent_run_id"),
        dotted_order: take::<String>(&mut record, "dotted_order").and_then(|o| o.parse().ok()).unwrap_or_default(),
        name: take::<String>(&mut record, "name").unwrap_or_default().into(),
        run_type: take::<String>(&mut record, "run_type").map(RunType::from).unwrap_or_default(),
        start_time: record.remove("start_time").as_ref().and_then(time).unwrap_or_default(),
        end_time: record.remove("end_time").as_ref().and_then(time),
        inputs: body(&mut record, "inputs"),
        outputs: body(&mut record, "outputs"),
        error: record.remove("error").map(|error| error.to_value()).and_then(text).filter(|error| !error.is_empty()),
        events: take::<Vec<Value>>(&mut record, "events").unwrap_or_default().into_iter().filter_map(event).collect(),
        tags: take::<Vec<Value>>(&mut record, "tags").unwrap_or_default().into_iter().filter_map(text).collect(),
        project: take::<String>(&mut record, "session_name").map(Into::into),
        attachments: beside,
        ..Run::default()
    };
    run.status = concluded(&run);
    let mut extra: Fields = take(&mut record, "extra").unwrap_or_default();
    let mut metadata: Fields = take(&mut extra, "metadata").unwrap_or_default();
    let rest: Fields = take(&mut metadata, REST).unwrap_or_default();
    run.metadata = metadata.into_iter().map(|(name, value)| (name, value.to_value())).collect();
    self::rest(&mut run, rest);
    foreign(&mut run, record, extra);
    settle(&mut run);
    run
}

/// Takes a member out of a record; `None` when it is `null` or of another kind.
fn take<T: DeserializeOwned>(record: &mut Fields, name: &str) -> Option<T> {
    serde_json::from_str(record.remove(name)?.as_str()).ok()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// A moment as text, or, from JavaScript, as milliseconds since the epoch.
pub(super) fn time(json: &Json) -> Option<i64> {
    match json.to_value() {
        Value::String(text) => parse_time(&text),
        Value::Number(millis) => match millis.as_i64() {
            Some(millis) => millis.checked_mul(1_000_000),
            None => {
                millis.as_f64().map(|millis| (millis * 1_000.0) as i64).and_then(|micros| micros.checked_mul(1_000))
            }
        },
        _ => None,
    }
}

fn body(record: &mut Fields, name: &str) -> Option<Json> {
    record.remove(name).filter(|json| json.as_str() != "null")
}

fn event(event: Value) -> Option<Event> {
    let Value::Object(mut event) = event else { return None };
    let time = event.get("time").map(Json::from_value).as_ref().and_then(time)?;
    let mut said = |name| event.remove(name).filter(|value: &Value| !value.is_null());
    let data = match (said("kwargs"), said("message")) {
        (Some(kwargs), Some(message)) => Some(serde_json::json!({ "kwargs": kwargs, "message": message })),
        (kwargs, message) => kwargs.or(message),
    };
    let name = event.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Event { name: name.into(), time, data })
}

/// Usage in LangSmith's names, with a provider's `null`s left out. `None` when nothing is counted.
pub(super) fn usage(value: &Value) -> Option<Usage> {
    let Value::Object(said) = value else { return None };
    let known = |(_, value): &(&String, &Value)| !value.is_null();
    let clean = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Object(details) => details.iter().filter(known).map(|(k, v)| (k.clone(), v.clone())).collect(),
            other => other.clone(),
        };
        (name.clone(), value)
    };
    let said: Map<String, Value> = said.iter().filter(known).map(clean).collect();
    serde_json::from_value(Value::Object(said)).ok().filter(|usage: &Usage| !usage.is_empty())
}

/// What LangSmith has no name for, or another use.
fn rest(run: &mut Run, mut rest: Fields) {
    if let Some(own) = rest.remove("metadata") {
        run.metadata.insert(REST.to_owned(), own.to_value());
    }
    let mut more: BTreeMap<String, Map<String, Value>> = take(&mut rest, "attachment_metadata").unwrap_or_default();
    for attachment in &mut run.attachments {
        attachment.metadata = more.remove(&attachment.name).unwrap_or_default();
    }
    run.attachments.extend(take::<Vec<Attachment>>(&mut rest, "attachments").unwrap_or_default());
    if let Some(kind) = take::<String>(&mut rest, RUN_TYPE) {
        run.run_type = RunType::from(kind);
    }
    run.status = take::<Status>(&mut rest, "status").unwrap_or(run.status);
    run.expected = take(&mut rest, "expected");
    run.stream = take(&mut rest, "stream");
    run.provider = take(&mut rest, "ls_provider");
    run.model = take(&mut rest, "ls_model_name");
    run.params = take(&mut rest, "ls_invocation_params").unwrap_or_default();
    run.usage = take::<Value>(&mut rest, "usage_metadata").as_ref().and_then(usage);
    run.thread_id = take(&mut rest, "thread_id");
    run.session_id = take(&mut rest, "session_id");
    run.user = take(&mut rest, "ls_user_id");
    run.environment = take(&mut rest, "environment");
    run.release = take(&mut rest, "revision_id");
    run.variables = take(&mut rest, "variables").unwrap_or_default();
    run.prompt_ref = take(&mut rest, "prompt_ref");
    run.deployment_ref = take(&mut rest, "deployment_ref");
    run.otel = take(&mut rest, "otel");
    run.source = take(&mut rest, "source");
}

/// Keeps what other SDKs say beside.
fn foreign(run: &mut Run, mut record: Fields, mut extra: Fields) {
    // Said already, or, of JavaScript's children, said again by each of them.
    for name in ["id", "status", "child_runs"] {
        record.remove(name);
    }
    let ours = format!("\"sdk\":\"{SDK}\"");
    extra.retain(|name, value| name != "runtime" || !value.as_str().contains(&ours));
    record.extend(extra.into_iter().map(|(name, value)| (format!("extra.{name}"), value)));
    record.retain(|_, value| !matches!(value.as_str(), "null" | "{}" | "[]"));
    if record.is_empty() {
        return;
    }
    let kept = run.metadata.entry(names::LANGSMITH).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(kept) = kept {
        kept.extend(record.into_iter().map(|(name, value)| (name, value.to_value())));
    }
}
