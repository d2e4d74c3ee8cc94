//! What backends say on the wire, both ways: changes of runs as bytes, and bytes as changes of runs.
//!
//! Pure: no file, no socket, no runtime. Both halves of [`traceable`](https://docs.rs/traceable) speak it, the exporters
//! that write and the server that reads, and `decode(encode(run)) == normalise(run)` holds for each protocol, where
//! `normalise` says what the protocol cannot carry as it was. What it has no name for travels under one key,
//! `traceable.rest`, and comes back.

pub mod encoding;
pub mod langsmith;
pub mod names;
#[cfg(feature = "otlp")]
pub mod otlp;
