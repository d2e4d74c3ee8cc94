//! A server that is killed in the middle, and a client that sends again what was not answered: nothing is lost, and
//! nothing is there twice.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use serde_json::json;
use support::{Server, printed, send, until};
use traceable_core::model::RunId;

/// Unless `TRACEABLE_TEST_KILLS` says otherwise.
const KILLS: usize = 10;
const CLIENTS: usize = 4;
/// Requests that are answered between two kills.
const BETWEEN: usize = 20;
const RUNS: usize = 5;

#[test]
fn what_was_sent_is_there_once() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(home.path());
    // The clients must find it again.
    let address = server.address;
    let (answered, sent) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let kills = std::env::var("TRACEABLE_TEST_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let goal = (kills + 1) * BETWEEN;
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while answered.load(Ordering::Relaxed) < goal {
                    let number = sent.fetch_add(1, Ordering::Relaxed);
                    let posts: Vec<_> = (0..RUNS).map(|n| post(number * RUNS + n)).collect();
                    let body = json!({ "post": posts, "patch": [] }).to_string();
                    let headers = [("content-type", "application/json")];
                    until(|| {
                        let answer = send(address, "POST", "/runs/batch", &headers, body.as_bytes()).ok()?;
                        assert_eq!(answer.status, 202, "{}", answer.head);
                        Some(())
                    });
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for kill in 1..=kills {
            until(|| (answered.load(Ordering::Relaxed) >= kill * BETWEEN).then_some(()));
            server.kill();
            server = Server::with(home.path(), address, &[]);
        }
    });
    server.kill();
    let sent = sent.into_inner() * RUNS;
    let listed = printed(home.path(), &["export"]);
    let mut ids: Vec<String> = listed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort_unstable();
    let wanted: Vec<String> = (0..sent).map(|number| id(number).to_string()).collect();
    assert_eq!(ids, wanted);
}

fn id(number: usize) -> RunId {
    RunId::from_u128(number as u128 + 1)
}

fn post(number: usize) -> serde_json::Value {
    let id = id(number);
    json!({
        "id": id, "trace_id": id, "name": "run", "run_type": "chain", "start_time": "2026-09-21T10:13:20Z",
        "end_time": "2026-09-21T10:13:21Z", "inputs": { "text": "x".repeat(2_000) }, "outputs": { "n": number },
    })
}
