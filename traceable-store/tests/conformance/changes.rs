//! What changed since a moment.

use traceable_core::model::{Progress, Run, RunChange, ScoreTarget, Status};
use traceable_store::{Of, Query, Store};

use crate::support::{NOW, child, end, id, run, score, start};

pub(crate) fn what_changed_since_a_mark_is_known(store: &Store) {
    let begin = store.mark().unwrap();
    let mut mark = begin;
    let mut changed = || {
        let changed = store.changed_since(mark).unwrap().unwrap();
        assert!(changed.mark >= mark && changed.mark == store.mark().unwrap());
        mark = changed.mark;
        let mut traces: Vec<_> = changed.traces.iter().map(|id| id.as_u128()).collect();
        traces.sort_unstable();
        traces
    };
    store
        .ingest(&[
            end(run(1, 0)),
            end(child(2, 1, 1, 1)),
            start(Run { end_time: None, status: Status::Pending, ..run(3, 2) }),
        ])
        .unwrap();
    assert_eq!(changed(), [1, 3]);
    assert_eq!(changed(), [0_u128; 0]);
    // What is there already changes nothing.
    store.ingest(&[end(run(1, 0))]).unwrap();
    assert_eq!(changed(), [0_u128; 0]);
    let open = Progress { id: id(3), trace_id: id(3), time: NOW + 5, chunks: 1, outputs: None };
    store.ingest(&[end(run(4, 0)), RunChange::Progress(open)]).unwrap();
    assert_eq!(changed(), [3, 4]);
    store.ingest(&[RunChange::Score(Box::new(score(9, ScoreTarget::Run(id(2)), "good", 1.0)))]).unwrap();
    assert_eq!(changed(), [1]);
    store.delete_score(id(9)).unwrap();
    assert_eq!(changed(), [1]);
    store.delete(&Query::parse("root:true", 0).unwrap(), Of::Traces).unwrap();
    assert_eq!(changed(), [1, 3, 4]);
    assert_eq!(store.changed_since(begin).unwrap().unwrap().traces.len(), 3);
    // A mark of another store.
    assert_eq!(store.changed_since(mark + 1).unwrap(), None);
    // What is too long ago is said to be so.
    for from in 0..3 {
        let many: Vec<_> = (0..8_000).map(|n| end(run(100 + from * 8_000 + n, 0))).collect();
        store.ingest(&many).unwrap();
    }
    assert_eq!(store.changed_since(begin).unwrap(), None);
    assert!(store.changed_since(store.mark().unwrap()).unwrap().is_some());
}
