//! The bare half of the startup case: calls a function and ends.

use std::hint::black_box;

#[inline(never)]
fn work(x: u64) -> u64 {
    black_box(x).wrapping_mul(3)
}

fn main() {
    black_box(work(1));
}
