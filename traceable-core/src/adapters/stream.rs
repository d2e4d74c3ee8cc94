//! Streams and iterators: chunks are looked at as they pass; the run ends at the end, at a drop or at a panic, with what
//! there was.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{
    OpenRun, end_run,
    reduce::{Collect, Finish, Reduce, Reducer},
    time_of, withheld,
};
use crate::{
    clock,
    frame::{FAILED, Frame, RAW_CHUNKS},
    local::{self, Body},
    model::Status,
    probe::{Slot, Text},
    record::item,
    runtime::counters::{self, Reason},
};

/// How often live views are shown the answer so far, in nanoseconds.
const SHOW_EVERY: i64 = 250_000_000;

/// The run of a stream and what is known of its chunks.
#[derive(Debug)]
struct Recording<R: Finish> {
    run: OpenRun,
    reducer: Option<R>,
    first: u64,
    last: u64,
    count: u64,
    /// When live views were last shown the answer so far.
    shown: u64,
    /// The buffer for chunks, kept while the stream lives.
    spare: Option<Body>,
}

impl<R: Finish> Recording<R> {
    fn new(run: OpenRun, reducer: R) -> Self {
        Self { run, reducer: Some(reducer), first: 0, last: 0, count: 0, shown: 0, spare: None }
    }

    /// Looks at a chunk that passes.
    #[inline]
    fn item<X>(&mut self, item: &X, on_item: &mut impl FnMut(&X, &mut Item<'_, R>)) {
        if self.run.frame.is_recorded() {
            self.item_on(item, on_item);
        }
    }

    fn item_on<X>(&mut self, item: &X, on_item: &mut impl FnMut(&X, &mut Item<'_, R>)) {
        let ticks = clock::ticks();
        if self.count == 0 {
            self.first = ticks;
            self.shown = ticks;
        }
        self.last = ticks;
        self.count += 1;
        if clock::nanos_between(self.shown, ticks) > SHOW_EVERY {
            self.show(ticks);
        }
        let Some(reducer) = &mut self.reducer else { return };
        let frame = &mut self.run.frame;
        let mut seen = Item { frame, reducer, spare: &mut self.spare, captured: false, error: None };
        on_item(item, &mut seen);
        let (captured, error) = (seen.captured, seen.error.take());
        if let (true, Some(chunk)) = (captured, &mut self.spare) {
            if !local::write_chunk(frame.key, time_of(frame, ticks), chunk) {
                counters::dropped(Reason::ChunkQueueFull);
            }
            chunk.clear();
        }
        if let Some(error) = error {
            local::write_note(frame.key, time_of(frame, ticks), &error);
            local::give_scratch(error);
        }
    }

    /// Shows live views the answer so far.
    #[cold]
    fn show(&mut self, ticks: u64) {
        self.shown = ticks;
        let Some(reducer) = &mut self.reducer else { return };
        let mut body = local::take_scratch();
        body.push(item::SO_FAR);
        body.extend_from_slice(&(self.count - 1).to_le_bytes());
        if reducer.so_far(&mut body) {
            local::write_note(self.run.frame.key, time_of(&self.run.frame, ticks), &body);
        }
        local::give_scratch(body);
    }

    /// Ends the run with what has passed.
    fn finish(&mut self, status: Status) {
        let frame = self.run.take();
        if !frame.is_recorded() {
            return;
        }
        if let Some(spare) = self.spare.take() {
            local::give_scratch(spare);
        }
        let Some(reducer) = self.reducer.take() else { return };
        let times = [time_of(&frame, self.first) as u64, time_of(&frame, self.last) as u64, self.count];
        end_run(&frame, status, |outcome| {
            if times[2] > 0 {
                outcome.body.push(item::STREAM);
                for word in times {
                    outcome.body.extend_from_slice(&word.to_le_bytes());
                }
            }
            reducer.finish(outcome);
        });
    }
}

impl<R: Finish> Drop for Recording<R> {
    fn drop(&mut self) {
        if self.run.frame.key != 0 {
            self.finish(Status::Cancelled);
        }
    }
}

/// A chunk that passes.
#[derive(Debug)]
pub struct Item<'a, R> {
    frame: &'a mut Frame,
    reducer: &'a mut R,
    spare: &'a mut Option<Body>,
    /// The chunk is in `spare`.
    captured: bool,
    error: Option<Body>,
}

impl<R> Item<'_, R> {
    /// The buffer for the chunk.
    fn capture(&mut self) -> &mut Vec<u8> {
        self.captured = true;
        self.spare.get_or_insert_with(local::take_scratch)
    }

