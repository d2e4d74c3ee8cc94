//! What a span is beside its attributes: ids, times, kind, status, events, resource.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Value, json};
use traceable_core::model::{
    Event, OtelContext, Run, RunChange, RunId, Score, ScoreSource, ScoreTarget, SourceLocation, Status,
};
use traceable_wire::otlp::{Convention, Conventions, Encoder, MAX_BYTES, Resource};

use crate::support::{START, attributes, chat, end, run, sent, span_of, spans};

const BOTH: [Convention; 2] = [Convention::GenAi, Convention::OpenInference];

fn child_of(parent: &Run) -> Run {
    let id = RunId::new(START, 0x1234, 2);
    Run {
        id,
        trace_id: parent.id,
        parent_id: Some(parent.id),
        dotted_order: parent.dotted_order.child(START, id),
        ..run("tool", &json!({}), &json!({}))
    }
}

#[test]
fn ids_are_the_trace_of_the_root_and_the_last_half_of_the_run() {
    let root = chat();
    let child = child_of(&root);
    let spans = sent(&[end(&child), end(&root)], &BOTH);
    let [of_child, of_root] = &*spans else { panic!("{spans:?}") };
    assert_eq!(of_root.span.trace_id, root.id.as_u128().to_be_bytes());
    assert_eq!(of_root.span.span_id, root.id.span_id().to_be_bytes());
    assert_eq!(of_child.span.parent_span_id, of_root.span.span_id);
    assert_eq!(of_child.span.trace_id, of_root.span.trace_id);
    assert!(of_root.span.parent_span_id.is_empty());
    assert_eq!(of_root.get("traceable.run.id"), root.id.to_string());
    assert_eq!(of_child.get("traceable.run.parent_id"), root.id.to_string());
    assert_eq!((of_root.span.flags, of_root.span.name.as_str()), (0x101, "answer"));
    assert_eq!(of_root.span.start_time_unix_nano, START as u64);
    assert_eq!(of_root.span.end_time_unix_nano, START as u64 + 1_000_000_000);
}

#[test]
fn a_run_in_a_foreign_trace_goes_on_in_it() {
    let otel = OtelContext { trace_id: 7, parent_span_id: Some(9), tracestate: Some("a=b".into()), sampled: true };
    let span = span_of(&Run { otel: Some(otel), ..chat() }, &BOTH).span;
    assert_eq!(span.trace_id, 7_u128.to_be_bytes());
    assert_eq!(span.parent_span_id, 9_u64.to_be_bytes());
    assert_eq!((span.trace_state.as_str(), span.flags), ("a=b", 0x301));
}

#[test]
fn calls_of_services_are_client_spans() {
    for (run_type, kind) in [
        ("llm", SpanKind::Client),
        ("embedding", SpanKind::Client),
        ("tool", SpanKind::Internal),
        ("chain", SpanKind::Internal),
    ] {
        assert_eq!(span_of(&run(run_type, &json!({}), &json!({})), &BOTH).span.kind(), kind, "{run_type}");
    }
}

#[test]
fn an_error_is_a_status_and_an_exception() {
    for (text, kind) in [
        ("RateLimitError: slow down", "RateLimitError"),
        ("reqwest::Error { kind: Timeout }", "reqwest::Error"),
        ("NotFound(\"x\")", "NotFound"),
        ("Nothing was found", "_OTHER"),
        ("", "_OTHER"),
        ("keine Verbindung: é", "_OTHER"),
    ] {
        let failed = Run { error: Some(text.into()), status: Status::Error, ..chat() };
        let sent = span_of(&failed, &BOTH);
        assert_eq!(sent.get("error.type"), kind);
        let status = sent.span.status.as_ref().unwrap();
        assert_eq!((status.code, status.message.as_str()), (2, text));
        let [event] = &*sent.span.events else { panic!("{sent:?}") };
        assert_eq!((event.name.as_str(), event.time_unix_nano), ("exception", START as u64 + 1_000_000_000));
        let said = json!({ "exception.type": kind, "exception.message": text });
        assert_eq!(serde_json::to_value(attributes(&event.attributes)).unwrap(), said);
    }
    assert_eq!(span_of(&chat(), &BOTH).span.status.unwrap().code, 1);
    let cancelled = Run { status: Status::Cancelled, ..chat() };
    assert_eq!(span_of(&cancelled, &BOTH).span.status.unwrap().code, 0);
}

