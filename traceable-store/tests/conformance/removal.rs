//! What goes, goes with all that is its own.

use std::time::Duration;

use serde_json::json;
use traceable_core::model::{Run, RunChange, Score, ScoreTarget, Thread, User};
use traceable_store::{Limits, List, Of, Query, Store};

use crate::support::{NOW, child, end, id, json, run, score};

fn query(text: &str) -> Query {
    Query::parse(text, NOW).unwrap()
}

fn ids(store: &Store, text: &str) -> Vec<u128> {
    let page = store.list(&List { query: query(text), ..List::default() }).unwrap();
    page.rows.iter().map(|listed| listed.row.id.as_u128()).collect()
}

pub(crate) fn runs_go_with_all_that_is_theirs(store: &Store) {
    let secret = Run { inputs: json(&json!("the secret word")), tags: vec!["only".into()], ..child(2, 1, 1, 5) };
    store.ingest(&[end(run(1, 0)), end(secret.clone())]).unwrap();
    store.ingest(&[RunChange::Score(Box::new(score(9, ScoreTarget::Run(id(2)), "good", 1.0)))]).unwrap();
    while store.index_pending(10).unwrap() > 0 {}
    assert_eq!(ids(store, "secret"), [2]);

    let gone = store.delete(&query("tag:only"), Of::Runs).unwrap();
    assert_eq!((gone.runs, gone.traces, gone.scores), (1, 0, 1));
    assert_eq!((ids(store, ""), ids(store, "secret"), ids(store, "tag:only")), (vec![1], vec![], vec![]));
    assert_eq!((store.run(id(2)).unwrap(), store.score(id(9)).unwrap()), (None, None));
    assert_eq!(store.trace(id(1)).unwrap().unwrap().totals.runs, 1);
    assert_eq!(store.values(&traceable_store::Field::Tag, 9).unwrap(), []);
    assert_eq!(store.delete(&query("tag:only"), Of::Runs).unwrap().runs, 0);
    // It may come again.
    assert_eq!(store.ingest(&[end(secret)]).unwrap().new, [id(2)]);
    assert_eq!(ids(store, ""), [2, 1]);
}

pub(crate) fn whole_traces_go(store: &Store) {
    let failed = |run: Run| Run { error: Some("boom".into()), ..run };
    store
        .ingest(&[end(failed(run(1, 0))), end(child(2, 1, 1, 5)), end(run(3, 10)), end(failed(child(4, 3, 3, 15)))])
        .unwrap();
    let gone = store.delete(&query("has:error"), Of::Traces).unwrap();
    assert_eq!((gone.runs, gone.traces), (2, 1));
    assert_eq!(ids(store, ""), [4, 3]);
    // What is asked of the root is asked before the root goes.
    let gone = store.delete(&query("root.name:answer"), Of::Runs).unwrap();
    assert_eq!((gone.runs, gone.traces, ids(store, "").len()), (2, 1, 0));
}

pub(crate) fn a_conversation_and_a_user_go(store: &Store) {
    let of = |number, thread: &str, user: &str| Run {
        thread_id: Some(thread.into()),
        user: Some(user.into()),
        ..run(number, number as i64)
    };
    let said = |id: &str, user: &str| {
        RunChange::Thread(Box::new(Thread { id: id.into(), user: Some(user.into()), ..Thread::default() }))
    };
    let given = Score { user: Some("ann".into()), ..score(8, ScoreTarget::Run(id(3)), "good", 1.0) };
    store
        .ingest(&[
            end(of(1, "t1", "ann")),
            end(child(10, 1, 1, 5)),
            end(of(2, "t2", "ann")),
            end(of(3, "t3", "bob")),
            said("t1", "ann"),
            said("t4", "ann"),
            RunChange::User(Box::new(User { identifier: "ann".into(), ..User::default() })),
            RunChange::Score(Box::new(score(7, ScoreTarget::Thread("t1".into()), "good", 1.0))),
            RunChange::Score(Box::new(given)),
        ])
        .unwrap();
    let gone = store.delete_thread("t1").unwrap();
    assert_eq!((gone.runs, gone.traces, gone.threads, gone.scores, gone.users), (2, 1, 1, 1, 0));
    assert!(store.thread("t1").unwrap().is_none());
    let gone = store.delete_user("ann").unwrap();
    assert_eq!((gone.runs, gone.threads, gone.users, gone.scores), (1, 2, 1, 1));
    assert!(store.user("ann").unwrap().is_none() && store.thread("t4").unwrap().is_none());
    assert_eq!(ids(store, ""), [3]);
    assert_eq!(store.users(&traceable_store::People::default()).unwrap().rows.len(), 1);
    let gone = store.delete(&query("user:bob"), Of::Traces).unwrap();
    assert_eq!((gone.users, gone.threads), (1, 1));
}

pub(crate) fn the_oldest_go_by_age_and_by_size(store: &Store) {
    let day = 86_400_000_000_000;
    // Text that does not shrink when it is compressed.
    let noise = |seed: u128| {
        let mut state = seed as u64 + 1;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b' ' + 2 + (state >> 40) as u8 % 60)
        };
        (0..8_000).map(next).collect::<String>()
    };
    let changes: Vec<_> =
        (1..=400).map(|n| end(Run { inputs: json(&json!(noise(n))), ..run(n, n as i64 * day / 100) })).collect();
    store.ingest(&changes).unwrap();
    let now = NOW + 4 * day;
    let gone = store.keep_within(&Limits::default(), now).unwrap();
    assert_eq!(gone.runs, 0);
    let gone = store.keep_within(&Limits::default().age(Duration::from_secs(3 * 86_400)), now).unwrap();
    assert_eq!((gone.runs, gone.traces, gone.bytes > 0), (99, 99, true));
    assert_eq!(store.row(id(99)).unwrap(), None);
    assert!(store.row(id(100)).unwrap().is_some());

    let size = store.size().unwrap();
    let gone = store.keep_within(&Limits::default().bytes(size / 2), now).unwrap();
    assert!(gone.runs > 100 && gone.bytes > 0, "{gone:?}");
    assert!(store.size().unwrap() <= size / 2);
    // The newest stay.
    assert!(store.row(id(400)).unwrap().is_some() && store.row(id(101)).unwrap().is_none());
    let left = store.count(&Query::default(), Of::Runs).unwrap();
    assert_eq!((gone.runs + left, store.keep_within(&Limits::default().bytes(size / 2), now).unwrap().runs), (301, 0));
    let reports = store.reports().unwrap();
    let counts: Vec<_> = reports.iter().map(|report| (report.reason.as_str(), report.count)).collect();
    assert_eq!(counts, [(traceable_store::TOO_OLD, 99), (traceable_store::TOO_MUCH, gone.runs)]);
}
