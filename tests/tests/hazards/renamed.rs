//! The facade under another name.

mod nested {
    pub use ::traceable as observability;
}

use crate::{renamed::nested::observability, support::lines};

#[observability::traceable(crate = crate::renamed::nested::observability)]
fn through_a_module(a: u8) -> u8 {
    a
}

#[observability::traceable(crate = ::traceable)]
async fn absolute(a: u8) -> u8 {
    a
}

macro_rules! wrapped {
    ($name:ident) => {
        #[$crate::renamed::nested::observability::traceable(crate = $crate::renamed::nested::observability)]
        fn $name() -> u8 {
            1
        }
    };
}

wrapped!(from_a_macro);

#[test]
fn is_found() {
    assert_eq!(lines(|| through_a_module(1)), ["chain through_a_module", "in a=1", "out 1"]);
    assert_eq!(crate::support::ready(absolute(1)), 1);
    assert_eq!(lines(from_a_macro), ["chain from_a_macro", "out 1"]);
}
