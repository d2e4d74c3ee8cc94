//! One record for every protocol: what a run is.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Attachment, DottedOrder, Json, RunId, Usage};

/// What kind of work a run is.
///
/// ```
/// use traceable_core::model::RunType;
///
/// assert_eq!(RunType::from("llm"), RunType::Llm);
/// assert_eq!(RunType::from("crawler").as_str(), "crawler");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Cow<'static, str>", into = "Cow<'static, str>")]
#[non_exhaustive]
pub enum RunType {
    /// A call of a language model.
    Llm,
    /// Steps that belong together; the default.
    #[default]
    Chain,
    /// A tool or function that a model asked for.
    Tool,
    /// A search for documents.
    Retriever,
    /// A call of an embedding model.
    Embedding,
    /// The making of a prompt.
    Prompt,
    /// The reading of an answer.
    Parser,
    /// An agent: a loop that decides.
    Agent,
    /// A second ordering of documents.
    Reranker,
    /// A check of an input or an answer.
    Guardrail,
    /// A judgement of an answer.
    Evaluator,
    /// A choice between ways to go on.
    Router,
    /// A message of a conversation.
    Message,
    /// An event of the system around the application.
    System,
    /// Any other kind.
    Custom(Cow<'static, str>),
}

/// The kinds that have a name of their own, in the order of [`RunType`].
const RUN_TYPES: [(&str, RunType); 14] = [
    ("llm", RunType::Llm),
    ("chain", RunType::Chain),
    ("tool", RunType::Tool),
    ("retriever", RunType::Retriever),
    ("embedding", RunType::Embedding),
    ("prompt", RunType::Prompt),
    ("parser", RunType::Parser),
    ("agent", RunType::Agent),
    ("reranker", RunType::Reranker),
    ("guardrail", RunType::Guardrail),
    ("evaluator", RunType::Evaluator),
    ("router", RunType::Router),
    ("message", RunType::Message),
    ("system", RunType::System),
];

impl RunType {
    /// The name as it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Custom(name) => name,
            known => RUN_TYPES.iter().find(|(_, t)| t == known).map_or("chain", |(name, _)| name),
        }
    }
}

impl From<Cow<'static, str>> for RunType {
    fn from(name: Cow<'static, str>) -> Self {
        match RUN_TYPES.iter().find(|(known, _)| *known == name) {
            Some((_, run_type)) => run_type.clone(),
            None => Self::Custom(name),
        }
    }
}

impl From<&'static str> for RunType {
    fn from(name: &'static str) -> Self {
        Self::from(Cow::Borrowed(name))
    }
}

impl From<String> for RunType {
    fn from(name: String) -> Self {
        Self::from(Cow::Owned(name))
    }
}

impl From<RunType> for Cow<'static, str> {
    fn from(run_type: RunType) -> Self {
        match run_type {
            RunType::Custom(name) => name,
            known => {
                let name = RUN_TYPES.iter().find(|(_, t)| *t == known).map_or("chain", |(name, _)| *name);
                Cow::Borrowed(name)
            }
        }
    }
}

impl fmt::Display for RunType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// Still open.
    #[default]
    Pending,
    /// Ended well.
    Ok,
    /// Ended with an error or a panic.
    Error,
    /// The future or stream was dropped before its end.
    Cancelled,
    /// Ended from outside, such as by a limit.
    Aborted,
    /// Not known.
    Unknown,
}

impl Status {
    /// The name as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Aborted => "aborted",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something that happened inside a run, at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What happened, such as `new_token`.
    pub name: Cow<'static, str>,
    /// When, in nanoseconds since the epoch.
    pub time: i64,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// How a streamed answer came in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamInfo {
    /// When the first chunk came, in nanoseconds since the epoch.
    pub first_chunk: i64,
    /// When the last chunk came, in nanoseconds since the epoch.
    pub last_chunk: i64,
    /// How many chunks came; 0 where nobody counted them.
    pub chunks: u64,
    /// The chunks with their times in nanoseconds since the epoch, where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raw: Vec<(i64, Json)>,
}

/// Where in the source a run's function stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceLocation {
    /// The module, such as `my_app::agent`.
    pub module: Cow<'static, str>,
    /// The file as the compiler names it.
    pub file: Cow<'static, str>,
    /// The line of the attribute.
    pub line: u32,
}

/// A foreign W3C trace context that a trace goes on in.
///
/// OpenTelemetry exporters and `traceparent` use it in place of what they would make of the run's ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OtelContext {
    /// The trace's id: 16 bytes, not all zero, as 32 hexadecimal digits in JSON.
    #[serde(with = "hex_id")]
    pub trace_id: u128,
    /// The foreign span that the run is a part of; on the first run of this process only.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "hex_span")]
    pub parent_span_id: Option<u64>,
    /// What other vendors put along the trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    /// Whether the caller records the trace.
    pub sampled: bool,
}

mod hex_id {
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(super) fn serialize<S: Serializer>(id: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{id:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(de::Error::custom)
    }
}

mod hex_span {
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(super) fn serialize<S: Serializer>(id: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => serializer.collect_str(&format_args!("{id:016x}")),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        let text = Option::<std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.map(|text| u64::from_str_radix(&text, 16).map_err(de::Error::custom)).transpose()
    }
}

/// A run: one call of a traced function, or one step recorded by hand.
///
/// A run with `end_time: None` is open. Times are nanoseconds since the epoch.
///
/// ```
/// use traceable_core::model::{Run, RunType};
///
/// let run = Run { name: "answer".into(), run_type: RunType::Llm, ..Run::default() };
/// assert!(run.duration().is_none());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// The run's id.
    pub id: RunId,
    /// The id of the trace's root.
    pub trace_id: RunId,
    /// The id of the run that this one is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<RunId>,
    /// The place in the trace.
    pub dotted_order: DottedOrder,
    /// The name; that of the function unless another was given.
    pub name: Cow<'static, str>,
    /// The kind of work.
    pub run_type: RunType,
    /// When it began. Never changes after the first record.
    pub start_time: i64,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    /// How it stands.
    pub status: Status,
    /// The arguments, as one object; a value that is none stands under `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Json>,
    /// The result, as one object; a value that is none stands under `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Json>,
    /// The answer that was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Json>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What happened inside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// How a streamed answer came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamInfo>,
    /// Labels to filter by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Named values; children inherit those that their parent had when they began.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Who serves the model, such as `openai`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model's name, such as `gpt-4o`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Parameters of the call, such as `temperature`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, Value>,
    /// Tokens and cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The project that the trace is filed under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<Cow<'static, str>>,
    /// The conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The user, by id or identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Such as `production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The version of the deployed code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Files that belong to it, each with a name of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// What the prompt's placeholders were filled with.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// The prompt that was used, in the words of the platform that keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_ref: Option<String>,
    /// The deployed version of the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_ref: Option<String>,
    /// The foreign W3C trace that this one goes on in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otel: Option<OtelContext>,
    /// Where the function stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLocation>,
}

impl Run {
    /// How long the run took, in nanoseconds; `None` while it is open.
    #[must_use]
    pub fn duration(&self) -> Option<i64> {
        self.end_time.map(|end| end.saturating_sub(self.start_time).max(0))
    }

    /// Whether the run has no parent.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.parent_id.is_none()
    }

    /// Nanoseconds from the start to the first chunk of the answer.
    #[must_use]
    pub fn time_to_first_chunk(&self) -> Option<i64> {
        self.stream.as_ref().map(|s| s.first_chunk.saturating_sub(self.start_time).max(0))
    }
}
