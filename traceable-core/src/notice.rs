//! The library's own messages: at most one line a minute on standard error.

use std::{
    error::Error,
    fmt,
    io::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

const EVERY: Duration = Duration::from_secs(60);

/// Says something, unless something was said within the last minute; what was not said is counted in the next line.
/// Answers whether it was said.
pub fn say(what: fmt::Arguments<'_>) -> bool {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    static UNSAID: AtomicU64 = AtomicU64::new(0);
    let now = Instant::now();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_some_and(|last| now.duration_since(last) < EVERY) {
        UNSAID.fetch_add(1, Ordering::Relaxed);
        return false;
    }
    *last = Some(now);
    drop(last);
    let line = match UNSAID.swap(0, Ordering::Relaxed) {
        0 => format!("traceable: {what}\n"),
        unsaid => format!("traceable: {what} ({unsaid} more messages since the last one)\n"),
    };
    // Nobody is left to be told that standard error is closed.
    let _ = std::io::stderr().write_all(line.as_bytes());
    true
}

/// An error with the errors below it, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        text.push_str(": ");
        text.push_str(&error.to_string());
        below = error.source();
    }
    text
}
