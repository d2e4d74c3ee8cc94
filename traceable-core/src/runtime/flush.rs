//! Waiting until everything recorded so far has reached its backends.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Condvar, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use super::{Pipeline, STALL, clients::ClientSet, lock};
use crate::{delivery::Link, sync::Arc};

/// What a flush achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Flushed {
    /// Everything that was recorded before outlives this process: it lies in the spool, or its backends have taken it.
    pub spooled: bool,
    /// Everything that was recorded before has been taken by its backends, or refused for good and counted.
    pub delivered: bool,
    /// Changes that still wait for a backend, summed over all of them.
    pub pending: usize,
}

impl Flushed {
    /// Nothing was recorded.
    pub(crate) const NOTHING: Self = Self { spooled: true, delivered: true, pending: 0 };
}

#[derive(Default)]
struct Board {
    /// The last ticket given out.
    requested: u64,
    /// The last ticket of somebody who waits for backends, and not for the spool alone.
    hurried: u64,
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

/// What somebody waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) ticket: u64,
    /// Whether it is to be delivered, and not spooled alone.
    pub(crate) is_flush: bool,
}

/// Where flushes wait.
#[derive(Default)]
pub(crate) struct FlushBoard {
    board: Mutex<Board>,
    changed: Condvar,
}

impl FlushBoard {
    fn request(&self, hurried: bool) -> u64 {
        let mut board = lock(&self.board);
        board.requested += 1;
        if hurried {
            board.hurried = board.requested;
        }
        board.requested
    }

    /// The newest ticket that waits for the writer.
    pub(crate) fn wanted(&self) -> Option<Wanted> {
        let board = lock(&self.board);
        let ticket = board.requested;
        (ticket > board.passed_on).then_some(Wanted { ticket, is_flush: board.hurried > board.passed_on })
    }

    /// Everything up to a ticket of somebody who waits for the spool alone lies there.
    pub(crate) fn spooled(&self, ticket: u64) {
        let mut board = lock(&self.board);
        board.passed_on = board.passed_on.max(ticket);
        self.tell(board);
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

/// How far a backend behind a spool has to come.
type Goal = (std::sync::Arc<Link>, u64);

/// Delivers everything recorded so far, waiting at most `timeout`.
///
/// Also works inside of an async runtime, where it blocks the thread: prefer [`flush`] there. Runs that are open now are
/// delivered as far as they are.
pub fn flush_blocking(timeout: Duration) -> Flushed {
    wait(timeout, false)
}

/// As [`flush_blocking`], but a backend that does not answer is not waited for: what is for it lies in the spool.
pub(crate) fn flush_at_exit(timeout: Duration) -> Flushed {
    wait(timeout, true)
}

fn wait(timeout: Duration, if_answering: bool) -> Flushed {
    let Some(pipeline) = Pipeline::get() else { return Flushed::NOTHING };
    let deadline = Instant::now() + timeout;
    let ticket = pipeline.board.request(true);
    pipeline.wake();
    if if_answering && pipeline.clients.all().iter().any(|set| set.spooled.is_some()) {
        // What is captured is kept in any case, however little time there is for delivery.
        wait_until_spooled(pipeline, ticket);
    }
    let written = pipeline.board.wait(deadline, |board| board.done >= ticket);
    let sets = pipeline.clients.all();
    let goals = goals(&sets);
    let delivered =
        goals.iter().fold(written, |all, (link, goal)| link.wait_until(*goal, deadline, if_answering) && all);
    report(&sets, written, delivered)
}

fn goals(sets: &[Arc<ClientSet>]) -> Vec<Goal> {
    let links = sets.iter().flat_map(|set| set.links());
    links.map(|link| (std::sync::Arc::clone(link), link.goal())).collect()
}

fn report(sets: &[Arc<ClientSet>], written: bool, delivered: bool) -> Flushed {
    let spooled = written && sets.iter().all(|set| set.is_safe());
    Flushed { spooled, delivered, pending: sets.iter().map(|set| set.pending()).sum() }
}

/// Waits until all destinations have been given what was recorded so far, whatever they do with it.
#[cfg(feature = "testing")]
pub(crate) fn hand_over(deadline: Instant) -> bool {
    let Some(pipeline) = Pipeline::get() else { return true };
    let ticket = pipeline.board.request(true);
    pipeline.wake();
    pipeline.board.wait(deadline, |board| board.passed_on >= ticket)
}

/// Waits until what was recorded so far lies in the spool.
pub(crate) fn spool() {
    let Some(pipeline) = Pipeline::get() else { return };
    let ticket = pipeline.board.request(false);
    pipeline.wake();
    wait_until_spooled(pipeline, ticket);
}

/// Waits as long as the writer gets on.
fn wait_until_spooled(pipeline: &Pipeline, ticket: u64) {
    let mut progress = super::progress();
    while !pipeline.board.wait(Instant::now() + STALL, |board| board.passed_on >= ticket) {
        if std::mem::replace(&mut progress, super::progress()) == progress {
            break;
        }
    }
}

/// Delivers everything recorded so far, waiting at most `timeout` without blocking the thread.
///
/// Needs no particular runtime.
pub fn flush(timeout: Duration) -> Flush {
    let pipeline = Pipeline::get();
    let ticket = pipeline.map_or(0, |pipeline| {
        let ticket = pipeline.board.request(true);
        pipeline.wake();
        ticket
    });
    Flush { ticket, deadline: Instant::now() + timeout, goals: None }
}

/// The future of [`flush`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct Flush {
    ticket: u64,
    deadline: Instant,
    /// How far each backend has to come, once everything is written.
    goals: Option<Vec<Goal>>,
}

impl Future for Flush {
    type Output = Flushed;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Flushed> {
        let Some(pipeline) = Pipeline::get() else { return Poll::Ready(Flushed::NOTHING) };
        let mut board = lock(&pipeline.board.board);
        let written = board.done >= self.ticket;
        if written && self.goals.is_none() {
            self.goals = Some(goals(&pipeline.clients.all()));
        }
        let goals = self.goals.as_deref().unwrap_or_default();
        let delivered = written && goals.iter().all(|(link, goal)| link.has_reached(*goal));
        if delivered || Instant::now() >= self.deadline {
            drop(board);
            return Poll::Ready(report(&pipeline.clients.all(), written, delivered));
        }
        // The writer looks every tick whether somebody waits here, and wakes them all.
        board.wakers.push(cx.waker().clone());
        drop(board);
        pipeline.wake();
        Poll::Pending
    }
}
