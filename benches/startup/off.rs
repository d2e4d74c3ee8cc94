//! The annotated half of the startup case: as the bare one, with tracing that nobody switches on.

use std::hint::black_box;

use traceable::traceable;

#[traceable]
#[inline(never)]
fn work(x: u64) -> u64 {
    black_box(x).wrapping_mul(3)
}

fn main() {
    black_box(work(1));
}
