//! An exporter that keeps what it is given.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    export::{Ack, Batch, BoxFuture, ExportError, Exporter},
    model::{Assembler, Run, RunChange, RunId},
    sync::Arc,
};

/// An exporter that keeps everything it is given. Clones share what they keep.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    changes: Arc<Mutex<Vec<RunChange>>>,
}

impl Memory {
    /// An exporter that has kept nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The changes so far, in the order in which they came.
    #[must_use]
    pub fn changes(&self) -> Vec<RunChange> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The runs that have ended, whole, in the order of their starts.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let mut runs = self.with_open_runs();
        runs.retain(|run| run.end_time.is_some());
        runs
    }

    /// The runs that have ended and, as far as they were announced, those that are open, in the order of their starts.
    pub(super) fn with_open_runs(&self) -> Vec<Run> {
        let mut assembler = Assembler::new(usize::MAX / 4);
        let mut runs: BTreeMap<RunId, Run> = BTreeMap::new();
        for change in self.changes() {
            if let Some(run) = assembler.push(&change) {
                runs.insert(run.id, *run);
            } else if let RunChange::Patch(patch) = change
                && let Some(run) = runs.get_mut(&patch.id)
            {
                run.absorb(*patch);
            }
        }
        let mut runs: Vec<Run> = runs.into_values().chain(assembler.open().cloned()).collect();
        runs.sort_by_key(|run| (run.start_time, run.id));
        runs
    }
}

impl Exporter for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.extend(batch.changes.iter().cloned());
        Box::pin(std::future::ready(Ok(Ack::default())))
    }
}
