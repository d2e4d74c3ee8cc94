//! Runs as spans of the application's own OpenTelemetry: one provider, which knows the service, keeps what it is told to
//! keep, and sends everything. A request, the runs in it, and the spans inside of these are one trace.
//!
//! `cargo run --example otel_bridge`

use std::{
    error::Error,
    io::{self, Write as _},
    time::Duration,
};

use opentelemetry::{
    Context, SpanId, TraceId, global,
    trace::{FutureExt as _, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::{
    Resource,
    trace::{IdGenerator, InMemorySpanExporter, RandomIdGenerator, SdkTracerProvider, SpanData},
};
use traceable::{
    exporters::OtelBridge,
    integrations::opentelemetry::{run_as_parent, share_traces},
    traceable,
};

/// Spans of runs have the ids of their runs, by which others know them; all other spans have those of OpenTelemetry.
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

#[traceable(run_type = "llm", metadata(ls_provider = "openai", ls_model_name = "gpt-4o"))]
async fn answer(question: &str) -> String {
    let prompt = render(question);
    async { post(&prompt) }.with_context(run_as_parent()).await
}

#[traceable(run_type = "prompt")]
fn render(question: &str) -> String {
    format!("In one word: {question}")
}

/// Stands for somebody else's HTTP client.
fn post(_prompt: &str) -> String {
    global::tracer("http").in_span("POST /v1/chat/completions", |_| "Spring.".to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // As an application has it. In memory, so that it can be printed.
    let sent = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name("tea-shop").build())
        .with_id_generator(RunIds::default())
        .with_simple_exporter(sent.clone())
        .build();
    global::set_tracer_provider(provider.clone());

    share_traces();
    traceable::builder()?.exporter(OtelBridge::global()).init()?;

    let tracer = provider.tracer("app");
    let request = Context::new().with_span(tracer.start("GET /answer"));
    answer("When is tea picked?").with_context(request.clone()).await;
    drop(request);

    // First ours, then what OpenTelemetry still has.
    traceable::flush(Duration::from_secs(5)).await;
    provider.force_flush()?;
    let mut spans = sent.get_finished_spans()?;
    spans.sort_by_key(|span| span.start_time);
    print(&spans, SpanId::INVALID, 0)
}

fn print(all: &[SpanData], parent: SpanId, depth: usize) -> Result<(), Box<dyn Error>> {
    for span in all.iter().filter(|span| span.parent_span_id == parent) {
        let said =
            |name: &str| span.attributes.iter().find(|said| said.key.as_str() == name).map(|said| said.value.as_str());
        let model = said("gen_ai.request.model").map(|model| format!(" by {model}")).unwrap_or_default();
        let trace = span.span_context.trace_id();
        writeln!(io::stdout(), "{trace} {}{}{model}", "  ".repeat(depth), span.name)?;
        print(all, span.span_context.span_id(), depth + 1)?;
    }
    Ok(())
}
