//! Appends each ended run to a file, one JSON object a line, in LangSmith's names.
//!
//! From change to line: `open` joins the records of a run, LangSmith's `Record` says what a line is and `said` what one
//! is that is of no run, `lines` takes a batch through them, `file` appends without ever tearing a line.

mod file;
mod lines;
mod open;
mod said;

use std::{
    fmt,
    fs::{File, OpenOptions},
    future::ready,
    io,
    path::{Path, PathBuf},
};

use traceable_core::export::{Ack, Batch, BoxFuture, ExportError, Exporter};

use self::lines::Lines;

/// Appends each ended run to a file as one line of JSON, with the keys of LangSmith's run records.
///
/// A run that was announced and then ended is one line. A line with an `id` that came before says what was added
/// to that run later: what the later line leaves out stays.
///
/// A score is a line with a `key`, in LangSmith's names for feedback. What was said of a conversation or a user, and a
/// file for a run that is elsewhere, is a line of one key: `thread`, `user` or `attachment`.
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
/// # fn now<T>(done: impl Future<Output = T>) -> T {
/// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #     match std::pin::pin!(done).poll(&mut context) { std::task::Poll::Ready(t) => t, _ => unreachable!() }
/// # }
/// # now(async {
/// lines.export(&batch).await?;
/// # Ok::<(), traceable_core::export::ExportError>(()) })?;
///
/// let line: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
/// assert_eq!(line["name"], "answer");
/// assert_eq!(line["run_type"], "chain");
/// assert_eq!(line["end_time"], "1970-01-01T00:00:00.000000Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct JsonLines {
    lines: Lines<File>,
    path: PathBuf,
    /// Who opened the file.
    process: u32,
}

impl JsonLines {
    /// Starts the file anew. Its folder must be there.
    ///
    /// # Errors
    ///
    /// When the file can be neither made nor opened for writing.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let file = options().open(&path)?;
        // A pipe or a terminal has nothing to cut.
        if file.metadata()?.is_file() {
            file.set_len(0)?;
        }
        Ok(Self::on(file, path))
    }

    /// Goes on with the file, or starts it. Half a line at its end, of a writer that died, is left on a line of its own.
    ///
    /// # Errors
    ///
    /// When the file can be neither made nor opened for reading and writing.
    pub fn append(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let file = options().open(&path)?;
        Ok(Self::on(file, path))
    }

    fn on(file: File, path: PathBuf) -> Self {
        Self { lines: Lines::new(file), path, process: std::process::id() }
    }

    /// The child of a fork opens the file for itself: what it has from its parent has one lock for both, and one place.
    fn own(&mut self) -> io::Result<()> {
        let process = std::process::id();
        if process != self.process {
            self.lines.reopened(options().open(&self.path)?);
            self.process = process;
        }
        Ok(())
    }

    fn take(&mut self, batch: &Batch) -> Result<Ack, ExportError> {
        self.own().map_err(|error| failure(&self.path, error))?;
        match self.lines.take(batch) {
            Ok(Some(refused)) => {
                let mut ack = Ack::default();
                ack.refused = refused;
                Ok(ack)
            }
            Ok(None) => Err(ExportError::retry(format!("{} is locked by another program", self.path.display()))),
            Err(error) => Err(failure(&self.path, error)),
        }
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
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
        Box::pin(ready(self.lines.sync().map_err(|error| failure(&self.path, error))))
    }
}
