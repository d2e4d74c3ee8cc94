//! Where a trace and its runs are found without reading all of it.

use traceable_core::model::{RunId, RunType};
use traceable_store::{Cursor, Field, List, Of, Op, Order, Query, Result, Row, Store, StoredRun, Totals, Value};

/// A trace: its sums, and the run that stands for it.
pub(super) struct Found {
    pub(super) head: Row,
    pub(super) totals: Totals,
}

impl Found {
    pub(super) fn trace(&self) -> RunId {
        self.head.trace_id
    }
}

/// The runs of a trace.
pub(super) fn within(trace: RunId) -> Query {
    Query::Compare(Field::Trace, Op::Eq, Value::Id(trace))
}

/// These kinds of runs.
pub(super) fn kinds(kinds: &[RunType]) -> Query {
    let is = |kind: &RunType| Query::Compare(Field::Type, Op::Eq, Value::Text(kind.as_str().to_owned()));
    Query::Or(kinds.iter().map(is).collect())
}

/// A trace by its id, or by that of one of its runs.
pub(super) fn trace(store: &Store, id: RunId) -> Result<Option<Found>> {
    let by_trace = |id| -> Result<Option<Found>> {
        let list = List { query: within(id), of: Of::Traces, limit: 1, ..List::default() };
        let listed = store.list(&list)?.rows.pop();
        Ok(listed.and_then(|listed| Some(Found { head: listed.row, totals: listed.totals? })))
    };
    match by_trace(id)? {
        None => store.row(id)?.map_or(Ok(None), |row| by_trace(row.trace_id)),
        found => Ok(found),
    }
}

/// The run whose conversation says most about a trace: its head if that is one, else its last call of a model.
pub(super) fn speaker(store: &Store, found: &Found) -> Result<RunId> {
    if found.head.run_type == RunType::Llm {
        return Ok(found.head.id);
    }
    let last = calls_before(store, found.trace(), None, 1)?.pop();
    Ok(last.map_or(found.head.id, |row| row.id))
}

/// Calls of a model, the newest first; before this one, where it is said.
fn calls_before(store: &Store, trace: RunId, after: Option<Cursor>, limit: usize) -> Result<Vec<Row>> {
    let query = within(trace).and(kinds(&[RunType::Llm]));
    let list = List { query, of: Of::Runs, order: Order::Newest, limit, after };
    Ok(store.list(&list)?.rows.into_iter().map(|listed| listed.row).collect())
}

/// The calls of a model before this one, the nearest first.
pub(super) fn calls_ahead_of(store: &Store, row: &Row, limit: usize) -> Result<Vec<StoredRun>> {
    let calls = calls_before(store, row.trace_id, Some(Cursor::of(row)), limit)?;
    calls.iter().filter_map(|row| store.run(row.id).transpose()).collect()
}
