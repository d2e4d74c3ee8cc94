//! The rows of the table, and what peers lose in them.
//!
//! Peers' figures are of 20,000 runs, 200,000 in the burst and 2,000 at the ends of processes, faults of 30 s, and their
//! defaults: opentelemetry-rust 0.33.1 and LangSmith's SDK for Python 0.14.17. Measured in November 2026 on two busy cores
//! against an endpoint like this one.

use std::time::Duration;

use rustix::process::Signal;

use super::{
    Outcome, Settings, keys, kills,
    row::{End, Plan, When, timed},
    start,
};
use crate::fault::Fault;

/// Runs a second, where it is not as fast as it goes.
const RATE: u64 = 500;

/// How long a program waits for delivery before it ends, in seconds.
const FLUSH: u64 = 240;

/// In a row in which no peer was run.
const NOT_MEASURED: [&str; 2] = ["–", "–"];

/// A row that can be run.
#[derive(Debug)]
pub struct Task {
    /// Its name, as on the command line.
    pub name: &'static str,
    what: &'static str,
    peers: [&'static str; 2],
    job: Job,
}

#[derive(Debug)]
enum Job {
    Plan(Plan),
    Kills,
    Start,
    Keys(keys::Between),
}

impl Task {
    /// Runs the row.
    pub fn run(&self, settings: &Settings) -> Outcome {
        let mut outcome = Outcome {
            row: self.name.into(),
            what: self.what.into(),
            peers: self.peers.map(str::to_owned),
            ..Outcome::default()
        };
        timed(&mut outcome, |outcome| match &self.job {
            Job::Plan(plan) => plan.run(settings, outcome),
            Job::Kills => kills::run(settings, outcome),
            Job::Start => start::run(settings, outcome),
            Job::Keys(between) => keys::run(settings, *between, outcome),
        });
        outcome
    }
}

/// The rows, in order.
pub fn tasks(settings: &Settings) -> Vec<Task> {
    let mut tasks = faults(settings);
    tasks.extend(ends());
    if settings.abort_producer.is_none() {
        tasks.retain(|task| !matches!(&task.job, Job::Plan(Plan { end: End::PanicAbort, .. })));
    }
    tasks.push(Task {
        name: "22",
        what: "kill -9 again and again, four programs, one home",
        peers: NOT_MEASURED,
        job: Job::Kills,
    });
    let what = "start with much left, first run and last";
    tasks.push(Task { name: "25", what, peers: NOT_MEASURED, job: Job::Start });
    let keys = [
        ("K1", "one program, two keys and two backends, one home", keys::Between::Backends),
        ("K2", "two programs, two keys and one backend, one home", keys::Between::Programs),
    ];
    tasks.extend(keys.map(|(name, what, between)| Task { name, what, peers: NOT_MEASURED, job: Job::Keys(between) }));
    tasks
}

/// Backends that fail while runs are made.
fn faults(settings: &Settings) -> Vec<Task> {
    let lead = Duration::from_secs(if settings.is_short { 1 } else { 3 });
    let lasting = Duration::from_secs(if settings.is_short { 3 } else { 30 });
    let during = When::During(lead, lasting);
    // As long after the fault as before it, and a bit.
    let usual = if settings.is_short { 3_000 } else { 20_000 };
    let plan = |fault, when| Plan {
        fault,
        when,
        runs: usual,
        rate: RATE,
        marked: 0,
        // A key that was wrong for a moment is tried again after a minute; that minute is not waited for in short rows.
        end: End::Flush(if settings.is_short { 20 } else { FLUSH }),
        spool: "background",
        may_restart: settings.is_short,
        grows_kib: 64 << 10,
        spool_bytes: 0,
        disk_mib: 0,
        within: 0,
    };
    let row = |name, what, peers, fault, when| Task { name, what, peers, job: Job::Plan(plan(fault, when)) };
    let two_seconds = Fault::Slow(Duration::from_secs(2));
    let mut rows = vec![
        row("1", "healthy", ["0", "0"], Fault::Well, during),
        row("2", "down for a while", ["13,883", "1,066"], Fault::Down, during),
        row("3", "500 for a while", ["15,226", "8,572"], Fault::Status(500), during),
        row("4", "503 for a while", ["12,946", "7,941"], Fault::Status(503), during),
        row("5", "429 + Retry-After for a while", ["13,126", "9,287"], Fault::Busy(1), during),
        row("6", "401 for a while", ["15,195", "12,660"], Fault::Status(401), during),
        row("6b", "403 for a while", NOT_MEASURED, Fault::Status(403), during),
        row("6c", "404 for a while", NOT_MEASURED, Fault::Status(404), during),
        row("7", "never answers for a while", ["12,709", "0"], Fault::Hang, during),
        row("8", "every answer takes 2 s", ["8,746", "0 – 3,132"], two_seconds, When::Always),
        row("9", "reset in the body for a while", ["14,361", "102"], Fault::Reset, during),
        row("10", "answers lost for a while", ["312", "0"], Fault::Lost, during),
        row("11", "30 % of requests fail", ["2,071", "0"], Fault::Random(30), When::Always),
        row("12", "413 above 50 kB", ["19,720", "19,980"], Fault::Limit(50_000), When::Always),
        row("12b", "413 above 200 kB", ["19,011", "0"], Fault::Limit(200_000), When::Always),
        row("A1", "400 where one run of 50 is refused", NOT_MEASURED, Fault::Poison, When::Always),
        row("A2", "redirect for a while", NOT_MEASURED, Fault::Redirect, during),
        row("A3", "answers of 512 MiB for a while", NOT_MEASURED, Fault::Huge, during),
        row("A4", "gzip bombs as answers for a while", NOT_MEASURED, Fault::Bomb, during),
        row("A5", "answers that trickle for a while", NOT_MEASURED, Fault::Trickle, during),
        row("A6", "answers that are no HTTP for a while", NOT_MEASURED, Fault::Garbage, during),
        row("13", "burst, as fast as it goes", ["191,045", "0"], Fault::Well, during),
        row("23", "down, and the disk full for a while", NOT_MEASURED, Fault::Down, during),
    ];
    if !settings.is_short {
        let long = When::During(lead, Duration::from_secs(settings.down_seconds));
        rows.push(row("14", "down for ten minutes, 1,000 runs a second", NOT_MEASURED, Fault::Down, long));
    }
    for Task { name, job, .. } in &mut rows {
        let Job::Plan(plan) = job else { continue };
        match *name {
            // At 2 s an answer, fewer runs take long enough.
            "8" if settings.is_short => plan.runs = 1_000,
            "A1" => (plan.runs, plan.marked) = (plan.runs.min(3_000), 50),
            // Of a disk a tenth is for the spool, and 200 MB are for others. What comes meanwhile waits in memory.
            "23" => {
                (plan.disk_mib, plan.grows_kib) = (1_024, 128 << 10);
                if settings.is_short {
                    (plan.rate, plan.runs) = (4_000, 28_000);
                }
            }
            "14" => {
                (plan.rate, plan.runs) = (1_000, 1_000 * (settings.down_seconds + 10));
                // Ten minutes are more than the gibibyte that is the limit where nobody says otherwise.
                (plan.spool_bytes, plan.within) = (3 << 30, 120);
            }
            "13" => (plan.runs, plan.rate) = (if settings.is_short { 20_000 } else { 200_000 }, 0),
            _ => {}
        }
    }
    rows
}

/// The ways in which a process ends, right after 2,000 runs. Where nothing in the process can notice, twice: in background
/// mode over a second, so that most runs are old enough to survive, and in inline mode at once.
fn ends() -> Vec<Task> {
    let slow = Fault::Slow(Duration::from_secs(1));
    let plan = |fault, end| Plan {
        fault,
        when: When::Always,
        runs: 2_000,
        rate: 0,
        marked: 0,
        end,
        spool: "background",
        may_restart: true,
        grows_kib: 64 << 10,
        spool_bytes: 0,
        disk_mib: 0,
        within: 0,
    };
    let row = |name, what, peers, fault, end| Task { name, what, peers, job: Job::Plan(plan(fault, end)) };
    let mut rows = vec![
        row("15", "process::exit at once", ["2,000", "0"], Fault::Well, End::Itself("exit")),
        row("15b", "process::exit in a thread, slow backend", NOT_MEASURED, slow, End::Itself("exit-in-thread")),
        row("16", "return, pipeline in a static", ["2,000", "–"], Fault::Well, End::Itself("return")),
        row("16b", "panic in main, slow backend", ["0", "0"], slow, End::Itself("panic")),
        row("16c", "panic = abort, slow backend", NOT_MEASURED, slow, End::PanicAbort),
    ];
    let hard = [
        (["17", "17i"], "abort, slow backend", ["2,000", "1,796"], slow, End::Abort),
        (["18", "18i"], "SIGTERM, slow backend", ["2,000", "1,797"], slow, End::Signal(Signal::TERM)),
        (["19", "19i"], "kill -9, slow backend", ["2,000", "1,787"], slow, End::Signal(Signal::KILL)),
        (["20", ""], "down, return, later restart", ["2,000", "2,000"], Fault::Down, End::Itself("return")),
        (["21", "21i"], "down, kill -9, later restart", ["2,000", "2,000"], Fault::Down, End::Signal(Signal::KILL)),
    ];
    for ([background, inline], what, peers, fault, end) in hard {
        let mut first = plan(fault, end);
        if !inline.is_empty() {
            first.rate = 2_000;
        }
        rows.push(Task { name: background, what, peers, job: Job::Plan(first) });
        if !inline.is_empty() {
            let second = Plan { spool: "inline", ..plan(fault, end) };
            rows.push(Task { name: inline, what, peers: NOT_MEASURED, job: Job::Plan(second) });
        }
    }
    rows
}
