//! Commands that change what is kept, with a server that holds the store and without.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::{PROGRAM, Server, command, printed, send};
use traceable_core::model::RunId;
use traceable_server::Home;

const PICTURE: &[u8] = &[0x89, b'P', b'N', b'G', 0, 255];

/// Two traces: a root with a file and a child, and a lone run.
fn fill(server: &Server) {
    let [root, child, lone] = [1, 2, 3].map(RunId::from_u128);
    let time = |second: u32| format!("2026-09-21T10:13:{second:02}.000000Z");
    let order = |run: RunId, second: u32| format!("20260921T1013{second:02}000000Z{run}");
    let parts = [
        (
            format!("post.{root}"),
            json!({
                "id": root, "trace_id": root, "name": "answer", "run_type": "chain", "start_time": time(20), "end_time": time(22),
                "dotted_order": order(root, 20), "inputs": { "question": "why?" }, "outputs": { "answer": "because" },
                "tags": ["beta"], "session_name": "shop", "extra": { "metadata": { "attempt": 2 } },
            }),
        ),
        (
            format!("post.{child}"),
            json!({
                "id": child, "trace_id": root, "parent_run_id": root, "name": "chat", "run_type": "llm", "start_time": time(21),
                "end_time": time(22), "dotted_order": format!("{}.{}", order(root, 20), order(child, 21)),
                "inputs": { "messages": [{ "role": "user", "content": "why?" }] }, "session_name": "shop",
            }),
        ),
        (
            format!("post.{lone}"),
            json!({
                "id": lone, "trace_id": lone, "name": "fails", "run_type": "tool", "start_time": time(23), "end_time": time(24),
                "dotted_order": order(lone, 23), "error": "no such order", "session_name": "shop",
            }),
        ),
    ];
    let mut body = Vec::new();
    let mut part = |name: &str, kind: &str, content: &[u8]| {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    };
    for (name, content) in parts {
        part(&name, "application/json", content.to_string().as_bytes());
    }
    part(&format!("attachment.{root}.picture"), "image/png", PICTURE);
    body.extend_from_slice(b"--b--\r\n");
    let headers = [("content-type", "multipart/form-data; boundary=b")];
    let answer = send(server.address, "POST", "/runs/multipart", &headers, &body).unwrap();
    assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
}

