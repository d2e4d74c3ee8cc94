//! Recording into memory, for tests of traced code.
//!
//! ```
//! # use traceable_core::testing;
//! let recorded = testing::capture(|| {
//!     // Calls of traced functions.
//! });
//! assert!(recorded.runs().is_empty());
//! ```

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;

use crate::{
    export::{Ack, Batch, BoxFuture, ExportError, Exporter},
    local,
    model::{Assembler, Run, RunChange, RunId, Score, Thread, User},
    runtime::{
        self, Client, Pipeline,
        clients::{ClientSet, Defaults},
        destination::Destination,
        exit, gate,
    },
    sync::Arc,
};

/// How long a test waits for its runs to be written.
const PATIENCE: Duration = Duration::from_secs(30);

/// An exporter that keeps everything it is given. Clones share what they keep.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    changes: Arc<Mutex<Vec<RunChange>>>,
}

impl Memory {
    /// An exporter that has kept nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The changes so far, in the order in which they came.
    #[must_use]
    pub fn changes(&self) -> Vec<RunChange> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The runs that have ended, whole, in the order of their starts.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let mut assembler = Assembler::new(usize::MAX / 4);
        let mut runs: BTreeMap<RunId, Run> = BTreeMap::new();
        for change in self.changes() {
            if let Some(run) = assembler.push(&change) {
                runs.insert(run.id, *run);
            } else if let RunChange::Patch(patch) = change
                && let Some(run) = runs.get_mut(&patch.id)
            {
                run.absorb(*patch);
            }
        }
        let mut runs: Vec<Run> = runs.into_values().collect();
        runs.sort_by_key(|run| (run.start_time, run.id));
        runs
    }

    /// The scores, in the order in which they came.
    #[must_use]
    pub fn scores(&self) -> Vec<Score> {
        self.pick(|change| if let RunChange::Score(score) = change { Some(*score) } else { None })
    }

    /// What was said of conversations, in the order in which it came.
    #[must_use]
    pub fn threads(&self) -> Vec<Thread> {
        self.pick(|change| if let RunChange::Thread(thread) = change { Some(*thread) } else { None })
    }

    /// What was said of users, in the order in which it came.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        self.pick(|change| if let RunChange::User(user) = change { Some(*user) } else { None })
    }

    fn pick<T>(&self, choose: impl FnMut(RunChange) -> Option<T>) -> Vec<T> {
        self.changes().into_iter().filter_map(choose).collect()
    }
}

impl Exporter for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.extend(batch.changes.iter().cloned());
        Box::pin(std::future::ready(Ok(Ack::default())))
    }
}

/// A client of its own that records into memory: traces that begin in its scopes go nowhere else, and those of tests
/// that run at the same time do not come in.
///
/// Needs no `init`; tracing is on for this scope, whatever the environment says.
#[derive(Debug)]
pub struct Recorder {
    client: Client,
    memory: Memory,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// A recorder.
    ///
    /// # Panics
    ///
    /// When a thread cannot be started, or when 65 535 recorders are alive.
    #[must_use]
    pub fn new() -> Self {
        Self::try_new().unwrap_or_else(|error| panic!("a recorder for tests could not be made: {error}"))
    }

    fn try_new() -> std::io::Result<Self> {
        let pipeline = Pipeline::get_or_make()?;
        let memory = Memory::new();
        let destinations = vec![Destination::start(Box::new(memory.clone()))?];
        let set = ClientSet { destinations, defaults: Defaults::default() };
        let client = pipeline.clients.add(set).ok_or_else(|| std::io::Error::other("too many recorders"))?;
        exit::install_panic_hook();
        if !gate::is_on() {
            gate::open();
        }
        Ok(Self { client, memory })
    }

    /// The client, for the attribute's `client`.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client
    }

    /// What has arrived so far, without a flush: open runs come in by themselves after a while.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Calls `f`; traces that begin on this thread meanwhile are recorded here.
    pub fn scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _scope = Scope::enter(self.client);
        f()
    }

    /// Polls `future`; traces that begin in its polls are recorded here.
    pub fn scope_future<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped { inner: future, client: self.client }
    }

    /// Waits until everything recorded so far has arrived.
    ///
    /// # Panics
    ///
    /// When that takes longer than half a minute.
    pub fn flush(&self) {
        let flushed = runtime::flush_blocking(PATIENCE);
        assert!(flushed.complete, "runs were not delivered to memory within {PATIENCE:?}");
    }

    /// The changes so far, after a flush.
    #[must_use]
    pub fn changes(&self) -> Vec<RunChange> {
        self.flush();
        self.memory.changes()
    }

    /// The runs that have ended, whole, in the order of their starts, after a flush.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        self.flush();
        self.memory.runs()
    }

    /// The scores so far, after a flush.
    #[must_use]
    pub fn scores(&self) -> Vec<Score> {
        self.flush();
        self.memory.scores()
    }

    /// What was said of conversations so far, after a flush.
    #[must_use]
    pub fn threads(&self) -> Vec<Thread> {
        self.flush();
        self.memory.threads()
    }

    /// What was said of users so far, after a flush.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        self.flush();
        self.memory.users()
    }

    /// The one run of this name that has ended.
    ///
    /// # Panics
    ///
    /// When there is none, or more than one.
    #[must_use]
    pub fn run(&self, name: &str) -> Run {
        let runs = self.runs();
        let mut named = runs.iter().filter(|run| run.name == name);
        match (named.next(), named.next()) {
            (Some(run), None) => run.clone(),
            (None, _) => panic!("no run `{name}` among {:?}", runs.iter().map(|run| &run.name).collect::<Vec<_>>()),
            _ => panic!("more than one run `{name}`"),
        }
    }

    /// The runs as indented lines of name, kind where it is not `chain`, and status where it is not `ok`.
    #[must_use]
    pub fn tree(&self) -> String {
        let runs = self.runs();
        let mut lines = String::new();
        for root in runs.iter().filter(|run| !runs.iter().any(|other| Some(other.id) == run.parent_id)) {
            push_tree(&runs, root, 0, &mut lines);
        }
        lines
    }
}

fn push_tree(runs: &[Run], run: &Run, depth: usize, lines: &mut String) {
    use std::fmt::Write as _;

    let kind = if run.run_type.as_str() == "chain" { String::new() } else { format!(" {}", run.run_type) };
    let status = if run.status.as_str() == "ok" { String::new() } else { format!(" {}", run.status) };
    // Writing to a `String` cannot fail.
    let _ = writeln!(lines, "{:1$}{2}{kind}{status}", "", depth * 2, run.name);
    let id: RunId = run.id;
    for child in runs.iter().filter(|child| child.parent_id == Some(id)) {
        push_tree(runs, child, depth + 1, lines);
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(pipeline) = Pipeline::get() {
            pipeline.clients.remove(self.client.0);
        }
    }
}

struct Scope {
    before: u16,
}

impl Scope {
    fn enter(client: Client) -> Self {
        Self { before: local::swap_client(client.0) }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        local::swap_client(self.before);
    }
}

pin_project! {
    /// The future of [`Recorder::scope_future`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Scoped<F> {
        #[pin]
        inner: F,
        client: Client,
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = Scope::enter(*this.client);
        this.inner.poll(cx)
    }
}

/// Calls `f` and answers what was recorded meanwhile.
pub fn capture(f: impl FnOnce()) -> Recorder {
    let recorder = Recorder::new();
    recorder.scope(f);
    recorder
}
