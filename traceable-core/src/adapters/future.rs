//! Futures: the run is the current one for the length of each poll, and lies in the future between two polls.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{OpenRun, Outcome, Start, open_run};
use crate::{
    local::{self, Options, Place},
    model::Status,
    runtime::gate,
    site::Site,
};

/// Opens the run of an async function: the first statement of its body.
#[inline]
pub fn begin(site: &'static Site, capture: impl FnOnce(&mut Start<'_>)) {
    if gate::is_open(site) {
        open_run(site, None, Place::Replace, capture);
    }
}

/// Opens the run of an async function of which nothing is captured.
#[inline]
pub fn begin_bare(site: &'static Site) {
    if gate::is_open(site) && local::begin_bare(site, Place::Replace).is_err() {
        open_run(site, None, Place::Replace, |_| {});
    }
}

/// Opens the run of an async function whose attribute says something of its place.
#[inline]
pub fn begin_with(site: &'static Site, options: impl FnOnce(&mut Options), capture: impl FnOnce(&mut Start<'_>)) {
    if gate::is_open(site) {
        let mut chosen = Options::default();
        options(&mut chosen);
        open_run(site, Some(&chosen), Place::Replace, capture);
    }
}

pin_project! {
    /// A future whose run ends with its output.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Traced<F, O> {
        #[pin]
        inner: F,
        run: OpenRun,
        outcome: Option<O>,
    }
}

impl<F: Future, O: FnOnce(&F::Output, &mut Outcome<'_>)> Future for Traced<F, O> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let entered = this.run.enter();
        let polled = this.inner.poll(cx);
        drop(entered);
        let output = ready!(polled);
        if !this.run.is_off()
            && let Some(outcome) = this.outcome.take()
        {
            this.run.end_as(Status::Ok, |o| outcome(&output, o));
        }
        Poll::Ready(output)
    }
}

pin_project! {
    /// A future whose run goes on in its output.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct TracedOpen<F, W> {
        #[pin]
        inner: F,
        run: OpenRun,
        wrap: Option<W>,
    }
}

impl<F: Future, T, W: FnOnce(F::Output, OpenRun) -> T> Future for TracedOpen<F, W> {
    type Output = T;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = self.project();
        let entered = this.run.enter();
        let polled = this.inner.poll(cx);
        drop(entered);
        let output = ready!(polled);
        let run = OpenRun { frame: this.run.take() };
        match this.wrap.take() {
            Some(wrap) => Poll::Ready(wrap(output, run)),
            // Polled again after its end: what `inner` did not refuse never ends.
            None => Poll::Pending,
        }
    }
}

/// Wraps the body of an async function, which opens the run by `begin`.
#[inline]
pub fn future<F: Future, O: FnOnce(&F::Output, &mut Outcome<'_>)>(inner: F, outcome: O) -> Traced<F, O> {
    Traced { inner, run: OpenRun::fresh(), outcome: Some(outcome) }
}

/// Wraps the body of an async function whose output carries the run on.
#[inline]
pub fn future_open<F: Future, T, W: FnOnce(F::Output, OpenRun) -> T>(inner: F, wrap: W) -> TracedOpen<F, W> {
    TracedOpen { inner, run: OpenRun::fresh(), wrap: Some(wrap) }
}

/// Wraps a future that a function returned.
#[inline]
pub fn adopt<F: Future, O: FnOnce(&F::Output, &mut Outcome<'_>)>(run: OpenRun, inner: F, outcome: O) -> Traced<F, O> {
    Traced { inner, run, outcome: Some(outcome) }
}

/// Wraps a future that a function returned and whose output carries the run on.
#[inline]
pub fn adopt_open<F: Future, T, W: FnOnce(F::Output, OpenRun) -> T>(
    run: OpenRun,
    inner: F,
    wrap: W,
) -> TracedOpen<F, W> {
    TracedOpen { inner, run, wrap: Some(wrap) }
}
