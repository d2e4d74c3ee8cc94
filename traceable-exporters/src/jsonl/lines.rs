//! Takes batches to lines, and goes on where a batch stopped when it comes again.

use std::io;

use serde::Serialize;
use traceable_core::{export::Batch, model::RunChange};
use traceable_wire::langsmith::Record;

use super::{
    file::{Appender, Storage},
    open::OpenRuns,
    said::Said,
};

/// What is kept of the line's memory between batches, in bytes: one long prompt must not be paid for ever.
const KEPT_LINE: usize = 64 << 10;

/// The lines of a file.
pub(super) struct Lines<S> {
    storage: S,
    open: OpenRuns,
    /// A batch that was not written to its end.
    halted: Option<Halted>,
    line: Vec<u8>,
}

/// Where a batch stopped, so that the lines before are not written again when it comes once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Halted {
    changes: usize,
    first: Option<u128>,
    at: usize,
}

impl<S: Storage> Lines<S> {
    pub(super) fn new(storage: S) -> Self {
        Self { storage, open: OpenRuns::default(), halted: None, line: Vec::new() }
    }

    /// Writes the lines of a batch; answers how many runs could not be written for good, and `None` when another
    /// program keeps the file.
    pub(super) fn take(&mut self, batch: &Batch) -> io::Result<Option<u64>> {
        let Some(mut end) = Appender::new(&mut self.storage)? else { return Ok(None) };
        let mark = |at| Halted { changes: batch.changes.len(), first: first_id(batch), at };
        let done = self.halted.take().filter(|halted| *halted == mark(halted.at)).map_or(0, |halted| halted.at);
        let mut refused = 0;
        for (at, change) in batch.changes.iter().enumerate().skip(done) {
            let said = Said::of(change);
            let run = self.open.peek(change);
            let encoded = match (&said, &run) {
                (Some(said), _) => encode(said, &mut self.line),
                (_, Some(run)) if matches!(change, RunChange::Patch(_)) => {
                    encode(&Record::added_line(run), &mut self.line)
                }
                (_, Some(run)) => encode(&Record::line(run), &mut self.line),
                (None, None) => continue,
            };
            if encoded.is_err() {
                refused += 1;
            } else if let Err(error) = end.line(&self.line) {
                self.halted = Some(mark(at));
                return Err(error);
            }
            if let Some(run) = run {
                self.open.forget(run.id);
            }
        }
        self.line.shrink_to(KEPT_LINE);
        Ok(Some(refused))
    }

    /// Goes on in the same file, opened anew.
    pub(super) fn reopened(&mut self, storage: S) {
        self.storage = storage;
    }

    /// Brings everything to the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.storage.sync()
    }
}

/// What tells a batch from others: the first id in it, or the first time where nothing has an id.
fn first_id(batch: &Batch) -> Option<u128> {
    batch.changes.iter().find_map(|change| match change {
        RunChange::Score(score) => Some(score.id.as_u128()),
        RunChange::Attachment(of) => Some(of.run_id.as_u128()),
        RunChange::Thread(thread) => Some(thread.time as u128),
        RunChange::User(user) => Some(user.time as u128),
        change => change.run().map(|run| run.id.as_u128()),
    })
}

/// The line of a record, between two newlines.
fn encode(record: &impl Serialize, line: &mut Vec<u8>) -> serde_json::Result<()> {
    line.clear();
    line.push(b'\n');
    serde_json::to_writer(&mut *line, record)?;
    // Texts of JSON are taken as they are, and those that were laid out over lines would end this one. Inside of
    // strings JSON has no newlines.
    for byte in line.iter_mut().skip(1).filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    line.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use traceable_core::model::{Json, Run, RunId};

    use super::{super::file::disk::Disk, *};

    fn run(n: u128) -> Run {
        Run { id: RunId::from_u128(n), end_time: Some(1), ..Run::default() }
    }

    fn batch(runs: std::ops::Range<u128>) -> Batch {
        Batch::new(runs.map(|n| RunChange::End(Box::new(run(n)))).collect())
    }

    /// The last digits of the ids, in the order of the lines.
    fn ids(lines: &Lines<Disk>) -> Vec<char> {
        let id = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().chars().last()
        };
        lines.storage.text().lines().map(|line| id(line).unwrap()).collect()
    }

    #[test]
    fn a_batch_that_comes_again_goes_on_where_it_stopped() {
        let mut line = Vec::new();
        encode(&Record::line(&run(1)), &mut line).unwrap();
        let mut lines = Lines::new(Disk::with_room(line.len() * 5 / 2));
        assert_eq!(lines.take(&batch(1..5)).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(ids(&lines), ['1', '2']);
        lines.storage.room = usize::MAX;
        assert_eq!(lines.take(&batch(1..5)).unwrap(), Some(0));
        assert_eq!(ids(&lines), ['1', '2', '3', '4']);
    }

    #[test]
    fn another_batch_begins_at_its_beginning() {
        let mut lines = Lines::new(Disk::with_room(0));
        lines.take(&batch(1..3)).unwrap_err();
        lines.storage.room = usize::MAX;
        lines.take(&batch(5..7)).unwrap();
        assert_eq!(ids(&lines), ['5', '6']);
    }

    #[test]
    fn the_inputs_of_an_announced_run_wait_for_room_on_the_disk() {
        let inputs = Json::parse("{\"prompt\":\"p\"}").ok();
        let start = RunChange::Start(Box::new(Run { inputs, end_time: None, ..run(1) }));
        let changes = Batch::new(vec![start, RunChange::End(Box::new(run(1)))]);
        let mut lines = Lines::new(Disk::with_room(10));
        lines.take(&changes).unwrap_err();
        assert_eq!(lines.storage.text(), "");
        lines.storage.room = usize::MAX;
        lines.take(&changes).unwrap();
        assert!(lines.storage.text().contains("\"prompt\":\"p\""));
    }
}
