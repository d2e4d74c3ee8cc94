//! What comes in: changes of runs, and all that belongs to them, in one transaction.

mod labels;
mod people;
mod runs;
mod scores;
mod traces;

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, params};
use traceable_core::model::{RunChange, RunId};

pub(crate) use self::{
    labels::{labels_of, remove as remove_labels, text as label_text},
    people::{Said, not_there},
    runs::{SLOTS, key, records_of},
    traces::recompute,
};
use crate::{Result, Store, record::Record};

/// What became of a batch of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ingested {
    /// Runs that were not known before.
    pub new: Vec<RunId>,
    /// Runs of which more is known now.
    pub merged: Vec<RunId>,
    /// The traces that these are of, each once.
    pub traces: Vec<RunId>,
    /// Runs whose stream went on.
    pub progressed: Vec<RunId>,
    /// Records that were there already, and progress, scores and facts that were older than what is there.
    pub repeated: usize,
}

/// How far a spool has been read: the bytes of a segment, in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The directory of the process that wrote it.
    pub directory: String,
    /// The number of the segment.
    pub segment: u64,
    /// Where the next record begins.
    pub offset: u64,
}

impl Store {
    /// Takes changes in, all or none. When it has answered, they are in the store.
    ///
    /// They may come in any order, also twice, also before the run that they are about: see [`merge`](crate::merge).
    ///
    /// # Errors
    ///
    /// [`Error::Full`](crate::Error::Full) when there is no room; when the database cannot be written; when the store is only read.
    pub fn ingest(&self, changes: &[RunChange]) -> Result<Ingested> {
        self.take_in(None, changes)
    }

    /// Takes in what was read of a spool, and in the same transaction how far it was read.
    ///
    /// # Errors
    ///
    /// As [`ingest`](Self::ingest).
    pub fn ingest_from(&self, position: &Position, changes: &[RunChange]) -> Result<Ingested> {
        self.take_in(Some(position), changes)
    }

    /// How far the segments of a directory have been read.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn positions(&self, directory: &str) -> Result<Vec<Position>> {
        self.read(|connection| {
            let sql = "SELECT segment, \"offset\" FROM positions WHERE directory = ? ORDER BY segment";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([directory], |row| {
                let (segment, offset) = (row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64);
                Ok(Position { directory: directory.to_owned(), segment, offset })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Forgets the positions of a directory below a segment: those segments are gone.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn forget_positions(&self, directory: &str, below: u64) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM positions WHERE directory = ? AND segment < ?", params![directory, below as i64])?;
            Ok(())
        })
    }

    fn take_in(&self, position: Option<&Position>, changes: &[RunChange]) -> Result<Ingested> {
        // Outside of the transaction: packing is most of the work.
        let mut records = BTreeMap::<RunId, Vec<_>>::new();
        for change in changes {
            if let Some(packed) = Record::pack(change)? {
                records.entry(packed.record.run.id).or_default().push(packed);
            }
        }
        self.write(|tx| {
            let mut batch = Batch {
                tx,
                now: now(),
                ingested: Ingested::default(),
                project: None,
                labels: labels::Labels::default(),
                traces: BTreeMap::new(),
                threads: BTreeMap::new(),
                users: BTreeMap::new(),
                texts_seen: tx.prepare_cached("SELECT n FROM texts_seen")?.query_row([], |row| row.get(0))?,
                has_progress: tx.prepare_cached("SELECT 1 FROM progress LIMIT 1")?.exists([])?,
            };
            for (id, records) in records {
                batch.run(id, records)?;
            }
            for change in changes {
                batch.beside(change)?;
            }
            batch.finish()?;
            if let Some(Position { directory, segment, offset }) = position {
                let sql = "INSERT OR REPLACE INTO positions VALUES (?, ?, ?)";
                tx.prepare_cached(sql)?.execute(params![directory, *segment as i64, *offset as i64])?;
            }
            Ok(batch.ingested)
        })
    }
}

/// One transaction's work.
struct Batch<'a> {
    tx: &'a Connection,
    now: i64,
    ingested: Ingested,
    /// The last project that was named.
    project: Option<(String, i64)>,
    labels: labels::Labels,
    /// What is to be added to the sums of each trace.
    traces: BTreeMap<RunId, traces::Delta>,
    /// When the last run of each thread began.
    threads: BTreeMap<String, i64>,
    /// And of each user.
    users: BTreeMap<String, i64>,
    /// Runs up to this one are to be indexed again when they change; those behind it wait anyway.
    texts_seen: i64,
    /// Whether there is any, which ends with its run.
    has_progress: bool,
}

impl Batch<'_> {
    /// What is no record of a run.
    fn beside(&mut self, change: &RunChange) -> Result<()> {
        match change {
            RunChange::Progress(progress) => self.progress(progress),
            RunChange::Score(score) => self.score(score),
            RunChange::Thread(thread) => self.thread(thread),
            RunChange::User(user) => self.user(user),
            RunChange::Report(report) => self.report(report),
            _ => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<()> {
        for (trace, delta) in std::mem::take(&mut self.traces) {
            traces::apply(self.tx, trace, &delta)?;
            self.ingested.traces.push(trace);
        }
        self.people_seen()
    }
}

pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}

/// An id as it lies in the database.
pub(crate) fn blob(id: RunId) -> [u8; 16] {
    id.as_u128().to_be_bytes()
}
