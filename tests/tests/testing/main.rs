//! `traceable::testing` as its users meet it: scopes that do not mix, expectations, and what they say when they are not
//! met.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod agent;
mod expectations;
mod messages;
mod scopes;
mod snapshots;
