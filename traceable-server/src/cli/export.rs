//! `traceable export`.

use traceable_store::{List, Of, Order, Query};
use traceable_wire::langsmith::Record;

use super::{Cli, Failure, open};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Which runs; see `ls`
    query: Vec<String>,
}

/// Writes runs as JSON Lines in LangSmith's shape, the oldest first; `import` reads them.
pub(super) fn run(cli: &mut Cli, arguments: &Arguments) -> Result<(), Failure> {
    let query: Query = open::query(&arguments.query)?;
    let store = open::store(cli)?;
    let mut list = List { query, of: Of::Runs, order: Order::Oldest, limit: 200, ..List::default() };
    loop {
        let page = store.list(&list)?;
        for listed in &page.rows {
            if let Some(run) = store.whole_run(listed.row.id)? {
                cli.json(&Record::line(&run))?;
            }
        }
        list.after = page.next;
        if list.after.is_none() {
            return Ok(());
        }
    }
}
