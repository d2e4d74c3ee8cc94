//! As in Adaline: a monitor logs traces, and their spans say in one of eight kinds what they did.

use std::{
    error::Error,
    io::{self, Write as _},
};

use serde_json::{Value, json};
use traceable::adaline::{Adaline, Content, ContentJson, LogSpan, LogTrace, ModelContent, Monitor, Status, Update};

/// Two requests, of which the second fails.
pub(crate) fn chat() -> Result<(), Box<dyn Error>> {
    let monitor = Adaline::new().init_monitor("my-project")?;
    for message in ["What is the weather like?", ""] {
        if let Err(error) = tracked_call(&monitor, message) {
            writeln!(io::stderr(), "{message:?}: {error}")?;
        }
    }
    Ok(())
}

fn tracked_call(monitor: &Monitor, message: &str) -> Result<Value, Box<dyn Error>> {
    let request = LogTrace::new("Chat Request").tags(["chat", "production"]).attribute("messageLength", message.len());
    let trace = monitor.log_trace(request.session_id("session-7"))?;

    let search = trace.log_span("Weather Station")?;
    let (input, output) = (ContentJson::of(&json!({ "city": "Paris" })), ContentJson::of(&json!({ "temp": 24 })));
    search.update(Content::tool(input, output))?;
    search.end();

    let span = trace.log_span(LogSpan::new("LLM Call").prompt_id("chat-prompt").tags(["llm", "my_provider"]))?;
    let request = json!({ "model": "my_model", "messages": [{ "role": "user", "content": message }] });
    // Whichever way this goes, trace and span end when they are dropped.
    match complete(&request) {
        Ok(response) => {
            let (input, output) = (ContentJson::of(&request), ContentJson::of(&response));
            let content =
                ModelContent::new("my_provider", "my_model", input, output).variable("city", "Paris").cost(0.002);
            span.update(Update::new().status(Status::Success).content(content))?;
            trace.update(Status::Success)?;
            Ok(response)
        }
        Err(error) => {
            span.update(Status::Failure)?;
            trace.update(Update::new().status(Status::Failure).attribute("reason", error))?;
            Err(error.into())
        }
    }
}

/// Stands for a provider: tokens are counted by what it answers.
fn complete(request: &Value) -> Result<Value, &'static str> {
    if request["messages"][0]["content"] == "" {
        return Err("a message has no content");
    }
    Ok(json!({
        "choices": [{ "message": { "role": "assistant", "content": "24 degrees and sunny." } }],
        "usage": { "prompt_tokens": 19, "completion_tokens": 6, "total_tokens": 25 },
    }))
}
