//! Sums of each trace, kept when runs are written, and which run stands for it in lists.

use rusqlite::{Connection, OptionalExtension as _, params};
use traceable_core::model::RunId;

use super::{Batch, blob};
use crate::{
    Result,
    row::{Row, to_nanos},
};

/// What is to be added to the sums of a trace.
#[derive(Default)]
pub(super) struct Delta {
    runs: i64,
    open: i64,
    errors: i64,
    input_tokens: i64,
    output_tokens: i64,
    total_tokens: i64,
    cost: i64,
    start_time: Option<i64>,
    end_time: Option<i64>,
    first_token_at: Option<i64>,
    /// The root, if it is among what was written.
    root: Option<i64>,
    /// A run went to another trace, or an earliest or latest moment may have gone: the sums are made anew.
    is_stale: bool,
}

impl Batch<'_> {
    /// Counts a run as it is now in place of what it was.
    pub(super) fn count(&mut self, n: i64, old: Option<&Row>, row: &Row) {
        if let Some(old) = old.filter(|old| old.trace_id != row.trace_id || old.parent_id != row.parent_id) {
            self.traces.entry(old.trace_id).or_default().is_stale = true;
            self.traces.entry(row.trace_id).or_default().is_stale = true;
            return;
        }
        let delta = self.traces.entry(row.trace_id).or_default();
        let is_kept = |old: Option<i64>, new: Option<i64>| old.is_none() || old == new;
        if let Some(old) = old {
            delta.is_stale |= old.start_time != row.start_time
                || !is_kept(old.end_time, row.end_time)
                || !is_kept(first_token_at(old), first_token_at(row));
            delta.add(old, -1);
        }
        delta.add(row, 1);
        delta.start_time = least(delta.start_time, Some(row.start_time));
        delta.end_time = delta.end_time.max(row.end_time);
        delta.first_token_at = least(delta.first_token_at, first_token_at(row));
        if row.id == row.trace_id {
            delta.root = Some(n);
        }
    }
}

impl Delta {
    fn add(&mut self, row: &Row, sign: i64) {
        let count = |of: Option<u64>| sign * of.filter(|_| row.is_model_call()).map_or(0, |n| n as i64);
        self.runs += sign;
        self.open += sign * i64::from(row.end_time.is_none());
        self.errors += sign * i64::from(row.error.is_some());
        self.input_tokens += count(row.input_tokens);
        self.output_tokens += count(row.output_tokens);
        self.total_tokens += count(row.total_tokens);
        self.cost += sign * row.cost.filter(|_| row.is_model_call()).map_or(0, to_nanos);
    }
}

fn first_token_at(row: &Row) -> Option<i64> {
    row.first_token.map(|after| row.start_time.saturating_add(after))
}

fn least(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}

/// Adds to the sums of a trace.
pub(super) fn apply(connection: &Connection, trace: RunId, delta: &Delta) -> Result<()> {
    if delta.is_stale {
        return recompute(connection, trace);
    }
    // Of several runs, SQLite's `min` and `max` answer null as soon as one is.
    let sql = "INSERT INTO traces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
        start_time = min(start_time, excluded.start_time),
        end_time = max(coalesce(end_time, excluded.end_time), coalesce(excluded.end_time, end_time)),
        first_token_at =
            min(coalesce(first_token_at, excluded.first_token_at), coalesce(excluded.first_token_at, first_token_at)),
        runs = runs + excluded.runs, open = open + excluded.open, errors = errors + excluded.errors,
        input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,
        total_tokens = total_tokens + excluded.total_tokens, cost = cost + excluded.cost,
        head = CASE excluded.head WHEN 0 THEN head ELSE excluded.head END
        RETURNING head, runs";
    let (head, runs): (i64, i64) = connection.prepare_cached(sql)?.query_row(
        params![
            blob(trace),
            delta.root.unwrap_or(0),
            delta.start_time.unwrap_or_default(),
            delta.end_time,
            delta.first_token_at,
            delta.runs,
            delta.open,
            delta.errors,
            delta.input_tokens,
            delta.output_tokens,
            delta.total_tokens,
            delta.cost,
        ],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    match delta.root {
        // All of the trace was written just now, and a root stands for its trace from its first row on.
        Some(_) if runs == delta.runs => Ok(()),
        None if is_root(connection, trace, head)? => Ok(()),
        _ => set_head(connection, trace),
    }
}

fn is_root(connection: &Connection, trace: RunId, n: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM runs WHERE n = ? AND id = ? AND head = 1";
    Ok(connection.prepare_cached(sql)?.exists(params![n, blob(trace)])?)
}

/// Makes one run stand for its trace: the root; while that is missing, the first without a parent, else the first.
fn set_head(connection: &Connection, trace: RunId) -> Result<()> {
    let sql = "SELECT n FROM runs WHERE id = ?1 AND trace_id = ?1 AND start_time IS NOT NULL";
    let root: Option<i64> = connection.prepare_cached(sql)?.query_row([blob(trace)], |row| row.get(0)).optional()?;
    let head = match root {
        Some(root) => root,
        None => {
            let sql = "SELECT n FROM runs WHERE trace_id = ? AND start_time IS NOT NULL
                ORDER BY parent_id IS NOT NULL, start_time, id LIMIT 1";
            connection.prepare_cached(sql)?.query_row([blob(trace)], |row| row.get(0))?
        }
    };
    let sql = "UPDATE runs SET head = (n = ?2) WHERE trace_id = ?1 AND head <> (n = ?2)";
    connection.prepare_cached(sql)?.execute(params![blob(trace), head])?;
    connection.prepare_cached("UPDATE traces SET head = ? WHERE id = ?")?.execute(params![head, blob(trace)])?;
    Ok(())
}

/// Makes the sums of a trace of all its runs; forgets the trace when there are none.
pub(crate) fn recompute(connection: &Connection, trace: RunId) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO traces SELECT
        ?1, 0, min(start_time), max(end_time), min(start_time + first_token), count(*), sum(end_time IS NULL),
        sum(error IS NOT NULL), coalesce(sum(input_tokens) FILTER (WHERE is_model), 0),
        coalesce(sum(output_tokens) FILTER (WHERE is_model), 0),
        coalesce(sum(total_tokens) FILTER (WHERE is_model), 0), coalesce(sum(cost) FILTER (WHERE is_model), 0)
        FROM (SELECT *, run_type IN ('llm', 'embedding', 'reranker') AS is_model FROM runs
            WHERE trace_id = ?1 AND start_time IS NOT NULL) HAVING count(*) > 0";
    if connection.prepare_cached(sql)?.execute([blob(trace)])? == 0 {
        connection.prepare_cached("DELETE FROM traces WHERE id = ?")?.execute([blob(trace)])?;
        return Ok(());
    }
    set_head(connection, trace)
}
