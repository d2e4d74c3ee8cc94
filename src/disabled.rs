//! The public interface without the feature `enable`: the same signatures, and nothing behind them.
//!
//! A library annotates its functions and depends on `traceable` with `default-features = false`; the application decides
//! whether anything is recorded. What only an application needs (`init`, exporters, the model) is not here.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    ops::Deref,
    pin::Pin,
    task::{self, Poll},
    time::Duration,
};

use futures_core::Stream;
use pin_project_lite::pin_project;

mod attachment;
pub(crate) mod json;
mod said;

pub use self::{attachment::*, said::*};

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
    pub fn attach(self, _name: &str, _attachment: &Attachment) {}

    /// Does nothing.
    pub fn set_name(self, _name: &str) {}

    /// Does nothing.
    pub fn set_result<T: ?Sized>(self, _result: &T) {}

    /// Does nothing.
    pub fn set_inputs<T: ?Sized>(self, _inputs: &T) {}

    /// Does nothing.
    pub fn set_metadata<T: ?Sized>(self, _metadata: &T) {}

    /// Does nothing.
    pub fn set_expected<T: ?Sized>(self, _expected: &T) {}

    /// Does nothing.
    pub fn add_variable<T: ?Sized>(self, _name: &str, _value: &T) {}

    /// Does nothing.
    pub fn set_model(self, _provider: &str, _model: &str) {}

    /// Does nothing.
    pub fn set_cost(self, _dollars: f64) {}

    /// Does nothing.
    pub fn set_raw_stream(self, _text: &str) {}

    /// Does nothing.
    pub fn set_time_to_first_token(self, _latency: Duration) {}

    /// Does nothing.
    pub fn set_prompt(self, _prompt: Option<&str>, _deployment: Option<&str>) {}

    /// Does nothing.
    pub fn set_run_type(self, _run_type: &str) {}

    /// Does nothing.
    pub fn set_status(self, _status: Status) {}

    /// Does nothing.
    pub fn set_thread(self, _id: &str) {}

    /// Does nothing.
    pub fn set_session(self, _id: &str) {}

    /// Does nothing.
    pub fn set_environment(self, _name: &str) {}

    /// Does nothing.
    pub fn set_user(self, _id: &str) {}

    /// A run that is not recorded.
    pub fn child(self, _name: impl AsRef<str>) -> RunBuilder {
        RunBuilder(())
    }

    /// No headers.
    #[must_use]
    pub fn headers(self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Status {
    /// Still open.
    #[default]
    Pending,
    /// Ended well.
    Ok,
    /// Ended with an error or a panic.
    Error,
    /// The future or stream was dropped before its end.
    Cancelled,
    /// Ended from outside, such as by a limit.
    Aborted,
    /// Not known.
    Unknown,
}

/// A run that another one is to be a part of: none.
#[derive(Debug, Clone)]
pub struct Parent(());

impl<T: IsParent> From<T> for Parent {
    fn from(_: T) -> Self {
        Self(())
    }
}

/// What may be given as a parent.
trait IsParent {}

impl IsParent for Context {}
impl IsParent for &Context {}
impl IsParent for Current {}
impl IsParent for &Current {}
impl IsParent for &ActiveRun {}

/// Where runs would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Client(());

/// A run that is not recorded.
pub fn run(_name: impl AsRef<str>) -> RunBuilder {
    RunBuilder(())
}

/// A run that is not recorded.
#[must_use = "dropped, the run ends"]
pub fn start_trace(_name: impl AsRef<str>) -> EnteredRun {
    RunBuilder(()).enter()
}

/// A run that is not recorded.
#[derive(Debug)]
#[must_use = "the run begins with `start`, `enter`, `call` or `future`"]
pub struct RunBuilder(());

/// Setters that take a text and do nothing.
macro_rules! texts {
    ($($name:ident)*) => {
        $(
            /// Does nothing.
            pub fn $name(self, _text: impl AsRef<str>) -> Self {
                self
            }
        )*
    };
}

impl RunBuilder {
    texts! { name tag prompt deployment project thread session user environment release provider model }

    /// Does nothing.
    pub fn run_type<T>(self, _run_type: T) -> Self {
        self
    }

    /// Does nothing.
    pub fn input<T: ?Sized>(self, _name: &str, _value: &T) -> Self {
        self
    }

    /// Does nothing.
    pub fn inputs<T: ?Sized>(self, _value: &T) -> Self {
        self
    }

    /// Does nothing.
    pub fn metadata<T: ?Sized>(self, _key: &str, _value: &T) -> Self {
        self
    }

    /// Does nothing.
    pub fn tags<T: AsRef<str>>(self, _tags: impl IntoIterator<Item = T>) -> Self {
        self
    }

    /// Does nothing.
    pub fn expected<T: ?Sized>(self, _value: &T) -> Self {
        self
    }

    /// Does nothing.
    pub fn variable<T: ?Sized>(self, _name: &str, _value: &T) -> Self {
        self
    }

    /// Does nothing.
    pub fn parent(self, _parent: impl Into<Parent>) -> Self {
        self
    }

    /// Does nothing.
    pub fn client(self, _client: Client) -> Self {
        self
    }

    /// Does nothing.
    pub fn enabled(self, _enabled: bool) -> Self {
        self
    }

    /// Does nothing.
    pub fn id(self, _id: RunId) -> Self {
        self
    }

    /// A run that is not recorded.
    #[must_use = "dropped, the run ends"]
    pub fn start(self) -> ActiveRun {
        ActiveRun(Current(()))
    }

    /// A run that is not recorded.
    #[must_use = "dropped, the run ends"]
    pub fn enter(self) -> EnteredRun {
        EnteredRun(self.start(), PhantomData)
    }

    /// Calls `f`.
    pub fn call<T>(self, f: impl FnOnce(&ActiveRun) -> T) -> T {
        f(&self.start())
    }

    /// Calls `f`.
    ///
    /// # Errors
    ///
    /// That of `f`.
    pub fn try_call<T, E: fmt::Display>(self, f: impl FnOnce(&ActiveRun) -> Result<T, E>) -> Result<T, E> {
        self.call(f)
    }

    /// The future as it is.
    pub fn future<F: Future>(self, future: F) -> F {
        future
    }

    /// The future as it is.
    pub fn try_future<T, E: fmt::Display, F: Future<Output = Result<T, E>>>(self, future: F) -> F {
        future
    }
}

/// A run that is not recorded.
#[derive(Debug)]
pub struct ActiveRun(Current);

impl Deref for ActiveRun {
    type Target = Current;

    fn deref(&self) -> &Current {
        &self.0
    }
}

impl ActiveRun {
    /// Does nothing.
    pub fn end(&self) {}

    /// Does nothing.
    pub fn end_with<T: ?Sized>(&self, _output: &T) {}

    /// Does nothing.
    pub fn fail(&self, _error: impl fmt::Display) {}

    /// `false`.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        false
    }

    /// Does nothing.
    #[must_use = "the run is current only while the answer is kept"]
    pub fn enter(&self) -> Attached<'_> {
        Attached(PhantomData)
    }

    /// Calls `f`.
    pub fn scope<T>(&self, f: impl FnOnce() -> T) -> T {
        f()
    }

    /// The future as it is.
    pub fn future<F>(&self, future: F) -> InRun<F> {
        InRun { inner: future }
    }
}

