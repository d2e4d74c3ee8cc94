//! What is encoded for LangSmith comes back as `normalise` says, and bytes of any kind are read or refused.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{borrow::Cow, collections::BTreeMap};

use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};
use traceable_core::model::{
    Attachment, AttachmentData, AttachmentFor, DottedOrder, Event, Json, OtelContext, Report, Run, RunChange, RunId,
    RunType, Score, ScoreSource, ScoreTarget, SourceLocation, Status, StreamInfo, Thread, Usage, User,
};
use traceable_wire::langsmith::{
    Encoder, decode_batch, decode_feedback, decode_multipart, decode_patch, decode_post, normalise, normalise_score,
};

const BOUNDARY: &str = "b7dbe3d42dca402fb18fe22f4b848c92";

/// Names that mean something to LangSmith, and others.
fn key() -> impl Strategy<Value = String> {
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
            "revision_id",
            "usage_metadata",
            "traceable.rest",
            "traceable.run_type",
            "traceable.langsmith",
            "temperature",
            "stop",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just("a".to_owned()), Just("b".to_owned()), "\\PC{0,8}", any::<String>()]
}

fn value() -> impl Strategy<Value = Value> {
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

fn map_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    vec((key(), value), 0..4).prop_map(|entries| entries.into_iter().collect())
}

fn json() -> impl Strategy<Value = Json> {
    prop_oneof![
        value().prop_map(|value| Json::from_value(&value)),
        value().prop_map(|value| Json::from_value(&json!({ "usage_metadata": value }))),
        Just(Json::parse("{ \"b\": 1.50,\r\n \"a\": 123456789012345678901234567890 }").unwrap()),
    ]
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), -9_000_000_000_000_000_000..9_000_000_000_000_000_000_i64]
}

fn id() -> impl Strategy<Value = RunId> {
    prop_oneof![Just(0), 1..4_u128, any::<u128>()].prop_map(RunId::from_u128)
}

fn order() -> impl Strategy<Value = DottedOrder> {
    vec((time(), id()), 0..4).prop_map(|levels| {
        let mut levels = levels.into_iter();
        let Some((start, id)) = levels.next() else { return DottedOrder::default() };
        levels.fold(DottedOrder::root(start, id), |order, (start, id)| order.child(start, id))
    })
}

fn run_type() -> impl Strategy<Value = RunType> {
    prop_oneof![
        prop::sample::select(vec!["llm", "chain", "tool", "parser", "agent", "router", "system"])
            .prop_map(RunType::from),
        text().prop_map(|name| RunType::Custom(Cow::Owned(name))),
    ]
}

fn status() -> impl Strategy<Value = Status> {
    use Status::{Aborted, Cancelled, Error, Ok, Pending, Unknown};
    prop::sample::select(vec![Pending, Ok, Error, Cancelled, Aborted, Unknown])
}

fn event() -> impl Strategy<Value = Event> {
    let name = prop_oneof![Just("new_token".to_owned()), text()];
    (name, time(), option::of(value())).prop_map(|(name, time, data)| Event { name: name.into(), time, data })
}

fn stream() -> impl Strategy<Value = StreamInfo> {
    (time(), time(), 0..3_u64, vec((time(), json()), 0..2))
        .prop_map(|(first_chunk, last_chunk, chunks, raw)| StreamInfo { first_chunk, last_chunk, chunks, raw })
}

