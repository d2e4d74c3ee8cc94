//! Lists of runs and traces, page by page.

use std::{fmt, str::FromStr};

use rusqlite::{Connection, types::Value as Bound};
use serde::Serialize;
use traceable_core::model::RunId;

use super::rows::{ROW, ROW_COLUMNS, TOTALS, Totals, row, totals};
use crate::{
    Field, Query, Result, Row, Store,
    ingest::blob,
    query::{Asked, compile},
};

/// Rows of a page at most.
const MAX_LIMIT: usize = 10_000;

/// Which part of a store is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// What is asked of each.
    pub query: Query,
    /// Runs or traces.
    pub of: Of,
    /// Which come first.
    pub order: Order,
    /// How many at most; never more than 10 000.
    pub limit: usize,
    /// Behind which one to go on: what [`Page::next`] said.
    pub after: Option<Cursor>,
}

impl Default for List {
    /// The newest 100 runs.
    fn default() -> Self {
        Self { query: Query::default(), of: Of::Runs, order: Order::Newest, limit: 100, after: None }
    }
}

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    /// All runs.
    Runs,
    /// Of each trace, the run that stands for it, with the trace's sums: its root; while that is missing, its first run.
    Traces,
}

/// Which come first. Runs that began in the same nanosecond are in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Those that began last.
    Newest,
    /// Those that began first.
    Oldest,
}

/// A place between two pages. As text it can be part of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    start_time: i64,
    id: RunId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.start_time, self.id)
    }
}

impl From<&Row> for Cursor {
    /// The place behind a run.
    fn from(row: &Row) -> Self {
        Self { start_time: row.start_time, id: row.id }
    }
}

/// A text that is no place between two pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseCursorError;

impl fmt::Display for ParseCursorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a cursor: expected one that a page said")
    }
}

impl std::error::Error for ParseCursorError {}

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (start_time, id) = text.split_once('_').ok_or(ParseCursorError)?;
        let start_time = start_time.parse().map_err(|_| ParseCursorError)?;
        Ok(Self { start_time, id: id.parse().map_err(|_| ParseCursorError)? })
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The rows.
    pub rows: Vec<Listed>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<Cursor>,
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Listed {
    /// The run.
    #[serde(flatten)]
    pub row: Row,
    /// The sums of its trace, in lists of traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
}

/// A value of a field, and how many runs have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Facet {
    /// The value.
    pub value: String,
    /// How many runs.
    pub runs: u64,
}

impl Store {
    /// A page of runs or traces.
    ///
    /// Who goes on with [`Page::next`] sees each run once that was there from the first page to the last, whatever comes and goes
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`](crate::Error::Timeout) when it takes too long; when the database cannot be read.
    pub fn list(&self, list: &List) -> Result<Page> {
        self.read(|connection| {
            let Asked { condition, mut values } = compile(&list.query, connection)?;
            let (head, join, sums) = match list.of {
                Of::Runs => ("", "", String::new()),
                Of::Traces => ("r0.head = 1 AND ", "JOIN traces t ON t.id = r0.trace_id", format!(", {TOTALS}")),
            };
            let (direction, before) = match list.order {
                Order::Newest => ("DESC", "<"),
                Order::Oldest => ("ASC", ">"),
            };
            let mut place = String::new();
            if let Some(Cursor { start_time, id }) = list.after {
                place = format!(" AND r0.start_time {before}= ? AND (r0.start_time {before} ? OR r0.id {before} ?)");
                values.extend([start_time.into(), start_time.into(), Bound::from(blob(id).to_vec())]);
            }
            let limit = list.limit.min(MAX_LIMIT);
            let sql = format!(
                "SELECT {ROW}{sums} FROM runs r0 {join} WHERE {head}r0.start_time IS NOT NULL AND ({condition}){place}
                    ORDER BY r0.start_time {direction}, r0.id {direction} LIMIT {}",
                limit + 1
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(rusqlite::params_from_iter(values), |found| {
                let totals = (list.of == Of::Traces).then(|| totals(found, ROW_COLUMNS)).transpose()?;
                Ok(Listed { row: row(found)?, totals })
            })?;
            let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
            let is_last = rows.len() <= limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| !is_last);
            let next = next.map(|last| Cursor { start_time: last.row.start_time, id: last.row.id });
            Ok(Page { rows, next })
        })
    }

    /// How many runs or traces a query fits.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn count(&self, query: &Query, of: Of) -> Result<u64> {
        self.read(|connection| {
            let Asked { condition, values } = compile(query, connection)?;
            let head = if of == Of::Traces { "r0.head = 1 AND " } else { "" };
            let sql = format!("SELECT count(*) FROM runs r0 WHERE {head}r0.start_time IS NOT NULL AND ({condition})");
            let values = rusqlite::params_from_iter(values);
            Ok(connection.prepare(&sql)?.query_row(values, |row| row.get::<_, i64>(0))? as u64)
        })
    }

    /// The values that a field has, the most frequent first, for completion. Values of metadata and tags are counted in all
    /// runs, others in the newest 20 000. A field that is no text has none.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn values(&self, field: &Field, limit: usize) -> Result<Vec<Facet>> {
        let column = match field {
            Field::Name => "name",
            Field::Type => "run_type",
            Field::Status => "status",
            Field::Model => "model",
            Field::Provider => "provider",
            Field::Project => "(SELECT name FROM projects WHERE id = project)",
            Field::User => "user",
            Field::Environment => "environment",
            Field::Release => "release",
            Field::Tag => return self.labels("", limit),
            Field::Metadata(key) => return self.labels(key, limit),
            _ => return Ok(Vec::new()),
        };
        let sql = format!(
            "SELECT value, count(*) AS runs FROM (SELECT {column} AS value FROM runs WHERE start_time IS NOT NULL
                ORDER BY start_time DESC LIMIT 20000) WHERE value IS NOT NULL GROUP BY value
                ORDER BY runs DESC, value LIMIT ?"
        );
        self.read(|connection| facets(connection, &sql, [Bound::from(limit as i64)]))
    }

    /// The names of metadata that runs have.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn metadata_keys(&self, limit: usize) -> Result<Vec<String>> {
        self.read(|connection| {
            let sql = "SELECT DISTINCT key FROM labels WHERE key <> '' ORDER BY key LIMIT ?";
            let mut statement = connection.prepare_cached(sql)?;
            let keys = statement.query_map([limit as i64], |row| row.get(0))?;
            Ok(keys.collect::<Result<_, _>>()?)
        })
    }

    fn labels(&self, key: &str, limit: usize) -> Result<Vec<Facet>> {
        let sql = "SELECT l.value, (SELECT count(*) FROM run_labels x WHERE x.label = l.id) AS runs
            FROM labels l WHERE l.key = ? ORDER BY runs DESC, l.value LIMIT ?";
        self.read(|connection| facets(connection, sql, [Bound::from(key.to_owned()), Bound::from(limit as i64)]))
    }
}

fn facets<const N: usize>(connection: &Connection, sql: &str, values: [Bound; N]) -> Result<Vec<Facet>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
        Ok(Facet { value: row.get(0)?, runs: row.get::<_, i64>(1)? as u64 })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
