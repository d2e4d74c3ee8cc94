//! Every field, every depth, every exporter.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    panic::catch_unwind,
    sync::{Arc, Mutex},
};

use serde::Serialize;
use serde_json::{Map, Value, json};
use traceable::{
    Redaction, Run, current,
    model::{
        Attachment, AttachmentData, AttachmentFor, Bytes, Event, Json, OtelContext, Progress, RunChange, RunType,
        Score, ScoreTarget, StreamInfo, Thread, User,
    },
    testing::Recorder,
    traceable,
};

use crate::generator::{Planted, assert_absent, named, planted};

fn secrets(all: &[Planted]) -> Vec<&str> {
    all.iter().map(|planted| planted.secret.as_str()).collect()
}

/// A text with a secret in its middle.
fn sentence(planted: &Planted) -> String {
    format!("before {} after", planted.text)
}

#[test]
fn there_are_enough() {
    let all = planted();
    let kinds: std::collections::BTreeSet<_> = all.iter().map(|planted| planted.kind).collect();
    assert!(all.len() >= 200 && kinds.len() >= 14, "{} of {}", all.len(), kinds.len());
}

/// A run with a text in each of its fields.
fn run_with(text: &str) -> Run {
    let text = || text.to_owned();
    let value = || json!({ text(): { "a": [text()] } });
    let members = || Map::from_iter([(text(), Value::Null), ("a".to_owned(), Value::from(text()))]);
    let json = || Some(Json::from_value(&value()));
    Run {
        name: text().into(),
        run_type: RunType::Custom(text().into()),
        inputs: json(),
        outputs: json(),
        expected: json(),
        error: Some(text()),
        events: vec![Event { name: text().into(), time: 0, data: Some(value()) }],
        stream: Some(StreamInfo { raw: vec![(1, Json::from_value(&value()))], ..StreamInfo::default() }),
        tags: vec![text()],
        metadata: members(),
        provider: Some(text()),
        model: Some(text()),
        params: BTreeMap::from_iter(members()),
        project: Some(text().into()),
        thread_id: Some(text()),
        session_id: Some(text()),
        user: Some(text()),
        environment: Some(text()),
        release: Some(text()),
        attachments: vec![attachment(&text())],
        variables: members(),
        prompt_ref: Some(text()),
        deployment_ref: Some(text()),
        otel: Some(OtelContext { trace_id: 1, parent_span_id: None, tracestate: Some(text()), sampled: true }),
        ..Run::default()
    }
}

fn attachment(text: &str) -> Attachment {
    Attachment {
        name: text.to_owned(),
        mime: format!("text/plain; {text}").into(),
        data: AttachmentData::Bytes(Bytes(text.as_bytes().into())),
        metadata: Map::from_iter([("a".to_owned(), Value::from(text))]),
    }
}

fn changes_with(text: &str) -> Vec<RunChange> {
    let run = run_with(text);
    let (id, trace_id) = (run.id, run.trace_id);
    let url = Attachment { data: AttachmentData::Url(text.to_owned()), ..attachment(text) };
    let score = Score {
        id,
        target: ScoreTarget::Thread(text.to_owned()),
        key: text.to_owned(),
        score: None,
        value: Some(json!([text])),
        label: Some(text.to_owned()),
        comment: Some(text.to_owned()),
        correction: Some(json!({ "a": text })),
        source: traceable::model::ScoreSource::Human,
        user: Some(text.to_owned()),
        time: 0,
        tags: vec![text.to_owned()],
        metadata: run.metadata.clone(),
    };
    let tags = vec![text.to_owned()];
    let (name, user, metadata) = (Some(text.to_owned()), Some(text.to_owned()), run.metadata.clone());
    vec![
        RunChange::Progress(Progress {
            id,
            trace_id,
            time: 0,
            chunks: 1,
            outputs: Some(Json::from_value(&json!([text]))),
        }),
        RunChange::Progress(Progress { id, trace_id, time: 0, chunks: 1, outputs: run.outputs.clone() }),
        RunChange::Attachment(AttachmentFor { run_id: id, attachment: url }),
        RunChange::Score(Box::new(score)),
        RunChange::Thread(Box::new(Thread {
            id: text.to_owned(),
            name,
            user,
            tags,
            metadata: metadata.clone(),
            time: 0,
        })),
        RunChange::User(Box::new(User { identifier: text.to_owned(), metadata, time: 0 })),
        RunChange::Start(Box::new(run.clone())),
        RunChange::Patch(Box::new(run.clone())),
        RunChange::End(Box::new(run)),
    ]
}

/// All that an exporter could read of a change, also bytes.
fn all_text(change: &RunChange) -> String {
    let mut text = serde_json::to_string(change).unwrap();
    let attachments = match change {
        RunChange::Attachment(of) => std::slice::from_ref(&of.attachment),
        change => change.run().map_or(&[][..], |run| &run.attachments),
    };
    for attachment in attachments {
        if let AttachmentData::Bytes(bytes) = &attachment.data {
            text.push_str(&String::from_utf8_lossy(&bytes.0));
        }
    }
    text
}

#[test]
fn no_field_of_any_change_keeps_a_secret() {
    let redactor = Redaction::default().build().unwrap();
    for planted in &planted() {
        for text in [planted.text.clone(), sentence(planted)] {
            for mut change in changes_with(&text) {
                redactor.redact(&mut change);
                assert_absent(&all_text(&change), &[&planted.secret], planted.kind);
            }
        }
    }
}

