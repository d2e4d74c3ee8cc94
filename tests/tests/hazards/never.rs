//! Functions that do not return.

use std::panic::catch_unwind;

use traceable::traceable;

use crate::support::{lines, ready};

#[traceable]
fn fails(a: u8) -> ! {
    panic!("expected: {a}")
}

#[traceable]
async fn fails_later(a: u8) -> ! {
    panic!("expected: {a}")
}

#[traceable]
fn is_unfinished(a: u8) -> Result<u8, String> {
    todo!("expected: {a}")
}

#[test]
fn panics_go_on() {
    let seen = lines(|| catch_unwind(|| fails(1)));
    assert_eq!(seen[..2], ["chain fails", "in a=1"]);
    assert!(catch_unwind(|| ready(fails_later(1))).is_err());
    assert!(catch_unwind(|| is_unfinished(1)).is_err());
}
