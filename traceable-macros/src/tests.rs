//! Expansions as they come out.
