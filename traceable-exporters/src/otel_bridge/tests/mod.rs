//! Runs in, and what the application's own provider exports of them.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, UNIX_EPOCH},
};

use opentelemetry::{
    Context, KeyValue, SpanId, TraceId, Value,
    trace::{SpanKind, Status as SpanStatus, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{
        IdGenerator, InMemorySpanExporter, RandomIdGenerator, Sampler, SdkTracerProvider, Span as SdkSpan, SpanData,
        SpanProcessor,
    },
};
use serde_json::json;
use traceable_core::{
    export::{Ack, Batch, ExportError, Exporter as _},
    model::{
        DottedOrder, Event, Json, OtelContext, Run, RunChange, RunId, RunType, Score, ScoreSource, ScoreTarget, Status,
    },
};
use traceable_wire::otlp::{AttributeValue, Conventions, Span};

use super::OtelBridge;

/// As the documentation has it.
#[derive(Debug, Default)]
struct RunIds(RandomIdGenerator);

impl IdGenerator for RunIds {
    fn new_trace_id(&self) -> TraceId {
        OtelBridge::next_trace_id().unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        OtelBridge::next_span_id().unwrap_or_else(|| self.0.new_span_id())
    }
}

/// An application with a provider of its own.
struct App {
    provider: SdkTracerProvider,
    exported: InMemorySpanExporter,
    bridge: OtelBridge,
}

impl App {
    fn new(ids: impl IdGenerator + 'static, sampler: Sampler) -> Self {
        let exported = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(exported.clone())
            .with_id_generator(ids)
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_max_attributes_per_span(1000)
            .build();
        let bridge = OtelBridge::new(&provider).conventions(Conventions::default());
        Self { provider, exported, bridge }
    }

    fn try_take(&mut self, changes: Vec<RunChange>) -> Result<Ack, ExportError> {
        futures_now(self.bridge.export(&Batch::new(changes)))
    }

    /// Takes changes. Answers how many were refused.
    fn take(&mut self, changes: Vec<RunChange>) -> u64 {
        self.try_take(changes).unwrap().refused
    }

    fn flush(&mut self) {
        futures_now(self.bridge.flush()).unwrap();
    }

    /// What was exported, by its name.
    fn spans(&self) -> BTreeMap<String, SpanData> {
        let spans = self.exported.get_finished_spans().unwrap();
        let by_name: BTreeMap<_, _> = spans.iter().map(|span| (span.name.to_string(), span.clone())).collect();
        assert_eq!(by_name.len(), spans.len(), "each span once");
        by_name
    }
}

fn futures_now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("the provider is called at once"),
    }
}

fn id(number: u32) -> RunId {
    RunId::new(i64::from(number) * 1_000_000_000, 0x3ff_1234_5678, number)
}

/// A run of this number, below those of these numbers.
fn run(number: u32, above: &[u32]) -> Run {
    let start = i64::from(number) * 1_000_000_000;
    let root = above.first().map_or(id(number), |root| id(*root));
    Run {
        id: id(number),
        trace_id: root,
        parent_id: above.last().map(|parent| id(*parent)),
        dotted_order: DottedOrder::root(start, id(number)),
        name: format!("run {number}").into(),
        run_type: RunType::Llm,
        start_time: start,
        end_time: Some(start + 500_000_000),
        status: Status::Ok,
        model: Some("gpt-4o".into()),
        provider: Some("openai".into()),
        tags: vec!["a".into(), "b".into()],
        inputs: Some(Json::from_value(
            &json!({ "messages": [{ "role": "user", "content": "hi" }], "temperature": 0.5 }),
        )),
        outputs: Some(Json::from_value(&json!({ "output": "Sure" }))),
        ..Run::default()
    }
}

fn end(run: &Run) -> RunChange {
    RunChange::End(Box::new(run.clone()))
}

