//! OpenLIT: what one function does is one trace, by an attribute or by a guard, and calls of models inside belong to it.
//!
//! | rows | test |
//! |---|---|
//! | O4, O10, O11, O15 | `a_function_is_a_trace` |
//! | O12, O13, O14, O15 | `a_guard_is_a_trace` |
//! | O10, O11 | `an_async_function_is_its_body`, `a_generator_is_what_it_yields` |
//! | O12, O13 | `a_guard_that_fails`, `a_guard_for_async_code` |
//! | O6, O7 | `runs_arrive_without_a_flush` |

use std::time::{Duration, Instant};

use futures::{Stream, StreamExt as _, stream};
use serde::Serialize;
use serde_json::{Value, json};
use traceable::{Run, Status, Usage, model::StreamInfo, run, start_trace, testing::Recorder, traceable};

use crate::support::{json, ok, tree};

#[derive(Debug, Clone, Serialize)]
struct Message {
    role: &'static str,
    content: String,
}

/// The model's client, as an application or an instrumentation annotates it.
#[traceable(name = "chat gpt-3.5-turbo", run_type = "llm", metadata(ls_provider = "openai", ls_model_name = model))]
fn complete(model: &str, messages: &[Message]) -> Value {
    let answer = match messages[0].role {
        "system" => "Here's looking at you, kid.",
        _ => "Casablanca",
    };
    json!({
        "choices": [{ "message": { "role": "assistant", "content": answer } }],
        "usage": { "prompt_tokens": 20, "completion_tokens": 8, "total_tokens": 28 },
    })
}

fn text(completion: &Value) -> String {
    completion["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

/// The run of [`complete`]: what went in, what came out, what it used and which model answered.
fn completion(role: &str, content: &str, answer: &str) -> Run {
    let (provider, model) = ("openai", "gpt-3.5-turbo");
    Run {
        inputs: json(json!({ "model": model, "messages": [{ "role": role, "content": content }] })),
        outputs: json(json!({
            "choices": [{ "message": { "role": "assistant", "content": answer } }],
            "usage": { "prompt_tokens": 20, "completion_tokens": 8, "total_tokens": 28 },
        })),
        provider: Some(provider.to_owned()),
        model: Some(model.to_owned()),
        metadata: [("ls_provider".to_owned(), json!(provider)), ("ls_model_name".to_owned(), json!(model))]
            .into_iter()
            .collect(),
        usage: Some(Usage::new(20, 8)),
        ..ok("chat gpt-3.5-turbo", "llm")
    }
}

#[traceable]
fn generate_one_liner() -> String {
    let completion = complete(
        "gpt-3.5-turbo",
        &[Message { role: "system", content: "Return a one liner from any movie for me to guess".to_owned() }],
    );
    text(&completion)
}

fn guess_one_liner(one_liner: &str) -> String {
    let trace = start_trace("Guess One-liner");
    let completion = complete(
        "gpt-3.5-turbo",
        &[Message { role: "user", content: format!("Guess movie from this line: {one_liner}") }],
    );
    trace.set_result(&text(&completion));
    trace.set_metadata(&json!({ "type": "game", "attempt": 1 }));
    text(&completion)
}

/// O4, O10, O11, O15: an annotated function is a trace, the call of a model inside is grouped under it, and prompt and
/// answer are kept unless that is switched off.
#[test]
fn a_function_is_a_trace() {
    let recorder = Recorder::new();
    assert_eq!(recorder.scope(generate_one_liner), "Here's looking at you, kid.");
    let function =
        Run { outputs: json(json!({ "output": "Here's looking at you, kid." })), ..ok("generate_one_liner", "chain") };
    let call = completion("system", "Return a one liner from any movie for me to guess", "Here's looking at you, kid.");
    assert_eq!(tree(&recorder), [(None, function), (Some(0), call)]);
}

/// O12, O13, O14, O15: a guard with a name is a trace for as long as it lives; its result and its metadata are set by
/// hand. The metadata came behind the call of the model, which does not inherit it.
#[test]
fn a_guard_is_a_trace() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let one_liner = generate_one_liner();
        assert_eq!(guess_one_liner(&one_liner), "Casablanca");
        generate_one_liner();
    });
    let runs = tree(&recorder);
    let guess = Run {
        outputs: json(json!({ "output": "Casablanca" })),
        metadata: [("type".to_owned(), json!("game")), ("attempt".to_owned(), json!(1))].into_iter().collect(),
        ..ok("Guess One-liner", "chain")
    };
    let call = completion("user", "Guess movie from this line: Here's looking at you, kid.", "Casablanca");
    assert_eq!(runs[2..4], [(None, guess), (Some(2), call)]);
    assert_eq!(
        recorder.tree().lines().map(str::trim_start).collect::<Vec<_>>(),
        [
            "generate_one_liner",
            "chat gpt-3.5-turbo llm",
            "Guess One-liner",
            "chat gpt-3.5-turbo llm",
            "generate_one_liner",
            "chat gpt-3.5-turbo llm"
        ]
    );
}

