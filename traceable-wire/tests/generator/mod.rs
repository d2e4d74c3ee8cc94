//! Runs and scores of every shape, for the tests that send them through a protocol and back.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::{borrow::Cow, collections::BTreeMap};

use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};
use traceable_core::model::{
    Attachment, AttachmentData, DottedOrder, Event, Json, OtelContext, Run, RunId, RunType, Score, ScoreSource,
    ScoreTarget, SourceLocation, Status, StreamInfo, Usage,
};

/// Names that mean something to a protocol, and others.
pub fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "ls_provider",
            "ls_model_name",
            "ls_temperature",
            "ls_stop",
            "ls_invocation_params",
            "ls_user_id",
            "user_id",
            "thread_id",
            "session_id",
            "conversation_id",
            "environment",
            "revision_id",
            "usage_metadata",
            "traceable.rest",
            "traceable.run_type",
            "traceable.langsmith",
            "temperature",
            "stop",
            "user.id",
            "session.id",
            "input.value",
            "gen_ai.request.model",
            "db.system",
            "error.type",
            "messages",
            "tools",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ]
}

pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just("a".to_owned()), Just("b".to_owned()), "\\PC{0,8}", any::<String>()]
}

pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        text().prop_map(Value::from),
        Just(json!({ "input_tokens": 3, "output_tokens": 1, "output_cost": 0.1 })),
        Just(json!({ "input_tokens": 3, "input_token_details": { "audio": null } })),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::from), map_of(inner).prop_map(Value::from)]
    })
}

pub fn map_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    vec((key(), value), 0..4).prop_map(|entries| entries.into_iter().collect())
}

pub fn json() -> impl Strategy<Value = Json> {
    prop_oneof![
        value().prop_map(|value| Json::from_value(&value)),
        value().prop_map(|value| Json::from_value(&json!({ "usage_metadata": value }))),
        Just(Json::parse("{ \"b\": 1.50,\r\n \"a\": 123456789012345678901234567890 }").unwrap()),
    ]
}

pub fn time() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), -9_000_000_000_000_000_000..9_000_000_000_000_000_000_i64]
}

pub fn id() -> impl Strategy<Value = RunId> {
    prop_oneof![Just(0), 1..4_u128, any::<u128>()].prop_map(RunId::from_u128)
}

pub fn order() -> impl Strategy<Value = DottedOrder> {
    vec((time(), id()), 0..4).prop_map(|levels| {
        let mut levels = levels.into_iter();
        let Some((start, id)) = levels.next() else { return DottedOrder::default() };
        levels.fold(DottedOrder::root(start, id), |order, (start, id)| order.child(start, id))
    })
}

pub fn run_type() -> impl Strategy<Value = RunType> {
    prop_oneof![
        prop::sample::select(vec![
            "llm",
            "chain",
            "tool",
            "retriever",
            "embedding",
            "reranker",
            "parser",
            "agent",
            "system"
        ])
        .prop_map(RunType::from),
        text().prop_map(|name| RunType::Custom(Cow::Owned(name))),
    ]
}

pub fn status() -> impl Strategy<Value = Status> {
    use Status::{Aborted, Cancelled, Error, Ok, Pending, Unknown};
    prop::sample::select(vec![Pending, Ok, Error, Cancelled, Aborted, Unknown])
}

pub fn event() -> impl Strategy<Value = Event> {
    let name = prop_oneof![Just("new_token".to_owned()), text()];
    (name, time(), option::of(value())).prop_map(|(name, time, data)| Event { name: name.into(), time, data })
}

pub fn stream() -> impl Strategy<Value = StreamInfo> {
    (time(), time(), 0..3_u64, vec((time(), json()), 0..2))
        .prop_map(|(first_chunk, last_chunk, chunks, raw)| StreamInfo { first_chunk, last_chunk, chunks, raw })
}

pub fn usage() -> impl Strategy<Value = Usage> {
    let counts = || vec((text(), any::<u64>()), 0..3).prop_map(|counts| counts.into_iter().collect::<BTreeMap<_, _>>());
    let dollars = || vec((text(), 0.0..9.0_f64), 0..2).prop_map(|costs| costs.into_iter().collect::<BTreeMap<_, _>>());
    let tokens = (option::of(any::<u64>()), option::of(any::<u64>()), option::of(any::<u64>()));
    let costs = (option::of(0.0..9.0_f64), option::of(0.0..9.0_f64), option::of(0.0..9.0_f64));
    (tokens, counts(), counts(), costs, dollars(), dollars()).prop_map(
        |(tokens, input_token_details, output_token_details, costs, input_cost_details, output_cost_details)| {
            let mut usage = Usage::default();
            (usage.input_tokens, usage.output_tokens, usage.total_tokens) = tokens;
            (usage.input_token_details, usage.output_token_details) = (input_token_details, output_token_details);
            (usage.input_cost, usage.output_cost, usage.total_cost) = costs;
            (usage.input_cost_details, usage.output_cost_details) = (input_cost_details, output_cost_details);
            usage
        },
    )
}

