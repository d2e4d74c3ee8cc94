#![doc = include_str!("../README.md")]

#[doc = include_str!("docs/attribute.md")]
pub use traceable_macros::traceable;

#[cfg(feature = "enable")]
mod boot;
#[cfg(not(feature = "enable"))]
mod disabled;
#[cfg(feature = "enable")]
mod said;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(not(feature = "enable"))]
pub use disabled::*;
#[cfg(any(feature = "opentelemetry", feature = "reqwest-middleware", feature = "tower", feature = "tracing"))]
pub use traceable_integrations as integrations;
#[cfg(feature = "enable")]
pub use {
    boot::{builder, init, run, scope, start_trace, try_init},
    said::{feedback, thread, user},
    traceable_core::{
        ActiveRun, Attached, Context, Current, Entered, EnteredRun, Feedback, Fold, InRun, InRunExt, InScope, Parent,
        Reduce, RunBuilder, Scope, Target, ThreadRecord, UserRecord, current, export, fold, messages, model,
        model::{DottedOrder, Run, RunId, RunType, ScoreSource, ScoreTarget, Status, Usage},
        propagation,
        runtime::{
            Builder, Client, Flush, Flushed, InitError, Overflow, Stats, flush, flush_blocking, is_enabled, shutdown,
            stats,
        },
        wrap,
    },
    traceable_exporters as exporters,
};

/// What expansions of the attribute name. No part of the public interface.
#[cfg(feature = "enable")]
#[doc(hidden)]
pub mod __private {
    pub use traceable_core::__private::*;

    pub use crate::boot::BOOT;
}
