//! Scopes: what is said of all runs that begin in a stretch of code, such as the conversation and its user.
//!
//! A scope is a frame on the thread's stack that stands for the run around it, and beside it what is said. Runs that begin
//! directly in a scope take it over; the runs below them inherit it from them.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context as Waking, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;
use serde::Serialize;

use crate::{
    adapters, attachments,
    context::Parent,
    frame::{FOREIGN, Frame, MUTED, SCOPE, TENTATIVE},
    local::{self, Seat},
    model::RunId,
    record::{Key, item},
    runtime::{Client, gate},
    sync::Arc,
    tape,
};

/// What stands beside a frame with the flag `SCOPE`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carried {
    /// Items for runs that begin directly here; what the run says itself comes behind them and wins.
    pub(crate) items: Vec<u8>,
    /// Items that win over what the run says itself.
    pub(crate) last_items: Vec<u8>,
    /// Items that the run which stands here has taken over, for the headers of requests.
    pub(crate) ambient: Vec<u8>,
    /// For the next run only.
    pub(crate) next: Option<Arc<Mutex<Option<Next>>>>,
    /// Starts and keys from the first run of this process to one around, where the stack may not show them.
    pub(crate) lineage: Vec<(i64, Key)>,
}

/// What is said of the next run only.
#[derive(Debug, Clone, Default)]
pub(crate) struct Next {
    pub(crate) items: Vec<u8>,
    pub(crate) id: Option<RunId>,
}

impl Carried {
    /// Starts and keys from the first run of this process to this one, where they are known here.
    pub(crate) fn lineage_of(&self, frame: &Frame) -> Option<&[(i64, Key)]> {
        self.lineage.last().is_some_and(|(_, key)| *key == frame.key).then_some(&*self.lineage)
    }

    /// All that is said here, for the headers of requests.
    pub(crate) fn all_items(&self) -> Vec<u8> {
        [&*self.ambient, &self.items, &self.last_items].concat()
    }

    pub(crate) fn take_next(&self) -> Option<Next> {
        self.next.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What is said behind this as well.
    fn with(mut self, inner: &Self) -> Self {
        self.items.extend_from_slice(&inner.items);
        self.last_items.extend_from_slice(&inner.last_items);
        self.ambient.extend_from_slice(&inner.ambient);
        self.next = inner.next.clone().or(self.next);
        if !inner.lineage.is_empty() {
            self.lineage.clone_from(&inner.lineage);
        }
        self
    }

    /// What holds of this in a scope that stands in it, directly or with a run between that has taken it over.
    pub(crate) fn seen_from_within(&self, directly: bool) -> Self {
        if directly {
            return self.clone();
        }
        Self { ambient: self.all_items(), lineage: self.lineage.clone(), ..Self::default() }
    }
}

/// Says something of all runs that begin in a stretch of code, and of all below them.
///
/// ```
/// use traceable_core::scope;
///
/// # fn answer(_: &str) {}
/// scope().thread("conversation-7").user("ada@example.com").tag("beta").call(|| {
///     // Every run that begins here belongs to this conversation and this user.
///     answer("why?");
/// });
/// ```
#[must_use = "a scope says something of what is called in it"]
pub fn scope() -> Scope {
    let own = gate::may_open().then(Box::default);
    Scope { own, merged: None }
}

/// What is said of runs. Made by [`scope`].
#[derive(Debug)]
#[must_use = "a scope says something of what is called in it"]
pub struct Scope {
    /// `None` where tracing is off.
    own: Option<Box<Own>>,
    /// The scope that this one stood in when it was last entered, and both together.
    merged: Option<Merged>,
}

#[derive(Debug)]
struct Merged {
    outer: Option<(Arc<Carried>, bool)>,
    both: Arc<Carried>,
}

#[derive(Debug, Default)]
struct Own {
    carried: Carried,
    next: Option<Next>,
    parent: Option<Parent>,
    client: Option<u16>,
    muted: bool,
}

impl Scope {
    /// Files the traces that begin here under a project, whatever they say themselves.
    pub fn project(self, name: impl AsRef<str>) -> Self {
        self.with(|own| adapters::text(&mut own.carried.last_items, item::PROJECT, name.as_ref()))
    }

    /// Makes the runs a part of a conversation.
    pub fn thread(self, id: impl AsRef<str>) -> Self {
        self.text(item::THREAD, id.as_ref())
    }

    /// Makes the runs a part of a session.
    pub fn session(self, id: impl AsRef<str>) -> Self {
        self.text(item::SESSION, id.as_ref())
    }

    /// Names the user, by id or by identifier.
    pub fn user(self, id: impl AsRef<str>) -> Self {
        self.text(item::USER, id.as_ref())
    }

    /// Names the environment, such as `production`.
    pub fn environment(self, name: impl AsRef<str>) -> Self {
        self.text(item::ENVIRONMENT, name.as_ref())
    }

    /// Names the version of the deployed code.
    pub fn release(self, version: impl AsRef<str>) -> Self {
        self.text(item::RELEASE, version.as_ref())
    }

    /// Adds a tag to every run.
    pub fn tag(self, tag: impl AsRef<str>) -> Self {
        self.text(item::SCOPE_TAG, tag.as_ref())
    }

    /// Adds tags to every run.
    pub fn tags<T: AsRef<str>>(self, tags: impl IntoIterator<Item = T>) -> Self {
        tags.into_iter().fold(self, Scope::tag)
    }

