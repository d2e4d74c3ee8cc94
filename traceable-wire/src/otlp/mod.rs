//! OpenTelemetry's protocol: runs as spans, in the attributes of several conventions, and spans of all of them as runs.
//!
//! Out: [`Encoder`] makes requests of changes; `span` says what a run is there, and one file of `write` what it is in the
//! words of one convention, all of them from one `view`. What none of them carries as it is stands under `traceable.rest`.

mod answer;
#[cfg(feature = "otlp-decode")]
mod bound;
mod conventions;
#[cfg(feature = "otlp-decode")]
mod decode;
mod encode;
#[cfg(feature = "otlp-decode")]
mod json;
mod names;
mod normalise;
mod open;
mod plain;
mod proto;
#[cfg(feature = "otlp-decode")]
mod read;
mod resource;
mod score;
mod span;
mod view;
mod write;

pub use answer::{Answer, decode_answer};
pub use conventions::{Convention, Conventions, UnknownConvention};
#[cfg(feature = "otlp-decode")]
pub use decode::{Decoded, Format, Problem, decode_logs, decode_logs_as, decode_traces, decode_traces_as};
pub use encode::{Encoded, Encoder, MAX_BYTES, Request, Signal, TARGET_BYTES};
pub use normalise::{normalise, normalise_score};
pub use plain::{AttributeValue, Attributes, Span, SpanEvent, SpanStatus};
pub use resource::{Resource, ResourceError};
