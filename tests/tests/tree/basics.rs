//! One call, one run: inputs, outputs, errors, panics, streams.

use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use traceable::{Run, Status, Usage, testing::Recorder, traceable};

fn inputs(run: &Run) -> Value {
    run.inputs.as_ref().unwrap().to_value()
}

fn outputs(run: &Run) -> Value {
    run.outputs.as_ref().unwrap().to_value()
}

#[traceable]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[traceable(run_type = "tool", name = "divider", tags = ["math"], metadata(precision = 2))]
fn divide(a: i64, b: i64) -> Result<i64, String> {
    if b == 0 {
        return Err("division by zero".to_owned());
    }
    Ok(add(a, 0) / b)
}

#[test]
fn a_value() {
    let recorder = Recorder::new();
    assert_eq!(recorder.scope(|| add(1, 2)), 3);
    let run = recorder.run("add");
    assert_eq!(inputs(&run), json!({ "a": 1, "b": 2 }));
    assert_eq!(outputs(&run), json!({ "output": 3 }));
    assert_eq!(run.status, Status::Ok);
    assert!(run.is_root() && run.trace_id == run.id);
    assert!(run.duration().unwrap() >= 0);
    assert_eq!(run.id.unix_millis() as i64, run.start_time / 1_000_000);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as i64;
    assert!((now - run.start_time) < 60_000_000_000);
    assert_eq!(run.source.unwrap().module, "tree::basics");
}

#[test]
fn a_result_is_split() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        assert_eq!(divide(6, 3), Ok(2));
        assert!(divide(1, 0).is_err());
    });
    let runs = recorder.runs();
    let failed = runs.iter().find(|run| run.status == Status::Error).unwrap();
    assert_eq!(failed.error.as_deref(), Some("division by zero"));
    assert_eq!(failed.outputs, None);
    assert_eq!(failed.name, "divider");
    assert_eq!(failed.tags, ["math"]);
    assert_eq!(failed.metadata["precision"], 2);
    assert_eq!(recorder.tree(), "divider tool\n  add\ndivider tool error\n");
}

#[traceable(run_type = "llm", metadata(ls_provider = "my_provider", ls_model_name = model))]
async fn chat_model(messages: Vec<Value>, model: &str) -> Value {
    tokio::task::yield_now().await;
    json!({
        "choices": [{ "message": { "role": "assistant", "content": "Sure, what time would you like to book the table for?" } }],
        "usage_metadata": { "input_tokens": 27, "output_tokens": 13, "total_tokens": 40 },
        "echo": messages.len(),
    })
}

#[tokio::test]
async fn an_async_llm_call() {
    let recorder = Recorder::new();
    let messages = vec![json!({ "role": "user", "content": "I'd like to book a table for two." })];
    recorder.scope_future(chat_model(messages.clone(), "my_model")).await;
    let run = recorder.run("chat_model");
    assert_eq!(inputs(&run)["messages"], json!(messages));
    assert_eq!(run.usage, Some(Usage::new(27, 13)));
    assert_eq!(run.model.as_deref(), Some("my_model"));
    assert_eq!(run.provider.as_deref(), Some("my_provider"));
}

#[traceable(run_type = "llm", reduce_fn = |chunks: Vec<String>| chunks.concat())]
fn words(text: &'static str) -> impl Stream<Item = String> {
    stream::iter(text.split_inclusive(' ').map(str::to_owned))
}

#[traceable]
fn plain_words(text: &'static str) -> impl Stream<Item = String> {
    stream::iter(text.split_inclusive(' ').map(str::to_owned))
}

#[tokio::test]
async fn a_stream() {
    let recorder = Recorder::new();
    recorder
        .scope_future(async {
            assert_eq!(words("a b c").collect::<Vec<_>>().await.len(), 3);
            assert_eq!(plain_words("a b c").collect::<Vec<_>>().await.len(), 3);
            drop(words("never polled"));
            let mut cut = Box::pin(plain_words("one two three"));
            cut.next().await;
        })
        .await;
    let runs = recorder.runs();
    let of = |name: &str, status: Status| runs.iter().find(|r| r.name == name && r.status == status).unwrap();
    let whole = of("words", Status::Ok);
    assert_eq!(outputs(whole), json!({ "output": "a b c" }));
    assert_eq!(whole.stream.as_ref().unwrap().chunks, 3);
    assert_eq!(whole.events.iter().filter(|event| event.name == "new_token").count(), 1);
    assert_eq!(outputs(of("plain_words", Status::Ok)), json!({ "output": ["a ", "b ", "c"] }));
    assert_eq!(outputs(of("words", Status::Cancelled)), json!({ "output": "" }));
    assert_eq!(outputs(of("plain_words", Status::Cancelled)), json!({ "output": ["one "] }));
}

#[traceable]
fn panics() {
    panic!("on purpose, in a test");
}

#[traceable]
async fn panics_later() {
    tokio::task::yield_now().await;
    panic!("on purpose, in a test");
}

#[traceable]
async fn never() {
    add(1, 1);
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn panics_and_drops() {
    let recorder = Recorder::new();
    recorder.scope(|| std::panic::catch_unwind(panics).unwrap_err());
    tokio::spawn(recorder.scope_future(panics_later())).await.unwrap_err();
    recorder
        .scope_future(async {
            tokio::select! {
                () = never() => {}
                () = tokio::task::yield_now() => {}
            }
        })
        .await;
    assert_eq!(recorder.tree(), "panics error\npanics_later error\nnever cancelled\n  add\n");
    assert!(recorder.run("panics").error.unwrap().starts_with("panicked"));
    assert!(recorder.run("panics_later").error.unwrap().starts_with("panicked"));
}

#[traceable]
async fn handle() -> u8 {
    let run = traceable::current();
    run.add_metadata("id", &run.id().unwrap());
    run.add_tags(["x", "y", "x"]);
    run.add_event("looked", &json!({ "at": "it" }));
    run.set_usage(&Usage::new(1, 2));
    run.set_outputs(&json!({ "set": true }));
    run.set_name("renamed");
    tokio::task::yield_now().await;
    assert_eq!(traceable::current().id(), run.id());
    7
}

#[tokio::test]
async fn the_current_run() {
    let recorder = Recorder::new();
    assert_eq!(recorder.scope_future(handle()).await, 7);
    let run = recorder.run("renamed");
    assert_eq!(run.metadata["id"], run.id.to_string());
    assert_eq!(run.tags, ["x", "y"]);
    assert_eq!(run.events[0].name, "looked");
    assert_eq!(run.usage, Some(Usage::new(1, 2)));
    assert_eq!(outputs(&run), json!({ "set": true }));
    assert!(traceable::current().id().is_none());
}

#[traceable(outputs = off)]
fn quiet_words() -> impl Stream<Item = &'static str> {
    stream::iter(["a", "b"])
}

#[tokio::test]
async fn a_stream_without_outputs_keeps_its_times_only() {
    let recorder = Recorder::new();
    recorder.scope_future(async { quiet_words().collect::<Vec<_>>().await }).await;
    let run = recorder.run("quiet_words");
    assert_eq!((run.outputs, run.stream.unwrap().chunks), (None, 2));
}