    /// Adds a metadata value to every run. What a run says itself under the same key wins.
    pub fn metadata<T: Serialize + ?Sized>(self, key: &str, value: &T) -> Self {
        self.with(|own| {
            let at = own.carried.items.len();
            adapters::text(&mut own.carried.items, item::METADATA, key);
            tape::write_serialize(&mut own.carried.items, value);
            // Many runs will say this, but a file is of one run.
            attachments::forget_items(&own.carried.items[at..]);
        })
    }

    /// Makes the runs children of another run than the current one: of a [`Context`](crate::Context), a
    /// [`Current`](crate::Current), or a run of another process.
    pub fn parent(self, parent: impl Into<Parent>) -> Self {
        self.with(|own| own.parent = Some(parent.into()))
    }

    /// Sends the traces that begin here to the destinations of `client`.
    pub fn client(self, client: Client) -> Self {
        self.with(|own| own.client = Some(client.0))
    }

    /// Records what is called here, or leaves it out with all below it. Does not switch tracing on where it is off.
    pub fn enabled(self, enabled: bool) -> Self {
        self.with(|own| own.muted = !enabled)
    }

    /// Gives the next run that begins here another name.
    pub fn run_name(self, name: impl AsRef<str>) -> Self {
        self.with(|own| adapters::text(&mut own.next.get_or_insert_default().items, item::NAME, name.as_ref()))
    }

    /// Gives the next run that begins here this id, so that it is known beforehand. To be used once: two runs of one id
    /// are one run to every backend.
    pub fn run_id(self, id: RunId) -> Self {
        self.with(|own| own.next.get_or_insert_default().id = Some(id))
    }

    /// Calls `f` in this scope.
    pub fn call<T>(mut self, f: impl FnOnce() -> T) -> T {
        let _entered = self.push();
        f()
    }

    /// Polls a future in this scope.
    pub fn future<F>(self, future: F) -> InScope<F> {
        InScope { inner: future, scope: self }
    }

    /// Stays in this scope until the answer is dropped. For code without an `.await`.
    #[must_use = "the scope holds only while the answer is kept"]
    pub fn enter(mut self) -> Entered<'static> {
        self.push()
    }

    fn text(self, item: u8, text: &str) -> Self {
        self.with(|own| adapters::text(&mut own.carried.items, item, text))
    }

    fn with(mut self, say: impl FnOnce(&mut Own)) -> Self {
        if let Some(own) = &mut self.own {
            say(own);
        }
        self
    }

    fn push(&mut self) -> Entered<'static> {
        let seat = self.own.as_mut().and_then(|own| push(own, &mut self.merged));
        Entered { seat, _thread: PhantomData }
    }
}

/// Puts a scope on the stack.
fn push(own: &mut Own, merged: &mut Option<Merged>) -> Option<Seat> {
    let (top, outer) = local::top_with_scope();
    let directly = top.is(SCOPE);
    let (mut frame, of_parent) = match &own.parent {
        Some(parent) => (parent.frame, parent.carried.as_ref()),
        None => (top, None),
    };
    if let Some(next) = own.next.take() {
        own.carried.next = Some(Arc::new(Mutex::new(Some(next))));
    }
    let known = merged.as_ref().is_some_and(|merged| match (&merged.outer, &outer) {
        (Some((before, way)), Some(now)) => Arc::ptr_eq(before, now) && *way == directly,
        (None, None) => true,
        _ => false,
    });
    if !known {
        let mut around = outer.as_deref().map_or_else(Carried::default, |outer| outer.seen_from_within(directly));
        if own.parent.is_some() {
            // Another run than the parent has taken it over.
            around.ambient.clear();
        }
        // As for a run: what is said around wins over what comes with the parent.
        let below = of_parent.map_or_else(Carried::default, |of_parent| Carried::clone(of_parent));
        let mut both = below.with(&around).with(&own.carried);
        if let Some(of_parent) = of_parent.filter(|of_parent| !of_parent.lineage.is_empty()) {
            both.lineage.clone_from(&of_parent.lineage);
        }
        let both = Arc::new(both);
        *merged = Some(Merged { outer: outer.map(|outer| (outer, directly)), both });
    }
    let both = &merged.as_ref()?.both;
    frame.flags &= MUTED | FOREIGN | TENTATIVE;
    if own.muted {
        frame.flags |= MUTED;
    }
    if frame.depth == 0 {
        frame.client = own.client.unwrap_or_else(|| local::client_of_roots(&top));
    }
    local::sit_in_scope(&frame, both)
}

/// While this lives, a scope holds on this thread.
#[derive(Debug)]
pub struct Entered<'a> {
    seat: Option<Seat>,
    /// Belongs to one thread, and to what it was entered from.
    _thread: PhantomData<(&'a (), *const ())>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            local::leave(seat);
        }
    }
}

pin_project! {
    /// A future or stream that is polled in a scope.
    #[derive(Debug)]
    #[must_use = "futures and streams do nothing unless they are polled"]
    pub struct InScope<T> {
        #[pin]
        inner: T,
        scope: Scope,
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Waking<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.scope.push();
        this.inner.poll(cx)
    }
}

impl<S: Stream> Stream for InScope<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Waking<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let _entered = this.scope.push();
        this.inner.poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}
