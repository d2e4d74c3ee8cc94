//! A traced program that makes runs, says which were accepted, and ends as it is told:
//! `producer WAY COUNT RATE MARKED FLUSH`.
//!
//! RATE is in runs a second, 0 for as fast as it goes; of every MARKED runs the last is marked, 0 for none; FLUSH is for
//! how long it waits for delivery before it ends, 0 to end at once. Prints `start KIB`, then for each run `run ID NANOS`
//! once its call has returned, `marked ID NANOS`, or `unrecorded N`; `stats JSON`; and `done NANOS` right before the end.
//!
//! `producer drain` makes none: it starts as every program does, and ends when its input does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::{
    io::Read,
    time::{Duration, Instant, SystemTime},
};

use traceable::{RunId, current, traceable};
use traceable_faults::{
    direct::Direct,
    endpoint::POISON,
    harness::{Said, memory},
    text::text,
};

/// The call that is measured. Its output is its own id.
#[traceable(run_type = "llm")]
fn call(seed: u64, n: u64, mark: &str, text: &str) -> Option<RunId> {
    let _ = (seed, n, mark, text);
    current().id()
}

fn main() {
    // The bench's own pipeline, or the one that the environment asks for.
    if std::env::var_os("FAULTS_PIPELINE").is_some_and(|name| name == "direct") {
        traceable::builder().unwrap().exporter(Direct::from_env()).init().unwrap();
    } else {
        traceable::init();
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args[0] == "drain" {
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        flush(Duration::from_secs(10));
        return;
    }
    let number = |at: usize| args[at].parse::<u64>().unwrap();
    let mut said = Said { start_kib: memory("self", "VmRSS:"), ..Said::default() };
    println!("start {}", said.start_kib);
    let mut nanos = make(number(1), number(2), number(3));
    if number(4) > 0 {
        said.flushed = flush(Duration::from_secs(number(4)));
    }
    nanos.sort_unstable();
    let at = |percent: usize| nanos.get(nanos.len() * percent / 100).map_or(0, |nanos| u64::from(*nanos));
    (said.p50_nanos, said.p99_nanos, said.peak_kib) = (at(50), at(99), memory("self", "VmHWM:"));
    said.dropped = traceable::stats().dropped.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    println!("stats {}", serde_json::to_string(&said).unwrap());
    println!("done {}", now());
    end(&args[0]);
}

fn end(way: &str) {
    match way {
        "return" => {}
        "exit" => std::process::exit(0),
        "exit-in-thread" => std::thread::spawn(|| std::process::exit(0)).join().unwrap(),
        "panic" => panic!("on purpose, in a test"),
        "abort" => std::process::abort(),
        // A signal comes from outside.
        "wait" => loop {
            std::thread::park();
        },
        other => panic!("unknown way {other}"),
    }
}

/// Makes runs and says which were accepted. Answers how long each call took.
fn make(count: u64, rate: u64, marked: u64) -> Vec<u32> {
    // Whole in JavaScript's numbers too, and another one in each process.
    let seed = now() as u64 & ((1 << 53) - 1);
    // All of it is there before it is measured how memory grows.
    let mut nanos = vec![u32::MAX; count as usize];
    nanos.clear();
    let start = Instant::now();
    for n in 0..count {
        if let Some(nanos) = (n * 1_000_000_000).checked_div(rate) {
            std::thread::sleep(Duration::from_nanos(nanos).saturating_sub(start.elapsed()));
        }
        let is_marked = (n + 1).checked_rem(marked) == Some(0);
        let text = text(seed, n);
        let before = Instant::now();
        let id = call(seed, n, if is_marked { POISON } else { "" }, &text);
        nanos.push(u32::try_from(before.elapsed().as_nanos()).unwrap_or(u32::MAX));
        // A line is one write: what was printed is known even if nothing else happens any more.
        match id {
            Some(id) => println!("{} {id} {}", if is_marked { "marked" } else { "run" }, now()),
            None => println!("unrecorded {n}"),
        }
    }
    nanos
}

/// Waits until everything is delivered. A flush ends early while the backend is known to be down.
fn flush(timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let is_complete = traceable::flush_blocking(left).delivered;
        if is_complete || left.is_zero() {
            return is_complete;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Nanoseconds since the epoch, by a clock that all processes share.
fn now() -> u128 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos()
}
