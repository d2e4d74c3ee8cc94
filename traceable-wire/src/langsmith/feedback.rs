//! A score as LangSmith writes it, under the name of feedback, and back.

use serde::Serialize;
use serde_json::{Map, Value};
use traceable_core::model::{Json, RunId, Score, ScoreSource, ScoreTarget, format_time};

use super::{
    decode::{self, Problem, id},
    read::{self, Fields},
};
use crate::names::REST;

/// A score as LangSmith writes it: a part of a multipart body, or the body of a request of its own.
#[derive(Debug, Serialize)]
pub struct Feedback<'a> {
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
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Class<'a> {
    Value(&'a Value),
    Label(&'a str),
}

#[derive(Debug, Serialize)]
struct Source<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

#[derive(Debug, Serialize)]
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
#[derive(Debug, Serialize)]
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
    /// The feedback of a score.
    pub fn new(score: &'a Score) -> Self {
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

/// The score as it comes back when it was sent to LangSmith as feedback.
///
/// Its time is cut to microseconds. LangSmith has one place for a value and a label: a text that stands there is a label. A
/// `null` is no value and no correction.
#[must_use]
pub fn normalise_score(score: Score) -> Score {
    let mut score = score;
    score.time = score.time.div_euclid(1_000).saturating_mul(1_000);
    score.score = score.score.filter(|score| score.is_finite());
    score.value = score.value.filter(|value| !value.is_null());
    score.correction = score.correction.filter(|correction| !correction.is_null());
    if score.label.is_none()
        && let Some(Value::String(label)) = &score.value
    {
        score.label = Some(label.clone());
        score.value = None;
    }
    score
}

/// Reads feedback. A score that is `true` or `false` is 1 or 0; feedback on the root of a trace is on the trace.
///
/// # Errors
///
/// When it is not a JSON object, or has no id, no key, or nothing that it is about.
pub fn decode_feedback(body: &[u8]) -> Result<Score, Problem> {
    let fields: Fields = decode::fields(body)?;
    let value = |name: &str| fields.get(name).map(Json::to_value).filter(|value| !value.is_null());
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (run, trace, thread) = (id(&fields, "run_id"), id(&fields, "trace_id"), text(value("thread_id")));
    let target = match (run, trace, thread) {
        (Some(run), Some(trace), _) if run == trace => ScoreTarget::Trace(trace),
        (Some(run), _, _) => ScoreTarget::Run(run),
        (None, Some(trace), _) => ScoreTarget::Trace(trace),
        (None, None, Some(thread)) => ScoreTarget::Thread(thread),
        (None, None, None) => return Err(Problem::Feedback),
    };
    let object = |value: Option<Value>| match value {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    let mut given_by = object(value("feedback_source"));
    let mut extra = object(value("extra"));
    let mut rest = object(extra.remove(REST));
    let mut metadata = object(given_by.remove("metadata"));
    metadata.extend(object(extra.remove("metadata")));
    let tags = rest.remove("tags").and_then(|tags| serde_json::from_value(tags).ok());
    let source = rest.remove("source").and_then(|source| serde_json::from_value(source).ok());
    let is_model = given_by.get("type").is_some_and(|kind| kind == "model");
    let score = Score {
        id: id(&fields, "id").ok_or(Problem::Id)?,
        target,
        key: text(value("key")).ok_or(Problem::Feedback)?,
        score: value("score").and_then(|score| score.as_bool().map(|yes| f64::from(u8::from(yes))).or(score.as_f64())),
        value: value("value"),
        label: text(rest.remove("label")),
        comment: text(value("comment")),
        correction: value("correction"),
        source: source.unwrap_or(if is_model { ScoreSource::Ai } else { ScoreSource::Code }),
        user: text(given_by.remove("user_id")),
        time: fields.get("created_at").and_then(read::time).unwrap_or_default(),
        tags: tags.unwrap_or_default(),
        metadata,
    };
    Ok(normalise_score(score))
}
