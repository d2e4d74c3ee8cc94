//! Expectations that are met.

use std::panic::catch_unwind;

use futures::StreamExt as _;
use traceable::{
    export::{Batch, Exporter as _},
    model::{Attachment, AttachmentFor, RunChange},
    testing::{any, capture, capture_async, containing, json, partial},
};

use crate::agent::{add, answer, find, say};

#[tokio::test]
async fn an_agent_as_a_tree_and_run_by_run() {
    let recorded = capture_async(answer("Do you have assam")).await;

    recorded.expect_tree(
        "
        answer agent
          plan llm
          find tool
          find tool error
          say llm
        ",
    );
    let answer = recorded.expect("answer");
    answer.run_type("agent").input("question", "Do you have assam").output("I found 3 teas.").tag("shop").ok();
    answer.field("thread_id", "t-1").field("user", json!(null)).field("name", containing("answ"));

    let plan = answer.child("plan");
    plan.inputs(json!({ "question": any() })).usage(27, 13).metadata("temperature", 0.5);
    plan.output(partial(json!({ "tea": "assam", "content": containing("I look") })));
    plan.field("model", "gpt-4o").field("provider", any());

    let searches = recorded.expect_count("find", 2);
    searches[0].input("limit", 3).output(["assam 0", "assam 1", "assam 2"]).ok();
    searches[1].inputs(json!({ "tea": "coffee", "limit": 1 })).failed_with("no \"coffee\"");
    assert!(searches[0].run().duration().unwrap() >= 0);

    recorded.expect("say").streamed(4).output("I found 3 teas.").output(json!({ "output": "I found 3 teas." }));
    recorded.expect_none("add");
}

#[tokio::test]
async fn what_was_cut_off_is_cancelled_and_what_goes_on_is_pending() {
    let recorder = traceable::testing::Recorder::new();
    let mut open = recorder.scope(|| Box::pin(say(7)));
    recorder.scope_future(open.next()).await;
    recorder.expect_tree("say llm pending");
    recorder.expect("say").input("count", 7).field("end_time", json!(null));

    drop(open);
    recorder.expect_tree("say llm cancelled");
    recorder.expect("say").streamed(1).cancelled();
}

#[test]
fn a_panic_is_an_error_with_its_words_whoever_called_init() {
    let recorded = capture(|| catch_unwind(|| add(-1, 1)).unwrap_err());
    recorded.expect("add").failed_with("panicked: -1 is\ntoo small");
}

#[test]
fn what_a_closure_answers_is_nobodys_business() {
    capture(|| add(1, 2)).expect("add").output(3).inputs(json!({ "b": 2, "a": 1 }));
    assert!(capture(|| find("never awaited".into(), 1)).runs().is_empty());
}

#[tokio::test]
async fn a_file_belongs_to_its_run_whenever_it_comes() {
    let recorded = capture(|| add(1, 2));
    let run_id = recorded.run("add").id;
    let attachment = Attachment { name: "photo".into(), mime: "image/png".into(), ..Attachment::default() };
    let file = RunChange::Attachment(AttachmentFor { run_id, attachment });
    recorded.memory().clone().export(&Batch::new(vec![file])).await.unwrap();
    recorded.expect("add").attachment("photo", "image/png");
    assert!(recorded.snapshot().contains(r#""photo": "image/png, 0 bytes""#), "{}", recorded.snapshot());
}
