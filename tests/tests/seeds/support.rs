//! Whole trees of runs, compared field by field.

use std::collections::HashMap;

use serde_json::Value;
use traceable::{DottedOrder, Run, RunId, RunType, Status, model::Json, testing::Recorder};

/// All runs in the order of their starts, each with the place of its parent.
///
/// Ids, times and places in the source are never the same twice: here they are checked against each other and then taken
/// out, so that all that is left can be compared as one value.
pub(crate) fn tree(recorder: &Recorder) -> Vec<(Option<usize>, Run)> {
    let runs = recorder.runs();
    let places: HashMap<RunId, usize> = runs.iter().enumerate().map(|(place, run)| (run.id, place)).collect();
    assert_eq!(places.len(), runs.len(), "two runs have one id");
    let tree = runs.iter().map(|run| {
        let parent = run.parent_id.map(|id| places[&id]);
        check(run, parent.map(|place| &runs[place]));
        (parent, without_what_varies(run.clone()))
    });
    tree.collect()
}

/// The runs of a trace of one run after another.
pub(crate) fn runs(recorder: &Recorder) -> Vec<Run> {
    tree(recorder).into_iter().map(|(_, run)| run).collect()
}

fn check(run: &Run, parent: Option<&Run>) {
    let name = &run.name;
    assert!(run.end_time.unwrap() >= run.start_time, "{name} ends before it starts");
    assert_eq!(run.id.unix_millis() as i64, run.start_time / 1_000_000, "the id of {name} says another start");
    let order = match parent {
        Some(parent) => {
            assert!(run.start_time >= parent.start_time, "{name} starts before its parent");
            assert_eq!(run.trace_id, parent.trace_id);
            parent.dotted_order.child(run.start_time, run.id)
        }
        None => {
            assert_eq!(run.trace_id, run.id);
            DottedOrder::root(run.start_time, run.id)
        }
    };
    assert_eq!(run.dotted_order, order);
    let source = run.source.as_ref().unwrap();
    assert!(source.file.contains("seed_") && source.line > 0, "{name}: {source:?}");
    if let Some(stream) = &run.stream {
        assert!(run.start_time <= stream.first_chunk && stream.first_chunk <= stream.last_chunk);
    }
}

fn without_what_varies(mut run: Run) -> Run {
    let sorted = |json: Option<Json>| json.map(|json| Json::from_value(&json.to_value()));
    (run.inputs, run.outputs) = (sorted(run.inputs), sorted(run.outputs));
    (run.id, run.trace_id, run.parent_id, run.dotted_order) = <_>::default();
    (run.start_time, run.end_time, run.source) = <_>::default();
    if let Some(stream) = &mut run.stream {
        (stream.first_chunk, stream.last_chunk) = (0, 0);
    }
    run.events.iter_mut().for_each(|event| event.time = 0);
    run
}

/// A run that ended well, as [`tree`] answers it.
pub(crate) fn ok(name: &'static str, run_type: &'static str) -> Run {
    Run { name: name.into(), run_type: RunType::from(run_type), status: Status::Ok, ..Run::default() }
}

/// A value as inputs or outputs.
#[allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "as the fields of a run take it")]
pub(crate) fn json(value: Value) -> Option<Json> {
    Some(Json::from_value(&value))
}
