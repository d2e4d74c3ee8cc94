//! One page of HTML that needs nothing else: the viewer's templates, with its styles and the pictures in the page.

use traceable_core::model::{RunId, ScoreTarget};
use traceable_store::{Result, Store, StoredRun, Trace};

use crate::viewer;

/// What stands before all traces.
pub(super) fn head() -> String {
    viewer::file_head()
}

/// The heading of a trace, or of the part of it below a run, and its tree.
pub(super) fn trace(trace: &Trace, below: Option<RunId>, out: &mut Vec<u8>) {
    out.extend_from_slice(viewer::file_trace(trace, below).as_bytes());
}

/// A run with all that is known of it.
pub(super) fn run(store: &Store, stored: &StoredRun, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    let scores = store.scores(&ScoreTarget::Run(stored.run.id))?;
    let blob = |hash| store.blob(hash).ok().flatten();
    out.extend_from_slice(viewer::file_run(stored, depth, &scores, blob).as_bytes());
    Ok(())
}
