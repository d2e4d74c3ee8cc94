//! What goes: by query, conversation and user, by age and by size.

use std::{collections::BTreeSet, time::Duration};

use rusqlite::{Connection, params};
use serde::Serialize;
use traceable_core::model::RunId;

use crate::{
    Field, Of, Op, Query, Result, Store, Value,
    ingest::{SLOTS, key, labels_of, not_there, recompute, records_of, remove_labels},
    query::{Asked, compile},
    record::Merged,
    store,
};

/// Runs that go in one transaction, so that what comes in meanwhile need not wait for all of them.
const CHUNK: usize = 500;

/// Pages of the text index that are written anew in one transaction.
const MERGE: i64 = 500;

/// The reason under which [`Store::reports`] counts runs that went by [`Limits::max_age`].
pub const TOO_OLD: &str = "removed_by_age";

/// The reason under which [`Store::reports`] counts runs that went by [`Limits::max_bytes`].
pub const TOO_MUCH: &str = "removed_by_size";

/// What a store may hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes on the disk. When it is more, the oldest traces go until it is nine tenths of that.
    pub max_bytes: Option<u64>,
    /// How long ago a trace may have begun.
    pub max_age: Option<Duration>,
}

impl Limits {
    /// At most so many bytes.
    #[must_use]
    pub fn bytes(mut self, max: u64) -> Self {
        self.max_bytes = Some(max);
        self
    }

    /// Nothing older than this.
    #[must_use]
    pub fn age(mut self, max: Duration) -> Self {
        self.max_age = Some(max);
        self
    }
}

/// What went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removed {
    /// Runs.
    pub runs: u64,
    /// Traces of which no run is left.
    pub traces: u64,
    /// Scores.
    pub scores: u64,
    /// Blobs that no run needs any more.
    pub blobs: u64,
    /// Conversations of which nothing is left.
    pub threads: u64,
    /// Users of whom nothing is left.
    pub users: u64,
    /// Bytes that became free.
    pub bytes: u64,
}

impl Store {
    /// Removes what [`list`](Self::list) lists: runs, or whole traces; with their texts, scores, and blobs that no other run
    /// needs.
    ///
    /// # Errors
    ///
    /// When the database cannot be read or written. What has gone until then stays gone.
    pub fn delete(&self, query: &Query, of: Of) -> Result<Removed> {
        let head = if of == Of::Traces { "r0.head = 1 AND " } else { "" };
        let wanted = if of == Of::Traces { "r0.trace_id" } else { "r0.id" };
        // All at first: what goes may be what makes something else fit.
        let ids = self.read(|connection| {
            let Asked { condition, values } = compile(query, connection)?;
            let sql = format!("SELECT {wanted} FROM runs r0 WHERE {head}r0.start_time IS NOT NULL AND ({condition})");
            ids(connection, &sql, rusqlite::params_from_iter(values))
        })?;
        self.sweep(|store, removed| {
            store.remove(&ids, of, removed)?;
            store.forget_words(removed)
        })
    }

    /// Removes a project with its runs.
    ///
    /// # Errors
    ///
    /// As [`delete`](Self::delete).
    pub fn delete_project(&self, name: &str) -> Result<Removed> {
        let removed = self.delete(&Query::Compare(Field::Project, Op::Eq, Value::Text(name.to_owned())), Of::Runs)?;
        self.write(|tx| {
            // Runs may have come meanwhile.
            let sql =
                "DELETE FROM projects WHERE name = ? AND NOT EXISTS (SELECT 1 FROM runs WHERE project = projects.id)";
            tx.execute(sql, [name])?;
            Ok(removed)
        })
    }

