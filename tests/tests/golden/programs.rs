//! The recorded programs.
#![allow(
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref,
    reason = "the attribute says what its functions are given"
)]

use std::cell::Cell;

use futures::{Stream, StreamExt as _, stream};
use serde::Serialize;
use serde_json::{Map, Value, json};
use traceable::{Attachment, Context, RunId, ScoreTarget, current, feedback, run as by_hand, scope, traceable};

/// Runs the program of this recording.
pub(crate) async fn run(name: &str) {
    match name {
        "py_sync" => sync(),
        "py_nested" => nested(),
        "py_headers" => headers(),
        "py_async" => {
            scatter("k").await;
        }
        "py_gen" => generators().await,
        "py_error" => errors(),
        "py_attach" => files(),
        "py_openai" => openai().await,
        "py_feedback" => scores(),
        "py_trace" => context(),
        other => panic!("there is no program {other}"),
    }
}

#[derive(Clone, Serialize)]
struct Message {
    role: &'static str,
    content: String,
}

fn user(content: &str) -> Vec<Message> {
    vec![Message { role: "user", content: content.into() }]
}

#[traceable(run_type = "llm", tags = ["t1"], metadata(ls_provider = "my_provider", ls_model_name = "my_model"))]
fn chat_model(messages: Vec<Message>, temperature: f64) -> Value {
    json!({
        "choices": [{ "message": { "role": "assistant", "content": "Sure" } }],
        "usage_metadata": {
            "input_tokens": 27, "output_tokens": 13, "total_tokens": 40, "input_token_details": { "cache_read": 8 },
            "output_token_details": { "reasoning": 5 }, "input_cost": 0.01, "total_cost": 0.02,
        },
    })
}

fn sync() {
    scope().tag("call").metadata("thread_id", "th-1").call(|| chat_model(user("hi"), 0.5));
}

#[traceable(run_type = "tool")]
fn child(x: i64) -> i64 {
    x * 2
}

#[traceable]
fn parent(x: i64) -> i64 {
    current().add_event("event", "midway");
    current().add_tag("dyn");
    current().add_metadata("dyn", &true);
    child(x) + child(x + 1)
}

fn nested() {
    scope().run_name("Parent").tag("pt").metadata("a", &1).call(|| parent(3));
}

#[traceable]
fn srv(q: &str) -> String {
    q.to_owned()
}

fn headers() {
    let headers = [
        ("langsmith-trace", "20240101T000000000000Z018cc251-f400-7000-8000-000000000001"),
        ("baggage", "langsmith-metadata=%7B%22a%22%3A%201%7D,langsmith-project=remote%20proj"),
    ];
    Context::from_headers(headers).scope(|| srv("hello"));
}

#[derive(Clone, Serialize)]
struct Document {
    page_content: &'static str,
    r#type: &'static str,
    metadata: Value,
}

