//! No secret leaves the process, in whatever place it stands; and what is none is left alone.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod clean;
mod content;
mod fields;
mod generator;
mod streams;
mod wrapped;
