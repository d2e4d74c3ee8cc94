//! What a fuzzer calls with any bytes, and what must hold for all of them. Tests replay the corpus through the same.

pub(crate) mod dotted_order;
pub(crate) mod headers;
