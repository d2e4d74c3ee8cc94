//! As in NeuralTrust: a conversation is a trace, and what happens in it are events, each below the one that it is a part of.

use std::num::ParseIntError;

use traceable::neuraltrust::{Client, Event, Metadata, User};

/// A conversation of two messages, of which the second fails.
pub(crate) fn converse() {
    let client = Client::new();
    let trace = client
        .trace("conv_123")
        .session("session_123")
        .user(User::new("user_123"))
        .metadata(Metadata { environment: "production", ..Metadata::default() });

    let system = trace.system("Initializing cache");
    system.end("Cache warmed up");

    for question in ["7 days of rain, how many hours?", "seven days of sun, how many hours?"] {
        let message = trace.message(question);
        match answer(&message, question) {
            Ok(answer) => message.end(answer),
            Err(error) => message.fail(error),
        }
    }
    trace.feedback("THUMBS_UP").text("User marked response as helpful");
}

fn answer(message: &Event, question: &str) -> Result<String, ParseIntError> {
    let agent = message.agent("Planning next action");
    // Nested as deep as it goes: an event below an event.
    let tool = agent.tool("Reading the number of days");
    let number = question.split(' ').next().unwrap_or_default();
    let days: u32 = number.parse().inspect_err(|error| tool.fail(error))?;
    tool.end(days);
    agent.end("Decided to multiply");

    let generation = message.generation("Creating explanation");
    generation.set_model("my_provider", "my_model");
    let answer = format!("Bot: {} hours", days * 24);
    generation.end(&answer);
    Ok(answer)
}
