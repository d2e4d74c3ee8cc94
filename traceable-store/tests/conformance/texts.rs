//! Words are found, and no text is anything but text.

use serde_json::json;
use traceable_core::model::{Run, RunChange, ScoreTarget};
use traceable_store::{Field, List, Of, Op, People, Place, Query, Store, Value, Words};

use crate::support::{end, id, json, patch, run, score};

fn ids(store: &Store, query: Query) -> Vec<u128> {
    let page = store.list(&List { query, ..List::default() }).unwrap();
    page.rows.iter().map(|listed| listed.row.id.as_u128()).collect()
}

fn index(store: &Store) {
    while store.index_pending(3).unwrap() > 0 {}
    assert_eq!(store.pending_texts().unwrap(), 0);
}

pub(crate) fn words_are_found_when_they_are_indexed(store: &Store) {
    let of = |text: &str| ids(store, Query::parse(text, 0).unwrap());
    let asked = Run {
        inputs: json(&json!({ "messages": [{ "role": "user", "content": "Where is my REFUND, please?" }] })),
        outputs: json(&json!({ "text": "It is on its way. Café" })),
        error: Some("quota exceeded".into()),
        metadata: [("region".to_owned(), json!("europe"))].into_iter().collect(),
        ..run(1, 0)
    };
    store.ingest(&[end(asked), end(run(2, 1))]).unwrap();
    assert_eq!((store.pending_texts().unwrap(), of("refund")), (2, vec![]));
    index(store);
    for text in [
        "refund",
        "\"my refund please\"",
        "refu*",
        "input:refund",
        "output:way",
        "cafe",
        "exceeded",
        "europe",
        "1 OR refund",
    ] {
        assert_eq!(of(text), [1], "{text}");
    }
    for text in ["refu", "\"refund my\"", "output:refund", "input:way", "messages", "\"\"", "\"...\""] {
        assert_eq!(of(text), [0_u128; 0], "{text}");
    }
    assert_eq!(of("-refund"), [2]);
    // What is said later is found as well, and what it replaced is not.
    store.ingest(&[patch(Run { id: id(1), outputs: json(&json!("arrived")), ..Run::default() })]).unwrap();
    index(store);
    assert_eq!((of("arrived"), of("way"), of("refund")), (vec![1], vec![], vec![1]));
}

pub(crate) fn hostile_texts_are_texts(store: &Store) {
    let texts = [
        "'; DROP TABLE runs; --",
        "\" OR 1=1 --",
        "a\0b",
        "%_\\*",
        "NEAR(a b) AND NOT c*",
        "{input} : x",
        "^x - + \"",
        "\u{202e}right\u{200f}",
        "💥👩‍👩‍👧",
        "\n\t\r",
        "?1 :a @b $c",
        "'",
        "\"",
    ];
    for (number, text) in texts.iter().enumerate() {
        let number = number as u128 + 1;
        let text = (*text).to_owned();
        let run = Run {
            name: text.clone().into(),
            model: Some(text.clone()),
            user: Some(text.clone()),
            thread_id: Some(text.clone()),
            project: Some(text.clone().into()),
            error: Some(text.clone()),
            tags: vec![text.clone()],
            metadata: [(text.clone(), json!(text))].into_iter().collect(),
            inputs: json(&json!({ text.clone(): text })),
            ..run(number, number as i64)
        };
        let judged = score(number, ScoreTarget::Run(id(number)), &text, 1.0);
        store.ingest(&[end(run.clone()), RunChange::Score(Box::new(judged))]).unwrap();
        index(store);
        assert_eq!(store.whole_run(id(number)).unwrap(), Some(run));
        for field in [
            Field::Name,
            Field::Model,
            Field::User,
            Field::Thread,
            Field::Project,
            Field::Error,
            Field::Tag,
            Field::Metadata(text.clone()),
        ] {
            let query = Query::Compare(field.clone(), Op::Eq, Value::Text(text.clone()));
            assert_eq!(ids(store, query.clone()), [number], "{field:?} {text:?}");
            // The same, through what people would have to write.
            assert_eq!(Query::parse(&query.to_string(), 0).unwrap(), query);
            ids(store, Query::Like(field, text.clone()));
        }
        assert_eq!(ids(store, Query::Compare(Field::Score(text.clone()), Op::Eq, Value::Number(1.0))), [number]);
        for place in [Place::Any, Place::Input, Place::Output] {
            for is_prefix in [false, true] {
                let found = ids(store, Query::Text(place, Words { text: text.clone(), is_prefix }));
                let has_words = text.chars().any(char::is_alphanumeric);
                assert_eq!(found.contains(&number), has_words && place != Place::Output, "{text:?}");
            }
        }
        let filter = format!("eq(name, {})", json!(text));
        assert_eq!(ids(store, Query::parse_langsmith(&filter).unwrap()), [number]);
        assert!(store.thread(&text).unwrap().is_some() && store.user(&text).unwrap().is_some());
        let all = People::default();
        let named = People { text: text.clone(), ..all.clone() };
        assert_eq!(store.threads(Some(&text), &all).unwrap().rows.len(), 1);
        assert!(store.threads(None, &named).unwrap().rows.iter().any(|found| found.thread.id == text), "{text:?}");
    }
    let all = texts.len() as u64;
    assert_eq!(store.count(&Query::default(), Of::Runs).unwrap(), all);
    for text in texts {
        store.delete_user(text).unwrap();
    }
    assert_eq!(store.count(&Query::default(), Of::Runs).unwrap(), 0);
}

pub(crate) fn writing_without_blanks_is_found(store: &Store) {
    let asked = |number, text: &str| end(Run { inputs: json(&json!(text)), ..run(number, number as i64) });
    store.ingest(&[asked(1, "東京都の天気はどうですか"), asked(2, "京都の天気 gpt"), asked(3, "北京")]).unwrap();
    index(store);
    let of = |text: &str| ids(store, Query::parse(text, 0).unwrap());
    assert_eq!((of("天気"), of("東京"), of("京"), of("天気gpt")), (vec![2, 1], vec![1], vec![3, 2, 1], vec![2]));
}
