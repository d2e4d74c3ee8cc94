//! The examples, run as a user runs them: what they print, and the tree of runs below it.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail")]

mod kept;
mod places;
mod quickstart;
mod support;
mod tree;
