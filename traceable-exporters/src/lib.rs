//! Where runs go: one file and one feature a destination.
