//! Every kind of error passes `?` and is recorded by its text.

use std::{error::Error, fmt, io};

use anyhow::Context;
use traceable::traceable;

use crate::support::{lines, lines_of};

/// An error that cannot even be printed.
struct Silent;

#[derive(Debug)]
struct Shown;

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shown")
    }
}

impl Error for Shown {}

#[traceable]
fn boxed() -> Result<u8, Box<dyn Error>> {
    Err(Shown)?
}

#[traceable]
async fn boxed_later() -> Result<u8, Box<dyn Error + Send + Sync>> {
    Err(Shown)?;
    Ok(1)
}

#[traceable]
async fn with_context() -> anyhow::Result<u8> {
    Err(Shown).context("outer")
}

#[traceable]
fn input_output() -> io::Result<()> {
    Err(Shown).map_err(io::Error::other)?;
    Ok(())
}

#[traceable]
fn silent() -> Result<u8, Silent> {
    Err(Silent)
}

#[traceable]
fn is_data() -> Option<u8> {
    None?
}

#[test]
fn are_recorded_by_their_text() {
    assert_eq!(lines(boxed), ["chain boxed", "err shown"]);
    assert_eq!(lines_of(boxed_later), ["chain boxed_later", "err shown"]);
    assert_eq!(lines_of(with_context), ["chain with_context", "err outer: shown"]);
    assert_eq!(lines(input_output), ["chain input_output", "err shown"]);
    assert!(lines(silent)[1].starts_with("err ") && lines(silent)[1].ends_with("Silent"));
    assert_eq!(lines(is_data), ["chain is_data", "out null"]);
}
