//! Tests of your own traces: record what a piece of code does, and say what you expect of it.
//!
//! With the feature `testing`, under `[dev-dependencies]`. A prompt that lost its system message, a tool that is called
//! twice, tokens that are no longer counted: nothing fails then but the trace.
//!
//! ```
//! use traceable::{testing, traceable};
//!
//! #[traceable(run_type = "tool")]
//! fn search(query: &str, limit: usize) -> Result<Vec<String>, String> {
//!     if query.is_empty() {
//!         return Err("an empty query".to_owned());
//!     }
//!     Ok(vec![query.to_uppercase(); limit])
//! }
//!
//! #[traceable(run_type = "agent", tags = ["shop"])]
//! fn answer(question: &str) -> usize {
//!     search(question, 2).map_or(0, |found| found.len()) + search("", 1).map_or(0, |found| found.len())
//! }
//!
//! // #[test]
//! fn an_answer_takes_two_searches() {
//!     let recorded = testing::capture(|| answer("tea"));
//!
//!     recorded.expect_tree(
//!         "
//!         answer agent
//!           search tool
//!           search tool error
//!         ",
//!     );
//!     recorded.expect("answer").input("question", "tea").output(2).tag("shop").ok();
//!     let searches = recorded.expect_count("search", 2);
//!     searches[0].output(["TEA", "TEA"]);
//!     searches[1].failed_with("empty query");
//! }
//! # an_answer_takes_two_searches();
//! ```
//!
//! A line of the tree is the name of a run, its kind where that is not `chain`, and its status where that is not `ok`.
//! An expectation that is not met says where:
//!
//! ```text
//! run `search`: unexpected inputs
//!
//! - expected
//! + actual
//!
//!   {
//! -   "limit": 3
//! +   "limit": 2
//!     "query": "tea"
//!   }
//!
//! recorded:
//!
//!     answer agent
//!       search tool   <--
//!       search tool error
//! ```
//!
//! # Async code
//!
//! ```
//! use traceable::testing::{any, capture_async, containing, json, partial};
//! use traceable::{InRunExt as _, traceable};
//!
//! #[traceable(run_type = "llm", metadata(ls_model_name = "gpt-4o"))]
//! async fn chat(prompt: String) -> serde_json::Value {
//!     json!({
//!         "id": "chatcmpl-7",
//!         "choices": [{ "message": { "role": "assistant", "content": "Tea, of course." } }],
//!         "usage": { "prompt_tokens": 27, "completion_tokens": 13, "total_tokens": 40 },
//!     })
//! }
//!
//! #[traceable]
//! async fn discuss(topic: &str) {
//!     let one = tokio::spawn(chat(format!("For {topic}?")).in_current_run());
//!     one.await.unwrap();
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! // #[tokio::test]
//! # async fn main() {
//! let recorded = capture_async(discuss("tea")).await;
//!
//! let chat = recorded.expect("discuss").child("chat");
//! chat.run_type("llm").input("prompt", containing("tea")).usage(27, 13).field("model", "gpt-4o");
//! chat.output(partial(json!({ "id": any(), "choices": [{ "message": { "role": "assistant" } }] })));
//! # }
//! ```
//!
//! [`any`], [`containing`] and [`partial`] leave open what a test does not want to fix. A stream has to be read in the
//! scope; [`ExpectedRun::streamed`] counts its chunks.
//!
//! # What is recorded
//!
//! The traces that begin in the scope, on its thread or in the polls of its future, whole: also what their runs start
//! on other threads and in other tasks, if the run is carried along by [`in_current_run`](crate::InRunExt), a
//! [`Context`](crate::Context) or [`wrap`](crate::wrap). A task that begins a trace of its own is recorded when its
//! future is put in the scope: `tokio::spawn(recorder.scope_future(task))`.
//!
//! Nothing has to be set up. Tests may run side by side, on any runtime or none; they do not see each other's runs, and
//! it is all the same whether another test calls [`init`](crate::init) or [`shutdown`](crate::shutdown), what its
//! destinations do, and what the environment says.
//!
//! # Snapshots
//!
//! [`Recorder::snapshot`] is a recording as text without what changes from one execution to the next, for
//! `insta::assert_snapshot!(recorded.snapshot())` and for what must never be recorded:
//!
//! ```
//! # use traceable::testing;
//! # let recorded = testing::capture(|| ());
//! assert!(!recorded.snapshot().contains("sk-"));
//! ```

pub use traceable_core::testing::*;
