//! The store of a command. A server need not run; if one does, it keeps the store up to date, and we only read.

use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

use traceable_core::model::RunId;
use traceable_store::{Error, List, Of, Query, Store};

use super::{Cli, Failure};
use crate::{print::now, spools::Spools};

/// How long a command makes texts ready to be found before it goes on.
const FOR_TEXTS: Duration = Duration::from_secs(2);

/// The store, with all that the spools hold.
pub(super) fn store(cli: &Cli) -> Result<Store, Failure> {
    cli.home.make()?;
    let path = cli.home.store();
    let store = match Store::open(&path) {
        Err(Error::Locked { .. }) => return Ok(Store::open_read_only(path)?),
        opened => opened?,
    };
    Spools::new(&cli.home).catch_up(&store)?;
    let begun = Instant::now();
    while store.index_pending(500)? > 0 {
        if begun.elapsed() > FOR_TEXTS {
            let left = store.pending_texts()?;
            // Nobody may read it.
            let _ = writeln!(
                io::stderr(),
                "note: the words of {left} runs cannot be found yet; a server or the next commands go on with them"
            );
            break;
        }
    }
    Ok(store)
}

/// A query of the words of a command line.
pub(super) fn query(words: &[String]) -> Result<Query, Failure> {
    Ok(Query::parse(&words.join(" "), now())?)
}

/// A run by its id, by the beginning of its id that only it has, or as `last`, which is the newest trace's.
pub(super) fn run_id(store: &Store, name: &str) -> Result<RunId, Failure> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    if name == "last" {
        let page = store.list(&List { of: Of::Traces, limit: 1, ..List::default() })?;
        return Ok(page.rows.first().map(|listed| listed.row.id).ok_or("nothing was traced yet")?);
    }
    match store.runs_by_prefix(name, 2)?.as_slice() {
        [one] => Ok(*one),
        [] => Err(format!("there is no run {name}").into()),
        _ => Err(format!("more than one run begins with {name}").into()),
    }
}
