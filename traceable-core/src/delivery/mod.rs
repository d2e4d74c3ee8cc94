//! From the spool to a backend: what is sent, when, and what its answer means. No sockets and no timers here.
//!
//! A [`Delivery`] is asked for the next [`Step`] and told each answer; whoever drives it sends, and waits. It reads what
//! comes next from a [`Source`] and tells the source how far it came, so what is in memory is what is on its way.

mod link;
mod machine;
mod order;
mod pace;
mod shrink;
#[cfg(test)]
mod tests;

use std::{fmt, io, sync::Arc, time::Instant};

use serde::{Deserialize, Serialize};

pub use self::{
    link::Link,
    machine::{Delivery, Parcel, Step},
};
use crate::{
    export::{Restricted, Restrictions},
    model::RunChange,
};

/// What makes a backend this one and no other: whoever drains a spool after a crash may send it nowhere else.
///
/// No credential is a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// The exporter, such as `langsmith`.
    pub name: String,
    /// Where it sends to, without user and password.
    pub endpoint: String,
    /// What the runs are filed under there: a project, a workspace.
    pub project: String,
}

impl Identity {
    /// The backend of this exporter at this place.
    pub fn new(name: impl Into<String>, endpoint: impl Into<String>, project: impl Into<String>) -> Self {
        Self { name: name.into(), endpoint: endpoint.into(), project: project.into() }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.name, self.endpoint)
    }
}

/// How much is sent at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Changes in one request.
    pub changes: usize,
    /// Bytes of changes in one request, before any encoding.
    pub bytes: usize,
    /// Requests on their way at once, at most.
    pub in_flight: usize,
}

impl Default for Limits {
    /// 100 changes, 4 MiB, 4 requests.
    fn default() -> Self {
        Self { changes: 100, bytes: 4 << 20, in_flight: 4 }
    }
}

/// What a backend wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Wants {
    /// Runs as soon as they are known: a `Start` goes out, and its `End` says what is new.
    #[default]
    Early,
    /// Ended runs alone, each whole: an `End` holds what its `Start` said.
    Whole,
}

/// A backend over a network. The spool stands before it, and a thread of its own crate sends.
pub trait Remote: Send + Sync {
    /// Which backend this is.
    fn identity(&self) -> Identity;

    /// How much it takes at once.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// What it wants to be told.
    fn wants(&self) -> Wants {
        Wants::default()
    }

    /// Gives this destination only the runs for which `keep` says so. A run that is left out takes all below it along, so no
    /// tree is without its root.
    ///
    /// `keep` is asked once for each run, when it begins, and sees what is known then: name, kind, inputs, tags, metadata,
    /// project, before anything is redacted. It runs on the writer's thread; should it panic, the run is left out. What is
    /// kept on this machine has all runs, and so has every other destination. `stats().filtered` counts them.
    ///
    /// ```
    /// use traceable_core::{delivery::Remote, redact::Redaction};
    /// # fn with(langsmith: impl Remote + 'static) {
    ///
    /// let langsmith = langsmith.filter(|run| run.environment.as_deref() == Some("production")).redact(Redaction::default().emails());
    /// let builder = traceable_core::runtime::Builder::new().remote(langsmith);
    /// # }
    /// ```
    fn filter(self, keep: impl Fn(&crate::model::Run) -> bool + Send + Sync + 'static) -> Restricted<Arc<Self>>
    where
        Self: Sized,
    {
        let restrictions = self.restrictions();
        Restricted::new(Arc::new(self), restrictions.filter(keep))
    }

    /// Replaces more by marks for this destination, beside what is replaced for all. See
    /// [`Builder::redaction_for`](crate::runtime::Builder::redaction_for).
    #[cfg(feature = "redaction")]
    fn redact(self, rules: crate::redact::Redaction) -> Restricted<Arc<Self>>
    where
        Self: Sized,
    {
        let restrictions = self.restrictions();
        Restricted::new(Arc::new(self), restrictions.redact(rules))
    }

    /// What it is given less than others.
    #[doc(hidden)]
    fn restrictions(&self) -> Restrictions {
        Restrictions::default()
    }

    /// Sends what others left for this backend outside of any spool, and removes it there. Nothing, unless the exporter
    /// says otherwise. Blocks, until `deadline` at most but for a request that is on its way.
    ///
    /// # Errors
    ///
    /// When what was left cannot be looked at.
    fn replay(&self, deadline: Instant) -> io::Result<Replayed> {
        let _ = deadline;
        Ok(Replayed::default())
    }

    /// Starts to deliver, and returns at once.
    ///
    /// Called once when tracing begins, and again in the child of a fork.
    ///
    /// # Errors
    ///
    /// When what delivers cannot be started.
    fn drive(self: Arc<Self>, delivery: Delivery) -> io::Result<()>;
}

/// What became of files that others left for a backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Replayed {
    /// Files that were taken and removed.
    pub sent: u64,
    /// Files that stay, each with why.
    pub left: Vec<(String, String)>,
}

/// A place in what a [`Source`] gives out. Later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mark(pub u64);

/// A change on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place.
    pub mark: Mark,
    /// The change. `Progress` is not among them.
    pub change: RunChange,
    /// About how much it weighs, in bytes.
    pub bytes: usize,
    /// Of an `End`: whether this backend was told of the run's start before, by whatever process. What was given out
    /// before counts as told.
    pub announced: bool,
}

/// Where changes come from, and where it is kept how far they came.
pub trait Source: Send {
    /// What comes next, in order, within these bounds but at least one when there is any; nothing when there is nothing now.
    ///
    /// # Errors
    ///
    /// When what was kept cannot be read now. It is asked again later.
    fn next(&mut self, max_changes: usize, max_bytes: usize) -> io::Result<Vec<Entry>>;

    /// How many changes of this process are done with, those that are never given out among them.
    fn passed(&self) -> u64;

    /// Everything up to and including this place is done with: taken, or refused for good and counted.
    ///
    /// # Errors
    ///
    /// When it cannot be written down. What was done may then be sent again after a crash.
    fn done(&mut self, mark: Mark) -> io::Result<()>;

    /// Keeps what the backend refused for good, with what it said.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn bury(&mut self, entries: &[Entry], answer: &str) -> io::Result<()>;

    /// Writes down how the backend stands, for whoever looks from outside.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn note(&mut self, standing: &Standing) -> io::Result<()>;
}

/// How a backend stands: a small JSON file beside its acknowledgements, for `doctor` and the viewer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Standing {
    /// What the backend said last, such as `taken` or `401: no such key`.
    pub last_answer: String,
    /// When, in nanoseconds since the epoch.
    pub last_answer_at: i64,
    /// Since when nothing is delivered, in nanoseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_since: Option<i64>,
    /// The largest request that passed when a larger one was too large, in bytes of changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes_bytes: Option<usize>,
    /// Changes taken so far by this process.
    pub delivered: u64,
    /// Changes refused for good so far by this process.
    pub refused: u64,
}
