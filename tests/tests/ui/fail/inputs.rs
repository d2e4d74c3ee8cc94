#![allow(unused)]

use traceable::traceable;

struct S;

impl S {
    #[traceable(inputs(self))]
    fn whole(&self) {}

    #[traceable(inputs(b))]
    fn unknown(&self, a: u8) {}
}

fn main() {}
