//! What crosses threads, the spool and the wire: changes of runs, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attachment, Json, Run, RunId, Score, Thread, User};

/// One thing that was learnt of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunChange {
    /// A run is open. It carries all that was known when it was announced.
    Start(Box<Run>),
    /// More of an open run's stream.
    Progress(Progress),
    /// A run has ended. A run that was never announced is whole here; one that was carries what is new,
    /// and its `inputs` stay in the `Start`.
    End(Box<Run>),
    /// Something was added to a run after its end.
    Patch(Box<Run>),
    /// A file for a run that may be anywhere: ended long ago, in another process, or not known yet.
    Attachment(AttachmentFor),
    /// A score of a run, a trace or a thread; it may come before what it is about.
    Score(Box<Score>),
    /// What is known of a conversation.
    Thread(Box<Thread>),
    /// What is known of a user.
    User(Box<User>),
    /// What was not recorded, and why.
    Report(Report),
}

impl RunChange {
    /// The run inside, where the change holds one.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        match self {
            Self::Start(run) | Self::End(run) | Self::Patch(run) => Some(run),
            Self::Progress(_)
            | Self::Attachment(_)
            | Self::Score(_)
            | Self::Thread(_)
            | Self::User(_)
            | Self::Report(_) => None,
        }
    }
}

/// A file, and the run that it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttachmentFor {
    /// The run.
    pub run_id: RunId,
    /// The file.
    pub attachment: Attachment,
}

/// An open run's stream so far. Sent to live views, never to other backends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The run.
    pub id: RunId,
    /// The trace.
    pub trace_id: RunId,
    /// When this was taken, in nanoseconds since the epoch.
    pub time: i64,
    /// Chunks so far.
    pub chunks: u64,
    /// The answer so far, reduced where a reducer allows it.
    pub outputs: Option<Json>,
}

/// Counts of what was dropped, by reason, since the report before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The report's own id: what is sent twice counts once.
    #[serde(default)]
    pub id: RunId,
    /// Runs by reason, such as `queue_full`.
    pub dropped: BTreeMap<String, u64>,
}
