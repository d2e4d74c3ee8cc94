//! LangSmith's protocol by hand, where its SDKs do not lead.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Server, send, until};
use traceable_core::model::{Json, Run, RunChange, RunId, Score, ScoreSource, ScoreTarget, Status};
use traceable_wire::{encoding::Encoding, langsmith::Encoder};

const BOUNDARY: &str = "0b6f9c2e41d84c4f";
const START: i64 = 1_790_000_000_000_000_000;

fn run(id: u128, name: &str) -> Box<Run> {
    Box::new(Run {
        id: RunId::from_u128(id),
        trace_id: RunId::from_u128(id),
        name: name.to_owned().into(),
        start_time: START,
        end_time: Some(START + 2_000_000),
        status: Status::Ok,
        inputs: Json::parse(r#"{"question":"why?"}"#).ok(),
        outputs: Json::parse(r#"{"answer":"because"}"#).ok(),
        project: Some("demo".into()),
        ..Run::default()
    })
}

fn multipart(server: &Server, prefix: &str, encoding: Encoding, changes: &[RunChange]) -> u16 {
    let body = Encoder::default().multipart(changes, BOUNDARY, 1 << 20).body;
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [("content-type", kind.as_str()), ("content-encoding", encoding.name())];
    let path = format!("{prefix}/runs/multipart");
    send(server.address, "POST", &path, &headers, &encoding.compress(body).unwrap()).unwrap().status
}

#[test]
fn what_was_answered_is_there_in_every_encoding_and_below_every_prefix() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let mut id = 0;
    for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
        for prefix in ["", "/api", "/api/v1"] {
            id += 1;
            assert_eq!(multipart(&server, prefix, encoding, &[RunChange::End(run(id, "answer"))]), 202);
            let (status, found) = server.get(&format!("{prefix}/runs/{}", RunId::from_u128(id)));
            assert_eq!((status, &found["name"]), (200, &json!("answer")));
            assert_eq!(found["inputs"], json!({ "question": "why?" }));
            assert_eq!(found["outputs"], json!({ "answer": "because" }));
            assert_eq!((&found["status"], &found["session_name"]), (&json!("success"), &json!("demo")));
        }
    }
    let (_, projects) = server.get("/sessions?name=demo");
    let wanted = json!({ "session": [projects[0]["id"]], "limit": 4 });
    let (mut names, mut cursor) = (0, Value::Null);
    for _ in 0..3 {
        let mut wanted = wanted.clone();
        wanted["cursor"] = cursor;
        let (_, page) = server.post("/runs/query", &wanted);
        names += page["runs"].as_array().unwrap().len();
        cursor = page["cursors"]["next"].clone();
    }
    assert_eq!((names, cursor), (9, Value::Null));
    let (_, none) = server.post("/runs/query", &json!({ "session": [RunId::from_u128(9)] }));
    assert_eq!(none["runs"], json!([]));
}

#[test]
fn a_patch_may_come_before_its_post_and_a_score_before_its_run() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let id = RunId::from_u128(7);
    let score = Score {
        id: RunId::from_u128(8),
        target: ScoreTarget::Run(id),
        key: "good".into(),
        score: Some(0.5),
        value: None,
        label: None,
        comment: None,
        correction: None,
        source: ScoreSource::Code,
        user: None,
        time: START,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
    };
    assert_eq!(multipart(&server, "", Encoding::Identity, &[RunChange::Score(Box::new(score))]), 202);
    let patch = json!({ "end_time": "2026-09-21T10:13:22Z", "outputs": { "n": 1 }, "parent_run_id": null }).to_string();
    let json_body = [("content-type", "application/json")];
    let answer = send(server.address, "PATCH", &format!("/runs/{id}"), &json_body, patch.as_bytes()).unwrap();
    assert_eq!(answer.status, 202);
    let post = json!({
        "id": id, "trace_id": id, "name": "late", "run_type": "chain", "start_time": "2026-09-21T10:13:20Z",
        "inputs": { "q": 1 }, "outputs": {}, "session_name": "demo",
    });
    assert_eq!(server.post("/runs", &post).0, 202);
    let (_, found) = server.get(&format!("/runs/{id}"));
    assert_eq!((&found["outputs"], &found["status"]), (&json!({ "n": 1 }), &json!("success")));
    assert_eq!(found["feedback_stats"]["good"]["avg"], json!(0.5));
    let (_, scores) = server.get(&format!("/feedback?run={id}&key=good"));
    assert_eq!(scores[0]["score"], json!(0.5));
    assert!(scores[0].as_object().unwrap().contains_key("trace_id"));
}

#[test]
fn what_can_be_read_of_a_body_is_kept_and_the_rest_is_named() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let good = RunId::from_u128(1);
    let batch = json!({ "post": [
        { "id": good, "trace_id": good, "name": "good", "run_type": "chain", "start_time": "2026-09-21T10:13:20Z" },
        { "id": "no id", "name": "bad" },
    ], "patch": [] });
    let (status, said) = server.post("/runs/batch", &batch);
    assert_eq!(status, 422);
    assert!(said["detail"].as_str().unwrap().contains("post[1]"), "{said}");
    assert_eq!(server.get(&format!("/runs/{good}")).0, 200);
    assert_eq!(server.get(&format!("/runs/{}", RunId::from_u128(2))).0, 404);
}

#[test]
fn wrong_filters_and_unknown_routes_are_named() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let (status, said) = server.post("/runs/query", &json!({ "filter": "eq(nmae, \"x\")" }));
    assert_eq!(status, 400);
    assert!(said["detail"].as_str().unwrap().contains("`name`"), "{said}");
    let (status, said) = server.get("/datasets?limit=1");
    assert_eq!((status, said["detail"].as_str()), (501, Some("traceable does not serve GET /datasets")));
    assert_eq!(server.get("/health").1["not_served"]["GET /datasets"], json!(1));
}

#[test]
fn bodies_that_would_fill_the_memory_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let bomb = Encoding::Zstd.compress(vec![b' '; 201 << 20]).unwrap();
    let headers = [("content-type", "application/json"), ("content-encoding", "zstd")];
    let answer = send(server.address, "POST", "/runs/batch", &headers, &bomb).unwrap();
    assert_eq!(answer.status, 413);
    let mut changes = vec![RunChange::End(run(1, "large"))];
    if let RunChange::End(run) = &mut changes[0] {
        run.inputs = Json::parse(format!("{{\"text\":\"{}\"}}", "long ".repeat(8 << 20))).ok();
    }
    let body = Encoder::default().multipart(&changes, BOUNDARY, 1 << 30).body;
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [("content-type", kind.as_str()), ("content-encoding", "zstd")];
    let answer =
        send(server.address, "POST", "/runs/multipart", &headers, &Encoding::Zstd.compress(body).unwrap()).unwrap();
    assert_eq!(answer.status, 202, "40 MiB are taken");
}

#[test]
fn what_is_too_old_is_not_kept() {
    let home = tempfile::tempdir().unwrap();
    let id = RunId::from_u128(1);
    let old = json!({
        "id": id, "trace_id": id, "name": "old", "run_type": "chain", "start_time": "2020-09-21T10:13:20Z",
        "end_time": "2020-09-21T10:13:21Z",
    });
    {
        let server = Server::start(home.path());
        assert_eq!(server.post("/runs", &old).0, 202);
    }
    let server = Server::told(home.path(), "127.0.0.1:0".parse().unwrap(), &[], &["--keep", "30d"]);
    until(|| (server.get(&format!("/runs/{id}")).0 == 404).then_some(()));
}