/// What is announced of a run, and what its end says after that.
fn in_two(run: &Run) -> (RunChange, RunChange) {
    let start = Run { outputs: None, end_time: None, status: Status::Pending, ..run.clone() };
    let end = Run { inputs: None, ..run.clone() };
    (RunChange::Start(Box::new(start)), RunChange::End(Box::new(end)))
}

fn score(of: RunId) -> RunChange {
    RunChange::Score(Box::new(Score {
        id: RunId::from_u128(9),
        target: ScoreTarget::Run(of),
        key: "helpful".into(),
        score: Some(0.5),
        value: None,
        label: None,
        comment: None,
        correction: None,
        source: ScoreSource::Human,
        user: None,
        time: 3,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
    }))
}

fn said(span: &SpanData) -> BTreeMap<&str, &Value> {
    let said: BTreeMap<_, _> = span.attributes.iter().map(|said| (said.key.as_str(), &said.value)).collect();
    assert_eq!(said.len(), span.attributes.len(), "each attribute once");
    said
}

fn parents(spans: &BTreeMap<String, SpanData>) -> BTreeSet<(&str, &str)> {
    let name =
        |id: SpanId| spans.values().find(|span| span.span_context.span_id() == id).map_or("", |span| &*span.name);
    spans.values().map(|span| (&*span.name, name(span.parent_span_id))).collect()
}

#[test]
fn spans_have_the_ids_the_tree_and_the_times_of_their_runs() {
    let mut app = App::new(RunIds::default(), Sampler::AlwaysOn);
    let (root, middle, leaf) = (run(1, &[]), run(2, &[1]), run(3, &[1, 2]));
    let (announced, ended) = in_two(&root);
    // A child ends before its parent, and one before its parent is known.
    assert_eq!(app.take(vec![announced, end(&leaf)]), 0);
    assert_eq!(app.take(vec![end(&middle)]), 0);
    assert_eq!(app.take(vec![ended]), 0);
    let spans = app.spans();
    assert_eq!(parents(&spans), [("run 1", ""), ("run 2", "run 1"), ("run 3", "run 2")].into());
    for run in [root, middle, leaf] {
        let span = &spans[&*run.name];
        assert_eq!(span.span_context.trace_id(), TraceId::from(run.trace_id.otel_trace_id()));
        assert_eq!(span.span_context.span_id(), SpanId::from(run.id.span_id()));
        let moment = |nanos: i64| UNIX_EPOCH + Duration::from_nanos(nanos as u64);
        assert_eq!((span.start_time, span.end_time), (moment(run.start_time), moment(run.end_time.unwrap())));
        assert_eq!((&span.span_kind, &span.status), (&SpanKind::Client, &SpanStatus::Ok));
        assert_eq!(span.instrumentation_scope.name(), "traceable");
    }
    assert_eq!((OtelBridge::next_span_id(), OtelBridge::next_trace_id()), (None, None));
}

#[test]
fn a_provider_that_makes_its_own_ids_keeps_the_tree() {
    let mut app = App::new(RandomIdGenerator::default(), Sampler::AlwaysOn);
    let (announced, ended) = in_two(&run(2, &[1]));
    app.take(vec![end(&run(4, &[1, 2, 3])), end(&run(3, &[1, 2])), announced, ended, end(&run(1, &[]))]);
    // The announced one was begun when nobody knew what it is below, so its place is made of its ids.
    let spans = app.spans();
    assert_eq!(parents(&spans), [("run 1", ""), ("run 2", ""), ("run 3", "run 2"), ("run 4", "run 3")].into());

    let mut app = App::new(RandomIdGenerator::default(), Sampler::AlwaysOn);
    let (announced, ended) = in_two(&run(1, &[]));
    let (below, below_ended) = in_two(&run(2, &[1]));
    app.take(vec![announced, below, end(&run(3, &[1, 2])), below_ended, ended]);
    // One that ends after what is above it, as a task does.
    app.take(vec![end(&run(4, &[1, 2]))]);
    let spans = app.spans();
    let expected = [("run 1", ""), ("run 2", "run 1"), ("run 3", "run 2"), ("run 4", "run 2")];
    assert_eq!(parents(&spans), expected.into());
    let trace = spans["run 1"].span_context.trace_id();
    assert!(spans.values().all(|span| span.span_context.trace_id() == trace));
}

