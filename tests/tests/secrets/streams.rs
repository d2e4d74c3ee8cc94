//! Secrets that streams split at every place, in the whole answer and in what live views see.

use futures::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use traceable::{
    Redaction, Run,
    model::{Json, Progress, RunChange, StreamInfo},
    testing::Recorder,
    traceable,
};

use crate::generator::{KINDS, Planted, assert_absent, planted};

/// One of each kind.
fn one_of_each() -> Vec<Planted> {
    let mut all = planted();
    all.truncate(KINDS);
    all
}

/// The chunks of providers, around a piece of the text.
const SHAPES: [fn(&str) -> Value; 4] = [
    |text| json!(text),
    |text| json!({ "id": "c-1", "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }] }),
    |text| json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } }),
    |text| json!({ "choices": [{ "delta": { "tool_calls": [{ "index": 0, "function": { "arguments": text } }] } }] }),
];

/// The texts of a list of chunks, one behind the other.
fn joined(chunks: &Value) -> String {
    fn collect(value: &Value, all: &mut String) {
        match value {
            Value::String(text) => all.push_str(text),
            Value::Array(values) => values.iter().for_each(|value| collect(value, all)),
            Value::Object(members) => members.values().for_each(|value| collect(value, all)),
            _ => {}
        }
    }
    let mut all = String::new();
    for name in ["content", "text", "arguments"] {
        fn named(value: &Value, name: &str, all: &mut String) {
            match value {
                Value::Array(values) => values.iter().for_each(|value| named(value, name, all)),
                Value::Object(members) => {
                    for (known, value) in members {
                        if known == name { collect(value, all) } else { named(value, name, all) }
                    }
                }
                _ => {}
            }
        }
        named(chunks, name, &mut all);
    }
    if all.is_empty() {
        collect(chunks, &mut all);
    }
    all
}

/// Two chunks for each place that the text can be split at, three for some, and every letter by itself.
fn splits(text: &str) -> Vec<Vec<&str>> {
    let two = (0..=text.len()).map(|at| vec![&text[..at], &text[at..]]);
    let three = (0..text.len()).step_by(3).map(|at| vec![&text[..at], &text[at..=at], &text[at + 1..]]);
    let letters = std::iter::once((0..text.len()).map(|at| &text[at..=at]).collect());
    two.chain(three).chain(letters).collect()
}

#[test]
fn no_split_hides_a_secret() {
    let redactor = Redaction::default().build().unwrap();
    for planted in one_of_each() {
        let text = format!("it is {} so", planted.text);
        for (number, pieces) in splits(&text).into_iter().enumerate() {
            let chunks: Vec<Value> = pieces.iter().map(|piece| SHAPES[number % SHAPES.len()](piece)).collect();
            let raw = chunks.iter().zip(1..).map(|(chunk, time)| (time, Json::from_value(chunk))).collect();
            let run = Run {
                outputs: Some(Json::from_value(&json!({ "output": chunks }))),
                stream: Some(StreamInfo { chunks: chunks.len() as u64, raw, ..StreamInfo::default() }),
                ..Run::default()
            };
            let mut change = RunChange::End(Box::new(run));
            redactor.redact(&mut change);
            let run = change.run().unwrap();
            let outputs = run.outputs.as_ref().unwrap().to_value()["output"].clone();
            let raw: Value = run.stream.as_ref().unwrap().raw.iter().map(|(_, chunk)| chunk.to_value()).collect();
            for list in [&outputs, &raw] {
                let text = joined(list);
                assert_absent(&text, &[&planted.secret], planted.kind);
                assert!(text.starts_with("it is ") && text.contains("[redacted"), "{}: {text}", planted.kind);
                // Nothing but texts has changed.
                assert_eq!(list.as_array().unwrap().len(), chunks.len());
            }
            let times: Vec<i64> = run.stream.as_ref().unwrap().raw.iter().map(|(time, _)| *time).collect();
            assert_eq!(times, (1..=chunks.len() as i64).collect::<Vec<_>>());
        }
    }
}

