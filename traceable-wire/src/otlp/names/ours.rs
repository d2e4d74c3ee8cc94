//! Names of our own, for what no convention carries as it is.

/// Who made the spans: the name of the scope and of the SDK.
pub(in crate::otlp) const SDK: &str = "traceable";

/// The run's whole id. A span with it is one of ours.
pub(in crate::otlp) const RUN_ID: &str = "traceable.run.id";
/// The whole id of the run above, of which a span has only the half.
pub(in crate::otlp) const PARENT_ID: &str = "traceable.run.parent_id";
/// The kind of work, in our words.
pub(in crate::otlp) const RUN_TYPE: &str = "traceable.run.type";
/// JSON of all else that is not said, or said otherwise, under other names.
pub(in crate::otlp) use crate::names::REST;
/// JSON of what an event says.
pub(in crate::otlp) const EVENT_DATA: &str = "traceable.event.data";
/// JSON of a whole score.
pub(in crate::otlp) const SCORE: &str = "traceable.score";