#[test]
fn a_span_says_what_our_own_exporter_sends() {
    for names in ["genai,openinference", "langsmith", "openlit"] {
        let conventions: Conventions = names.parse().unwrap();
        let mut app = App::new(RunIds::default(), Sampler::AlwaysOn);
        app.bridge = std::mem::replace(&mut app.bridge, OtelBridge::global()).conventions(conventions);
        let mut runs = [run(1, &[]), run(2, &[])];
        runs[1].id = RunId::from_u128(2 << 80);
        for run in &mut runs {
            run.metadata.insert("server.address".into(), json!("example.org"));
            run.metadata.insert("nested".into(), json!({ "a": [1, 2.5, true] }));
        }
        let (announced, ended) = in_two(&runs[0]);
        app.take(vec![announced, ended, end(&runs[1])]);
        let spans = app.exported.get_finished_spans().unwrap();
        assert_eq!(spans.len(), 2);
        for (span, run) in spans.iter().zip(&runs) {
            let expected = Span::of(run, &[], conventions);
            let expected: BTreeMap<_, _> = expected.attributes.into_iter().collect();
            assert!(expected.len() > 8, "{expected:?}");
            let said = said(span);
            assert_eq!(said.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
            for (name, expected) in &expected {
                let is = match expected {
                    AttributeValue::Text(text) => *said[&**name] == Value::from(text.clone()),
                    AttributeValue::Bool(flag) => *said[&**name] == Value::from(*flag),
                    AttributeValue::Int(number) => *said[&**name] == Value::from(*number),
                    AttributeValue::Double(number) => *said[&**name] == Value::from(*number),
                    AttributeValue::Texts(texts) => {
                        format!("{:?}", said[&**name]).matches("Owned").count() >= texts.len()
                    }
                    _ => false,
                };
                assert!(is, "{name}: {expected:?}, {:?}", said[&**name]);
            }
        }
    }
}

#[test]
fn errors_events_and_scores_are_events() {
    let mut app = App::new(RunIds::default(), Sampler::AlwaysOn);
    let events = vec![Event { name: "retry".into(), time: 1_100_000_000, data: Some(json!({ "attempt": 2 })) }];
    let error = Some("TimeoutError: too late".into());
    let failed = Run { status: Status::Error, error, events, ..run(1, &[]) };
    // Scores come before the end of their run, with it, and when it is too late.
    app.take(vec![score(failed.id)]);
    assert_eq!(app.take(vec![end(&failed), score(failed.id)]), 0);
    assert_eq!(app.take(vec![score(failed.id)]), 1);
    let spans = app.spans();
    let span = &spans["run 1"];
    assert_eq!(span.status, SpanStatus::error("TimeoutError: too late"));
    let events: Vec<&str> = span.events.iter().map(|event| &*event.name).collect();
    assert_eq!(events, ["retry", "exception", "gen_ai.evaluation.result", "gen_ai.evaluation.result"]);
    assert!(span.events[0].attributes.contains(&KeyValue::new("attempt", 2)));
    assert!(span.events[1].attributes.contains(&KeyValue::new("exception.type", "TimeoutError")));
    assert_eq!(said(span)["error.type"], &Value::from("TimeoutError"));
}

#[test]
fn a_run_that_began_in_a_span_of_the_application_is_below_it() {
    let mut app = App::new(RunIds::default(), Sampler::AlwaysOn);
    let tracer = app.provider.tracer("app");
    let request = Context::new().with_span(tracer.start_with_context("request", &Context::new()));
    let around = request.span().span_context().clone();
    let otel = OtelContext {
        trace_id: u128::from_be_bytes(around.trace_id().to_bytes()),
        parent_span_id: Some(u64::from_be_bytes(around.span_id().to_bytes())),
        tracestate: Some("vendor=1".into()),
        sampled: true,
    };
    let root = Run { otel: Some(otel.clone()), ..run(1, &[]) };
    let below = Run { otel: Some(OtelContext { parent_span_id: None, ..otel.clone() }), ..run(2, &[1]) };
    // Another trace of the application, that its sampler has left out.
    let unsampled = OtelContext { trace_id: 7, sampled: false, ..otel };
    let left_out = Run { otel: Some(unsampled), ..run(3, &[]) };
    app.take(vec![end(&below), end(&root), end(&left_out), end(&run(4, &[3]))]);
    request.span().end();
    let spans = app.spans();
    assert_eq!(parents(&spans), [("request", ""), ("run 1", "request"), ("run 2", "run 1")].into());
    assert!(spans.values().all(|span| span.span_context.trace_id() == around.trace_id()));
    assert_eq!(spans["run 1"].span_context.trace_state().get("vendor"), Some("1"));
    assert!(spans["run 1"].parent_span_is_remote && !spans["run 2"].parent_span_is_remote);
}

#[test]
fn what_the_sampler_leaves_out_it_leaves_out_with_all_below() {
    let mut app = App::new(RunIds::default(), Sampler::AlwaysOff);
    let (announced, ended) = in_two(&run(1, &[]));
    assert_eq!(app.take(vec![announced, end(&run(3, &[1, 2])), end(&run(2, &[1])), ended]), 0);
    app.flush();
    assert!(app.spans().is_empty());
}

#[test]
fn nobody_waits_for_a_parent_that_does_not_come() {
    let mut app = App::new(RunIds::default(), Sampler::AlwaysOn);
    let caller: RunId = "0190163d-8694-7000-8000-00000000002a".parse().unwrap();
    let here = Run { parent_id: Some(caller), trace_id: caller, ..run(1, &[]) };
    app.take(vec![end(&here), end(&run(3, &[2])), end(&run(4, &[2, 3]))]);
    let spans = app.spans();
    assert_eq!(spans.keys().collect::<Vec<_>>(), ["run 1"]);
    assert_eq!(spans["run 1"].parent_span_id, SpanId::from(caller.span_id()));
    assert_eq!(spans["run 1"].span_context.trace_id(), TraceId::from(caller.otel_trace_id()));
    // Its parent was dropped. What is flushed is complete.
    app.flush();
    let spans = app.spans();
    assert_eq!(parents(&spans), [("run 1", ""), ("run 3", ""), ("run 4", "run 3")].into());
    assert_eq!(spans["run 3"].parent_span_id, SpanId::from(id(2).span_id()));
}

#[derive(Debug)]
struct Panics;

impl SpanProcessor for Panics {
    fn on_start(&self, span: &mut SdkSpan, _: &Context) {
        use opentelemetry::trace::Span as _;
        span.set_attribute(KeyValue::new("seen", true));
    }

    fn on_end(&self, span: SpanData) {
        assert!(span.name != "run 1", "a fault of the application");
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn a_processor_that_panics_costs_what_it_was_told_and_no_more() {
    let mut app = App::new(RunIds::default(), Sampler::AlwaysOn);
    app.provider = SdkTracerProvider::builder()
        .with_span_processor(Panics)
        .with_simple_exporter(app.exported.clone())
        .with_id_generator(RunIds::default())
        .build();
    app.bridge = OtelBridge::new(&app.provider);
    let error = app.try_take(vec![end(&run(1, &[]))]).unwrap_err();
    assert!(error.to_string().contains("panicked"), "{error}");
    assert_eq!(app.take(vec![end(&run(2, &[]))]), 0);
    let spans = app.spans();
    assert_eq!(spans.keys().collect::<Vec<_>>(), ["run 2"]);
    assert_eq!(said(&spans["run 2"])["seen"], &Value::from(true));
}
