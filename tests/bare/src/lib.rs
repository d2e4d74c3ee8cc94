//! A crate that knows `traceable` and nothing else, in an older edition: expansions need no other crate, and no unsafe code.

#![forbid(unsafe_code)]

use std::{future::Future, num::ParseIntError, pin::Pin};

use traceable::traceable;

/// Has nothing but a name.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)]
pub struct Opaque(pub u8);

/// Adds.
///
/// # Errors
///
/// When the text is no number.
#[traceable(run_type = "tool", tags = ["bare"], metadata(more = a + 1))]
pub fn add(a: u32, text: &str) -> Result<u32, ParseIntError> {
    Ok(a + text.parse::<u32>()?)
}

/// Gives the argument back.
#[traceable]
pub async fn same(opaque: Opaque) -> Opaque {
    opaque
}

/// Gives the argument back.
#[must_use]
#[traceable]
pub fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = &'a str> + Send + 'a>> {
    Box::pin(async move { text })
}

/// Counts.
#[traceable(stream, reduce_fn = |items: Vec<u8>| items.len())]
pub fn count(to: u8) -> impl Iterator<Item = u8> {
    0..to
}
