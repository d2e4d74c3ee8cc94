//! How fast the store takes runs in, beside a bare loop of inserts into the same tables, and how long questions take.
//!
//! `cargo bench --bench store`; `TRACEABLE_BENCH_RUNS` says how many runs (100 000), `TRACEABLE_BENCH_STORE` which folder to
//! keep. The figures beside times are the goals for a million runs: `scripts/long/scale`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::OnceLock,
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

/// The runs lie within so many days.
const DAYS: u64 = 60;

/// Runs of one large trace.
const LARGE: u64 = 10_000;

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

/// How far apart runs are, in nanoseconds.
fn step() -> i64 {
    static STEP: OnceLock<i64> = OnceLock::new();
    *STEP.get_or_init(|| (DAYS * 86_400_000_000_000 / runs()) as i64)
}

fn runs() -> u64 {
    std::env::var("TRACEABLE_BENCH_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

fn start_of(n: u64) -> i64 {
    NOW + n as i64 * step()
}

fn id(n: u64) -> RunId {
    RunId::new(start_of(n), 42, n as u32)
}

/// A run of the large trace: a tree in which each run has ten children.
fn large(n: u64) -> RunChange {
    let id = |n: u64| RunId::new(NOW + n as i64, 43, n as u32);
    let parent_id = n.checked_sub(1).map(|n| id(n / 10));
    let start_time = NOW + n as i64 * 1_000_000;
    RunChange::End(Box::new(Run {
        id: id(n),
        trace_id: id(0),
        parent_id,
        start_time,
        end_time: Some(start_time),
        ..run(n)
    }))
}

/// The runs of number `n`: every tenth is the root of a trace.
fn run(n: u64) -> Run {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
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

/// How long something takes: by the clock, and of this thread's time on a processor, which others on the machine do not
/// change much.
#[derive(Default)]
struct Took {
    wall: Duration,
    cpu: Duration,
}

impl Took {
    fn add<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (begun, on_cpu) = (Instant::now(), on_cpu());
        let done = work();
        self.cpu += self::on_cpu().saturating_sub(on_cpu);
        self.wall += begun.elapsed();
        done
    }
}

/// What this thread has had of a processor; nothing where the system does not say.
fn on_cpu() -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(said.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

/// Runs a second.
fn rate(runs: u64, took: Duration) -> f64 {
    runs as f64 / took.as_secs_f64()
}

/// Numbers for a run's labels: its tag, build, region and request.
fn labels(n: u64) -> [i64; 4] {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    [i64::from(n.is_multiple_of(5_000)), 2, 3 + (random(&mut state) % 20) as i64, (23 + n / TRACE) as i64]
}

/// A loop that knows nothing: rows with the same columns and indexes, bodies as they are, and for each run the entries of the
/// index of tags and metadata, of labels that somebody has numbered beforehand.
struct Bare(Connection);

impl Bare {
    fn open(path: &Path) -> Self {
        drop(Store::open(path).unwrap());
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.pragma_update(None, "synchronous", "NORMAL").unwrap();
        connection.pragma_update(None, "cache_size", -16_384).unwrap();
        connection.execute("INSERT INTO projects VALUES (1, 'bench', 0)", []).unwrap();
        Self(connection)
    }

    fn write(&mut self, batch: &[(i64, Run, Vec<u8>)]) {
        let tx = self.0.transaction().unwrap();
        for (n, run, body) in batch {
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
            for label in labels(*n as u64 - 1) {
                tx.prepare_cached("INSERT INTO run_labels VALUES (?, ?)").unwrap().execute([label, *n]).unwrap();
            }
        }
        tx.commit().unwrap();
    }
}

/// Takes all runs in, and writes them bare, batch by batch in turn, so that both see the same machine.
fn fill(store: &Store, folder: &Path, runs: u64) {
    let mut bare = Bare::open(&folder.join("bare.db"));
    let (mut ours, mut theirs) = (Took::default(), Took::default());
    let compared = runs.min(100_000);
    for from in (0..runs).step_by(BATCH) {
        let changes = batch(from);
        ours.add(|| store.ingest(&changes).unwrap());
        if from < compared {
            let rows: Vec<_> = (from..from + BATCH as u64)
                .map(|n| {
                    let run = run(n);
                    let body = serde_json::to_vec(&run).unwrap();
                    (n as i64 + 1, run, body)
                })
                .collect();
            theirs.add(|| bare.write(&rows));
        }
        if from + BATCH as u64 == compared {
            let ratio = |of: fn(&Took) -> Duration| of(&theirs).as_secs_f64() / of(&ours).as_secs_f64();
            println!(
                "ingest of {compared}, in batches of {BATCH}: {:.0} runs/s ({:.1} us of processor each); a bare loop {:.0} \
                 ({:.1} us); ratio {:.2} by the clock, {:.2} by the processor",
                rate(compared, ours.wall),
                ours.cpu.as_secs_f64() * 1e6 / compared as f64,
                rate(compared, theirs.wall),
                theirs.cpu.as_secs_f64() * 1e6 / compared as f64,
                ratio(|took| took.wall),
                ratio(|took| took.cpu),
            );
        }
    }
    println!("ingest of all: {:.0} runs/s", rate(runs, ours.wall));
}

fn main() {
    let runs = runs();
    let folder = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("TRACEABLE_BENCH_STORE").map(PathBuf::from);
    let path = kept.unwrap_or_else(|| folder.path().to_owned()).join("traceable.db");

    let store = Store::open(&path).unwrap();
    if store.count(&Query::default(), Of::Runs).unwrap() == 0 {
        fill(&store, folder.path(), runs);
        if std::env::args().any(|argument| argument == "ingest") {
            return;
        }
        let begun = Instant::now();
        while store.index_pending(500).unwrap() > 0 {}
        println!("text index: {:.0} runs/s", rate(runs, begun.elapsed()));
        println!("size: {} bytes a run", store.size().unwrap() / runs);
        for from in (0..LARGE).step_by(BATCH) {
            store.ingest(&(from..from + BATCH as u64).map(large).collect::<Vec<_>>()).unwrap();
        }
    }
    drop(store);
    let begun = Instant::now();
    let store = Store::open(&path).unwrap();
    println!("open: {:.1} ms (500)", begun.elapsed().as_secs_f64() * 1e3);

    let end = start_of(runs);
    let list = |text: &str, of: Of| {
        let list = List { query: Query::parse(text, end).unwrap(), of, limit: 50, ..List::default() };
        move |store: &Store| store.list(&list).unwrap().rows.len()
    };
    let stats = |text: &str, of: Of, by: StatsBy| {
        let query = Query::parse(text, end).unwrap();
        move |store: &Store| store.stats(&query, &StatsBy { of, ..by.clone() }).unwrap().len()
    };
    let by_day = || StatsBy { bucket: Some(Duration::from_secs(86_400)), ..StatsBy::default() };
    let by = |field| StatsBy { field: Some(field), ..StatsBy::default() };
    let beside = |text: &str, of: Of| {
        let query = Query::parse(text, end).unwrap();
        let fields = ["type", "status", "model", "name", "tag", "env", "user", "metadata.region"];
        let fields: Vec<Field> = fields.iter().map(|name| Field::named(name).unwrap()).collect();
        move |store: &Store| store.facets(&query, of, &fields, 20).unwrap().counted as usize
    };
    let middle = run(runs / 2 / TRACE * TRACE);
    // With how long each may take, in milliseconds.
    let questions: Vec<(&str, f64, Question)> = vec![
        ("newest traces", 50.0, Box::new(list("", Of::Traces))),
        ("traces with an error", 50.0, Box::new(list("has:error", Of::Traces))),
        ("traces with an error in them", 50.0, Box::new(list("tree.has:error", Of::Traces))),
        ("runs by name and model", 50.0, Box::new(list("name:chat model:gpt-4o", Of::Runs))),
        ("slow runs", 50.0, Box::new(list("latency:>3900ms type:llm", Of::Runs))),
        ("a user's traces", 50.0, Box::new(list("user:u500", Of::Traces))),
        ("a common tag", 50.0, Box::new(list("tag:common", Of::Traces))),
        ("a rare tag", 50.0, Box::new(list("tag:rare", Of::Traces))),
        ("one of 20 regions", 50.0, Box::new(list("metadata.region:r7", Of::Traces))),
        ("one request", 50.0, Box::new(list("metadata.request:q5000", Of::Runs))),
        ("no such model", 50.0, Box::new(list("model:none", Of::Runs))),
        ("a common word", 200.0, Box::new(list("w1", Of::Runs))),
        ("a rare word", 200.0, Box::new(list("w17003", Of::Runs))),
        ("two words", 200.0, Box::new(list("w1 w900", Of::Runs))),
        ("a word, and failed", 200.0, Box::new(list("w1 has:error", Of::Runs))),
        ("a trace", 50.0, Box::new(move |store| store.trace(middle.id).unwrap().unwrap().runs.len())),
        ("a run", 50.0, Box::new(|store| usize::from(store.whole_run(run(1_234).id).unwrap().is_some()))),
        (
            "a trace of 10 000 as columns",
            100.0,
            Box::new(|store| {
                let root = RunId::new(NOW, 43, 0);
                store.skeleton(root).unwrap().unwrap().numbers.len()
            }),
        ),
        ("the list's values, all", 500.0, Box::new(beside("", Of::Traces))),
        ("the list's values, one model", 500.0, Box::new(beside("model:gpt-4o", Of::Runs))),
        ("count all", 500.0, Box::new(|store| store.count(&Query::default(), Of::Runs).unwrap() as usize)),
        ("30 days, traces by day", 500.0, Box::new(stats("since:30d", Of::Traces, by_day()))),
        ("30 days, runs by day", 500.0, Box::new(stats("since:30d", Of::Runs, by_day()))),
        ("30 days, runs by model", 500.0, Box::new(stats("since:30d has:model", Of::Runs, by(Field::Model)))),
        ("30 days, runs by name", 500.0, Box::new(stats("since:30d", Of::Runs, by(Field::Name)))),
        ("all, runs by day", 1_000.0, Box::new(stats("", Of::Runs, by_day()))),
    ];
    for (name, goal, ask) in questions {
        let mut times = Vec::new();
        let mut rows = 0;
        let begun = Instant::now();
        while times.len() < 40 && begun.elapsed() < Duration::from_secs(10) {
            let begun = Instant::now();
            rows = ask(&store);
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let millis = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e3;
        let mark = if millis(95) > goal { "  over" } else { "" };
        println!("{name:<30} {rows:>6} rows  p50 {:>8.2} ms  p95 {:>8.2} ms ({goal}){mark}", millis(50), millis(95));
    }
}
