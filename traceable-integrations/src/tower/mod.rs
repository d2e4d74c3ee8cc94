//! HTTP servers and clients that are made of tower services.
//!
//! [`AllowedHosts`] says which hosts are told of a trace, and [`Tail`] is a body that knows when it has ended: a run that
//! answers with a stream is open until then.

mod hosts;
mod tail;

pub use hosts::{AllowedHosts, ParseHostError};
pub use tail::{AtEnd, BodyEnd, Tail};
