//! Secrets and people's data: credentials are found by themselves, wherever they stand; for the rest, one word beside the
//! function or in the settings will do. Nothing of it reaches a destination, and what a call costs is still counted.
//!
//! `cargo run --example redaction`

use std::error::Error;

use futures::{Stream, StreamExt as _, stream};
use serde::Serialize;
use serde_json::{Value, json};
use traceable::{Redaction, Secret, exporters::Console, traceable};

#[derive(Serialize)]
struct Login<'a> {
    user: &'a str,
    /// Secret by its name.
    api_key: &'a str,
    /// Secret by its type: also for `{:?}`, in logs and in files.
    pin: Secret<u32>,
}

/// Found in arguments and outputs: by the names of fields, and by the formats that providers publish.
#[traceable(run_type = "tool")]
fn sign_in(login: &Login) -> String {
    format!("postgres://desk:{}@localhost/cases", login.pin.expose())
}

/// Found in errors, of which the text is somebody else's.
#[traceable(run_type = "tool")]
fn look_up(case: &str) -> Result<String, String> {
    Err(format!("GET /{case} was answered 401, to `Authorization: Bearer b3BlbiBzZXNhbWU5MQ`"))
}

/// Found in streams, also where the pieces split it.
#[traceable(run_type = "llm", raw_chunks, reduce_fn = |pieces: Vec<&str>| pieces.concat())]
fn explain(error: &str) -> impl Stream<Item = &'static str> {
    stream::iter(["Set AWS_ACCESS_KEY_ID to AKIA", "IOSFODNN7", "EXAMPLE", ", and try again."])
}

/// What nobody can tell from other text: this argument is not even looked at.
#[traceable(run_type = "tool", redact(illness))]
fn file(case: &str, illness: &str) -> usize {
    illness.len()
}

/// Nothing of what is asked and answered here, or anywhere below. Usage, time and errors stay.
#[traceable(run_type = "llm", content = none)]
fn advise(messages: &[Value]) -> Value {
    json!({
        "choices": [{ "message": { "role": "assistant", "content": "Take a week off, and drink linden tea." } }],
        "usage": { "prompt_tokens": 31, "completion_tokens": 9, "total_tokens": 40 },
    })
}

#[traceable(run_type = "agent")]
async fn handle(mail: &str) -> String {
    sign_in(&Login { user: "desk", api_key: "oolong-7-sencha-3", pin: Secret::new(471_108) });
    let case = "case-204817";
    let answer = match look_up(case) {
        Ok(page) => page,
        Err(error) => explain(&error).collect::<Vec<_>>().await.concat(),
    };
    file(case, "a cold that would not go");
    advise(&[json!({ "role": "user", "content": "I have a cold that would not go." })]);
    answer
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Credentials need no setting. People's data is another matter: it is often what the work is about.
    let redaction = Redaction::default().emails().pattern(r"\bcase-[0-9]{6}\b");
    traceable::builder()?.redaction(redaction).exporter(Console::new()).init()?;

    handle("Ann Lee <ann.lee@example.com> asks about case-204817.").await;
    Ok(())
}
