//! What can break an attribute macro, one hazard a module.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]
// The functions are written for their form and not for their use.
#![allow(
    clippy::duplicate_underscore_argument,
    clippy::large_types_passed_by_value,
    clippy::let_and_return,
    clippy::needless_pass_by_value,
    clippy::ref_option_ref,
    clippy::todo,
    clippy::too_many_arguments,
    clippy::type_complexity,
    clippy::unnecessary_map_on_constructor,
    clippy::used_underscore_binding
)]

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
