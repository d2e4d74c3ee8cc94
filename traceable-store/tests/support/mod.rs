//! Runs at random, and a store in a folder of its own.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use std::borrow::Cow;

use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};
use traceable_core::model::{
    Attachment, AttachmentData, AttachmentFor, DottedOrder, Event, Json, OtelContext, Run, RunChange, RunId, RunType,
    Score, ScoreSource, ScoreTarget, SourceLocation, Status, StreamInfo, Usage,
};
use traceable_store::Store;

/// A moment in 2026.
pub const NOW: i64 = 1_780_000_000_000_000_000;

pub struct Folder {
    _folder: tempfile::TempDir,
    pub store: Store,
}

pub fn store() -> Folder {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("runs.db")).unwrap();
    Folder { _folder: folder, store }
}

pub fn id(number: u128) -> RunId {
    RunId::from_u128(number)
}

pub fn json(value: &Value) -> Option<Json> {
    Some(Json::from_value(value))
}

/// A run of a second that ended well.
pub fn run(number: u128, start: i64) -> Run {
    Run {
        id: id(number),
        trace_id: id(number),
        name: "answer".into(),
        start_time: NOW + start,
        end_time: Some(NOW + start + 1_000_000_000),
        status: Status::Ok,
        ..Run::default()
    }
}

pub fn child(number: u128, parent: u128, trace: u128, start: i64) -> Run {
    Run { trace_id: id(trace), parent_id: Some(id(parent)), ..run(number, start) }
}

pub fn end(run: Run) -> RunChange {
    RunChange::End(Box::new(run))
}

pub fn start(run: Run) -> RunChange {
    RunChange::Start(Box::new(run))
}

pub fn patch(run: Run) -> RunChange {
    RunChange::Patch(Box::new(run))
}

pub fn score(number: u128, target: ScoreTarget, key: &str, value: f64) -> Score {
    Score {
        id: id(number),
        target,
        key: key.into(),
        score: Some(value),
        value: None,
        label: None,
        comment: None,
        correction: None,
        source: ScoreSource::Human,
        user: None,
        time: NOW,
        tags: Vec::new(),
        metadata: Map::new(),
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["a", "b", "refund", "Refund now", "gpt-4o", "x'; DROP TABLE runs; --", "a\"b", "5"])
            .prop_map(str::to_owned),
        "\\PC{0,8}",
    ]
}

fn small() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "refund", "gpt-4o", "5"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5..9_i64).prop_map(Value::from),
        (-9.0..9.0_f64).prop_map(Value::from),
        text().prop_map(Value::from),
        Just(json!({ "deep": [1, "refund"] })),
    ]
}

fn map() -> impl Strategy<Value = Map<String, Value>> {
    vec((small(), value()), 0..3).prop_map(|entries| entries.into_iter().collect())
}

fn body() -> impl Strategy<Value = Json> {
    let picture = base64(&[7; 2_000]);
    prop_oneof![
        value().prop_map(|value| Json::from_value(&json!({ "input": value }))),
        text().prop_map(|text| Json::from_value(&json!({ "messages": [{ "role": "user", "content": text }] }))),
        Just(Json::from_value(&json!({}))),
        Just(Json::null()),
        Just(Json::from_value(&json!({ "url": format!("data:image/png;base64,{picture}"), "raw": picture }))),
        Just(Json::parse("{ \"b\": 1.50,\r\n \"a\": 123456789012345678901234567890 }").unwrap()),
    ]
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), (0..40_i64).prop_map(|seconds| NOW + seconds * 1_000_000_000)]
}

fn usage() -> impl Strategy<Value = Usage> {
    (option::of(0..9_u64), option::of(0..9_u64), option::of(0.0..0.01_f64)).prop_map(|(input, output, cost)| {
        let mut usage = Usage::default();
        (usage.input_tokens, usage.output_tokens, usage.total_cost) = (input, output, cost);
        usage
    })
}

