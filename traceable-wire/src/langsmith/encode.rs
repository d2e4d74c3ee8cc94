//! Which change is a `post`, which a `patch`, and how many of them go into one body.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, VecDeque},
};

use traceable_core::model::{AttachmentFor, Run, RunChange, RunId, Score, ScoreTarget};

use super::{attachment, batch::Batch, multipart::Multipart};

/// Runs that were announced and whose end is awaited; beyond, the oldest are forgotten.
const MAX_OPEN: usize = 1 << 16;

/// What is sent for a change.
pub(super) enum Sent<'a> {
    Post(Cow<'a, Box<Run>>),
    Patch(&'a Run),
    Attachment(&'a AttachmentFor),
    Score(&'a Score),
    /// What only our own server has a place for.
    Other(&'a RunChange),
    /// Nothing: LangSmith has no place for it, or it went along with another change.
    Nothing,
}

/// A body that is being written.
pub(super) trait Body {
    /// Writes what is sent; `false` when this kind of body has no place for it.
    fn write(&mut self, sent: &Sent<'_>) -> serde_json::Result<bool>;
    /// Takes back what was written last, also where that failed.
    fn undo(&mut self);
    /// How long the finished body is.
    fn len(&self) -> usize;
    /// The body; empty when nothing was written.
    fn finish(self) -> Vec<u8>;
}

/// A body, and what became of the changes.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encoded {
    /// What to send; empty when there is nothing to send.
    pub body: Vec<u8>,
    /// How many changes, from the first, are done with. The others need another body.
    pub taken: usize,
    /// How many of these LangSmith has no place for.
    pub left_out: u64,
    /// How many of these are too large for any body, or cannot be written.
    pub refused: u64,
}

/// Makes bodies of changes. It knows which runs it has announced: a run that ended before it left is one `post`, and one
/// that was announced is a `post` and, later, a `patch`.
///
/// ```
/// use traceable_core::model::{Run, RunChange, RunId};
/// use traceable_wire::langsmith::{Encoder, decode_multipart};
///
/// let run = Run { id: RunId::from_u128(1), name: "answer".into(), end_time: Some(1_000), ..Run::default() };
/// let changes = [RunChange::End(Box::new(run))];
/// let encoded = Encoder::default().multipart(&changes, "0b6f9c2e41d84c4f", 1 << 20);
/// assert_eq!(encoded.taken, 1);
///
/// let decoded = decode_multipart(&encoded.body, "0b6f9c2e41d84c4f");
/// assert_eq!(decoded.changes[0].run().map(|run| &*run.name), Some("answer"));
/// ```
#[derive(Debug, Default)]
pub struct Encoder {
    open: HashSet<RunId>,
    order: VecDeque<RunId>,
    project: Option<String>,
    is_lossless: bool,
    /// How long the last body was: the next will be about that.
    len: usize,
}

impl Encoder {
    /// Files runs under this project that name none themselves.
    #[must_use]
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.project = Some(name.into());
        self
    }

    /// Also says what LangSmith has no place for, in parts that only the server of this project reads: scores of threads,
    /// threads, users, files that are elsewhere, and reports of what was dropped.
    #[must_use]
    pub fn lossless(mut self) -> Self {
        self.is_lossless = true;
        self
    }

    /// A multipart body of at most `max_bytes`. `boundary` must stand nowhere in the changes: 32 random hexadecimal digits
    /// do not.
    ///
    /// No file is read here: of an attachment that is a path, only the path is sent, so read it before. A score of a thread
    /// has no place at LangSmith.
    pub fn multipart<'a>(
        &mut self,
        changes: impl IntoIterator<Item = &'a RunChange>,
        boundary: &str,
        max_bytes: usize,
    ) -> Encoded {
        let project = self.project.take();
        let body = Multipart::new(boundary, project.as_deref(), self.len.min(max_bytes));
        let encoded = self.encode(changes, body, max_bytes);
        self.project = project;
        encoded
    }

    /// A batch of JSON of at most `max_bytes`. It has no place for feedback, nor for the bytes of attachments.
    pub fn batch<'a>(&mut self, changes: impl IntoIterator<Item = &'a RunChange>, max_bytes: usize) -> Encoded {
        let project = self.project.take();
        let encoded = self.encode(changes, Batch::new(project.as_deref()), max_bytes);
        self.project = project;
        encoded
    }

    /// Says that a run was announced by somebody else, such as by this program before it was started again.
    pub fn announced(&mut self, id: RunId) {
        if self.open.insert(id) {
            self.order.push_back(id);
        }
        while self.open.len() > MAX_OPEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.open.remove(&oldest);
        }
        // Ended runs leave their ids behind; sweep them before the list outgrows the set.
        if self.order.len() > 2 * MAX_OPEN {
            self.order.retain(|id| self.open.contains(id));
        }
    }

    fn encode<'a>(
        &mut self,
        changes: impl IntoIterator<Item = &'a RunChange>,
        mut body: impl Body,
        max_bytes: usize,
    ) -> Encoded {
        let changes: Vec<&RunChange> = changes.into_iter().collect();
        let mut encoded = Encoded::default();
        let mut joined = HashSet::new();
        let ends: HashMap<RunId, &Run> = changes
            .iter()
            .filter_map(|change| if let RunChange::End(run) = change { Some((run.id, &**run)) } else { None })
            .collect();
        let mut empty = true;
        for &change in &changes {
            let sent = self.sent(change, &ends, &mut joined);
            match body.write(&sent) {
                Ok(true) if body.len() <= max_bytes => {
                    empty = false;
                    self.note(&sent);
                }
                Ok(true) if !empty => {
                    body.undo();
                    break;
                }
                Ok(true) | Err(_) => {
                    body.undo();
                    encoded.refused += 1;
                }
                // What was dropped is no change of anything.
                Ok(false) if matches!(change, RunChange::Progress(_) | RunChange::Report(_)) => {}
                Ok(false) => encoded.left_out += u64::from(!joined.contains(&of(change))),
            }
            encoded.taken += 1;
        }
        // The end of a run that went along with its start, and lies behind the cut, must not look like a run of its own.
        for change in &changes[encoded.taken..] {
            if let RunChange::End(run) = *change
                && joined.contains(&Some(run.id))
            {
                self.announced(run.id);
            }
        }
        encoded.body = body.finish();
        self.len = encoded.body.len();
        encoded
    }

    fn sent<'a>(
        &self,
        change: &'a RunChange,
        ends: &HashMap<RunId, &'a Run>,
        joined: &mut HashSet<Option<RunId>>,
    ) -> Sent<'a> {
        match change {
            RunChange::Start(run) => match ends.get(&run.id) {
                Some(end) => {
                    let mut whole = run.clone();
                    whole.absorb((*end).clone());
                    joined.insert(Some(run.id));
                    Sent::Post(Cow::Owned(whole))
                }
                None => Sent::Post(Cow::Borrowed(run)),
            },
            RunChange::End(run) if joined.contains(&Some(run.id)) => Sent::Nothing,
            RunChange::End(run) if self.open.contains(&run.id) => Sent::Patch(run),
            RunChange::End(run) => Sent::Post(Cow::Borrowed(run)),
            RunChange::Patch(run) => Sent::Patch(run),
            RunChange::Attachment(of) if self.is_lossless && !attachment::is_whole_beside(&of.attachment) => {
                Sent::Other(change)
            }
            RunChange::Attachment(attachment) => Sent::Attachment(attachment),
            RunChange::Score(score) if self.is_lossless || !matches!(score.target, ScoreTarget::Thread(_)) => {
                Sent::Score(score)
            }
            RunChange::Thread(_) | RunChange::User(_) | RunChange::Report(_) if self.is_lossless => Sent::Other(change),
            _ => Sent::Nothing,
        }
    }

    fn note(&mut self, sent: &Sent<'_>) {
        match sent {
            Sent::Post(run) if run.end_time.is_none() => self.announced(run.id),
            Sent::Post(run) => drop(self.open.remove(&run.id)),
            Sent::Patch(run) if run.end_time.is_some() => drop(self.open.remove(&run.id)),
            _ => {}
        }
    }
}

fn of(change: &RunChange) -> Option<RunId> {
    change.run().map(|run| run.id)
}