fn rows(home: &Path, arguments: &[&str]) -> Vec<Value> {
    printed(home, arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_exported_is_imported_again_once() {
    let home = tempfile::tempdir().unwrap();
    fill(&Server::start(home.path()));
    let exported = printed(home.path(), &["export"]);
    assert_eq!(exported.lines().count(), 3);
    let other = tempfile::tempdir().unwrap();
    let file = other.path().join("runs.jsonl");
    std::fs::write(&file, &exported).unwrap();
    for _ in 0..2 {
        printed(other.path(), &["import", file.to_str().unwrap()]);
        assert_eq!(printed(other.path(), &["export"]), exported);
    }
    let listed = |home: &Path| rows(home, &["ls", "--json", "--runs"]);
    assert_eq!(listed(other.path()), listed(home.path()));
    assert_eq!(rows(home.path(), &["export", "name:fails"]).len(), 1);
}

/// The commands do the same whether a server holds the store or none runs.
fn changes(home: &Path) {
    let root = RunId::from_u128(1).to_string();
    printed(home, &["score", &root, "helpful", "0.5", "--comment", "meh"]);
    printed(home, &["score", &root, "tone", "friendly"]);
    printed(home, &["tag", &root, "seen", "beta"]);
    let shown = &rows(home, &["show", &root, "--json"])[0];
    assert_eq!(shown["run"]["tags"], json!(["beta", "seen"]));
    assert_eq!((&shown["run"]["name"], &shown["run"]["status"]), (&json!("answer"), &json!("success")));
    assert_eq!((&shown["scores"][0]["score"], &shown["scores"][1]["label"]), (&json!(0.5), &json!("friendly")));
    assert_eq!(rows(home, &["ls", "--json", "score.helpful:>0.4", "tag:seen"]).len(), 1);
    // A server indexes words when it has nothing else to do.
    support::until(|| (rows(home, &["grep", "--json", "no such order"]).len() == 1).then_some(()));
    assert!(printed(home, &["rm", "name:fails"]).starts_with("1 trace would go"));
    assert_eq!(rows(home, &["ls", "--json"]).len(), 2);
    printed(home, &["rm", "--yes", "name:fails"]);
    assert_eq!(rows(home, &["ls", "--json"]).len(), 1);
}

#[test]
fn runs_are_judged_tagged_and_removed_without_a_server() {
    let home = tempfile::tempdir().unwrap();
    fill(&Server::start(home.path()));
    changes(home.path());
}

#[test]
fn runs_are_judged_tagged_and_removed_by_the_server() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    fill(&server);
    changes(home.path());
    assert_eq!(server.get("/runs/00000000-0000-0000-0000-000000000003").0, 404);
}

#[test]
fn what_an_sdk_could_not_send_is_imported() {
    let home = tempfile::tempdir().unwrap();
    let id = RunId::from_u128(9);
    let batch = json!({ "post": [{
        "id": id, "trace_id": id, "name": "late", "run_type": "chain", "start_time": "2026-09-21T10:13:20Z",
    }] });
    let file = home.path().join("trace_1.json");
    let body = base64(batch.to_string().as_bytes());
    let unsent = json!({ "version": 1, "endpoint": "runs/batch", "headers": {}, "body_base64": body });
    std::fs::write(&file, unsent.to_string()).unwrap();
    printed(home.path(), &["import", file.to_str().unwrap()]);
    assert_eq!(rows(home.path(), &["ls", "--json"])[0]["name"], "late");
    std::fs::write(&file, "{\"id\":1}").unwrap();
    let wrong = command(home.path(), &["import", file.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("line 1"), "{PROGRAM}");
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

#[test]
fn a_trace_is_found_by_the_beginning_of_its_id_and_in_a_browser() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    support::seed::send(&server);
    let (trace, run) = (support::seed::id(1), support::seed::id(2));
    let link = printed(home.path(), &["show", &run.to_string(), "--web"]);
    assert_eq!(link, format!("{}/t/{trace}?run={run}\n", server.url()));
    drop(server);
    let none = command(home.path(), &["show", "last", "--web"]);
    assert!(!none.status.success() && String::from_utf8_lossy(&none.stderr).contains("traceable serve"));
    let short = &run.to_string()[..35];
    assert!(String::from_utf8_lossy(&command(home.path(), &["show", short]).stderr).contains("more than one"));
    assert!(printed(home.path(), &["show", "last"]).contains("still open"));
}

#[test]
fn a_server_of_another_home_is_not_taken_for_ones_own() {
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut killed = Server::start(home.path());
    support::seed::send(&killed);
    let left = std::fs::read_to_string(home.path().join("server.json")).unwrap();
    let old = killed.address.to_string();
    killed.kill();
    // Another's server has the port that the file names.
    let server = Server::start(other.path());
    let left = left.replace(&old, &server.address.to_string());
    std::fs::write(home.path().join("server.json"), left).unwrap();
    let none = command(home.path(), &["show", "last", "--web"]);
    assert!(!none.status.success() && String::from_utf8_lossy(&none.stderr).contains("traceable serve"));
    let doctor = |home: &Path| -> Value { serde_json::from_str(&printed(home, &["doctor", "--json"])).unwrap() };
    assert_eq!(doctor(home.path())["server"], Value::Null);
    assert_eq!(doctor(other.path())["server"]["url"], server.url());
    let running = |home: &Path| traceable_server::running(&Home::choose(Some(home.to_owned())).unwrap());
    assert_eq!((running(home.path()), running(other.path())), (None, Some(server.url())));
}

#[test]
fn doctor_says_where_programs_would_send_and_what_is_not_served() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    assert_eq!(server.get("/datasets?limit=1").0, 501);
    let said = printed(home.path(), &["doctor", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["server"]["not_served"]["GET /datasets"], 1);
    assert!(said["destinations"][0].is_string() && said["environment"].is_object(), "{said}");
}
