//! The examples of the `traceable` workspace.
