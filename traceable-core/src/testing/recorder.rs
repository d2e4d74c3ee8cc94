//! A scope of a test, and what was recorded in it.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use pin_project_lite::pin_project;

use super::{
    diff,
    expect::{self, ExpectedRun},
    memory::Memory,
    snapshot, tree,
};
use crate::{
    local,
    model::{Run, RunChange, Score, Thread, User},
    runtime::{Client, Pipeline, clients::ClientSet, destination::Destination, exit, flush, gate},
};

/// How long a test waits for its runs to be written.
const PATIENCE: Duration = Duration::from_secs(30);

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
        let set = ClientSet { destinations, ..ClientSet::default() };
        let client = pipeline.clients.add(set).ok_or_else(|| std::io::Error::other("too many recorders"))?;
        // Whether or not another test has called `init`, a panic is told in the same words.
        exit::install_panic_hook();
        gate::hold_open();
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

    /// Waits until everything recorded so far has arrived. What other destinations of the process do is of no account.
    ///
    /// # Panics
    ///
    /// When that takes longer than half a minute.
    pub fn flush(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mine = Pipeline::get().and_then(|pipeline| pipeline.clients.get(self.client.0));
        let mut mine = mine.iter().flat_map(|set| &set.destinations);
        let arrived = flush::hand_over(deadline) && mine.all(|memory| memory.wait_until_below(0, deadline));
        assert!(arrived, "runs were not delivered to memory within {PATIENCE:?}");
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
    ///
    /// Runs of one parent are in the order of their starts; those that are still open are `pending`.
    #[must_use]
    pub fn tree(&self) -> String {
        tree::text(&self.recording(), None)
    }

    /// The runs as text that is the same in every execution of a test, for snapshots: as [`tree`](Self::tree), with all
    /// that is known of each run below it as JSON, and without ids, times and lines of the source. Where these stand
    /// inside of a value it says `[id]`, `[time]` or `[source]`.
    #[must_use]
    pub fn snapshot(&self) -> String {
        snapshot::text(&self.recording())
    }

    /// Expects one run of this name, and answers it for more expectations.
    ///
    /// # Panics
    ///
    /// When there is none, or more than one.
    #[track_caller]
    pub fn expect(&self, name: &str) -> ExpectedRun {
        expect::only(&self.recording(), name, None)
    }

    /// Expects this many runs of this name, and answers them in the order of their starts.
    ///
    /// # Panics
    ///
    /// When there are more or fewer.
    #[track_caller]
    pub fn expect_count(&self, name: &str, count: usize) -> Vec<ExpectedRun> {
        let runs = self.recording();
        let named = expect::named(&runs, name);
        if named.len() != count {
            let found = named.len();
            panic!("expected {count} runs `{name}`, recorded {found}\n\n{}", expect::recorded(&runs, None));
        }
        named
    }

    /// Expects no run of this name.
    ///
    /// # Panics
    ///
    /// When there is one.
    #[track_caller]
    pub fn expect_none(&self, name: &str) {
        self.expect_count(name, 0);
    }

    /// Expects these runs and no others, as an outline in the form of [`tree`](Self::tree).
    ///
    /// Only the depth of a line counts, not how wide its steps are, so that the outline may be indented as the code
    /// around it. Where the order of runs is left to chance, such as on several threads, expect them one by one.
    ///
    /// # Panics
    ///
    /// When other runs were recorded.
    #[track_caller]
    pub fn expect_tree(&self, outline: &str) {
        let (expected, actual) = (tree::tidy(outline), self.tree());
        assert!(expected == actual, "unexpected runs\n\n{}", diff::lines(&expected, &actual));
    }

    /// All that was recorded, after a flush, also what is still open.
    fn recording(&self) -> Arc<[Run]> {
        self.flush();
        self.memory.with_open_runs().into()
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
