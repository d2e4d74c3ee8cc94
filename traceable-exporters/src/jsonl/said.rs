//! What is no run, as a line: a score in LangSmith's names for feedback, all else under one key that says what it is.

use serde::Serialize;
use serde_json::{Map, Value};
use traceable_core::model::{
    AttachmentFor, RunChange, RunId, Score, ScoreSource, ScoreTarget, Thread, User, format_time,
};

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

/// A score as LangSmith writes it.
#[derive(Serialize)]
pub(super) struct Feedback<'a> {
    id: RunId,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<&'a str>,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Class<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correction: Option<&'a Value>,
    #[serde(rename = "feedback_source")]
    source: Source<'a>,
    created_at: String,
    #[serde(skip_serializing_if = "Extra::is_empty")]
    extra: Extra<'a>,
}

/// LangSmith has one place for a value and a class.
#[derive(Serialize)]
#[serde(untagged)]
enum Class<'a> {
    Value(&'a Value),
    Label(&'a str),
}

#[derive(Serialize)]
struct Source<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Extra<'a> {
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: &'a Map<String, Value>,
    #[serde(rename = "traceable.rest", skip_serializing_if = "Rest::is_empty")]
    rest: Rest<'a>,
}

impl Extra<'_> {
    fn is_empty(&self) -> bool {
        self.metadata.is_empty() && self.rest.is_empty()
    }
}

/// What LangSmith has no name for.
#[derive(Serialize)]
struct Rest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
}

impl Rest<'_> {
    fn is_empty(&self) -> bool {
        self.label.is_none() && self.source.is_none() && self.tags.is_empty()
    }
}

impl<'a> Feedback<'a> {
    fn new(score: &'a Score) -> Self {
        // Without `..`, so that a new field cannot be forgotten here.
        #[rustfmt::skip]
        let Score {
            id, target, key, score, value, label, comment, correction, source, user, time, tags, metadata,
        } = score;
        let (run_id, trace_id, thread_id) = match target {
            ScoreTarget::Run(run) => (Some(*run), None, None),
            ScoreTarget::Trace(trace) => (Some(*trace), Some(*trace), None),
            ScoreTarget::Thread(thread) => (None, None, Some(thread.as_str())),
            _ => (None, None, None),
        };
        let label = label.as_deref();
        let kind = if *source == ScoreSource::Ai { "model" } else { "api" };
        let rest = Rest {
            label: label.filter(|_| value.is_some()),
            source: (*source == ScoreSource::Human).then_some(source.as_str()),
            tags,
        };
        Self {
            id: *id,
            run_id,
            trace_id,
            thread_id,
            key,
            score: *score,
            value: value.as_ref().map(Class::Value).or(label.map(Class::Label)),
            comment: comment.as_deref(),
            correction: correction.as_ref(),
            source: Source { kind, user_id: user.as_deref() },
            created_at: format_time(*time),
            extra: Extra { metadata, rest },
        }
    }
}
