//! What is left: fields that no attribute carries as they are, as one JSON object.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};
use traceable_core::model::{
    Attachment, AttachmentData, DottedOrder, Json, OtelContext, Run, RunId, SourceLocation, Status, StreamInfo, Usage,
};

use super::{Attributes, Field, Said};
use crate::otlp::{
    names::{ours, resource as names},
    span::trace_id,
};

/// A field's value in whatever form the run keeps it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Any<'a> {
    /// The run has none, though a reader would find one.
    None,
    Id(RunId),
    Text(&'a str),
    Texts(&'a [String]),
    Json(&'a Json),
    Map(&'a Map<String, Value>),
    Values(&'a BTreeMap<String, Value>),
    Usage(&'a Usage),
    Stream(&'a StreamInfo),
    Attachments(Vec<&'a Attachment>),
    Otel(&'a OtelContext),
    Source(&'a SourceLocation),
    Status(Status),
}

#[derive(Debug, Default)]
struct Rest<'a>(Vec<(&'static str, Any<'a>)>);

impl<'a> Rest<'a> {
    /// A field that no attribute has a name for.
    fn keep(&mut self, name: &'static str, value: Option<Any<'a>>) {
        self.0.extend(value.map(|value| (name, value)));
    }

    /// A field that an attribute may carry.
    fn unless(&mut self, said: &Said, field: Field, name: &'static str, value: Option<Any<'a>>) {
        if said.is_exact(field) {
            return;
        }
        let none = || said.is_otherwise(field).then_some(Any::None);
        self.keep(name, value.or_else(none));
    }
}

impl Serialize for Rest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

fn text(text: &Option<String>) -> Option<Any<'_>> {
    text.as_deref().map(Any::Text)
}

pub(super) fn write(run: &Run, out: &mut Attributes, said: &Said) {
    // Without `..`, so that a new field cannot be forgotten here.
    #[rustfmt::skip]
    let Run {
        id: _, trace_id: trace, parent_id: _, dotted_order, name, run_type: _, start_time: _, end_time: _, status,
        inputs, outputs, expected, error: _, events: _, stream, tags, metadata, provider, model, params, usage,
        project: _, thread_id, session_id, user, environment: _, release: _, attachments, variables, prompt_ref,
        deployment_ref, otel, source,
    } = run;
    let mut rest = Rest::default();
    rest.keep("trace_id", (trace.as_u128() != trace_id(run)).then_some(Any::Id(*trace)));
    let order = (*dotted_order != derived_order(run)).then_some(Any::Text(dotted_order.as_str()));
    rest.unless(said, Field::Order, "dotted_order", order);
    rest.unless(said, Field::Name, "name", Some(Any::Text(name)));
    let is_told = matches!(status, Status::Ok | Status::Error);
    rest.keep("status", (!is_told).then_some(Any::Status(*status)));
    rest.unless(said, Field::Inputs, "inputs", inputs.as_ref().map(Any::Json));
    rest.unless(said, Field::Outputs, "outputs", outputs.as_ref().map(Any::Json));
    rest.keep("expected", expected.as_ref().map(Any::Json));
    rest.keep("stream", stream.as_ref().map(Any::Stream));
    rest.unless(said, Field::Tags, "tags", (!tags.is_empty()).then_some(Any::Texts(tags)));
    rest.unless(said, Field::Metadata, "metadata", (!metadata.is_empty()).then_some(Any::Map(metadata)));
    rest.unless(said, Field::Provider, "provider", text(provider));
    rest.unless(said, Field::Model, "model", text(model));
    rest.unless(said, Field::Params, "params", (!params.is_empty()).then_some(Any::Values(params)));
    rest.unless(said, Field::Usage, "usage", usage.as_ref().map(Any::Usage));
    rest.unless(said, Field::Thread, "thread_id", text(thread_id));
    rest.unless(said, Field::Session, "session_id", text(session_id));
    rest.unless(said, Field::User, "user", text(user));
    let named: Vec<_> = attachments.iter().filter(|attachment| is_carried(attachment)).collect();
    rest.keep("attachments", (!named.is_empty()).then_some(Any::Attachments(named)));
    rest.unless(said, Field::Variables, "variables", (!variables.is_empty()).then_some(Any::Map(variables)));
    rest.unless(said, Field::Prompt, "prompt_ref", text(prompt_ref));
    rest.unless(said, Field::Deployment, "deployment_ref", text(deployment_ref));
    rest.keep("otel", otel.as_ref().map(Any::Otel));
    if let Some(SourceLocation { module: _, file, line }) = source {
        out.text(names::CODE_FILE, &**file);
        out.int(names::CODE_LINE, i64::from(*line));
        rest.keep("source", source.as_ref().map(Any::Source));
    }
    rest.keep("passed", (!said.passed.is_empty()).then_some(Any::Texts(&said.passed)));
    if !rest.0.is_empty() {
        out.json(ours::REST, &rest);
    }
}

/// Whether a file can go along: one that is only named. OTLP has no place for bytes.
pub(in crate::otlp) fn is_carried(attachment: &Attachment) -> bool {
    !matches!(attachment.data, AttachmentData::Bytes(_))
}

/// The place in the trace as a reader makes it of the span.
pub(in crate::otlp) fn derived_order(run: &Run) -> DottedOrder {
    match run.parent_id {
        None => DottedOrder::root(run.start_time, run.id),
        Some(_) => DottedOrder::default(),
    }
}