fn attachment() -> impl Strategy<Value = Attachment> {
    let data = prop_oneof![
        vec(any::<u8>(), 0..40).prop_map(|bytes| AttachmentData::Bytes(bytes.into())),
        small().prop_map(AttachmentData::Url),
        "[a-z/]{0,9}".prop_map(|path| AttachmentData::Path(path.into())),
    ];
    (small(), data, map()).prop_map(|(name, data, metadata)| Attachment {
        name,
        mime: "image/png".into(),
        data,
        metadata,
    })
}

fn status() -> impl Strategy<Value = Status> {
    use Status::{Aborted, Cancelled, Error, Ok, Pending, Unknown};
    prop::sample::select(vec![Pending, Ok, Error, Cancelled, Aborted, Unknown])
}

fn stream() -> impl Strategy<Value = StreamInfo> {
    (time(), time(), 0..3_u64).prop_map(|(first_chunk, last_chunk, chunks)| StreamInfo {
        first_chunk,
        last_chunk,
        chunks,
        raw: vec![(first_chunk, Json::null())],
    })
}

/// A record of the run `id`, in one of a few traces.
pub fn record(id: RunId) -> impl Strategy<Value = Run> {
    let place = (0..3_u128, option::of(1..9_u128), any::<bool>(), text(), time(), option::of(time()), status());
    let bodies = (option::of(body()), option::of(body()), option::of(body()), option::of(text()));
    let kind = prop::sample::select(vec!["llm", "chain", "tool", "crawler"]);
    let inside = (vec(time(), 0..2), option::of(stream()), vec(text(), 0..3), map(), kind);
    let model = (option::of(small()), option::of(text()), map(), option::of(usage()));
    let about = (option::of(small()), option::of(small()), option::of(small()), option::of(text()), option::of(text()));
    let more = (option::of(small()), vec(attachment(), 0..3), map(), option::of(text()), any::<bool>());
    (place, bodies, inside, model, about, more).prop_map(move |(place, bodies, inside, model, about, more)| {
        let (trace, parent, has_order, name, start_time, end_time, status) = place;
        let (inputs, outputs, expected, error) = bodies;
        let (events, stream, tags, metadata, kind) = inside;
        let (provider, model, params, usage) = model;
        let (project, thread_id, session_id, user, environment) = about;
        let (release, attachments, variables, prompt_ref, has_otel) = more;
        let dotted_order =
            if has_order { DottedOrder::root(NOW, self::id(trace)).child(NOW + 1, id) } else { DottedOrder::default() };
        let otel =
            has_otel.then(|| OtelContext { trace_id: 7, parent_span_id: Some(9), tracestate: None, sampled: true });
        let source = has_otel.then(|| SourceLocation { module: "m".into(), file: "f".into(), line: 1 });
        // Without `..`, so that a new field cannot be forgotten here.
        #[rustfmt::skip]
        let run = Run {
            id, trace_id: self::id(trace), parent_id: parent.map(self::id), dotted_order, name: name.into(),
            run_type: RunType::from(kind), start_time, end_time, status, inputs, outputs, expected, error,
            events: events.into_iter().map(|time| Event { name: "e".into(), time, data: None }).collect(), stream, tags,
            metadata, provider, model, params: params.into_iter().collect(), usage, project: project.map(Cow::Owned),
            thread_id, session_id, user, environment, release, attachments, variables, prompt_ref: prompt_ref.clone(),
            deployment_ref: prompt_ref, otel, source,
        };
        run
    })
}

/// A record of any kind.
pub fn change(id: RunId) -> impl Strategy<Value = RunChange> {
    (record(id), 0..4_u8, attachment()).prop_map(move |(run, kind, attachment)| match kind {
        0 => start(run),
        1 => end(run),
        2 => patch(run),
        _ => RunChange::Attachment(AttachmentFor { run_id: id, attachment }),
    })
}

/// A score of one of a few runs.
pub fn any_score() -> impl Strategy<Value = Score> {
    (100..110_u128, 1..9_u128, small(), option::of(0.0..1.0_f64), option::of(small()), 0..3_i64).prop_map(
        |(number, run, key, value, label, time)| Score {
            score: value,
            label,
            time: NOW + time,
            ..score(number, ScoreTarget::Run(id(run)), &key, 0.0)
        },
    )
}
