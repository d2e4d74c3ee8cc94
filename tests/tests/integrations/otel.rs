//! OpenTelemetry's spans and our runs in one trace.

use opentelemetry::{
    Context, SpanId, TraceId,
    trace::{
        FutureExt as _, SpanContext, TraceContextExt as _, TraceFlags, TraceState, Tracer as _, TracerProvider as _,
    },
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracer, SdkTracerProvider, SpanData};
use traceable::{
    Run,
    integrations::opentelemetry::{from_otel, run_as_parent, share_traces},
    run,
    testing::Recorder,
    traceable,
};

/// A tracer and what it sends, as long as the tracer lives.
pub(crate) fn tracer() -> (SdkTracer, InMemorySpanExporter) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    (provider.tracer("tests"), exporter)
}

pub(crate) fn span(exporter: &InMemorySpanExporter, name: &str) -> SpanData {
    exporter.get_finished_spans().unwrap().into_iter().find(|span| span.name == name).unwrap()
}

/// The trace and the parent that a run names to OpenTelemetry.
pub(crate) fn place_of(run: &Run) -> (TraceId, Option<SpanId>) {
    let otel = run.otel.as_ref().unwrap();
    (TraceId::from(otel.trace_id), otel.parent_span_id.map(SpanId::from))
}

#[traceable]
fn leaf() {}

#[test]
fn a_run_in_a_span_is_in_its_trace() {
    share_traces();
    let (tracer, exporter) = tracer();
    let recorder = Recorder::new();
    recorder.scope(|| {
        tracer.in_span("request", |_| run("root").call(|_| leaf()));
        leaf();
    });
    let request = span(&exporter, "request").span_context;
    let (root, runs) = (recorder.run("root"), recorder.runs());
    assert_eq!(place_of(&root), (request.trace_id(), Some(request.span_id())));
    assert_eq!(place_of(&runs[1]), (request.trace_id(), None));
    // To LangSmith, whose ids are its own, it is a root.
    assert_eq!((root.parent_id, root.trace_id, root.dotted_order.depth()), (None, root.id, 1));
    assert_eq!((runs[1].parent_id, runs[1].trace_id), (Some(root.id), root.id));
    assert_eq!(runs[1].dotted_order, root.dotted_order.child(runs[1].start_time, runs[1].id));
    assert_eq!(runs[2].otel, None);
}

#[test]
fn a_span_that_is_not_sampled_silences_nobody() {
    share_traces();
    let exporter = InMemorySpanExporter::default();
    let provider =
        SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).with_simple_exporter(exporter.clone()).build();
    let recorder = Recorder::new();
    let inner = recorder.scope(|| {
        provider.tracer("tests").in_span("request", |cx| {
            let request = cx.span().span_context().trace_id();
            run("root").call(|_| {
                let _below = run_as_parent().attach();
                provider.tracer("tests").in_span("below", |_| {});
                request
            })
        })
    });
    assert_eq!(place_of(&recorder.run("root")).0, inner);
    assert!(!recorder.run("root").otel.unwrap().sampled);
    // Nor does a run make half a trace of one that is left out.
    assert!(exporter.get_finished_spans().unwrap().is_empty());
}

#[test]
fn a_span_in_a_run_is_its_child() {
    let (tracer, exporter) = tracer();
    let recorder = Recorder::new();
    recorder.scope(|| {
        run("root").call(|_| {
            let _below = run_as_parent().attach();
            tracer.in_span("outer", |_| {
                // The span is the nearer one.
                let _below = run_as_parent().attach();
                tracer.in_span("inner", |_| {});
                run("call").call(|_| {
                    let _below = run_as_parent().attach();
                    tracer.in_span("http", |_| {});
                });
            });
        });
    });
    let (outer, inner, http) = (span(&exporter, "outer"), span(&exporter, "inner"), span(&exporter, "http"));
    let (root, call) = (recorder.run("root"), recorder.run("call"));
    assert_eq!(outer.parent_span_id, SpanId::from(root.id.span_id()));
    assert_eq!(inner.parent_span_id, outer.span_context.span_id());
    assert_eq!(http.parent_span_id, SpanId::from(call.id.span_id()));
    for span in [outer, inner, http] {
        assert_eq!(span.span_context.trace_id(), TraceId::from(root.id.otel_trace_id()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_and_runs_around_each_other() {
    share_traces();
    let (tracer, exporter) = tracer();
    let recorder = Recorder::new();
    let http = async {
        tokio::task::yield_now().await;
        tracer.in_span("http", |_| {});
    };
    let request = tracer.start("request");
    let cx = Context::current_with_span(request);
    let call = async { run("call").future(async { http.with_context(run_as_parent()).await }).await };
    recorder.scope_future(call.with_context(cx.clone())).await;
    cx.span().end();
    let (request, http) = (span(&exporter, "request").span_context, span(&exporter, "http"));
    let call = recorder.run("call");
    assert_eq!(place_of(&call), (request.trace_id(), Some(request.span_id())));
    assert_eq!(http.span_context.trace_id(), request.trace_id());
    assert_eq!(http.parent_span_id, SpanId::from(call.id.span_id()));
}

#[test]
fn a_context_that_is_handed_around() {
    share_traces();
    let (tracer, _exporter) = tracer();
    let recorder = Recorder::new();
    let remote =
        SpanContext::new(TraceId::from(7), SpanId::from(8), TraceFlags::NOT_SAMPLED, true, TraceState::default());
    recorder.scope(|| {
        // What is said wins over what is around.
        tracer.in_span("other", |_| from_otel(&Context::new().with_remote_span_context(remote)).scope(leaf));
        from_otel(&Context::new()).scope(leaf);
    });
    let runs = recorder.runs();
    assert_eq!(place_of(&runs[0]), (TraceId::from(7), Some(SpanId::from(8))));
    assert_eq!(runs[1].otel, None);
    // Without a run there is no parent.
    assert!(!run_as_parent().has_active_span());
}

#[test]
fn a_local_span_is_nearer_than_the_one_that_called() {
    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    share_traces();
    let (tracer, exporter) = tracer();
    let recorder = Recorder::new();
    recorder.scope(|| {
        traceable::Context::from_headers([("traceparent", PARENT)]).scope(|| {
            let caller = SpanContext::new(
                TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736),
                SpanId::from(0x00f0_67aa_0ba9_02b7),
                TraceFlags::SAMPLED,
                true,
                TraceState::default(),
            );
            let _called = Context::new().with_remote_span_context(caller).attach();
            tracer.in_span("request", |_| leaf());
        });
    });
    let request = span(&exporter, "request").span_context;
    assert_eq!(place_of(&recorder.run("leaf")), (request.trace_id(), Some(request.span_id())));
}
