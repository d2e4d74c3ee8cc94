//! The traces that are not finished yet, within bounds: runs of one trace, traces, runs altogether.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use traceable_core::{
    model::{Progress, Run, RunChange, RunId, RunType},
    show,
};

use super::{
    entry::{self, Entry},
    preview,
    style::Look,
    tree::Scene,
};

/// Traces that are kept at a time, printed ones that may see late runs included.
const MAX_TRACES: usize = 256;

/// Runs that are kept at a time, unless one trace may have more.
const MAX_RUNS: usize = 20_000;

/// What is known of runs that were not kept.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rest {
    pub(super) runs: u64,
    pub(super) errors: u64,
    pub(super) tokens: u64,
    pub(super) cost: Option<f64>,
}

impl Rest {
    fn count(&mut self, run: &Run) {
        self.runs += 1;
        self.errors += u64::from(entry::failed(run.status));
        // Usage of the runs above a model call may repeat it, and which run stands above which is not known here.
        let spent = run.usage.as_ref().filter(|_| matches!(run.run_type, RunType::Llm | RunType::Embedding));
        if let Some(usage) = spent {
            self.tokens = self.tokens.saturating_add(entry::tokens_of(usage));
            if let Some(cost) = entry::cost_of(usage) {
                self.cost = Some(self.cost.unwrap_or(0.0) + cost);
            }
        }
    }
}

/// How far a trace has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The root's end has not been seen.
    Open,
    /// The root has ended, in this batch.
    Ended,
    /// The tree was printed: what comes now is late.
    Printed,
}

/// A trace of which something may still come.
struct Trace {
    id: RunId,
    runs: HashMap<RunId, Entry>,
    rest: Rest,
    /// The root's name, for the line above late runs.
    name: String,
    stage: Stage,
    /// Whether there is something that no page has shown.
    changed: bool,
    /// Whether it is in the list of those with news in this batch.
    listed: bool,
    /// When the last news came.
    news: Instant,
}

impl Trace {
    fn new(id: RunId, now: Instant) -> Self {
        Self {
            id,
            runs: HashMap::new(),
            rest: Rest::default(),
            name: String::new(),
            stage: Stage::Open,
            changed: false,
            listed: false,
            news: now,
        }
    }

    fn hold(&mut self, run: &Run, ended: bool, max_runs: usize) {
        if run.is_root() && ended && self.stage == Stage::Open {
            self.stage = Stage::Ended;
        }
        // The root holds the tree, and an error must be seen: both find room where others do not.
        let limit = if entry::failed(run.status) { max_runs.saturating_mul(2) } else { max_runs };
        if !self.runs.contains_key(&run.id) && !run.is_root() && self.runs.len() >= limit {
            // An announced run that is not kept is counted when it ends.
            if ended {
                self.rest.count(run);
            }
            return;
        }
        let entry = self.runs.entry(run.id).and_modify(|entry| entry.absorb(run)).or_insert_with(|| Entry::new(run));
        entry.ended |= ended;
        if run.is_root() {
            self.name.clone_from(&entry.name);
        }
    }

    /// Whether its root runs in another process, as far as can be told: nothing here is open, and no root came.
    fn is_rootless(&self) -> bool {
        self.stage == Stage::Open && self.runs.values().all(|entry| entry.ended && entry.parent.is_some())
    }

    /// Whether an open trace has something that no page has shown.
    fn has_news(&self) -> bool {
        self.changed && self.stage == Stage::Open
    }

    fn print(&mut self, look: Look, page: &mut String) {
        self.changed = false;
        let has_root = self.runs.values().any(|entry| entry.parent.is_none());
        let scene = Scene {
            trace_id: self.id,
            entries: self.runs.values().collect(),
            label: (!has_root).then(|| "… part of a trace whose root has not been seen here".into()),
            rest: self.rest,
            open: self.stage == Stage::Open,
        };
        scene.print(look, page);
    }

    fn print_late(&mut self, look: Look, page: &mut String) {
        self.changed = false;
        let entries: Vec<&Entry> = self.runs.values().filter(|entry| entry.ended).collect();
        if entries.is_empty() && self.rest.runs == 0 {
            return;
        }
        let label = Some(format!("… late: {}", self.name));
        Scene { trace_id: self.id, entries, label, rest: self.rest, open: false }.print(look, page);
        self.settle();
    }

    /// Forgets what was printed for good. Runs that are open stay: their ends come without their inputs.
    fn settle(&mut self) {
        self.stage = Stage::Printed;
        self.rest = Rest::default();
        self.runs.retain(|_, entry| !entry.ended);
    }
}

/// The traces that are not finished yet.
pub(super) struct Traces {
    held: HashMap<RunId, Trace>,
    /// Those with news in this batch, in the order of their first news.
    listed: Vec<RunId>,
    pub(super) max_runs: usize,
    /// How long a trace without a root waits for more.
    pub(super) patience: Duration,
}

