//! `tracing`: without a subscriber, and with the OpenTelemetry layer in its leanest setting.

use std::{hint::black_box, pin::Pin, sync::Arc, task::Poll};

use futures_core::Stream;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Instrument as _, Span, field::Empty, info, info_span, instrument};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{
    measure::{Counter, Totals},
    otel,
    workload::{
        Answer, Case, Chunk, Inputs, Joined, Load, Message, Shape, Tracer, Watched, async_work, block_on, drive, json,
        work,
    },
};

#[instrument]
#[inline(never)]
fn plain(x: u64) -> u64 {
    work(x)
}

#[instrument]
async fn plain_async(x: u64) -> u64 {
    async_work(x).await
}

#[instrument(skip_all)]
#[inline(never)]
fn leaf(x: u64) -> u64 {
    work(x)
}

async fn step(x: u64) -> u64 {
    async_work(x).instrument(info_span!("step")).await
}

#[inline(never)]
fn chat<'a>(messages: &[Message], answer: &'a Answer) -> &'a Answer {
    let span = info_span!("chat", input = json(&Inputs { messages }), output = Empty);
    span.in_scope(|| black_box(messages));
    span.record("output", json(answer));
    answer
}

fn root(body: impl FnOnce()) {
    info_span!("root").in_scope(body);
}

/// A stream in its span.
struct InSpan<S> {
    stream: S,
    span: Span,
}

impl<S: Stream<Item = &'static Chunk> + Unpin> Stream for InSpan<S> {
    type Item = &'static Chunk;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Option<&'static Chunk>> {
        let this = self.get_mut();
        let _entered = this.span.enter();
        Pin::new(&mut this.stream).poll_next(cx)
    }
}

fn in_span<S>(stream: S) -> InSpan<S> {
    InSpan { stream, span: info_span!("stream", output = Empty) }
}

/// See the module.
pub struct Tracing {
    on: Option<(SdkTracerProvider, Arc<Counter>)>,
}

impl Tracing {
    /// There is no subscriber.
    pub fn off() -> Self {
        Self { on: None }
    }

    /// Installs the layer for the whole process.
    pub fn on() -> Result<Self, tracing::subscriber::SetGlobalDefaultError> {
        let (provider, counter) = otel::provider();
        let layer = tracing_opentelemetry::layer()
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_tracer(provider.tracer("bench"));
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
        Ok(Self { on: Some((provider, counter)) })
    }
}

impl Tracer for Tracing {
    fn name(&self) -> &'static str {
        if self.on.is_some() { "tracing+otel" } else { "tracing" }
    }

    fn run(&self, case: Case, load: &'static Load, shape: Shape) {
        for _ in 0..shape.roots {
            match case {
                Case::Off => {
                    for x in 0..shape.children {
                        black_box(plain(x));
                    }
                }
                Case::OffAsync => {
                    for x in 0..shape.children {
                        black_box(block_on(plain_async(x)));
                    }
                }
                Case::Leaf100 | Case::TwoThreads => root(|| {
                    for x in 0..shape.children {
                        black_box(leaf(x));
                    }
                }),
                Case::Async3 => root(|| {
                    for x in 0..shape.children {
                        black_box(block_on(step(x)));
                    }
                }),
                Case::ChunkWrapped => drive(in_span(load.stream())),
                Case::ChunkCaptured => {
                    let watched = Watched::new(load.stream(), (), |_, chunk| info!(chunk = json(chunk)), |_| {});
                    drive(in_span(watched));
                }
                Case::ChunkFolded => {
                    let watched = Watched::new(load.stream(), Joined::default(), Joined::push, |joined| {
                        Span::current().record("output", json(joined));
                    });
                    drive(in_span(watched));
                }
                _ => root(|| {
                    for _ in 0..shape.children {
                        black_box(chat(load.messages(case), load.answer()));
                    }
                }),
            }
        }
    }

    fn settle(&self) {
        if let Some((provider, _)) = &self.on {
            otel::settle(provider);
        }
    }

    fn take(&self) -> Option<Totals> {
        self.on.as_ref().map(|(_, counter)| counter.take())
    }
}
