//! How fast the store takes runs in, beside a bare loop of inserts into the same tables, and how long questions take.
//!
//! `cargo bench --bench store`; `TRACEABLE_BENCH_RUNS` says how many runs (100 000), `TRACEABLE_BENCH_STORE` which folder to
//! keep.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};
use serde_json::json;
use traceable_core::model::{Json, Run, RunChange, RunId, RunType, Status, StreamInfo, Usage};
use traceable_store::{Field, List, Of, Query, StatsBy, Store};

/// A moment in 2026.
const NOW: i64 = 1_780_000_000_000_000_000;

const BATCH: usize = 100;
const TRACE: u64 = 10;

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// About so many bytes of words, of which some are common and most are rare.
fn prose(state: &mut u64, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        let dice = random(state) % 1_000;
        let word = dice * dice * (random(state) % 30) / 1_000;
        write!(text, "w{word} ").unwrap();
    }
    text
}

/// The runs of number `n`: every tenth is the root of a trace.
fn run(n: u64) -> Run {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let start_of = |n: u64| NOW + n as i64 * 20_000_000;
    let id = |n: u64| RunId::new(start_of(n), 42, n as u32);
    let (root, is_root) = (n - n % TRACE, n.is_multiple_of(TRACE));
    let is_call = n % 3 == 1;
    let start_time = start_of(n);
    let latency = (random(&mut state) % 4_000) as i64 * 1_000_000;
    let ask = prose(&mut state, 1_000);
    let answer = prose(&mut state, 900);
    let model = ["gpt-4o", "gpt-4o-mini", "claude-sonnet"][random(&mut state) as usize % 3];
    let metadata =
        json!({ "region": format!("r{}", random(&mut state) % 20), "request": format!("q{root}"), "build": "7f3a" });
    let failed = random(&mut state).is_multiple_of(50);
    Run {
        id: id(n),
        trace_id: id(root),
        parent_id: (!is_root).then(|| id(root)),
        name: if is_root {
            "handle"
        } else if is_call {
            "chat"
        } else {
            ["search", "rank", "fetch"][n as usize % 3]
        }
        .into(),
        run_type: if is_call { RunType::Llm } else { RunType::Chain },
        start_time,
        end_time: Some(start_time + latency),
        status: if failed { Status::Error } else { Status::Ok },
        error: failed.then(|| "connection reset".into()),
        inputs: Some(Json::from_value(&json!({ "messages": [{ "role": "user", "content": ask }] }))),
        outputs: Some(Json::from_value(&json!({ "message": { "role": "assistant", "content": answer } }))),
        stream: is_call.then(|| StreamInfo { first_chunk: start_time + latency / 4, ..StreamInfo::default() }),
        tags: vec![if n.is_multiple_of(5_000) { "rare" } else { "common" }.into()],
        metadata: metadata.as_object().unwrap().clone(),
        model: is_call.then(|| model.into()),
        usage: is_call.then(|| Usage::new(250, 220).with_total_cost(0.002)),
        project: Some("bench".into()),
        thread_id: Some(format!("t{}", root / 50)),
        user: Some(format!("u{}", root % 1_000)),
        ..Run::default()
    }
}

fn batch(from: u64) -> Vec<RunChange> {
    (from..from + BATCH as u64).map(|n| RunChange::End(Box::new(run(n)))).collect()
}

/// Asks, and answers how many rows came.
type Question = Box<dyn Fn(&Store) -> usize>;

/// Runs a second.
fn rate(runs: u64, took: Duration) -> f64 {
    runs as f64 / took.as_secs_f64()
}

/// A loop that knows nothing: the row with the same columns and indexes, and the body as it is.
fn bare(path: &Path, runs: u64) -> Duration {
    drop(Store::open(path).unwrap());
    let mut connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "synchronous", "NORMAL").unwrap();
    connection.pragma_update(None, "cache_size", -16_384).unwrap();
    connection.execute("INSERT INTO projects VALUES (1, 'bench', 0)", []).unwrap();
    let mut took = Duration::ZERO;
    for from in (0..runs).step_by(BATCH) {
        let batch: Vec<_> = (from..from + BATCH as u64)
            .map(|n| {
                let run = run(n);
                let body = serde_json::to_vec(&run).unwrap();
                (n as i64 + 1, run, body)
            })
            .collect();
        let begun = Instant::now();
        let tx = connection.transaction().unwrap();
        for (n, run, body) in &batch {
            let id = |id: RunId| id.as_u128().to_be_bytes();
            let usage = run.usage.clone().unwrap_or_default();
            let preview = &run.inputs.as_ref().unwrap().as_str()[..200];
            tx.prepare_cached(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, NULL, ?, NULL, NULL, ?, ?, ?, ?,
                    '[\"common\"]', 0, ?, ?)",
            )
            .unwrap()
            .execute(params![
                n,
                id(run.id),
                id(run.trace_id),
                run.parent_id.map(id),
                run.parent_id.is_none(),
                run.name,
                run.run_type.as_str(),
                run.status.as_str(),
                run.start_time,
                run.end_time,
                run.duration(),
                run.time_to_first_chunk(),
                run.error,
                run.model,
                run.thread_id,
                run.user,
                usage.input_tokens.map(|n| n as i64),
                usage.output_tokens.map(|n| n as i64),
                usage.total_tokens.map(|n| n as i64),
                usage.total_cost.map(|cost| (cost * 1e9) as i64),
                preview,
                preview,
            ])
            .unwrap();
            tx.prepare_cached("INSERT INTO bodies VALUES (?, ?, ?)")
                .unwrap()
                .execute(params![n * 64, [0_u8; 16], body])
                .unwrap();
        }
        tx.commit().unwrap();
        took += begun.elapsed();
    }
    took
}

