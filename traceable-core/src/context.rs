//! Carrying the current run to where no thread-local reaches: other tasks, other threads, thread pools.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context as Waking, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::{
    current::Current,
    frame::{Frame, SCOPE},
    local::{self, Options, Seat},
    model::RunId,
    record::Key,
    runtime::clients::Client,
    scope::Carried,
    sync::Arc,
};

/// The run that was the current one when this was captured.
///
/// It may be cloned, sent and kept; runs that begin under it are children of that run, also after that run's end.
///
/// ```
/// let context = traceable_core::Context::current();
/// std::thread::spawn(move || {
///     let _attached = context.attach();
///     // Calls of traced functions here belong to the run outside.
/// })
/// .join()
/// .unwrap();
/// ```
#[derive(Debug)]
#[must_use = "a context does nothing before it is attached"]
pub struct Context {
    pub(crate) frame: Frame,
    /// What the scopes say that the context was captured in, and the way down to its run.
    pub(crate) carried: Option<Arc<Carried>>,
    /// The writer knows of this handle.
    is_retained: bool,
}

impl Context {
    /// The current run, with what the scopes around it say. Outside of any run and scope, a context that changes nothing.
    pub fn current() -> Self {
        let (top, around) = local::top_with_scope();
        let directly = top.is(SCOPE);
        if !top.has_far_root() && (directly || around.is_none()) {
            return Self::of(top, around);
        }
        let mut carried = around.map_or_else(Carried::default, |around| around.seen_from_within(directly));
        if top.has_far_root() {
            carried.lineage = local::lineage(&top);
        }
        Self::of(top, Some(Arc::new(carried)))
    }

    /// A run that was begun just now below `parent`, or else below what is current, and is on no stack.
    pub(crate) fn of_run(frame: Frame, parent: Option<&Parent>) -> Self {
        let (top, around) = local::top_with_scope();
        let mut ambient = Vec::new();
        match parent {
            None => ambient.extend(around.iter().flat_map(|around| around.all_items())),
            // As the run itself: beside the parent, what it begins in directly.
            Some(parent) => {
                ambient.extend(parent.carried.iter().flat_map(|said| said.all_items()));
                if let Some(around) = around.filter(|_| top.is(SCOPE)) {
                    ambient.extend_from_slice(&around.items);
                    ambient.extend_from_slice(&around.last_items);
                }
            }
        }
        if !frame.has_far_root() && ambient.is_empty() {
            return Self::of(frame, None);
        }
        let mut lineage = Vec::new();
        if frame.has_far_root() {
            lineage = parent.map_or_else(|| local::lineage(&top), Parent::lineage);
            lineage.push((frame.start, frame.key));
        }
        Self::of(frame, Some(Arc::new(Carried { ambient, lineage, ..Carried::default() })))
    }

    /// A context that changes nothing.
    pub(crate) fn none() -> Self {
        Self::of(Frame::NONE, None)
    }

    pub(crate) fn of(mut frame: Frame, carried: Option<Arc<Carried>>) -> Self {
        let is_retained = frame.is_recorded() && local::retain(frame.key);
        frame.flags &= !SCOPE;
        if carried.is_some() {
            frame.set(SCOPE);
        }
        Self { frame, carried, is_retained }
    }

    /// Whether there is a run in it.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.frame.key == 0
    }

    /// The run's id.
    #[must_use]
    pub fn id(&self) -> Option<RunId> {
        Current::of(self.frame).id()
    }

    /// Makes the run the current one on this thread until the answer is dropped.
    #[must_use = "the run is current only while the answer is kept"]
    pub fn attach(&self) -> Attached<'_> {
        let is_idle = self.frame.key == 0 && self.frame.flags == 0 && self.carried.is_none();
        let seat = if is_idle { None } else { local::sit_apart(&self.frame, self.carried.as_ref()) };
        Attached { seat, _context: PhantomData }
    }

    /// Calls `f` with the run as the current one.
    pub fn scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _attached = self.attach();
        f()
    }
}

