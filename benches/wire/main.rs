//! How many runs a second one core says as spans, and reads back. Run by hand:
//! `cargo bench -p traceable-benches --bench wire`.
//!
//! Batches of 100 runs, over and over for a second each; the fastest tenth of the batches counts, for others share the
//! machine.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use serde_json::json;
use traceable_core::model::{DottedOrder, Json, Run, RunChange, RunId, Status, Usage};
use traceable_wire::otlp::{Convention, Conventions, Encoder, MAX_BYTES, Resource, decode_traces};

const BATCH: u32 = 100;
const START: i64 = 1_717_171_717_000_000_000;

const TEXT: &str = "The quick brown fox says \"jump\" over the lazy dog. ";

/// A call of a model with a question and an answer of so many bytes each.
fn call(number: u32, bytes: usize) -> RunChange {
    let text: String = TEXT.chars().cycle().take(bytes).collect();
    let root = RunId::new(START, 1, 0);
    let id = RunId::new(START, 1, number + 1);
    let inputs = json!({ "model": "gpt-4o", "messages": [{ "role": "user", "content": text }], "temperature": 0.2 });
    let outputs =
        json!({ "choices": [{ "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }] });
    RunChange::End(Box::new(Run {
        id,
        trace_id: root,
        parent_id: Some(root),
        dotted_order: DottedOrder::root(START, root).child(START, id),
        name: "answer".into(),
        run_type: "llm".into(),
        start_time: START,
        end_time: Some(START + 1_000_000),
        status: Status::Ok,
        inputs: Some(Json::from_value(&inputs)),
        outputs: Some(Json::from_value(&outputs)),
        provider: Some("openai".into()),
        model: Some("gpt-4o".into()),
        usage: Some(Usage::new(27, 13)),
        project: Some("bench".into()),
        ..Run::default()
    }))
}

/// A step with inputs and outputs of so many bytes each.
fn step(number: u32, bytes: usize) -> RunChange {
    let RunChange::End(run) = call(number, 0) else { unreachable!() };
    let text: String = TEXT.chars().cycle().take(bytes).collect();
    let inputs = Some(Json::from_value(&json!({ "question": text })));
    let outputs = Some(Json::from_value(&json!({ "output": text })));
    let (provider, model, usage) = (None, None, None);
    RunChange::End(Box::new(Run { run_type: "chain".into(), inputs, outputs, provider, model, usage, ..*run }))
}

/// Microseconds for a run, in the fastest tenth of the batches of a second.
fn micros(mut batch: impl FnMut()) -> f64 {
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < Duration::from_secs(1) {
        let start = Instant::now();
        batch();
        times.push(start.elapsed());
    }
    times.sort();
    times[times.len() / 10].as_secs_f64() * 1e6 / f64::from(BATCH)
}

fn main() {
    let genai = Conventions::of(&[Convention::GenAi]);
    println!(
        "{:<22} {:<22} {:>9} {:>12} {:>9} {:>12}",
        "runs", "conventions", "µs out", "spans/s", "µs in", "bytes/span"
    );
    let batches: [(&str, Vec<RunChange>); 4] = [
        ("step, 2 × 20 B", (0..BATCH).map(|number| step(number, 20)).collect()),
        ("step, 2 × 0.8 kB", (0..BATCH).map(|number| step(number, 800)).collect()),
        ("call, 2 × 100 B", (0..BATCH).map(|number| call(number, 100)).collect()),
        ("call, 2 × 1.7 kB", (0..BATCH).map(|number| call(number, 1_700)).collect()),
    ];
    for (name, changes) in &batches {
        for conventions in [genai, Conventions::default()] {
            let mut encoder = Encoder::new(conventions, Resource::default());
            let out = micros(|| drop(black_box(encoder.encode(black_box(changes), MAX_BYTES))));
            let requests = encoder.encode(changes, MAX_BYTES).requests;
            let bytes: usize = requests.iter().map(|request| request.body.len()).sum();
            let read = micros(|| {
                for request in &requests {
                    drop(black_box(decode_traces(black_box(&request.body))));
                }
            });
            let (names, each) = (conventions.to_string(), bytes / BATCH as usize);
            println!("{name:<22} {names:<22} {out:>9.2} {:>12.0} {read:>9.2} {each:>12}", 1e6 / out);
        }
    }
}
