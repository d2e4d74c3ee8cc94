//! Where runs go: one file and one feature a destination.
//!
//! | feature | exporter | is for |
//! |---|---|---|
//! | `console` | `Console` | looking at run trees while a program runs |
//! | `jsonl` | `JsonLines` | a file with one run a line, in LangSmith's names, for `jq`, pandas and imports |
//! | `langsmith` | `LangSmith` | LangSmith, hosted or not |
//! | `otlp` | `Otlp` | every backend that takes OpenTelemetry's protocol over HTTP |
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
#[cfg(feature = "otlp")]
pub use otlp::{Convention, Conventions, Otlp, OtlpBuilder, Resource, ResourceError, UnknownConvention};
#[cfg(feature = "remote")]
pub use remote::Traceable;
