//! Rows of tables as values.

use rusqlite::{Connection, Row as SqlRow};
use serde::Serialize;
use traceable_core::model::{RunId, RunType, Status};

use crate::{
    Result,
    row::{Row, to_dollars},
};

/// What [`row`] reads, of the run `r0`.
pub(super) const ROW: &str = "r0.id, r0.trace_id, r0.parent_id, (SELECT name FROM projects WHERE id = r0.project), r0.name,
    r0.run_type, r0.status, r0.start_time, r0.end_time, r0.latency, r0.first_token, r0.error, r0.provider, r0.model,
    r0.thread_id, r0.session_id, r0.user, r0.environment, r0.release, r0.input_tokens, r0.output_tokens, r0.total_tokens,
    r0.cost, r0.tags, r0.attachments, r0.input_preview, r0.output_preview";

/// How many columns that are.
pub(super) const ROW_COLUMNS: usize = 27;

/// What [`totals`] reads, of the trace `t`.
pub(super) const TOTALS: &str = "t.start_time, t.end_time, t.first_token_at, t.runs, t.open, t.errors, t.input_tokens,
    t.output_tokens, t.total_tokens, t.cost";

/// The sums of a trace.
///
/// Tokens and cost are those of its `llm`, `embedding` and `reranker` runs, since others tell again what was counted below.
/// Times are nanoseconds since the epoch, durations nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// When its first run began.
    pub start_time: i64,
    /// When the last of those that have ended did.
    pub end_time: Option<i64>,
    /// From the start to the first chunk of any answer.
    pub first_token: Option<i64>,
    /// How many runs it has.
    pub runs: u64,
    /// How many of them are open.
    pub open: u64,
    /// How many of them failed.
    pub errors: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// Both together.
    pub total_tokens: u64,
    /// US dollars.
    pub cost: f64,
}

pub(crate) fn id(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<RunId> {
    Ok(RunId::from_u128(u128::from_be_bytes(row.get(column)?)))
}

/// The row whose columns begin at the first.
pub(super) fn row(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    let count = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(|n| n as u64));
    let parent: Option<[u8; 16]> = row.get(2)?;
    let tags = row.get_ref(23)?.as_str().unwrap_or_default().to_owned();
    Ok(Row {
        id: id(row, 0)?,
        trace_id: id(row, 1)?,
        parent_id: parent.map(|id| RunId::from_u128(u128::from_be_bytes(id))),
        project: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
        name: row.get(4)?,
        run_type: RunType::from(row.get::<_, String>(5)?),
        status: status(row.get_ref(6)?.as_str().unwrap_or_default()),
        start_time: row.get::<_, Option<i64>>(7)?.unwrap_or_default(),
        end_time: row.get(8)?,
        latency: row.get(9)?,
        first_token: row.get(10)?,
        error: row.get(11)?,
        provider: row.get(12)?,
        model: row.get(13)?,
        thread_id: row.get(14)?,
        session_id: row.get(15)?,
        user: row.get(16)?,
        environment: row.get(17)?,
        release: row.get(18)?,
        input_tokens: count(19)?,
        output_tokens: count(20)?,
        total_tokens: count(21)?,
        cost: row.get::<_, Option<i64>>(22)?.map(to_dollars),
        tags: if tags == "[]" { Vec::new() } else { serde_json::from_str(&tags).unwrap_or_default() },
        attachments: count(24)?.unwrap_or_default(),
        input_preview: row.get(25)?,
        output_preview: row.get(26)?,
    })
}

pub(super) fn status(name: &str) -> Status {
    let all = [Status::Pending, Status::Ok, Status::Error, Status::Cancelled, Status::Aborted];
    all.into_iter().find(|status| status.as_str() == name).unwrap_or(Status::Unknown)
}

/// The sums whose columns begin at `at`.
pub(super) fn totals(row: &SqlRow<'_>, at: usize) -> rusqlite::Result<Totals> {
    let count = |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, i64>(at + column)?.max(0) as u64);
    let start_time: i64 = row.get(at)?;
    let first_token_at: Option<i64> = row.get(at + 2)?;
    Ok(Totals {
        start_time,
        end_time: row.get(at + 1)?,
        first_token: first_token_at.map(|first| first.saturating_sub(start_time).max(0)),
        runs: count(3)?,
        open: count(4)?,
        errors: count(5)?,
        input_tokens: count(6)?,
        output_tokens: count(7)?,
        total_tokens: count(8)?,
        cost: to_dollars(row.get(at + 9)?),
    })
}

/// The row of a run by its number.
pub(crate) fn row_of(connection: &Connection, n: i64) -> Result<Row> {
    let sql = format!("SELECT {ROW} FROM runs r0 WHERE r0.n = ?");
    Ok(connection.prepare_cached(&sql)?.query_row([n], row)?)
}