/// A run that is not recorded.
#[derive(Debug)]
pub struct EnteredRun(ActiveRun, PhantomData<*const ()>);

impl Deref for EnteredRun {
    type Target = ActiveRun;

    fn deref(&self) -> &ActiveRun {
        &self.0
    }
}

/// Says nothing of any run.
pub fn scope() -> Scope {
    Scope(())
}

/// Says nothing of any run.
#[derive(Debug)]
#[must_use = "a scope says something of what is called in it"]
pub struct Scope(());

impl Scope {
    texts! { project thread session user environment release tag run_name }

    /// Does nothing.
    pub fn tags<T: AsRef<str>>(self, _tags: impl IntoIterator<Item = T>) -> Self {
        self
    }

    /// Does nothing.
    pub fn metadata<T: ?Sized>(self, _key: &str, _value: &T) -> Self {
        self
    }

    /// Does nothing.
    pub fn parent(self, _parent: impl Into<Parent>) -> Self {
        self
    }

    /// Does nothing.
    pub fn client(self, _client: Client) -> Self {
        self
    }

    /// Does nothing.
    pub fn enabled(self, _enabled: bool) -> Self {
        self
    }

    /// Does nothing.
    pub fn run_id(self, _id: RunId) -> Self {
        self
    }

    /// Calls `f`.
    pub fn call<T>(self, f: impl FnOnce() -> T) -> T {
        f()
    }

    /// The future as it is.
    pub fn future<F>(self, future: F) -> InScope<F> {
        InRun { inner: future }
    }

    /// Does nothing.
    #[must_use = "the scope holds only while the answer is kept"]
    pub fn enter(self) -> Entered<'static> {
        Entered(PhantomData)
    }
}

/// A future or stream as it is.
pub type InScope<T> = InRun<T>;

/// What [`Scope::enter`] answers.
#[derive(Debug)]
pub struct Entered<'a>(PhantomData<(&'a (), *const ())>);

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

    /// A context that does nothing.
    pub fn from_headers<N: AsRef<str>, V: AsRef<[u8]>>(_headers: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(())
    }

    /// No headers.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        Vec::new()
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
    pub spooled: bool,
    /// `true`.
    pub delivered: bool,
    /// 0.
    pub pending: usize,
}

const NOTHING: Flushed = Flushed { spooled: true, delivered: true, pending: 0 };

/// Does nothing.
pub fn init() {}

/// `false`.
#[must_use]
pub fn is_enabled() -> bool {
    false
}

/// Does nothing.
pub fn flush(_timeout: Duration) -> Flush {
    std::future::ready(NOTHING)
}

/// The future of [`flush`].
pub type Flush = std::future::Ready<Flushed>;

/// Does nothing.
pub fn flush_blocking(_timeout: Duration) -> Flushed {
    NOTHING
}

/// Does nothing.
pub fn shutdown(_timeout: Duration) -> Flushed {
    NOTHING
}
