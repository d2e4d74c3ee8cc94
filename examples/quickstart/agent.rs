//! The agent: plans, uses tools and looks into the notes at the same time, answers.

use futures::{Stream, TryStreamExt as _, future::join_all};
use traceable::{RunId, traceable};

use crate::{
    error::Error,
    model::{Endpoint, Message},
    notes::{self, Document},
    tools,
};

const INSTRUCTIONS: &str = "You answer for a small tea shop, in two or three sentences. Use the tools for orders and \
                            stock. Rely on what the tools and the notes say, and on nothing else.";

/// Answers a question. The run ends with the stream, and its output is the whole answer. `begun` is told the run's id: the
/// same that is exported, so feedback and links can name it.
#[traceable(inputs(question), tags = ["quickstart"], reduce_fn = |pieces: Vec<String>| pieces.concat())]
pub async fn answer(
    endpoint: &Endpoint,
    model: &str,
    question: &str,
    begun: impl FnOnce(Option<RunId>),
) -> Result<impl Stream<Item = Result<String, Error>>, Error> {
    begun(traceable::current().id());
    let mut messages = vec![Message::new("system", INSTRUCTIONS), Message::new("user", question)];

    let plan = plan(endpoint, model, messages.clone()).await?;
    let calls = plan.tool_calls.as_deref().unwrap_or_default();
    // Side by side here, and side by side in the tree.
    let (results, documents) = tokio::join!(join_all(calls.iter().map(tools::call)), notes::search(question, 2));
    if !results.is_empty() {
        messages.push(plan);
        messages.extend(results);
    }
    messages.extend(found(&documents));

    let chunks = endpoint.chat_stream(messages, model).await?;
    Ok(chunks.map_ok(|chunk| chunk.text().to_owned()))
}

/// Has the model choose tools.
#[traceable(skip(endpoint))]
async fn plan(endpoint: &Endpoint, model: &str, messages: Vec<Message>) -> Result<Message, Error> {
    let completion = endpoint.chat(messages, model, tools::described()).await?;
    Ok(completion.choices.into_iter().next().map(|choice| choice.message).unwrap_or_default())
}

/// What the notes say, as a message; none if they say nothing.
fn found(documents: &[Document]) -> Option<Message> {
    let passages: Vec<&str> = documents.iter().map(|document| document.page_content.as_str()).collect();
    let passages = passages.join("\n\n");
    (!documents.is_empty()).then(|| Message::new("system", format!("From the notes of the shop:\n\n{passages}")))
}
