//! OTLP in JSON: a request a line.

use traceable_core::model::{Run, RunChange, ScoreTarget};
use traceable_store::{Result, Store};
use traceable_wire::otlp::{Conventions, Encoder, Resource};

/// No span is cut: a file has room.
const ROOM: usize = usize::MAX >> 1;

/// Writes the runs that have ended, with their scores. A span has an end, so the others are left out.
pub(super) fn write(runs: Vec<Run>, store: &Store, out: &mut Vec<u8>) -> Result<()> {
    let mut changes = Vec::new();
    for run in runs.into_iter().filter(|run| run.end_time.is_some()) {
        let scores = store.scores(&ScoreTarget::Run(run.id))?;
        changes.push(RunChange::End(Box::new(run)));
        changes.extend(scores.into_iter().map(|score| RunChange::Score(Box::new(score))));
    }
    let encoded = Encoder::new(Conventions::default(), Resource::default()).encode(&changes, ROOM);
    for request in encoded.requests {
        out.extend_from_slice(request.to_json().unwrap_or_default().as_bytes());
        out.push(b'\n');
    }
    Ok(())
}
