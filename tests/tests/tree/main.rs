//! The run tree: parents, order, status and context, whatever carries the calls.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod around;
mod basics;
mod crowds;
mod model;
mod places;
