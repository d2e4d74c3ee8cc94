//! Which runs a destination is not given.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::{Filter, Restrictions};
use crate::{
    model::{Run, RunChange, RunId, ScoreTarget},
    runtime::clients::Defaults,
};

/// How many destinations of a kind can have a filter.
pub(crate) const MAX_FILTERED: usize = 32;

/// The filters of a client's destinations. A destination is a bit: backends over a network the lower ones, those on this
/// machine the upper ones.
#[derive(Clone, Default)]
pub(crate) struct Filters {
    of: Vec<(u64, Vec<Filter>)>,
    defaults: Defaults,
}

impl Filters {
    /// Of these destinations. `None` where none has a filter.
    ///
    /// # Errors
    ///
    /// When one has a filter and no bit; its place.
    pub(crate) fn new(
        remotes: &[Restrictions],
        exporters: &[Restrictions],
        defaults: &Defaults,
    ) -> Result<Option<Arc<Self>>, usize> {
        let mut of = Vec::new();
        for (first, all) in [(0, remotes), (MAX_FILTERED, exporters)] {
            for (at, Restrictions { filters, .. }) in all.iter().enumerate().filter(|(_, all)| !all.filters.is_empty())
            {
                if at >= MAX_FILTERED {
                    return Err(at);
                }
                of.push((1 << (first + at), filters.clone()));
            }
        }
        Ok((!of.is_empty()).then(|| Arc::new(Self { of, defaults: defaults.clone() })))
    }

    /// Which destinations a run that begins is not for, of those that what is above it is for.
    pub(crate) fn judge(&self, above: u64, run: &Run) -> u64 {
        let mut seen = run.clone();
        self.defaults.fill(&mut seen);
        let keeps = |filter: &Filter| {
            let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| filter(&seen)));
            judged.unwrap_or_else(|_| {
                crate::notice::say(format_args!("a filter failed on a run, so its destination is not given it"));
                false
            })
        };
        let is_left_out = |(bit, filters): &&(u64, Vec<Filter>)| above & bit == 0 && !filters.iter().all(keeps);
        self.of.iter().filter(is_left_out).fold(above, |left_out, (bit, _)| left_out | bit)
    }
}

/// Runs that some destination is not given, so that it is not told what is said of them by their ids either.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    runs: HashMap<RunId, u64>,
    order: VecDeque<RunId>,
}

/// Runs that are remembered, at most; the oldest goes first.
const MAX_LEFT_OUT: usize = 65_536;

impl LeftOut {
    pub(crate) fn remember(&mut self, id: RunId, left_out: u64) {
        if left_out == 0 || self.runs.insert(id, left_out).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > MAX_LEFT_OUT
            && let Some(oldest) = self.order.pop_front()
        {
            self.runs.remove(&oldest);
        }
    }

    /// The destinations that are not given the run that a score or a file is for.
    pub(crate) fn of(&self, change: &RunChange) -> u64 {
        let run = match change {
            RunChange::Score(score) => match &score.target {
                ScoreTarget::Run(id) | ScoreTarget::Trace(id) => id,
                ScoreTarget::Thread(_) => return 0,
            },
            RunChange::Attachment(of) => &of.run_id,
            _ => return 0,
        };
        self.runs.get(run).copied().unwrap_or(0)
    }
}

/// The bit of a destination on this machine.
pub(crate) fn exporter_bit(at: usize) -> u64 {
    if at < MAX_FILTERED { 1 << (MAX_FILTERED + at) } else { 0 }
}
