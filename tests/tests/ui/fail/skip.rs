#![allow(unused)]

use traceable::traceable;

#[traceable(skip(a), inputs(b))]
fn with_inputs(a: u8, b: u8) {}

#[traceable(skip(c))]
fn unknown(a: u8, (b, _): (u8, u8)) {}

#[traceable(skip(a))]
fn none() {}

fn main() {}
