#![doc = include_str!("../README.md")]

#[doc = include_str!("docs/attribute.md")]
pub use traceable_macros::traceable;

#[cfg(feature = "enable")]
mod boot;
#[cfg(not(feature = "enable"))]
mod disabled;

#[cfg(not(feature = "enable"))]
pub use disabled::*;
#[cfg(feature = "testing")]
pub use traceable_core::testing;
#[cfg(feature = "enable")]
pub use {
    boot::{builder, init, try_init},
    traceable_core::{
        Attached, Context, Current, Fold, InRun, InRunExt, Parent, Reduce, Secret, current, export, fold, messages,
        model,
        model::{Run, RunId, RunType, Status, Usage},
        redact::{Content, PatternError, Redaction, Redactor},
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
