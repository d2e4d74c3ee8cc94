//! What the writer and a delivery tell each other while both go on.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// Between the thread that appends to a spool and whoever delivers from it. Counts are of changes of this process.
#[derive(Debug, Default)]
pub struct Link {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is said by somebody else")]
struct State {
    /// Changes appended for this backend.
    appended: u64,
    /// Changes done with.
    done: u64,
    /// Nothing is delivered now: the backend does not answer, or refuses everything.
    is_open: bool,
    /// Nothing more will be appended, and nobody waits for what is left: it stays in the spool.
    is_closed: bool,
    /// Somebody waits for everything: what is held back should go.
    is_hurried: bool,
    /// Something was appended, hurried or closed since the delivery last looked.
    is_news: bool,
    waker: Option<Waker>,
}

impl Link {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        let waker = {
            let mut state = self.lock();
            change(&mut state);
            state.is_news = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The writer has appended this many changes.
    pub fn appended(&self, changes: u64) {
        self.tell(|state| state.appended += changes);
    }

    /// Somebody waits for everything appended so far.
    pub fn hurry(&self) {
        self.tell(|state| state.is_hurried = state.done < state.appended);
    }

    /// Nothing more comes; the delivery ends with what is on its way.
    pub fn close(&self) {
        self.tell(|state| state.is_closed = true);
    }

    /// Changes that wait to be delivered.
    pub fn pending(&self) -> u64 {
        let state = self.lock();
        state.appended.saturating_sub(state.done)
    }

    /// Waits until everything appended so far is done with, until nothing is delivered any more, or until `deadline`.
    /// Answers whether everything is done with.
    pub fn wait_until_done(&self, deadline: Instant) -> bool {
        self.hurry();
        self.wait_until(self.goal(), deadline, true)
    }

    /// Whether nothing is delivered now.
    #[cfg(feature = "spool")]
    pub(crate) fn is_open(&self) -> bool {
        self.lock().is_open
    }

    /// How many changes were appended so far.
    pub(crate) fn goal(&self) -> u64 {
        self.lock().appended
    }

    /// Whether this many changes are done with.
    pub(crate) fn has_reached(&self, goal: u64) -> bool {
        self.lock().done >= goal
    }

    /// Waits until this many changes are done with, or until `deadline`; with `if_answering` also no longer than the
    /// backend answers. Answers whether they are.
    pub(crate) fn wait_until(&self, goal: u64, deadline: Instant, if_answering: bool) -> bool {
        let mut state = self.lock();
        while state.done < goal && !(if_answering && state.is_open) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.done >= goal
    }

    /// The delivery is done with this many changes of this process, all in all.
    pub(crate) fn set_done(&self, changes: u64) {
        let mut state = self.lock();
        state.done = changes;
        state.is_hurried &= changes < state.appended;
        drop(state);
        self.changed.notify_all();
    }

    /// The delivery says whether nothing is delivered now.
    pub(crate) fn set_open(&self, is_open: bool) {
        self.lock().is_open = is_open;
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    pub(crate) fn is_hurried(&self) -> bool {
        self.lock().is_hurried
    }

    /// Ready when there is news since the last time.
    pub(crate) fn poll_news(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if std::mem::take(&mut state.is_news) {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
