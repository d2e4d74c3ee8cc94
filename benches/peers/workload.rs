//! What every tracer is given to trace, and the same without any tracer.

use std::{
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use serde::Serialize;

use crate::measure::Totals;

/// A message of a conversation.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    role: &'static str,
    content: String,
}

/// The arguments of a call, as a tracer that is given JSON by hand writes them.
#[derive(Serialize)]
pub struct Inputs<'a> {
    pub messages: &'a [Message],
}

/// What a model answers: about 260 bytes of JSON.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    id: &'static str,
    model: &'static str,
    role: &'static str,
    content: String,
    finish_reason: &'static str,
    prompt_tokens: u32,
    completion_tokens: u32,
}

/// A piece of a streamed answer: about 130 bytes of JSON.
#[derive(Debug, Clone, Serialize)]
pub struct Chunk {
    id: &'static str,
    object: &'static str,
    index: u32,
    delta: Delta,
    finish_reason: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct Delta {
    role: &'static str,
    content: &'static str,
}

/// The text of all chunks.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Joined {
    content: String,
}

impl Joined {
    /// Takes a chunk.
    pub fn push(&mut self, chunk: &Chunk) {
        self.content.push_str(chunk.delta.content);
    }
}

/// All payloads.
pub struct Load {
    chat_300b: Vec<Message>,
    chat_20kb: Vec<Message>,
    chat_100kb: Vec<Message>,
    answer: Answer,
    chunks: Vec<Chunk>,
}

/// Chunks of a stream.
const CHUNKS: usize = 200;
/// Text with a quote or a line end about every 40 characters, as chats have it.
const TEXT: &str =
    "The model said \"it depends\" and went on:\nfirst, look at the units; then \"carry the one\" twice.\n";

impl Load {
    /// Makes the payloads, which live as long as the process.
    pub fn leak() -> &'static Self {
        let conversation = |messages: usize, bytes: usize| {
            let message = |at: usize| Message {
                role: if at.is_multiple_of(2) { "user" } else { "assistant" },
                content: TEXT.chars().cycle().take(bytes / messages).collect(),
            };
            (0..messages).map(message).collect()
        };
        Box::leak(Box::new(Self {
            chat_300b: conversation(2, 220),
            chat_20kb: conversation(20, 19_000),
            chat_100kb: conversation(20, 98_000),
            answer: Answer {
                id: "chatcmpl-9x2k",
                model: "gpt-4o-mini",
                role: "assistant",
                content: TEXT.into(),
                finish_reason: "stop",
                prompt_tokens: 4_812,
                completion_tokens: 96,
            },
            chunks: (0..CHUNKS as u32)
                .map(|index| Chunk {
                    id: "chatcmpl-9x2k",
                    object: "chat.completion.chunk",
                    index,
                    delta: Delta { role: "assistant", content: "a \"word\" " },
                    finish_reason: None,
                })
                .collect(),
        }))
    }

    /// The messages of a case with payload.
    pub fn messages(&self, case: Case) -> &[Message] {
        match case {
            Case::Payload300b | Case::TwoThreads300b => &self.chat_300b,
            Case::Payload20kb | Case::Process20kb | Case::Process20kbFull => &self.chat_20kb,
            _ => &self.chat_100kb,
        }
    }

    /// What every call with payload answers.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// A stream of all chunks.
    pub fn stream(&'static self) -> Chunks {
        Chunks(self.chunks.iter())
    }

    /// What a burst must bring to the sink of every tracer.
    pub fn expected(&self, case: Case, shape: Shape) -> Totals {
        let Shape { roots, children } = shape;
        let tree = roots * (children + 1);
        match case {
            Case::Off | Case::OffAsync => Totals::default(),
            Case::Leaf100 | Case::TwoThreads | Case::Async3 => Totals { records: tree, bytes: 0 },
            Case::Payload300b
            | Case::Payload20kb
            | Case::Payload100kb
            | Case::Process20kb
            | Case::Process20kbFull
            | Case::TwoThreads300b => {
                let inputs = json(&Inputs { messages: self.messages(case) });
                let bytes = (inputs.len() + json(&self.answer).len()) as u64;
                Totals { records: tree, bytes: roots * children * bytes }
            }
            Case::ChunkWrapped => Totals { records: roots, bytes: 0 },
            Case::ChunkCaptured => {
                let bytes: usize = self.chunks.iter().map(|chunk| json(chunk).len()).sum();
                Totals { records: roots, bytes: roots * bytes as u64 }
            }
            Case::ChunkFolded => {
                let mut joined = Joined::default();
                self.chunks.iter().for_each(|chunk| joined.push(chunk));
                Totals { records: roots, bytes: roots * json(&joined).len() as u64 }
            }
        }
    }
}

/// JSON text of a payload, as the peers are given it.
#[allow(clippy::expect_used, reason = "the payloads of this file have no keys or values that JSON lacks")]
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data")
}

/// A workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    Off,
    OffAsync,
    Leaf100,
    Payload300b,
    Payload20kb,
    Payload100kb,
    Async3,
    ChunkWrapped,
    ChunkCaptured,
    ChunkFolded,
    TwoThreads,
    TwoThreads300b,
    Process20kb,
    Process20kbFull,
}

/// How many calls a burst makes.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub roots: u64,
    /// Calls in each root; of a stream, its chunks.
    pub children: u64,
}

impl Shape {
    /// What the time of a burst is divided by.
    pub fn calls(self) -> u64 {
        self.roots * self.children
    }
}

