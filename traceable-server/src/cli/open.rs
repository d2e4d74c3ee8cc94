//! The store of a command. A server need not run; if one does, it keeps the store up to date, and we only read.

use traceable_store::{Error, Query, Store};

use super::{Cli, Failure};
use crate::{print::now, spools::Spools};

/// The store, with all that the spools hold.
pub(super) fn store(cli: &Cli) -> Result<Store, Failure> {
    cli.home.make()?;
    let path = cli.home.store();
    let store = match Store::open(&path) {
        Err(Error::Locked { .. }) => return Ok(Store::open_read_only(path)?),
        opened => opened?,
    };
    Spools::new(&cli.home).catch_up(&store)?;
    while store.index_pending(1_000)? > 0 {}
    Ok(store)
}

/// A query of the words of a command line.
pub(super) fn query(words: &[String]) -> Result<Query, Failure> {
    Ok(Query::parse(&words.join(" "), now())?)
}
