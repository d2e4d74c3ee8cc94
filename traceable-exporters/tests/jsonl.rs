//! What the JSON Lines file holds, seen by somebody who reads it.
#![cfg(feature = "jsonl")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail")]
#![allow(clippy::unnecessary_wraps, reason = "the helper makes a field of a run")]

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    task::{Context, Poll, Waker},
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use traceable_core::{
    export::{Batch, BoxFuture, ExportError, Exporter, Remedy},
    model::{
        Attachment, AttachmentData, AttachmentFor, DottedOrder, Event, Json, Run, RunChange, RunId, RunType, Score,
        ScoreSource, ScoreTarget, SourceLocation, Status, StreamInfo, Thread, Usage, User,
    },
};
use traceable_exporters::JsonLines;

const T0: i64 = 1_717_171_717_123_456_789;

fn now<T>(mut future: BoxFuture<'_, Result<T, ExportError>>) -> Result<T, ExportError> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the future is immediate"),
    }
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.jsonl");
    (folder, path)
}

fn write(lines: &mut JsonLines, changes: Vec<RunChange>) {
    now(lines.export(&Batch::new(changes))).expect("written");
}

fn read(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect()
}

fn object(value: &Value) -> Option<Json> {
    Some(Json::from_value(value))
}

fn run(n: u128) -> Run {
    let id = RunId::from_u128(0x0190_163d_8694_7000_8000_0000_0000_0000 + n);
    Run {
        id,
        trace_id: id,
        dotted_order: DottedOrder::root(T0, id),
        name: format!("run {n}").into(),
        start_time: T0,
        end_time: Some(T0 + 10_000_000),
        status: Status::Ok,
        ..Run::default()
    }
}

fn end(run: Run) -> RunChange {
    RunChange::End(Box::new(run))
}

/// The call that LangSmith's own SDK was recorded with.
fn chat() -> Run {
    Run {
        name: "chat_model".into(),
        run_type: RunType::Llm,
        inputs: object(&json!({ "messages": [{ "role": "user", "content": "hi" }], "temperature": 0.5 })),
        outputs: object(&json!({ "choices": [{ "message": { "role": "assistant", "content": "Sure" } }] })),
        tags: vec!["call".into(), "t1".into()],
        provider: Some("my_provider".into()),
        model: Some("my_model".into()),
        thread_id: Some("th-1".into()),
        project: Some("demo".into()),
        usage: Some(Usage::new(27, 13).with_input_detail("cache_read", 8)),
        ..run(1)
    }
}

#[test]
fn a_line_has_the_keys_and_places_of_a_langsmith_run() {
    let (_folder, path) = place();
    write(&mut JsonLines::create(&path).unwrap(), vec![end(chat())]);
    let mut line = read(&path).remove(0);
    let runtime = line["extra"].as_object_mut().unwrap().remove("runtime").unwrap();
    assert_eq!(runtime["sdk"], "traceable-rs");
    assert_eq!(runtime["runtime"], "rust");
    assert_eq!(
        line,
        json!({
            "id": "0190163d-8694-7000-8000-000000000001",
            "trace_id": "0190163d-8694-7000-8000-000000000001",
            "dotted_order": "20240531T160837123456Z0190163d-8694-7000-8000-000000000001",
            "name": "chat_model",
            "run_type": "llm",
            "start_time": "2024-05-31T16:08:37.123456Z",
            "end_time": "2024-05-31T16:08:37.133456Z",
            "status": "success",
            "inputs": { "messages": [{ "role": "user", "content": "hi" }], "temperature": 0.5 },
            "outputs": { "choices": [{ "message": { "role": "assistant", "content": "Sure" } }] },
            "events": [],
            "tags": ["call", "t1"],
            "extra": { "metadata": {
                "ls_provider": "my_provider",
                "ls_model_name": "my_model",
                "thread_id": "th-1",
                "usage_metadata": {
                    "input_tokens": 27,
                    "output_tokens": 13,
                    "total_tokens": 40,
                    "input_token_details": { "cache_read": 8 },
                },
            } },
            "session_name": "demo",
        })
    );
}

