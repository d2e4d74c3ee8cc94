//! The fields that can be asked for.

use super::Value;

/// A field of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The run's id.
    Id,
    /// The id of its trace.
    Trace,
    /// The id of its parent.
    Parent,
    /// Whether it has no parent.
    Root,
    /// The name.
    Name,
    /// The kind of work.
    Type,
    /// How it stands.
    Status,
    /// What went wrong.
    Error,
    /// When it began.
    Start,
    /// When it ended.
    End,
    /// How long it took.
    Latency,
    /// From its start to the first chunk of the answer.
    FirstToken,
    /// Tokens of the prompt.
    InputTokens,
    /// Tokens of the answer.
    OutputTokens,
    /// Both together.
    TotalTokens,
    /// US dollars.
    Cost,
    /// One of its tags.
    Tag,
    /// A value of its metadata, by name.
    Metadata(String),
    /// A score of it or of its trace, by key.
    Score(String),
    /// The model.
    Model,
    /// Who serves the model.
    Provider,
    /// The project.
    Project,
    /// The conversation.
    Thread,
    /// The session.
    Session,
    /// The user.
    User,
    /// Such as `production`.
    Environment,
    /// The version of the deployed code.
    Release,
    /// How many files it has.
    Attachments,
}

/// What a field is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A text; `*` stands for anything.
    Text,
    /// A number.
    Number,
    /// A number of US dollars.
    Money,
    /// A duration, such as `500ms`, `2s`, `1h`; without a unit, seconds.
    Duration,
    /// A moment, such as `2026-06-01`; or how long ago, such as `1h`.
    Time,
    /// `true` or `false`.
    Flag,
    /// A UUID.
    Id,
    /// A text, or a number where it is compared by size.
    Any,
}

/// A field as it is written in queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldInfo {
    /// The name; one that ends in `.` is followed by the name of a value.
    pub name: &'static str,
    /// What else it is called, also by LangSmith.
    pub aliases: &'static [&'static str],
    /// What it is compared with.
    pub kind: Kind,
    /// What it means.
    pub doc: &'static str,
}

/// All fields, for completion and help.
#[must_use]
pub fn fields() -> impl ExactSizeIterator<Item = &'static FieldInfo> {
    FIELDS.iter().map(|(_, info, _)| info)
}

/// A field, how it is written, and the column that it is.
type Entry = (Field, FieldInfo, &'static str);

const fn entry(
    field: Field,
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    column: &'static str,
    doc: &'static str,
) -> Entry {
    (field, FieldInfo { name, aliases, kind, doc }, column)
}

#[rustfmt::skip]
static FIELDS: [Entry; 28] = [
    entry(Field::Id, "id", &["run_id"], Kind::Id, "id", "the run"),
    entry(Field::Trace, "trace", &["trace_id"], Kind::Id, "trace_id", "the trace that the run is a part of"),
    entry(Field::Parent, "parent", &["parent_run_id", "parent_id"], Kind::Id, "parent_id", "the run that it is a part of"),
    entry(Field::Root, "root", &["is_root"], Kind::Flag, "parent_id", "whether the run has no parent"),
    entry(Field::Name, "name", &[], Kind::Text, "name", "the name of the run"),
    entry(Field::Type, "type", &["run_type"], Kind::Text, "run_type", "llm, chain, tool, retriever, agent, …"),
    entry(Field::Status, "status", &[], Kind::Text, "status", "ok, error, pending, cancelled, aborted, unknown"),
    entry(Field::Error, "error", &[], Kind::Text, "error", "a part of the error's text"),
    entry(Field::Start, "time", &["start_time", "start"], Kind::Time, "start_time", "when the run began"),
    entry(Field::End, "end", &["end_time"], Kind::Time, "end_time", "when the run ended"),
    entry(Field::Latency, "latency", &["duration"], Kind::Duration, "latency", "how long the run took"),
    entry(Field::FirstToken, "first_token", &["time_to_first_token", "ttft"], Kind::Duration, "first_token", "how long the first chunk took"),
    entry(Field::InputTokens, "input_tokens", &["prompt_tokens"], Kind::Number, "input_tokens", "tokens of the prompt"),
    entry(Field::OutputTokens, "output_tokens", &["completion_tokens"], Kind::Number, "output_tokens", "tokens of the answer"),
    entry(Field::TotalTokens, "tokens", &["total_tokens"], Kind::Number, "total_tokens", "tokens of prompt and answer"),
    entry(Field::Cost, "cost", &["total_cost"], Kind::Money, "cost", "US dollars"),
    entry(Field::Tag, "tag", &["tags"], Kind::Text, "", "one of the run's tags"),
    entry(Field::Metadata(String::new()), "metadata.", &[], Kind::Any, "", "a value of the run's metadata"),
    entry(Field::Score(String::new()), "score.", &["feedback."], Kind::Any, "", "a score of the run"),
    entry(Field::Model, "model", &[], Kind::Text, "model", "the model"),
    entry(Field::Provider, "provider", &[], Kind::Text, "provider", "who serves the model"),
    entry(Field::Project, "project", &["session_name"], Kind::Text, "", "the project"),
    entry(Field::Thread, "thread", &["thread_id"], Kind::Text, "thread_id", "the conversation"),
    entry(Field::Session, "session", &["session_id"], Kind::Text, "session_id", "the session"),
    entry(Field::User, "user", &["user_id"], Kind::Text, "user", "the user"),
    entry(Field::Environment, "env", &["environment"], Kind::Text, "environment", "the environment, such as production"),
    entry(Field::Release, "release", &["revision_id"], Kind::Text, "release", "the version of the deployed code"),
    entry(Field::Attachments, "attachments", &[], Kind::Number, "attachments", "how many files the run has"),
];

impl Field {
    /// How the field is written, without the name of a value.
    #[must_use]
    pub fn info(&self) -> &'static FieldInfo {
        &self.entry().1
    }

    /// The column of `runs`; empty where there is none.
    pub(super) fn column(&self) -> &'static str {
        self.entry().2
    }

    fn entry(&self) -> &'static Entry {
        let kind = std::mem::discriminant(self);
        FIELDS.iter().find(|(field, ..)| std::mem::discriminant(field) == kind).unwrap_or(&FIELDS[0])
    }

    /// The field of a name, as it stands in a query: `model`, `metadata.region`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        for (field, info, _) in &FIELDS {
            for known in std::iter::once(&info.name).chain(info.aliases) {
                let value =
                    known.ends_with('.').then(|| name.strip_prefix(known)).flatten().filter(|key| !key.is_empty());
                match (field, value) {
                    (Self::Metadata(_), Some(key)) => return Some(Self::Metadata(key.to_owned())),
                    (Self::Score(_), Some(key)) => return Some(Self::Score(key.to_owned())),
                    _ if *known == name && !known.ends_with('.') => return Some(field.clone()),
                    _ => {}
                }
            }
        }
        None
    }

    /// Whether a value is of the field's kind; others are never equal to it.
    pub(super) fn takes(&self, value: &Value) -> bool {
        match self.info().kind {
            Kind::Text => matches!(value, Value::Text(_)),
            Kind::Number | Kind::Money => matches!(value, Value::Number(_)),
            Kind::Duration => matches!(value, Value::Duration(_)),
            Kind::Time => matches!(value, Value::Time(_)),
            Kind::Flag => matches!(value, Value::Flag(_)),
            Kind::Id => matches!(value, Value::Id(_)),
            Kind::Any => matches!(value, Value::Text(_) | Value::Number(_)),
        }
    }
}
