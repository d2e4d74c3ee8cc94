#![allow(unused)]

use traceable::traceable;

#[traceable(redact(c))]
fn unknown(a: u8) {}

#[traceable(skip(a), redact(a))]
fn skipped(a: u8) {}

#[traceable(inputs(a), redact(b))]
fn not_an_input(a: u8, b: u8) {}

#[traceable(redact = a)]
fn form(a: u8) {}

#[traceable(content = full)]
fn more(a: u8) {}

fn main() {}
