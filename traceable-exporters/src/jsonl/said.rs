//! What is no run, as a line: a score in LangSmith's names for feedback, all else under one key that says what it is.

use serde::Serialize;
use traceable_core::model::{AttachmentFor, RunChange, Thread, User};
use traceable_wire::langsmith::Feedback;

/// One line of the file.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Said<'a> {
    Thread(&'a Thread),
    User(&'a User),
    Attachment(&'a AttachmentFor),
    #[serde(untagged)]
    Score(Box<Feedback<'a>>),
}

impl<'a> Said<'a> {
    /// The line of a change, where it is one of these.
    pub(super) fn of(change: &'a RunChange) -> Option<Self> {
        Some(match change {
            RunChange::Score(score) => Self::Score(Box::new(Feedback::new(score))),
            RunChange::Thread(thread) => Self::Thread(thread),
            RunChange::User(user) => Self::User(user),
            RunChange::Attachment(attachment) => Self::Attachment(attachment),
            _ => return None,
        })
    }
}
