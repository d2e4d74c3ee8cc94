//! An exporter that keeps what it is given.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    export::{Ack, Batch, BoxFuture, ExportError, Exporter},
    model::{Assembler, AttachmentFor, Run, RunChange, RunId, Score, Thread, User},
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
        let mut files = Vec::new();
        for change in self.changes() {
            match (assembler.push(&change), change) {
                (Some(run), _) => drop(runs.insert(run.id, *run)),
                (None, RunChange::Patch(patch)) => {
                    if let Some(run) = runs.get_mut(&patch.id) {
                        run.absorb(*patch);
                    }
                }
                (None, RunChange::Attachment(file)) => files.push(file),
                (None, _) => {}
            }
        }
        runs.extend(assembler.open().map(|run| (run.id, run.clone())));
        // A file may come before its run.
        for AttachmentFor { run_id, attachment } in files {
            if let Some(run) = runs.get_mut(&run_id) {
                run.absorb(Run { attachments: vec![attachment], ..Run::default() });
            }
        }
        let mut runs: Vec<Run> = runs.into_values().collect();
        runs.sort_by_key(|run| (run.start_time, run.id));
        runs
    }

    /// The scores, in the order in which they came.
    #[must_use]
    pub fn scores(&self) -> Vec<Score> {
        self.pick(|change| if let RunChange::Score(score) = change { Some(*score) } else { None })
    }

    /// What was said of conversations, in the order in which it came.
    #[must_use]
    pub fn threads(&self) -> Vec<Thread> {
        self.pick(|change| if let RunChange::Thread(thread) = change { Some(*thread) } else { None })
    }

    /// What was said of users, in the order in which it came.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        self.pick(|change| if let RunChange::User(user) = change { Some(*user) } else { None })
    }

    fn pick<T>(&self, choose: impl FnMut(RunChange) -> Option<T>) -> Vec<T> {
        self.changes().into_iter().filter_map(choose).collect()
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
