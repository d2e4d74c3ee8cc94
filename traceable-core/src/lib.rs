//! The run model, the capture of values, the thread-local run tree and the writer behind the `traceable` crate.
//!
//! Applications use the `traceable` crate; this one is for authors of exporters and integrations.

pub mod export;
pub mod messages;
pub mod model;
