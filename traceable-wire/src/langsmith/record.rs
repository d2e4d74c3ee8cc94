//! A run as LangSmith writes it: one object, the same in a body that is sent and in a file.
//!
//! What LangSmith has no key for stands under `extra.metadata`: in the names that LangSmith reads (`ls_provider`,
//! `ls_model_name`, `usage_metadata`, …) and, where there is none, under `traceable.rest`. Only what a moment has
//! below a microsecond is left out.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};
use traceable_core::model::{
    Attachment, DottedOrder, Event, Json, OtelContext, Run, RunId, RunType, SourceLocation, Status, StreamInfo, Usage,
    format_time,
};

use super::{attachment, normalise};
use crate::names::{REST, RUN_TYPE};

/// The event by which LangSmith knows when an answer began.
pub(super) const FIRST_TOKEN: &str = "new_token";

/// The name of this library among those that LangSmith hears from.
pub(super) const SDK: &str = "traceable-rs";

/// The parameters of a call that LangSmith reads under names of their own.
pub(super) const COPIES: [(&str, &str); 3] =
    [("ls_temperature", "temperature"), ("ls_max_tokens", "max_tokens"), ("ls_stop", "stop")];

/// The kinds that LangSmith knows.
const KNOWN: [&str; 7] = ["llm", "chain", "tool", "retriever", "embedding", "prompt", "parser"];

/// Who reads a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// LangSmith: it finds out itself how a run stands, and takes files beside the record.
    Service,
    /// Whoever opens a file, which has nothing but the record.
    File,
}

/// A run in LangSmith's keys.
///
/// ```
/// use traceable_core::model::{Run, RunType};
/// use traceable_wire::langsmith::Record;
///
/// let run = Run { name: "plan".into(), run_type: RunType::Agent, ..Run::default() };
/// let record = serde_json::to_value(Record::post(&run))?;
/// assert_eq!(record["run_type"], "chain");
/// assert_eq!(record["extra"]["metadata"]["traceable.run_type"], "agent");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Serialize)]
pub struct Record<'a> {
    pub(super) id: RunId,
    trace_id: RunId,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_run_id: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dotted_order: Option<Cow<'a, DottedOrder>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inputs: Option<Body<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outputs: Option<Body<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) events: Option<Vec<EventRecord<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra: Option<Extra<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_name: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// A run that LangSmith is told of for the first time, whole or open.
    pub fn post(run: &'a Run) -> Self {
        let mut record = Self::of(run, Reader::Service);
        record.run_type = Some(record.run_type.filter(|kind| KNOWN.contains(kind)).unwrap_or("chain"));
        record.status = None;
        record.error = record.error.filter(|error| !error.is_empty());
        record
    }

    /// What is new of a run that LangSmith knows.
    pub fn patch(run: &'a Run) -> Self {
        let mut record = Self::post(run).without_what_is_unsaid(run);
        record.run_type = record.run_type.filter(|_| run.run_type != RunType::default());
        record
    }

    /// A whole run as a file keeps it: with its status, with a kind that LangSmith does not know, and with its files.
    pub fn line(run: &'a Run) -> Self {
        Self::of(run, Reader::File)
    }

    /// What is added to a run of the same file.
    pub fn added_line(run: &'a Run) -> Self {
        Self::of(run, Reader::File).without_what_is_unsaid(run)
    }

    /// Files the run under this project where it names none.
    pub(super) fn or_project(mut self, project: Option<&'a str>) -> Self {
        self.session_name = self.session_name.or(project);
        self
    }

    fn of(run: &'a Run, reader: Reader) -> Self {
        let order = &run.dotted_order;
        let root_order = || run.is_root().then(|| Cow::Owned(DottedOrder::root(run.start_time, run.id)));
        Self {
            id: run.id,
            trace_id: run.trace_id,
            parent_run_id: run.parent_id,
            dotted_order: if order.depth() > 0 { Some(Cow::Borrowed(order)) } else { root_order() },
            name: Some(&run.name),
            run_type: Some(run.run_type.as_str()),
            start_time: Some(format_time(run.start_time)),
            end_time: run.end_time.map(format_time),
            status: Some(status(run)),
            inputs: run.inputs.as_ref().map(|json| Body { json, name: "input" }),
            outputs: run.outputs.as_ref().map(|json| Body { json, name: "output" }),
            error: run.error.as_deref(),
            events: Some(events(run)),
            tags: Some(&run.tags),
            extra: Some(Extra { metadata: Metadata::new(run, reader), runtime: &RUNTIME }),
            session_name: run.project.as_deref(),
        }
    }

    /// What an addition does not say must not look as if it were said.
    fn without_what_is_unsaid(mut self, run: &Run) -> Self {
        self.name = self.name.filter(|name| !name.is_empty());
        self.start_time = self.start_time.filter(|_| run.start_time != 0);
        self.dotted_order = self.dotted_order.filter(|_| run.start_time != 0);
        self.status = self.status.filter(|status| *status != "pending");
        self.events = self.events.filter(|events| !events.is_empty());
        self.tags = self.tags.filter(|tags| !tags.is_empty());
        self
    }
}

