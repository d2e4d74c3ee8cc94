//! Counts, errors, latencies, tokens and cost of the runs that a query fits.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{
    Error, Field, Of, Query, Result, Store,
    query::{Asked, compile, text_column},
    row::to_dollars,
};

/// How statistics are split.
#[derive(Debug, Clone, PartialEq)]
pub struct StatsBy {
    /// Of all runs that fit, or of the traces whose head does. A trace's tokens and cost are those of all its runs.
    pub of: Of,
    /// A row for each such stretch of time, by the runs' start, counted from the epoch.
    pub bucket: Option<Duration>,
    /// A row for each value of this field, which is one of texts, tags or metadata. A run with two tags counts for both.
    pub field: Option<Field>,
}

impl Default for StatsBy {
    /// One row of all runs.
    fn default() -> Self {
        Self { of: Of::Runs, bucket: None, field: None }
    }
}

/// A row of statistics. Durations are nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// When the stretch of time begins, in nanoseconds since the epoch.
    pub time: Option<i64>,
    /// The value of the field; `None` also for runs without one.
    pub value: Option<String>,
    /// How many.
    pub count: u64,
    /// How many of them failed.
    pub errors: u64,
    /// How many of them are open.
    pub open: u64,
    /// How long those took that have ended.
    pub latency: Quantiles,
    /// How long the first chunk took, of those that stream.
    pub first_token: Quantiles,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// Both together.
    pub total_tokens: u64,
    /// US dollars.
    pub cost: f64,
}

/// What half, 95 and 99 of a hundred values do not exceed; `None` of no values. They are values that occurred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Quantiles {
    /// Half.
    pub p50: Option<i64>,
    /// 95 of a hundred.
    pub p95: Option<i64>,
    /// 99 of a hundred.
    pub p99: Option<i64>,
}

impl Quantiles {
    fn of(values: &mut [i64]) -> Self {
        values.sort_unstable();
        let rank = |percent: usize| values.get((values.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Self { p50: rank(50), p95: rank(95), p99: rank(99) }
    }
}

#[derive(Default)]
struct Group {
    stats: Stats,
    cost: i64,
    latencies: Vec<i64>,
    first_tokens: Vec<i64>,
}

impl Store {
    /// Statistics, by time and by value. Without a run that fits there is no row.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] when it takes too long; when the field is one of numbers, or the database cannot be read.
    pub fn stats(&self, query: &Query, by: &StatsBy) -> Result<Vec<Stats>> {
        let (value, join, label) = grouped(by.field.as_ref())?;
        let bucket = by.bucket.map(|bucket| i64::try_from(bucket.as_nanos()).unwrap_or(i64::MAX).max(1));
        let (head, trace, sums) = match by.of {
            Of::Runs => {
                let counted = |column: &str| {
                    format!("CASE WHEN r0.run_type IN ('llm', 'embedding', 'reranker') THEN r0.{column} END")
                };
                let sums = ["input_tokens", "output_tokens", "total_tokens", "cost"].map(counted).join(", ");
                ("", "", format!("r0.first_token, {sums}"))
            }
            Of::Traces => (
                "r0.head = 1 AND ",
                "JOIN traces t ON t.id = r0.trace_id",
                "t.first_token_at - t.start_time, t.input_tokens, t.output_tokens, t.total_tokens, t.cost".to_owned(),
            ),
        };
        self.read(|connection| {
            let Asked { condition, values } = compile(query, connection)?;
            let sql = format!(
                "SELECT {value}, r0.start_time, r0.latency, r0.error IS NOT NULL, {sums} FROM runs r0 {trace} {join}
                    WHERE {head}r0.start_time IS NOT NULL AND ({condition})"
            );
            let mut statement = connection.prepare(&sql)?;
            let values = label.clone().into_iter().map(rusqlite::types::Value::from).chain(values);
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut groups = BTreeMap::<(Option<i64>, Option<String>), Group>::new();
            while let Some(row) = rows.next()? {
                let start: i64 = row.get(1)?;
                let time = bucket.map(|bucket| start.div_euclid(bucket).saturating_mul(bucket));
                let group = groups.entry((time, row.get(0)?)).or_default();
                group.stats.count += 1;
                group.stats.errors += u64::from(row.get::<_, bool>(3)?);
                match row.get::<_, Option<i64>>(2)? {
                    Some(latency) => group.latencies.push(latency),
                    None => group.stats.open += 1,
                }
                group.first_tokens.extend(row.get::<_, Option<i64>>(4)?);
                let count = |column| row.get::<_, Option<i64>>(column).map(Option::unwrap_or_default);
                group.stats.input_tokens += count(5)? as u64;
                group.stats.output_tokens += count(6)? as u64;
                group.stats.total_tokens += count(7)? as u64;
                group.cost = group.cost.saturating_add(count(8)?);
            }
            Ok(groups.into_iter().map(|((time, value), group)| group.finish(time, value)).collect())
        })
    }
}

impl Group {
    fn finish(mut self, time: Option<i64>, value: Option<String>) -> Stats {
        Stats {
            time,
            value,
            latency: Quantiles::of(&mut self.latencies),
            first_token: Quantiles::of(&mut self.first_tokens),
            cost: to_dollars(self.cost),
            ..self.stats
        }
    }
}

/// The value that rows are put together by, where it comes from, and what is bound for that.
fn grouped(field: Option<&Field>) -> Result<(String, &'static str, Option<String>)> {
    let Some(field) = field else { return Ok(("NULL".to_owned(), "", None)) };
    if let Field::Tag | Field::Metadata(_) = field {
        let join = "LEFT JOIN (SELECT x.n, l.value FROM labels l JOIN run_labels x ON x.label = l.id WHERE l.key = ?)
            g ON g.n = r0.n";
        let key = if let Field::Metadata(key) = field { key.clone() } else { String::new() };
        return Ok(("g.value".to_owned(), join, Some(key)));
    }
    match text_column(field) {
        Some(column) => Ok((column, "", None)),
        None => {
            let problem = format!("statistics cannot be split by `{}`", field.info().name);
            Err(Error::Database(problem.into()))
        }
    }
}
