//! Runs by hand, where no function stands for what is done: one builder, and the shapes that other libraries give to it.
//!
//! `cargo run --example manual`

mod guard;
mod neuraltrust;

fn main() {
    traceable::init();
    guard::guess();
    neuraltrust::converse();
}