impl Traces {
    pub(super) fn new(max_runs: usize, patience: Duration) -> Self {
        Self { held: HashMap::new(), listed: Vec::new(), max_runs, patience }
    }

    pub(super) fn apply(&mut self, change: &RunChange, now: Instant, page: &mut String) {
        match change {
            RunChange::Start(run) => self.hold(run, false, now),
            RunChange::End(run) => self.hold(run, true, now),
            RunChange::Patch(run) => self.patch(run),
            RunChange::Progress(progress) => self.progress(progress),
            RunChange::Report(report) => {
                for (reason, runs) in report.dropped.iter().filter(|(_, runs)| **runs > 0) {
                    let reason = super::text::clean(reason, 40);
                    let runs = show::counted(*runs, "run");
                    page.extend(["! ", &runs, " not recorded: ", &reason, "\n"]);
                }
            }
            _ => {}
        }
    }

    fn hold(&mut self, run: &Run, ended: bool, now: Instant) {
        let trace = self.held.entry(run.trace_id).or_insert_with(|| Trace::new(run.trace_id, now));
        trace.hold(run, ended, self.max_runs);
        trace.changed = true;
        trace.news = now;
        if !std::mem::replace(&mut trace.listed, true) {
            self.listed.push(run.trace_id);
        }
    }

    /// A late addition changes the tree while it is not printed; a printed tree stays as it is.
    fn patch(&mut self, run: &Run) {
        let Some(trace) = self.held.get_mut(&run.trace_id) else { return };
        if let Some(entry) = trace.runs.get_mut(&run.id) {
            entry.absorb(run);
            trace.changed = true;
        }
    }

    fn progress(&mut self, progress: &Progress) {
        let Some(trace) = self.held.get_mut(&progress.trace_id) else { return };
        let Some(entry) = trace.runs.get_mut(&progress.id).filter(|entry| !entry.ended) else { return };
        if let Some(output) = progress.outputs.as_ref().and_then(preview::of_outputs) {
            entry.output = Some(output);
            trace.changed = true;
        }
    }

    /// Prints what this batch finished. The end of a batch and not the end of the root, so that children that
    /// end just after their root still stand in its tree.
    pub(super) fn print_finished(&mut self, now: Instant, look: Look, page: &mut String) {
        for id in std::mem::take(&mut self.listed) {
            let Some(trace) = self.held.get_mut(&id) else { continue };
            trace.listed = false;
            match trace.stage {
                Stage::Open => {}
                Stage::Ended => {
                    trace.print(look, page);
                    trace.settle();
                }
                Stage::Printed => trace.print_late(look, page),
            }
        }
        self.print_quiet(now, look, page);
        self.shrink(look, page);
    }

    fn print_quiet(&mut self, now: Instant, look: Look, page: &mut String) {
        let patience = self.patience;
        let is_quiet = |trace: &Trace| now.saturating_duration_since(trace.news) >= patience && trace.is_rootless();
        let mut quiet: Vec<RunId> = self.held.values().filter(|trace| is_quiet(trace)).map(|trace| trace.id).collect();
        quiet.sort_unstable();
        for id in quiet {
            self.print_last(id, look, page);
        }
    }

    /// Lets the longest silent traces go while there are too many, printed ones first.
    fn shrink(&mut self, look: Look, page: &mut String) {
        let max_runs = MAX_RUNS.max(self.max_runs.saturating_mul(2));
        let mut runs: usize = self.held.values().map(|trace| trace.runs.len()).sum();
        while self.held.len() > MAX_TRACES || runs > max_runs {
            let too_many_traces = self.held.len() > MAX_TRACES;
            let order = |trace: &&Trace| (too_many_traces && !trace.runs.is_empty(), trace.news, trace.id);
            let candidates = self.held.values().filter(|trace| too_many_traces || !trace.runs.is_empty());
            let Some(id) = candidates.min_by_key(order).map(|trace| trace.id) else { return };
            runs -= self.held.get(&id).map_or(0, |trace| trace.runs.len());
            self.print_last(id, look, page);
        }
    }

    /// Forgets a trace, printing what no page has shown.
    fn print_last(&mut self, id: RunId, look: Look, page: &mut String) {
        if let Some(mut trace) = self.held.remove(&id)
            && trace.has_news()
        {
            trace.print(look, page);
        }
    }

    /// Prints the traces that are open, each once until something new comes.
    pub(super) fn print_open(&mut self, look: Look, page: &mut String) {
        let mut open: Vec<&mut Trace> = self.held.values_mut().filter(|trace| trace.has_news()).collect();
        open.sort_by_key(|trace| trace.id);
        for trace in open {
            trace.print(look, page);
        }
    }
}
