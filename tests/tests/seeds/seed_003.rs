//! LangSmith: a call of a model is a run of the kind `llm`, whose inputs and outputs have one of a few forms.
//!
//! | rows | test |
//! |---|---|
//! | S6, S11–S15 | `the_python_example`, `every_form_of_output` |
//! | S16 | `the_typescript_example` |
//! | S18, S19 | `a_generator_is_reduced`, `a_stream_is_reduced`, `a_stream_that_is_left_is_reduced` |
//! | S21, S22 | `token_counts_by_hand_python`, `token_counts_by_hand_typescript` |
//! | S23–S26 | `the_instruct_example_python`, `the_instruct_example_typescript` |
//! | S12–S14, S16 | `a_call_is_told_from_around_it` |
//! | S6–S15, S21–S26 | `the_same_runs_by_hand` |

use futures::{Stream, StreamExt as _, stream};
use serde::Serialize;
use serde_json::{Value, json};
use traceable::{
    Run, Status, Usage, messages,
    model::{Event, StreamInfo},
    run, scope,
    testing::Recorder,
    traceable,
};

use crate::support::{json, ok, runs};

const ANSWER: &str = "Sure, what time would you like to book the table for?";

#[derive(Debug, Clone, Serialize)]
struct Message {
    role: &'static str,
    content: &'static str,
}

const INPUTS: [Message; 2] = [
    Message { role: "system", content: "You are a helpful assistant." },
    Message { role: "user", content: "I'd like to book a table for two." },
];

/// What the examples' runs have in common.
fn llm(name: &'static str, inputs: Value, outputs: Value) -> Run {
    Run {
        inputs: json(inputs),
        outputs: json(outputs),
        provider: Some("my_provider".to_owned()),
        model: Some("my_model".to_owned()),
        metadata: [("ls_provider".to_owned(), json!("my_provider")), ("ls_model_name".to_owned(), json!("my_model"))]
            .into_iter()
            .collect(),
        ..ok(name, "llm")
    }
}

/// The run of the examples of a chat.
fn chat(outputs: Value) -> Run {
    llm("chat_model", json!({ "messages": INPUTS }), outputs)
}

fn choices(content: &str) -> Value {
    json!({ "choices": [{ "message": { "role": "assistant", "content": content } }] })
}

/// What a viewer shows of a run: who says what.
fn conversation(run: &Run) -> Vec<(String, String)> {
    let said_in = messages::input_messages(&run.inputs.as_ref().unwrap().to_value());
    let said_out = messages::output_messages(&run.outputs.as_ref().unwrap().to_value());
    said_in.into_iter().chain(said_out).map(|message| (message.role.to_string(), message.text().into_owned())).collect()
}

fn booked() -> Vec<(String, String)> {
    let said = [(INPUTS[0].role, INPUTS[0].content), (INPUTS[1].role, INPUTS[1].content), ("assistant", ANSWER)];
    said.map(|(role, text)| (role.to_owned(), text.to_owned())).into()
}

/// S6, S11–S15: a synchronous function with the input `messages`, the kind `llm`, and provider and model as metadata.
#[test]
fn the_python_example() {
    #[traceable(run_type = "llm", metadata(ls_provider = "my_provider", ls_model_name = "my_model"))]
    fn chat_model(messages: &[Message]) -> Value {
        choices(ANSWER)
    }
    let recorder = Recorder::new();
    recorder.scope(|| chat_model(&INPUTS));
    assert_eq!(runs(&recorder), [chat(choices(ANSWER))]);
}

/// S6, S15: the output may be choices, a message under `message`, a pair of role and content, or a message. Each is kept
/// as it is (what is no object stands under `output`), and each is read as the same conversation.
#[test]
fn every_form_of_output() {
    #[traceable(run_type = "llm", skip(output), metadata(ls_provider = "my_provider", ls_model_name = "my_model"))]
    fn chat_model<T: Serialize>(messages: &[Message], output: T) -> T {
        output
    }
    let recorder = Recorder::new();
    let message = Message { role: "assistant", content: ANSWER };
    recorder.scope(|| {
        chat_model(&INPUTS, choices(ANSWER));
        chat_model(&INPUTS, json!({ "message": message }));
        chat_model(&INPUTS, ("assistant", ANSWER));
        chat_model(&INPUTS, ["assistant", ANSWER]);
        chat_model(&INPUTS, message.clone());
    });
    let calls = runs(&recorder);
    for run in &calls {
        assert_eq!(conversation(run), booked(), "{:?}", run.outputs);
    }
    let forms = [
        choices(ANSWER),
        json!({ "message": message }),
        json!({ "output": ["assistant", ANSWER] }),
        json!({ "output": ["assistant", ANSWER] }),
        json!(message),
    ];
    assert_eq!(calls, forms.map(chat));
}