#[test]
fn events_keep_their_times_and_what_they_say() {
    let data = Some(json!({ "attempt": 2, "why": "busy" }));
    let retried = Event { name: "retry".into(), time: START + 5, data };
    let first = Event { name: "new_token".into(), time: START + 9, data: None };
    let sent = span_of(&Run { events: vec![retried, first], ..chat() }, &BOTH);
    let [retried, first] = &*sent.span.events else { panic!("{sent:?}") };
    assert_eq!((retried.name.as_str(), retried.time_unix_nano), ("retry", START as u64 + 5));
    assert_eq!(attributes(&retried.attributes)["attempt"], 2);
    assert_eq!((first.name.as_str(), first.attributes.len()), ("new_token", 0));
}

#[test]
fn a_score_of_a_run_in_the_batch_is_an_event_of_its_span() {
    let score = Score {
        id: RunId::from_u128(5),
        target: ScoreTarget::Trace(chat().id),
        key: "helpfulness".into(),
        score: Some(0.75),
        value: None,
        label: Some("good".into()),
        comment: Some("to the point".into()),
        correction: None,
        source: ScoreSource::Human,
        user: None,
        time: START + 7,
        tags: vec![],
        metadata: serde_json::Map::new(),
    };
    let sent = sent(&[RunChange::Score(Box::new(score)), end(&chat())], &BOTH);
    let [event] = &*sent[0].span.events else { panic!("{sent:?}") };
    assert_eq!((event.name.as_str(), event.time_unix_nano), ("gen_ai.evaluation.result", START as u64 + 7));
    let said = attributes(&event.attributes);
    let names = ["name", "score.value", "score.label", "explanation"]
        .map(|name| said[&format!("gen_ai.evaluation.{name}")].clone());
    assert_eq!(names, [json!("helpfulness"), json!(0.75), json!("good"), json!("to the point")]);
}

#[test]
fn the_source_is_where_opentelemetry_looks_for_it() {
    let source = SourceLocation { module: "app".into(), file: "src/app.rs".into(), line: 12 };
    let span = span_of(&Run { source: Some(source), ..chat() }, &BOTH);
    assert_eq!((span.get("code.file.path"), span.get("code.line.number")), (json!("src/app.rs"), json!(12)));
}

#[test]
fn runs_of_different_projects_are_of_different_resources() {
    let other = Run { project: Some("shop".into()), environment: None, release: None, ..child_of(&chat()) };
    let resource = Resource::default().with("service.version", "9").with("team", "search");
    let encoded =
        Encoder::new(Conventions::default(), resource).encode(&[end(&chat()), end(&other), end(&chat())], MAX_BYTES);
    let spans = spans(&encoded.requests[0].body);
    assert_eq!((encoded.requests.len(), encoded.requests[0].items, spans.len()), (1, 3, 3));
    assert_eq!(
        serde_json::to_value(&spans[0].resource).unwrap(),
        json!({
            "service.name": "chatbot_app", "service.version": "1.4.2", "deployment.environment.name": "production",
            "openinference.project.name": "chatbot_app", "team": "search", "telemetry.sdk.name": "traceable",
            "telemetry.sdk.language": "rust", "telemetry.sdk.version": env!("CARGO_PKG_VERSION"),
        })
    );
    assert_eq!(spans[1].resource, spans[0].resource);
    assert_eq!(
        (&spans[2].resource["service.name"], &spans[2].resource["service.version"]),
        (&json!("shop"), &json!("9"))
    );
    assert_eq!(spans[2].resource.get("deployment.environment.name"), None);
}

#[test]
fn a_service_keeps_its_own_name() {
    let named = Resource::parse("service.name=my%20service, team=a%3Db").unwrap();
    let encoded = Encoder::new(Conventions::default(), named).encode(&[end(&chat())], MAX_BYTES);
    let sent = spans(&encoded.requests[0].body).remove(0);
    assert_eq!((&sent.resource["service.name"], &sent.resource["team"]), (&json!("my service"), &json!("a=b")));
    assert_eq!(sent.resource["openinference.project.name"], "chatbot_app");
    for broken in ["a", "=b", "a=%", "a=%zz", "a=%ff", "a=%4"] {
        assert!(Resource::parse(broken).is_err(), "{broken}");
    }
    assert_eq!(Resource::parse(" , "), Ok(Resource::default()));
}

#[test]
fn an_event_and_metadata_cannot_take_the_names_of_conventions() {
    let mut run = chat();
    for name in ["gen_ai.request.model", "input.value", "traceable.run.id", "db.system"] {
        run.metadata.insert(name.into(), json!("mine"));
    }
    let span = span_of(&run, &BOTH);
    assert_eq!(span.get("gen_ai.request.model"), "gpt-4o");
    assert_eq!(span.get("db.system"), "mine");
    assert_ne!(span.get("input.value"), Value::from("mine"));
    assert_eq!(span.get("traceable.run.id"), run.id.to_string());
}
