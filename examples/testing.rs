//! How to test your own traces: what an agent asked its model, which tools it called, what that cost.
//!
//! `cargo test --example testing`, and `cargo run --example testing` to see the traces that are tested.

use futures::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use traceable::traceable;

/// What the agent asks. Here it is scripted; in your tests it is a mock of your provider.
#[traceable(run_type = "llm", metadata(ls_provider = "scripted", ls_model_name = "parrot-1"))]
async fn chat(messages: Vec<Value>) -> Value {
    let question = messages.last().map_or("", |message| message["content"].as_str().unwrap_or_default());
    let number = question.split(|letter: char| !letter.is_ascii_digit()).find(|word| !word.is_empty());
    let call = json!({ "name": "find_order", "arguments": { "number": number } });
    json!({
        "id": "chatcmpl-7f3a",
        "choices": [{ "message": { "role": "assistant", "tool_calls": [{ "type": "function", "function": call }] } }],
        "usage": { "prompt_tokens": 44, "completion_tokens": 8, "total_tokens": 52 },
    })
}

#[traceable(run_type = "tool")]
async fn find_order(number: &str) -> Result<&'static str, String> {
    match number {
        "1042" => Ok("assam"),
        _ => Err(format!("there is no order {number}")),
    }
}

#[traceable(run_type = "llm", reduce_fn = |words: Vec<String>| words.concat())]
fn tell(text: String) -> impl Stream<Item = String> {
    stream::iter(text.split_inclusive(' ').map(str::to_owned).collect::<Vec<_>>())
}

#[traceable(run_type = "agent", tags = ["orders"], metadata(thread_id = thread))]
async fn answer(question: &str, thread: &str) -> String {
    let system = json!({ "role": "system", "content": "You sell tea. Never speak of coffee." });
    let asked = chat(vec![system, json!({ "role": "user", "content": question })]).await;
    let call = &asked["choices"][0]["message"]["tool_calls"][0]["function"];
    let number = call["arguments"]["number"].as_str().unwrap_or_default();
    let text = match find_order(number).await {
        Ok(tea) => format!("Order {number} ({tea}) is on its way."),
        Err(error) => format!("I am sorry: {error}."),
    };
    tell(text).collect().await
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    traceable::init();

    answer("Where is order 1042?", "t-1").await;
    answer("Where is order 9999?", "t-1").await;
}

#[cfg(test)]
mod tests {
    use traceable::testing::{any, capture_async, containing, json, partial};

    use super::answer;

    #[tokio::test]
    async fn an_order_is_looked_up_and_told() {
        let recorded = capture_async(answer("Where is order 1042?", "t-1")).await;

        // What happened, in which order, and how it ended.
        recorded.expect_tree(
            "
            answer agent
              chat llm
              find_order tool
              tell llm
            ",
        );
        let answer = recorded.expect("answer");
        answer.output("Order 1042 (assam) is on its way.").tag("orders").field("thread_id", "t-1");

        // What the model was asked, what it answered, and what that cost. The id is another one every time.
        let chat = answer.child("chat");
        chat.input("messages", json!([{ "role": "system", "content": containing("tea") }, any()])).usage(44, 8);
        chat.output(partial(json!({ "id": any(), "choices": [{ "message": { "role": "assistant" } }] })));
        chat.field("model", "parrot-1");

        // What a tool was called with, and how the answer came in.
        recorded.expect("find_order").inputs(json!({ "number": "1042" })).output("assam");
        recorded.expect("tell").streamed(7);
    }

    #[tokio::test]
    async fn a_tool_that_fails_is_no_failure_of_the_agent() {
        let recorded = capture_async(answer("Where is order 9999?", "t-2")).await;

        recorded.expect("find_order").failed_with("no order 9999");
        recorded.expect("answer").output(containing("I am sorry")).ok();
    }

    #[tokio::test]
    async fn nobody_speaks_of_coffee() {
        let recorded = capture_async(answer("Is order 7 coffee?", "t-3")).await;

        // All that was recorded, without ids and times: also for `insta::assert_snapshot!`.
        let said = recorded.snapshot().replace("Never speak of coffee", "").replace("Is order 7 coffee?", "");
        assert!(!said.contains("coffee"), "{said}");
    }
}
