//! Appends each ended run to a file, one JSON object a line, in LangSmith's names.
//!
//! `record` says what a line is, `file` how it gets into the file; this file joins the records of a run and
//! says what becomes of a batch.

mod file;
mod open;
mod record;

use std::{
    fmt,
    fs::{File, OpenOptions},
    future::ready,
    io,
    path::{Path, PathBuf},
};

use traceable_core::{
    export::{Ack, Batch, BoxFuture, ExportError, Exporter},
    model::{Run, RunChange, RunId},
};

use self::{
    file::{Appender, Storage as _},
    open::OpenRuns,
    record::Record,
};

/// Appends each ended run to a file as one line of JSON, with the keys of LangSmith's run records.
///
/// A run that was announced and then ended is one line. A line with an `id` that came before says what was added
/// to that run later: what the later line leaves out stays.
///
/// Lines are never torn: each is one write at the end of the file, so that several processes may share it, and
/// what a full disk took of a line is cut off again. What a run was asked and answered stands in the file as it is;
/// a new file is readable by its owner only.
///
/// ```
/// use traceable_core::{
///     export::{Batch, Exporter},
///     model::{Run, RunChange, RunId},
/// };
/// use traceable_exporters::JsonLines;
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("runs.jsonl");
/// let mut lines = JsonLines::create(&path)?;
/// let run = Run { id: RunId::from_u128(1), name: "answer".into(), end_time: Some(5), ..Run::default() };
/// let batch = Batch::new(vec![RunChange::End(Box::new(run))]);
/// # let mut now = std::task::Context::from_waker(std::task::Waker::noop());
/// # let mut await_ = |mut done: traceable_core::export::BoxFuture<'_, _>| done.as_mut().poll(&mut now).is_ready();
/// # assert!({
/// await_(lines.export(&batch))
/// # });
///
/// let line: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
/// assert_eq!(line["name"], "answer");
/// assert_eq!(line["run_type"], "chain");
/// assert_eq!(line["end_time"], "1970-01-01T00:00:00.000000Z");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct JsonLines {
    file: File,
    path: PathBuf,
    open: OpenRuns,
    /// A batch that was not written to its end.
    halted: Option<Halted>,
    line: Vec<u8>,
}

/// Where a batch stopped, so that the lines before are not written again when it comes once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Halted {
    changes: usize,
    first: Option<RunId>,
    at: usize,
}

impl JsonLines {
    /// Starts the file anew. Its folder must be there.
    ///
    /// # Errors
    ///
    /// When the file can be neither made nor opened for writing.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let lines = Self::append(path)?;
        // A pipe or a terminal has nothing to cut.
        if lines.file.metadata()?.is_file() {
            lines.file.set_len(0)?;
        }
        Ok(lines)
    }

    /// Goes on with the file, or starts it. Half a line at its end, of a writer that died, is left on a line of its own.
    ///
    /// # Errors
    ///
    /// When the file can be neither made nor opened for reading and writing.
    pub fn append(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let file = options().open(&path)?;
        Ok(Self { file, path, open: OpenRuns::default(), halted: None, line: Vec::new() })
    }

    fn take(&mut self, batch: &Batch) -> Result<Ack, ExportError> {
        let mut ack = Ack::default();
        let Some(mut end) = Appender::new(&mut self.file).map_err(|error| failure(&self.path, error))? else {
            return Err(ExportError::retry(format!("{} is locked by another program", self.path.display())));
        };
        let mark = |at| Halted { changes: batch.changes.len(), first: first_id(batch), at };
        let done = self.halted.take().filter(|halted| *halted == mark(halted.at)).map_or(0, |halted| halted.at);
        for (at, change) in batch.changes.iter().enumerate().skip(done) {
            let Some(run) = self.open.peek(change) else { continue };
            if encode(&run, &mut self.line).is_err() {
                ack.refused += 1;
            } else if let Err(error) = end.line(&self.line) {
                self.halted = Some(mark(at));
                return Err(failure(&self.path, error));
            }
            self.open.forget(run.id);
        }
        // What one long prompt needed is not kept for ever.
        self.line.shrink_to(1 << 16);
        Ok(ack)
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn first_id(batch: &Batch) -> Option<RunId> {
    batch.changes.iter().find_map(RunChange::run).map(|run| run.id)
}

/// The line of a run, between two newlines.
fn encode(run: &Run, line: &mut Vec<u8>) -> serde_json::Result<()> {
    line.clear();
    line.push(b'\n');
    serde_json::to_writer(&mut *line, &Record::new(run))?;
    // Texts of JSON are taken as they are, and those that were laid out over lines would end this one. Inside of
    // strings JSON has no newlines.
    for byte in line.iter_mut().skip(1).filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    line.push(b'\n');
    Ok(())
}

/// What to do about an error of the file: what passes by itself is tried again, the rest waits for somebody.
fn failure(path: &Path, error: io::Error) -> ExportError {
    use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem, Unsupported};

    let message = format!("{} cannot be written to: {error}", path.display());
    match error.kind() {
        PermissionDenied | ReadOnlyFilesystem | NotFound | Unsupported => ExportError::pause(message),
        _ => ExportError::retry(message),
    }
    .with_source(error)
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Exporter for JsonLines {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
        Box::pin(ready(self.take(batch)))
    }

    /// Brings the file to the disk; lines are in the file when their batch is done.
    fn flush(&mut self) -> BoxFuture<'_, Result<(), ExportError>> {
        Box::pin(ready(self.file.sync().map_err(|error| failure(&self.path, error))))
    }
}
