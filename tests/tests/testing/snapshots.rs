//! Recordings as text that stays the same.

use std::panic::catch_unwind;

use futures::StreamExt as _;
use insta::assert_snapshot;
use serde_json::json;
use traceable::{
    testing::{Recorder, capture, capture_async},
    traceable,
};

use crate::agent::{add, answer};

#[tokio::test]
async fn an_agent() {
    assert_snapshot!(capture_async(answer("Do you have assam")).await.snapshot(), @r#"
    - answer agent
        inputs: {
          "question": "Do you have assam"
        }
        metadata: {
          "thread_id": "t-1"
        }
        outputs: {
          "output": "I found 3 teas."
        }
        tags: [
          "shop"
        ]
        thread_id: "t-1"
      - plan llm
          inputs: {
            "question": "Do you have assam"
          }
          metadata: {
            "ls_model_name": "gpt-4o",
            "ls_provider": "openai",
            "temperature": 0.5,
            "thread_id": "t-1"
          }
          model: "gpt-4o"
          outputs: {
            "content": "I look for tea.\nThen I answer.",
            "role": "assistant",
            "tea": "assam",
            "usage_metadata": {
              "input_tokens": 27,
              "output_tokens": 13,
              "total_tokens": 40
            }
          }
          provider: "openai"
          thread_id: "t-1"
          usage: {
            "input_tokens": 27,
            "output_tokens": 13,
            "total_tokens": 40
          }
      - find tool
          inputs: {
            "limit": 3,
            "tea": "assam"
          }
          metadata: {
            "thread_id": "t-1"
          }
          outputs: {
            "output": [
              "assam 0",
              "assam 1",
              "assam 2"
            ]
          }
          thread_id: "t-1"
      - find tool error
          error: "we sell no \"coffee\""
          inputs: {
            "limit": 1,
            "tea": "coffee"
          }
          metadata: {
            "thread_id": "t-1"
          }
          thread_id: "t-1"
      - say llm
          events: [
            {
              "name": "new_token",
              "time": "[time]"
            }
          ]
          inputs: {
            "count": 3
          }
          metadata: {
            "thread_id": "t-1"
          }
          outputs: {
            "output": "I found 3 teas."
          }
          stream: {
            "chunks": 4
          }
          thread_id: "t-1"
    "#);
}

#[traceable(raw_chunks)]
fn letters(text: &str) -> impl futures::Stream<Item = char> + use<> {
    futures::stream::iter(text.chars().collect::<Vec<_>>())
}

#[traceable]
fn parent() {
    let run = traceable::current();
    run.add_event("looked", &json!({ "at": run.id().unwrap(), "z": 1, "a": 2 }));
    run.add_metadata("link", &format!("https://example.org/{}?x", run.trace_id().unwrap()));
    catch_unwind(|| add(-1, 1)).unwrap_err();
}

#[tokio::test]
async fn what_changes_is_left_out() {
    let once = async || {
        let recorder = Recorder::new();
        recorder.scope(parent);
        recorder.scope_future(async { letters("ab").collect::<String>().await }).await;
        recorder.snapshot()
    };
    let snapshot = once().await;
    assert_snapshot!(snapshot, @r#"
    - parent
        events: [
          {
            "data": {
              "a": 2,
              "at": "[id]",
              "z": 1
            },
            "name": "looked",
            "time": "[time]"
          }
        ]
        metadata: {
          "link": "https://example.org/[id]?x"
        }
        outputs: {
          "output": null
        }
      - add error
          error: "panicked: -1 is\ntoo small ([source])"
          inputs: {
            "a": -1,
            "b": 1
          }
          metadata: {
            "link": "https://example.org/[id]?x"
          }
    - letters
        inputs: {
          "text": "ab"
        }
        outputs: {
          "output": [
            "a",
            "b"
          ]
        }
        stream: {
          "chunks": 2,
          "raw": [
            [
              "[time]",
              "a"
            ],
            [
              "[time]",
              "b"
            ]
          ]
        }
    "#);
    assert_eq!(snapshot, once().await);
}

#[test]
fn nothing() {
    assert_eq!(capture(|| ()).snapshot(), "");
}
