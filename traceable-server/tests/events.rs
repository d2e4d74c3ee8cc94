//! What the server tells as it happens.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Events, Server, send};

const SCORE: &str = "0190163d-8694-7000-8000-0000000000ff";

fn id(n: u32) -> String {
    format!("0190163d-8694-7000-8000-0000000000{n:02x}")
}

fn post(server: &Server, n: u32) {
    let run = json!({
        "id": id(n), "trace_id": id(n), "name": "answer", "run_type": "chain", "start_time": "2026-09-21T10:13:20Z",
    });
    assert_eq!(server.post("/runs", &run).0, 202);
}

/// All traces that events name, until this one is.
fn traces(events: &mut Events, last: &str) -> Vec<Value> {
    let mut all = Vec::new();
    while !all.contains(&json!(last)) {
        let (name, id, data) = events.next().unwrap();
        assert_eq!((name.as_str(), id), ("changed", data["n"].to_string()));
        all.extend(data["traces"].as_array().unwrap().iter().cloned());
    }
    all
}

#[test]
fn what_is_committed_is_told_and_who_comes_back_misses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let mut events = Events::of(&server, "", &[]);
    let (name, seen, data) = events.next().unwrap();
    assert_eq!((name.as_str(), &seen), ("ready", &data["n"].to_string()));
    let mut of_one = Events::of(&server, &format!("?trace={}", id(2)), &[]);
    assert_eq!(of_one.next().unwrap().0, "ready");
    for n in 1..=3 {
        post(&server, n);
    }
    let mut told = traces(&mut events, &id(3));
    told.dedup();
    assert_eq!(told, [json!(id(1)), json!(id(2)), json!(id(3))]);
    assert_eq!(traces(&mut of_one, &id(2)), [json!(id(2))]);
    let score = json!({ "id": SCORE, "run_id": id(2), "key": "good", "score": 1 });
    assert_eq!(server.post("/feedback", &score).0, 200);
    assert_eq!(traces(&mut of_one, &id(2)), [json!(id(2))]);
    for again in [format!("?since={seen}"), String::new()] {
        let headers = [("last-event-id", seen.as_str())];
        let headers = if again.is_empty() { &headers[..] } else { &[] };
        let mut events = Events::of(&server, &again, headers);
        assert_eq!(events.next().unwrap().0, "ready");
        assert_eq!(events.next().unwrap().2["traces"], json!([id(1), id(2), id(3)]), "{again}");
    }
    // A number of another server.
    let mut events = Events::of(&server, "?since=7", &[]);
    assert_eq!(events.next().unwrap().0, "ready");
    assert_eq!(events.next().unwrap().0, "reset");
    post(&server, 4);
    assert_eq!(traces(&mut events, &id(4)), [json!(id(4))]);
}

#[test]
fn many_listeners_keep_nobody_out_and_the_end_of_the_server_ends_them() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(home.path());
    let mut events: Vec<_> = (0..64).map(|_| Events::of(&server, "", &[])).collect();
    for events in &mut events {
        assert_eq!(events.next().unwrap().0, "ready");
    }
    let refused = send(server.address, "GET", "/api/traceable/v1/events", &[], b"").unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("30")));
    post(&server, 1);
    assert_eq!(events.iter_mut().map(|events| traces(events, &id(1)).len()).sum::<usize>(), 64);
    #[cfg(unix)]
    assert!(server.terminate().success());
    #[cfg(not(unix))]
    server.kill();
    assert!(events.iter_mut().all(|events| events.next().is_none()));
}
