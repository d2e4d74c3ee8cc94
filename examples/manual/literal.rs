//! As in Literal AI: runs of an agent and their steps, in a thread of a user, and scores of them.

use std::time::Duration;

use serde_json::json;
use traceable::{
    Attachment,
    literal::{Client, Generation, ScoreType, Step as _, StepType},
    traceable,
};

/// A conversation about a picture.
pub(crate) fn converse() {
    let client = Client::new().environment("dev").release("1.2.3");
    client.create_user("ada@example.com").metadata("plan", "team").send();

    let thread = client.thread("thread-7").participant_id("ada@example.com").name("Cats").tags(["support"]);
    let answer = thread.scope(|| {
        client.message("What is in this picture?").by_user().name("Ada").send();
        client.run("My Agent").input("question", "What is in this picture?").call(|agent| {
            agent.attach("picture", &Attachment::bytes("image/svg+xml", b"<svg/>"));
            let kinds = client.step("kinds", StepType::Retrieval).call(|step| {
                step.set_output(&["cat", "dog"]);
                ["cat", "dog"]
            });
            // A function with the attribute is a step, too.
            let kind = look(&kinds);
            agent.step("answer", StepType::Llm).tag("vision").call(|step| {
                let messages = json!([{ "role": "user", "content": format!("Say that it is a {kind}.") }]);
                let completion = json!({ "role": "assistant", "content": format!("It is a {kind}.") });
                let generation = Generation::chat(&messages, &completion)
                    .provider("my_provider")
                    .model("my_model")
                    .settings(&json!({ "temperature": 0.2 }))
                    .token_counts(12, 5)
                    .tt_first_token(Duration::from_millis(120));
                step.set_generation(&generation);
                step.score("conciseness", ScoreType::Code, 0.9).send();
            });
            agent.set_output(&format!("It is a {kind}."));
            agent.id()
        })
    });
    // Whoever read the answer may say something of it later, by the run's id.
    if let Some(run) = answer {
        client.create_score(run, "user-feedback", ScoreType::Human, 1).user("ada@example.com").comment("right").send();
    }
}

#[traceable(run_type = "tool")]
fn look<'a>(kinds: &[&'a str]) -> &'a str {
    kinds.first().copied().unwrap_or("riddle")
}