    /// Removes a score, and answers whether there was one.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn delete_score(&self, id: RunId) -> Result<bool> {
        self.write(|tx| {
            let sql = "DELETE FROM scores WHERE id = ?";
            Ok(tx.prepare_cached(sql)?.execute([crate::ingest::blob(id)])? > 0)
        })
    }

    /// Removes a conversation: its traces, what was said of it, and its scores.
    ///
    /// # Errors
    ///
    /// As [`delete`](Self::delete).
    pub fn delete_thread(&self, thread: &str) -> Result<Removed> {
        let (heads, runs) = self.read(|connection| owned(connection, "thread_id", thread))?;
        self.sweep(|store, removed| {
            store.remove(&heads, Of::Traces, removed)?;
            store.remove(&runs, Of::Runs, removed)?;
            store.forget_words(removed)?;
            store.write(|tx| {
                removed.threads += tx.execute("DELETE FROM threads WHERE id = ?", [thread])? as u64;
                removed.scores += tx.execute("DELETE FROM scores WHERE thread_id = ?", [thread])? as u64;
                Ok(())
            })
        })
    }

    /// Removes a user: their traces and conversations, what was said of them, and the scores that they gave.
    ///
    /// # Errors
    ///
    /// As [`delete`](Self::delete).
    pub fn delete_user(&self, user: &str) -> Result<Removed> {
        let (heads, runs) = self.read(|connection| owned(connection, "user", user))?;
        self.sweep(|store, removed| {
            store.remove(&heads, Of::Traces, removed)?;
            store.remove(&runs, Of::Runs, removed)?;
            store.forget_words(removed)?;
            store.write(|tx| {
                removed.users += tx.execute("DELETE FROM users WHERE id = ?", [user])? as u64;
                let theirs = "SELECT id FROM threads WHERE user = ?1";
                let sql = format!("DELETE FROM scores WHERE user = ?1 OR thread_id IN ({theirs})");
                removed.scores += tx.execute(&sql, [user])? as u64;
                removed.threads += tx.execute("DELETE FROM threads WHERE user = ?1", [user])? as u64;
                Ok(())
            })
        })
    }

    /// Removes the oldest traces, and what lies about without a run, until the store is within its limits. `now` is in
    /// nanoseconds since the epoch. [`reports`](Self::reports) count what went.
    ///
    /// # Errors
    ///
    /// As [`delete`](Self::delete).
    pub fn keep_within(&self, limits: &Limits, now: i64) -> Result<Removed> {
        let oldest = |before: i64| {
            self.read(|connection| {
                let sql = "SELECT trace_id FROM runs WHERE head = 1 AND start_time < ? ORDER BY start_time LIMIT ?";
                ids(connection, sql, params![before, CHUNK as i64])
            })
        };
        self.sweep(|store, removed| {
            if let Some(age) = limits.max_age {
                let before = now.saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
                loop {
                    let traces = oldest(before)?;
                    if traces.is_empty() {
                        break;
                    }
                    store.remove(&traces, Of::Traces, removed)?;
                }
                store.write(|tx| {
                    let sql = "DELETE FROM scores WHERE time < ?1 AND run_id IS NOT NULL
                        AND NOT EXISTS (SELECT 1 FROM runs WHERE id = scores.run_id)";
                    removed.scores += tx.execute(sql, [before])? as u64;
                    tx.execute("DELETE FROM progress WHERE time < ?", [before])?;
                    if removed.runs > 0 { not_there(tx, TOO_OLD, removed.runs, now) } else { Ok(()) }
                })?;
            }
            let by_age = removed.runs;
            let Some(max) = limits.max_bytes else { return Ok(()) };
            if store.size()? <= max {
                return Ok(());
            }
            while store.size()? > max / 10 * 9 {
                let traces = oldest(i64::MAX)?;
                if traces.is_empty() {
                    break;
                }
                // A few at a time, for a trace may be large.
                store.remove(&traces[..traces.len().min(CHUNK / 10)], Of::Traces, removed)?;
            }
            let by_size = removed.runs - by_age;
            if by_size > 0 { store.write(|tx| not_there(tx, TOO_MUCH, by_size, now)) } else { Ok(()) }
        })
    }

    /// Takes the words of removed runs out of the text index, where they are only marked as gone: the index is written anew, a
    /// few megabytes at a time, so that others may write in between.
    fn forget_words(&self, removed: &Removed) -> Result<()> {
        if removed.runs == 0 {
            return Ok(());
        }
        // The first, with a minus, begins to put all of it together.
        let mut pages = -MERGE;
        loop {
            let sql = "INSERT INTO texts (texts, rank) VALUES ('merge', ?)";
            let changed = self.write(|tx| {
                let before = tx.total_changes();
                tx.execute(sql, [pages])?;
                Ok(tx.total_changes() - before)
            })?;
            // One change is the command itself.
            if changed < 2 {
                break;
            }
            pages = MERGE;
        }
        Ok(())
    }

    /// Removes, says how much that freed, and gives the room back.
    fn sweep(&self, work: impl FnOnce(&Self, &mut Removed) -> Result<()>) -> Result<Removed> {
        let before = self.size()?;
        // What was removed on purpose must not be found in the file.
        self.writer()?.connection.pragma_update(None, "secure_delete", true)?;
        let mut removed = Removed::default();
        let done = work(self, &mut removed);
        let writer = self.writer()?;
        writer.connection.pragma_update(None, "secure_delete", false)?;
        done?;
        removed.bytes = before.saturating_sub(store::size(&writer.connection)?);
        if removed != Removed::default() {
            writer.connection.execute_batch("PRAGMA incremental_vacuum")?;
            // Readers may hold a part of it back; the next one gets it.
            writer.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(removed)
    }

    fn remove(&self, ids: &[RunId], of: Of, removed: &mut Removed) -> Result<()> {
        let sql = match of {
            Of::Runs => "SELECT n FROM runs WHERE id = ?",
            Of::Traces => "SELECT n FROM runs WHERE trace_id = ?",
        };
        for chunk in ids.chunks(CHUNK) {
            self.write(|tx| {
                let mut sweep =
                    Sweep { tx, removed, traces: BTreeSet::new(), threads: BTreeSet::new(), users: BTreeSet::new() };
                for id in chunk {
                    let mut statement = tx.prepare_cached(sql)?;
                    let runs = statement.query_map([crate::ingest::blob(*id)], |row| row.get(0))?;
                    for n in runs.collect::<Result<Vec<i64>, _>>()? {
                        sweep.run(n)?;
                    }
                }
                sweep.finish()
            })?;
        }
        Ok(())
    }
}

