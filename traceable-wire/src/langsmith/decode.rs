//! What was read of a body: changes, and what could not be read.

use std::fmt;

use traceable_core::model::{Attachment, Json, RunChange, RunId};

use super::read::{self, Fields};

/// Parts of one body, or records of one batch, at most.
pub const MAX_PARTS: usize = 20_000;

/// What a body says. A part that cannot be read spoils no other.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Decoded {
    /// What was read, in the order of the body.
    pub changes: Vec<RunChange>,
    /// What was not.
    pub errors: Vec<PartError>,
}

impl Decoded {
    pub(super) fn refuse(&mut self, part: impl Into<String>, problem: Problem) {
        self.errors.push(PartError { part: part.into(), problem });
    }
}

/// A part of a body that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartError {
    /// The name of the part, or its place such as `post[3]`; empty for the body.
    pub part: String,
    /// What is wrong with it.
    pub problem: Problem,
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.part.is_empty() { self.problem.fmt(f) } else { write!(f, "{}: {}", self.part, self.problem) }
    }
}

impl std::error::Error for PartError {}

/// What can be wrong with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The body is not multipart with this boundary, or not a batch.
    NotABody,
    /// The body stops inside of the part.
    Truncated,
    /// More than [`MAX_PARTS`]; what is behind was not read.
    TooManyParts,
    /// Its headers, of at most 8 KiB, cannot be read.
    Header,
    /// Its name, of at most 256 bytes, is none that LangSmith knows.
    Name,
    /// Where the id of a run or of feedback should be is no UUID.
    Id,
    /// It is not JSON of the kind that belongs there.
    Json,
    /// A field came without its run.
    NoRun,
    /// Feedback without a run, a key or a time.
    Feedback,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotABody => "neither a multipart body with this boundary nor a batch of runs",
            Self::Truncated => "the body ends inside of it",
            Self::TooManyParts => "too many parts",
            Self::Header => "unreadable headers",
            Self::Name => "unknown name",
            Self::Id => "not a UUID",
            Self::Json => "not the JSON that belongs there",
            Self::NoRun => "a field without its run",
            Self::Feedback => "feedback needs a run or a thread, and a key",
        })
    }
}

impl std::error::Error for Problem {}

/// Which of LangSmith's two operations a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Post,
    Patch,
}

/// The change that a record makes. A post without an end announces a run; a patch with one ends it.
pub(super) fn change(operation: Operation, id: RunId, record: Fields, beside: Vec<Attachment>) -> RunChange {
    let run = Box::new(read::run(id, record, beside));
    match operation {
        _ if run.end_time.is_some() => RunChange::End(run),
        Operation::Post => RunChange::Start(run),
        Operation::Patch => RunChange::Patch(run),
    }
}

/// The members of a JSON object.
pub(super) fn fields(json: &[u8]) -> Result<Fields, Problem> {
    serde_json::from_slice(json).map_err(|_| Problem::Json)
}

pub(super) fn id(fields: &Fields, name: &str) -> Option<RunId> {
    serde_json::from_str(fields.get(name).map(Json::as_str)?).ok()
}

/// Reads one run that was posted by itself.
///
/// # Errors
///
/// When it is not a JSON object with an id.
pub fn decode_post(body: &[u8]) -> Result<RunChange, Problem> {
    let record = fields(body)?;
    Ok(change(Operation::Post, id(&record, "id").ok_or(Problem::Id)?, record, Vec::new()))
}

/// Reads a patch of one run, whose id was in the address.
///
/// # Errors
///
/// When it is not a JSON object.
pub fn decode_patch(id: RunId, body: &[u8]) -> Result<RunChange, Problem> {
    Ok(change(Operation::Patch, id, fields(body)?, Vec::new()))
}
