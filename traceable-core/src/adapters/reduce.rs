//! Making one answer of a stream's chunks.

use std::{fmt, marker::PhantomData, mem};

use serde::Serialize;

use super::{Outcome, guarded};
use crate::{model::Usage, record::item, tape};

/// Chunks that a reducer is given at most; later ones are counted but not kept.
const MAX_KEPT: usize = 100_000;

/// Turns the chunks of a stream into one answer.
///
/// Implemented for functions of all chunks, `fn(Vec<C>) -> impl Serialize`, and for [`fold`], which keeps none. While a
/// stream goes on, the answer so far is made a few times a second at most, for live views.
pub trait Reduce<C> {
    /// What is kept while chunks pass.
    type State: Default;
    /// The answer.
    type Output: Serialize;

    /// Takes a chunk.
    fn push(&mut self, state: &mut Self::State, chunk: &C);

    /// Shows the answer as it is so far, to live views.
    fn so_far<V>(&self, state: &Self::State, see: impl FnOnce(&Self::Output) -> V) -> V;

    /// Makes the answer of what has passed.
    fn finish(self, state: Self::State) -> Self::Output;
}

impl<C: Clone, T: Serialize, F: Fn(Vec<C>) -> T> Reduce<C> for F {
    type State = Vec<C>;
    type Output = T;

    fn push(&mut self, state: &mut Vec<C>, chunk: &C) {
        if state.len() < MAX_KEPT {
            state.push(chunk.clone());
        }
    }

    fn so_far<V>(&self, state: &Vec<C>, see: impl FnOnce(&T) -> V) -> V {
        see(&self(state.clone()))
    }

    fn finish(self, state: Vec<C>) -> T {
        self(state)
    }
}

/// A reducer that folds chunks as they pass. Made by [`fold`].
pub struct Fold<S, F> {
    state: S,
    step: F,
}

impl<S: fmt::Debug, F> fmt::Debug for Fold<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fold").field("state", &self.state).finish_non_exhaustive()
    }
}

/// A reducer that keeps no chunks: `step` takes each into the state, and the state is the answer.
///
/// ```
/// use traceable_core::fold;
///
/// # #[allow(unused)]
/// let join = fold(String::new(), |text, chunk: &String| text.push_str(chunk));
/// ```
pub fn fold<S, C, F: FnMut(&mut S, &C)>(state: S, step: F) -> Fold<S, F> {
    let _: PhantomData<C> = PhantomData;
    Fold { state, step }
}

impl<C, S: Serialize, F: FnMut(&mut S, &C)> Reduce<C> for Fold<S, F> {
    type State = ();
    type Output = S;

    fn push(&mut self, (): &mut (), chunk: &C) {
        (self.step)(&mut self.state, chunk);
    }

    fn so_far<V>(&self, (): &(), see: impl FnOnce(&S) -> V) -> V {
        see(&self.state)
    }

    fn finish(self, (): ()) -> S {
        self.state
    }
}

/// What stands at the end of a stream.
pub trait Finish {
    /// Writes the answer so far, where the writer does not see the chunks itself.
    fn so_far(&mut self, body: &mut Vec<u8>) -> bool;

    /// Writes the answer, as far as there is one.
    fn finish(self, outcome: &mut Outcome<'_>);
}

/// No reducer: the answer is the list of the chunks, which were recorded one by one.
#[derive(Debug, Clone, Copy)]
pub struct Collect;

impl Finish for Collect {
    fn so_far(&mut self, _: &mut Vec<u8>) -> bool {
        false
    }

    fn finish(self, outcome: &mut Outcome<'_>) {
        outcome.body.push(item::CHUNKS_ARE_OUTPUT);
    }
}

/// A reducer at work. `A` writes its answer down.
pub struct Reducer<C, R: Reduce<C>, A> {
    reduce: Option<R>,
    state: R::State,
    answer: A,
    chunks: PhantomData<fn(C)>,
}

impl<C, R: Reduce<C>, A> fmt::Debug for Reducer<C, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reducer").finish_non_exhaustive()
    }
}

/// How a reduced answer is written down: as it is, processed, with its usage.
pub trait Answer<T> {
    /// Whether the answer is recorded as it is.
    const IS_PLAIN: bool;

