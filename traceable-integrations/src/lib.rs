//! Where other people's libraries meet `traceable`: one folder and one feature each.
//!
//! | feature | library | is for |
//! |---|---|---|
//! | `tower` | tower, and with it axum, tonic and hyper | traces that go through HTTP servers and clients |
//! | `reqwest-middleware` | reqwest, with reqwest-middleware | clients that tell those that they call |
//! | `opentelemetry` | opentelemetry | one trace for its spans and our runs |
//! | `tracing` | tracing, with tracing-opentelemetry | the same, by itself |
//!
//! What is written to headers and read from them is in [`traceable_core::propagation`]; applications name all of it
//! through the `traceable` crate.

#[cfg(feature = "opentelemetry")]
pub mod opentelemetry;
#[cfg(feature = "reqwest-middleware")]
pub mod reqwest_middleware;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "tracing")]
pub mod tracing;
