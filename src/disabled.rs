//! The public interface without the feature `enable`: the same signatures, and nothing behind them.
//!
//! A library annotates its functions and depends on `traceable` with `default-features = false`; the application decides
//! whether anything is recorded. What only an application needs (`init`, exporters, the model) is not here.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{self, Poll},
    time::Duration,
};

use futures_core::Stream;
use pin_project_lite::pin_project;

/// The id of a run. There are none without `enable`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunId {}

impl fmt::Display for RunId {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

/// Token usage.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the prompt.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
    /// Both together.
    pub total_tokens: Option<u64>,
}

impl Usage {
    /// Usage of a call with these token counts.
    #[must_use]
    pub fn new(input_tokens: u64, output_tokens: u64) -> Self {
        let total_tokens = Some(input_tokens.saturating_add(output_tokens));
        Self { input_tokens: Some(input_tokens), output_tokens: Some(output_tokens), total_tokens }
    }

    /// Does nothing.
    #[must_use]
    pub fn with_input_detail(self, _name: impl Into<String>, _tokens: u64) -> Self {
        self
    }

    /// Does nothing.
    #[must_use]
    pub fn with_output_detail(self, _name: impl Into<String>, _tokens: u64) -> Self {
        self
    }

    /// Does nothing.
    #[must_use]
    pub fn with_total_cost(self, _dollars: f64) -> Self {
        self
    }
}

/// A value that `Debug` and `Display` show as `[redacted]`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, no longer hidden.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("[redacted]")
    }
}

/// The current run: none.
#[must_use]
pub fn current() -> Current {
    Current(())
}

/// A handle that does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Current(());

impl Current {
    /// `false`.
    #[must_use]
    pub fn is_recording(self) -> bool {
        false
    }

    /// `None`.
    #[must_use]
    pub fn id(self) -> Option<RunId> {
        None
    }

    /// `None`.
    #[must_use]
    pub fn trace_id(self) -> Option<RunId> {
        None
    }

    /// A context that does nothing.
    pub fn context(self) -> Context {
        Context(())
    }

    /// Does nothing.
    pub fn add_metadata<T: ?Sized>(self, _key: &str, _value: &T) {}

    /// Does nothing.
    pub fn add_tag(self, _tag: &str) {}

    /// Does nothing.
    pub fn add_tags<T: AsRef<str>>(self, _tags: impl IntoIterator<Item = T>) {}

    /// Does nothing.
    pub fn add_event<T: ?Sized>(self, _name: &str, _data: &T) {}

    /// Does nothing.
    pub fn set_usage(self, _usage: &Usage) {}

    /// Does nothing.
    pub fn set_outputs<T: ?Sized>(self, _outputs: &T) {}

    /// Does nothing.
    pub fn set_error(self, _error: impl fmt::Display) {}

    /// Does nothing.
    pub fn set_name(self, _name: &str) {}
}

/// A context that does nothing.
#[derive(Debug, Clone)]
#[must_use = "a context does nothing before it is attached"]
pub struct Context(());

impl Context {
    /// The current run: none.
    pub fn current() -> Self {
        Self(())
    }

    /// `true`.
    #[must_use]
    pub fn is_none(&self) -> bool {
        true
    }

    /// `None`.
    #[must_use]
    pub fn id(&self) -> Option<RunId> {
        None
    }

    /// Does nothing.
    #[must_use = "the run is current only while the answer is kept"]
    pub fn attach(&self) -> Attached<'_> {
        Attached(PhantomData)
    }

    /// Calls `f`.
    pub fn scope<T>(&self, f: impl FnOnce() -> T) -> T {
        f()
    }
}

/// What [`Context::attach`] answers.
#[derive(Debug)]
pub struct Attached<'a>(PhantomData<(&'a Context, *const ())>);

/// `f` as it is.
pub fn wrap<T, F: FnOnce() -> T>(f: F) -> impl FnOnce() -> T {
    f
}

pin_project! {
    /// A future or stream as it is.
    #[derive(Debug)]
    #[must_use = "futures and streams do nothing unless they are polled"]
    pub struct InRun<T> {
        #[pin]
        inner: T,
    }
}

impl<F: Future> Future for InRun<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        self.project().inner.poll(cx)
    }
}

impl<S: Stream> Stream for InRun<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<S::Item>> {
        self.project().inner.poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

/// Carries no run anywhere.
pub trait InRunExt: Sized {
    /// This, as it is.
    fn in_current_run(self) -> InRun<Self> {
        InRun { inner: self }
    }

    /// This, as it is.
    fn in_run(self, _context: Context) -> InRun<Self> {
        self.in_current_run()
    }
}

impl<T> InRunExt for T {}

/// A reducer that is never called.
#[derive(Debug)]
pub struct Fold<S, F>(PhantomData<(S, F)>);

/// A reducer that is never called.
pub fn fold<S, C, F: FnMut(&mut S, &C)>(_state: S, _step: F) -> Fold<S, F> {
    Fold(PhantomData)
}

/// What a flush achieved: nothing was to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Flushed {
    /// `true`.
    pub complete: bool,
    /// 0.
    pub pending: usize,
}

/// Does nothing.
pub fn init() {}

/// `false`.
#[must_use]
pub fn is_enabled() -> bool {
    false
}

/// Does nothing.
pub fn flush(_timeout: Duration) -> Flush {
    std::future::ready(Flushed { complete: true, pending: 0 })
}

/// The future of [`flush`].
pub type Flush = std::future::Ready<Flushed>;

/// Does nothing.
pub fn flush_blocking(_timeout: Duration) -> Flushed {
    Flushed { complete: true, pending: 0 }
}

/// Does nothing.
pub fn shutdown(_timeout: Duration) -> Flushed {
    Flushed { complete: true, pending: 0 }
}
