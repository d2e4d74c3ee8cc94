//! A recording as text that is the same in every execution of a test.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::tree;
use crate::model::Run;

/// Every run with all that is known of it, but for what changes from one execution to the next: ids, times, and lines
/// of the source.
pub(super) fn text(runs: &[Run]) -> String {
    let ids: Vec<String> = runs.iter().map(|run| run.id.to_string()).collect();
    let mut text = String::new();
    for (depth, run) in tree::outline(runs) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{:1$}- {2}", "", depth * 2, tree::line(run));
        for (field, value) in fields(run) {
            let value = format!("{:#}", redact(value, &ids));
            let indent = " ".repeat(depth * 2 + 4);
            let _ = writeln!(text, "{indent}{field}: {}", value.replace('\n', &format!("\n{indent}")));
        }
    }
    text
}

/// What stands below the line of a run, by name.
fn fields(run: &Run) -> Vec<(String, Value)> {
    let mut run = run.clone();
    run.source = None;
    if let Some(error) = &mut run.error
        && error.starts_with("panicked: ")
        && let Some(place) = error.rfind(" (").filter(|_| error.ends_with(')'))
    {
        error.replace_range(place.., " ([source])");
    }
    let attachments = std::mem::take(&mut run.attachments);
    let Ok(Value::Object(mut fields)) = serde_json::to_value(&run) else { return Vec::new() };
    let in_the_line = ["name", "run_type", "status"];
    let ids_and_times = ["id", "trace_id", "parent_id", "dotted_order", "start_time", "end_time"];
    fields.retain(|field, _| !in_the_line.contains(&&**field) && !ids_and_times.contains(&&**field));
    for event in fields.get_mut("events").and_then(Value::as_array_mut).into_iter().flatten() {
        event["time"] = Value::from("[time]");
    }
    if let Some(stream) = fields.get_mut("stream").and_then(Value::as_object_mut) {
        stream.remove("first_chunk");
        stream.remove("last_chunk");
        for chunk in stream.get_mut("raw").and_then(Value::as_array_mut).into_iter().flatten() {
            chunk[0] = Value::from("[time]");
        }
    }
    if !attachments.is_empty() {
        // What is in a file is told by its length.
        let what = attachments.into_iter().map(|file| (file.name, format!("{}, {:?}", file.mime, file.data).into()));
        fields.insert("attachments".to_owned(), Value::Object(what.collect()));
    }
    let mut fields: Vec<_> = fields.into_iter().collect();
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    fields
}

/// Puts `[id]` in the place of the recorded runs' ids, and keys in their order, whatever map `serde_json` was built with.
fn redact(value: Value, ids: &[String]) -> Value {
    match value {
        Value::String(text) => Value::String(
            ids.iter().fold(text, |text, id| if text.contains(id) { text.replace(id, "[id]") } else { text }),
        ),
        Value::Array(items) => items.into_iter().map(|item| redact(item, ids)).collect(),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key, redact(value, ids))).collect::<Map<_, _>>())
        }
        other => other,
    }
}
