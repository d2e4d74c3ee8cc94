//! `#[track_caller]` keeps the caller's place where it is allowed.

use std::panic::Location;

use traceable::traceable;

use crate::support::lines;

#[track_caller]
#[traceable(outputs = off)]
fn place(_a: u8) -> u32 {
    let line = Location::caller().line();
    return line;
}

#[test]
fn the_place_is_the_callers() {
    assert_eq!(place(1), line!());
    assert_eq!(lines(|| place(1)), ["chain place", "in _a=1"]);
}
