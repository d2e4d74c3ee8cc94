//! Scores: of one run, trace or thread, and lists of them.

use rusqlite::{Connection, params, types::Value as Bound};
use traceable_core::model::{RunId, Score, ScoreTarget};

use super::Cursor;
use crate::{Result, Store, ingest::blob};

/// Which scores are wanted: those that fit all that is said here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreList {
    /// Of one of these runs; of any, when there is none.
    pub runs: Vec<RunId>,
    /// Of a run of this trace.
    pub trace: Option<RunId>,
    /// Of this conversation.
    pub thread: Option<String>,
    /// With this key.
    pub key: Option<String>,
    /// How many at most; never more than 10 000.
    pub limit: usize,
    /// Behind which one to go on: what [`ScorePage::next`] said.
    pub after: Option<Cursor>,
}

impl Default for ScoreList {
    /// The newest 100.
    fn default() -> Self {
        Self { runs: Vec::new(), trace: None, thread: None, key: None, limit: 100, after: None }
    }
}

/// A part of a list of scores.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ScorePage {
    /// The scores, the newest first.
    pub scores: Vec<Score>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<Cursor>,
}

impl Store {
    /// A page of scores, the newest first.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn score_list(&self, list: &ScoreList) -> Result<ScorePage> {
        let ScoreList { runs, trace, thread, key, limit, after } = list;
        let (mut condition, mut values) = ("1".to_owned(), Vec::<Bound>::new());
        let mut must = |sql: &str, more: Vec<Bound>| {
            condition.push_str(" AND ");
            condition.push_str(sql);
            values.extend(more);
        };
        if !runs.is_empty() {
            let ids = runs.iter().map(|id| blob(*id).to_vec().into()).collect();
            must(&format!("run_id IN ({})", vec!["?"; runs.len()].join(", ")), ids);
        }
        if let Some(trace) = trace {
            let id = || Bound::from(blob(*trace).to_vec());
            must("(run_id = ? OR run_id IN (SELECT id FROM runs WHERE trace_id = ?))", vec![id(), id()]);
        }
        if let Some(thread) = thread {
            must("thread_id = ?", vec![thread.clone().into()]);
        }
        if let Some(key) = key {
            must("key = ?", vec![key.clone().into()]);
        }
        if let Some(Cursor { time, id }) = after {
            must("(time, id) < (?, ?)", vec![(*time).into(), blob(*id).to_vec().into()]);
        }
        let limit = (*limit).min(10_000);
        let sql = format!("SELECT data FROM scores WHERE {condition} ORDER BY time DESC, id DESC LIMIT {}", limit + 1);
        self.read(|connection| {
            let mut scores = scores(connection, &sql, rusqlite::params_from_iter(values))?;
            let is_last = scores.len() <= limit;
            scores.truncate(limit);
            let next = scores.last().filter(|_| !is_last).map(|last| Cursor { time: last.time, id: last.id });
            Ok(ScorePage { scores, next })
        })
    }

    /// The scores of a run, a trace or a thread, the oldest first. Scores of a trace are those of its root.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn scores(&self, of: &ScoreTarget) -> Result<Vec<Score>> {
        self.read(|connection| match of {
            ScoreTarget::Run(id) | ScoreTarget::Trace(id) => {
                scores(connection, "SELECT data FROM scores WHERE run_id = ? ORDER BY time, id", params![blob(*id)])
            }
            ScoreTarget::Thread(id) => {
                scores(connection, "SELECT data FROM scores WHERE thread_id = ? ORDER BY time, id", params![id])
            }
            _ => Ok(Vec::new()),
        })
    }

    /// A score by its own id.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn score(&self, id: RunId) -> Result<Option<Score>> {
        self.read(|connection| Ok(scores(connection, "SELECT data FROM scores WHERE id = ?", params![blob(id)])?.pop()))
    }

    /// All scores of a trace's runs, the oldest first.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn scores_in_trace(&self, trace: RunId) -> Result<Vec<Score>> {
        let sql = "SELECT s.data FROM scores s WHERE s.run_id = ?1
            OR s.run_id IN (SELECT id FROM runs WHERE trace_id = ?1) ORDER BY s.time, s.id";
        self.read(|connection| scores(connection, sql, params![blob(trace)]))
    }
}

fn scores(connection: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<Vec<Score>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(values, |row| row.get::<_, String>(0))?;
    rows.map(|text| Ok(serde_json::from_str(&text?)?)).collect()
}
