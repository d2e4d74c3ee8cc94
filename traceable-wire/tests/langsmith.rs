//! Held against what LangSmith's Python SDK sends: its bodies are read, and ours say the same in the same places.
#![allow(missing_docs, clippy::unwrap_used)]

mod golden;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use golden::{RECORDED, parts, requests, tidy};
use serde_json::{Value, json};
use traceable_core::model::{
    Attachment, AttachmentFor, Event, Json, Report, Run, RunChange, RunId, RunType, ScoreTarget, Status, Usage,
    parse_time,
};
use traceable_wire::langsmith::{
    Encoder, Problem, boundary_of, decode_batch, decode_feedback, decode_multipart, decode_patch, decode_post,
};

const BOUNDARY: &str = "b7dbe3d42dca402fb18fe22f4b848c92";

/// The body of a recorded request.
fn body(request: &Value) -> Vec<u8> {
    golden::body(&parts(request), BOUNDARY)
}

/// What our own body says, part by part.
fn said(changes: &[RunChange], encoder: &mut Encoder) -> Vec<(String, Value)> {
    let body = encoder.multipart(changes, BOUNDARY, 1 << 20).body;
    let text = String::from_utf8_lossy(&body).into_owned();
    let part = |part: &str| {
        let (head, content) = part.split_once("\r\n\r\n").unwrap();
        let name = head.split('"').nth(1).unwrap().to_owned();
        let content = content.strip_suffix("\r\n").unwrap();
        (name, serde_json::from_str(content).unwrap_or_else(|_| Value::from(content)))
    };
    text.split(&format!("--{BOUNDARY}")).filter(|part| part.contains("\r\n\r\n")).map(part).collect()
}

/// A part without what differs by right: who sent it, how a moment is written, and what is not said.
fn comparable(name: &str, mut value: Value) -> Value {
    if let Some(record) = value.as_object_mut() {
        record.remove("runtime");
        if let Some(metadata) = record.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|key, _| !key.starts_with("LANGSMITH_") && !key.starts_with("traceable."));
            // An empty list of parameters says nothing.
            metadata.retain(|_, value| *value != json!({}));
        }
        if !name.ends_with("puts") {
            record.retain(|_, value| !value.is_null());
        }
        record.remove("modified_at");
    }
    tidy(&mut value);
    value
}

#[test]
fn every_recorded_body_is_read_whole() {
    for name in RECORDED {
        let mut changes = 0;
        for request in requests(name).iter().filter(|request| request["parts"].is_array()) {
            let decoded = decode_multipart(&body(request), BOUNDARY);
            assert!(decoded.errors.is_empty(), "{name}: {:?}", decoded.errors);
            let runs = parts(request).into_iter().filter(|(name, ..)| name.matches('.').count() == 1).count();
            assert_eq!(decoded.changes.len(), runs, "{name}");
            changes += runs;
        }
        assert!(changes > 0, "{name}");
    }
}

#[test]
fn a_body_is_read_as_it_was_sent() {
    let request = &requests("py_sync")[0];
    let boundary = boundary_of(request["content_type"].as_str().unwrap()).unwrap();
    let sent = STANDARD.decode(request["body_base64_as_sent"].as_str().unwrap()).unwrap();
    let decoded = decode_multipart(&sent, boundary);
    assert_eq!(decoded.errors, []);
    let [RunChange::End(run)] = &*decoded.changes else { panic!("{:?}", decoded.changes) };
    assert_eq!((&*run.name, &run.run_type, run.status), ("chat_model", &RunType::Llm, Status::Ok));
    assert_eq!(run.start_time, parse_time("2026-11-21T02:14:25.325279Z").unwrap());
    assert_eq!((run.provider.as_deref(), run.model.as_deref()), (Some("my_provider"), Some("my_model")));
    assert_eq!((run.thread_id.as_deref(), run.project.as_deref()), (Some("th-1"), Some("demo")));
    assert_eq!(run.usage.as_ref().unwrap().total_cost, Some(0.02));
    assert_eq!(run.tags, ["call", "t1"]);
    assert_eq!(run.metadata["traceable.langsmith"]["extra.runtime"]["sdk"], "langsmith-py");
}

