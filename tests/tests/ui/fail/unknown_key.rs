#![allow(unused)]

use traceable::traceable;

#[traceable(metdata(a = 1), reduce = join)]
fn near_misses() {}

#[traceable(colour = "blue", name = "kept")]
fn no_idea() {}

#[traceable(skip_all)]
fn from_elsewhere(_a: u8) {}

fn main() {
    near_misses();
    no_idea();
    from_elsewhere(1);
}
