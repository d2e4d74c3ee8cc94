//! The ways in which a process ends or splits, as far as a library can see them.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Once,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Pipeline,
    counters::{self, Reason},
    flush::flush_at_exit,
    gate,
    spooled::Spooled,
};
use crate::{clock, local, sys, tape::floor_char_boundary};

/// How long the process waits at its end, in milliseconds.
static EXIT_MILLIS: AtomicU64 = AtomicU64::new(2_000);

/// Characters of a panic's message that are kept.
const MAX_MESSAGE: usize = 8 << 10;

thread_local! {
    /// What the panic that unwinds this thread said, and when, in ticks.
    static LAST_PANIC: RefCell<(String, u64)> = const { RefCell::new((String::new(), 0)) };
}

/// Registers with the end of the process and with `fork`. Done once, by the first pipeline.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Where these fail, only `flush` and `shutdown` deliver the last runs.
        sys::at_exit(at_exit);
        sys::at_fork(at_fork);
    });
}

pub(super) fn set_exit_timeout(timeout: Duration) {
    EXIT_MILLIS.store(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

extern "C" fn at_exit() {
    // A panic must not reach C.
    let _ = catch_unwind(|| {
        let timeout = Duration::from_millis(EXIT_MILLIS.load(Ordering::Relaxed));
        let flushed = flush_at_exit(timeout);
        let Some(pipeline) = Pipeline::get() else { return };
        let sets = pipeline.clients.all();
        sets.iter().filter_map(|set| set.spooled.as_ref()).for_each(Spooled::close);
        if !flushed.spooled {
            // What lies in the spool is sent by the next process.
            let lost: usize = sets.iter().map(|set| set.at_risk()).sum();
            counters::dropped_many(Reason::Undelivered, lost as u64);
            if lost > 0 {
                crate::notice::say(format_args!(
                    "at the end of the process {lost} changes were not delivered within {timeout:?} (TRACEABLE_EXIT_FLUSH)"
                ));
            }
        }
    });
}

extern "C" fn at_fork() {
    super::forked();
}

/// Installs the panic hook: it notes what a panic says, so that the run that it ends can say it too, and calls the hook
/// that was there before. Where panics abort, it also delivers what was recorded.
pub(crate) fn install_panic_hook() {
    static ONCE: Once = Once::new();
    if std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            note_panic(info);
            before(info);
            if cfg!(panic = "abort") {
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    local::end_all_as_panicked();
                    at_exit();
                }));
            }
        }));
    });
}

fn note_panic(info: &std::panic::PanicHookInfo<'_>) {
    // Also without a current run: what unwinds may hold one that was begun by hand.
    if !gate::is_on() {
        return;
    }
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("(a panic without text)");
    let message = &message[..floor_char_boundary(message, MAX_MESSAGE)];
    let text = match info.location() {
        Some(place) => format!("panicked: {message} ({}:{}:{})", place.file(), place.line(), place.column()),
        None => format!("panicked: {message}"),
    };
    let panic = (text, clock::ticks());
    let _ = LAST_PANIC.try_with(|last| last.try_borrow_mut().map(|mut last| *last = panic));
}

/// What the panic that unwinds this thread said, and when, in ticks: before its hook printed a backtrace, which can take
/// longer than the run. Without the hook, now.
pub(crate) fn last_panic() -> (String, u64) {
    let noted = LAST_PANIC.try_with(|last| last.try_borrow().map(|last| last.clone()).unwrap_or_default());
    match noted {
        Ok((text, ticks)) if !text.is_empty() => (text, ticks),
        _ => ("panicked".to_owned(), clock::ticks()),
    }
}
