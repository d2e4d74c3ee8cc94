//! A run as LangSmith's SDKs read it back.

use serde_json::{Map, Value, json};
use traceable_core::model::{Run, RunId, Score, ScoreTarget, format_time};
use traceable_store::{FilePlace, Listed, Project, Result, Store, StoredRun};
use traceable_wire::{langsmith::Record, names};

use crate::viewer;

/// The run of a row, with its bodies. `None` when it went in the meantime.
pub(super) fn run(store: &Store, listed: &Listed) -> Result<Option<Value>> {
    let Listed { row, totals, .. } = listed;
    let Some(StoredRun { mut run, files, blobs, .. }) = store.run(row.id)? else { return Ok(None) };
    if !blobs.is_empty()
        && let Some(whole) = store.whole_run(row.id)?
    {
        (run.inputs, run.outputs, run.expected) = (whole.inputs, whole.outputs, whole.expected);
    }
    let mut said = record(&run);
    let project = Project::id_of(&row.project);
    let sums = totals.as_ref().filter(|_| run.is_root());
    let of_trace = |sum: Option<u64>, own: Option<u64>| sum.filter(|sum| *sum > 0).or(own);
    let dollars = |cost: Option<f64>| cost.map(|cost| json!(cost));
    let usage = run.usage.as_ref();
    let file = |file: &traceable_store::File| {
        let url = match &file.place {
            FilePlace::Blob { hash, .. } => format!("/blobs/{hash}"),
            FilePlace::Url(url) => url.clone(),
            _ => return None,
        };
        Some((format!("attachment.{}", file.name), json!({ "presigned_url": url, "mime_type": file.mime })))
    };
    let files: Map<String, Value> = files.iter().filter_map(file).collect();
    let stats = feedback_stats(&store.scores(&ScoreTarget::Run(row.id))?);
    let more = json!({
        "session_id": project,
        "session_name": row.project,
        "status": status(&run),
        "app_path": viewer::of_run(row.trace_id, row.id),
        "s3_urls": files,
        "first_token_time": first_token(&run).map(format_time),
        "prompt_tokens": of_trace(sums.map(|sums| sums.input_tokens), row.input_tokens),
        "completion_tokens": of_trace(sums.map(|sums| sums.output_tokens), row.output_tokens),
        "total_tokens": of_trace(sums.map(|sums| sums.total_tokens), row.total_tokens),
        "prompt_cost": dollars(usage.and_then(|usage| usage.input_cost)),
        "completion_cost": dollars(usage.and_then(|usage| usage.output_cost)),
        "total_cost": dollars(sums.map(|sums| sums.cost).filter(|cost| *cost > 0.0).or(row.cost)),
        "feedback_stats": stats,
        "thread_id": row.thread_id,
        "parent_run_ids": parents(&run),
        "reference_example_id": said.get("reference_example_id").cloned().unwrap_or_default(),
    });
    if let Value::Object(more) = more {
        said.extend(more);
    }
    Ok(Some(Value::Object(said)))
}

/// The run in LangSmith's keys, with what its SDK said beside where it was.
fn record(run: &Run) -> Map<String, Value> {
    let mut said = match serde_json::to_value(Record::post(run)) {
        Ok(Value::Object(said)) => said,
        _ => Map::new(),
    };
    // The SDKs' models need these, or a reader expects them.
    let defaults = json!({
        "inputs": {}, "outputs": null, "error": null, "tags": [], "events": [], "extra": {}, "end_time": null,
        "parent_run_id": null, "child_run_ids": null, "serialized": null,
    });
    if let Value::Object(defaults) = defaults {
        for (name, value) in defaults {
            said.entry(name).or_insert(value);
        }
    }
    let foreign = said
        .get_mut("extra")
        .and_then(|extra| extra.get_mut("metadata"))
        .and_then(Value::as_object_mut)
        .and_then(|metadata| metadata.remove(names::LANGSMITH));
    let Some(Value::Object(foreign)) = foreign else { return said };
    for (name, value) in foreign {
        match (name.strip_prefix("extra."), said.get_mut("extra").and_then(Value::as_object_mut)) {
            (Some(name), Some(extra)) => drop(extra.insert(name.to_owned(), value)),
            _ => drop(said.insert(name, value)),
        }
    }
    said
}

/// When the answer began. LangSmith's SDKs say it by an event.
fn first_token(run: &Run) -> Option<i64> {
    let streamed = run.stream.as_ref().map(|stream| stream.first_chunk);
    streamed.or_else(|| run.events.iter().find(|event| event.name == "new_token").map(|event| event.time))
}

fn status(run: &Run) -> &'static str {
    match (&run.error, run.end_time) {
        (Some(_), _) => "error",
        (None, Some(_)) if run.status == traceable_core::model::Status::Error => "error",
        (None, Some(_)) => "success",
        (None, None) => "pending",
    }
}

/// The runs above, the root first: they stand in the dotted order.
fn parents(run: &Run) -> Vec<RunId> {
    let order = run.dotted_order.as_str();
    let ids = order.split('.').filter_map(|level| level.get(level.len().checked_sub(36)?..)?.parse().ok());
    let mut ids: Vec<RunId> = ids.collect();
    ids.pop();
    ids
}

/// How often each key was judged, and how on average.
pub(super) fn feedback_stats(scores: &[Score]) -> Map<String, Value> {
    let mut keys: Vec<&str> = scores.iter().map(|score| score.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    let of = |key: &str| {
        let of_key = scores.iter().filter(|score| score.key == key);
        let numbers: Vec<f64> = of_key.clone().filter_map(|score| score.score).collect();
        let average = (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64);
        let mut values = Map::new();
        for label in of_key.clone().filter_map(|score| score.label.as_deref()) {
            let count = values.get(label).and_then(Value::as_u64).unwrap_or(0);
            values.insert(label.to_owned(), (count + 1).into());
        }
        json!({ "n": of_key.count(), "avg": average, "values": values })
    };
    keys.into_iter().map(|key| (key.to_owned(), of(key))).collect()
}
