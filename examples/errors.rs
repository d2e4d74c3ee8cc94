//! How failures show: an `Err` is its run's error, at every level that passes it on; a panic is recorded on its way.
//!
//! `cargo run --example errors`

use std::{num::ParseIntError, panic};

use traceable::traceable;

/// `Ok` is the output and `Err` the error. The function, its callers and `?` see no difference.
#[traceable]
fn total(bill: &str) -> Result<u32, ParseIntError> {
    bill.split('+').map(price).sum()
}

#[traceable]
fn price(item: &str) -> Result<u32, ParseIntError> {
    item.trim().parse()
}

/// `None` is no failure: it is what the function has to say.
#[traceable(run_type = "retriever")]
fn cheapest(prices: &[u32]) -> Option<u32> {
    prices.iter().copied().min()
}

#[traceable(run_type = "tool")]
fn nth(prices: &[u32], n: usize) -> u32 {
    prices[n]
}

fn main() {
    traceable::init();

    let _ = total("12 + 30");
    let _ = total("12 + thirty");
    cheapest(&[]);

    // The panic goes through the run as through any function. Here somebody waits for it: a server's worker, a test.
    let _ = panic::catch_unwind(|| nth(&[12, 30], 2));

    // Nothing more to do: what is recorded is delivered at the end of the program.
}
