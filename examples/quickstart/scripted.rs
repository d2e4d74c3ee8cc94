//! A model that needs no account: a server on this machine that speaks the chat completions protocol.
//!
//! It knows no language. What it says follows from the request: numbers and names of teas in the question become calls
//! of tools, and what the tools and the notes said becomes the answer. A token is a word to it.

use std::{convert::Infallible, io, time::Duration};

use async_stream::stream;
use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{
        IntoResponse as _, Response,
        sse::{Event, Sse},
    },
    routing::post,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};

/// The key that it takes.
pub const KEY: &str = "scripted-key";

/// How long it thinks before it says something, and before each further word: a model's times, only shorter.
const FIRST_WORD: Duration = Duration::from_millis(150);
const NEXT_WORD: Duration = Duration::from_millis(8);

/// Starts it on a free port; answers with its address. It ends with the program.
pub async fn start() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let routes = Router::new().route("/v1/chat/completions", post(completions));
    tokio::spawn(axum::serve(listener, routes).into_future());
    Ok(format!("http://{address}/v1"))
}

async fn completions(headers: HeaderMap, Json(request): Json<Value>) -> Response {
    let key = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if key != Some(KEY) {
        let error = json!({
            "error": {
                "message": "The key is not the one of this model",
                "type": "invalid_request_error",
                "param": null,
                "code": "invalid_api_key",
            },
        });
        return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
    }
    sleep(FIRST_WORD).await;
    if request["stream"] == true { say(&request).into_response() } else { Json(plan(&request)).into_response() }
}

/// A whole answer: the tools that the question asks for.
fn plan(request: &Value) -> Value {
    let question = contents(request, "user").join(" ").to_lowercase();
    let words = || question.split(|c: char| !c.is_alphanumeric());
    let orders = words().filter_map(|word| Some(("find_order", json!({ "number": word.parse::<u32>().ok()? }))));
    let teas = words()
        .filter(|word| ["assam", "jasmine", "oolong"].contains(word))
        .map(|tea| ("check_stock", json!({ "tea": tea })));
    let calls: Vec<Value> = orders
        .chain(teas)
        .enumerate()
        .map(|(n, (name, arguments))| {
            let function = json!({ "name": name, "arguments": arguments.to_string() });
            json!({ "id": format!("call_{n}"), "type": "function", "function": function })
        })
        .collect();

    let (message, reason) = if calls.is_empty() {
        (json!({ "role": "assistant", "content": "No tool is needed." }), "stop")
    } else {
        (json!({ "role": "assistant", "content": null, "tool_calls": calls }), "tool_calls")
    };
    let usage = tokens(request, message.to_string().split_whitespace().count().max(4 * calls.len()));
    json!({
        "id": "chatcmpl-plan",
        "object": "chat.completion",
        "model": request["model"],
        "choices": [{ "index": 0, "message": message, "finish_reason": reason }],
        "usage": usage,
    })
}

/// A streamed answer, a word an event.
fn say(request: &Value) -> Sse<impl futures::Stream<Item = Result<Event, Infallible>> + use<>> {
    let answer = compose(request);
    let model = request["model"].clone();
    let usage = tokens(request, answer.split_whitespace().count());
    let chunk = move |choices: Value, usage: Value| {
        let chunk = json!({
            "id": "chatcmpl-answer",
            "object": "chat.completion.chunk",
            "model": model,
            "choices": choices,
            "usage": usage,
        });
        Ok(Event::default().data(chunk.to_string()))
    };
    Sse::new(stream! {
        for word in answer.split_inclusive(' ') {
            yield chunk(json!([{ "index": 0, "delta": { "content": word }, "finish_reason": null }]), Value::Null);
            sleep(NEXT_WORD).await;
        }
        yield chunk(json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]), Value::Null);
        yield chunk(json!([]), usage);
        yield Ok(Event::default().data("[DONE]"));
    })
}

/// What the tools found, a sentence each, and the first passage of the notes.
fn compose(request: &Value) -> String {
    let tools = contents(request, "tool").into_iter().map(|result| {
        let result: Value = serde_json::from_str(result).unwrap_or_default();
        let text = |key: &str| result[key].as_str().unwrap_or_default();
        if result["error"].is_string() {
            format!("I am sorry: {}.", text("error"))
        } else if result["number"].is_number() {
            format!("Order {} ({}) is {}.", result["number"], text("tea"), text("status"))
        } else {
            format!("Of {} we have {} tins at {} euros.", text("tea"), result["tins"], result["euros"])
        }
    });
    let notes = contents(request, "system").into_iter().filter_map(|system| system.split("\n\n").nth(1));
    let sentences: Vec<String> = tools.chain(notes.map(str::to_owned)).collect();
    if sentences.is_empty() { "That I do not know.".to_owned() } else { sentences.join(" ") }
}

/// The texts of the messages of a role.
fn contents<'a>(request: &'a Value, role: &str) -> Vec<&'a str> {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    messages
        .iter()
        .filter(|message| message["role"] == role)
        .filter_map(|message| message["content"].as_str())
        .collect()
}

fn tokens(request: &Value, completion: usize) -> Value {
    let prompt = request["messages"].to_string().split_whitespace().count();
    json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion })
}
