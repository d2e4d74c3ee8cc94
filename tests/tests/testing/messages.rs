//! What an expectation says that is not met.

use std::panic::{AssertUnwindSafe, catch_unwind};

use insta::assert_snapshot;
use traceable::testing::{Recorder, any, capture, capture_async, containing, json, partial};

use crate::agent::{add, answer};

/// The message of an expectation that is not met, without colours, should a person look on.
fn message<T>(expectation: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(expectation()))).unwrap_err();
    let mut text = *panic.downcast::<String>().unwrap();
    for colour in ["\x1b[31m", "\x1b[32m", "\x1b[0m"] {
        text = text.replace(colour, "");
    }
    text
}

async fn recorded() -> Recorder {
    capture_async(answer("Do you have assam")).await
}

#[tokio::test]
async fn another_tree() {
    let recorded = recorded().await;
    assert_snapshot!(message(|| recorded.expect_tree(
        "
        answer agent
            plan llm
            find tool
            find tool
        "
    )), @r"
    unexpected runs

    - expected
    + actual

      answer agent
        plan llm
        find tool
    -   find tool
    +   find tool error
    +   say llm
    ");
}

#[tokio::test]
async fn another_value_and_where_it_stands() {
    let failed = recorded().await.expect_count("find", 2).remove(1);
    assert_snapshot!(message(|| failed.input("tea", "assam")), @r#"
    run `find`: unexpected inputs

    it failed: we sell no "coffee"

    - expected
    + actual

      {
        "limit": 1
    -   "tea": "assam"
    +   "tea": "coffee"
      }

    recorded:

        answer agent
          plan llm
          find tool
          find tool error   <--
          say llm
    "#);
}

/// The message without the tree below it.
fn difference<T>(expectation: impl FnOnce() -> T) -> String {
    let message = message(expectation);
    let (difference, tree) = message.split_once("\nrecorded:\n").unwrap();
    assert_eq!(tree.matches("   <--").count(), 1, "{tree}");
    difference.to_owned()
}

#[tokio::test]
async fn other_arguments_and_answers() {
    let recorded = recorded().await;
    let [plan, say] = ["plan", "say"].map(|name| recorded.expect(name));
    let failed = recorded.expect_count("find", 2).remove(1);
    assert_snapshot!(difference(|| say.inputs(json!({ "count": any(), "to": "me" }))), @r#"
    run `say`: unexpected inputs

    - expected
    + actual

      {
        "count": 3
    -   "to": "me"
      }
    "#);
    assert_snapshot!(difference(|| failed.output(any())), @r#"
    run `find`: unexpected output

    it failed: we sell no "coffee"

    - expected
    + actual

    - "[any]"
    + (nothing)
    "#);
    assert_snapshot!(difference(|| say.output("I found\n4 teas.")), @r"
    run `say`: unexpected output

    - expected
    + actual

    - I found
    - 4 teas.
    + I found 3 teas.
    ");
    assert_snapshot!(difference(|| plan.output(partial(json!({ "content": containing("coffee") })))), @r#"
    run `plan`: unexpected output

    - expected
    + actual

      {
    -   "content": "[containing \"coffee\"]"
    +   "content": "I look for tea.\nThen I answer."
        "role": "assistant"
        "tea": "assam"
        "usage_metadata": {
    "#);
}

#[tokio::test]
async fn other_facts() {
    let recorded = recorded().await;
    let [answer, plan, say] = ["answer", "plan", "say"].map(|name| recorded.expect(name));
    assert_snapshot!(difference(|| answer.run_type("chain")), @r#"
    run `answer`: unexpected run_type

    - expected
    + actual

    - "chain"
    + "agent"
    "#);
    assert_snapshot!(difference(|| plan.usage(27, 14)), @r#"
    run `plan`: unexpected usage

    - expected
    + actual

      {
        "input_tokens": 27
    -   "output_tokens": 14
    +   "output_tokens": 13
        "total_tokens": 40
      }
    "#);
    assert_snapshot!(difference(|| say.usage(27, 14)), @r#"
    run `say`: unexpected usage

    - expected
    + actual

    - {
    -   "input_tokens": 27
    -   "output_tokens": 14
    - }
    + (nothing)
    "#);
    assert_snapshot!(difference(|| answer.tag("kitchen")), @r#"
    run `answer`: unexpected tags

    - expected
    + actual

      [
    -   "kitchen"
        "shop"
      ]
    "#);
    assert_snapshot!(difference(|| plan.metadata("temperature", 1)), @r#"
    run `plan`: unexpected metadata

    - expected
    + actual

      {
        "ls_model_name": "gpt-4o"
        "ls_provider": "openai"
    -   "temperature": 1
    +   "temperature": 0.5
        "thread_id": "t-1"
      }
    "#);
    assert_snapshot!(difference(|| plan.attachment("photo", "image/png")), @r#"
    run `plan`: unexpected attachments

    - expected
    + actual

    - {
    -   "photo": "image/png"
    - }
    + {}
    "#);
    assert_snapshot!(difference(|| plan.field("model", "gpt-5")), @r#"
    run `plan`: unexpected model

    - expected
    + actual

    - "gpt-5"
    + "gpt-4o"
    "#);
    assert_snapshot!(difference(|| say.streamed(3)), @r"
    run `say`: unexpected number of chunks

    - expected
    + actual

    - 3
    + 4
    ");
    assert_snapshot!(difference(|| plan.streamed(3)), @r"
    run `plan`: unexpected number of chunks

    - expected
    + actual

    - 3
    + (nothing)
    ");
}

#[tokio::test]
async fn another_end() {
    let recorded = recorded().await;
    let failed = recorded.expect_count("find", 2).remove(1);
    assert_snapshot!(difference(|| failed.ok()), @r#"
    run `find`: unexpected status

    - expected
    + actual

    - ok
    + error: we sell no "coffee"
    "#);
    assert_snapshot!(difference(|| failed.failed_with("no tea")), @r#"
    run `find`: unexpected status

    - expected
    + actual

    - error: …no tea…
    + error: we sell no "coffee"
    "#);
    assert_snapshot!(difference(|| failed.cancelled()), @r#"
    run `find`: unexpected status

    - expected
    + actual

    - cancelled
    + error: we sell no "coffee"
    "#);
    let plan = recorded.expect("plan");
    assert_snapshot!(difference(|| plan.failed_with("timeout")), @r#"
    run `plan`: unexpected status

    - expected
    + actual

    - "error: …timeout…"
    + "ok"
    "#);
}

#[tokio::test]
async fn other_runs() {
    let recorded = recorded().await;
    assert_snapshot!(message(|| recorded.expect("plam")), @r"
    no run `plam`: is it `plan`?

    recorded:

        answer agent
          plan llm
          find tool
          find tool error
          say llm
    ");
    let first_line = |message: String| message.lines().next().unwrap_or_default().to_owned();
    let said = [
        message(|| recorded.expect("add")),
        message(|| recorded.expect("find")),
        message(|| recorded.expect("answer").child("add")),
        message(|| recorded.expect("answer").child("find")),
        message(|| recorded.expect("plan").child("answer")),
        message(|| recorded.expect_count("find", 3)),
        message(|| recorded.expect_none("plan")),
    ];
    assert_snapshot!(said.map(first_line).join("\n"), @r"
    no run `add`
    2 runs `find`: `expect_count` takes them all
    no run `add` below `answer`
    2 runs `find` below `answer`: `expect_count` takes them all
    no run `answer` below `plan`
    expected 3 runs `find`, recorded 2
    expected 0 runs `plan`, recorded 1
    ");
}

#[test]
fn nothing_at_all() {
    let recorded = capture(|| answer("never awaited"));
    assert_snapshot!(message(|| recorded.expect("answer")), @r"
    no run `answer`

    nothing was recorded: are the traced functions called in the scope, and their futures awaited there?
    ");
}

#[test]
fn the_place_of_a_panic_is_that_of_the_expectation() {
    use std::{cell::Cell, panic};

    thread_local!(static LINE: Cell<(bool, u32)> = const { Cell::new((false, 0)) });
    let recorded = capture(|| add(1, 2));
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().unwrap();
        LINE.set((place.file() == file!(), place.line()));
        before(info);
    }));
    let add = recorded.expect("add");
    let expectations: [(&dyn Fn(), u32); 6] = [
        (&|| drop(recorded.expect("sub")), line!()),
        (&|| recorded.expect_none("add"), line!()),
        (&|| recorded.expect_tree(""), line!()),
        (&|| drop(add.child("sub")), line!()),
        (&|| _ = add.input("a", 2), line!()),
        (&|| _ = add.cancelled(), line!()),
    ];
    for (expectation, line) in expectations {
        message(expectation);
        assert_eq!(LINE.get(), (true, line));
    }
}
