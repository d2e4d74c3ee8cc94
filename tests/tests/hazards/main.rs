//! What can break an attribute macro, one hazard a module.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod async_traits;
mod bare;
mod borrowed;
mod boxed;
mod callers;
mod cfgs;
mod errors;
mod forms;
mod generics;
mod hygiene;
mod inference;
mod lints;
mod local;
mod never;
mod options;
mod processors;
mod raw_idents;
mod recursion;
mod renamed;
mod send;
mod shadowing;
mod size;
mod streams;
mod support;
