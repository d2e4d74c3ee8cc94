//! What people read on a terminal: text that is harmless there, numbers with units, colours.

mod look;
mod text;
mod tree;
mod units;

use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use self::{
    look::{BOLD, DIM, Look, PLAIN, RED, YELLOW, mark},
    text::{fit, line, lines, width},
    tree::tree,
    units::{ago, bytes, count, counted, dollars, duration, tokens},
};

/// Nanoseconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
