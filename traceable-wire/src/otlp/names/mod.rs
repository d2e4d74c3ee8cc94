//! The names of attributes, by whom they are of. Each file says where its names come from.

#[cfg(feature = "otlp-decode")]
pub(super) mod foreign;
pub(super) mod genai;
pub(super) mod langsmith;
pub(super) mod openinference;
pub(super) mod openlit;
pub(super) mod ours;
pub(super) mod resource;
