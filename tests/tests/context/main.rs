//! What is said of runs from around them, runs by hand, and traces that cross processes.
#![allow(missing_docs, clippy::unwrap_used)]

mod by_hand;
mod guards;
mod places;
mod remote;
mod scopes;