#[test]
fn a_failed_child_of_a_stream_keeps_parent_error_and_first_token() {
    let (_folder, path) = place();
    let parent = run(1);
    let stream = StreamInfo { first_chunk: T0 + 1_000_000, last_chunk: T0 + 2_000_000, chunks: 2, raw: vec![] };
    let child = Run {
        parent_id: Some(parent.id),
        trace_id: parent.id,
        status: Status::Error,
        error: Some("connection \"lost\"\nagain".into()),
        stream: Some(stream.clone()),
        events: vec![Event { name: "retry".into(), time: T0, data: Some(json!({ "attempt": 2 })) }],
        ..run(2)
    };
    let counted = Run { events: vec![Event { name: "new_token".into(), time: T0, data: None }], ..child.clone() };
    write(&mut JsonLines::create(&path).unwrap(), vec![end(child), end(counted)]);
    let lines = read(&path);
    assert_eq!(lines[0]["parent_run_id"], json!(parent.id));
    assert_eq!(lines[0]["status"], "error");
    assert_eq!(lines[0]["error"], "connection \"lost\"\nagain");
    assert_eq!(
        lines[0]["events"],
        json!([
            { "name": "retry", "time": "2024-05-31T16:08:37.123456Z", "kwargs": { "attempt": 2 } },
            { "name": "new_token", "time": "2024-05-31T16:08:37.124456Z" },
        ])
    );
    assert_eq!(lines[0]["extra"]["metadata"]["traceable.rest"]["stream"], json!(stream));
    assert_eq!(lines[1]["events"].as_array().unwrap().len(), 1, "the first token is there once");
}

#[test]
fn nothing_that_langsmith_has_no_key_for_is_lost() {
    let (_folder, path) = place();
    let full = Run {
        status: Status::Cancelled,
        expected: object(&json!({ "answer": 42 })),
        params: BTreeMap::from([("temperature".into(), json!(0.5)), ("seed".into(), json!(7))]),
        metadata: json!({ "k": "v", "ls_provider": "said otherwise", "ls_model_name": "m" })
            .as_object()
            .unwrap()
            .clone(),
        provider: Some("openai".into()),
        model: Some("m".into()),
        session_id: Some("s".into()),
        user: Some("u".into()),
        environment: Some("production".into()),
        release: Some("1.2".into()),
        source: Some(SourceLocation { module: "app".into(), file: "src/a.rs".into(), line: 3 }),
        ..run(1)
    };
    write(&mut JsonLines::create(&path).unwrap(), vec![end(full)]);
    assert_eq!(
        read(&path)[0]["extra"]["metadata"],
        json!({
            "k": "v",
            "ls_provider": "said otherwise",
            "ls_model_name": "m",
            "ls_invocation_params": { "temperature": 0.5, "seed": 7 },
            "ls_temperature": 0.5,
            "session_id": "s",
            "ls_user_id": "u",
            "revision_id": "1.2",
            "traceable.rest": {
                "ls_provider": "openai",
                "expected": { "answer": 42 },
                "environment": "production",
                "source": { "module": "app", "file": "src/a.rs", "line": 3 },
                "status": "cancelled",
            },
        })
    );
}

