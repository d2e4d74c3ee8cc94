//! The table, as people read it.

use std::fmt::Write;

use super::Outcome;

/// The rows as a Markdown table.
pub fn markdown(outcomes: &[Outcome]) -> String {
    let mut table = String::from(
        "| # | what happens | opentelemetry-rust 0.33.1 lost | langsmith (Python) 0.14.17 lost | lost | left in window \
         (oldest) | repeats | requests (in fault) | memory, MiB | p50 / p99 of a call, µs | after restart | seconds |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for outcome in outcomes {
        row(&mut table, outcome).expect("a text grows");
    }
    table
}

fn row(table: &mut String, outcome: &Outcome) -> std::fmt::Result {
    let Outcome { row, what, peers: [otel, langsmith], made, lost, repeats, requests, requests_in_fault, .. } = outcome;
    if let Some(why) = &outcome.skipped {
        return writeln!(table, "| {row} | {what} | {otel} | {langsmith} | skipped: {why} |||||||| ");
    }
    let verdict = if outcome.problems.is_empty() { "" } else { " ✗" };
    write!(table, "| {row} | {what} | {otel} | {langsmith} | **{lost}**{verdict} of {made} | ")?;
    match (outcome.left_in_window, outcome.oldest_left_ms) {
        (0, _) | (_, None) => write!(table, "0")?,
        (left, Some(oldest)) => write!(table, "{left} ({oldest:.1} ms)")?,
    }
    write!(table, " | {repeats} | {requests} ({requests_in_fault}) | ")?;
    match (outcome.start_kib, outcome.peak_kib) {
        (0, _) | (_, 0) => write!(table, "–")?,
        (start, peak) => write!(table, "{} → {}", start >> 10, peak >> 10)?,
    }
    match (outcome.p50_nanos, outcome.p99_nanos) {
        (0, _) => write!(table, " | – | ")?,
        (p50, p99) => write!(table, " | {:.1} / {:.1} | ", p50 as f64 / 1e3, p99 as f64 / 1e3)?,
    }
    match (outcome.restart_seconds, outcome.first_seconds) {
        (None, _) => write!(table, "–")?,
        (Some(seconds), None) => write!(table, "{seconds:.1} s")?,
        (Some(seconds), Some(first)) => write!(table, "first {first:.2} s, all {seconds:.1} s")?,
    }
    writeln!(table, " | {:.0} |", outcome.seconds)
}
