//! Runs by hand, where no function stands for what is done: one builder, and the shapes that other libraries give to it.
//!
//! `cargo run --example manual`

mod adaline;
mod guard;
mod literal;
mod neuraltrust;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    traceable::init();
    guard::guess();
    neuraltrust::converse();
    adaline::chat()?;
    literal::converse();
    Ok(())
}
