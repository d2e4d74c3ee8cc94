//! Which changes become requests, and how these are split.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message as _;
use serde_json::{Map, json};
use traceable_core::model::{
    Attachment, AttachmentFor, Report, Run, RunChange, RunId, Score, ScoreSource, ScoreTarget,
};
use traceable_wire::otlp::{
    Answer, Conventions, Encoder, MAX_BYTES, Resource, Signal, TARGET_BYTES, decode_answer, decode_logs, decode_traces,
};

use crate::support::{START, attributes, chat, end, json_of, run, spans};

fn encoder() -> Encoder {
    Encoder::new(Conventions::default(), Resource::default())
}

fn with_text(number: u32, bytes: usize) -> RunChange {
    let id = RunId::new(START, 1, number);
    end(&Run { id, trace_id: id, ..run("chain", &json!({ "text": "x".repeat(bytes) }), &json!({})) })
}

fn score(target: ScoreTarget) -> RunChange {
    RunChange::Score(Box::new(Score {
        id: RunId::from_u128(5),
        target,
        key: "helpfulness".into(),
        score: Some(1.0),
        value: None,
        label: None,
        comment: None,
        correction: None,
        source: ScoreSource::Human,
        user: None,
        time: START,
        tags: vec![],
        metadata: Map::new(),
    }))
}

/// A run as it is announced and then ended: the end has what is new, and its inputs stay in the start.
fn in_two() -> [RunChange; 2] {
    let whole = chat();
    let start = Run { outputs: None, end_time: None, usage: None, ..whole.clone() };
    let end = Run { inputs: None, metadata: Map::new(), ..whole };
    [RunChange::Start(Box::new(start)), RunChange::End(Box::new(end))]
}

#[test]
fn a_start_and_an_end_are_one_span() {
    let [start, end] = in_two();
    let whole = encoder().encode(&[RunChange::End(Box::new(chat()))], MAX_BYTES);
    let mut encoder = encoder();
    assert_eq!(encoder.encode(std::slice::from_ref(&start), MAX_BYTES).requests, []);
    assert_eq!(encoder.encode(std::slice::from_ref(&end), MAX_BYTES).requests[0].body, whole.requests[0].body);
    assert_eq!(encoder.encode(&[start, end], MAX_BYTES).requests[0].body, whole.requests[0].body);
}

#[test]
fn what_is_added_while_a_run_is_open_or_beside_its_end_goes_along() {
    let patch = |tag: &str| RunChange::Patch(Box::new(Run { id: chat().id, tags: vec![tag.into()], ..Run::default() }));
    let [start, end] = in_two();
    let mut encoder = encoder();
    let before = encoder.encode(&[start, patch("open")], MAX_BYTES);
    assert_eq!((before.requests.len(), before.left_out), (0, 0));
    let beside = encoder.encode(&[end, patch("beside")], MAX_BYTES);
    assert_eq!(spans(&beside.requests[0].body)[0].get("tag.tags"), json!(["beside"]));
    let late = encoder.encode(&[patch("late")], MAX_BYTES);
    assert_eq!((late.requests.len(), late.left_out), (0, 1));
}

#[test]
fn what_otlp_has_no_place_for_is_counted() {
    let attachment = Attachment::url("text/html", "https://example.com");
    let changes = [
        RunChange::Attachment(AttachmentFor { run_id: RunId::from_u128(1), attachment }),
        RunChange::Thread(Box::default()),
        RunChange::User(Box::default()),
        RunChange::Report(Report::default()),
    ];
    let encoded = encoder().encode(&changes, MAX_BYTES);
    assert_eq!((encoded.requests.len(), encoded.left_out), (0, 3));
}

#[test]
fn a_batch_is_split_by_bytes() {
    let changes: Vec<_> = (0..40).map(|number| with_text(number, 100_000)).collect();
    let encoded = encoder().encode(&changes, MAX_BYTES);
    assert!(encoded.requests.len() > 1);
    let mut at = 0;
    for request in &encoded.requests {
        assert!(request.body.len() <= TARGET_BYTES + 4096, "{}", request.body.len());
        assert_eq!((request.changes.start, request.items), (at, request.changes.len()));
        assert_eq!(spans(&request.body).len(), request.items);
        at = request.changes.end;
    }
    assert_eq!(at, 40);
}

#[test]
fn a_smaller_server_gets_smaller_requests() {
    let changes: Vec<_> = (0..40).map(|number| with_text(number, 5_000)).collect();
    for request in encoder().encode(&changes, 60_000).requests {
        assert!(request.body.len() <= 60_000, "{}", request.body.len());
    }
}

#[test]
fn a_span_that_is_too_long_has_its_longest_texts_cut() {
    let mut huge = chat();
    huge.outputs = Some(json_of(&json!({ "output": "ü".repeat(MAX_BYTES / 2) })));
    let encoded = encoder().encode(&[end(&huge), with_text(1, 10)], MAX_BYTES);
    assert_eq!((encoded.cut, encoded.refused), (1, 0));
    let spans: Vec<_> = encoded.requests.iter().flat_map(|request| spans(&request.body)).collect();
    assert!(encoded.requests.iter().all(|request| request.body.len() <= MAX_BYTES));
    assert_eq!(spans[0].get("llm.input_messages.1.message.content"), "Weather in Paris?");
    let output = spans[0].get("output.value");
    assert!(
        output.as_str().unwrap().ends_with(&format!(" of {} bytes]", huge.outputs.as_ref().unwrap().as_str().len()))
    );

    let decoded = decode_traces(&encoded.requests[0].body);
    let cut = decoded.changes[0].run().unwrap();
    assert_eq!(cut.inputs, huge.inputs);
    assert!(cut.outputs.as_ref().unwrap().as_str().contains("[cut: "));
}

