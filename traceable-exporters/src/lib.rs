//! Where runs go: one file and one feature a destination.
//!
//! | feature | exporter | is for |
//! |---|---|---|
//! | `console` | `Console` | looking at run trees while a program runs |
//! | `jsonl` | `JsonLines` | a file with one run a line, in LangSmith's names, for `jq`, pandas and imports |
//!
//! Every exporter implements [`Exporter`](traceable_core::export::Exporter); applications name them through
//! the `traceable` crate.

#[cfg(feature = "console")]
mod console;
#[cfg(feature = "jsonl")]
mod jsonl;

#[cfg(feature = "console")]
pub use console::{Color, Console};
#[cfg(feature = "jsonl")]
pub use jsonl::JsonLines;