fn without_marks(text: &str) -> String {
    let behind = |part: &str| part.split_once(']').map_or(String::new(), |(_, behind)| behind.to_owned());
    let (first, rest) = text.split_once("[redacted").unwrap_or((text, ""));
    first.to_owned() + &rest.split("[redacted").map(behind).collect::<String>()
}

/// What live views have seen of a text at any time must hold no more of a secret than the beginning that many words have.
#[test]
fn live_views_see_no_beginning_of_a_secret() {
    let redactor = Redaction::default().build().unwrap();
    for planted in one_of_each() {
        let text = format!("it is {} so", planted.text);
        for end in 1..text.len() {
            let so_far = &text[..end];
            let letters: Vec<&str> = (0..end).map(|at| &so_far[at..=at]).collect();
            // At every length as a text, and by turns as chunks.
            let chunks = match end % 4 {
                0 => Some(json!(letters)),
                2 => Some(letters.iter().map(|letter| SHAPES[1](letter)).collect()),
                _ => None,
            };
            for outputs in [json!({ "role": "assistant", "content": so_far })].into_iter().chain(chunks) {
                let (id, trace_id) = Default::default();
                let progress = Progress { id, trace_id, time: 0, chunks: 1, outputs: Some(Json::from_value(&outputs)) };
                let mut change = RunChange::Progress(progress);
                redactor.redact(&mut change);
                let RunChange::Progress(Progress { outputs: Some(seen), .. }) = change else { panic!() };
                let seen = without_marks(&joined(&seen.to_value()));
                let shown =
                    (1..=planted.secret.len()).take_while(|length| seen.contains(&planted.secret[..*length])).count();
                // A few letters stand in many words, and the number of a bot is public.
                let allowed = if planted.kind == "telegram" { 13 } else { 3 };
                assert!(shown <= allowed, "{}: {seen:?} of {so_far:?}", planted.kind);
            }
        }
    }
}

#[traceable(run_type = "llm", skip(pieces), raw_chunks)]
fn streamed(pieces: Vec<String>) -> impl Stream<Item = String> {
    stream::iter(pieces)
}

#[traceable(run_type = "llm", skip(pieces), reduce_fn = |pieces: Vec<String>| pieces.concat())]
fn reduced(pieces: Vec<String>) -> impl Stream<Item = String> {
    stream::iter(pieces)
}

#[test]
fn streams_through_the_runtime_have_no_secrets() {
    let recorder = Recorder::new();
    let all = one_of_each();
    for planted in &all {
        let pieces: Vec<String> =
            planted.text.as_bytes().chunks(3).map(|piece| String::from_utf8_lossy(piece).into()).collect();
        recorder.scope(|| {
            let mut open = Box::pin(streamed(pieces.clone()));
            futures::executor::block_on(async {
                for _ in 0..pieces.len() / 2 {
                    open.next().await;
                }
                // Announces the run and sends what has come so far.
                recorder.flush();
                open.by_ref().for_each(|_| std::future::ready(())).await;
            });
            futures::executor::block_on(reduced(pieces.clone()).for_each(|_| std::future::ready(())));
        });
    }
    let changes = recorder.changes();
    assert!(changes.iter().any(|change| matches!(change, RunChange::Progress(_))));
    for change in &changes {
        let outputs = match change {
            RunChange::Progress(progress) => progress.outputs.iter().map(Json::to_value).collect(),
            change => change.run().unwrap().outputs.iter().map(Json::to_value).collect::<Vec<_>>(),
        };
        let raw = change
            .run()
            .and_then(|run| run.stream.as_ref())
            .map(|stream| stream.raw.iter().map(|(_, chunk)| chunk.to_value()).collect::<Value>());
        for value in outputs.iter().chain(&raw) {
            let secrets: Vec<_> = all.iter().map(|planted| planted.secret.as_str()).collect();
            assert_absent(&joined(value), &secrets, "stream");
        }
    }
}