#[test]
fn no_depth_hides_a_secret() {
    let redactor = Redaction::default().build().unwrap();
    let all = planted();
    for depth in 1..=200 {
        let planted = &all[depth % all.len()];
        let leaf = serde_json::to_string(&sentence(planted)).unwrap();
        let (lists, objects) = ("[".repeat(depth), "{\"a\":".repeat(depth));
        for json in [
            format!("{lists}{leaf}{}", "]".repeat(depth)),
            format!("{objects}{leaf}{}", "}".repeat(depth)),
            format!("{objects}{{{leaf}:1}}{}", "}".repeat(depth)),
        ] {
            let redacted = redactor.redact_text(&json);
            assert_absent(&redacted, &[&planted.secret], planted.kind);
            assert!(redacted.starts_with(if json.starts_with('[') { &lists } else { &objects }));
        }
        let mut quoted = sentence(planted);
        for _ in 0..depth.min(8) {
            quoted = json!({ "arguments": quoted }).to_string();
        }
        assert_absent(&redactor.redact_text(&quoted), &[&planted.secret], planted.kind);
    }
}

#[test]
fn values_under_secret_names_go_in_every_notation() {
    let redactor = Redaction::default().build().unwrap();
    for (name, value) in named() {
        let object = json!({ name: value }).to_string();
        for text in [
            object.clone(),
            json!({ "a": [{ name: [value] }] }).to_string(),
            json!({ "arguments": object }).to_string(),
            json!({ "a": json!({ "b": object }).to_string() }).to_string(),
            format!("the call was {object}, and it failed"),
            format!("{{'{name}': '{value}'}}"),
            format!("{{\n  {name}: \"{value}\",\n}}"),
            format!("{name}={value}"),
            format!("{name}: {value}\n"),
            format!("curl 'https://x.example/?{name}={value}&a=b'"),
            format!("Config {{ {}: Some(\"{value}\") }}", name.replace('-', "_")),
            json!({ "headers": [{ "name": name, "value": value }] }).to_string(),
            json!({ "headers": [{ "value": value, "name": name }] }).to_string(),
            json!({ "headers": [[name, value], ["accept", "*/*"]] }).to_string(),
        ] {
            // A cookie without a name in front is a text like any other.
            if name.to_lowercase().ends_with("cookie") && !text.contains('"') && !text.contains('\'') {
                continue;
            }
            assert_absent(&redactor.redact_text(&text), &[&value], &text);
        }
    }
}

#[derive(Debug, Serialize)]
struct Nested {
    text: String,
    inner: Option<Box<Nested>>,
}

fn nested(text: &str, depth: usize) -> Nested {
    Nested { text: text.to_owned(), inner: (depth > 1).then(|| Box::new(nested(text, depth - 1))) }
}

#[derive(Debug)]
struct Plain<'a> {
    #[allow(dead_code, reason = "read by `Debug`")]
    text: &'a str,
}

#[traceable(
    run_type = "llm",
    name = format!("call {text}"),
    tags = [text],
    metadata(note = text, ls_model_name = text, thread_id = text),
    project_name = text
)]
fn call(text: &str, deep: &Nested, plain: &Plain<'_>) -> Result<String, String> {
    current().add_event(text, text);
    current().add_metadata(text, text);
    current().add_tag(text);
    if text.len().is_multiple_of(2) { Ok(text.to_owned()) } else { Err(format!("failed with {text}")) }
}

#[traceable]
fn panics(text: &str) {
    panic!("cannot use {text}");
}

/// What the console has written.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Through the runtime, into memory, a file and the console.
#[test]
fn no_exporter_is_given_a_secret() {
    let all = planted();
    let recorder = Recorder::new();
    recorder.scope(|| {
        for (depth, planted) in all.iter().enumerate() {
            let text = sentence(planted);
            let _ = call(&text, &nested(&text, 1 + depth % 80), &Plain { text: &text });
            let _ = catch_unwind(|| panics(&text));
        }
    });
    let changes = recorder.changes();
    assert_eq!(recorder.runs().len(), 2 * all.len());
    let secrets = secrets(&all);
    let mut text = String::new();
    for change in &changes {
        writeln!(text, "{}", all_text(change)).unwrap();
    }
    assert_absent(&text, &secrets, "memory");
    assert!(text.contains("[redacted: private-key]") && text.contains("before "));

    let folder = std::env::temp_dir().join(format!("traceable-secrets-{}", std::process::id()));
    let path = folder.with_extension("jsonl");
    let screen = Screen::default();
    let mut exporters: Vec<Box<dyn traceable::export::Exporter>> = vec![
        Box::new(traceable::exporters::JsonLines::append(&path).unwrap()),
        Box::new(traceable::exporters::Console::to(screen.clone()).width(4000)),
    ];
    let batch = traceable::export::Batch::new(changes);
    for exporter in &mut exporters {
        futures::executor::block_on(exporter.export(&batch)).unwrap();
        futures::executor::block_on(exporter.flush()).unwrap();
    }
    drop(exporters);
    let file = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(file.lines().count() > all.len());
    assert_absent(&file, &secrets, "file");
    let screen = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
    assert!(screen.contains("panics") && screen.contains("[redacted"));
    assert_absent(&screen, &secrets, "console");
}

#[test]
fn nothing_of_the_environment_is_recorded() {
    let recorder = Recorder::new();
    recorder.scope(|| call("a", &nested("a", 1), &Plain { text: "a" })).unwrap_err();
    let text: String = recorder.changes().iter().map(all_text).collect();
    for (name, value) in std::env::vars() {
        // Short values may be words of the run itself.
        if value.len() >= 8 && !file!().contains(&value) && !module_path!().contains(&value) {
            assert!(!text.contains(&value), "the value of {name} is in a run");
        }
    }
}
