//! Runs whose process has died before their end.

use std::{collections::BTreeSet, fs, io, path::Path, time::UNIX_EPOCH};

use traceable_core::{
    model::{RunChange, RunId, Status},
    spool::{Kind, Position, Reader},
};

const CUT_OFF: &str = "its end was not recorded: the process ended first";

/// An end for each run of a directory that has none. Its writer must have died.
pub(super) fn ends(directory: &Path) -> io::Result<Vec<RunChange>> {
    let mut open = BTreeSet::new();
    each(directory, |kind, id, _| {
        match kind {
            Kind::Start => drop(open.insert(id)),
            Kind::End => drop(open.remove(&id)),
            _ => {}
        }
        Ok(())
    })?;
    let mut ends = Vec::new();
    if open.is_empty() {
        return Ok(ends);
    }
    let last_seen = last_written(directory)?;
    each(directory, |kind, id, change| {
        if kind == Kind::Start
            && open.remove(&id)
            && let Ok(RunChange::Start(mut run)) = change()
        {
            run.end_time = Some(last_seen.max(run.start_time));
            run.status = Status::Unknown;
            run.error.get_or_insert_with(|| CUT_OFF.to_owned());
            ends.push(RunChange::End(run));
        }
        Ok(())
    })?;
    Ok(ends)
}

fn each(
    directory: &Path,
    mut visit: impl FnMut(Kind, RunId, &dyn Fn() -> io::Result<RunChange>) -> io::Result<()>,
) -> io::Result<()> {
    let mut reader = Reader::new(directory, Position::default());
    while let Some(record) = reader.next()? {
        visit(record.kind, record.run_id, &|| record.change())?;
    }
    Ok(())
}

/// When something was last written there, in nanoseconds since the epoch.
fn last_written(directory: &Path) -> io::Result<i64> {
    let mut last = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("seg-") {
            let since = entry.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            last = last.max(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
        }
    }
    Ok(last)
}
