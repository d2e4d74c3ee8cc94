//! Spans of `tracing` and our runs in one trace, without a word in between.

use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::trace::SdkTracer;
use traceable::{integrations::tracing::with_runs, run, testing::Recorder, traceable};
use tracing::{Instrument as _, info_span, instrument::WithSubscriber as _};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::otel::{place_of, span, tracer};

fn subscriber(tracer: SdkTracer) -> impl tracing::Subscriber + Send + Sync {
    let spans = tracing_opentelemetry::layer().with_tracer(tracer);
    tracing_subscriber::registry().with(with_runs(spans))
}

#[traceable]
fn leaf() {
    info_span!("in leaf").in_scope(|| info_span!("deeper").in_scope(|| {}));
}

#[traceable]
async fn call() {
    tokio::task::yield_now().await;
    async {
        tokio::task::yield_now().await;
        leaf();
    }
    .instrument(info_span!("http"))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_and_runs_take_turns() {
    let (tracer, exporter) = tracer();
    let subscriber = subscriber(tracer.clone());
    let recorder = Recorder::new();
    let work = async { call().instrument(info_span!("request")).await };
    recorder.scope_future(work.with_subscriber(subscriber)).await;
    let names = ["request", "http", "in leaf", "deeper"];
    let [request, http, in_leaf, deeper] = names.map(|name| span(&exporter, name));
    let (call, leaf) = (recorder.run("call"), recorder.run("leaf"));
    let trace_id = request.span_context.trace_id();
    assert_eq!(place_of(&call), (trace_id, Some(request.span_context.span_id())));
    assert_eq!(http.parent_span_id, SpanId::from(call.id.span_id()));
    // Runs below a run stand below it, whatever span is between.
    assert_eq!((leaf.parent_id, place_of(&leaf)), (Some(call.id), (trace_id, None)));
    assert_eq!(in_leaf.parent_span_id, SpanId::from(leaf.id.span_id()));
    assert_eq!(deeper.parent_span_id, in_leaf.span_context.span_id());
    for span in [http, in_leaf, deeper] {
        assert_eq!(span.span_context.trace_id(), trace_id);
    }
}

#[test]
fn a_span_in_a_run_without_a_span_around() {
    let (tracer, exporter) = tracer();
    let subscriber = subscriber(tracer.clone());
    let recorder = Recorder::new();
    tracing::subscriber::with_default(subscriber, || {
        recorder.scope(|| run("root").call(|_| info_span!("http").in_scope(|| {})));
        info_span!("outside").in_scope(|| {});
    });
    let (root, http) = (recorder.run("root"), span(&exporter, "http"));
    assert_eq!(http.parent_span_id, SpanId::from(root.id.span_id()));
    assert_eq!(http.span_context.trace_id(), TraceId::from(root.id.otel_trace_id()));
    assert_eq!(span(&exporter, "outside").parent_span_id, SpanId::INVALID);
}

#[test]
fn a_span_keeps_the_parent_that_it_names() {
    let (tracer, exporter) = tracer();
    let subscriber = subscriber(tracer.clone());
    let recorder = Recorder::new();
    tracing::subscriber::with_default(subscriber, || {
        let named = info_span!("named");
        recorder.scope(|| {
            run("root").call(|_| {
                info_span!(parent: &named, "child").in_scope(|| {});
                info_span!(parent: None, "root span").in_scope(|| {});
            });
        });
    });
    assert_eq!(span(&exporter, "child").parent_span_id, span(&exporter, "named").span_context.span_id());
    assert_eq!(span(&exporter, "root span").parent_span_id, SpanId::INVALID);
}
