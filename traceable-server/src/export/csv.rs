//! CSV: what lists know of a run, a row each.

use csv::WriterBuilder;
use traceable_core::model::format_time;
use traceable_store::{Error, Result, Row};

const COLUMNS: [&str; 27] = [
    "id",
    "trace_id",
    "parent_id",
    "project",
    "name",
    "run_type",
    "status",
    "start_time",
    "end_time",
    "latency_seconds",
    "first_token_seconds",
    "error",
    "provider",
    "model",
    "thread_id",
    "session_id",
    "user",
    "environment",
    "release",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cost_usd",
    "tags",
    "attachments",
    "input_preview",
    "output_preview",
];

pub(super) fn head() -> String {
    COLUMNS.join(",") + "\r\n"
}

pub(super) fn write(row: &Row, out: &mut Vec<u8>) -> Result<()> {
    let seconds = |nanos: Option<i64>| nanos.map(|nanos| (nanos as f64 / 1e9).to_string());
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let text = |text: &str| Some(harmless(text));
    let maybe = |text: &Option<String>| text.as_deref().map(harmless);
    let cells: [Option<String>; COLUMNS.len()] = [
        Some(row.id.to_string()),
        Some(row.trace_id.to_string()),
        row.parent_id.map(|id| id.to_string()),
        text(&row.project),
        text(&row.name),
        text(row.run_type.as_str()),
        text(row.status.as_str()),
        Some(format_time(row.start_time)),
        row.end_time.map(format_time),
        seconds(row.latency),
        seconds(row.first_token),
        maybe(&row.error),
        maybe(&row.provider),
        maybe(&row.model),
        maybe(&row.thread_id),
        maybe(&row.session_id),
        maybe(&row.user),
        maybe(&row.environment),
        maybe(&row.release),
        number(row.input_tokens),
        number(row.output_tokens),
        number(row.total_tokens),
        row.cost.map(|cost| cost.to_string()),
        Some(harmless(&row.tags.join(" "))),
        Some(row.attachments.to_string()),
        maybe(&row.input_preview),
        maybe(&row.output_preview),
    ];
    let mut writer = WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    let cells = cells.map(Option::unwrap_or_default);
    writer.write_record(&cells).map_err(|error| Error::Database(error.into()))?;
    Ok(writer.flush()?)
}

/// A text that no spreadsheet takes for a formula: what models say may begin like one.
fn harmless(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}
