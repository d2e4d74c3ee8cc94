//! Requests taken apart by somebody else's decoder, and runs to make them of.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value as Any},
    resource::v1::Resource as ResourceMessage,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span},
};
use prost::Message as _;
use serde_json::{Value, json};
use traceable_core::model::{DottedOrder, Json, Run, RunChange, RunId, RunType, Status as Ended, StreamInfo, Usage};
use traceable_wire::otlp::{Convention, Conventions, Decoded, Encoder, MAX_BYTES, Resource, decode_traces};

/// 2024-05-31, in nanoseconds.
pub(crate) const START: i64 = 1_717_171_717_000_000_000;

/// A span as it came out, with its attributes by their names.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) span: Span,
    pub(crate) attributes: BTreeMap<String, Value>,
    pub(crate) resource: BTreeMap<String, Value>,
}

impl Sent {
    /// The attribute of that name; `null` when there is none.
    pub(crate) fn get(&self, name: &str) -> Value {
        self.attributes.get(name).cloned().unwrap_or_default()
    }

    /// The attribute's text, as JSON.
    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(self.get(name).as_str().unwrap()).unwrap()
    }

    /// All attributes but our own.
    pub(crate) fn said(&self) -> Value {
        let ours = |name: &str| name.starts_with("traceable.");
        self.attributes
            .iter()
            .filter(|(name, _)| !ours(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

pub(crate) fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, Value> {
    let all: BTreeMap<_, _> =
        pairs.iter().map(|pair| (pair.key.clone(), value(pair.value.as_ref().unwrap()))).collect();
    assert_eq!(all.len(), pairs.len(), "an attribute was written twice");
    all
}

fn value(any: &AnyValue) -> Value {
    match any.value.as_ref().unwrap() {
        Any::StringValue(text) => json!(text),
        Any::BoolValue(yes) => json!(yes),
        Any::IntValue(int) => json!(int),
        Any::DoubleValue(number) => json!(number),
        Any::ArrayValue(list) => list.values.iter().map(value).collect(),
        other => panic!("{other:?}"),
    }
}

/// The spans of a request.
pub(crate) fn spans(body: &[u8]) -> Vec<Sent> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut all = Vec::new();
    for of_resource in request.resource_spans {
        let resource = attributes(&of_resource.resource.unwrap().attributes);
        for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let (attributes, resource) = (attributes(&span.attributes), resource.clone());
            all.push(Sent { span, attributes, resource });
        }
    }
    all
}

/// What becomes of changes.
pub(crate) fn sent(changes: &[RunChange], conventions: &[Convention]) -> Vec<Sent> {
    let encoded = Encoder::new(Conventions::of(conventions), Resource::default()).encode(changes, MAX_BYTES);
    encoded.requests.iter().flat_map(|request| spans(&request.body)).collect()
}

/// The span of one run that ended before it was sent.
pub(crate) fn span_of(run: &Run, conventions: &[Convention]) -> Sent {
    sent(&[end(run)], conventions).remove(0)
}

pub(crate) fn end(run: &Run) -> RunChange {
    RunChange::End(Box::new(run.clone()))
}

pub(crate) fn json_of(value: &Value) -> Json {
    Json::from_value(value)
}

/// A root that took a second.
pub(crate) fn run(run_type: impl Into<RunType>, inputs: &Value, outputs: &Value) -> Run {
    let id = RunId::new(START, 0x1234, 1);
    Run {
        id,
        trace_id: id,
        dotted_order: DottedOrder::root(START, id),
        name: "answer".into(),
        run_type: run_type.into(),
        start_time: START,
        end_time: Some(START + 1_000_000_000),
        status: Ended::Ok,
        inputs: Some(json_of(inputs)),
        outputs: Some(json_of(outputs)),
        ..Run::default()
    }
}

/// A streamed call of a chat model with a tool, as its provider saw it.
pub(crate) fn chat() -> Run {
    let inputs = json!({
        "model": "gpt-4o", "temperature": 0.2, "max_tokens": 100, "top_p": 1, "seed": 42, "stop": "END", "stream": true,
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "Weather in Paris?" },
            { "role": "assistant", "content": null, "tool_calls": [
                { "id": "c1", "type": "function", "function": { "name": "weather", "arguments": "{\"city\":\"Paris\"}" } },
            ] },
            { "role": "tool", "tool_call_id": "c1", "content": "sunny" },
        ],
        "tools": [{ "type": "function", "function": { "name": "weather", "parameters": { "type": "object" } } }],
    });
    let outputs = json!({
        "id": "resp-456", "model": "gpt-4o-2024-08-06",
        "choices": [{ "finish_reason": "stop", "message": { "role": "assistant", "content": "It is sunny." } }],
    });
    let usage = Usage::new(27, 13).with_input_detail("cache_read", 20).with_input_detail("cache_creation", 2);
    Run {
        provider: Some("azure".into()),
        model: Some("gpt-4o".into()),
        params: [("temperature".to_owned(), json!(0.2))].into(),
        usage: Some(usage.with_output_detail("reasoning", 4).with_total_cost(0.05)),
        stream: Some(StreamInfo {
            first_chunk: START + 250_000_000,
            last_chunk: START + 900_000_000,
            chunks: 7,
            raw: vec![],
        }),
        tags: vec!["eu".into(), "beta".into()],
        metadata: json!({ "tier": "gold", "server.address": "api.example.com" }).as_object().unwrap().clone(),
        thread_id: Some("conversation-1".into()),
        user: Some("user123".into()),
        project: Some("chatbot_app".into()),
        environment: Some("production".into()),
        release: Some("1.4.2".into()),
        prompt_ref: Some("openai/greeting".into()),
        ..run("llm", &inputs, &outputs)
    }
}

