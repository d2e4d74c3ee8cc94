//! Traces as columns.

use serde_json::json;
use traceable_core::model::{Run, RunType, Status, Usage};
use traceable_store::Store;

use crate::support::{NOW, child, end, id, json, run, start};

pub(crate) fn they_are_the_tree_in_columns(store: &Store) {
    let named = |run: Run, name: &'static str| Run { name: name.into(), ..run };
    let call = Run {
        run_type: RunType::Llm,
        usage: Some(Usage::new(3, 4).with_total_cost(0.5)),
        outputs: json(&json!({ "role": "assistant", "content": "word ".repeat(100) })),
        ..child(5, 4, 1, 30)
    };
    let open = Run { end_time: None, status: Status::Pending, ..child(2, 1, 1, 10) };
    store
        .ingest(&[
            end(named(call, "chat")),
            end(named(child(4, 1, 1, 20), "step")),
            end(named(child(3, 2, 1, 25), "step")),
            start(named(open, "step")),
            end(named(run(1, 0), "agent")),
            // Its parent is not there.
            end(named(child(6, 9, 1, 5), "lost")),
            end(run(7, 0)),
        ])
        .unwrap();
    let skeleton = store.skeleton(id(1)).unwrap().unwrap();
    let ids: Vec<_> =
        skeleton.numbers.iter().map(|number| store.run_at(id(1), *number).unwrap().unwrap().as_u128()).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
    assert_eq!(skeleton.parents, [None, Some(0), Some(1), Some(0), Some(3), None]);
    assert_eq!(skeleton.depths, [0, 1, 2, 1, 2, 0]);
    let called: Vec<_> = skeleton.names.iter().map(|name| &*skeleton.all_names[*name as usize]).collect();
    assert_eq!(called, ["agent", "step", "step", "step", "chat", "lost"]);
    let types: Vec<_> = skeleton.types.iter().map(|kind| &*skeleton.all_types[*kind as usize]).collect();
    assert_eq!(types, ["chain", "chain", "chain", "chain", "llm", "chain"]);
    assert_eq!(skeleton.starts, [0, 10, 25, 20, 30, 5]);
    assert_eq!((skeleton.durations[0], skeleton.durations[1]), (Some(1_000_000_000), None));
    assert_eq!((skeleton.statuses[0], skeleton.statuses[1]), (Status::Ok, Status::Pending));
    assert_eq!((skeleton.tokens[4], skeleton.costs[4], skeleton.tokens[0]), (Some(7), Some(0.5), None));
    assert_eq!(skeleton.previews[4].as_ref().map(|text| text.chars().count()), Some(120));
    assert_eq!((skeleton.totals.runs, skeleton.totals.start_time), (6, NOW));
    // Numbers stay when runs come before others, and are of one trace.
    store.ingest(&[end(child(8, 1, 1, 1))]).unwrap();
    let again = store.skeleton(id(1)).unwrap().unwrap();
    assert_eq!((again.numbers[0], again.numbers[2]), (skeleton.numbers[0], skeleton.numbers[1]));
    assert!(store.run_at(id(7), skeleton.numbers[0]).unwrap().is_none());
    assert!(store.skeleton(id(9)).unwrap().is_none());
}

/// Nothing is left out, and nothing goes round for ever.
pub(crate) fn runs_without_a_top_are_there(store: &Store) {
    let depth = 3_000;
    let chain = (11..11 + depth).map(|n| end(child(n, n - 1, 1, n as i64)));
    let around = [end(child(1, 3, 1, 1)), end(child(2, 1, 1, 2)), end(child(3, 2, 1, 3)), end(child(4, 4, 1, 4))];
    store.ingest(&chain.chain(around).collect::<Vec<_>>()).unwrap();
    let skeleton = store.skeleton(id(1)).unwrap().unwrap();
    assert_eq!(skeleton.numbers.len(), depth as usize + 4);
    assert_eq!(skeleton.depths.iter().max(), Some(&(depth as u32 - 1)));
    for (at, parent) in skeleton.parents.iter().enumerate() {
        assert!(parent.is_none_or(|parent| (parent as usize) < at));
    }
}