#[cfg(feature = "zstd")]
#[test]
fn a_compressed_body_is_read_as_it_was_sent() {
    use traceable_wire::encoding::Encoding;

    let request = &requests("py_attach")[0];
    let boundary = boundary_of(request["content_type"].as_str().unwrap()).unwrap();
    let encoding = Encoding::from_name(request["content_encoding"].as_str().unwrap()).unwrap();
    let sent = STANDARD.decode(request["body_base64_as_sent"].as_str().unwrap()).unwrap();
    let decoded = decode_multipart(&encoding.decompress(&sent, 1 << 20).unwrap(), boundary);
    assert_eq!(decoded.errors, []);
    let [RunChange::Start(start), RunChange::End(end)] = &*decoded.changes else { panic!("{:?}", decoded.changes) };
    assert_eq!(start.outputs, None, "an open run has no outputs");
    let traceable_core::model::AttachmentData::Bytes(image) = &start.attachments[0].data else { panic!() };
    assert_eq!((&*start.attachments[0].name, &*start.attachments[0].mime, image.0.len()), ("img", "image/png", 8));
    assert_eq!(end.outputs.as_ref().unwrap().to_value(), json!({ "output": "q" }));
}

#[test]
fn we_say_what_the_sdk_says_where_it_says_it() {
    let id: RunId = "01a1fbe2-292d-7418-9036-f372c9139b92".parse().unwrap();
    let mut usage = Usage::new(27, 13).with_input_detail("cache_read", 8).with_output_detail("reasoning", 5);
    (usage.input_cost, usage.total_cost) = (Some(0.01), Some(0.02));
    let usage_metadata = serde_json::to_value(&usage).unwrap();
    let object = |value: Value| Some(Json::from_value(&value));
    let run = Run {
        id,
        trace_id: id,
        name: "chat_model".into(),
        run_type: RunType::Llm,
        start_time: parse_time("2026-11-21T02:14:25.325279Z").unwrap(),
        end_time: parse_time("2026-11-21T02:14:25.335174Z"),
        status: Status::Ok,
        inputs: object(json!({ "messages": [{ "role": "user", "content": "hi" }], "temperature": 0.5 })),
        outputs: object(json!({
            "choices": [{ "message": { "role": "assistant", "content": "Sure" } }],
            "usage_metadata": usage_metadata,
        })),
        tags: vec!["call".into(), "t1".into()],
        metadata: json!({ "ls_method": "traceable" }).as_object().unwrap().clone(),
        provider: Some("my_provider".into()),
        model: Some("my_model".into()),
        thread_id: Some("th-1".into()),
        project: Some("demo".into()),
        usage: Some(usage),
        ..Run::default()
    };
    let ours = said(&[RunChange::End(Box::new(run))], &mut Encoder::default());
    let theirs = parts(&requests("py_sync")[0]);
    assert_eq!(ours.len(), theirs.len());
    for ((name, ours), (known, _, theirs)) in ours.into_iter().zip(theirs) {
        assert_eq!(name, known);
        assert_eq!(comparable(&name, ours), comparable(&name, serde_json::from_slice(&theirs).unwrap()), "{name}");
    }
}

#[test]
fn what_was_read_is_said_again_field_by_field() {
    for name in RECORDED {
        for request in requests(name).iter().filter(|request| request["parts"].is_array()) {
            let decoded = decode_multipart(&body(request), BOUNDARY);
            // One change a body: in one of their own they are neither joined nor taken for another's end.
            let mut encoder = Encoder::default();
            let ours: Vec<_> = decoded
                .changes
                .iter()
                .flat_map(|change| {
                    let run = change.run().map(|run| run.id).unwrap_or_default();
                    let is_patch = parts(request).iter().any(|(name, ..)| *name == format!("patch.{run}"));
                    if is_patch {
                        encoder.announced(run);
                    }
                    said(std::slice::from_ref(change), &mut encoder)
                })
                .collect();
            for (part, _, content) in parts(request) {
                let Ok(theirs) = serde_json::from_slice::<Value>(&content) else { continue };
                if theirs == json!([]) || theirs == json!({}) {
                    continue;
                }
                let Some((_, ours)) = ours.iter().find(|(name, _)| *name == part) else { panic!("{name}: {part}") };
                let mut theirs = comparable(&part, theirs);
                if part.starts_with("patch.") && theirs["tags"] == json!([]) {
                    theirs.as_object_mut().unwrap().remove("tags");
                }
                if part.starts_with("patch.") && theirs["run_type"] == "chain" {
                    theirs.as_object_mut().unwrap().remove("run_type");
                }
                let mut ours = comparable(&part, ours.clone());
                if part.starts_with("feedback.") {
                    // Feedback on a root says the trace, whose root it is; empty metadata is not said.
                    theirs["feedback_source"] = json!({ "type": "api" });
                    ours.as_object_mut().unwrap().remove("extra");
                }
                assert_eq!(ours, theirs, "{name}: {part}");
            }
        }
    }
}

