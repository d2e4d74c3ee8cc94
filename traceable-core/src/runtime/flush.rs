//! Waiting until everything recorded so far has reached its backends.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Condvar, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use super::{Pipeline, lock};

/// What a flush achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Flushed {
    /// Everything that was recorded before has been taken by its backends, or refused for good and counted.
    pub complete: bool,
    /// Changes that still wait for a backend, summed over all of them.
    pub pending: usize,
}

#[derive(Default)]
struct Board {
    /// The last ticket given out.
    requested: u64,
    /// The last ticket that the writer has passed on to the destinations.
    passed_on: u64,
    /// The last ticket that all destinations have worked off. They work in order, so all before it are done too.
    done: u64,
    /// Tickets that destinations still work on, with how many of them.
    working: HashMap<u64, usize>,
    wakers: Vec<Waker>,
}

impl Board {
    /// Counts the answer of a destination, or the destinations that will answer: either may come first.
    fn count(&mut self, ticket: u64, by: usize) {
        let left = self.working.remove(&ticket).unwrap_or(0).wrapping_add(by);
        if left > 0 {
            self.working.insert(ticket, left);
        } else {
            self.done = self.done.max(ticket);
        }
    }
}

/// Where flushes wait.
#[derive(Default)]
pub(crate) struct FlushBoard {
    board: Mutex<Board>,
    changed: Condvar,
}

impl FlushBoard {
    fn request(&self) -> u64 {
        let mut board = lock(&self.board);
        board.requested += 1;
        board.requested
    }

    /// The newest ticket that waits for the writer.
    pub(crate) fn wanted(&self) -> Option<u64> {
        let board = lock(&self.board);
        (board.requested > board.passed_on).then_some(board.requested)
    }

    /// The writer has given a ticket to this many destinations.
    pub(crate) fn passed_on(&self, ticket: u64, destinations: usize) {
        let mut board = lock(&self.board);
        board.passed_on = board.passed_on.max(ticket);
        board.count(ticket, destinations);
        self.tell(board);
    }

    /// A destination has worked off a ticket.
    pub(crate) fn flushed(&self, ticket: u64) {
        let mut board = lock(&self.board);
        board.count(ticket, 1_usize.wrapping_neg());
        self.tell(board);
    }

    fn tell(&self, mut board: std::sync::MutexGuard<'_, Board>) {
        let wakers = std::mem::take(&mut board.wakers);
        drop(board);
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether futures wait here, whose deadlines the writer has to look after.
    pub(crate) fn has_futures(&self) -> bool {
        !lock(&self.board).wakers.is_empty()
    }

    /// Lets waiting futures look at their deadlines.
    pub(crate) fn tick(&self) {
        let board = lock(&self.board);
        if !board.wakers.is_empty() {
            self.tell(board);
        }
    }

    fn wait(&self, deadline: Instant, reached: impl Fn(&Board) -> bool) -> bool {
        let mut board = lock(&self.board);
        while !reached(&board) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            board = self.changed.wait_timeout(board, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

fn report(pipeline: &Pipeline, complete: bool) -> Flushed {
    let sets = pipeline.clients.all();
    let pending = sets.iter().flat_map(|set| &set.destinations).map(super::destination::Destination::pending).sum();
    Flushed { complete, pending }
}

/// Delivers everything recorded so far, waiting at most `timeout`.
///
/// Also works inside of an async runtime, where it blocks the thread: prefer [`flush`] there. Runs that are open now are
/// delivered as far as they are.
pub fn flush_blocking(timeout: Duration) -> Flushed {
    let Some(pipeline) = Pipeline::get() else { return Flushed { complete: true, pending: 0 } };
    let ticket = pipeline.board.request();
    pipeline.wake();
    let complete = pipeline.board.wait(Instant::now() + timeout, |board| board.done >= ticket);
    report(pipeline, complete)
}

/// Waits until all destinations have been given what was recorded so far, whatever they do with it.
#[cfg(feature = "testing")]
pub(crate) fn hand_over(deadline: Instant) -> bool {
    let Some(pipeline) = Pipeline::get() else { return true };
    let ticket = pipeline.board.request();
    pipeline.wake();
    pipeline.board.wait(deadline, |board| board.passed_on >= ticket)
}

/// Delivers everything recorded so far, waiting at most `timeout` without blocking the thread.
///
/// Needs no particular runtime.
pub fn flush(timeout: Duration) -> Flush {
    let pipeline = Pipeline::get();
    let ticket = pipeline.map_or(0, |pipeline| {
        let ticket = pipeline.board.request();
        pipeline.wake();
        ticket
    });
    Flush { ticket, deadline: Instant::now() + timeout }
}

/// The future of [`flush`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct Flush {
    ticket: u64,
    deadline: Instant,
}

impl Future for Flush {
    type Output = Flushed;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Flushed> {
        let Some(pipeline) = Pipeline::get() else { return Poll::Ready(Flushed { complete: true, pending: 0 }) };
        let mut board = lock(&pipeline.board.board);
        let complete = board.done >= self.ticket;
        if complete || Instant::now() >= self.deadline {
            drop(board);
            return Poll::Ready(report(pipeline, complete));
        }
        board.wakers.push(cx.waker().clone());
        drop(board);
        pipeline.wake();
        Poll::Pending
    }
}
