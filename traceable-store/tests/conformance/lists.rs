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
            run.tags = vec![if n.is_multiple_of(100) { "rare" } else { "common" }.into()];
            run.inputs = json(&json!({ "text": if n.is_multiple_of(100) { "seldom" } else { "often" } }));
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

pub(crate) fn values_are_counted_among_what_fits(store: &Store) {
    let about = |number, model: &str, tags: &[&str], region: &str| {
        let mut run = run(number, number as i64);
        run.model = Some(model.into());
        run.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        run.metadata.insert("region".into(), json!(region));
        end(run)
    };
    store
        .ingest(&[
            about(1, "a", &["x"], "eu"),
            about(2, "b", &["x", "y"], "us"),
            about(3, "b", &["y", "y"], "eu"),
            end(child(4, 3, 3, 9)),
        ])
        .unwrap();
    let fields = [Field::Model, Field::Tag, Field::Metadata("region".into()), Field::Project, Field::Latency];
    let counted = |text: &str, of, limit| {
        let facets = store.facets(&Query::parse(text, 0).unwrap(), of, &fields, limit).unwrap();
        assert!(facets.is_all);
        let values = |facets: Vec<traceable_store::Facet>| {
            facets.into_iter().map(|facet| format!("{} {}", facet.value, facet.runs)).collect::<Vec<_>>().join(", ")
        };
        (facets.counted, facets.fields.into_iter().map(values).collect::<Vec<_>>())
    };
    assert_eq!(
        counted("", Of::Runs, 9),
        (4, vec!["b 2, a 1", "x 2, y 2", "eu 2, us 1", "default 4", ""].into_iter().map(str::to_owned).collect())
    );
    assert_eq!(counted("", Of::Traces, 9).0, 3);
    assert_eq!(
        counted("tag:x", Of::Runs, 9),
        (2, vec!["a 1, b 1", "x 2, y 1", "eu 1, us 1", "default 2", ""].into_iter().map(str::to_owned).collect())
    );
    assert_eq!(counted("tag:x", Of::Runs, 1).1[0], "a 1");
    assert_eq!(counted("tag:none", Of::Runs, 9).0, 0);
}

pub(crate) fn neighbours_are_those_of_the_list(store: &Store) {
    let failed = |number, start| end(Run { error: Some("boom".into()), ..run(number, start) });
    store.ingest(&[failed(1, 0), end(run(2, 5)), failed(3, 10), end(child(4, 3, 3, 11)), failed(5, 20)]).unwrap();
    let beside = |text: &str, of, number| {
        let query = Query::parse(text, 0).unwrap();
        let place = Cursor::of(&store.row(id(number)).unwrap().unwrap());
        let beside = store.neighbours(&query, of, place).unwrap();
        [beside.newer, beside.older].map(|listed| listed.map_or(0, |listed| listed.row.id.as_u128()))
    };
    assert_eq!(beside("", Of::Traces, 3), [5, 2]);
    assert_eq!(beside("", Of::Runs, 3), [4, 2]);
    assert_eq!(beside("has:error", Of::Traces, 3), [5, 1]);
    // Also of a place that is not in the list itself.
    assert_eq!(beside("has:error", Of::Traces, 2), [3, 1]);
    assert_eq!(beside("", Of::Traces, 5), [0, 3]);
    assert_eq!(beside("", Of::Traces, 1), [2, 0]);
}
