//! Tasks and threads: a run's children are found by themselves within a task; what leaves it takes the run along.
//!
//! `cargo run --example threads`

use std::time::Duration;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use tokio::{
    task::{JoinError, spawn_blocking},
    time::sleep,
};
use traceable::{Context, InRunExt as _, traceable};

#[traceable]
async fn research(question: &'static str) -> Result<Option<String>, JoinError> {
    // To another task: say it on the future.
    let pages = tokio::spawn(fetch("rivers").in_current_run()).await?;
    // To another thread: wrap the closure.
    spawn_blocking(traceable::wrap(move || best(question, &pages))).await
}

#[traceable(run_type = "retriever")]
async fn fetch(topic: &str) -> Vec<&'static str> {
    sleep(Duration::from_millis(20)).await;
    vec!["The Rhine is long.", "The Elbe is longer than the Weser.", "Lakes do not run."]
}

#[traceable]
fn best(question: &str, pages: &[&str]) -> Option<String> {
    // To a pool: take the context once, enter it wherever the work is done.
    let context = Context::current();
    let scored = pages.par_iter().map(|page| (context.scope(|| score(question, page)), *page));
    scored.max().map(|(_, page)| page.to_owned())
}

#[traceable(run_type = "reranker")]
fn score(question: &str, page: &str) -> usize {
    question.split(' ').filter(|word| page.contains(word)).count()
}

#[tokio::main]
async fn main() -> Result<(), JoinError> {
    traceable::init();
    research("Which river is longer than the Weser").await?;
    Ok(())
}
