//! Threads and users: every run of a conversation knows which one it belongs to and who takes part, and what people think
//! of an answer goes beside it.
//!
//! `cargo run --example conversation`

use std::io::{self, Write as _};

use traceable::{RunId, ScoreSource, ScoreTarget, feedback, scope, traceable};

/// An answer, with the id that a backend knows it by: whoever shows it can send back what its reader thought of it.
struct Answer {
    text: String,
    run: Option<RunId>,
}

#[traceable(run_type = "agent", outputs = off)]
fn reply(message: &str) -> Answer {
    let text = match search(message) {
        Some(page) => format!("{page} Is that what you meant?"),
        None => "I do not know.".to_owned(),
    };
    let run = traceable::current();
    run.set_result(&text);
    Answer { text, run: run.id() }
}

#[traceable(run_type = "retriever")]
fn search(words: &str) -> Option<&'static str> {
    ["Jasmine is steeped for two minutes.", "Assam is steeped for four minutes."]
        .into_iter()
        .find(|page| words.split([' ', '?']).any(|word| !word.is_empty() && page.starts_with(word)))
}

/// One request of a service: the conversation's id comes from the application, the user's from its session.
fn handle(conversation: &str, user: &str, message: &str) -> Answer {
    scope().thread(conversation).user(user).metadata("channel", "web").tag("support").call(|| reply(message))
}

fn main() -> io::Result<()> {
    traceable::init();

    // What is known of the conversation and of the user may be said at any time, and again.
    traceable::user("ada@example.com").metadata("plan", "pro").send();
    traceable::thread("chat-7").name("How long is tea steeped?").user("ada@example.com").send();

    let mut out = io::stdout();
    let first = handle("chat-7", "ada@example.com", "How long for Jasmine?");
    writeln!(out, "{}", first.text)?;
    let second = handle("chat-7", "ada@example.com", "And Oolong?");
    writeln!(out, "{}", second.text)?;

    // A thumb under an answer, a judgement of a program, and one of the whole conversation.
    if let (Some(liked), Some(judged)) = (first.run, second.run) {
        feedback(liked, "reader").thumbs("THUMBS_UP").user("ada@example.com").send();
        feedback(judged, "found_a_page").score(0.0).comment("nothing on Oolong").source(ScoreSource::Code).send();
    }
    feedback(ScoreTarget::Thread("chat-7".into()), "solved").score(0.5).source(ScoreSource::Human).send();
    Ok(())
}