/// One transaction's work.
struct Sweep<'a> {
    tx: &'a Connection,
    removed: &'a mut Removed,
    traces: BTreeSet<[u8; 16]>,
    threads: BTreeSet<String>,
    users: BTreeSet<String>,
}

impl Sweep<'_> {
    fn run(&mut self, n: i64) -> Result<()> {
        let tx = self.tx;
        let run = Merged::of(records_of(tx, n)?).run;
        remove_labels(tx, n, &labels_of(&run))?;
        tx.prepare_cached("DELETE FROM bodies WHERE key BETWEEN ? AND ?")?.execute([key(n, 0), key(n, SLOTS - 1)])?;
        tx.prepare_cached("DELETE FROM texts WHERE rowid = ?")?.execute([n])?;
        tx.prepare_cached("DELETE FROM pending_texts WHERE n = ?")?.execute([n])?;
        let mut statement = tx.prepare_cached("DELETE FROM blob_uses WHERE n = ? RETURNING hash")?;
        let hashes = statement.query_map([n], |row| row.get(0))?.collect::<Result<Vec<[u8; 32]>, _>>()?;
        for hash in hashes {
            let sql = "DELETE FROM blobs WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM blob_uses WHERE hash = ?1)";
            self.removed.blobs += tx.prepare_cached(sql)?.execute([hash])? as u64;
        }
        let id = crate::ingest::blob(run.id);
        tx.prepare_cached("DELETE FROM progress WHERE id = ?")?.execute([id])?;
        self.removed.scores += tx.prepare_cached("DELETE FROM scores WHERE run_id = ?")?.execute([id])? as u64;
        self.removed.runs += tx.prepare_cached("DELETE FROM runs WHERE n = ?")?.execute([n])? as u64;
        self.traces.insert(crate::ingest::blob(run.trace_id));
        self.threads.extend(run.thread_id);
        self.users.extend(run.user);
        Ok(())
    }

    fn finish(self) -> Result<()> {
        let tx = self.tx;
        // Numbers of the last runs are given again.
        let sql = "UPDATE texts_seen SET n = min(n, (SELECT coalesce(max(n), 0) FROM runs))";
        tx.prepare_cached(sql)?.execute([])?;
        let id = |trace: &[u8; 16]| RunId::from_u128(u128::from_be_bytes(*trace));
        for trace in self.traces {
            let exists = |sql: &str| Ok::<_, crate::Error>(tx.prepare_cached(sql)?.exists([trace])?);
            let was = exists("SELECT 1 FROM traces WHERE id = ?")?;
            recompute(tx, id(&trace))?;
            self.removed.traces += u64::from(was && !exists("SELECT 1 FROM traces WHERE id = ?")?);
        }
        for thread in self.threads {
            let sql = "SELECT max(start_time) FROM runs WHERE thread_id = ?";
            let last: Option<i64> = tx.prepare_cached(sql)?.query_row([&thread], |row| row.get(0))?;
            if last.is_none() {
                let sql = "DELETE FROM threads WHERE id = ? AND said = '{}'";
                let gone = tx.prepare_cached(sql)?.execute([&thread])? as u64;
                self.removed.threads += gone;
            }
            set_last(tx, "UPDATE threads SET time = ? WHERE id = ?", last, &thread)?;
        }
        for user in self.users {
            let sql = "SELECT max(start_time) FROM runs WHERE user = ?";
            let last: Option<i64> = tx.prepare_cached(sql)?.query_row([&user], |row| row.get(0))?;
            if last.is_none() {
                let sql = "DELETE FROM users WHERE id = ? AND said = '{}'";
                self.removed.users += tx.prepare_cached(sql)?.execute([&user])? as u64;
            }
            set_last(tx, "UPDATE users SET time = ? WHERE id = ?", last, &user)?;
        }
        Ok(())
    }
}

fn set_last(tx: &Connection, sql: &str, last: Option<i64>, id: &str) -> Result<()> {
    if let Some(last) = last {
        tx.prepare_cached(sql)?.execute(params![last, id])?;
    }
    Ok(())
}

/// The traces and the single runs that are of a conversation or a user.
fn owned(connection: &Connection, column: &'static str, id: &str) -> Result<(Vec<RunId>, Vec<RunId>)> {
    let traces = ids(connection, &format!("SELECT trace_id FROM runs WHERE {column} = ? AND head = 1"), [id])?;
    let runs = ids(connection, &format!("SELECT id FROM runs WHERE {column} = ? AND head = 0"), [id])?;
    Ok((traces, runs))
}

fn ids(connection: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<Vec<RunId>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map(values, |row| Ok(RunId::from_u128(u128::from_be_bytes(row.get(0)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
