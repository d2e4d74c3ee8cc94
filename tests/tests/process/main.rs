//! Whole processes: how they end, what they hold, what they cost.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod ends;
mod memory;
mod otlp;
mod overflow;
mod secrets;
mod spool;
