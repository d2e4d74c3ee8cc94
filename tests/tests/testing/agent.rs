//! A small agent to record.

use futures::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use traceable::{InRunExt as _, traceable};

#[traceable(run_type = "agent", tags = ["shop"], metadata(thread_id = "t-1"))]
pub(crate) async fn answer(question: &str) -> String {
    let tea = plan(question).await["tea"].as_str().unwrap_or_default().to_owned();
    let (found, lost) = (find(tea.clone(), 3), find("coffee".to_owned(), 1));
    // The first search runs as a task of its own.
    let found = tokio::spawn(found.in_current_run()).await.unwrap().unwrap();
    lost.await.unwrap_err();
    say(found.len()).map(|word| word.unwrap()).collect::<Vec<_>>().await.concat()
}

#[traceable(run_type = "llm", metadata(ls_provider = "openai", ls_model_name = "gpt-4o", temperature = 0.5_f32))]
pub(crate) async fn plan(question: &str) -> Value {
    tokio::task::yield_now().await;
    json!({
        "role": "assistant",
        "content": "I look for tea.\nThen I answer.",
        "tea": question.rsplit(' ').next(),
        "usage_metadata": { "input_tokens": 27, "output_tokens": 13, "total_tokens": 40 },
    })
}

#[traceable(run_type = "tool")]
pub(crate) async fn find(tea: String, limit: usize) -> Result<Vec<String>, String> {
    tokio::task::yield_now().await;
    if tea == "coffee" {
        return Err("we sell no \"coffee\"".to_owned());
    }
    Ok((0..limit).map(|n| format!("{tea} {n}")).collect())
}

#[traceable(run_type = "llm", reduce_fn = |words: Vec<String>| words.concat())]
pub(crate) fn say(count: usize) -> impl Stream<Item = Result<String, String>> {
    let text = format!("I found {count} teas.");
    stream::iter(text.split_inclusive(' ').map(|word| Ok(word.to_owned())).collect::<Vec<_>>())
}

#[traceable]
pub(crate) fn add(a: i64, b: i64) -> i64 {
    assert!(a >= 0, "{a} is\ntoo small");
    a + b
}
