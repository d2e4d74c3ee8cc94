//! Functions that return a value: the run is open while the body runs.

use super::{OpenRun, Outcome, Start, end_run, end_with, note_panic, open_run};
use crate::{
    local::{self, Ending, Options, Place},
    model::Status,
    runtime::gate,
    site::Site,
};

/// A run that is open on this thread's stack. Dropped, it ends; while unwinding, with the panic as its error.
#[derive(Debug)]
pub struct RunGuard {
    place: Option<usize>,
    /// The guard stands for a place on one thread's stack.
    _not_send: std::marker::PhantomData<*const ()>,
}

impl RunGuard {
    const fn new(place: Option<usize>) -> Self {
        Self { place, _not_send: std::marker::PhantomData }
    }

    fn end(mut self, outcome: impl FnOnce(&mut Outcome<'_>)) {
        let mut ending = Ending::default();
        if self.place.take().is_some_and(|place| local::pop_end(place, &mut ending)) {
            end_with(&mut ending, Status::Ok, outcome);
        }
    }
}

impl Drop for RunGuard {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            end_dropped(place);
        }
    }
}

/// Ends a run that nobody ended by hand: its function never returned a value, or it panics.
#[cold]
fn end_dropped(place: usize) {
    let mut frame = local::pop(place);
    if std::thread::panicking() {
        note_panic(&mut frame);
    }
    end_run(&frame, Status::Ok, |_| {});
}

/// Opens a run for a call.
#[inline]
pub fn enter(site: &'static Site, capture: impl FnOnce(&mut Start<'_>)) -> RunGuard {
    if !gate::is_open(site) {
        return RunGuard::new(None);
    }
    RunGuard::new(open_run(site, None, Place::Push, capture))
}

/// Opens a run for a call of which nothing is captured.
#[inline]
pub fn enter_bare(site: &'static Site) -> RunGuard {
    if !gate::is_open(site) {
        return RunGuard::new(None);
    }
    let place = local::begin_bare(site, Place::Push);
    RunGuard::new(place.unwrap_or_else(|_| open_run(site, None, Place::Push, |_| {})))
}

/// Opens a run for a call whose attribute says something of its place.
#[inline]
pub fn enter_with(
    site: &'static Site,
    options: impl FnOnce(&mut Options),
    capture: impl FnOnce(&mut Start<'_>),
) -> RunGuard {
    if !gate::is_open(site) {
        return RunGuard::new(None);
    }
    let mut chosen = Options::default();
    options(&mut chosen);
    RunGuard::new(open_run(site, Some(&chosen), Place::Push, capture))
}

/// Calls the body, and ends the run with what it returned.
#[inline]
pub fn call<R>(run: RunGuard, body: impl FnOnce() -> R, outcome: impl FnOnce(&R, &mut Outcome<'_>)) -> R {
    let returned = body();
    if run.place.is_some() {
        run.end(|o| outcome(&returned, o));
    }
    returned
}

/// Calls the body, and gives the run to what it returned.
#[inline]
pub fn open<R, T>(mut run: RunGuard, body: impl FnOnce() -> R, wrap: impl FnOnce(R, OpenRun) -> T) -> T {
    let returned = body();
    let open = match run.place.take() {
        Some(place) => OpenRun { frame: local::pop(place) },
        None => OpenRun::off(),
    };
    wrap(returned, open)
}
