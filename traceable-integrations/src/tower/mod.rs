//! HTTP servers and clients that are made of tower services: axum, tonic, hyper.
//!
//! A server goes on with its caller's trace by [`ContinueTraceLayer`], and a client tells those that it calls by
//! [`PassTraceLayer`], if [`AllowedHosts`] names them. [`Tail`] is a body that knows when it has ended: a run that answers
//! with a stream is open until then.

mod client;
mod hosts;
mod server;
mod tail;

#[cfg(feature = "reqwest-middleware")]
pub(crate) use client::tell;
pub use client::{PassTrace, PassTraceLayer};
pub use hosts::{AllowedHosts, ParseHostError};
pub use server::{Answer, ContinueTrace, ContinueTraceLayer, ServedBody};
pub use tail::{AtEnd, BodyEnd, Tail};
