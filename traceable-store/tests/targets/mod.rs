//! What a fuzzer calls with any bytes, and what must hold for all of them. Tests replay the corpus through the same.
#![allow(clippy::unwrap_used, reason = "a target fails by panicking")]

pub(crate) mod query;