pub fn attachment() -> impl Strategy<Value = Attachment> {
    let data = prop_oneof![
        vec(any::<u8>(), 0..40).prop_map(|bytes| AttachmentData::Bytes(bytes.into())),
        Just(AttachmentData::Bytes(b"\r\n--b7dbe3d42dca402fb18fe22f4b848c9\r\n\r\n"[..].into())),
        text().prop_map(AttachmentData::Url),
        "[a-z/]{0,9}".prop_map(|path| AttachmentData::Path(path.into())),
    ];
    let mime = prop_oneof![Just("image/png".to_owned()), Just("text/plain; charset=utf-8".to_owned()), text()];
    let metadata = prop_oneof![Just(Map::new()), map_of(value())];
    (text(), mime, data, metadata).prop_map(|(name, mime, data, metadata)| Attachment {
        name,
        mime: mime.into(),
        data,
        metadata,
    })
}

pub fn otel() -> impl Strategy<Value = OtelContext> {
    (any::<u128>(), option::of(any::<u64>()), option::of(text()), any::<bool>()).prop_map(
        |(trace_id, parent_span_id, tracestate, sampled)| OtelContext { trace_id, parent_span_id, tracestate, sampled },
    )
}

pub fn source() -> impl Strategy<Value = SourceLocation> {
    (text(), text(), any::<u32>()).prop_map(|(module, file, line)| SourceLocation {
        module: module.into(),
        file: file.into(),
        line,
    })
}

pub fn run() -> impl Strategy<Value = Run> {
    let place = (id(), id(), option::of(id()), order(), text(), run_type(), time(), option::of(time()), status());
    let bodies = (option::of(json()), option::of(json()), option::of(json()), option::of(text()));
    let inside = (vec(event(), 0..3), option::of(stream()), vec(text(), 0..3), map_of(value()));
    let model = (option::of(text()), option::of(text()), map_of(value()), option::of(usage()));
    let about = (option::of(text()), option::of(text()), option::of(text()), option::of(text()), option::of(text()));
    let more = (option::of(text()), vec(attachment(), 0..4), map_of(value()), option::of(text()), option::of(text()));
    (place, bodies, inside, model, about, more, option::of(otel()), option::of(source())).prop_map(
        |(place, bodies, inside, model, about, more, otel, source)| {
            let (id, trace_id, parent_id, dotted_order, name, run_type, start_time, end_time, status) = place;
            let (inputs, outputs, expected, error) = bodies;
            let (events, stream, tags, metadata) = inside;
            let (provider, model, params, usage) = model;
            let (project, thread_id, session_id, user, environment) = about;
            let (release, attachments, variables, prompt_ref, deployment_ref) = more;
            // Without `..`, so that a new field cannot be forgotten here.
            #[rustfmt::skip]
            let run = Run {
                id, trace_id, parent_id, dotted_order, name: name.into(), run_type, start_time, end_time, status, inputs,
                outputs, expected, error, events, stream, tags, metadata, provider, model,
                params: params.into_iter().collect(), usage, project: project.map(Into::into), thread_id, session_id, user,
                environment, release, attachments, variables, prompt_ref, deployment_ref, otel, source,
            };
            run
        },
    )
}

pub fn score() -> impl Strategy<Value = Score> {
    let target = prop_oneof![
        id().prop_map(ScoreTarget::Run),
        id().prop_map(ScoreTarget::Trace),
        text().prop_map(ScoreTarget::Thread),
    ];
    let source = prop::sample::select(vec![ScoreSource::Human, ScoreSource::Code, ScoreSource::Ai]);
    let said =
        (option::of(any::<f64>()), option::of(value()), option::of(text()), option::of(text()), option::of(value()));
    (id(), target, text(), said, source, option::of(text()), time(), vec(text(), 0..3), map_of(value())).prop_map(
        |(id, target, key, (score, value, label, comment, correction), source, user, time, tags, metadata)| {
            #[rustfmt::skip]
            let score = Score {
                id, target, key, score, value, label, comment, correction, source, user, time, tags, metadata,
            };
            score
        },
    )
}
