//! Conversations, users, scores.

use serde_json::{Value, json};
use traceable_core::model::{Run, RunChange, RunType, Score, ScoreTarget, Thread, Usage, User};
use traceable_store::{List, Of, People, PeoplePage, Query, ScoreList, Store, ThreadSummary};

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

fn ids(page: PeoplePage<ThreadSummary>) -> Vec<String> {
    page.rows.into_iter().map(|thread| thread.thread.id).collect()
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
    let threads = store.threads(None, &People::default()).unwrap().rows;
    assert_eq!(threads.iter().map(|thread| &*thread.thread.id).collect::<Vec<_>>(), ["t1", "t2"]);
    let first = &threads[0];
    let tally = &first.tally;
    assert_eq!((tally.traces, tally.errors, tally.total_tokens, tally.cost), (2, 1, 7, 0.5));
    assert_eq!((tally.first_time, tally.last_time), (Some(NOW), Some(NOW + 10)));
    assert_eq!((first.first_input.as_deref(), first.last_output.as_deref()), (Some("Hello"), Some("See you")));
    assert_eq!(ids(store.threads(Some("bob"), &People::default()).unwrap()), ["t2"]);
    // What a conversation's traces are is a list like any other.
    let turns = List { query: Query::parse("thread:t1", 0).unwrap(), of: Of::Traces, ..List::default() };
    assert_eq!(store.list(&turns).unwrap().rows.iter().map(|row| row.row.id).collect::<Vec<_>>(), [id(3), id(1)]);
    let users = store.users(&People::default()).unwrap().rows;
    assert_eq!(
        users.iter().map(|user| (&*user.user.identifier, user.tally.traces)).collect::<Vec<_>>(),
        [("ann", 2), ("bob", 1)]
    );
}

pub(crate) fn people_are_listed_page_by_page_and_found_by_a_part_of_their_name(store: &Store) {
    let turn = |number: u128, thread: &str, start| {
        end(Run { thread_id: Some(thread.into()), user: Some(format!("{thread}@x")), ..run(number, start) })
    };
    store.ingest(&[turn(1, "a_1", 0), turn(2, "b%2", 1), turn(3, "c", 2), turn(4, "d", 3)]).unwrap();
    let named = Thread { id: "c".into(), name: Some("Refund of Ann".into()), time: NOW, ..Thread::default() };
    store.ingest(&[RunChange::Thread(Box::new(named))]).unwrap();
    let ask = |text: &str, limit, after| {
        let people = People { text: text.into(), limit, after };
        store.threads(None, &people).unwrap()
    };
    let first = ask("", 2, None);
    let next = first.next.clone().unwrap();
    assert_eq!(ids(first), ["d", "c"]);
    // The last one of the page goes on meanwhile; the rest is behind it all the same.
    store.ingest(&[turn(5, "c", 9)]).unwrap();
    let second = ask("", 2, Some(next.to_string().parse().unwrap()));
    assert!(second.next.is_none());
    assert_eq!(ids(second), ["b%2", "a_1"]);
    for (text, found) in [("REFUND", "c"), ("a_", "a_1"), ("%", "b%2"), ("name", "")] {
        assert_eq!(ids(ask(text, 9, None)).join(" "), found, "{text}");
    }
    let users = store.users(&People { text: "B%".into(), ..People::default() }).unwrap();
    assert_eq!(users.rows.iter().map(|user| &*user.user.identifier).collect::<Vec<_>>(), ["b%2@x"]);
    assert!("no cursor".parse::<traceable_store::PeopleCursor>().is_err());
}

pub(crate) fn tags_of_a_conversation_are_replaced(store: &Store) {
    let said = Thread { id: "t".into(), tags: vec!["a".into()], time: i64::MAX / 2, ..Thread::default() };
    store.ingest(&[RunChange::Thread(Box::new(said))]).unwrap();
    let tags = || store.thread("t").unwrap().unwrap().thread.tags;
    store.tag_thread("t", &["b".into(), "c".into()]).unwrap();
    assert_eq!(tags(), ["b", "c"]);
    store.tag_thread("t", &[]).unwrap();
    assert_eq!(tags(), [""; 0]);
    store.tag_thread("new", &["x".into()]).unwrap();
    assert_eq!(store.thread("new").unwrap().unwrap().thread.tags, ["x"]);
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

pub(crate) fn scores_are_listed_and_go(store: &Store) {
    let of = |number: u128, target, key, time| {
        RunChange::Score(Box::new(Score { time: NOW + time, ..score(number, target, key, 1.0) }))
    };
    store
        .ingest(&[
            end(run(1, 0)),
            end(child(2, 1, 1, 1)),
            of(11, ScoreTarget::Run(id(1)), "good", 1),
            of(12, ScoreTarget::Run(id(2)), "good", 2),
            of(13, ScoreTarget::Run(id(2)), "short", 2),
            of(14, ScoreTarget::Thread("t".into()), "good", 3),
            of(15, ScoreTarget::Run(id(7)), "good", 4),
        ])
        .unwrap();
    let listed = |list: ScoreList| {
        let page = store.score_list(&list).unwrap();
        (page.scores.iter().map(|score| score.id.as_u128()).collect::<Vec<_>>(), page.next)
    };
    let all = ScoreList::default;
    assert_eq!(listed(all()).0, [15, 14, 13, 12, 11]);
    assert_eq!(listed(ScoreList { runs: vec![id(1), id(7)], ..all() }).0, [15, 11]);
    assert_eq!(listed(ScoreList { trace: Some(id(1)), ..all() }).0, [13, 12, 11]);
    assert_eq!(listed(ScoreList { trace: Some(id(1)), key: Some("good".into()), ..all() }).0, [12, 11]);
    assert_eq!(listed(ScoreList { thread: Some("t".into()), ..all() }).0, [14]);
    // Also between two of one moment.
    let (first, next) = listed(ScoreList { limit: 3, ..all() });
    assert_eq!((first, listed(ScoreList { limit: 3, after: next, ..all() })), (vec![15, 14, 13], (vec![12, 11], None)));
    assert!(store.delete_score(id(12)).unwrap() && !store.delete_score(id(12)).unwrap());
    assert!(store.score(id(12)).unwrap().is_none());
    assert_eq!(listed(ScoreList { trace: Some(id(1)), ..all() }).0, [13, 11]);
}
