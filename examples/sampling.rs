//! A sample of all traces, and each that fails, whole: what a service keeps that is asked a thousand times a second.
//!
//! `cargo run --example sampling`

use std::error::Error;

use traceable::{exporters::Console, traceable};

#[traceable(run_type = "agent")]
fn order(number: u32) -> Result<String, String> {
    let tea = find(number);
    let grams = weigh(number)?;
    Ok(format!("{grams} g of {tea}"))
}

#[traceable(run_type = "tool")]
fn find(number: u32) -> &'static str {
    ["assam", "jasmine", "oolong"][number as usize % 3]
}

#[traceable(run_type = "tool")]
fn weigh(number: u32) -> Result<u32, String> {
    if number == 417 { Err("the scales are empty".to_owned()) } else { Ok(number % 250) }
}

fn main() -> Result<(), Box<dyn Error>> {
    // None but those that fail. A service keeps a few of the others, to compare: `sample_rate(0.01)`.
    traceable::builder()?.sample_rate(0.0).keep_errors(true).exporter(Console::new()).init()?;

    let failed = (0..1_000).filter(|&number| order(number).is_err()).count();
    assert_eq!(failed, 1);
    Ok(())
}
