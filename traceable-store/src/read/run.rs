//! One run or trace with all that belongs to it, and the small lists beside.

use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use traceable_core::model::{Json, Progress, Run, RunId};

use super::rows::{ROW, TOTALS, Totals, row, totals};
use crate::{
    BlobHash, Error, File, Result, Row, Store,
    ingest::{blob, records_of},
    lift,
    record::Merged,
};

/// A run as it lies in the store.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredRun {
    /// The run. Its `attachments` are empty: they are `files`; long base64 in its inputs, outputs and expected output is replaced
    /// by `blob:sha256-…`, where [`Store::blob`] has the bytes.
    pub run: Run,
    /// Its files.
    pub files: Vec<File>,
    /// What was lifted out of its bodies.
    pub blobs: Vec<BlobHash>,
    /// The stream so far, of an open run.
    pub progress: Option<Progress>,
}

/// A trace without its bodies.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Trace {
    /// Its sums.
    pub totals: Totals,
    /// The id of the run that stands for it in lists.
    pub head: RunId,
    /// Its runs, by their start and their id. A parent may be missing.
    pub runs: Vec<Row>,
}

/// Runs that are not there: what clients said that they did not record, and what went by the store's own limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportCount {
    /// Why, such as `queue_full`; [`TOO_OLD`](crate::TOO_OLD) or [`TOO_MUCH`](crate::TOO_MUCH) of what went.
    pub reason: String,
    /// How many runs.
    pub count: u64,
    /// When it was first said, in nanoseconds since the epoch.
    pub first_time: i64,
    /// When it was last said.
    pub last_time: i64,
}

impl Store {
    /// A run with its bodies, for views.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn run(&self, id: RunId) -> Result<Option<StoredRun>> {
        self.read(|connection| {
            let Some(Merged { run, files, lifted, .. }) = merged(connection, id)? else { return Ok(None) };
            let progress = progress(connection, id)?;
            Ok(Some(StoredRun { run, files, blobs: lifted, progress }))
        })
    }

    /// How far an open run is, without its bodies.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn progress(&self, id: RunId) -> Result<Option<Progress>> {
        self.read(|connection| progress(connection, id))
    }

    /// A run as it came, with the bytes of its files and bodies, for export. All its records put together: see
    /// [`merge`](crate::merge).
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn whole_run(&self, id: RunId) -> Result<Option<Run>> {
        self.read(|connection| {
            let Some(Merged { mut run, files, lifted, .. }) = merged(connection, id)? else { return Ok(None) };
            let bytes = |hash: BlobHash| read_blob(connection, hash);
            if !lifted.is_empty() {
                let known = |hash: BlobHash| lifted.contains(&hash).then(|| bytes(hash).ok().flatten()).flatten();
                for body in [&mut run.inputs, &mut run.outputs, &mut run.expected].into_iter().flatten() {
                    let whole = lift::restore(body.as_str(), known);
                    *body = Json::parse(whole).map_err(Error::from)?;
                }
            }
            run.attachments = files.into_iter().map(|file| file.restore(|hash| bytes(hash).ok().flatten())).collect();
            Ok(Some(run))
        })
    }

    /// The row of a run.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn row(&self, id: RunId) -> Result<Option<Row>> {
        self.read(|connection| {
            let sql = format!("SELECT {ROW} FROM runs r0 WHERE r0.id = ? AND r0.start_time IS NOT NULL");
            Ok(connection.prepare_cached(&sql)?.query_row([blob(id)], row).optional()?)
        })
    }

    /// A trace: its sums, and the rows of all its runs.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn trace(&self, id: RunId) -> Result<Option<Trace>> {
        self.read(|connection| {
            let sql = format!("SELECT {TOTALS}, t.head FROM traces t WHERE t.id = ?");
            let found = connection
                .prepare_cached(&sql)?
                .query_row([blob(id)], |row| Ok((totals(row, 0)?, row.get::<_, i64>(10)?)))
                .optional()?;
            let Some((totals, head)) = found else { return Ok(None) };
            let sql = format!(
                "SELECT {ROW} FROM runs r0 WHERE r0.trace_id = ? AND r0.start_time IS NOT NULL
                    ORDER BY r0.start_time, r0.id"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let runs = statement.query_map([blob(id)], row)?.collect::<Result<_, _>>()?;
            let head = super::row_of(connection, head)?.id;
            Ok(Some(Trace { totals, head, runs }))
        })
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn blob(&self, hash: BlobHash) -> Result<Option<Vec<u8>>> {
        self.read(|connection| read_blob(connection, hash))
    }

    /// How many runs are not there, by reason.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn reports(&self) -> Result<Vec<ReportCount>> {
        self.read(|connection| {
            let sql = "SELECT reason, count, first_time, last_time FROM reports ORDER BY reason";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(ReportCount {
                    reason: row.get(0)?,
                    count: row.get::<_, i64>(1)? as u64,
                    first_time: row.get(2)?,
                    last_time: row.get(3)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn merged(connection: &Connection, id: RunId) -> Result<Option<Merged>> {
    let sql = "SELECT n FROM runs WHERE id = ? AND start_time IS NOT NULL";
    let n: Option<i64> = connection.prepare_cached(sql)?.query_row([blob(id)], |row| row.get(0)).optional()?;
    n.map(|n| Ok(Merged::of(records_of(connection, n)?))).transpose()
}

fn progress(connection: &Connection, id: RunId) -> Result<Option<Progress>> {
    let sql = "SELECT data FROM progress WHERE id = ?";
    let text: Option<String> = connection.prepare_cached(sql)?.query_row([blob(id)], |row| row.get(0)).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

fn read_blob(connection: &Connection, hash: BlobHash) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT data FROM blobs WHERE hash = ?";
    Ok(connection.prepare_cached(sql)?.query_row([hash.as_bytes()], |row| row.get(0)).optional()?)
}
