//! Copies: a trace that is sent to a second project has ids of its own there, or it would be one run in two projects.

use traceable_core::model::{Run, RunChange, RunId, ScoreTarget};

/// The change as it is in a copy of its trace in another project. With `own_ids`, its ids are made of the run's and of the
/// project's name, as LangSmith's SDKs do it: the same ones each time and in every process.
///
/// ```
/// use traceable_core::model::{Run, RunChange, RunId};
/// use traceable_wire::langsmith::replica;
///
/// let id: RunId = "0190163d-8694-7000-8000-00000000002a".parse()?;
/// let end = RunChange::End(Box::new(Run { id, ..Run::default() }));
/// let copy = replica(&end, "archive", true);
/// let run = copy.run().unwrap();
/// assert_eq!((run.id, run.project.as_deref()), (id.derived("archive"), Some("archive")));
/// # Ok::<(), traceable_core::model::ParseRunIdError>(())
/// ```
#[must_use]
pub fn replica(change: &RunChange, project: &str, own_ids: bool) -> RunChange {
    let mut change = change.clone();
    if let RunChange::Start(run) | RunChange::End(run) = &mut change {
        run.project = Some(project.to_owned().into());
    }
    // What a patch does not say stays as it is.
    if let RunChange::Patch(run) = &mut change
        && run.project.is_some()
    {
        run.project = Some(project.to_owned().into());
    }
    if own_ids {
        // An id that is not known is no id of another run.
        rename(&mut change, &|id| if id == RunId::default() { id } else { id.derived(project) });
    }
    change
}

fn rename(change: &mut RunChange, of: &impl Fn(RunId) -> RunId) {
    match change {
        RunChange::Start(run) | RunChange::End(run) | RunChange::Patch(run) => {
            let Run { id, trace_id, parent_id, dotted_order, .. } = &mut **run;
            (*id, *trace_id) = (of(*id), of(*trace_id));
            *parent_id = parent_id.map(of);
            *dotted_order = dotted_order.map_ids(of);
        }
        RunChange::Progress(progress) => (progress.id, progress.trace_id) = (of(progress.id), of(progress.trace_id)),
        RunChange::Attachment(file) => file.run_id = of(file.run_id),
        RunChange::Score(score) => {
            score.id = of(score.id);
            if let ScoreTarget::Run(id) | ScoreTarget::Trace(id) = &mut score.target {
                *id = of(*id);
            }
        }
        _ => {}
    }
}
