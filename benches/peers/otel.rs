//! The OpenTelemetry SDK, called directly, with an exporter that counts and discards.

use std::{hint::black_box, sync::Arc};

use opentelemetry::{
    Context, KeyValue,
    trace::{FutureExt as _, Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider, SpanData, SpanExporter, SpanLimits},
};

use crate::{
    measure::{Counter, Totals},
    workload::{
        Answer, Case, Inputs, Joined, Load, Message, Shape, Tracer, Watched, async_work, block_on, drive, json, work,
    },
};

/// Spans that the queue holds: the default of 2,048 would drop most of a burst.
const QUEUE: usize = 65_536;
/// Events that a span keeps: the default of 128 would drop chunks.
const EVENTS: u32 = 1_024;

/// A provider and what its exporter has counted.
pub fn provider() -> (SdkTracerProvider, Arc<Counter>) {
    let counter = Arc::<Counter>::default();
    let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let batches = BatchSpanProcessor::builder(Count(Arc::clone(&counter))).with_batch_config(config).build();
    let limits = SpanLimits { max_events_per_span: EVENTS, ..SpanLimits::default() };
    (SdkTracerProvider::builder().with_span_processor(batches).with_span_limits(limits).build(), counter)
}

/// See the module.
pub struct Otel {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    counter: Arc<Counter>,
}

impl Otel {
    /// Switches tracing on.
    pub fn on() -> Self {
        let (provider, counter) = provider();
        let tracer = provider.tracer("bench");
        Self { provider, tracer, counter }
    }

    #[inline(never)]
    fn leaf(&self, x: u64) -> u64 {
        let _span = self.tracer.start("leaf");
        work(x)
    }

    async fn step(&self, x: u64) -> u64 {
        let context = self.context("step");
        async_work(x).with_context(context).await
    }

    #[inline(never)]
    fn chat<'a>(&self, messages: &[Message], answer: &'a Answer) -> &'a Answer {
        let mut span = self.tracer.start("chat");
        span.set_attribute(KeyValue::new("input", json(&Inputs { messages })));
        black_box(messages);
        span.set_attribute(KeyValue::new("output", json(answer)));
        answer
    }

    fn root(&self, body: impl FnOnce()) {
        self.tracer.in_span("root", |_| body());
    }

    fn context(&self, name: &'static str) -> Context {
        Context::current_with_span(self.tracer.start(name))
    }
}

impl Tracer for Otel {
    fn name(&self) -> &'static str {
        "otel"
    }

    fn run(&self, case: Case, load: &'static Load, shape: Shape) {
        for _ in 0..shape.roots {
            match case {
                Case::Off | Case::OffAsync => {}
                Case::Leaf100 | Case::TwoThreads => self.root(|| {
                    for x in 0..shape.children {
                        black_box(self.leaf(x));
                    }
                }),
                Case::Async3 => self.root(|| {
                    for x in 0..shape.children {
                        black_box(block_on(self.step(x)));
                    }
                }),
                Case::ChunkWrapped => drive(load.stream().with_context(self.context("stream"))),
                Case::ChunkCaptured => {
                    let watched = Watched::new(
                        load.stream(),
                        (),
                        |_, chunk| {
                            Context::map_current(|context| {
                                context.span().add_event("chunk", vec![KeyValue::new("chunk", json(chunk))]);
                            });
                        },
                        |_| {},
                    );
                    drive(watched.with_context(self.context("stream")));
                }
                Case::ChunkFolded => {
                    let watched = Watched::new(load.stream(), Joined::default(), Joined::push, |joined| {
                        Context::map_current(|context| {
                            context.span().set_attribute(KeyValue::new("output", json(joined)));
                        });
                    });
                    drive(watched.with_context(self.context("stream")));
                }
                _ => self.root(|| {
                    for _ in 0..shape.children {
                        black_box(self.chat(load.messages(case), load.answer()));
                    }
                }),
            }
        }
    }

    fn settle(&self) {
        settle(&self.provider);
    }

    fn take(&self) -> Option<Totals> {
        Some(self.counter.take())
    }
}

/// Waits until the provider has exported everything.
#[allow(clippy::expect_used, reason = "without it the figures are worth nothing")]
pub fn settle(provider: &SdkTracerProvider) {
    provider.force_flush().expect("the exporter takes everything");
}

/// The sink.
#[derive(Debug)]
struct Count(Arc<Counter>);

impl SpanExporter for Count {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        for span in &batch {
            let of_events = span.events.iter().flat_map(|event| &event.attributes);
            let payload = span.attributes.iter().chain(of_events).filter(|attribute| {
                // What `tracing` adds to an event of its own accord is no payload.
                ["input", "output", "chunk"].contains(&attribute.key.as_str())
            });
            self.0.add(1, payload.map(|attribute| attribute.value.as_str().len() as u64).sum());
        }
        std::future::ready(Ok(()))
    }
}
