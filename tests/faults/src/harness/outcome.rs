//! What became of the runs of a row.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    time::Duration,
};

use serde::Serialize;
use traceable_core::model::RunId;

use super::programs::{Made, Printed};
use crate::endpoint::Report;

/// Files of a data home that are looked through for the key, in bytes all in all.
const MAX_SEARCHED: u64 = 64 << 20;

/// One line of the table.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    /// The row's name.
    pub row: String,
    /// What happens in it.
    pub what: String,
    /// What peers lose in it, as printed.
    pub peers: [String; 2],
    /// Runs whose call returned.
    pub made: u64,
    /// Runs that the backend never acknowledged and should have.
    pub lost: u64,
    /// The same, but of runs that ended too short a time before a hard kill, in background mode.
    pub left_in_window: u64,
    /// How long before the kill the oldest run ended that was not acknowledged, in milliseconds.
    pub oldest_left_ms: Option<f64>,
    /// Ends of runs that came again.
    pub repeats: u64,
    /// Why the row was not run, where it cannot be run here.
    pub skipped: Option<String>,
    /// Seconds until a program which was started again had delivered a run.
    pub first_seconds: Option<f64>,
    /// Seconds that a program which was started again needed to deliver the rest; none when nothing was left.
    pub restart_seconds: Option<f64>,
    /// Requests, and how many of them while something was wrong.
    pub requests: u64,
    /// See `requests`.
    pub requests_in_fault: u64,
    /// Memory before the first run and at its peak, in KiB.
    pub start_kib: u64,
    /// See `start_kib`.
    pub peak_kib: u64,
    /// The median time of a call, and the time that one call of a hundred exceeds; 0 when it was not told.
    pub p50_nanos: u64,
    /// See `p50_nanos`.
    pub p99_nanos: u64,
    /// Seconds that the row took.
    pub seconds: f64,
    /// What the endpoint counted.
    pub report: Report,
    /// What must not be. Empty when the row holds.
    pub problems: Vec<String>,
}

impl Outcome {
    /// Notes a problem unless something holds.
    pub(super) fn hold(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(problem());
        }
    }

    /// Takes over what the endpoint counted, and what must hold of it in every row.
    pub(super) fn reported(&mut self, report: Report) {
        self.repeats = report.repeats;
        self.requests = report.requests;
        self.requests_in_fault = report.under.iter().filter(|(fault, _)| *fault != "well").map(|(_, n)| n).sum();
        self.hold(report.spoiled == 0, || {
            format!("{} runs came otherwise than recorded: {}", report.spoiled, report.spoiled_first)
        });
        self.hold(report.unreadable == 0, || {
            format!("{} parts were unreadable: {}", report.unreadable, report.unreadable_first)
        });
        self.hold(report.elsewhere.connections == 0, || format!("a redirect was followed: {:?}", report.elsewhere));
        self.report = report;
    }

    /// The key may stand in no message and in no file.
    pub(super) fn keep_secret(&mut self, key: &str, folder: &Path) {
        let mut left = MAX_SEARCHED;
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let Ok(about) = entry.metadata() else { continue };
                if about.is_dir() {
                    folders.push(path);
                } else if let Some(rest) = left.checked_sub(about.len()) {
                    left = rest;
                    let bytes = std::fs::read(&path).unwrap_or_default();
                    let has = String::from_utf8_lossy(&bytes).contains(key);
                    self.hold(!has, || format!("the API key stands in {}", path.display()));
                }
            }
        }
    }
}

/// The runs that must have been acknowledged, and those that may be missing after a hard kill.
#[derive(Debug, Default)]
pub(super) struct Truth {
    required: Vec<Made>,
    /// With the time of the kill.
    recent: Vec<(Made, i64)>,
    marked: HashSet<RunId>,
    /// When a run's program was killed.
    killed: HashMap<RunId, i64>,
}

impl Truth {
    /// Adds what a program printed. `killed` is when it was killed and how old a run had to be then to survive.
    pub(super) fn add(&mut self, printed: &Printed, killed: Option<(i64, Duration)>) {
        for &made in &printed.runs {
            match killed {
                _ if made.is_marked => drop(self.marked.insert(made.id)),
                Some((at, window)) => {
                    if made.at < at - window.as_nanos() as i64 || window.is_zero() {
                        self.required.push(made);
                    } else {
                        self.recent.push((made, at));
                    }
                    self.killed.insert(made.id, at);
                }
                None => self.required.push(made),
            }
        }
    }

    pub(super) fn made(&self) -> u64 {
        (self.required.len() + self.recent.len() + self.marked.len()) as u64
    }

    /// How many runs must arrive.
    pub(super) fn required(&self) -> u64 {
        self.required.len() as u64
    }

    /// Whether everything is there that must be.
    pub(super) fn is_in<V>(&self, acknowledged: &HashMap<RunId, V>) -> bool {
        self.required.iter().all(|made| acknowledged.contains_key(&made.id))
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = RunId> {
        let recent = self.recent.iter().map(|(made, _)| made.id);
        self.required.iter().map(|made| made.id).chain(recent).chain(self.marked.iter().copied())
    }

    /// Counts what is missing.
    pub(super) fn compare<V>(&self, acknowledged: &HashMap<RunId, V>, outcome: &mut Outcome) {
        let missing = |made: &&Made| !acknowledged.contains_key(&made.id);
        let lost: Vec<&Made> = self.required.iter().filter(missing).collect();
        let left: Vec<&Made> = self.recent.iter().map(|(made, _)| made).filter(missing).collect();
        outcome.made = self.made();
        outcome.lost = lost.len() as u64;
        outcome.left_in_window = left.len() as u64;
        let ages = lost.iter().chain(&left).filter_map(|made| Some(self.killed.get(&made.id)? - made.at));
        outcome.oldest_left_ms = ages.max().map(|age| age as f64 / 1e6);
        outcome.hold(lost.is_empty(), || {
            let ids: Vec<String> = lost.iter().take(3).map(|made| made.id.to_string()).collect();
            format!("{} of {} runs were lost, among them {}", lost.len(), self.made(), ids.join(", "))
        });
    }

    /// Runs that the backend has and that nobody made.
    pub(super) fn strangers<V>(&self, acknowledged: &HashMap<RunId, V>) -> usize {
        let ids: HashSet<RunId> = self.ids().collect();
        acknowledged.keys().filter(|id| !ids.contains(id)).count()
    }
}
