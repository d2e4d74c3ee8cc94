//! What the documents say that this project began with: every example of theirs, line by line, and every field of every
//! run that comes of it. Each file begins with a table of what is asked for and which test shows it.
#![allow(missing_docs, clippy::unwrap_used)]

mod seed_000;
mod seed_001;
mod seed_002;
mod seed_003;
mod seed_004;
mod support;
