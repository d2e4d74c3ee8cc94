//! `#[traceable]`, with an exporter that counts and discards.

use std::{hint::black_box, sync::Arc, time::Duration};

use futures_core::Stream;
use traceable::{
    Builder, Content,
    export::{Ack, Batch, BoxFuture, ExportError, Exporter},
    fold,
    model::RunChange,
    traceable,
};

use crate::{
    measure::{Counter, Totals},
    workload::{Answer, Case, Chunk, Chunks, Joined, Load, Message, Shape, Tracer, async_work, block_on, drive, work},
};

/// Room for the records of any burst, so that nothing is dropped.
const MAX_BYTES: usize = 256 << 20;

#[traceable(skip(body), outputs = off)]
fn root(body: impl FnOnce()) {
    body();
}

#[traceable]
#[inline(never)]
fn plain(x: u64) -> u64 {
    work(x)
}

#[traceable]
async fn plain_async(x: u64) -> u64 {
    async_work(x).await
}

#[traceable(skip(x), outputs = off)]
#[inline(never)]
fn leaf(x: u64) -> u64 {
    work(x)
}

#[traceable(skip(x), outputs = off)]
async fn step(x: u64) -> u64 {
    async_work(x).await
}

/// With content as it is by default, where the process allows all of it.
#[traceable(run_type = "llm", skip(answer), content = redacted)]
#[inline(never)]
fn chat<'a>(messages: &[Message], answer: &'a Answer) -> &'a Answer {
    black_box(messages);
    answer
}

#[traceable(name = "chat", run_type = "llm", skip(answer))]
#[inline(never)]
fn chat_full<'a>(messages: &[Message], answer: &'a Answer) -> &'a Answer {
    black_box(messages);
    answer
}

#[traceable(run_type = "llm", skip(chunks), outputs = off)]
fn wrapped(chunks: Chunks) -> impl Stream<Item = &'static Chunk> {
    chunks
}

#[traceable(run_type = "llm", skip(chunks))]
fn captured(chunks: Chunks) -> impl Stream<Item = &'static Chunk> {
    chunks
}

#[traceable(run_type = "llm", skip(chunks), reduce_fn = fold(Joined::default(), |joined: &mut Joined, chunk: &&'static Chunk| joined.push(chunk)))]
fn folded(chunks: Chunks) -> impl Stream<Item = &'static Chunk> {
    chunks
}

/// See the module.
pub struct Ours {
    counter: Arc<Counter>,
}

impl Ours {
    /// Nobody has switched tracing on.
    pub fn off() -> Self {
        Self { counter: Arc::default() }
    }

    /// Switches tracing on.
    pub fn on() -> Result<Self, traceable::InitError> {
        let counter = Arc::<Counter>::default();
        let builder = Builder::new().exporter(Count(Arc::clone(&counter))).max_bytes(MAX_BYTES);
        builder.content(Content::Full).init()?;
        Ok(Self { counter })
    }
}

impl Tracer for Ours {
    fn name(&self) -> &'static str {
        "ours"
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
                Case::ChunkWrapped => drive(wrapped(load.stream())),
                Case::ChunkCaptured => drive(captured(load.stream())),
                Case::ChunkFolded => drive(folded(load.stream())),
                Case::Process20kbFull => root(|| {
                    for _ in 0..shape.children {
                        black_box(chat_full(load.messages(case), load.answer()));
                    }
                }),
                _ => root(|| {
                    for _ in 0..shape.children {
                        black_box(chat(load.messages(case), load.answer()));
                    }
                }),
            }
        }
    }

    fn settle(&self) {
        traceable::flush_blocking(Duration::from_secs(30));
    }

    fn take(&self) -> Option<Totals> {
        let dropped = traceable::stats().dropped;
        assert!(dropped.is_empty(), "the burst does not fit in the queue: {dropped:?}");
        Some(self.counter.take())
    }
}

/// The sink.
struct Count(Arc<Counter>);

impl Exporter for Count {
    #[allow(clippy::unnecessary_literal_bound, reason = "the signature is the trait's")]
    fn name(&self) -> &str {
        "count"
    }

    fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
        for change in &batch.changes {
            let (RunChange::Start(run) | RunChange::End(run)) = change else { continue };
            let inputs = run.inputs.as_ref().map_or("", |json| json.as_str());
            let outputs = run.outputs.as_ref().map_or("", |json| json.as_str());
            let chunks = run.stream.as_ref().map_or(0, |stream| stream.chunks);
            let ended = matches!(change, RunChange::End(_));
            self.0.add(u64::from(ended), payload(inputs) + chunk_payload(outputs, chunks));
        }
        Box::pin(std::future::ready(Ok(Ack::default())))
    }
}

/// An object without a field is no payload.
fn payload(json: &str) -> u64 {
    if json == "{}" { 0 } else { json.len() as u64 }
}

/// Chunks are recorded as one list: what the list adds to them is not counted.
fn chunk_payload(json: &str, chunks: u64) -> u64 {
    const EMPTY: &str = r#"{"output":[]}"#;
    match json {
        EMPTY => 0,
        list if list.starts_with(r#"{"output":["#) => list.len() as u64 - EMPTY.len() as u64 - (chunks - 1),
        other => payload(other),
    }
}
