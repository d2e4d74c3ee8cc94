#![doc = include_str!("../README.md")]

#[doc = include_str!("docs/attribute.md")]
pub use traceable_macros::traceable;

#[cfg(feature = "enable")]
mod boot;
#[cfg(not(feature = "enable"))]
mod disabled;
#[cfg(feature = "enable")]
mod said;

#[cfg(not(feature = "enable"))]
pub use disabled::*;
#[cfg(feature = "testing")]
pub use traceable_core::testing;
#[cfg(feature = "enable")]
pub use {
    boot::{builder, init, try_init},
    said::{attach_to, feedback, thread, user},
    traceable_core::{
        Attached, Context, Current, Feedback, Fold, InRun, InRunExt, Parent, Reduce, Target, ThreadRecord, UserRecord,
        current, export, fold, messages, model,
        model::{Attachment, Run, RunId, RunType, ScoreSource, ScoreTarget, Status, Usage},
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
