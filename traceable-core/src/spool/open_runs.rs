//! Runs whose start was read and whose end was not, or is not done with.

use std::collections::{BTreeMap, HashMap};

use super::reader::Position;
use crate::model::RunId;

/// Runs that are known, at most; the oldest goes first.
const MAX_RUNS: usize = 65_536;

/// Where the start of a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) sequence: u64,
    /// `None` where it was read from memory.
    pub(super) position: Option<Position>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct OpenRuns {
    starts: HashMap<RunId, Start>,
    /// Starts that are of use, by their sequence numbers: also of runs whose end is on its way.
    in_use: BTreeMap<u64, RunId>,
}

impl OpenRuns {
    /// A start was read.
    pub(super) fn begin(&mut self, id: RunId, start: Start) {
        if let Some(before) = self.starts.insert(id, start) {
            self.in_use.remove(&before.sequence);
        }
        self.in_use.insert(start.sequence, id);
        if self.in_use.len() > MAX_RUNS
            && let Some((sequence, oldest)) = self.in_use.pop_first()
            && self.starts.get(&oldest).is_some_and(|start| start.sequence == sequence)
        {
            self.starts.remove(&oldest);
        }
    }

    /// Where the start of an open run stands.
    pub(super) fn get(&self, id: RunId) -> Option<Start> {
        self.starts.get(&id).copied()
    }

    /// An end was read: where its start stands. It stays in use until [`OpenRuns::release`].
    pub(super) fn end(&mut self, id: RunId) -> Option<Start> {
        self.starts.remove(&id)
    }

    /// The end of the run that began there is done with.
    pub(super) fn release(&mut self, start: Option<Start>) {
        if let Some(start) = start {
            self.in_use.remove(&start.sequence);
        }
    }

    /// The oldest start that is of use.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.in_use.first_key_value().map(|(sequence, _)| *sequence)
    }

    /// Takes the oldest run whose end was not read.
    pub(super) fn take_oldest(&mut self) -> Option<(RunId, Start)> {
        let id = *self
            .in_use
            .iter()
            .find(|(sequence, id)| self.starts.get(*id).is_some_and(|start| start.sequence == **sequence))?
            .1;
        Some((id, self.starts.remove(&id)?))
    }
}