    /// Writes the answer.
    fn write(self, answer: &T, outcome: &mut Outcome<'_>);
}

/// As it is.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl<T: Serialize> Answer<T> for Plain {
    const IS_PLAIN: bool = true;

    fn write(self, answer: &T, outcome: &mut Outcome<'_>) {
        outcome.body.push(item::OUTPUT);
        tape::write_serialize(outcome.body, answer);
    }
}

/// Processed first.
pub struct Processed<P>(P);

impl<P> fmt::Debug for Processed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processed").finish_non_exhaustive()
    }
}

impl<T, U: Serialize, P: FnOnce(&T) -> U> Answer<T> for Processed<P> {
    const IS_PLAIN: bool = false;

    fn write(self, answer: &T, outcome: &mut Outcome<'_>) {
        match guarded(|| (self.0)(answer)) {
            Some(processed) => Plain.write(&processed, outcome),
            None => outcome.withhold("process_outputs"),
        }
    }
}

/// With its usage.
pub struct Counted<A, U>(A, U);

impl<A, U> fmt::Debug for Counted<A, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted").finish_non_exhaustive()
    }
}

impl<T, V: Into<Option<Usage>>, A: Answer<T>, U: FnOnce(&T) -> V> Answer<T> for Counted<A, U> {
    const IS_PLAIN: bool = A::IS_PLAIN;

    fn write(self, answer: &T, outcome: &mut Outcome<'_>) {
        self.0.write(answer, outcome);
        if let Some(usage) = guarded(|| (self.1)(answer)) {
            outcome.usage(usage);
        }
    }
}

/// A stream's reducer.
pub fn reducer<C, R: Reduce<C>>(reduce: R) -> Reducer<C, R, Plain> {
    Reducer { reduce: Some(reduce), state: R::State::default(), answer: Plain, chunks: PhantomData }
}

impl<C, R: Reduce<C>> Reducer<C, R, Plain> {
    /// Records what `process` makes of the answer in its place.
    pub fn process<U: Serialize, P: FnOnce(&R::Output) -> U>(self, process: P) -> Reducer<C, R, Processed<P>> {
        Reducer { reduce: self.reduce, state: self.state, answer: Processed(process), chunks: PhantomData }
    }
}

impl<C, R: Reduce<C>, A: Answer<R::Output>> Reducer<C, R, A> {
    /// Reads the usage from the answer.
    pub fn usage<V: Into<Option<Usage>>, U: FnOnce(&R::Output) -> V>(self, usage: U) -> Reducer<C, R, Counted<A, U>> {
        Reducer { reduce: self.reduce, state: self.state, answer: Counted(self.answer, usage), chunks: PhantomData }
    }
}

impl<C, R: Reduce<C>, A> Reducer<C, R, A> {
    /// Takes a chunk. A reducer that panics takes no more: the panic is not the stream's.
    #[inline]
    pub(super) fn push(&mut self, chunk: &C) {
        // By reference: moving the reducer out and back would cost more than most reducers do.
        let Some(reduce) = &mut self.reduce else { return };
        let state = &mut self.state;
        if guarded(|| reduce.push(state, chunk)).is_none() {
            self.reduce = None;
        }
    }
}

impl<C, R: Reduce<C>, A: Answer<R::Output>> Finish for Reducer<C, R, A> {
    fn so_far(&mut self, body: &mut Vec<u8>) -> bool {
        // What is to be processed first is shown only at the end, when it has been.
        if !A::IS_PLAIN {
            return false;
        }
        let Some(reduce) = self.reduce.take() else { return false };
        let state = &self.state;
        self.reduce = guarded(|| {
            reduce.so_far(state, |answer| tape::write_serialize(body, answer));
            reduce
        });
        self.reduce.is_some()
    }

    fn finish(mut self, outcome: &mut Outcome<'_>) {
        let state = mem::take(&mut self.state);
        match self.reduce.take().and_then(|reduce| guarded(|| reduce.finish(state))) {
            Some(answer) => self.answer.write(&answer, outcome),
            None => outcome.withhold("reduce_fn"),
        }
    }
}
