//! What open runs have said so far.

use std::collections::HashMap;

use traceable_core::{
    messages,
    model::{Json, RunId, Status},
};
use traceable_store::{Field, List, Listed, Of, Op, Query, Result, Store, Value};

use super::terms;

/// Open rows of a page whose stream is shown, and runs below one that are looked at.
const ROWS: usize = 20;
const RUNS: usize = 4;

/// Characters of a stream that are shown: its end.
const SHOWN: usize = 200;

/// Characters of a stream that are looked at.
const LONGEST: usize = 1 << 20;

/// By the run that is in the list, what the newest stream below it has said.
pub(super) type Streams = HashMap<RunId, String>;

pub(super) fn none() -> Streams {
    Streams::new()
}

/// The streams of a list.
pub(super) fn of(store: &Store, rows: &[Listed], of: Of) -> Result<Streams> {
    let mut streams = none();
    let is_open = |listed: &&Listed| {
        listed.row.status == Status::Pending || listed.totals.as_ref().is_some_and(|totals| totals.open > 0)
    };
    for Listed { row, .. } in rows.iter().filter(is_open).take(ROWS) {
        let mut runs = vec![row.id];
        if of == Of::Traces {
            let trace = Query::Compare(Field::Trace, Op::Eq, Value::Id(row.trace_id));
            let query = trace.and(terms::is(&Field::Status, Status::Pending.as_str()));
            let open = store.list(&List { query, limit: RUNS, ..List::default() })?;
            runs = open.rows.iter().map(|listed| listed.row.id).collect();
        }
        for run in runs {
            let said = store.progress(run)?.and_then(|progress| progress.outputs);
            if let Some(text) = said.as_ref().and_then(end) {
                streams.insert(row.id, text);
                break;
            }
        }
    }
    Ok(streams)
}

/// The end of what was said.
fn end(outputs: &Json) -> Option<String> {
    let messages = messages::output_messages(&outputs.to_value());
    let text = messages::preview_output(&messages, LONGEST)?;
    let from = text.char_indices().rev().nth(SHOWN).map_or(0, |(at, _)| at);
    let (cut, rest) = text.split_at(from);
    Some(if cut.is_empty() { rest.to_owned() } else { format!("…{rest}") })
}