/// How a run stands, as LangSmith concludes it from the rest of the record.
pub(super) fn concluded(run: &Run) -> Status {
    match run {
        _ if run.error.as_ref().is_some_and(|error| !error.is_empty()) => Status::Error,
        _ if run.end_time.is_some() => Status::Ok,
        _ => Status::Pending,
    }
}

/// LangSmith knows three; the others are kept under [`REST`].
fn status(run: &Run) -> &'static str {
    match run.status {
        Status::Error => "error",
        _ if run.error.is_some() => "error",
        _ if run.end_time.is_none() => "pending",
        _ => "success",
    }
}

/// Inputs or outputs, which are always an object in LangSmith.
#[derive(Debug)]
pub(super) struct Body<'a> {
    json: &'a Json,
    /// The key of a value that is none.
    name: &'static str,
}

impl Body<'_> {
    /// The text of a value that is an object already, and is written as it is.
    pub(super) fn as_object(&self) -> Option<&str> {
        self.json.is_object().then(|| self.json.as_str())
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.json.as_str().trim_start().starts_with('{') {
            return self.json.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.name, self.json)?;
        map.end()
    }
}

#[derive(Debug, Serialize)]
pub(super) struct EventRecord<'a> {
    name: &'a str,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kwargs: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a Value>,
}

impl<'a> EventRecord<'a> {
    fn new(event: &'a Event) -> Self {
        let (kwargs, message) = match &event.data {
            None => (None, None),
            Some(data @ Value::Object(_)) => (Some(data), None),
            // LangSmith's own SDK puts lists here as well.
            Some(message) => (None, Some(message)),
        };
        Self { name: &event.name, time: format_time(event.time), kwargs, message }
    }
}

/// The events, with the one for the first chunk of a stream that nobody recorded as an event.
fn events(run: &Run) -> Vec<EventRecord<'_>> {
    let mut events: Vec<_> = run.events.iter().map(EventRecord::new).collect();
    if let Some(stream) = run.stream.as_ref().filter(|stream| stream.chunks > 0)
        && !run.events.iter().any(|event| event.name == FIRST_TOKEN)
    {
        let time = format_time(stream.first_chunk);
        events.push(EventRecord { name: FIRST_TOKEN, time, kwargs: None, message: None });
    }
    events
}

#[derive(Debug, Serialize)]
pub(super) struct Extra<'a> {
    metadata: Metadata<'a>,
    runtime: &'static Json,
}

/// What recorded the run, in LangSmith's keys. The same for every run, and so written once.
static RUNTIME: LazyLock<Json> = LazyLock::new(|| {
    Json::of(&Runtime {
        sdk: SDK,
        sdk_version: env!("CARGO_PKG_VERSION"),
        library: "traceable",
        platform: std::env::consts::OS,
        language: "rust",
    })
});

#[derive(Serialize)]
struct Runtime {
    sdk: &'static str,
    sdk_version: &'static str,
    library: &'static str,
    platform: &'static str,
    #[serde(rename = "runtime")]
    language: &'static str,
}

