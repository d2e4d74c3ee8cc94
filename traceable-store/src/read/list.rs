//! Lists of runs and traces, page by page.

use std::{fmt, str::FromStr};

use rusqlite::types::Value as Bound;
use serde::Serialize;
use traceable_core::model::RunId;

use super::rows::{ROW, ROW_COLUMNS, TOTALS, Totals, row, totals};
use crate::{
    Query, Result, Row, Store,
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
    pub(super) time: i64,
    pub(super) id: RunId,
}

impl Cursor {
    /// The place of a row: a page behind it begins with the next one, in either order.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        Self { time: row.start_time, id: row.id }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.time, self.id)
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
        let (time, id) = text.split_once('_').ok_or(ParseCursorError)?;
        let time = time.parse().map_err(|_| ParseCursorError)?;
        Ok(Self { time, id: id.parse().map_err(|_| ParseCursorError)? })
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

/// What stands beside a row in a list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Neighbours {
    /// The one that began after it.
    pub newer: Option<Listed>,
    /// The one that began before it.
    pub older: Option<Listed>,
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
            if let Some(Cursor { time, id }) = list.after {
                place = format!(" AND r0.start_time {before}= ? AND (r0.start_time {before} ? OR r0.id {before} ?)");
                values.extend([time.into(), time.into(), Bound::from(blob(id).to_vec())]);
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
            let next = next.map(|last| Cursor::of(&last.row));
            Ok(Page { rows, next })
        })
    }

    /// What stands before and behind a place in a list.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn neighbours(&self, query: &Query, of: Of, place: Cursor) -> Result<Neighbours> {
        let first = |order| {
            let list = List { query: query.clone(), of, order, limit: 1, after: Some(place) };
            Ok::<_, crate::Error>(self.list(&list)?.rows.pop())
        };
        Ok(Neighbours { newer: first(Order::Oldest)?, older: first(Order::Newest)? })
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
}