#[test]
fn a_batch_of_the_sdk_is_read() {
    let decoded = decode_batch(requests("py_legacy_batch")[0]["json"].to_string().as_bytes());
    assert_eq!(decoded.errors, []);
    let runs: Vec<&Run> = decoded.changes.iter().filter_map(RunChange::run).collect();
    let (parent, child) = (runs[0], runs[1]);
    assert_eq!((child.parent_id, &child.run_type), (Some(parent.id), &RunType::Tool));
    assert_eq!(parent.events[0].data, Some(json!("midway")));
    assert_eq!(parent.outputs.as_ref().unwrap().as_str(), r#"{"output":14}"#);
}

#[test]
fn feedback_of_the_sdk_is_read() {
    let score = decode_feedback(requests("py_feedback")[0]["json"].to_string().as_bytes()).unwrap();
    assert_eq!((&*score.key, score.score), ("direct", Some(1.0)));
    assert!(matches!(score.target, ScoreTarget::Run(_)));
    assert_eq!(score.correction, Some(json!({ "a": 1 })));
}

/// A body of these parts: name, headers behind the first, content.
fn of(parts: &[(&str, &str, &str)]) -> Vec<u8> {
    let part = |(name, headers, content): &(&str, &str, &str)| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n{headers}\r\n{content}\r\n")
    };
    (parts.iter().map(part).collect::<String>() + &format!("--{BOUNDARY}--\r\n")).into_bytes()
}

const ID: &str = "01a1fbe2-292d-7418-9036-f372c9139b92";

