//! What is said of a trace or a span: when it is logged, and in updates.

use super::{
    content::Content,
    limits::{self, Checked, LimitError},
};
use crate::{ActiveRun, Current, RunBuilder};

/// How a trace or a span stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It went well. So does what ends without a word.
    Success,
    /// It failed.
    Failure,
    /// It was stopped from outside, such as by a limit.
    Aborted,
    /// Whoever wanted it gave up.
    Cancelled,
    /// It still goes on elsewhere.
    Pending,
    /// Nobody knows.
    Unknown,
}

impl From<Status> for crate::Status {
    fn from(status: Status) -> Self {
        match status {
            Status::Success => Self::Ok,
            Status::Failure => Self::Error,
            Status::Aborted => Self::Aborted,
            Status::Cancelled => Self::Cancelled,
            Status::Pending => Self::Pending,
            Status::Unknown => Self::Unknown,
        }
    }
}

/// The value of an attribute: a text, a number or a boolean.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeValue {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Number(f64),
    /// True or false.
    Bool(bool),
}

/// Values that are an attribute's as they are.
macro_rules! attribute_values {
    ($($kind:ident: $($from:ty),*;)*) => {
        $($(
            impl From<$from> for AttributeValue {
                fn from(value: $from) -> Self {
                    Self::$kind(value.into())
                }
            }
        )*)*
    };
}

attribute_values! {
    Text: &str, String;
    Integer: i8, i16, i32, i64, u8, u16, u32;
    Number: f32, f64;
    Bool: bool;
}

impl From<u64> for AttributeValue {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Number(value as f64), Self::Integer)
    }
}

impl From<usize> for AttributeValue {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

/// What traces, spans and updates have in common.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    name: Option<String>,
    status: Option<Status>,
    tags: Vec<String>,
    attributes: Vec<(String, AttributeValue)>,
    content: Option<Content>,
    run_evaluation: Option<bool>,
}

impl Said {
    pub(super) fn check(&self) -> Checked {
        limits::maybe("name", self.name.as_ref(), 256)?;
        self.tags.iter().try_for_each(|tag| limits::text("tags", tag, 256))?;
        for (_, value) in &self.attributes {
            if let AttributeValue::Number(number) = value {
                limits::finite("attributes", *number)?;
            }
        }
        self.content.as_ref().map_or(Ok(()), Content::check)
    }

    pub(super) fn tell(&self, run: Current) {
        if let Some(name) = &self.name {
            run.set_name(name);
        }
        if let Some(status) = self.status {
            run.set_status(status.into());
        }
        run.add_tags(&self.tags);
        for (key, value) in &self.attributes {
            match value {
                AttributeValue::Text(text) => run.add_metadata(key, text),
                AttributeValue::Integer(number) => run.add_metadata(key, number),
                AttributeValue::Number(number) => run.add_metadata(key, number),
                AttributeValue::Bool(truth) => run.add_metadata(key, truth),
            }
        }
        if let Some(evaluated) = self.run_evaluation {
            run.add_metadata("adaline_run_evaluation", &evaluated);
        }
        if let Some(content) = &self.content {
            content.tell(run);
        }
    }
}

/// Setters of what is said of traces and spans alike.
macro_rules! setters {
    ($($said:ident)*) => {
        $(
            impl $said {
                /// Says how it stands. The last word counts.
                pub fn status(mut self, status: Status) -> Self {
                    self.said.status = Some(status);
                    self
                }

                /// Adds tags, each of 1 to 256 characters.
                pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
                    self.said.tags.extend(tags.into_iter().map(Into::into));
                    self
                }

                /// Adds an attribute. It becomes metadata, which spans below inherit.
                pub fn attribute(mut self, key: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
                    self.said.attributes.push((key.into(), value.into()));
                    self
                }

                /// Adds attributes of one kind.
                pub fn attributes<K: Into<String>, V: Into<AttributeValue>>(
                    self,
                    attributes: impl IntoIterator<Item = (K, V)>,
                ) -> Self {
                    attributes.into_iter().fold(self, |said, (key, value)| said.attribute(key, value))
                }
            }
        )*
    };
}

setters! { LogTrace LogSpan Update SpanUpdate }

/// The name, and the ids that other systems know it by.
#[derive(Debug, Clone, Default)]
struct Ids {
    name: String,
    session_id: Option<String>,
    reference_id: Option<String>,
    prompt_id: Option<String>,
    deployment_id: Option<String>,
}

impl Ids {
    fn check(&self) -> Checked {
        limits::text("name", &self.name, 256)?;
        limits::maybe("session_id", self.session_id.as_ref(), 128)?;
        limits::maybe("reference_id", self.reference_id.as_ref(), 128)?;
        limits::maybe("prompt_id", self.prompt_id.as_ref(), 80)?;
        limits::maybe("deployment_id", self.deployment_id.as_ref(), 80)
    }

