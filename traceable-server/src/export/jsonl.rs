//! JSON Lines in LangSmith's fields: all that the store has of a run, with its scores and files.

use serde::Serialize;
use traceable_core::model::{Run, ScoreTarget};
use traceable_store::{Result, Store};
use traceable_wire::langsmith::{Feedback, Record};

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    run: Record<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    feedback: Vec<Feedback<'a>>,
}

pub(super) fn write(store: &Store, run: &Run, out: &mut Vec<u8>) -> Result<()> {
    let scores = store.scores(&ScoreTarget::Run(run.id))?;
    let feedback = scores.iter().map(Feedback::new).collect();
    super::line(&Line { run: Record::line(run), feedback }, out)
}
