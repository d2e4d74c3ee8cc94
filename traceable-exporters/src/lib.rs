//! Where runs go: one file and one feature a destination.
//!
//! | feature | exporter | is for |
//! |---|---|---|
//! | `console` | `Console` | looking at run trees while a program runs |
//! | `jsonl` | `JsonLines` | a file with one run a line, in LangSmith's names, for `jq`, pandas and imports |
//! | `langsmith` | `LangSmith` | LangSmith, hosted or not |
//! | `otlp` | `Otlp` | every backend that takes OpenTelemetry's protocol over HTTP |
//! | `otel-bridge` | `OtelBridge` | the application's own tracer provider of OpenTelemetry |
//! | `remote` | `Traceable` | the server of this project, on another host |
//!
//! What is on this machine implements [`Exporter`](traceable_core::export::Exporter). What is over a network implements
//! `traceable_core::delivery::Remote`: the spool stands before it, and one thread of this crate delivers to all of them
//! (`http`). Applications name them through the `traceable` crate.

#[cfg(feature = "console")]
mod console;
#[cfg(feature = "http")]
#[cfg_attr(
    not(all(feature = "langsmith", feature = "otlp")),
    allow(dead_code, unused_imports, reason = "what one destination does not need, another does")
)]
mod http;
#[cfg(feature = "jsonl")]
mod jsonl;
#[cfg(feature = "langsmith")]
mod langsmith;
#[cfg(feature = "otel-bridge")]
mod otel_bridge;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "remote")]
mod remote;
#[cfg(all(test, any(feature = "langsmith", feature = "otlp")))]
#[cfg_attr(not(all(feature = "langsmith", feature = "otlp")), allow(dead_code, reason = "as `http`"))]
mod tests;

#[cfg(feature = "console")]
pub use console::{Color, Console};
#[cfg(feature = "http")]
pub use http::{ConfigError, Key};
#[cfg(feature = "jsonl")]
pub use jsonl::JsonLines;
#[cfg(feature = "langsmith")]
pub use langsmith::{LangSmith, LangSmithBuilder};
#[cfg(feature = "otel-bridge")]
pub use otel_bridge::OtelBridge;
#[cfg(feature = "otlp")]
pub use otlp::{Otlp, OtlpBuilder, Resource, ResourceError};
#[cfg(feature = "remote")]
pub use remote::Traceable;
#[cfg(any(feature = "otel-bridge", feature = "otlp"))]
pub use traceable_wire::otlp::{Convention, Conventions, UnknownConvention};