fn main() {
    let runs: u64 = std::env::var("TRACEABLE_BENCH_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("TRACEABLE_BENCH_STORE").map(PathBuf::from);
    let path = kept.unwrap_or_else(|| folder.path().to_owned()).join("runs.db");

    let store = Store::open(&path).unwrap();
    let mut took = Duration::ZERO;
    let is_new = store.count(&Query::default(), Of::Runs).unwrap() == 0;
    for from in (0..if is_new { runs } else { 0 }).step_by(BATCH) {
        let changes = batch(from);
        let begun = Instant::now();
        store.ingest(&changes).unwrap();
        took += begun.elapsed();
    }
    if is_new {
        let ours = rate(runs, took);
        let bare = rate(runs, bare(&folder.path().join("bare.db"), runs));
        println!("ingest: {ours:.0} runs/s in batches of {BATCH}; a bare loop {bare:.0}; ratio {:.2}", ours / bare);
        let begun = Instant::now();
        while store.index_pending(500).unwrap() > 0 {}
        println!("text index: {:.0} runs/s", rate(runs, begun.elapsed()));
        println!("size: {} bytes a run", store.size().unwrap() / runs);
    }
    drop(store);
    let begun = Instant::now();
    let store = Store::open(&path).unwrap();
    println!("open: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);

    let end = NOW + runs as i64 * 20_000_000;
    let list = |text: &str, of: Of| {
        let list = List { query: Query::parse(text, end).unwrap(), of, limit: 50, ..List::default() };
        move |store: &Store| store.list(&list).unwrap().rows.len()
    };
    let middle = run(runs / 2 / TRACE * TRACE);
    let questions: Vec<(&str, Question)> = vec![
        ("newest traces", Box::new(list("", Of::Traces))),
        ("traces with an error", Box::new(list("has:error", Of::Traces))),
        ("traces with an error in them", Box::new(list("tree.has:error", Of::Traces))),
        ("runs by name and model", Box::new(list("name:chat model:gpt-4o", Of::Runs))),
        ("slow runs", Box::new(list("latency:>3900ms type:llm", Of::Runs))),
        ("a user's traces", Box::new(list("user:u500", Of::Traces))),
        ("a common tag", Box::new(list("tag:common", Of::Traces))),
        ("a rare tag", Box::new(list("tag:rare", Of::Traces))),
        ("one of 20 regions", Box::new(list("metadata.region:r7", Of::Traces))),
        ("one request", Box::new(list("metadata.request:q5000", Of::Runs))),
        ("no such model", Box::new(list("-model:* environment:none", Of::Runs))),
        ("a common word", Box::new(list("w1", Of::Runs))),
        ("a rare word", Box::new(list("w17003", Of::Runs))),
        ("two words", Box::new(list("w1 w900", Of::Runs))),
        ("a trace", Box::new(move |store| store.trace(middle.id).unwrap().unwrap().runs.len())),
        ("a run", Box::new(|store| usize::from(store.whole_run(run(1_234).id).unwrap().is_some()))),
        ("count all", Box::new(|store| store.count(&Query::default(), Of::Runs).unwrap() as usize)),
        (
            "statistics by model",
            Box::new(|store| {
                let by = StatsBy { field: Some(Field::Model), ..StatsBy::default() };
                store.stats(&Query::default(), &by).unwrap().len()
            }),
        ),
    ];
    for (name, ask) in questions {
        let mut times = Vec::new();
        let mut rows = 0;
        for _ in 0..40 {
            let begun = Instant::now();
            rows = ask(&store);
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let millis = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e3;
        println!("{name:<30} {rows:>6} rows  p50 {:>8.2} ms  p95 {:>8.2} ms", millis(50), millis(95));
    }
}
