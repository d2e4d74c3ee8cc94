//! What changed last, so that whoever shows something knows what to ask for again.

use rusqlite::{Connection, OptionalExtension as _};
use traceable_core::model::RunId;

use crate::{Result, Store, ingest::blob};

/// Changes that are remembered.
const KEPT: i64 = 20_000;

/// What changed since some moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changed {
    /// The traces that have new runs, whose runs go on, were scored or went; each once.
    pub traces: Vec<RunId>,
    /// What to ask with the next time.
    pub mark: u64,
}

impl Store {
    /// A number that grows with every change of a trace: see [`changed_since`](Self::changed_since).
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn mark(&self) -> Result<u64> {
        self.read(|connection| Ok(ends(connection)?.1 as u64))
    }

    /// The traces that changed since a mark. `None` when that is too long ago (the last 20 000 changes are remembered, one for
    /// each trace and commit), or when the mark is one of another store: then all is to be asked for again.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn changed_since(&self, mark: u64) -> Result<Option<Changed>> {
        self.read(|connection| {
            let (first, last) = ends(connection)?;
            let Some(mark) = i64::try_from(mark).ok().filter(|mark| (first - 1..=last).contains(mark)) else {
                return Ok(None);
            };
            let sql = "SELECT DISTINCT trace_id FROM changes WHERE number > ?";
            let mut statement = connection.prepare_cached(sql)?;
            let traces = statement.query_map([mark], |row| crate::read::id(row, 0))?.collect::<Result<_, _>>()?;
            Ok(Some(Changed { traces, mark: last as u64 }))
        })
    }
}

/// The first and the last number that are there. Of a new store, 1 and 0.
fn ends(connection: &Connection) -> Result<(i64, i64)> {
    let sql = "SELECT (SELECT min(number) FROM changes), (SELECT max(number) FROM changes)";
    let ends = connection.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(match ends {
        (Some(first), Some(last)) => (first, last),
        _ => (1, 0),
    })
}

/// Writes down that these traces changed.
pub(crate) fn note(connection: &Connection, traces: impl IntoIterator<Item = RunId>) -> Result<()> {
    let mut last = None;
    for trace in traces {
        connection.prepare_cached("INSERT INTO changes (trace_id) VALUES (?)")?.execute([blob(trace)])?;
        last = Some(connection.last_insert_rowid());
    }
    // The newest stays in any case, so the number never begins anew.
    if let Some(last) = last {
        connection.prepare_cached("DELETE FROM changes WHERE number <= ?")?.execute([last - KEPT])?;
    }
    Ok(())
}

/// The trace of a run that is there.
pub(crate) fn trace_of(connection: &Connection, run: RunId) -> Result<Option<RunId>> {
    let sql = "SELECT trace_id FROM runs WHERE id = ? AND start_time IS NOT NULL";
    Ok(connection.prepare_cached(sql)?.query_row([blob(run)], |row| crate::read::id(row, 0)).optional()?)
}
