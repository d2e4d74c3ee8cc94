//! What one process tells another of a trace, in HTTP headers: LangSmith's `langsmith-trace` with its part of `baggage`,
//! and W3C's `traceparent` with `tracestate`.
//!
//! [`Remote`] is what comes in and [`Outgoing`] what goes out. Headers come from strangers: they may name the place in a
//! trace, say whether it is sampled, and bring a bounded number of short metadata values and tags. They never say where
//! runs are sent, with which key, or to which project; and what is wrong in them is as if it were not there.

mod baggage;
mod outgoing;
mod percent;
mod remote;
mod w3c;

pub use outgoing::Outgoing;
pub use remote::Remote;

const LANGSMITH_TRACE: &str = "langsmith-trace";
const BAGGAGE: &str = "baggage";
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// The most bytes that are read of one header, all of its lines together, and written of all headers.
const MAX_BYTES: usize = 8 * 1024;
/// The most entries of a `baggage`, and the most values and tags in one.
const MAX_ENTRIES: usize = 64;
/// The most bytes of a metadata value's JSON.
const MAX_VALUE: usize = 1024;
/// The most bytes of a metadata value's name, and of a tag.
const MAX_NAME: usize = 256;

/// What may stand around the parts of a header.
const SPACE: [char; 2] = [' ', '\t'];