#[test]
fn bodies_are_taken_as_they_are_and_still_fill_one_line() {
    let (_folder, path) = place();
    let laid_out = "{\n  \"big\": 123456789012345678901234567890,\r\n  \"text\": \"a\\nb\"\n}";
    let odd =
        Run { inputs: Some(Json::parse(laid_out).unwrap()), outputs: Some(Json::parse("[1.50]").unwrap()), ..run(1) };
    write(&mut JsonLines::create(&path).unwrap(), vec![end(odd), end(run(2))]);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.contains("123456789012345678901234567890"), "no number is rounded");
    assert!(text.contains(r#""outputs":{"output":[1.50]}"#), "{text}");
    assert_eq!(read(&path)[0]["inputs"]["text"], "a\nb");
}

#[test]
fn the_end_of_an_announced_run_is_one_line_with_its_inputs() {
    let (_folder, path) = place();
    let mut lines = JsonLines::create(&path).unwrap();
    let asked = Run { inputs: object(&json!({ "prompt": "p" })), end_time: None, status: Status::Pending, ..run(1) };
    write(&mut lines, vec![RunChange::Start(Box::new(asked))]);
    assert!(read(&path).is_empty());
    write(&mut lines, vec![end(Run { outputs: object(&json!({ "output": "o" })), ..run(1) })]);
    let written = read(&path);
    assert_eq!(written.len(), 1);
    assert_eq!((&written[0]["inputs"]["prompt"], &written[0]["outputs"]["output"]), (&json!("p"), &json!("o")));
}

#[test]
fn what_is_added_after_the_end_is_a_line_with_the_same_id() {
    let (_folder, path) = place();
    let whole = run(1);
    let late = Run { id: whole.id, trace_id: whole.id, tags: vec!["reviewed".into()], ..Run::default() };
    write(&mut JsonLines::create(&path).unwrap(), vec![end(whole), RunChange::Patch(Box::new(late))]);
    let written = read(&path);
    assert_eq!(written[0]["id"], written[1]["id"]);
    assert_eq!(written[1]["tags"], json!(["reviewed"]));
    for unsaid in ["name", "start_time", "end_time", "status", "inputs", "outputs", "error", "events", "dotted_order"] {
        assert_eq!(written[1].get(unsaid), None, "{unsaid}");
    }
}

#[test]
fn half_a_line_of_a_writer_that_died_spoils_no_other() {
    let (_folder, path) = place();
    write(&mut JsonLines::create(&path).unwrap(), vec![end(run(1))]);
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"id\":\"torn").unwrap();
    write(&mut JsonLines::append(&path).unwrap(), vec![end(run(2)), end(run(3))]);
    let text = fs::read_to_string(&path).unwrap();
    let parsed: Vec<Option<Value>> = text.lines().map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(parsed.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true, true]);
    assert_eq!(parsed[3].as_ref().unwrap()["name"], "run 3");
}

#[test]
fn append_goes_on_and_create_starts_anew() {
    let (_folder, path) = place();
    for n in 1..=2 {
        write(&mut JsonLines::append(&path).unwrap(), vec![end(run(n))]);
    }
    assert_eq!(read(&path).len(), 2);
    write(&mut JsonLines::create(&path).unwrap(), vec![end(run(3))]);
    assert_eq!(read(&path).len(), 1);
}

#[test]
fn writers_side_by_side_never_mix_their_lines() {
    let (_folder, path) = place();
    let (writers, batches, runs) = (4, 25, 8);
    thread::scope(|scope| {
        for writer in 0..writers {
            let path = &path;
            scope.spawn(move || {
                let mut lines = JsonLines::append(path).unwrap();
                for batch in 0..batches {
                    let text = format!("{writer}").repeat(3_000);
                    let made = (0..runs).map(|i| Run {
                        outputs: object(&json!({ "output": text })),
                        ..run(writer * 1_000 + batch * runs + i)
                    });
                    let batch = Batch::new(made.map(end).collect());
                    // A lock that another writer keeps for long asks for another try.
                    while let Err(error) = now(lines.export(&batch)) {
                        assert_eq!(error.remedy(), Remedy::Retry(None));
                    }
                }
            });
        }
    });
    let lines = read(&path);
    let mut ids: Vec<&str> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((lines.len() as u128, ids.len() as u128), (writers * batches * runs, writers * batches * runs));
    for line in &lines {
        let text = line["outputs"]["output"].as_str().unwrap();
        assert!(text.len() == 3_000 && text.bytes().all(|byte| byte == text.as_bytes()[0]));
    }
}

