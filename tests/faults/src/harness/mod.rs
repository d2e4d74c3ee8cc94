//! Runs the programs of the bench against each other, and says what was lost.

mod disk;
mod keys;
mod kills;
mod outcome;
mod programs;
mod recover;
mod row;
mod rows;
mod start;
mod table;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

pub use outcome::Outcome;
pub use rows::{Task, tasks};
pub use table::markdown;

/// How the rows are run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Faults of 3 s and fewer runs, in place of faults of 30 s and 20,000 runs.
    pub is_short: bool,
    /// How old a run must be to survive a hard kill in background mode.
    pub window: Duration,
    /// How long a program that was started again may deliver nothing before the rest counts as lost.
    pub patience: Duration,
    /// How many programs are killed in the row about that.
    pub kills: u32,
    /// What the programs send by: `langsmith`, or `direct`, which keeps nothing and is there to be caught.
    pub pipeline: String,
    /// Where `endpoint` and `producer` lie.
    pub programs: PathBuf,
    /// MiB of spool that the row about a start with much of it leaves.
    pub spool_mib: u64,
    /// Seconds for which the backend is down in the row about a long time.
    pub down_seconds: u64,
    /// A `producer` whose panics abort. Without it, the row about that is left out.
    pub abort_producer: Option<PathBuf>,
}

/// What a producer says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Its memory before the first run, in KiB.
    pub start_kib: u64,
    /// The most that it had, in KiB.
    pub peak_kib: u64,
    /// The median time of a call.
    pub p50_nanos: u64,
    /// The time that one call of a hundred exceeds.
    pub p99_nanos: u64,
    /// Whether everything was delivered before it ended.
    pub flushed: bool,
    /// What the library says was not recorded or not delivered.
    pub dropped: BTreeMap<String, u64>,
}

/// Says how far the rows are.
#[allow(clippy::print_stderr, reason = "the one place for it: the table goes to standard output")]
pub fn progress(text: &str) {
    eprintln!("{text}");
}

/// What the system says of the memory of a process, in KiB; 0 where it says nothing.
pub fn memory(process: &str, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
