//! Other people's libraries, with real servers and clients on this machine.
#![allow(missing_docs, clippy::unwrap_used)]

mod chain;
mod grpc;
mod hosts;
mod otel;
mod peers;
mod requests;
mod strangers;
mod support;
mod tracing;
