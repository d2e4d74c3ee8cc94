//! What LangSmith's endpoint for OTLP reads.

use serde_json::Value;
use traceable_core::model::{Run, RunType, Usage};

use super::{Attributes, Field, Said, genai, id};
use crate::otlp::{
    names::{genai::REQUEST_MODEL, langsmith as names},
    view::{View, text},
};

/// The kinds that LangSmith knows.
const KNOWN: [&str; 7] = ["llm", "chain", "tool", "retriever", "embedding", "prompt", "parser"];

pub(super) fn write(view: &View<'_>, out: &mut Attributes, said: &mut Said) {
    let run = view.run;
    out.text(names::KIND, KNOWN.iter().copied().find(|kind| *kind == run.run_type.as_str()).unwrap_or("chain"));
    out.text(names::NAME, &*run.name);
    said.exactly(Field::Name);
    out.text(names::PROJECT, run.project.as_deref());
    id(names::ID, run.id, out);
    id(names::TRACE_ID, run.trace_id, out);
    if let Some(parent) = run.parent_id {
        id(names::PARENT_ID, parent, out);
    }
    out.text(names::ORDER, run.dotted_order.as_str());
    said.exactly(Field::Order);
    out.bool(names::IS_ROOT, run.is_root());
    for (name, field, body) in
        [(names::INPUTS, Field::Inputs, &run.inputs), (names::OUTPUTS, Field::Outputs, &run.outputs)]
    {
        if let Some(body) = body {
            out.text(name, body.as_str());
            said.exactly(field);
        }
    }
    if !run.tags.is_empty() {
        out.text(names::TAGS, run.tags.join(", ").as_str());
        said.otherwise(Field::Tags);
    }
    metadata(run, out);
    out.text(names::SYSTEM, run.provider.as_deref());
    said.text(Field::Provider, run.provider.as_deref(), run.provider.as_deref());
    out.text(REQUEST_MODEL, run.model.as_deref());
    said.text(Field::Model, run.model.as_deref(), run.model.as_deref());
    if matches!(run.run_type, RunType::Llm | RunType::Embedding) {
        genai::request(view, out);
        out.bool(names::STREAMING, view.is_stream());
    }
    if let Some(usage) = run.usage.as_ref().filter(|usage| !usage.is_empty()) {
        out.json(names::USAGE, usage);
        if is_finite(usage) {
            said.surely(Field::Usage);
        }
    }
}

/// The metadata, with the names by which LangSmith knows a conversation and a user. Here all is text, so a reader of spans
/// of ours looks elsewhere.
fn metadata(run: &Run, out: &mut Attributes) {
    for (name, value) in run.metadata.iter().filter(|(_, value)| !value.is_null()) {
        out.text_at(format_args!("{}{name}", names::METADATA), &text(value));
    }
    for (name, value) in [
        ("thread_id", &run.thread_id),
        ("session_id", &run.session_id),
        ("user_id", &run.user),
        ("environment", &run.environment),
        ("revision_id", &run.release),
    ] {
        if let Some(value) = value
            && run.metadata.get(name).is_none_or(Value::is_null)
        {
            out.text_at(format_args!("{}{name}", names::METADATA), value);
        }
    }
}

/// JSON has no word for an amount that is no number.
fn is_finite(usage: &Usage) -> bool {
    let details = usage.input_cost_details.values().chain(usage.output_cost_details.values());
    let totals = [&usage.input_cost, &usage.output_cost, &usage.total_cost].into_iter().flatten();
    details.chain(totals).all(|dollars| dollars.is_finite())
}
