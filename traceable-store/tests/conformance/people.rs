//! Conversations, users, scores.

use serde_json::{Value, json};
use traceable_core::model::{Run, RunChange, RunType, Score, ScoreTarget, Thread, Usage, User};
use traceable_store::Store;

use crate::support::{NOW, child, end, id, json, run, score, store};

fn thread(time: i64, name: Option<&str>, metadata: &Value) -> RunChange {
    RunChange::Thread(Box::new(Thread {
        id: "t".into(),
        name: name.map(str::to_owned),
        user: None,
        tags: Vec::new(),
        metadata: metadata.as_object().unwrap().clone(),
        time: NOW + time,
    }))
}

pub(crate) fn what_was_said_last_holds_in_any_order(store_in_order: &Store) {
    let said = [
        thread(1, Some("first"), &json!({ "a": 1, "b": 1 })),
        thread(2, None, &json!({ "a": 2, "c": 2 })),
        thread(3, Some("third"), &json!({ "c": 3 })),
    ];
    let expected = Thread {
        id: "t".into(),
        name: Some("third".into()),
        metadata: json!({ "a": 2, "b": 1, "c": 3 }).as_object().unwrap().clone(),
        time: NOW + 3,
        ..Thread::default()
    };
    store_in_order.ingest(&said).unwrap();
    assert_eq!(store_in_order.thread("t").unwrap().unwrap().thread, expected);
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let folder = store();
        for at in order {
            folder.store.ingest(&[said[at].clone()]).unwrap();
        }
        assert_eq!(folder.store.thread("t").unwrap().unwrap().thread, expected);
    }
    let user = |time, value: &str| {
        let metadata = json!({ "plan": value }).as_object().unwrap().clone();
        RunChange::User(Box::new(User { identifier: "u".into(), metadata, time: NOW + time }))
    };
    store_in_order.ingest(&[user(2, "pro")]).unwrap();
    assert_eq!(store_in_order.ingest(&[user(1, "free")]).unwrap().repeated, 1);
    assert_eq!(store_in_order.user("u").unwrap().unwrap().user.metadata["plan"], "pro");
    assert!(store_in_order.thread("nobody").unwrap().is_none() && store_in_order.user("nobody").unwrap().is_none());
}

pub(crate) fn conversations_and_users_are_summed_up(store: &Store) {
    let turn = |number, thread: &str, user: &str, start, ask: &str, answer: &str| Run {
        thread_id: Some(thread.into()),
        user: Some(user.into()),
        inputs: json(&json!({ "messages": [{ "role": "user", "content": ask }] })),
        outputs: json(&json!({ "role": "assistant", "content": answer })),
        ..run(number, start)
    };
    let call = Run {
        run_type: RunType::Llm,
        usage: Some(Usage::new(3, 4).with_total_cost(0.5)),
        thread_id: Some("t1".into()),
        error: Some("boom".into()),
        ..child(2, 1, 1, 1)
    };
    store
        .ingest(&[
            end(turn(1, "t1", "ann", 0, "Hello", "Hi")),
            end(call),
            end(turn(3, "t1", "ann", 10, "Bye", "See you")),
            end(turn(4, "t2", "bob", 5, "Eh", "?")),
        ])
        .unwrap();
    let threads = store.threads(None, 10, None).unwrap();
    assert_eq!(threads.iter().map(|thread| &*thread.thread.id).collect::<Vec<_>>(), ["t1", "t2"]);
    let first = &threads[0];
    assert_eq!((first.traces, first.errors, first.total_tokens, first.cost), (2, 1, 7, 0.5));
    assert_eq!((first.first_time, first.last_time), (Some(NOW), Some(NOW + 10)));
    assert_eq!((first.first_input.as_deref(), first.last_output.as_deref()), (Some("Hello"), Some("See you")));
    let ids = |threads: Vec<traceable_store::ThreadSummary>| {
        threads.into_iter().map(|thread| thread.thread.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(store.threads(None, 1, Some("t1")).unwrap()), ["t2"]);
    assert_eq!(ids(store.threads(Some("bob"), 10, None).unwrap()), ["t2"]);
    let users = store.users(10, None).unwrap();
    assert_eq!(
        users.iter().map(|user| (&*user.user.identifier, user.traces)).collect::<Vec<_>>(),
        [("ann", 2), ("bob", 1)]
    );
}

pub(crate) fn scores_are_replaced_by_newer_ones(store: &Store) {
    let of_run = |value, time| Score { time: NOW + time, ..score(1, ScoreTarget::Run(id(7)), "good", value) };
    store.ingest(&[RunChange::Score(Box::new(of_run(0.5, 1)))]).unwrap();
    store.ingest(&[RunChange::Score(Box::new(of_run(1.0, 2)))]).unwrap();
    let old = store.ingest(&[RunChange::Score(Box::new(of_run(0.0, 0)))]).unwrap();
    assert_eq!((old.repeated, store.score(id(1)).unwrap()), (1, Some(of_run(1.0, 2))));
    let odd = Score { score: Some(f64::NAN), ..score(2, ScoreTarget::Thread("t".into()), "odd", 0.0) };
    store.ingest(&[RunChange::Score(Box::new(odd.clone()))]).unwrap();
    assert_eq!(store.scores(&ScoreTarget::Thread("t".into())).unwrap(), [Score { score: None, ..odd }]);
    assert_eq!(store.scores(&ScoreTarget::Trace(id(7))).unwrap().len(), 1);
}