#[test]
fn a_conversation_that_is_too_long_keeps_its_last_messages() {
    let messages: Vec<_> = (0..60_000).map(|i| json!({ "role": "user", "content": format!("message {i}") })).collect();
    let long = Run { inputs: Some(json_of(&json!({ "messages": messages }))), ..chat() };
    let encoded = encoder().encode(&[end(&long)], MAX_BYTES);
    assert_eq!((encoded.cut, encoded.refused), (1, 0));
    let span = &spans(&encoded.requests[0].body)[0];
    assert_eq!(span.get("llm.input_messages.59999.message.content"), "message 59999");
    assert_eq!(span.get("llm.input_messages.0.message.content"), json!(null));
}

#[test]
fn a_span_that_fits_nowhere_is_refused_and_spoils_no_other() {
    let tags = (0..200_000).map(|i| format!("tag {i}")).collect();
    let name = "n".repeat(MAX_BYTES).into();
    let changes = [end(&Run { name, ..chat() }), end(&Run { tags, ..chat() }), with_text(1, 10)];
    let encoded = encoder().encode(&changes, MAX_BYTES);
    assert_eq!(encoded.refused, 0, "a name is cut as well");
    assert_eq!(encoded.requests.iter().map(|request| request.items).sum::<usize>(), 3);
    assert_eq!(encoder().encode(&changes, 4_096).refused, 3);
}

#[test]
fn scores_of_runs_that_were_sent_and_of_conversations_are_log_records() {
    let changes = [
        score(ScoreTarget::Trace(chat().id)),
        score(ScoreTarget::Run(chat().id)),
        score(ScoreTarget::Thread("conversation-1".into())),
        with_text(1, 10),
    ];
    let encoded = encoder().encode(&changes, MAX_BYTES);
    let [traces, logs] = &*encoded.requests else { panic!("{encoded:?}") };
    assert_eq!((traces.signal.path(), logs.signal.path()), ("/v1/traces", "/v1/logs"));
    assert_eq!((traces.changes.clone(), logs.changes.clone(), logs.items), (0..4, 0..4, 3));
    let request = ExportLogsServiceRequest::decode(&*logs.body).unwrap();
    let records = &request.resource_logs[0].scope_logs[0].log_records;
    let [of_trace, of_run, of_thread] = &**records else { panic!("{records:?}") };
    assert_eq!(of_trace.event_name, "gen_ai.evaluation.result");
    assert_eq!(of_trace.trace_id, chat().id.as_u128().to_be_bytes());
    assert_eq!(of_trace.span_id, chat().id.span_id().to_be_bytes());
    assert!(of_run.trace_id.is_empty());
    assert_eq!(attributes(&of_thread.attributes)["gen_ai.conversation.id"], "conversation-1");
    assert_eq!(decode_logs(&logs.body).changes, changes[..3]);
}

#[test]
fn a_score_of_an_open_run_is_put_into_its_trace() {
    let [start, _] = in_two();
    let encoded = encoder().encode(&[start, score(ScoreTarget::Run(chat().id))], MAX_BYTES);
    assert_eq!(encoded.requests[0].signal, Signal::Logs);
    let request = ExportLogsServiceRequest::decode(&*encoded.requests[0].body).unwrap();
    let record = &request.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!(record.trace_id, chat().id.as_u128().to_be_bytes());
}

#[test]
fn open_runs_are_kept_up_to_a_bound_and_the_oldest_forgotten() {
    let start = |number| {
        let id = RunId::new(START, 1, number);
        let inputs = Some(json_of(&json!({ "text": "x".repeat(1 << 20) })));
        RunChange::Start(Box::new(Run { id, trace_id: id, inputs, ..Run::default() }))
    };
    let mut encoder = encoder();
    let forgotten: u64 = (0..80).map(|number| encoder.encode(&[start(number)], MAX_BYTES).forgotten).sum();
    assert!((16..24).contains(&forgotten), "{forgotten}");
    let ends = [0, 79].map(|number| {
        let id = RunId::new(START, 1, number);
        RunChange::End(Box::new(Run { id, trace_id: id, end_time: Some(START), ..Run::default() }))
    });
    let requests = encoder.encode(&ends, MAX_BYTES).requests;
    let spans: Vec<_> = requests.iter().flat_map(|request| spans(&request.body)).collect();
    assert_eq!(spans[0].get("input.value"), json!(null));
    assert!(spans[1].get("input.value").as_str().is_some());
}

#[test]
fn an_answer_says_what_was_refused() {
    use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
    let partial = ExportTracePartialSuccess { rejected_spans: 300, error_message: "é".repeat(5000) };
    let body = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    let answer = decode_answer(&body);
    assert_eq!((answer.rejected, answer.message.chars().count()), (300, 2048));
    assert_eq!(decode_answer(b"<html>").rejected, 0);
    assert_eq!(decode_answer(&[]), Answer::default());
}
