//! A crate without serde and without unsafe code.

use traceable_tests_bare as bare;

use crate::support::{lines, lines_of};

#[test]
fn needs_nothing_else() {
    assert_eq!(
        lines(|| bare::add(1, "2")),
        ["tool add", "tag bare", "in a=1", r#"in text="2""#, "meta more=2", "out 3"]
    );
    assert_eq!(lines(|| bare::add(1, "x")).last().unwrap(), "err invalid digit found in string");
    assert!(lines_of(|| bare::same(bare::Opaque(1))).last().unwrap().contains("Opaque"));
    assert_eq!(lines_of(|| bare::boxed("a")).last().unwrap(), r#"out "a""#);
    assert_eq!(bare::count(3).count(), 3);
}
