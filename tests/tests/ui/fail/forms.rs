#![allow(unused)]

use traceable::traceable;

#[traceable(name, metadata = 1, tags("a"), skip = a, outputs, crate)]
fn several(a: u8) {}

#[traceable(metadata(a), name = "kept" run_type = "llm", stream = 7)]
fn inner() {}

#[traceable(name = "a",, tags = [])]
fn comma() {}

fn main() {}
