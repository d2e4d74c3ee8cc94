//! What is lost when a backend fails or a process ends.
//!
//! Three programs, so that none believes another: `producer` makes traced runs and prints the id of each one that was
//! accepted; `endpoint` is a backend that breaks on command and counts what it acknowledged; `faults` runs both through
//! the rows of a table and compares. What the library says of itself is printed, and never counted.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot go on stops where that shows")]
#![allow(clippy::missing_panics_doc, reason = "see above")]

pub mod direct;
pub mod endpoint;
pub mod fault;
pub mod harness;
pub mod text;
