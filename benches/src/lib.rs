//! The benches of the `traceable` workspace.
