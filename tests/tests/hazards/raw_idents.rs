//! Names that are keywords are recorded without `r#`.

use traceable::traceable;

use crate::support::lines;

#[traceable]
fn r#match(r#type: u8, (r#fn, _): (u8, u8)) -> u8 {
    r#type + r#fn
}

#[traceable(skip(r#type), metadata(r#loop = 1, type.kind = 2))]
fn skipped(r#type: u8, r#use: u8) -> u8 {
    r#type + r#use
}

#[test]
fn are_recorded_bare() {
    assert_eq!(lines(|| r#match(1, (2, 3))), ["chain match", "in type=1", "in fn=2", "out 3"]);
    assert_eq!(lines(|| skipped(1, 2)), ["chain skipped", "in use=2", "meta loop=1", "meta type.kind=2", "out 3"]);
}
