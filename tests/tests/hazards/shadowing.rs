//! Types and macros of the user's that have the names of the standard library's.

#![allow(dead_code, non_snake_case, unused_macros)]

use traceable::traceable;

use crate::support::{lines, lines_of};

type Result<T> = std::result::Result<T, String>;

struct Option;
struct Some;
struct Box;
struct Vec;
#[derive(Debug)]
struct Usage;
trait Send {}
trait FnOnce {}
mod core {}
mod std_ {}
fn Ok() {}
fn Err() {}
fn None() {}
macro_rules! module_path {
    () => {
        compile_error!("not ours")
    };
}

#[traceable]
fn aliased(a: u8) -> Result<u8> {
    if a == 0 { std::result::Result::Err("zero".to_owned()) } else { std::result::Result::Ok(a) }
}

#[traceable]
async fn aliased_later(a: u8) -> Result<u8> {
    aliased(a)
}

#[traceable(process_outputs = |_| "processed", usage = |_: &Usage| std::option::Option::None)]
fn processed() -> Usage {
    Usage
}

#[test]
fn shadowed_names_do_not_matter() {
    assert_eq!(lines(|| aliased(0)), ["chain aliased", "in a=0", "err zero"]);
    assert_eq!(lines(|| aliased(1)), ["chain aliased", "in a=1", "out 1"]);
    assert!(lines_of(|| aliased_later(1)).ends_with(&["out 1".into()]));
    assert_eq!(lines(processed)[..2], ["chain processed", r#"out "processed""#]);
}