/// An attribute of a span of somebody else's.
fn any(value: &Value) -> AnyValue {
    let value = match value {
        Value::Bool(yes) => Any::BoolValue(*yes),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Any::DoubleValue(number.as_f64().unwrap()), Any::IntValue)
        }
        Value::String(text) => Any::StringValue(text.clone()),
        Value::Object(_) => Any::KvlistValue(KeyValueList { values: pairs(value) }),
        Value::Array(list) => Any::ArrayValue(ArrayValue { values: list.iter().map(any).collect() }),
        Value::Null => panic!("attributes have values"),
    };
    AnyValue { value: Some(value) }
}

pub(crate) fn pairs(all: &Value) -> Vec<KeyValue> {
    let pair =
        |(key, value): (&String, &Value)| KeyValue { key: key.clone(), value: Some(any(value)), ..KeyValue::default() };
    all.as_object().unwrap().iter().map(pair).collect()
}

/// A span of somebody else's, with these attributes.
pub(crate) fn foreign_span(all: &Value) -> Span {
    Span {
        trace_id: 7_u128.to_be_bytes().to_vec(),
        span_id: 9_u64.to_be_bytes().to_vec(),
        name: "ChatCompletion".into(),
        start_time_unix_nano: START as u64,
        end_time_unix_nano: START as u64 + 5,
        attributes: pairs(all),
        ..Span::default()
    }
}

pub(crate) fn event(name: &str, all: &Value) -> span::Event {
    span::Event { name: name.into(), time_unix_nano: START as u64, attributes: pairs(all), ..span::Event::default() }
}

pub(crate) fn failed(message: &str) -> Status {
    Status { message: message.into(), code: 2 }
}

pub(crate) fn body_of(spans: Vec<Span>, resource: &Value) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource = Some(ResourceMessage { attributes: pairs(resource), ..ResourceMessage::default() });
    let of_resource = ResourceSpans { resource, scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![of_resource] }.encode_to_vec()
}

/// The run that is read of a span with these attributes.
pub(crate) fn read(all: &Value) -> Run {
    read_span(foreign_span(all))
}

pub(crate) fn read_span(span: Span) -> Run {
    let Decoded { changes, problems, .. } = decode_traces(&body_of(vec![span], &json!({})));
    assert_eq!(problems, []);
    changes[0].run().unwrap().clone()
}