/// O10, O11: an async function's run is its body, not the making of its future, and calls inside belong to it wherever
/// the task is polled.
#[tokio::test(flavor = "multi_thread")]
async fn an_async_function_is_its_body() {
    #[traceable]
    async fn generate_one_liner(genre: &'static str) -> String {
        tokio::task::yield_now().await;
        let completion = complete("gpt-3.5-turbo", &[Message { role: "system", content: genre.to_owned() }]);
        tokio::task::yield_now().await;
        text(&completion)
    }
    let recorder = Recorder::new();
    tokio::spawn(recorder.scope_future(generate_one_liner("crime"))).await.unwrap();
    let function = Run {
        inputs: json(json!({ "genre": "crime" })),
        outputs: json(json!({ "output": "Here's looking at you, kid." })),
        ..ok("generate_one_liner", "chain")
    };
    assert_eq!(
        tree(&recorder),
        [(None, function), (Some(0), completion("system", "crime", "Here's looking at you, kid."))]
    );
}

/// O10: what a generator yields is its output, and one that is left before its end is recorded as far as it came.
#[tokio::test]
async fn a_generator_is_what_it_yields() {
    #[traceable]
    fn words(line: &'static str) -> impl Stream<Item = &'static str> {
        stream::iter(line.split(' '))
    }
    let recorder = Recorder::new();
    let reader = async {
        assert_eq!(words("Play it, Sam").count().await, 3);
        words("Play it, Sam").next().await
    };
    assert_eq!(recorder.scope_future(reader).await, Some("Play"));
    let generator = |status, chunks: &[&str]| Run {
        inputs: json(json!({ "line": "Play it, Sam" })),
        outputs: json(json!({ "output": chunks })),
        status,
        stream: Some(StreamInfo { chunks: chunks.len() as u64, ..StreamInfo::default() }),
        ..ok("words", "chain")
    };
    assert_eq!(
        tree(&recorder),
        [(None, generator(Status::Ok, &["Play", "it,", "Sam"])), (None, generator(Status::Cancelled, &["Play"])),]
    );
}

/// O12: a trace that is left by an error keeps what was set, and is ended.
#[test]
fn a_guard_that_fails() {
    fn guess(one_liner: &str) -> Result<u32, std::num::ParseIntError> {
        let trace = start_trace("Guess One-liner");
        trace.set_result("no idea");
        one_liner.parse::<u32>().inspect_err(|error| trace.set_error(error))
    }
    let recorder = Recorder::new();
    recorder.scope(|| guess("Rosebud").unwrap_err());
    let guess = Run {
        status: Status::Error,
        error: Some("invalid digit found in string".to_owned()),
        outputs: json(json!({ "output": "no idea" })),
        ..ok("Guess One-liner", "chain")
    };
    assert_eq!(tree(&recorder), [(None, guess)]);
}

/// O12, O13: where there is an `.await`, the same trace is a run around a future.
#[tokio::test]
async fn a_guard_for_async_code() {
    let recorder = Recorder::new();
    let inside = async {
        tokio::task::yield_now().await;
        let completion = complete("gpt-3.5-turbo", &[Message { role: "user", content: "Rosebud".to_owned() }]);
        traceable::current().set_result(&text(&completion));
        traceable::current().set_metadata(&json!({ "type": "game" }));
    };
    recorder.scope_future(async { run("Guess One-liner").future(inside).await }).await;
    let guess = Run {
        outputs: json(json!({ "output": "Casablanca" })),
        metadata: [("type".to_owned(), json!("game"))].into_iter().collect(),
        ..ok("Guess One-liner", "chain")
    };
    assert_eq!(tree(&recorder), [(None, guess), (Some(0), completion("user", "Rosebud", "Casablanca"))]);
}

/// O6, O7: the switch that turns batching off is for programs that are watched while they run. There is nothing to
/// switch: what ended is with its destination a moment later, with no flush and while the program goes on.
#[test]
fn runs_arrive_without_a_flush() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let _open = start_trace("goes on");
        generate_one_liner();
        let deadline = Instant::now() + Duration::from_secs(30);
        while recorder.memory().runs().len() < 2 {
            assert!(Instant::now() < deadline, "two runs have ended and did not arrive");
            std::thread::yield_now();
        }
        let arrived: Vec<_> = recorder.memory().runs().into_iter().map(|run| run.name).collect();
        assert_eq!(arrived, ["generate_one_liner", "chat gpt-3.5-turbo"]);
    });
}