impl Case {
    /// All cases, in the order of the report.
    pub const ALL: [Self; 14] = [
        Self::Off,
        Self::OffAsync,
        Self::Leaf100,
        Self::Payload300b,
        Self::Payload20kb,
        Self::Payload100kb,
        Self::Async3,
        Self::ChunkWrapped,
        Self::ChunkCaptured,
        Self::ChunkFolded,
        Self::TwoThreads,
        Self::TwoThreads300b,
        Self::Process20kb,
        Self::Process20kbFull,
    ];

    /// The name on the command line and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::OffAsync => "off_async",
            Self::Leaf100 => "leaf_100",
            Self::Payload300b => "payload_300b",
            Self::Payload20kb => "payload_20kb",
            Self::Payload100kb => "payload_100kb",
            Self::Async3 => "async_3",
            Self::ChunkWrapped => "chunk_wrapped",
            Self::ChunkCaptured => "chunk_captured",
            Self::ChunkFolded => "chunk_folded",
            Self::TwoThreads => "two_threads",
            Self::TwoThreads300b => "two_threads_300b",
            Self::Process20kb => "process_20kb",
            Self::Process20kbFull => "process_20kb_full",
        }
    }

    /// Whether nothing is to be recorded.
    pub fn is_off(self) -> bool {
        matches!(self, Self::Off | Self::OffAsync)
    }

    /// Whether two threads do this at once.
    pub fn is_shared(self) -> bool {
        matches!(self, Self::TwoThreads | Self::TwoThreads300b)
    }

    /// A burst: long enough for the clock, short enough to find a quiet moment on a busy machine.
    pub fn shape(self) -> Shape {
        let (roots, children) = match self {
            Self::Off => (1, 100_000),
            Self::OffAsync => (1, 20_000),
            Self::Leaf100 | Self::TwoThreads => (100, 100),
            Self::Payload300b | Self::TwoThreads300b => (100, 10),
            Self::Payload20kb => (5, 10),
            Self::Payload100kb => (1, 10),
            Self::Async3 => (20, 100),
            Self::ChunkWrapped | Self::ChunkCaptured | Self::ChunkFolded => (10, CHUNKS as u64),
            Self::Process20kb | Self::Process20kbFull => (20, 10),
        };
        Shape { roots, children }
    }
}

/// A tracer at work on the cases.
pub trait Tracer: Sync {
    /// Its name in the report.
    fn name(&self) -> &'static str;

    /// Does `shape` of a case.
    fn run(&self, case: Case, load: &'static Load, shape: Shape);

    /// Waits until everything has reached the sink.
    fn settle(&self);

    /// What the sink has seen since this was last asked. `None` where there is no sink.
    fn take(&self) -> Option<Totals>;
}

/// Work that takes next to no time.
#[inline]
pub fn work(x: u64) -> u64 {
    black_box(x).wrapping_mul(3)
}

/// Work that returns to the executor three times.
#[inline]
pub async fn async_work(x: u64) -> u64 {
    for _ in 0..3 {
        Yield(false).await;
    }
    work(x)
}

struct Yield(bool);

impl Future for Yield {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Runs a future whose wakers do nothing.
#[inline]
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// A stream that is always ready.
pub struct Chunks(std::slice::Iter<'static, Chunk>);

impl Stream for Chunks {
    type Item = &'static Chunk;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<&'static Chunk>> {
        Poll::Ready(self.0.next())
    }
}

/// Reads a stream to its end.
#[inline]
pub fn drive(stream: impl Stream<Item = &'static Chunk>) {
    let mut stream = pin!(stream);
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(chunk)) = stream.as_mut().poll_next(&mut context) {
        black_box(chunk);
    }
}

/// A stream that is looked at as it passes, as one does by hand for a tracer that has nothing for it.
pub struct Watched<S, E, D> {
    chunks: Chunks,
    state: S,
    each: E,
    done: D,
}

impl<S, E: FnMut(&mut S, &Chunk), D: FnMut(&S)> Watched<S, E, D> {
    /// Gives every chunk to `each`, and at the end the state to `done`.
    pub fn new(chunks: Chunks, state: S, each: E, done: D) -> Self {
        Self { chunks, state, each, done }
    }
}

impl<S: Unpin, E: FnMut(&mut S, &Chunk) + Unpin, D: FnMut(&S) + Unpin> Stream for Watched<S, E, D> {
    type Item = &'static Chunk;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<&'static Chunk>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.chunks).poll_next(cx);
        match polled {
            Poll::Ready(Some(chunk)) => (this.each)(&mut this.state, chunk),
            Poll::Ready(None) => (this.done)(&this.state),
            Poll::Pending => {}
        }
        polled
    }
}

/// No tracer.
pub struct Bare;

#[inline(never)]
fn leaf(x: u64) -> u64 {
    work(x)
}

#[inline(never)]
fn chat<'a>(messages: &[Message], answer: &'a Answer) -> &'a Answer {
    black_box(messages);
    answer
}

impl Tracer for Bare {
    fn name(&self) -> &'static str {
        "bare"
    }

    fn run(&self, case: Case, load: &'static Load, shape: Shape) {
        for _ in 0..shape.roots {
            match case {
                Case::Off | Case::Leaf100 | Case::TwoThreads => {
                    for x in 0..shape.children {
                        black_box(leaf(x));
                    }
                }
                Case::OffAsync | Case::Async3 => {
                    for x in 0..shape.children {
                        black_box(block_on(async_work(x)));
                    }
                }
                Case::ChunkWrapped | Case::ChunkCaptured | Case::ChunkFolded => drive(load.stream()),
                _ => {
                    for _ in 0..shape.children {
                        black_box(chat(load.messages(case), load.answer()));
                    }
                }
            }
        }
    }

    fn settle(&self) {}

    fn take(&self) -> Option<Totals> {
        None
    }
}
