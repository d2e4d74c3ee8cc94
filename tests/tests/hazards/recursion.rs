//! Functions that call themselves.

use std::pin::Pin;

use traceable::traceable;

use crate::support::{lines, ready};

#[traceable]
fn down(n: u8) -> u8 {
    if n == 0 { 0 } else { down(n - 1) }
}

#[traceable]
async fn down_later(n: u8) -> u8 {
    if n == 0 { 0 } else { Box::pin(down_later(n - 1)).await }
}

#[traceable]
fn down_boxed(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
    Box::pin(async move { if n == 0 { 0 } else { down_boxed(n - 1).await } })
}

#[test]
fn every_call_is_a_run() {
    let starts = |lines: Vec<String>| lines.iter().filter(|line| line.starts_with("chain down")).count();
    assert_eq!(starts(lines(|| down(3))), 4);
    assert_eq!(starts(lines(|| ready(down_later(3)))), 4);
    assert_eq!(starts(lines(|| ready(down_boxed(3)))), 4);
}
