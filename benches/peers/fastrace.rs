//! fastrace, with a reporter that counts and discards.

use std::{hint::black_box, sync::Arc};

use fastrace::{collector::Config, prelude::*};
use fastrace_futures::StreamExt as _;

use crate::{
    measure::{Counter, Totals},
    workload::{
        Answer, Case, Inputs, Joined, Load, Message, Shape, Tracer, Watched, async_work, block_on, drive, json, work,
    },
};

#[trace]
#[inline(never)]
fn leaf(x: u64) -> u64 {
    work(x)
}

#[trace]
async fn step(x: u64) -> u64 {
    async_work(x).await
}

#[inline(never)]
fn chat<'a>(messages: &[Message], answer: &'a Answer) -> &'a Answer {
    let _span = LocalSpan::enter_with_local_parent("chat").with_property(|| ("input", json(&Inputs { messages })));
    black_box(messages);
    LocalSpan::add_property(|| ("output", json(answer)));
    answer
}

fn root(body: impl FnOnce()) {
    let span = Span::root("root", SpanContext::random());
    let _parent = span.set_local_parent();
    body();
}

/// See the module.
pub struct Fastrace {
    counter: Arc<Counter>,
}

impl Fastrace {
    /// There is no reporter, and no parent.
    pub fn off() -> Self {
        Self { counter: Arc::default() }
    }

    /// Switches tracing on.
    pub fn on() -> Self {
        let counter = Arc::<Counter>::default();
        fastrace::set_reporter(Count(Arc::clone(&counter)), Config::default());
        Self { counter }
    }
}

impl Tracer for Fastrace {
    fn name(&self) -> &'static str {
        "fastrace"
    }

    fn run(&self, case: Case, load: &'static Load, shape: Shape) {
        for _ in 0..shape.roots {
            let span = || Span::root("stream", SpanContext::random());
            match case {
                Case::Off => {
                    for x in 0..shape.children {
                        black_box(leaf(x));
                    }
                }
                Case::OffAsync => {
                    for x in 0..shape.children {
                        black_box(block_on(step(x)));
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
                Case::ChunkWrapped => drive(load.stream().in_span(span())),
                Case::ChunkCaptured => {
                    let watched = Watched::new(
                        load.stream(),
                        (),
                        |_, chunk| LocalSpan::add_event(Event::new("chunk").with_property(|| ("chunk", json(chunk)))),
                        |_| {},
                    );
                    drive(watched.in_span(span()));
                }
                Case::ChunkFolded => {
                    let watched = Watched::new(load.stream(), Joined::default(), Joined::push, |joined| {
                        LocalSpan::add_property(|| ("output", json(joined)));
                    });
                    drive(watched.in_span(span()));
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
        fastrace::flush();
    }

    fn take(&self) -> Option<Totals> {
        Some(self.counter.take())
    }
}

/// The sink.
struct Count(Arc<Counter>);

impl fastrace::collector::Reporter for Count {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        for span in &spans {
            let of_events = span.events.iter().flat_map(|event| &event.properties);
            let payload = span.properties.iter().chain(of_events).map(|(_, value)| value.len() as u64);
            self.0.add(1, payload.sum());
        }
    }
}
