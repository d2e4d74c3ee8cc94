//! The run model, the capture of values, the thread-local run tree and the writer behind the `traceable` crate.
//!
//! Applications use the `traceable` crate; this one is for authors of exporters and integrations.
//!
//! Data goes one way: the attribute's expansion calls an adapter ([`__private`]), which captures values on a tape and
//! appends records to the thread's log; the writer reads the logs, makes [`model::RunChange`]s of them, and hands those
//! to the [`export::Exporter`]s.

mod adapters;
mod around;
mod attach;
mod attachments;
mod by_hand;
mod clock;
mod context;
mod current;
pub mod delivery;
pub mod export;
mod feedback;
mod frame;
mod local;
mod log;
pub mod messages;
pub mod model;
mod notice;
mod origin;
mod people;
mod probe;
pub mod propagation;
mod record;
pub mod redact;
mod remote;
mod restrict;
pub mod runtime;
mod said;
mod scope;
mod secret;
pub mod show;
mod site;
#[cfg(feature = "spool")]
pub mod spool;
mod sync;
mod sys;
mod tape;
#[cfg(feature = "testing")]
pub mod testing;

pub use adapters::{Fold, Reduce, fold};
pub use attach::attach_to;
pub use by_hand::{ActiveRun, EnteredRun, RunBuilder, run};
pub use context::{Attached, Context, InRun, InRunExt, Parent, wrap};
pub use current::{Current, current};
pub use feedback::{Feedback, Target, feedback};
pub use people::{ThreadRecord, UserRecord, thread, user};
pub use scope::{Entered, InScope, Scope, scope};
pub use secret::Secret;

/// What expansions of `#[traceable]` name. No part of the public interface: anything here may change in any release.
#[doc(hidden)]
pub mod __private {
    pub use serde::Serialize;

    pub use crate::{
        adapters::{
            Map, OpenRun, Outcome, Start,
            call::{RunGuard, call, enter, enter_bare, enter_with, open},
            future::{adopt, adopt_open, begin, begin_bare, begin_with, future, future_open},
            guarded,
            reduce::{Collect, Reducer, reducer},
            stream::{Item, iterator, stream},
        },
        local::Options,
        probe::{
            DescribeDebug, DescribeDisplay, DescribeName, Never, Probe, Slot, Split, SplitResult, SplitValue, Text,
            ViaDebug, ViaName, ViaSerialize,
        },
        redact::Content,
        runtime::decide_off as no_boot,
        site::Site,
    };
}
