#![allow(unused)]

use traceable::traceable;

#[traceable(name = "a", run_type = "llm", name = "b")]
fn key() {}

#[traceable(inputs(a, a = 1))]
fn input(a: u8) {}

fn main() {}