#[test]
fn a_file_that_another_keeps_locked_is_tried_again_later_and_then_whole() {
    let (_folder, path) = place();
    let mut lines = JsonLines::create(&path).unwrap();
    let other = fs::File::open(&path).unwrap();
    other.lock().unwrap();
    let batch = Batch::new(vec![end(run(1))]);
    assert_eq!(now(lines.export(&batch)).expect_err("locked").remedy(), Remedy::Retry(None));
    other.unlock().unwrap();
    now(lines.export(&batch)).expect("written");
    assert_eq!(read(&path).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_asks_for_another_try() {
    let mut lines = JsonLines::append("/dev/full").unwrap();
    let error = now(lines.export(&Batch::new(vec![end(run(1))]))).expect_err("full");
    assert_eq!(error.remedy(), Remedy::Retry(None));
    assert!(error.to_string().contains("/dev/full"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_new_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let (_folder, path) = place();
    let mut lines = JsonLines::create(&path).unwrap();
    now(lines.flush()).expect("flushed");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_folder_that_is_not_there_is_an_error_at_once() {
    let (folder, _) = place();
    let error = JsonLines::create(folder.path().join("none/runs.jsonl")).expect_err("no folder");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

fn score(n: u128, target: ScoreTarget) -> Score {
    Score {
        id: RunId::from_u128(n),
        target,
        key: "helpfulness".into(),
        score: Some(0.9),
        value: None,
        label: None,
        comment: None,
        correction: None,
        source: ScoreSource::Code,
        user: None,
        time: T0,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
    }
}

#[test]
fn a_score_is_a_line_of_feedback() {
    let (_folder, path) = place();
    let mut lines = JsonLines::create(&path).unwrap();
    let full = Score {
        value: Some(json!({ "stars": 4 })),
        label: Some("positive".into()),
        comment: Some("clear\nand short".into()),
        correction: Some(json!("Paris")),
        source: ScoreSource::Human,
        user: Some("ada@example.com".into()),
        tags: vec!["web".into()],
        metadata: json!({ "page": 7 }).as_object().unwrap().clone(),
        ..score(1, ScoreTarget::Run(RunId::from_u128(42)))
    };
    let of_trace = Score { label: Some("done".into()), ..score(2, ScoreTarget::Trace(RunId::from_u128(43))) };
    let of_thread = Score { source: ScoreSource::Ai, ..score(3, ScoreTarget::Thread("chat-7".into())) };
    write(&mut lines, [full, of_trace, of_thread].map(|score| RunChange::Score(Box::new(score))).into());
    let uuid = |n: u128| RunId::from_u128(n).to_string();
    let created_at = "2024-05-31T16:08:37.123456Z";
    let expected = [
        json!({
            "id": uuid(1), "run_id": uuid(42), "key": "helpfulness", "score": 0.9, "value": { "stars": 4 },
            "comment": "clear\nand short", "correction": "Paris",
            "feedback_source": { "type": "api", "user_id": "ada@example.com" }, "created_at": created_at,
            "extra": {
                "metadata": { "page": 7 },
                "traceable.rest": { "label": "positive", "source": "human", "tags": ["web"] },
            },
        }),
        json!({
            "id": uuid(2), "run_id": uuid(43), "trace_id": uuid(43), "key": "helpfulness", "score": 0.9, "value": "done",
            "feedback_source": { "type": "api" }, "created_at": created_at,
        }),
        json!({
            "id": uuid(3), "thread_id": "chat-7", "key": "helpfulness", "score": 0.9,
            "feedback_source": { "type": "model" }, "created_at": created_at,
        }),
    ];
    assert_eq!(read(&path), expected);
}

#[test]
fn what_is_no_run_is_a_line_of_its_own_kind() {
    let (_folder, path) = place();
    let mut lines = JsonLines::create(&path).unwrap();
    let thread = Thread { id: "chat-7".into(), name: Some("Orders".into()), time: 1, ..Thread::default() };
    let user = User { identifier: "ada@example.com".into(), time: 2, ..User::default() };
    let data = AttachmentData::Path("/tmp/a.png".into());
    let attachment = Attachment { name: "photo".into(), mime: "image/png".into(), data, ..Attachment::default() };
    let attachment = AttachmentFor { run_id: RunId::from_u128(1), attachment };
    let changes = vec![
        RunChange::Thread(Box::new(thread)),
        RunChange::User(Box::new(user)),
        RunChange::End(Box::new(run(1))),
        RunChange::Attachment(attachment),
    ];
    write(&mut lines, changes);
    let read = read(&path);
    assert_eq!(read[0], json!({ "thread": { "id": "chat-7", "name": "Orders", "time": 1 } }));
    assert_eq!(read[1], json!({ "user": { "identifier": "ada@example.com", "time": 2 } }));
    assert_eq!(read[2]["name"], "run 1");
    let attachment = json!({ "name": "photo", "mime": "image/png", "data": { "path": "/tmp/a.png" } });
    assert_eq!(read[3], json!({ "attachment": { "run_id": RunId::from_u128(1), "attachment": attachment } }));
}
