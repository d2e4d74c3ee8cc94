//! `traceable stats`.

use std::time::Duration;

use traceable_store::{Of, Query, Stats, StatsBy};

use super::{Cli, Failure, ls::moment, open};
use crate::print::{BOLD, DIM, count, dollars, duration, fit, line, tokens, width};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Of which runs; see `ls`
    query: Vec<String>,
    /// A row for each value of this field: name, type, status, model, project, user, tag, metadata.KEY, …
    #[arg(long, value_name = "FIELD")]
    by: Option<String>,
    /// A row for each stretch of time, such as 1h or 1d
    #[arg(long, value_name = "TIME")]
    every: Option<String>,
    /// Count all runs, not whole traces
    #[arg(long)]
    runs: bool,
}

pub(super) fn run(cli: &mut Cli, arguments: &Arguments) -> Result<(), Failure> {
    let query = open::query(&arguments.query)?;
    let field = arguments.by.as_deref().map(field).transpose()?;
    let bucket = arguments.every.as_deref().map(stretch).transpose()?;
    let store = open::store(cli)?;
    let of = if arguments.runs { Of::Runs } else { Of::Traces };
    let rows = store.stats(&query, &StatsBy { of, bucket, field })?;
    if cli.is_json {
        return rows.iter().try_for_each(|row| cli.json(row));
    }
    let head = [
        "",
        if arguments.runs { "runs" } else { "traces" },
        "errors",
        "p50",
        "p95",
        "p99",
        "first p50",
        "tokens",
        "cost",
    ];
    let table: Vec<[String; 9]> =
        std::iter::once(head.map(str::to_owned)).chain(rows.iter().map(|row| cells(row, arguments))).collect();
    let widths: Vec<usize> =
        (0..head.len()).map(|at| table.iter().map(|row| width(&row[at])).max().unwrap_or(0)).collect();
    for (number, row) in table.iter().enumerate() {
        let gap = |at: usize| " ".repeat(widths[at] - width(&row[at]));
        let numbers = (1..row.len()).map(|at| format!("  {}{}", gap(at), row[at]));
        let style = if number == 0 { DIM } else { BOLD };
        let text = [cli.look.paint(style, &row[0]), gap(0)].into_iter().chain(numbers).collect::<String>();
        let text = if number == 0 { cli.look.paint(DIM, &text) } else { text };
        cli.line(text)?;
    }
    Ok(())
}

fn cells(row: &Stats, arguments: &Arguments) -> [String; 9] {
    let of = |nanos: Option<i64>| nanos.map(duration).unwrap_or_default();
    let value = row.value.as_deref().map_or_else(|| "-".to_owned(), |value| fit(&line(value), 40).into_owned());
    let value = arguments.by.as_ref().map(|_| value);
    let label = [row.time.map(moment), value].into_iter().flatten().collect::<Vec<_>>().join(" ");
    [
        if label.is_empty() { "all".into() } else { label },
        count(row.count),
        count(row.errors),
        of(row.latency.p50),
        of(row.latency.p95),
        of(row.latency.p99),
        of(row.first_token.p50),
        tokens(row.total_tokens),
        if row.cost > 0.0 { dollars(row.cost) } else { String::new() },
    ]
}

/// The field of a name, as queries know it.
fn field(name: &str) -> Result<traceable_store::Field, Failure> {
    match Query::parse(&format!("has:{name}"), 0)? {
        Query::Exists(field) => Ok(field),
        _ => Err(Failure(format!("there is no field `{name}`"))),
    }
}

/// A duration, as queries know it.
pub(crate) fn stretch(text: &str) -> Result<Duration, String> {
    match Query::parse(&format!("latency:>{text}"), 0) {
        Ok(Query::Compare(_, _, traceable_store::Value::Duration(nanos))) if nanos > 0 => {
            Ok(Duration::from_nanos(nanos as u64))
        }
        _ => Err(format!("`{text}` is no duration, such as 15m, 1h or 1d")),
    }
}
