//! How fast runs become the body of a request to LangSmith, on one core: encoded, and encoded and compressed, beside the
//! compression alone.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use serde_json::json;
use traceable_core::model::{DottedOrder, Json, Run, RunChange, RunId, RunType, Usage};
use traceable_wire::{encoding::Encoding, langsmith::Encoder};

const BOUNDARY: &str = "b7dbe3d42dca402fb18fe22f4b848c92";
const PARCEL: usize = 100;

/// A number that looks like chance.
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (n ^ (n >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// What people ask and models answer, in pieces.
const SENTENCES: [&str; 20] = [
    "Where is my parcel, and when will it be here?",
    "The order left our warehouse in Leipzig on Monday.",
    "I would like to book a table for two near the window.",
    "He said \"not before noon\", so let us wait a little.",
    "The refund takes three to five working days.",
    "Could you summarise the report in four sentences?",
    "First, look at the units;\nthen carry the one.",
    "There is no film of that name in this week's programme.",
    "The function returns an error when the file is missing.",
    "Please answer in French, and keep the names as they are.",
    "A short walk from the station takes you to the old harbour.",
    "The second figure is the number of rooms, not of guests.",
    "We have found three documents that speak of the matter.",
    "Rain is expected in the afternoon, with some wind.",
    "Your account was opened last year in spring.",
    "None of the tools has an answer to this question.",
    "The price includes breakfast and the use of the pool.",
    "According to the manual, the lamp should blink twice.",
    "Let me check that for you; it will only take a moment.",
    "It depends on the size of the table and on the index.",
];

/// Runs of a tree of ten, with texts of so many sentences.
fn runs(sentences: u64) -> Vec<RunChange> {
    let text = |seed: u64| -> String {
        let sentence = |n: u64| SENTENCES[mix(seed * 977 + n) as usize % SENTENCES.len()];
        let numbered = |n: u64| format!("{} ({})", sentence(n), mix(seed + n) % 1_000);
        (0..sentences).map(numbered).collect::<Vec<_>>().join(" ")
    };
    let start = 1_790_000_000_000_000_000_i64;
    let root = RunId::new(start, 99, 0);
    let order = DottedOrder::root(start, root);
    (0..PARCEL as u64)
        .map(|n| {
            let at = start + n as i64 * 1_234_567;
            let id = RunId::new(at, mix(n) >> 22, n as u32);
            RunChange::End(Box::new(Run {
                id,
                trace_id: root,
                parent_id: Some(root),
                dotted_order: order.child(at, id),
                name: "answer".into(),
                run_type: RunType::Llm,
                start_time: at,
                end_time: Some(at + 800_000_000),
                inputs: Some(Json::from_value(&json!({ "question": text(n), "temperature": 0.2 }))),
                outputs: Some(Json::from_value(&json!({ "output": text(n + 7_919) }))),
                metadata: json!({ "ls_method": "traceable" }).as_object().unwrap().clone(),
                model: Some("gpt-4o".into()),
                usage: Some(Usage::new(27 + n, 13)),
                project: Some("film-club".into()),
                ..Run::default()
            }))
        })
        .collect()
}

/// The time that this thread has had a core, so that other programs do not count; where that is not told, the time.
fn core_time(start: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// How often a second of a core something can be done: the best of five tries.
fn rate(mut work: impl FnMut()) -> f64 {
    let one = || {
        let (start, mut times) = (Instant::now(), 0_u32);
        let begun = core_time(start);
        while start.elapsed() < Duration::from_millis(400) {
            for _ in 0..8 {
                work();
            }
            times += 8;
        }
        f64::from(times) / core_time(start).saturating_sub(begun).as_secs_f64()
    };
    std::iter::repeat_with(one).take(5).fold(0.0, f64::max)
}

fn main() {
    println!("one core; bodies of {PARCEL} runs that ended before they left");
    for sentences in [1, 14, 180] {
        let changes = runs(sentences);
        let mut bodies = Encoder::default();
        let mut encode = || bodies.multipart(&changes, BOUNDARY, 64 << 20).body;
        let body = encode();
        let mib = body.len() as f64 / f64::from(1 << 20);
        let smaller = |encoding: Encoding| body.len() as f64 / encoding.compress(body.clone()).unwrap().len() as f64;
        println!(
            "\n{} bytes a run on the wire before compression, which makes {:.1} times less of them (gzip) or {:.1} (zstd)",
            body.len() / PARCEL,
            smaller(Encoding::Gzip),
            smaller(Encoding::Zstd)
        );
        let encoded = rate(|| drop(black_box(encode())));
        println!("  encoded            {:>9.0} runs/s  {:>6.0} MiB/s", encoded * PARCEL as f64, encoded * mib);
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let alone = rate(|| drop(black_box(encoding.compress(body.clone()).unwrap())));
            let both = rate(|| drop(black_box(encoding.compress(encode()).unwrap())));
            println!(
                "  encoded and {:<6} {:>9.0} runs/s  {:>6.0} MiB/s, {:.2} of the compression alone",
                encoding.name(),
                both * PARCEL as f64,
                both * mib,
                both / alone
            );
        }
    }
}
