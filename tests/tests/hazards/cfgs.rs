//! Arguments that exist only under a condition.

use traceable::traceable;

use crate::support::lines;

struct Point {
    x: u8,
    #[cfg(any())]
    y: u8,
}

#[traceable]
fn conditional(#[cfg(not(any()))] a: u8, #[cfg(any())] b: u8, #[cfg(not(any()))] c: u8, #[cfg(any())] c: u16) -> u8 {
    a + c
}

#[traceable]
fn in_patterns(
    Point {
        x,
        #[cfg(any())]
        y,
    }: Point,
) -> u8 {
    x
}

#[traceable(inputs(a, b))]
fn named(a: u8, #[cfg(any())] b: u8) -> u8 {
    a
}

#[test]
fn absent_arguments_are_not_captured() {
    assert_eq!(lines(|| conditional(1, 2)), ["chain conditional", "in a=1", "in c=2", "out 3"]);
    assert_eq!(lines(|| in_patterns(Point { x: 1 })), ["chain in_patterns", "in x=1", "out 1"]);
    assert_eq!(lines(|| named(1)), ["chain named", "in a=1", "out 1"]);
}