    fn tell(&self, mut run: RunBuilder) -> RunBuilder {
        if let Some(id) = &self.session_id {
            run = run.thread(id);
        }
        if let Some(id) = &self.reference_id {
            run = run.metadata("adaline_reference_id", id);
        }
        if let Some(id) = &self.prompt_id {
            run = run.prompt(id);
        }
        if let Some(id) = &self.deployment_id {
            run = run.deployment(id);
        }
        run
    }
}

/// A trace that is to be logged. A bare name will do where there is no more to say.
#[derive(Debug, Clone)]
#[must_use = "nothing is logged before `log_trace`"]
pub struct LogTrace {
    ids: Ids,
    said: Said,
}

/// A span that is to be logged. A bare name will do where there is no more to say.
#[derive(Debug, Clone)]
#[must_use = "nothing is logged before `log_span`"]
pub struct LogSpan {
    ids: Ids,
    said: Said,
}

/// What is said of traces and spans alike when they are logged.
macro_rules! logs {
    ($($log:ident)*) => {
        $(
            impl $log {
                /// One of this name, which has 1 to 256 characters.
                pub fn new(name: impl Into<String>) -> Self {
                    Self { ids: Ids { name: name.into(), ..Ids::default() }, said: Said::default() }
                }

                /// Makes it, and all spans in it, a part of a session: 1 to 128 characters. Runs have it as their
                /// thread.
                pub fn session_id(mut self, id: impl Into<String>) -> Self {
                    self.ids.session_id = Some(id.into());
                    self
                }

                /// Gives it an id of the application's own: 1 to 128 characters. It becomes the metadata
                /// `adaline_reference_id`.
                pub fn reference_id(mut self, id: impl Into<String>) -> Self {
                    self.ids.reference_id = Some(id.into());
                    self
                }

                pub(super) fn name(&self) -> &str {
                    &self.ids.name
                }

                pub(super) fn check(&self) -> Checked {
                    self.ids.check()?;
                    self.said.check()
                }

                /// Begins the run.
                pub(super) fn begin(&self, run: RunBuilder) -> ActiveRun {
                    let run = self.ids.tell(run).start();
                    self.said.tell(*run);
                    run
                }
            }

            impl From<&str> for $log {
                fn from(name: &str) -> Self {
                    Self::new(name)
                }
            }

            impl From<String> for $log {
                fn from(name: String) -> Self {
                    Self::new(name)
                }
            }
        )*
    };
}

logs! { LogTrace LogSpan }

impl LogSpan {
    /// Names the prompt that was used: 1 to 80 characters.
    pub fn prompt_id(mut self, id: impl Into<String>) -> Self {
        self.ids.prompt_id = Some(id.into());
        self
    }

    /// Names the deployed version of the prompt: 1 to 80 characters.
    pub fn deployment_id(mut self, id: impl Into<String>) -> Self {
        self.ids.deployment_id = Some(id.into());
        self
    }
}

/// What is to be said of a trace or a span that goes on. A bare [`Status`] will do where there is no more to say.
#[derive(Debug, Clone, Default)]
#[must_use = "nothing is said before `update`"]
pub struct Update {
    said: Said,
}

/// What is to be said of a span that goes on: an [`Update`] with what only spans have.
#[derive(Debug, Clone, Default)]
#[must_use = "nothing is said before `update`"]
pub struct SpanUpdate {
    said: Said,
}

/// What is said of traces and spans alike when they are updated.
macro_rules! updates {
    ($($update:ident)*) => {
        $(
            impl $update {
                /// Gives it another name, of 1 to 256 characters.
                pub fn name(mut self, name: impl Into<String>) -> Self {
                    self.said.name = Some(name.into());
                    self
                }

                pub(super) fn checked(&self) -> Result<&Said, LimitError> {
                    self.said.check().map(|()| &self.said)
                }
            }

            impl From<Status> for $update {
                fn from(status: Status) -> Self {
                    Self::default().status(status)
                }
            }
        )*
    };
}

updates! { Update SpanUpdate }

/// What is said of spans only; of a plain update it makes one for spans.
macro_rules! spans {
    ($($from:ident -> $to:ident)*) => {
        $(
            impl $from {
                /// Says what the span did.
                pub fn content(mut self, content: impl Into<Content>) -> $to {
                    self.said.content = Some(content.into());
                    self.into()
                }

                /// Asks the server for an evaluation, or for none. It becomes the metadata `adaline_run_evaluation`.
                pub fn run_evaluation(mut self, wanted: bool) -> $to {
                    self.said.run_evaluation = Some(wanted);
                    self.into()
                }
            }
        )*
    };
}

spans! { LogSpan -> LogSpan  Update -> SpanUpdate  SpanUpdate -> SpanUpdate }

impl Update {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl From<Update> for SpanUpdate {
    fn from(update: Update) -> Self {
        Self { said: update.said }
    }
}

impl From<Content> for SpanUpdate {
    fn from(content: Content) -> Self {
        Update::new().content(content)
    }
}