impl Clone for Context {
    fn clone(&self) -> Self {
        Self::of(self.frame, self.carried.clone())
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if self.is_retained {
            local::release(self.frame.key);
        }
    }
}

/// While this lives, a context's run is the current one on this thread.
#[derive(Debug)]
pub struct Attached<'a> {
    seat: Option<Seat>,
    /// Belongs to one thread, and to a context that outlives it.
    _context: PhantomData<(&'a Context, *const ())>,
}

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            local::leave(seat);
        }
    }
}

/// Takes the current run along into a closure, for `spawn_blocking`, `std::thread::spawn` and thread pools.
///
/// ```
/// # fn search() {}
/// std::thread::spawn(traceable_core::wrap(|| search())).join().unwrap();
/// ```
pub fn wrap<T, F: FnOnce() -> T>(f: F) -> impl FnOnce() -> T {
    let context = Context::current();
    move || context.scope(f)
}

pin_project! {
    /// A future or stream that is polled under the run that was current when it was made.
    #[derive(Debug)]
    #[must_use = "futures and streams do nothing unless they are polled"]
    pub struct InRun<T> {
        #[pin]
        inner: T,
        context: Context,
    }
}

impl<F: Future> Future for InRun<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Waking<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _attached = this.context.attach();
        this.inner.poll(cx)
    }
}

impl<S: Stream> Stream for InRun<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Waking<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let _attached = this.context.attach();
        this.inner.poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

/// Carries the current run into futures and streams that another task polls.
pub trait InRunExt: Sized {
    /// Polls this under the run that is current now: `tokio::spawn(work().in_current_run())`.
    fn in_current_run(self) -> InRun<Self> {
        self.in_run(Context::current())
    }

    /// Polls this under the run of `context`.
    fn in_run(self, context: Context) -> InRun<Self> {
        InRun { inner: self, context }
    }
}

impl<T> InRunExt for T {}

/// The run that another one is to be a part of, as the attribute's `parent` takes it.
#[derive(Debug, Clone)]
pub struct Parent {
    pub(crate) frame: Frame,
    pub(crate) carried: Option<Arc<Carried>>,
    /// Keeps a run of another process known until its first child has begun.
    _kept: Option<Context>,
}

impl Parent {
    /// Starts and keys from the first run of this process to this one.
    fn lineage(&self) -> Vec<(i64, Key)> {
        match self.carried.as_ref().and_then(|carried| carried.lineage_of(&self.frame)) {
            Some(lineage) => lineage.to_vec(),
            None if self.frame.has_far_root() => local::lineage(&self.frame),
            None => self.frame.short_lineage(),
        }
    }
}

impl From<&Context> for Parent {
    fn from(context: &Context) -> Self {
        Self { frame: context.frame, carried: context.carried.clone(), _kept: None }
    }
}

impl From<Context> for Parent {
    fn from(context: Context) -> Self {
        Self { frame: context.frame, carried: context.carried.clone(), _kept: Some(context) }
    }
}

impl From<&Current> for Parent {
    fn from(current: &Current) -> Self {
        Self { frame: current.frame(), carried: None, _kept: None }
    }
}

impl From<Current> for Parent {
    fn from(current: Current) -> Self {
        Self::from(&current)
    }
}

impl Options {
    /// Makes the run a part of `parent`, whatever is current. A context without a run makes it a root.
    pub fn parent(&mut self, parent: impl Into<Parent>) {
        self.parent = Some(parent.into());
    }

    /// Sends the trace to the destinations of `client`, if the run is a root.
    pub fn client(&mut self, client: impl Into<Client>) {
        self.client = Some(client.into().0);
    }

    /// Records the run or leaves it out, with all below it. Does not switch tracing on where it is off.
    pub fn enabled(&mut self, enabled: bool) {
        self.enabled = Some(enabled);
    }
}
