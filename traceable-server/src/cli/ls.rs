//! `traceable ls`, `grep` and `tail`.

use std::{collections::HashSet, io::Write as _, thread, time::Duration};

use traceable_core::model::{RunId, format_time};
use traceable_store::{List, Listed, Of, Place, Query, Words};

use super::{Cli, Failure, open};
use crate::print::{BOLD, DIM, RED, ago, counted, dollars, duration, fit, line, mark, now, tokens, width};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What to list, such as: model:gpt-4o latency:>2s -env:dev "refund"
    query: Vec<String>,
    /// How many at most
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: usize,
    /// List all runs, not whole traces
    #[arg(long)]
    runs: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Grep {
    /// Words that stand one behind the other in a text, name, error, tag or value
    #[arg(required = true)]
    words: Vec<String>,
    /// How many at most
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: usize,
}

#[derive(Debug, clap::Args)]
pub(super) struct Tail {
    /// What to show, as for `ls`
    query: Vec<String>,
}

/// How often `tail` looks.
const PAUSE: Duration = Duration::from_millis(300);

/// How many of the newest traces `tail` looks at.
const NEWEST: usize = 200;

pub(super) fn run(cli: &mut Cli, arguments: &Arguments) -> Result<(), Failure> {
    let query = open::query(&arguments.query)?;
    let of = if arguments.runs { Of::Runs } else { Of::Traces };
    list(cli, &List { query, of, limit: arguments.limit, ..List::default() })
}

pub(super) fn grep(cli: &mut Cli, arguments: &Grep) -> Result<(), Failure> {
    let words = Words { text: arguments.words.join(" "), is_prefix: false };
    list(cli, &List { query: Query::Text(Place::Any, words), limit: arguments.limit, ..List::default() })
}

fn list(cli: &mut Cli, list: &List) -> Result<(), Failure> {
    let page = open::store(cli)?.list(list)?;
    print(cli, &page.rows)?;
    if cli.is_json {
        return Ok(());
    }
    if page.rows.is_empty() {
        cli.line("nothing found")?;
    }
    if page.next.is_some() {
        let more = cli.look.paint(DIM, "there is more: -n shows it");
        cli.line(more)?;
    }
    Ok(())
}

/// Shows traces when their first run has come, until it is interrupted.
pub(super) fn tail(cli: &mut Cli, arguments: &Tail) -> Result<(), Failure> {
    let query = open::query(&arguments.query)?;
    let list = List { query, of: Of::Traces, limit: NEWEST, ..List::default() };
    let mut seen: Option<HashSet<RunId>> = None;
    loop {
        // Opened each time: between two looks another command may write.
        let mut rows = open::store(cli)?.list(&list)?.rows;
        let ids: HashSet<RunId> = rows.iter().map(|listed| listed.row.trace_id).collect();
        match &seen {
            Some(seen) => rows.retain(|listed| !seen.contains(&listed.row.trace_id)),
            // A few to begin with, so that one sees that it works.
            None => rows.truncate(5),
        }
        rows.reverse();
        print(cli, &rows)?;
        cli.out.flush()?;
        seen = Some(ids);
        thread::sleep(PAUSE);
    }
}

fn print(cli: &mut Cli, rows: &[Listed]) -> Result<(), Failure> {
    let now = now();
    for listed in rows {
        if cli.is_json {
            cli.json(listed)?;
        } else {
            let text = of_row(cli, listed, now);
            cli.line(text)?;
        }
    }
    Ok(())
}

fn of_row(cli: &Cli, Listed { row, totals, .. }: &Listed, now: i64) -> String {
    let look = cli.look;
    let (sign, style) = mark(row.status);
    let mut facts = vec![row.latency.map_or_else(|| "open".into(), duration)];
    let (spent, cost) =
        totals.as_ref().map_or((row.total_tokens, row.cost), |totals| (Some(totals.total_tokens), Some(totals.cost)));
    if let Some(totals) = totals {
        facts.push(counted(totals.runs, "run"));
    }
    facts.extend(spent.filter(|n| *n > 0).map(|n| format!("{} tok", tokens(n))));
    facts.extend(cost.filter(|cost| *cost > 0.0).map(dollars));
    let errors = totals.as_ref().map_or(0, |totals| totals.errors);
    let facts = facts.join(" · ");
    let name = line(&row.name);
    let name = fit(&name, 32);
    let when = ago(row.start_time, now);
    let errors = if errors > 0 { format!(" · {}", counted(errors, "error")) } else { String::new() };
    let used = 36 + 2 + 8 + 2 + 32 + 2 + width(&facts) + width(&errors) + 4;
    let said = row.input_preview.as_deref().map(line).unwrap_or_default();
    let said = if look.width > used + 8 { fit(&said, look.width - used).into_owned() } else { String::new() };
    let gap = |text: &str, to: usize| " ".repeat(to.saturating_sub(width(text)));
    [
        look.paint(DIM, &row.id.to_string()),
        format!("  {when:>8}  "),
        look.paint(style, sign),
        " ".into(),
        look.paint(BOLD, &name),
        gap(&name, 32),
        format!("  {facts}"),
        look.paint(RED, &errors),
        "  ".into(),
        look.paint(DIM, &said),
    ]
    .concat()
    .trim_end()
    .to_owned()
}

/// A moment as people read it.
pub(super) fn moment(time: i64) -> String {
    let text = format_time(time);
    text.get(..19).unwrap_or(&text).replace('T', " ") + " UTC"
}