/// A field's value in whatever form the run keeps it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Field<'a> {
    Text(&'a str),
    Value(&'a Value),
    Values(&'a BTreeMap<String, Value>),
    Usage(&'a Usage),
    Json(&'a Json),
    Stream(&'a StreamInfo),
    Source(&'a SourceLocation),
    Attachments(Vec<&'a Attachment>),
    OfAttachments(BTreeMap<String, &'a Map<String, Value>>),
    Map(&'a Map<String, Value>),
    Otel(&'a OtelContext),
    Status(Status),
}

impl Field<'_> {
    fn is(&self, value: &Value) -> bool {
        match self {
            Self::Text(text) => value.as_str() == Some(text),
            Self::Value(mine) => *mine == value,
            other => serde_json::to_value(other).is_ok_and(|mine| mine == *value),
        }
    }
}

/// `extra.metadata`: the run's own, then what LangSmith looks for there, then the rest.
#[derive(Debug)]
struct Metadata<'a> {
    run: &'a Run,
    named: Vec<(&'static str, Field<'a>)>,
    rest: BTreeMap<&'static str, Field<'a>>,
}

impl<'a> Metadata<'a> {
    fn new(run: &'a Run, reader: Reader) -> Self {
        let mut metadata = Self { run, named: Vec::new(), rest: BTreeMap::new() };
        // Without `..`, so that a new field cannot be forgotten here.
        #[rustfmt::skip]
        let Run {
            id: _, trace_id: _, parent_id: _, dotted_order: _, name: _, run_type, start_time: _, end_time: _,
            status, inputs: _, outputs: _, expected, error: _, events: _, stream, tags: _, metadata: own, provider,
            model, params, usage, project: _, thread_id, session_id, user, environment, release, attachments,
            variables, prompt_ref, deployment_ref, otel, source,
        } = run;
        let texts = [
            ("ls_provider", provider),
            ("ls_model_name", model),
            ("thread_id", thread_id),
            ("ls_user_id", user),
            ("revision_id", release),
        ];
        for (name, text) in texts {
            metadata.name(name, text.as_deref().map(Field::Text));
        }
        let is_session = |own: &Value| own.as_str() == session_id.as_deref();
        match (reader, thread_id) {
            // LangSmith would take a session for the thread.
            (Reader::Service, Some(_)) if session_id != thread_id && !own.get("session_id").is_some_and(is_session) => {
                metadata.keep("session_id", session_id.as_deref().map(Field::Text));
            }
            _ => metadata.name("session_id", session_id.as_deref().map(Field::Text)),
        }
        if reader == Reader::Service && !KNOWN.contains(&run_type.as_str()) {
            metadata.name(RUN_TYPE, Some(Field::Text(run_type.as_str())));
        }
        metadata.name("ls_invocation_params", (!params.is_empty()).then_some(Field::Values(params)));
        for (name, param) in COPIES {
            let value = params.get(param).filter(|_| !own.contains_key(name));
            metadata.name(name, value.map(Field::Value));
        }
        metadata.name("usage_metadata", usage.as_ref().filter(|usage| !usage.is_empty()).map(Field::Usage));
        metadata.keep("metadata", own.get(REST).map(Field::Value));
        metadata.keep("expected", expected.as_ref().map(Field::Json));
        // What the events say need not be said again.
        let stream = stream.as_ref().filter(|stream| normalise::stream(run).as_ref() != Some(*stream));
        metadata.keep("stream", stream.map(Field::Stream));
        metadata.keep("environment", environment.as_deref().map(Field::Text));
        let (beside, named) = match reader {
            Reader::Service => attachment::beside(attachments),
            Reader::File => (Vec::new(), attachments.iter().collect()),
        };
        let more: BTreeMap<_, _> = beside
            .into_iter()
            .filter(|(_, of)| !of.metadata.is_empty())
            .map(|(name, of)| (name, &of.metadata))
            .collect();
        metadata.keep("attachments", (!named.is_empty()).then_some(Field::Attachments(named)));
        metadata.keep("attachment_metadata", (!more.is_empty()).then_some(Field::OfAttachments(more)));
        metadata.keep("variables", (!variables.is_empty()).then_some(Field::Map(variables)));
        metadata.keep("prompt_ref", prompt_ref.as_deref().map(Field::Text));
        metadata.keep("deployment_ref", deployment_ref.as_deref().map(Field::Text));
        metadata.keep("otel", otel.as_ref().map(Field::Otel));
        metadata.keep("source", source.as_ref().map(Field::Source));
        let said = match reader {
            Reader::Service => *status == concluded(run),
            Reader::File => matches!(status, Status::Ok | Status::Error | Status::Pending),
        };
        metadata.keep("status", (!said).then_some(Field::Status(*status)));
        metadata
    }

    /// A field under LangSmith's name; under [`REST`] where the run's own metadata says something else there.
    fn name(&mut self, name: &'static str, field: Option<Field<'a>>) {
        let Some(field) = field else { return };
        match self.run.metadata.get(name) {
            None => self.named.push((name, field)),
            Some(own) if field.is(own) => {}
            Some(_) => self.keep(name, Some(field)),
        }
    }

    fn keep(&mut self, name: &'static str, field: Option<Field<'a>>) {
        self.rest.extend(field.map(|field| (name, field)));
    }
}

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.run.metadata.iter().filter(|(name, _)| *name != REST) {
            map.serialize_entry(name, value)?;
        }
        for (name, field) in &self.named {
            map.serialize_entry(name, field)?;
        }
        if !self.rest.is_empty() {
            map.serialize_entry(REST, &self.rest)?;
        }
        map.end()
    }
}
