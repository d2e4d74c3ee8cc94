//! What people read on a terminal: text that is harmless there, numbers with units, colours.

mod look;
mod text;
mod tree;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use traceable_core::model::RunId;
pub(crate) use traceable_core::show::{ago, bytes, count, counted, dollars, duration, tokens};

pub(crate) use self::{
    look::{BOLD, DIM, Look, PLAIN, RED, YELLOW, mark},
    text::{fit, line, lines, width},
    tree::tree,
};

/// An id for something that is made now.
pub(crate) fn new_id(now: i64) -> RunId {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let prefix = u64::from(std::process::id()) << 20 ^ now as u64;
    RunId::new(now, prefix, COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// Nanoseconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
