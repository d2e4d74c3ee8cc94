//! Parts of long bodies.

use serde_json::json;
use traceable_core::model::Run;
use traceable_store::{Body, Store};

use crate::support::{end, id, json, run};

pub(crate) fn a_part_is_read_and_a_text_is_found(store: &Store) {
    let inputs = json(&json!({ "text": format!("{}Ünd the Needle, a needle", "é".repeat(5_000)) }));
    let whole = inputs.as_ref().unwrap().as_str().to_owned();
    store.ingest(&[end(Run { inputs, ..run(1, 0) })]).unwrap();
    let slice = |from, bytes| store.body_slice(id(1), Body::Inputs, from, bytes).unwrap().unwrap();
    // Pieces follow one another without a gap, whatever characters they would cut.
    let (mut together, mut at) = (String::new(), 0);
    while at < whole.len() {
        let piece = slice(at, 777);
        assert_eq!((piece.from, piece.total), (at, whole.len()));
        at += piece.text.len();
        together.push_str(&piece.text);
    }
    assert_eq!(together, whole);
    assert_eq!((&*slice(0, 2).text, &*slice(usize::MAX, 9).text), ("{\"", ""));
    assert!(slice(10, 1).text.starts_with('é'));
    let found = |text, limit| store.search_body(id(1), Body::Inputs, text, limit).unwrap().unwrap();
    let first = whole.find("Needle").unwrap();
    assert_eq!(found("nEEdle", 9), [first, first + "Needle, a ".len()]);
    assert_eq!(found("needle", 1), [first]);
    assert_eq!((found("haystack", 9).len(), found("", 9).len()), (0, 0));
    assert!(store.body_slice(id(1), Body::Outputs, 0, 9).unwrap().is_none());
    assert!(store.search_body(id(2), Body::Inputs, "x", 9).unwrap().is_none());
}
