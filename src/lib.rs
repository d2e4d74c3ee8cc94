#![doc = include_str!("../README.md")]

pub use traceable_macros::traceable;

#[cfg(feature = "enable")]
mod boot;

#[cfg(feature = "testing")]
pub use traceable_core::testing;
#[cfg(feature = "enable")]
pub use traceable_core::{
    Attached, Context, Current, Fold, InRun, InRunExt, Parent, Reduce, current, export, fold, model,
    model::{Run, RunId, RunType, Status, Usage},
    runtime::{
        Builder, Client, Flush, Flushed, InitError, Overflow, Stats, flush, flush_blocking, is_enabled, shutdown, stats,
    },
    wrap,
};
#[cfg(feature = "enable")]
pub use {
    boot::{builder, init, try_init},
    traceable_exporters as exporters,
};

/// What expansions of the attribute name. No part of the public interface.
#[cfg(feature = "enable")]
#[doc(hidden)]
pub mod __private {
    pub use traceable_core::__private::*;

    pub use crate::boot::BOOT;
}
