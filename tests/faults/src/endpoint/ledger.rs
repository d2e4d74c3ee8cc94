//! What an endpoint was sent, and what it acknowledged: the truth of the bench on this side.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use traceable_core::model::{Json, Run, RunChange, RunId};

use crate::text;

/// What makes a run one that [`Fault::Poison`](crate::fault::Fault::Poison) refuses.
pub const POISON: &str = "poison";

/// What an endpoint has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Requests that came, of whatever kind.
    pub requests: u64,
    /// Requests by what was wrong when they came.
    pub under: BTreeMap<String, u64>,
    /// Ended runs that were acknowledged with a 2xx.
    pub acknowledged: u64,
    /// Ended runs that were taken, acknowledged or not.
    pub taken: u64,
    /// Ends of runs that had been taken before.
    pub repeats: u64,
    /// Ended runs whose inputs or output are not those that were recorded.
    pub spoiled: u64,
    /// What is wrong with one of them.
    pub spoiled_first: String,
    /// Parts of bodies, and whole bodies, that could not be read.
    pub unreadable: u64,
    /// What was wrong with the first of them.
    pub unreadable_first: String,
    /// The most requests that came within one time for which `Retry-After` had asked for none.
    pub early: u64,
    /// Bytes of the longest body, decoded.
    pub longest: u64,
    /// Bodies by `Content-Encoding`.
    pub encodings: BTreeMap<String, u64>,
    /// What followed a redirect.
    pub elsewhere: Elsewhere,
}

/// What arrived where a redirect points to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Elsewhere {
    /// Connections.
    pub connections: u64,
    /// Requests.
    pub requests: u64,
    /// Names of the headers of these requests.
    pub headers: BTreeSet<String>,
}

/// What an end of a run has to say.
#[derive(Deserialize)]
struct Inputs<'a> {
    seed: u64,
    n: u64,
    #[serde(borrow)]
    mark: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Default)]
struct Seen {
    ends: u64,
    is_acknowledged: bool,
    /// Whether the inputs and the output came, each as it was recorded.
    is_whole: (bool, bool),
    keys: BTreeSet<String>,
    /// What it was sent as, in order.
    changes: Vec<&'static str>,
}

/// The books.
#[derive(Default)]
pub(super) struct Ledger {
    report: Report,
    runs: HashMap<RunId, Seen>,
    /// Until when nobody should ask, and how many did.
    quiet: Option<(Instant, u64)>,
}

impl Ledger {
    pub(super) fn report(&self) -> Report {
        let ended = || self.runs.values().filter(|seen| seen.ends > 0);
        let spoiled = self.runs.iter().find(|(_, seen)| seen.ends > 0 && seen.is_whole != (true, true));
        Report {
            spoiled_first: spoiled.map_or_else(String::new, |(id, seen)| {
                format!("{id}: inputs {}, output {}, sent as {:?}", seen.is_whole.0, seen.is_whole.1, seen.changes)
            }),
            acknowledged: ended().filter(|seen| seen.is_acknowledged).count() as u64,
            taken: ended().count() as u64,
            repeats: ended().map(|seen| seen.ends - 1).sum(),
            spoiled: ended().filter(|seen| seen.is_whole != (true, true)).count() as u64,
            ..self.report.clone()
        }
    }

    /// The acknowledged runs, each with the keys that it was sent under.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = (RunId, &BTreeSet<String>)> {
        self.runs.iter().filter(|(_, seen)| seen.ends > 0 && seen.is_acknowledged).map(|(id, seen)| (*id, &seen.keys))
    }

    /// A request came, while this was wrong.
    pub(super) fn request(&mut self, under: String, busy: Option<Duration>) {
        self.report.requests += 1;
        *self.report.under.entry(under).or_default() += 1;
        let now = Instant::now();
        if let Some((until, early)) = &mut self.quiet
            && now < *until
        {
            *early += 1;
            self.report.early = self.report.early.max(*early);
        } else {
            self.quiet = busy.map(|busy| (now + busy, 0));
        }
    }

    pub(super) fn body(&mut self, encoding: &str, length: usize) {
        *self.report.encodings.entry(encoding.to_owned()).or_default() += 1;
        self.report.longest = self.report.longest.max(length as u64);
    }

    pub(super) fn unreadable(&mut self, why: &str) {
        self.report.unreadable += 1;
        if self.report.unreadable_first.is_empty() {
            why.clone_into(&mut self.report.unreadable_first);
        }
    }

    /// Keeps what a body says. Answers which runs ended in it.
    pub(super) fn take(&mut self, changes: &[RunChange], key: &str) -> Vec<RunId> {
        let mut ended = Vec::new();
        for change in changes {
            let Some(run) = change.run() else { continue };
            let seen = self.runs.entry(run.id).or_default();
            seen.keys.insert(key.to_owned());
            seen.is_whole.0 |= run.inputs.as_ref().is_some_and(is_whole);
            seen.is_whole.1 |= run.outputs.as_ref().is_some_and(|out| out.as_str().contains(&run.id.to_string()));
            if matches!(change, RunChange::End(_)) {
                seen.ends += 1;
                ended.push(run.id);
            }
            seen.changes.push(match change {
                RunChange::Start(_) => "start",
                RunChange::End(_) => "end",
                _ => "patch",
            });
        }
        ended
    }

    pub(super) fn acknowledge(&mut self, ended: &[RunId]) {
        for id in ended {
            self.runs.entry(*id).or_default().is_acknowledged = true;
        }
    }

    pub(super) fn elsewhere(&mut self, change: impl FnOnce(&mut Elsewhere)) {
        change(&mut self.report.elsewhere);
    }
}

fn is_whole(inputs: &Json) -> bool {
    let inputs: Result<Inputs<'_>, _> = serde_json::from_str(inputs.as_str());
    inputs.is_ok_and(|inputs| inputs.text == text::text(inputs.seed, inputs.n))
}

/// Whether a run is one that is to be refused.
pub(super) fn is_poison(run: &Run) -> bool {
    let inputs = run.inputs.as_ref().and_then(|inputs| serde_json::from_str::<Inputs<'_>>(inputs.as_str()).ok());
    inputs.is_some_and(|inputs| inputs.mark == POISON)
}
