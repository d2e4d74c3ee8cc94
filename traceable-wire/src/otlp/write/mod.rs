//! Out: what each convention says of a run, one file each, and what is left for names of our own.

mod genai;
mod langsmith;
mod messages;
mod openinference;
mod openlit;
mod rest;

pub(super) use rest::is_carried;
use serde_json::Value;
use traceable_core::model::{Run, RunType};

use super::{conventions::Convention, names::ours, proto::Attributes, span::Ended, view};
use crate::names::PREFIX;

/// A field of a run that attributes may carry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    Name,
    Order,
    Inputs,
    Outputs,
    Tags,
    Metadata,
    Provider,
    Model,
    Params,
    Usage,
    Thread,
    Session,
    User,
    Variables,
    Prompt,
    Deployment,
}

/// Which fields the attributes so far say, and whether a reader gets back what the run has.
#[derive(Debug, Default)]
pub(super) struct Said {
    exactly: u32,
    otherwise: u32,
    surely: u32,
    /// Metadata that stands under names of its own, where a reader must not take it for anything else.
    pub(super) passed: Vec<String>,
}

impl Said {
    /// A reader finds the field as it is.
    pub(super) fn exactly(&mut self, field: Field) {
        self.exactly |= 1 << field as u32;
    }

    /// A reader finds something that is not what the field has.
    fn otherwise(&mut self, field: Field) {
        self.otherwise |= 1 << field as u32;
    }

    /// A reader finds the field as it is, under a name that is read before all others.
    fn surely(&mut self, field: Field) {
        self.surely |= 1 << field as u32;
    }

    /// Notes that a text stands where a reader looks for the field.
    fn text(&mut self, field: Field, field_says: Option<&str>, written: Option<&str>) {
        match written {
            // A reader takes an empty text for none.
            Some(text) if written == field_says && !text.is_empty() => self.exactly(field),
            Some(_) => self.otherwise(field),
            None => {}
        }
    }

    fn is_exact(&self, field: Field) -> bool {
        (self.surely | self.exactly & !self.otherwise) & 1 << field as u32 != 0
    }

    fn is_otherwise(&self, field: Field) -> bool {
        self.otherwise & !self.surely & 1 << field as u32 != 0
    }
}

/// Writes what the chosen conventions say, in their order.
pub(super) fn conventions(ended: &Ended<'_>, out: &mut Attributes, said: &mut Said) {
    let has = |convention| ended.conventions.has(convention);
    if has(Convention::GenAi) || has(Convention::GenAiOld) {
        genai::write(ended, out, said);
    }
    if has(Convention::OpenInference) {
        openinference::write(&ended.view, out, said);
    }
    if has(Convention::LangSmith) {
        langsmith::write(&ended.view, out, said);
    }
    if has(Convention::OpenLit) {
        openlit::write(ended, out, said);
    }
    let plain = (has(Convention::GenAi) || has(Convention::GenAiOld)) && !has(Convention::OpenInference);
    pass_metadata(ended.view.run, plain || has(Convention::OpenLit), out, said);
}

/// Metadata as attributes of their own: what was said under a name with a dot, such as `server.address`, is meant so; all
/// of it where no convention has a place for it. Last, so that no name of a convention is taken.
fn pass_metadata(run: &Run, all: bool, out: &mut Attributes, said: &mut Said) {
    for (name, value) in &run.metadata {
        let is_meant = name.contains('.') && !name.starts_with(PREFIX) && !name.starts_with("langsmith.");
        if (is_meant || all && !name.contains('.')) && !out.has(name) && !name.is_empty() {
            scalar(name, value, out);
            said.passed.push(name.clone());
        }
    }
}

/// Writes the run's whole ids, its kind, its place in the source, and what else is not said.
pub(super) fn ours(run: &Run, out: &mut Attributes, said: &Said) {
    id(ours::RUN_ID, run.id, out);
    if let Some(parent) = run.parent_id {
        id(ours::PARENT_ID, parent, out);
    }
    out.text(ours::RUN_TYPE, run.run_type.as_str());
    rest::write(run, out, said);
}

fn id(name: &str, id: traceable_core::model::RunId, out: &mut Attributes) {
    out.text(name, str::from_utf8(&id.encode()).unwrap_or_default());
}

/// What is done, in the words of GenAI; `None` for what it has no word for.
pub(super) fn operation(run: &Run) -> Option<&'static str> {
    Some(match run.run_type {
        RunType::Llm => "chat",
        RunType::Embedding => "embeddings",
        RunType::Tool => "execute_tool",
        RunType::Retriever => "retrieval",
        RunType::Agent => "invoke_agent",
        RunType::Chain if run.is_root() => "invoke_workflow",
        _ => return None,
    })
}

/// A value that came from outside, as an attribute of its own.
pub(super) fn scalar(name: &str, value: &Value, out: &mut Attributes) {
    match value {
        Value::Null => {}
        Value::Bool(value) => out.bool(name, *value),
        Value::Number(number) => match number.as_i64() {
            Some(int) => out.int(name, int),
            None => out.double(name, number.as_f64()),
        },
        Value::String(text) => out.text(name, text.as_str()),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            let texts: Vec<_> = list.iter().filter_map(Value::as_str).collect();
            out.texts(name, &texts);
        }
        other => out.json(name, other),
    }
}

/// A value as a list of texts, such as one stop sequence or several.
fn texts(value: &Value) -> Vec<std::borrow::Cow<'_, str>> {
    match value {
        Value::Array(list) => list.iter().map(view::text).collect(),
        one => vec![view::text(one)],
    }
}