/// S16: an async function that takes an object with `messages`; the name is an option.
#[tokio::test]
async fn the_typescript_example() {
    struct Input {
        messages: [Message; 2],
    }
    #[traceable(
        run_type = "llm",
        name = "chat_model",
        metadata(ls_provider = "my_provider", ls_model_name = "my_model")
    )]
    async fn call_model(Input { messages }: Input) -> Value {
        choices(ANSWER)
    }
    let recorder = Recorder::new();
    recorder.scope_future(call_model(Input { messages: INPUTS })).await;
    assert_eq!(runs(&recorder), [chat(choices(ANSWER))]);
}

/// The reducer of the example: the texts of all chunks as one answer.
#[allow(clippy::needless_pass_by_value, reason = "as the attribute calls it")]
fn reduce_chunks(chunks: Vec<Value>) -> Value {
    let all_text: String =
        chunks.iter().map(|chunk| chunk["choices"][0]["message"]["content"].as_str().unwrap()).collect();
    choices(&all_text)
}

const GREETED: [Message; 2] = [
    Message { role: "system", content: "You are a helpful assistant. Please greet the user." },
    Message { role: "user", content: "polly the parrot" },
];

/// A run whose answer came in chunks.
fn streamed(answer: &str, chunks: u64) -> Run {
    Run {
        stream: Some(StreamInfo { chunks, ..StreamInfo::default() }),
        events: vec![Event { name: "new_token".into(), time: 0, data: None }],
        ..llm("my_streaming_chat_model", json!({ "messages": GREETED }), choices(answer))
    }
}

/// S18, S19: a generator's chunks are reduced to the form of an answer that is not streamed.
#[test]
fn a_generator_is_reduced() {
    #[traceable(
        run_type = "llm",
        stream,
        reduce_fn = reduce_chunks,
        metadata(ls_provider = "my_provider", ls_model_name = "my_model"),
    )]
    fn my_streaming_chat_model(messages: &[Message]) -> impl Iterator<Item = Value> + use<> {
        [format!("Hello, {}", messages[1].content)].into_iter().map(|chunk| choices(&chunk))
    }
    let recorder = Recorder::new();
    recorder.scope(|| my_streaming_chat_model(&GREETED).collect::<Vec<_>>());
    assert_eq!(runs(&recorder), [streamed("Hello, polly the parrot", 1)]);
}

#[traceable(
    run_type = "llm",
    reduce_fn = reduce_chunks,
    metadata(ls_provider = "my_provider", ls_model_name = "my_model"),
)]
fn my_streaming_chat_model(messages: &[Message]) -> impl Stream<Item = Value> + use<> {
    stream::iter(["Hello, ", messages[1].content]).map(choices)
}

/// S18, S19: so are the chunks of a stream.
#[tokio::test]
async fn a_stream_is_reduced() {
    let recorder = Recorder::new();
    recorder.scope_future(async { my_streaming_chat_model(&GREETED).collect::<Vec<_>>().await }).await;
    assert_eq!(runs(&recorder), [streamed("Hello, polly the parrot", 2)]);
}

/// S18: and those that came before the reader left.
#[tokio::test]
async fn a_stream_that_is_left_is_reduced() {
    let recorder = Recorder::new();
    recorder.scope_future(async { my_streaming_chat_model(&GREETED).next().await }).await;
    assert_eq!(runs(&recorder), [Run { status: Status::Cancelled, ..streamed("Hello, ", 1) }]);
}

fn with_usage(mut output: Value, input_tokens: u64, output_tokens: u64) -> Value {
    output["usage_metadata"] = json!({
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    });
    output
}

/// S21, S22: token counts stand in the output under `usage_metadata`, and are the run's: 27, 13, 40.
#[test]
fn token_counts_by_hand_python() {
    #[traceable(run_type = "llm", metadata(ls_provider = "my_provider", ls_model_name = "my_model"))]
    fn chat_model(messages: &[Message]) -> Value {
        with_usage(choices(ANSWER), 27, 13)
    }
    let recorder = Recorder::new();
    recorder.scope(|| chat_model(&INPUTS));
    let usage = Usage::new(27, 13);
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (Some(27), Some(13), Some(40)));
    assert_eq!(runs(&recorder), [Run { usage: Some(usage), ..chat(with_usage(choices(ANSWER), 27, 13)) }]);
}

