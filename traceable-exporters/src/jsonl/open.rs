//! Runs that were announced and have not ended: their ends come without what was said before.

use std::{borrow::Cow, collections::HashMap};

use traceable_core::model::{Run, RunChange, RunId};

/// Bytes of inputs that are kept of open runs.
const MAX_BYTES: usize = 64 << 20;

/// What a run takes beside its inputs, about.
const RUN_BYTES: usize = 1 << 10;

/// The open runs, within bounds.
pub(super) struct OpenRuns {
    runs: HashMap<RunId, Box<Run>>,
    bytes: usize,
    max_bytes: usize,
}

impl Default for OpenRuns {
    fn default() -> Self {
        Self { runs: HashMap::new(), bytes: 0, max_bytes: MAX_BYTES }
    }
}

impl OpenRuns {
    /// Takes a change; answers the run of which a line is to be written. [`OpenRuns::forget`] says that it was.
    ///
    /// A run that finds no room here is to be written as it is, still open: its end then is a second line, and
    /// nothing is lost.
    pub(super) fn peek<'a>(&mut self, change: &'a RunChange) -> Option<Cow<'a, Run>> {
        match change {
            RunChange::Start(run) if self.bytes + weight(run) > self.max_bytes => Some(Cow::Borrowed(run)),
            RunChange::Start(run) => {
                self.forget(run.id);
                self.bytes += weight(run);
                self.runs.insert(run.id, run.clone());
                None
            }
            RunChange::End(run) => match self.runs.get(&run.id) {
                Some(start) => {
                    let mut whole = (**start).clone();
                    whole.absorb((**run).clone());
                    Some(Cow::Owned(whole))
                }
                None => Some(Cow::Borrowed(run)),
            },
            RunChange::Patch(run) => match self.runs.get_mut(&run.id) {
                // The line of an open run is still to come.
                Some(start) => {
                    self.bytes -= weight(start);
                    start.absorb((**run).clone());
                    self.bytes += weight(start);
                    None
                }
                None => Some(Cow::Borrowed(run)),
            },
            _ => None,
        }
    }

    /// Lets a run go whose line is written.
    pub(super) fn forget(&mut self, id: RunId) {
        if let Some(run) = self.runs.remove(&id) {
            self.bytes -= weight(&run);
        }
    }
}

fn weight(run: &Run) -> usize {
    let bodies = [&run.inputs, &run.outputs].into_iter().flatten();
    RUN_BYTES + bodies.map(|json| json.as_str().len()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use traceable_core::model::Json;

    use super::*;

    fn start(n: u128, prompt: &str) -> RunChange {
        let inputs = Some(Json::from_value(&serde_json::json!({ "prompt": prompt })));
        RunChange::Start(Box::new(Run { id: RunId::from_u128(n), inputs, ..Run::default() }))
    }

    #[test]
    fn open_runs_beyond_the_bound_are_written_and_not_dropped() {
        let max_bytes = 64 << 10;
        let mut open = OpenRuns { max_bytes, ..OpenRuns::default() };
        let prompt = "x".repeat(max_bytes / 4);
        let written = (0..8).filter(|n| open.peek(&start(*n, &prompt)).is_some()).count();
        assert_eq!(written, 5);
        assert!(open.bytes <= max_bytes);
        for n in 0..8 {
            open.forget(RunId::from_u128(n));
        }
        assert_eq!(open.bytes, 0);
        assert!(open.peek(&start(9, &prompt)).is_none());
    }
}
