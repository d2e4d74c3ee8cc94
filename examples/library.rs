//! A library that annotates for free: it depends on `traceable` without any feature, and this program, which switches
//! `enable` on, sees its runs among its own. A program that does not is built as if there were no annotation.
//!
//! `cargo run --example library`

use traceable::traceable;

#[traceable(run_type = "retriever")]
fn nearest(question: &str) -> Option<&'static str> {
    let pages = ["Green tea is steeped at eighty degrees.", "Black tea keeps for two years."];
    let likeness = |page: &&str| (traceable_example_library::likeness(question, page) * 1_000.0) as u32;
    pages.into_iter().max_by_key(likeness)
}

fn main() {
    traceable::init();
    assert_eq!(nearest("How long does black tea keep?"), Some("Black tea keeps for two years."));
}