/// S21, S22: the same of an async function that takes an object and has its name as an option.
#[tokio::test]
async fn token_counts_by_hand_typescript() {
    struct Input {
        messages: [Message; 2],
        model: &'static str,
    }
    #[traceable(
        run_type = "llm",
        name = "chat_model",
        metadata(ls_provider = "my_provider", ls_model_name = "my_model")
    )]
    async fn call_model(Input { messages, model }: Input) -> Value {
        with_usage(choices(ANSWER), 27, 13)
    }
    let recorder = Recorder::new();
    recorder.scope_future(call_model(Input { messages: INPUTS, model: "my_model" })).await;
    let expected = Run {
        inputs: json(json!({ "messages": INPUTS, "model": "my_model" })),
        usage: Some(Usage::new(27, 13)),
        ..chat(with_usage(choices(ANSWER), 27, 13))
    };
    assert_eq!(runs(&recorder), [expected]);
}

const PROMPT: &str = "polly the parrot\n";

fn hello(prompt: &str) -> Value {
    with_usage(json!({ "choices": [{ "text": format!("Hello, {prompt}") }] }), 4, 5)
}

/// The run of the instruct example: 4, 5, 9.
fn instruct() -> Run {
    Run { usage: Some(Usage::new(4, 5)), ..llm("hello_llm", json!({ "prompt": PROMPT }), hello(PROMPT)) }
}

fn is_read_as_text_in_and_text_out(run: &Run) {
    let said = [("user", PROMPT), ("assistant", "Hello, polly the parrot\n")];
    assert_eq!(conversation(run), said.map(|(role, text)| (role.to_owned(), text.to_owned())));
}

/// S23–S26: text in and text out: the input is named `prompt`, the output has choices of texts, and usage and metadata are
/// as with a chat.
#[test]
fn the_instruct_example_python() {
    #[traceable(run_type = "llm", metadata(ls_provider = "my_provider", ls_model_name = "my_model"))]
    fn hello_llm(prompt: &str) -> Value {
        hello(prompt)
    }
    let recorder = Recorder::new();
    recorder.scope(|| hello_llm(PROMPT));
    let runs = runs(&recorder);
    assert_eq!(runs, [instruct()]);
    is_read_as_text_in_and_text_out(&runs[0]);
}

/// S23–S26: the same of a closure's shape, with the name as an option and other inputs beside the prompt.
#[tokio::test]
async fn the_instruct_example_typescript() {
    struct Input {
        prompt: &'static str,
        temperature: f64,
    }
    #[traceable(
        run_type = "llm",
        name = "hello_llm",
        metadata(ls_provider = "my_provider", ls_model_name = "my_model")
    )]
    async fn call_model(Input { prompt, temperature }: Input) -> Value {
        hello(prompt)
    }
    let recorder = Recorder::new();
    recorder.scope_future(call_model(Input { prompt: PROMPT, temperature: 0.5 })).await;
    let runs = runs(&recorder);
    let expected = Run { inputs: json(json!({ "prompt": PROMPT, "temperature": 0.5 })), ..instruct() };
    assert_eq!(runs, [expected]);
    is_read_as_text_in_and_text_out(&runs[0]);
}

/// S12–S14, S16: name, metadata, tags and project of one call may be said by whoever calls.
#[test]
fn a_call_is_told_from_around_it() {
    #[traceable(run_type = "llm")]
    fn model(messages: &[Message]) -> Value {
        choices(ANSWER)
    }
    let recorder = Recorder::new();
    recorder.scope(|| {
        scope()
            .run_name("chat_model")
            .metadata("ls_provider", "my_provider")
            .metadata("ls_model_name", "my_model")
            .tag("booking")
            .project("restaurant")
            .call(|| model(&INPUTS));
    });
    let expected =
        Run { tags: vec!["booking".to_owned()], project: Some("restaurant".into()), ..chat(choices(ANSWER)) };
    assert_eq!(runs(&recorder), [expected]);
}

/// S6–S15, S21–S26: without a function to annotate, the same runs are made by hand.
#[test]
fn the_same_runs_by_hand() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let call = |name| run(name).run_type("llm").provider("my_provider").model("my_model");

        let open = call("chat_model").input("messages", &INPUTS).start();
        open.end_with(&choices(ANSWER));

        call("chat_model").input("messages", &INPUTS).call(|open| open.set_outputs(&("assistant", ANSWER)));

        let open = call("chat_model").inputs(&json!({ "messages": INPUTS })).enter();
        open.set_usage(&Usage::new(27, 13));
        open.end_with(&choices(ANSWER));
        drop(open);

        let open = call("hello_llm").input("prompt", PROMPT).start();
        open.end_with(&hello(PROMPT));
    });
    assert_eq!(
        runs(&recorder),
        [
            chat(choices(ANSWER)),
            chat(json!({ "output": ["assistant", ANSWER] })),
            Run { usage: Some(Usage::new(27, 13)), ..chat(choices(ANSWER)) },
            instruct(),
        ]
    );
}