fn usage() -> impl Strategy<Value = Usage> {
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

fn attachment() -> impl Strategy<Value = Attachment> {
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

fn otel() -> impl Strategy<Value = OtelContext> {
    (any::<u128>(), option::of(any::<u64>()), option::of(text()), any::<bool>()).prop_map(
        |(trace_id, parent_span_id, tracestate, sampled)| OtelContext { trace_id, parent_span_id, tracestate, sampled },
    )
}

fn source() -> impl Strategy<Value = SourceLocation> {
    (text(), text(), any::<u32>()).prop_map(|(module, file, line)| SourceLocation {
        module: module.into(),
        file: file.into(),
        line,
    })
}

fn run() -> impl Strategy<Value = Run> {
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

fn score() -> impl Strategy<Value = Score> {
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

/// What a run that was posted comes back as.
fn expected(run: Run) -> RunChange {
    let run = Box::new(normalise(run));
    if run.end_time.is_some() { RunChange::End(run) } else { RunChange::Start(run) }
}

fn sent(changes: &[RunChange]) -> Vec<RunChange> {
    let encoded = Encoder::default().multipart(changes, BOUNDARY, 1 << 24);
    assert_eq!((encoded.taken, encoded.refused), (changes.len(), 0));
    if encoded.body.is_empty() {
        return Vec::new();
    }
    let decoded = decode_multipart(&encoded.body, BOUNDARY);
    assert!(decoded.errors.is_empty(), "{:?}", decoded.errors);
    decoded.changes
}

proptest! {
    #[test]
    fn a_run_comes_back_as_it_is_normalised(run in run()) {
        prop_assert_eq!(sent(&[RunChange::End(Box::new(run.clone()))]), [expected(run)]);
    }

    #[test]
    fn what_is_normalised_stays_as_it_is(run in run()) {
        let once = normalise(run);
        prop_assert_eq!(normalise(once.clone()), once);
    }

    #[test]
    fn a_batch_of_json_brings_all_but_bytes(run in run()) {
        let run = Run { attachments: Vec::new(), ..run };
        let encoded = Encoder::default().batch(&[RunChange::End(Box::new(run.clone()))], 1 << 24);
        let decoded = decode_batch(&encoded.body);
        prop_assert_eq!(decoded.errors, []);
        prop_assert_eq!(decoded.changes, [expected(run)]);
    }

    #[test]
    fn a_score_comes_back(score in score()) {
        let score = match score.score {
            Some(number) if !number.is_finite() => Score { score: None, ..score },
            _ => score,
        };
        let is_thread = matches!(score.target, ScoreTarget::Thread(_));
        let bytes = serde_json::to_vec(&traceable_wire::langsmith::Feedback::new(&score)).unwrap();
        let expected = normalise_score(score.clone());
        prop_assert_eq!(decode_feedback(&bytes), Ok(expected.clone()));
        let in_a_body = if is_thread { vec![] } else { vec![RunChange::Score(Box::new(expected))] };
        prop_assert_eq!(sent(&[RunChange::Score(Box::new(score))]), in_a_body);
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        let _ = decode_batch(&bytes);
        let _ = decode_post(&bytes);
        let _ = decode_patch(RunId::from_u128(1), &bytes);
        let _ = decode_feedback(&bytes);
        let _ = decode_multipart(&bytes, BOUNDARY);
        let _ = decode_multipart(&bytes, "-");
    }

    #[test]
    fn a_damaged_body_spoils_only_what_is_damaged(run in run(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let changes = [RunChange::End(Box::new(run))];
        let mut body = Encoder::default().multipart(&changes, BOUNDARY, 1 << 24).body;
        let at = at.index(body.len());
        body[at] = byte;
        let _ = decode_multipart(&body, BOUNDARY);
        let _ = decode_multipart(&body[..cut.index(body.len())], BOUNDARY);
    }

    #[test]
    fn records_of_any_json_are_read(fields in map_of(value()), id in id()) {
        let mut fields = fields;
        for name in ["events", "tags", "extra", "inputs", "start_time", "end_time", "dotted_order", "error", "outputs"] {
            if let Some(value) = fields.values().next().cloned() {
                fields.insert(name.into(), value);
            }
        }
        prop_assert!(decode_patch(id, Value::Object(fields).to_string().as_bytes()).is_ok());
    }

    #[test]
    fn our_own_server_is_told_everything(
        score in score(),
        (file, run_id) in (attachment(), id()),
        (name, user, tags, metadata, time) in (text(), option::of(text()), vec(text(), 0..3), map_of(value()), time()),
        dropped in vec((text(), any::<u64>()), 0..3),
    ) {
        let score = Score { score: score.score.filter(|score| score.is_finite()), ..score };
        let report = Report { id: run_id, dropped: dropped.into_iter().collect() };
        let file = AttachmentFor { run_id, attachment: file };
        let thread = Thread {
            id: name.clone(), name: user.clone(), user: user.clone(), tags, metadata: metadata.clone(), time,
        };
        let changes = [
            RunChange::Score(Box::new(score.clone())),
            RunChange::Attachment(file),
            RunChange::Thread(Box::new(thread)),
            RunChange::User(Box::new(User { identifier: name, metadata, time })),
            RunChange::Report(report),
        ];
        let encoded = Encoder::default().lossless().multipart(&changes, BOUNDARY, 1 << 24);
        prop_assert_eq!((encoded.taken, encoded.left_out, encoded.refused), (5, 0, 0));
        let decoded = decode_multipart(&encoded.body, BOUNDARY);
        prop_assert_eq!(decoded.errors, []);
        let mut changes = changes;
        changes[0] = RunChange::Score(Box::new(normalise_score(score)));
        prop_assert_eq!(decoded.changes, changes);
    }

    #[test]
    fn a_file_of_its_own_comes_back(attachment in attachment(), run_id in id()) {
        let sent = sent(&[RunChange::Attachment(AttachmentFor { run_id, attachment: attachment.clone() })]);
        if !matches!(attachment.data, AttachmentData::Bytes(_)) {
            prop_assert_eq!(sent, []);
            return Ok(());
        }
        let [RunChange::Attachment(back)] = &*sent else { panic!("{sent:?}") };
        prop_assert_eq!((back.run_id, &back.attachment.data), (run_id, &attachment.data));
    }
}