    /// The place for the text of an error among the chunks. Only the first one counts.
    pub fn error(&mut self) -> Text<'_> {
        if self.frame.is(FAILED) {
            return Text::new(None);
        }
        self.frame.set(FAILED);
        let mut body = local::take_scratch();
        body.push(item::ERROR);
        Text::new(Some(self.error.insert(body)))
    }

    /// Leaves a mark in place of a chunk that could not be processed.
    pub fn withhold(&mut self, key: &'static str) {
        withheld(self.capture(), key);
    }

    /// Keeps this run's chunks raw, with their times.
    pub fn raw_chunks(&mut self) {
        if !self.frame.is(RAW_CHUNKS) {
            self.frame.set(RAW_CHUNKS);
            local::write_note(self.frame.key, self.frame.now(), &[item::RAW_CHUNKS]);
        }
    }
}

impl Item<'_, Collect> {
    /// The place for the chunk.
    pub fn chunk(&mut self) -> Slot<'_> {
        Slot::new(self.capture())
    }
}

impl<C, S: Reduce<C>, A> Item<'_, Reducer<C, S, A>> {
    /// Gives the chunk to the reducer; `probe` records it where raw chunks are kept.
    #[inline]
    pub fn reduce(&mut self, chunk: &C, probe: impl FnOnce(&C, Slot<'_>)) {
        self.reducer.push(chunk);
        if self.frame.is(RAW_CHUNKS) {
            probe(chunk, Slot::new(self.capture()));
        }
    }
}

pin_project! {
    /// A stream whose run ends with it.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless they are polled"]
    pub struct TracedStream<S, R: Finish, F> {
        #[pin]
        inner: S,
        recording: Recording<R>,
        on_item: F,
    }
}

impl<S: Stream, R: Finish, F: FnMut(&S::Item, &mut Item<'_, R>)> Stream for TracedStream<S, R, F> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let entered = this.recording.run.enter();
        let polled = this.inner.poll_next(cx);
        drop(entered);
        let next = ready!(polled);
        match &next {
            Some(item) => this.recording.item(item, this.on_item),
            None => this.recording.finish(Status::Ok),
        }
        Poll::Ready(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

/// Wraps a stream.
#[inline]
pub fn stream<X, S: Stream<Item = X>, R: Finish, F: FnMut(&X, &mut Item<'_, R>)>(
    run: OpenRun,
    inner: S,
    reducer: R,
    on_item: F,
) -> TracedStream<S, R, F> {
    TracedStream { inner, recording: Recording::new(run, reducer), on_item }
}

/// An iterator whose run ends with it.
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless they are consumed"]
pub struct TracedIterator<I, R: Finish, F> {
    inner: I,
    recording: Recording<R>,
    on_item: F,
}

impl<I: Iterator, R: Finish, F: FnMut(&I::Item, &mut Item<'_, R>)> Iterator for TracedIterator<I, R, F> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let entered = self.recording.run.enter();
        let next = self.inner.next();
        drop(entered);
        match &next {
            Some(item) => self.recording.item(item, &mut self.on_item),
            None => self.recording.finish(Status::Ok),
        }
        next
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

/// Wraps an iterator.
#[inline]
pub fn iterator<X, I: Iterator<Item = X>, R: Finish, F: FnMut(&X, &mut Item<'_, R>)>(
    run: OpenRun,
    inner: I,
    reducer: R,
    on_item: F,
) -> TracedIterator<I, R, F> {
    TracedIterator { inner, recording: Recording::new(run, reducer), on_item }
}
