//! OTLP: what each convention says of a run, how requests are split, and what is read of other people's spans.
//!
//! The bodies are read with `opentelemetry-proto`, which knows nothing of how they were written.
#![cfg(feature = "otlp-decode")]
#![allow(missing_docs, clippy::unwrap_used)]

mod conventions;
mod foreign;
mod json;
mod openlit;
mod requests;
mod spans;
mod support;
