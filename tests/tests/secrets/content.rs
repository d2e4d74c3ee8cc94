//! The content switch, and arguments that are never captured.

use serde_json::json;
use traceable::{Context, InRunExt as _, current, model::RunChange, testing::Recorder, traceable};

#[traceable(run_type = "llm", content = none)]
fn private(question: &str) -> serde_json::Value {
    current().add_event("asked", question);
    current().add_metadata("kept", "yes");
    let _ = inner(question);
    json!({ "content": question, "usage_metadata": { "input_tokens": 3, "output_tokens": 4, "total_tokens": 7 } })
}

#[traceable]
fn inner(question: &str) -> Result<(), String> {
    Err(format!("no answer, password=hunter2, {}", question.len()))
}

#[traceable]
fn open(question: &str) -> String {
    let _ = inner(question);
    question.to_owned()
}

/// What is below a run without content has none either; what was derived stays.
#[test]
fn a_run_without_content_keeps_what_was_derived() {
    let recorder = Recorder::new();
    recorder.scope(|| private("where is the tulip?"));
    let (run, inner) = (recorder.run("private"), recorder.run("inner"));
    let text = serde_json::to_string(&recorder.changes()).unwrap();
    assert!(!text.contains("tulip"), "{text}");
    assert_eq!(run.usage.unwrap().total_tokens, Some(7));
    assert_eq!(run.metadata["kept"], "yes");
    assert_eq!(run.events[0].name, "asked");
    assert!(run.inputs.is_none() && run.outputs.is_none() && inner.inputs.is_none());
    assert_eq!(inner.error.as_deref(), Some("no answer, password=[redacted], 19"));
}

#[traceable(content = none)]
async fn private_on_threads(question: &'static str) {
    std::thread::spawn(traceable::wrap(move || inner(question))).join().unwrap().unwrap_err();
    let below = async move { open(question) };
    tokio::spawn(below.in_current_run()).await.unwrap();
    current().child("by hand").input("question", question).start().end();
    let context = Context::current();
    std::thread::spawn(move || context.scope(|| open(question))).join().unwrap();
}

/// What is below need not be on the same thread, nor end before the run above it.
#[tokio::test(flavor = "multi_thread")]
async fn children_on_other_threads_have_no_content_either() {
    let recorder = Recorder::new();
    recorder.scope_future(private_on_threads("where is the tulip?")).await;
    let runs = recorder.runs();
    assert_eq!(runs.len(), 7);
    assert!(runs.iter().all(|run| run.inputs.is_none() && run.outputs.is_none()), "{runs:#?}");
    assert!(!serde_json::to_string(&recorder.changes()).unwrap().contains("tulip"));
}

#[test]
fn runs_beside_it_keep_theirs() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        private("a");
        open("the question")
    });
    assert_eq!(recorder.run("open").outputs.unwrap().to_value(), json!({ "output": "the question" }));
}

/// Says that it was looked at.
struct Watched;

impl serde::Serialize for Watched {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("captured");
    }
}

#[traceable(redact(watched, pin))]
fn marked(watched: &Watched, pin: u16, open: u8) {
    let _ = (watched, pin, open);
}

#[traceable(inputs(sum = a + b, a), redact(sum), process_inputs = |mut inputs| { inputs.insert("more".into(), 1.into()); inputs }, name = format!("n{a}"))]
fn processed(a: u8, b: u8) -> u8 {
    a + b
}

#[test]
fn redacted_arguments_are_not_looked_at() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        marked(&Watched, 1234, 5);
        processed(1, 2);
    });
    let inputs = recorder.run("marked").inputs.unwrap().to_value();
    assert_eq!(inputs, json!({ "watched": "[redacted]", "pin": "[redacted]", "open": 5 }));
    let inputs = recorder.run("n1").inputs.unwrap().to_value();
    assert_eq!(inputs, json!({ "sum": "[redacted]", "a": 1, "more": 1 }));
}

/// Open runs are announced without content, too.
#[test]
fn announcements_have_no_content() {
    let recorder = Recorder::new();
    #[traceable(content = none)]
    fn waits(question: &str, recorder: &Recorder) {
        let _ = question;
        recorder.flush();
    }
    recorder.scope(|| waits("tulip", &recorder));
    let changes = recorder.changes();
    assert!(changes.iter().any(|change| matches!(change, RunChange::Start(_))));
    assert!(!serde_json::to_string(&changes).unwrap().contains("tulip"));
}
