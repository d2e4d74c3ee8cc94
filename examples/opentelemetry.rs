//! OpenTelemetry beside our runs: spans of `tracing` around a run and inside of it, a span of an instrumented HTTP client,
//! and all of them in one trace, each below what is around it.
//!
//! `cargo run --example opentelemetry`

use std::{
    error::Error,
    io::{self, Write as _},
    time::Duration,
};

use opentelemetry::{
    SpanId, TraceId,
    trace::{FutureExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider, SpanData};
use traceable::{
    Run, RunId,
    integrations::{opentelemetry::run_as_parent, tracing::with_runs},
    testing::Memory,
    traceable,
};
use tracing::{Instrument as _, info_span};
use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};

#[traceable(run_type = "llm", skip(http))]
async fn answer(http: &SdkTracer, question: &str) -> String {
    // A span of `tracing` finds the run by itself.
    let prompt = async { format!("In one word: {question}") }.instrument(info_span!("render")).await;
    // What speaks to OpenTelemetry directly, such as an instrumented client, is given the run.
    async { post(http, &prompt) }.with_context(run_as_parent()).await
}

/// Stands for somebody else's HTTP client.
fn post(http: &SdkTracer, _prompt: &str) -> String {
    http.in_span("POST /v1/chat/completions", |_| "Spring.".to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In memory, so that both can be printed together. A service sends its spans, and its runs, wherever it likes.
    let (spans, runs) = (InMemorySpanExporter::default(), Memory::new());
    let provider = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("tracing"));
    // These two words are all: runs in spans, and spans in runs.
    tracing_subscriber::registry().with(with_runs(layer)).init();
    traceable::builder()?.exporter(runs.clone()).init()?;

    let http = provider.tracer("http");
    answer(&http, "When is tea picked?").instrument(info_span!("GET /answer")).await;

    traceable::flush(Duration::from_secs(5)).await;
    let mut all: Vec<Node> = spans.get_finished_spans()?.iter().map(Node::of_span).collect();
    all.extend(runs.runs().iter().map(Node::of_run));
    print(&all, SpanId::INVALID, 0)
}

/// A span or a run, as OpenTelemetry knows it.
struct Node {
    trace: TraceId,
    id: SpanId,
    parent: SpanId,
    name: String,
}

impl Node {
    fn of_span(span: &SpanData) -> Self {
        let name = format!("{}, a span", span.name);
        Self { trace: span.span_context.trace_id(), id: span.span_context.span_id(), parent: span.parent_span_id, name }
    }

    /// A run's span id is made of its own. Its trace, and for a root its parent, are those of the span around it.
    fn of_run(run: &Run) -> Self {
        let trace = run.otel.as_ref().map_or(run.trace_id.otel_trace_id(), |around| around.trace_id);
        let above = run.parent_id.map(RunId::span_id);
        let parent = above.or_else(|| run.otel.as_ref()?.parent_span_id).unwrap_or_default();
        let name = format!("{}, a run", run.name);
        Self { trace: trace.into(), id: run.id.span_id().into(), parent: parent.into(), name }
    }
}

fn print(all: &[Node], parent: SpanId, depth: usize) -> Result<(), Box<dyn Error>> {
    for node in all.iter().filter(|node| node.parent == parent) {
        writeln!(io::stdout(), "{} {} {}{}", node.trace, node.id, "  ".repeat(depth), node.name)?;
        print(all, node.id, depth + 1)?;
    }
    Ok(())
}
