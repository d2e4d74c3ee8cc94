//! A disk that is full: what does not fit is refused and may be sent again, what was taken is there, and it goes on when
//! there is room.
#![allow(missing_docs, clippy::print_stderr, clippy::unwrap_used)]

mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use support::{PROGRAM, send, until};
use traceable_core::model::RunId;

/// Runs of one request.
const RUNS: u128 = 5;

/// Makes a small disk that only the server sees, fills some of it with a file, and removes that when it is told to.
const SCRIPT: &str = r#"
    mount -t tmpfs -o size=24m none "$DISK" && head -c 8m /dev/zero > "$DISK/filler" || exit 1
    exec 3<&0
    (read -r _ <&3; rm "$DISK/filler") &
    exec "$PROGRAM" --home "$DISK/home" --json serve --listen 127.0.0.1:0
"#;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_does_not_fit_is_refused_and_what_was_taken_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mut server = Command::new("unshare");
    server.args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT]);
    server.env("DISK", &disk).env("PROGRAM", PROGRAM).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut server) = server.spawn().map(Running) else { return skipped() };
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let Ok(said) = serde_json::from_str::<Value>(&line) else { return skipped() };
    let address = said["urls"][0].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();

    let post = |batch: u128| {
        let posts: Vec<_> = (0..RUNS).map(|n| run(batch * RUNS + n)).collect();
        let body = json!({ "post": posts, "patch": [] }).to_string();
        send(address, "POST", "/runs/batch", &[("content-type", "application/json")], body.as_bytes()).unwrap()
    };
    let mut taken = 0;
    let refused = loop {
        let answer = post(taken);
        if answer.status != 202 {
            break answer;
        }
        taken += 1;
    };
    assert!(taken > 10, "{}", refused.head);
    let is_refused = |answer: &support::Answer| {
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("30")), "{}", answer.head);
        assert!(String::from_utf8_lossy(&answer.body).contains("the disk is full; nothing was taken"));
    };
    is_refused(&refused);
    is_refused(&post(taken));
    let is_there = |number: u128| {
        let answer = send(address, "GET", &format!("/runs/{}", id(number)), &[], b"").unwrap();
        answer.status == 200
    };
    // What was taken is answered all the time, and nothing of what was refused.
    assert!((0..taken * RUNS).all(is_there));
    assert!(!is_there(taken * RUNS));

    server.0.stdin.take().unwrap().write_all(b"room\n").unwrap();
    until(|| (post(taken).status == 202).then_some(()));
    assert!((0..(taken + 1) * RUNS).all(is_there));
}

fn skipped() {
    eprintln!("skipped: no disk can be mounted here");
}

fn id(number: u128) -> RunId {
    RunId::from_u128(number + 1)
}

/// A run of 20 KB that do not shrink.
fn run(number: u128) -> Value {
    let mut state = number as u64 + 1;
    let noise = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'A' + (state >> 40) as u8 % 26)
    };
    let text: String = (0..20_000).map(noise).collect();
    json!({
        "id": id(number), "trace_id": id(number), "name": "run", "run_type": "chain", "inputs": { "text": text },
        "start_time": "2026-09-21T10:13:20Z", "end_time": "2026-09-21T10:13:21Z",
    })
}