#[traceable(run_type = "retriever")]
async fn ret(q: &str) -> Vec<Document> {
    tokio::task::yield_now().await;
    vec![Document { page_content: "d", r#type: "Document", metadata: json!({ "s": 1 }) }]
}

#[traceable(name = "main")]
async fn scatter(q: &str) -> Vec<Vec<Document>> {
    let more = format!("{q}2");
    let (one, other) = futures::join!(ret(q), ret(&more));
    vec![one, other]
}

fn join(chunks: Vec<&'static str>) -> Message {
    Message { role: "assistant", content: chunks.concat() }
}

#[traceable(run_type = "llm", metadata(ls_provider = "p", ls_model_name = "m"), reduce_fn = join, stream)]
fn st(messages: Vec<Message>) -> impl Iterator<Item = &'static str> {
    ["Hel", "lo"].into_iter()
}

#[traceable(stream)]
fn plain(n: u32) -> impl Iterator<Item = u32> {
    0..n
}

#[traceable(run_type = "llm")]
fn ag(n: u32) -> impl Stream<Item = String> {
    stream::iter(0..n).map(|number| number.to_string())
}

async fn generators() {
    assert_eq!(st(user("x")).count(), 2);
    assert_eq!(plain(3).count(), 3);
    assert_eq!(ag(2).count().await, 2);
    // One that is not read to its end.
    assert_eq!(st(user("early")).next(), Some("Hel"));
}

#[traceable]
fn bad(x: i64) -> Result<i64, ValueError> {
    Err(ValueError("boom"))
}

#[derive(Debug)]
struct ValueError(#[allow(dead_code, reason = "it is shown")] &'static str);

#[traceable]
fn handled(x: i64) -> Option<i64> {
    None
}

fn fails(_: Map<String, Value>) -> Map<String, Value> {
    panic!("no inputs")
}

fn masked(_: &i64) -> Value {
    json!({ "masked": true })
}

#[traceable(process_inputs = fails, process_outputs = masked)]
fn proc(x: i64) -> i64 {
    x
}

fn errors() {
    assert!(bad(1).is_err());
    handled(1);
    proc(1);
}

#[traceable(name = "f")]
fn with_files(q: &str, img: Attachment, doc: Attachment) -> String {
    q.to_owned()
}

fn files() {
    let image = Attachment::bytes("image/png", b"\xff\0\r\n--\0\x01");
    with_files("q", image, Attachment::bytes("text/plain", b"hello"));
}

/// As OpenAI's API answers.
fn answer(message: &Value) -> Value {
    json!({
        "id": "chatcmpl-1", "created": 1_700_000_000, "model": "gpt-4o-2024-08-06", "object": "chat.completion",
        "choices": [{ "index": 0, "finish_reason": "stop", "logprobs": null, "message": message }],
        "metadata": null, "moderation": null, "service_tier": null, "system_fingerprint": null, "usage": usage(),
    })
}

fn usage() -> Value {
    json!({
        "prompt_tokens": 27, "completion_tokens": 13, "total_tokens": 40,
        "prompt_tokens_details": { "cached_tokens": 8, "audio_tokens": 0 },
        "completion_tokens_details": { "reasoning_tokens": 5, "audio_tokens": 0 },
    })
}

#[traceable(
    run_type = "llm",
    name = "ChatOpenAI",
    metadata(ls_provider = "openai", ls_model_type = "chat", ls_model_name = model, ls_temperature = temperature)
)]
fn complete(messages: Vec<Message>, model: &str, temperature: f64) -> Value {
    answer(&json!({
        "role": "assistant", "content": "Hello", "refusal": null, "annotations": null, "audio": null,
        "function_call": null, "tool_calls": null,
    }))
}

/// The first chunk with the texts of all, and what the last one says.
fn together(chunks: Vec<Value>) -> Value {
    let mut whole = chunks[0].clone();
    let deltas = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
    let message = json!({ "role": "assistant", "content": deltas.collect::<String>() });
    whole["choices"] = json!([{ "index": 0, "finish_reason": "stop", "message": message }]);
    whole["usage"] = chunks[chunks.len() - 1]["usage"].clone();
    whole
}

#[traceable(
    run_type = "llm",
    name = "ChatOpenAI",
    metadata(
        ls_provider = "openai",
        ls_model_type = "chat",
        ls_model_name = model,
        ls_invocation_params = json!({ "stream_options": stream_options })
    ),
    reduce_fn = together
)]
fn complete_in_pieces(
    messages: Vec<Message>,
    model: &str,
    stream: bool,
    stream_options: Value,
) -> impl Stream<Item = Value> {
    let chunk = |content: &str, usage: Value| {
        json!({
            "id": "c", "created": 1_700_000_000, "model": "gpt-4o-2024-08-06", "object": "chat.completion.chunk",
            "choices": [{ "index": 0, "delta": { "content": content }, "finish_reason": null }], "moderation": null,
            "obfuscation": null, "service_tier": null, "system_fingerprint": null, "usage": usage,
        })
    };
    stream::iter([chunk("Hello", Value::Null), chunk(" there", Value::Null), chunk("", usage())])
}

async fn openai() {
    complete(user("hi"), "gpt-4o", 0.2);
    let pieces = complete_in_pieces(user("hi"), "gpt-4o", true, json!({ "include_usage": true }));
    assert_eq!(pieces.count().await, 3);
}

#[traceable(name = "f", skip(id))]
fn judged(q: &str, id: &Cell<RunId>) -> String {
    id.set(current().id().unwrap());
    q.to_owned()
}

fn scores() {
    let id = Cell::default();
    judged("q", &id);
    let of_trace = ScoreTarget::Trace(id.get());
    let _ = feedback(of_trace, "quality").score(0.8765).value("good").comment("nice").send();
    let _ = feedback(id.get(), "direct").score(true).correction(&json!({ "a": 1 })).send();
}

#[traceable]
fn g(x: i64) -> i64 {
    x
}

fn context() {
    by_hand("ctx").run_type("tool").input("a", &1).metadata("m", &1).tag("z").call(|run| {
        run.attach("note", &Attachment::bytes("text/plain", b"hi"));
        run.set_outputs(&json!({ "b": 2 }));
    });
    scope().project("other").tag("ctxtag").metadata("ctx", &1).call(|| g(1));
}
