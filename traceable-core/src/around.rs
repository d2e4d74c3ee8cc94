//! The tracer that may be around: asked at the start of each trace which trace of its own that one is a part of.

use std::sync::OnceLock;

use crate::model::OtelContext;

static AROUND: OnceLock<fn() -> Option<OtelContext>> = OnceLock::new();

/// Lets traces that begin in this process be parts of another tracer's: `ask` is called at the start of each one, on its
/// thread, and answers the span that is current there. Only the first call counts.
///
/// A root stays a root with an id of its own, and whether it is kept is for our sample to say, not for `sampled`.
pub fn share_traces(ask: fn() -> Option<OtelContext>) {
    // Whoever came first has been promised it.
    let _ = AROUND.set(ask);
}

pub(crate) fn ask() -> Option<OtelContext> {
    AROUND.get()?()
}
