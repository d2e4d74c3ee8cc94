//! Lists, their pages, and the values that fields have.

use serde_json::json;
use traceable_core::model::{Run, RunId};
use traceable_store::{Cursor, Field, List, Of, Order, Query, Store};

use crate::support::{child, end, id, json, run};

pub(crate) fn pages_neither_miss_nor_repeat(store: &Store) {
    // Several begin at one moment.
    let changes: Vec<_> = (1..=100).map(|n| end(run(n, (n as i64 * 7) % 13))).collect();
    store.ingest(&changes).unwrap();
    for (order, limit) in [(Order::Newest, 1), (Order::Newest, 7), (Order::Oldest, 10), (Order::Oldest, 100)] {
        let mut seen = Vec::<(i64, RunId)>::new();
        let mut after: Option<Cursor> = None;
        let mut new = 1_000 * limit as u128;
        loop {
            let page = store.list(&List { order, limit, after, ..List::default() }).unwrap();
            assert!(page.rows.len() <= limit);
            seen.extend(page.rows.iter().map(|listed| (listed.row.start_time, listed.row.id)));
            // What comes meanwhile may be seen or not, as it falls before or behind.
            new += 1;
            store.ingest(&[end(run(new, 6))]).unwrap();
            let Some(next) = page.next else { break };
            after = Some(next.to_string().parse().unwrap());
        }
        let old: Vec<_> = seen.iter().filter(|(_, id)| id.as_u128() <= 100).copied().collect();
        let mut sorted = seen.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!((old.len(), sorted.len()), (100, seen.len()));
        if order == Order::Newest {
            sorted.reverse();
        }
        assert_eq!(seen, sorted);
        store.delete(&Query::parse("name:answer", 0).unwrap(), Of::Runs).unwrap();
        store.ingest(&changes).unwrap();
    }
    assert!("".parse::<Cursor>().is_err() && "1_x".parse::<Cursor>().is_err() && "x_1".parse::<Cursor>().is_err());
    let none = store.list(&List { limit: 0, ..List::default() }).unwrap();
    assert!(none.rows.is_empty());
}

pub(crate) fn traces_are_listed_by_their_heads(store: &Store) {
    let named = |run: Run, name: &'static str| end(Run { name: name.into(), ..run });
    store
        .ingest(&[
            named(run(1, 0), "agent"),
            named(child(2, 1, 1, 5), "search"),
            named(run(3, 10), "agent"),
            named(child(4, 3, 3, 15), "answer"),
        ])
        .unwrap();
    let ids = |text: &str, of| {
        let query = Query::parse(text, 0).unwrap();
        let page = store.list(&List { query, of, ..List::default() }).unwrap();
        page.rows.iter().map(|listed| listed.row.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(ids("", Of::Traces), [3, 1]);
    assert_eq!(ids("", Of::Runs), [4, 3, 2, 1]);
    assert_eq!(ids("tree.name:search", Of::Traces), [1]);
    assert_eq!(ids("name:search", Of::Traces), [0_u128; 0]);
    assert_eq!(ids("root.name:agent -root:true", Of::Runs), [4, 2]);
    assert_eq!(ids(&format!("parent:{}", id(1)), Of::Runs), [2]);
    assert_eq!(store.count(&Query::default(), Of::Traces).unwrap(), 2);
}

pub(crate) fn values_are_known_for_completion(store: &Store) {
    let about = |number, model: &str, tag: &str, region: &str| {
        let mut run = run(number, 0);
        run.model = Some(model.into());
        run.tags = vec![tag.into()];
        run.metadata =
            [("region".to_owned(), json!(region)), ("deep".to_owned(), json!({ "a": 1 }))].into_iter().collect();
        end(run)
    };
    store.ingest(&[about(1, "a", "x", "eu"), about(2, "b", "x", "us"), about(3, "b", "y", "eu")]).unwrap();
    let values = |field| {
        let facets = store.values(&field, 10).unwrap();
        facets.into_iter().map(|facet| (facet.value, facet.runs)).collect::<Vec<_>>()
    };
    assert_eq!(values(Field::Model), [("b".into(), 2), ("a".into(), 1)]);
    assert_eq!(values(Field::Tag), [("x".into(), 2), ("y".into(), 1)]);
    assert_eq!(values(Field::Metadata("region".into())), [("eu".into(), 2), ("us".into(), 1)]);
    assert_eq!(values(Field::Project), [("default".into(), 3)]);
    assert_eq!(values(Field::Latency), []);
    assert_eq!(store.metadata_keys(10).unwrap(), ["region"]);
    assert_eq!(store.values(&Field::Model, 1).unwrap().len(), 1);
}

/// An engine may look for what is rare and for what is common in different ways.
pub(crate) fn common_labels_and_words_are_found_as_rare_ones_are(store: &Store) {
    let changes: Vec<_> = (1..=2_500_u128)
        .map(|n| {
            let mut run = run(n, n as i64);
            run.tags = vec![if n % 100 == 0 { "rare" } else { "common" }.into()];
            run.inputs = json(&json!({ "text": if n % 100 == 0 { "seldom" } else { "often" } }));
            end(run)
        })
        .collect();
    store.ingest(&changes).unwrap();
    while store.index_pending(1_000).unwrap() > 0 {}
    for (text, wanted) in [
        ("tag:common", 2_475),
        ("tag:rare", 25),
        ("often", 2_475),
        ("seldom", 25),
        ("often tag:common", 2_475),
        ("often tag:rare", 0),
        ("seldom OR tag:common", 2_500),
        ("-often", 25),
        ("seldom tag:rare -common", 25),
    ] {
        let query = Query::parse(text, 0).unwrap();
        assert_eq!(store.count(&query, Of::Runs).unwrap(), wanted, "{text}");
        let page = store.list(&List { query, limit: 10, ..List::default() }).unwrap();
        assert_eq!((page.rows.len() as u64, page.next.is_some()), (wanted.min(10), wanted > 10), "{text}");
    }
}
