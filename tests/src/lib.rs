//! The tests of the `traceable` workspace.
