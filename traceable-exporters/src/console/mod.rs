//! Prints each finished trace as a tree of runs, on the terminal of the program that is traced.
//!
//! - A tree is printed at the end of the batch in which its root ended. What ends later comes as a group of its
//!   own, `… late:`, below whatever was printed in between.
//! - A trace whose root runs in another process is printed when nothing of it was heard for a while.
//! - `flush` prints what is open, as far as it is known; the whole tree still comes when the root ends.
//! - Memory is bounded: of a run only its line is kept, of a trace so many runs, and so many traces.
//!
//! From change to page: `entry` keeps the line of a run, `traces` says what is finished, `forest` orders it, `tree` lays it out;
//! `said` is the line of what is no run;
//! `preview`, `text` and `style` make the pieces of a line; `viewer` finds what the link at its end leads to.

mod entry;
mod forest;
mod preview;
mod said;
mod style;
mod text;
mod traces;
mod tree;
mod viewer;

use std::{
    fmt,
    future::ready,
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};

use traceable_core::export::{Ack, Batch, BoxFuture, ExportError, Exporter};

pub use self::style::Color;
use self::{style::Look, traces::Traces, viewer::Viewer};

/// Runs of one trace that are printed unless [`Console::max_runs`] says otherwise.
const MAX_RUNS: usize = 1_000;

/// How long a trace without a root waits unless [`Console::patience`] says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// Text that a writer did not take and that is kept for the next time, in bytes.
const MAX_PENDING: usize = 1 << 20;

/// Prints each finished trace as a tree of runs.
///
/// A line shows how the run ended (`✓`, `✗` error, `⊘` cancelled, `…` open), its name and kind, how long it took,
/// tokens, cost and the time to the first chunk where they are known, and in a few words what was asked and
/// answered. Errors stand below in full. A score, and whatever else is no run, is one line at the time when it comes.
///
/// ```
/// use traceable_core::{
///     export::{Batch, Exporter},
///     model::{Json, Run, RunChange, RunId, Status},
/// };
/// use traceable_exporters::Console;
///
/// let id = RunId::from_u128(1);
/// let run = Run {
///     id,
///     trace_id: id,
///     name: "answer".into(),
///     start_time: 0,
///     end_time: Some(1_240_000_000),
///     status: Status::Ok,
///     inputs: Some(Json::from_value(&serde_json::json!({ "question": "Where is my order?" }))),
///     outputs: Some(Json::from_value(&serde_json::json!({ "output": "It shipped." }))),
///     ..Run::default()
/// };
///
/// let (mut printed, writer) = std::io::pipe()?;
/// let mut console = Console::to(writer).width(80).color(false);
/// let batch = Batch::new(vec![RunChange::End(Box::new(run))]);
/// # fn now<T>(done: impl Future<Output = T>) -> T {
/// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #     match std::pin::pin!(done).poll(&mut context) { std::task::Poll::Ready(t) => t, _ => unreachable!() }
/// # }
/// # now(async {
/// console.export(&batch).await?;
/// # Ok::<(), traceable_core::export::ExportError>(()) })?;
/// # drop(console);
///
/// let page = std::io::read_to_string(&mut printed)?;
/// assert_eq!(
///     page,
///     "✓ answer  1.24 s  \"Where is my order?\" → \"It shipped.\"\n   \
///      1 run · 1.24 s · 00000000-0000-0000-0000-000000000001\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Console {
    out: Box<dyn Write + Send>,
    stderr: bool,
    color: Color,
    width: Option<usize>,
    traces: Traces,
    viewer: Option<Viewer>,
    pending: Vec<u8>,
}

impl Console {
    /// Prints to standard error: in colour and as wide as it is, where that is a terminal.
    #[must_use]
    pub fn new() -> Self {
        Self { stderr: true, ..Self::to(io::stderr()) }
    }

    /// Prints to `writer`: without colour, 100 columns wide or what `COLUMNS` says.
    ///
    /// A page is one `write_all`, so that pages do not mix with lines that others write.
    #[must_use]
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self {
            out: Box::new(writer),
            stderr: false,
            color: Color::Auto,
            width: None,
            traces: Traces::new(MAX_RUNS, PATIENCE),
            viewer: None,
            pending: Vec::new(),
        }
    }

    /// When to print in colour: `true`, `false` or [`Color::Auto`], the default.
    #[must_use]
    pub fn color(mut self, color: impl Into<Color>) -> Self {
        self.color = color.into();
        self
    }

    /// How many columns a line may take, at least 40. Otherwise the terminal's own.
    #[must_use]
    pub fn width(mut self, columns: usize) -> Self {
        self.width = Some(columns);
        self
    }

    /// How many runs of one trace are printed, 1 000 unless said; the others are counted.
    ///
    /// Failed runs are printed up to twice as many.
    #[must_use]
    pub fn max_runs(mut self, runs: usize) -> Self {
        self.traces.max_runs = runs.max(1);
        self
    }

    /// How long a trace waits for more when its root runs in another process, 5 seconds unless said.
    ///
    /// The time is looked at when a batch comes; nothing is printed in between.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.traces.patience = time;
        self
    }

    /// The data home of this machine, where a `traceable` server says that it listens: while one does, a trace ends with the
    /// link that shows it there, instead of its id.
    #[must_use]
    pub fn viewer(mut self, home: impl AsRef<Path>) -> Self {
        self.viewer = Some(Viewer::of(home.as_ref()));
        self
    }

    fn take(&mut self, batch: &Batch) -> io::Result<()> {
        let now = Instant::now();
        let mut page = String::new();
        let look = self.look();
        for change in &batch.changes {
            said::print(change, look, &mut page);
            self.traces.apply(change, now, &mut page);
        }
        self.traces.print_finished(now, look, &mut page);
        self.write(&page)
    }

    fn take_open(&mut self) -> io::Result<()> {
        let mut page = String::new();
        let look = self.look();
        self.traces.print_open(look, &mut page);
        self.write(&page)?;
        self.out.flush()
    }

    fn look(&mut self) -> Look {
        let server = self.viewer.as_mut().and_then(Viewer::address);
        Look { server, ..Look::now(self.color, self.width, self.stderr) }
    }

    /// Writes what waits and the page. A writer that would block, as a terminal set so by another program does,
    /// gets the rest next time.
    fn write(&mut self, page: &str) -> io::Result<()> {
        let room = MAX_PENDING.saturating_sub(self.pending.len());
        if self.pending.is_empty() || page.len() <= room {
            self.pending.extend_from_slice(page.as_bytes());
        }
        while !self.pending.is_empty() {
            match self.out.write(&self.pending) {
                Ok(0) => return self.give_up(io::ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.pending.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return self.give_up(error),
            }
        }
        Ok(())
    }

    fn give_up(&mut self, error: io::Error) -> io::Result<()> {
        self.pending.clear();
        Err(error)
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("color", &self.color).field("width", &self.width).finish_non_exhaustive()
    }
}

/// A page that cannot be printed is not worth another try: what it shows is also elsewhere.
fn refused(error: io::Error) -> ExportError {
    ExportError::refuse("the console cannot be written to").with_source(error)
}

impl Exporter for Console {
    fn name(&self) -> &'static str {
        "console"
    }

    fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
        Box::pin(ready(self.take(batch).map(|()| Ack::default()).map_err(refused)))
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<(), ExportError>> {
        Box::pin(ready(self.take_open().map_err(refused)))
    }
}
