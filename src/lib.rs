#![doc = include_str!("../README.md")]

#[doc = include_str!("docs/attribute.md")]
pub use traceable_macros::traceable;

pub mod adaline;
#[cfg(feature = "enable")]
mod boot;
#[cfg(not(feature = "enable"))]
mod disabled;
pub mod literal;
pub mod neuraltrust;
mod record;
#[cfg(feature = "enable")]
mod said;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(not(feature = "enable"))]
use disabled::json::Json;
#[cfg(not(feature = "enable"))]
pub use disabled::*;
pub use record::Record;
#[cfg(feature = "spool")]
pub use traceable_core::delivery;
#[cfg(feature = "enable")]
use traceable_core::model::Json;
#[cfg(any(feature = "opentelemetry", feature = "reqwest-middleware", feature = "tower", feature = "tracing"))]
pub use traceable_integrations as integrations;
#[cfg(feature = "enable")]
pub use {
    boot::{builder, init, run, scope, start_trace, try_init},
    said::{attach_to, feedback, thread, user},
    traceable_core::{
        ActiveRun, Attached, Context, Current, Entered, EnteredRun, Feedback, Fold, InRun, InRunExt, InScope, Parent,
        Reduce, RunBuilder, Scope, Secret, Target, ThreadRecord, UserRecord, current, export, fold, messages, model,
        model::{Attachment, DottedOrder, Run, RunId, RunType, ScoreSource, ScoreTarget, Status, Usage},
        propagation,
        redact::{Content, PatternError, Redaction, Redactor},
        runtime::{
            Builder, Client, Flush, Flushed, InitError, Overflow, Stats, flush, flush_blocking, is_enabled, shutdown,
            stats,
        },
        wrap,
    },
    traceable_exporters as exporters,
};

/// Keeping what is recorded.
#[cfg(feature = "spool")]
pub use {
    boot::drain,
    traceable_core::{
        runtime::{Drain, Drained, Left, SpoolMode},
        spool::{self, Durability, Orphans},
    },
};

/// What expansions of the attribute name. No part of the public interface.
#[cfg(feature = "enable")]
#[doc(hidden)]
pub mod __private {
    pub use traceable_core::__private::*;

    pub use crate::boot::BOOT;
}