#[test]
fn a_body_of_javascript_is_read() {
    let run = format!(
        r#"{{"id":"{ID}","trace_id":"{ID}","name":"js","run_type":"llm","start_time":"2026-11-21T02:14:25.352001Z",
            "end_time":1795227265400,"child_runs":[{{"id":"x"}}],"parent_run_id":null,"address":"lrn:a","session_id":null}}"#
    );
    let json = |length: usize| format!("Content-Type: application/json; length={length}\r\n");
    let body = of(&[
        (&format!("post.{ID}"), &json(run.len()), &run),
        (&format!("post.{ID}.serialized"), &json(2), "{}"),
        // A length that is wrong is not believed.
        (&format!("post.{ID}.outputs"), &json(3), r#"{"outputs":"o"}"#),
        (&format!("post.{ID}.error"), &json(13), r#""Error: boom""#),
        (&format!("attachment.{ID}.page"), "Content-Type: text/html; charset=utf-8; length=3\r\n", "<p>"),
    ]);
    let decoded = decode_multipart(&body, BOUNDARY);
    assert_eq!(decoded.errors, []);
    let [RunChange::End(run)] = &*decoded.changes else { panic!("{:?}", decoded.changes) };
    assert_eq!(run.end_time, Some(1_795_227_265_400_000_000));
    assert_eq!((run.status, run.error.as_deref()), (Status::Error, Some("Error: boom")));
    assert_eq!(run.attachments[0].mime, "text/html; charset=utf-8");
    assert_eq!(run.metadata["traceable.langsmith"], json!({ "address": "lrn:a" }));
}

/// The SDK for Python notes the first chunk, the one for JavaScript every one.
#[test]
fn events_of_chunks_are_a_stream() {
    let read = |times: &[&str]| {
        let events: Vec<Value> = times.iter().map(|time| json!({ "name": "new_token", "time": time })).collect();
        let record = json!({
            "id": RunId::from_u128(7), "name": "stream", "run_type": "llm", "start_time": "2024-05-31T16:08:37Z",
            "end_time": "2024-05-31T16:08:40Z", "events": events,
        });
        decode_post(record.to_string().as_bytes()).unwrap().run().unwrap().clone()
    };
    assert_eq!(read(&[]).stream, None);
    let (python, second) = (read(&["2024-05-31T16:08:38Z"]), 1_000_000_000);
    let stream = python.stream.clone().unwrap();
    assert_eq!(
        (python.time_to_first_chunk(), stream.last_chunk, stream.chunks),
        (Some(second), python.end_time.unwrap(), 0)
    );
    let javascript = read(&["2024-05-31T16:08:38Z", "2024-05-31T16:08:38.5Z", "2024-05-31T16:08:39Z"]);
    let stream = javascript.stream.unwrap();
    assert_eq!((stream.first_chunk, stream.last_chunk), (python.start_time + second, python.start_time + 2 * second));
    assert_eq!(stream.chunks, 3);
}

/// LangSmith's wrapper of Gemini leaves what was thought beside what was said; others count it in.
#[test]
fn what_was_thought_is_of_the_output() {
    let read = |total: u64| {
        let usage = json!({
            "input_tokens": 10, "output_tokens": 5, "total_tokens": total, "output_token_details": { "reasoning": 7 },
        });
        let record = json!({ "id": RunId::from_u128(7), "outputs": { "usage_metadata": usage } });
        decode_post(record.to_string().as_bytes()).unwrap().run().unwrap().usage.clone().unwrap().output_tokens
    };
    assert_eq!((read(22), read(15)), (Some(12), Some(5)));
}

#[test]
fn a_bad_part_spoils_no_other() {
    let good = format!(r#"{{"id":"{ID}","name":"good"}}"#);
    let other = ID.replace('0', "1");
    let long = "n".repeat(300);
    let body = of(&[
        (&format!("post.{other}"), "", "{not json"),
        (&format!("post.{ID}"), "Content-Type: application/json\r\n", &good),
        ("post.nobody", "", "{}"),
        (&format!("patch.{other}.outputs"), "", "{}"),
        (&long, "", "{}"),
        (&format!("post.{ID}.inputs"), "no header\r\n", "{}"),
        (&format!("feedback.{other}"), "", "{}"),
    ]);
    let decoded = decode_multipart(&body, BOUNDARY);
    let problems: Vec<_> = decoded.errors.iter().map(|error| error.problem.to_string()).collect();
    assert_eq!(
        problems,
        [
            "not the JSON that belongs there",
            "not a UUID",
            "unknown name",
            "unreadable headers",
            "feedback needs a run or a thread, and a key",
            "a field without its run"
        ]
    );
    assert_eq!(decoded.changes.len(), 1);
    assert_eq!(decoded.changes[0].run().unwrap().name, "good");
}

#[test]
fn a_body_that_stops_keeps_what_came_whole() {
    let run = format!(r#"{{"id":"{ID}","name":"whole"}}"#);
    let body = of(&[(&format!("post.{ID}"), "", &run), (&format!("post.{ID}.inputs"), "", r#"{"a":1}"#)]);
    let decoded = decode_multipart(&body[..body.len() - 40], BOUNDARY);
    assert_eq!(decoded.errors[0].problem, Problem::Truncated);
    let run = decoded.changes[0].run().unwrap();
    assert_eq!((&*run.name, &run.inputs), ("whole", &None));
}

#[test]
fn no_more_parts_are_read_than_allowed() {
    let part = format!("\r\n--{BOUNDARY}\r\n\r\n\r\n");
    let body = part.repeat(traceable_wire::langsmith::MAX_PARTS + 10);
    let decoded = decode_multipart(body.as_bytes(), BOUNDARY);
    assert_eq!(decoded.errors.last().unwrap().problem, Problem::TooManyParts);
    assert!(decoded.errors.len() <= traceable_wire::langsmith::MAX_PARTS + 1);
}

fn run(n: u128) -> Run {
    let id = RunId::from_u128(n);
    Run { id, trace_id: id, name: format!("run {n}").into(), start_time: 1_000_000, ..Run::default() }
}

fn end(n: u128) -> RunChange {
    RunChange::End(Box::new(Run { end_time: Some(2_000_000), outputs: Json::parse("{\"o\":1}").ok(), ..run(n) }))
}

fn start(n: u128) -> RunChange {
    RunChange::Start(Box::new(Run { inputs: Json::parse("{\"i\":1}").ok(), ..run(n) }))
}

fn names(said: &[(String, Value)]) -> Vec<&str> {
    let of_run = |name: &&str| name.matches('.').count() == 1;
    said.iter().map(|(name, _)| name.as_str()).filter(of_run).map(|name| name.split('.').next().unwrap()).collect()
}

#[test]
fn a_run_is_one_post_unless_it_was_announced() {
    let mut encoder = Encoder::default();
    assert_eq!(names(&said(&[end(1)], &mut encoder)), ["post"]);
    let joined = said(&[start(2), end(2)], &mut encoder);
    assert_eq!(names(&joined), ["post"]);
    assert!(joined.iter().any(|(name, _)| name.ends_with(".inputs")) && joined[0].1["end_time"].is_string());
    assert_eq!(names(&said(&[start(3)], &mut encoder)), ["post"]);
    let ended = said(&[end(3)], &mut encoder);
    assert_eq!(names(&ended), ["patch"]);
    assert!(!ended.iter().any(|(name, _)| name.ends_with(".inputs") || name.ends_with(".events")));
    assert_eq!(names(&said(&[end(3)], &mut encoder)), ["post"], "an end is awaited once");
}

#[test]
fn what_langsmith_has_no_place_for_is_counted_and_what_was_dropped_is_not_counted_again() {
    let changes = [
        start(1),
        end(1),
        RunChange::Thread(Box::default()),
        RunChange::User(Box::default()),
        RunChange::Report(Report::default()),
    ];
    let left_out = |mut encoder: Encoder| encoder.multipart(&changes, BOUNDARY, usize::MAX).left_out;
    assert_eq!((left_out(Encoder::default()), left_out(Encoder::default().lossless())), (2, 0));
    let attachment = Attachment::bytes("text/plain", b"a".as_slice());
    let file = [end(2), RunChange::Attachment(AttachmentFor { run_id: RunId::from_u128(2), attachment })];
    let mut encoder = Encoder::default();
    assert_eq!(
        (encoder.batch(&file, usize::MAX).left_out, encoder.multipart(&file, BOUNDARY, usize::MAX).left_out),
        (1, 0)
    );
}

#[test]
fn a_body_keeps_to_its_size_and_nothing_is_lost_behind_the_cut() {
    let mut encoder = Encoder::default();
    let changes = [start(1), start(2), end(2), end(1)];
    let whole = Encoder::default().multipart(&changes, BOUNDARY, usize::MAX);
    assert_eq!((whole.taken, whole.left_out), (4, 0));
    let max = whole.body.len() - 1;
    let first = encoder.multipart(&changes, BOUNDARY, max);
    assert_eq!(first.taken, 1);
    assert!(first.body.len() <= max);
    let second = encoder.multipart(&changes[first.taken..], BOUNDARY, max);
    assert_eq!(second.taken, 3);
    let read = decode_multipart(&second.body, BOUNDARY).changes;
    // What was said with the start is said once more as its patch, and not as another run without inputs.
    assert_eq!(names(&said(&[], &mut encoder)), [""; 0]);
    assert_eq!(read.len(), 2);
    assert!(String::from_utf8(second.body).unwrap().contains("name=\"patch."));
    let none = encoder.multipart(&[end(7)], BOUNDARY, 100);
    assert_eq!((none.taken, none.refused, none.body.len()), (1, 1, 0));
}

#[test]
fn what_a_patch_does_not_say_is_not_said() {
    let late = Run { id: RunId::from_u128(1), tags: vec!["reviewed".into()], ..Run::default() };
    let said = said(&[RunChange::Patch(Box::new(late))], &mut Encoder::default());
    for unsaid in ["name", "run_type", "start_time", "end_time", "status", "dotted_order"] {
        assert_eq!(said[0].1.get(unsaid), None, "{unsaid}");
    }
    let RunChange::Patch(run) = decode_patch(RunId::from_u128(1), br#"{"tags":null,"name":null}"#).unwrap() else {
        panic!()
    };
    assert_eq!(*run, Run { id: RunId::from_u128(1), ..Run::default() });
}

#[test]
fn an_event_with_a_list_is_said_as_the_sdk_says_it() {
    let event = Event { name: "uploaded_attachment".into(), time: 0, data: Some(json!(["img"])) };
    let whole = Run { events: vec![event], end_time: Some(1), ..run(1) };
    let said = said(&[RunChange::End(Box::new(whole))], &mut Encoder::default());
    let (_, events) = said.iter().find(|(name, _)| name.ends_with(".events")).unwrap();
    assert_eq!(events[0]["message"], json!(["img"]));
}
