//! As in OpenLIT and LangSmith: a guard that is a trace while it lives, and runs around a call.

use serde_json::{Value, json};
use traceable::{Usage, run, scope, start_trace};

/// Two calls of a model in one trace.
pub(crate) fn guess() {
    // What is said around runs holds for all of them.
    let _game = scope().thread("game-1").tag("game").enter();

    let trace = start_trace("guess the film");
    let line = complete("Return a one liner from any movie for me to guess");
    let film = complete(&format!("Guess movie from this line: {line}"));
    trace.set_result(&film);
    trace.set_metadata(&json!({ "attempt": 1, "genre": "drama" }));
}

/// A call of a model that somebody else wrote: a run around it says what goes in and what comes out.
fn complete(prompt: &str) -> String {
    let messages = json!([{ "role": "user", "content": prompt }]);
    run("chat").run_type("llm").provider("my_provider").model("my_model").input("messages", &messages).call(|call| {
        let reply = scripted(prompt);
        call.set_usage(&Usage::new(14, 9));
        call.set_outputs(&reply);
        reply["content"].as_str().unwrap_or_default().to_owned()
    })
}

fn scripted(prompt: &str) -> Value {
    let text = if prompt.starts_with("Guess") { "Casablanca" } else { "Here's looking at you, kid." };
    json!({ "role": "assistant", "content": text })
}
