//! Recording into memory, and expectations on what was recorded, for tests of traced code.
//!
//! ```
//! # use traceable_core::testing;
//! let recorded = testing::capture(|| {
//!     // Calls of traced functions.
//! });
//! recorded.expect_tree("");
//! ```

mod diff;
mod expect;
mod matcher;
mod memory;
mod recorder;
mod snapshot;
mod tree;

use std::future::Future;

/// Makes a JSON value from what looks like one; placeholders such as [`any`] may stand in it.
pub use serde_json::json;

pub use self::{
    expect::ExpectedRun,
    matcher::{Matcher, any, containing, partial},
    memory::Memory,
    recorder::{Recorder, Scoped},
};

/// Calls `f` and answers what was recorded meanwhile.
///
/// Where the test also asks for what `f` answers, make the [`Recorder`] first and call its [`scope`](Recorder::scope).
///
/// # Panics
///
/// As [`Recorder::new`], and when `f` does.
pub fn capture<T>(f: impl FnOnce() -> T) -> Recorder {
    let recorder = Recorder::new();
    recorder.scope(f);
    recorder
}

/// Awaits `future` and answers what was recorded in its polls, and in whatever carried its runs on.
///
/// Needs no particular runtime. As [`capture`] otherwise.
///
/// # Panics
///
/// As [`Recorder::new`], and when `future` does.
pub async fn capture_async<F: Future>(future: F) -> Recorder {
    let recorder = Recorder::new();
    recorder.scope_future(future).await;
    recorder
}
