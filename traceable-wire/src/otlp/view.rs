//! A run as all conventions look at it: read once, written in as many names as were chosen.

use std::borrow::Cow;

use serde_json::{Map, Value};
use traceable_core::{
    messages::{Message, Role, input_messages, output_messages},
    model::{Json, Run, RunType},
};

/// Beside the conversation: what the model was instructed with.
const INSTRUCTIONS: [&str; 5] =
    ["system", "instructions", "systemInstruction", "system_instruction", "system_instructions"];

/// Where documents stand in what a search answers.
const DOCUMENTS: [&str; 6] = ["documents", "output", "results", "matches", "docs", "points"];

/// A run with what conventions want to know of its inputs and outputs.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) run: &'a Run,
    /// Parsed where a convention has more use for them than as a whole; else `null`.
    inputs: Value,
    outputs: Value,
    /// What the model was told and asked, instructions first.
    pub(super) asked: Vec<Message>,
    /// Whether the first of these came beside the conversation.
    pub(super) is_instructed: bool,
    pub(super) answered: Vec<Message>,
}

impl<'a> View<'a> {
    pub(super) fn new(run: &'a Run) -> Self {
        let parsed = |json: &Option<Json>| json.as_ref().map(Json::to_value).unwrap_or_default();
        let mut view = Self {
            run,
            inputs: Value::Null,
            outputs: Value::Null,
            asked: Vec::new(),
            is_instructed: false,
            answered: Vec::new(),
        };
        // The body of a plain step is of no use but as a whole.
        if run.run_type == RunType::Chain {
            return view;
        }
        (view.inputs, view.outputs) = (parsed(&run.inputs), parsed(&run.outputs));
        if matches!(run.run_type, RunType::Llm | RunType::Agent) {
            view.asked = input_messages(&view.inputs);
            view.answered = output_messages(&view.outputs);
            view.is_instructed = view.asked.first().is_some_and(|first| first.role == Role::System)
                && (has_instructions(&view.inputs) || members(&view.inputs).any(has_instructions));
        }
        view
    }

    /// A parameter of the call, by the first of its names that has one: in the run's parameters, in the inputs, or in the
    /// one object that the inputs hold (`{"request": {…}}`).
    pub(super) fn asked_for(&self, names: &[&str]) -> Option<&Value> {
        let inputs = self.inputs.as_object();
        let inside = inputs
            .and_then(|inputs| inputs.get("request").or_else(|| inputs.get("hyperparameters")).or_else(|| only(inputs)))
            .and_then(Value::as_object);
        names.iter().find_map(|name| {
            let found = self.run.params.get(*name);
            let found = found.or_else(|| inputs.and_then(|inputs| inputs.get(*name)));
            found.or_else(|| inside.and_then(|inside| inside.get(*name))).filter(|value| !value.is_null())
        })
    }

    /// What somebody said of the run under an attribute's own name.
    pub(super) fn said(&self, name: &str) -> Option<&Value> {
        self.run.metadata.get(name).or_else(|| self.run.params.get(name)).filter(|value| !value.is_null())
    }

    /// A member of the answer, also where a traced function's `output` holds it.
    pub(super) fn answer(&self, names: &[&str]) -> Option<&Value> {
        let places = [Some(&self.outputs), self.outputs.get("output"), self.outputs.get("response")];
        let mut places = places.into_iter().flatten();
        places.find_map(|place| names.iter().find_map(|name| place.get(name).filter(|value| !value.is_null())))
    }

    /// What the tools that the model may call look like.
    pub(super) fn tools(&self) -> &[Value] {
        self.asked_for(&["tools"]).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Why the model stopped, an answer each.
    pub(super) fn finish_reasons(&self) -> Vec<&str> {
        self.answered.iter().filter_map(|message| message.finish_reason.as_deref()).collect()
    }

    pub(super) fn is_stream(&self) -> bool {
        self.run.stream.is_some() || self.asked_for(&["stream"]) == Some(&Value::Bool(true))
    }

    /// Whether a prompt was completed, and no conversation gone on with.
    pub(super) fn is_completion(&self) -> bool {
        let has = |names| self.asked_for(names).is_some();
        self.asked_for(&["prompt"]).is_some_and(Value::is_string) && !has(&["messages"])
    }

    /// What was searched for.
    pub(super) fn query(&self) -> Option<&str> {
        let named = self.asked_for(&["query", "question", "input", "text"]);
        named.or_else(|| only(self.inputs.as_object()?)).and_then(Value::as_str)
    }

    /// What a search found.
    pub(super) fn documents(&self) -> Vec<Document<'_>> {
        let list = find_documents(&self.outputs).or_else(|| find_documents(self.outputs.get("output")?));
        list.into_iter().flatten().map(Document::of).collect()
    }

    /// The database that was asked, such as `qdrant`.
    pub(super) fn database(&self) -> Option<Cow<'_, str>> {
        self.said("db.system").or_else(|| self.said("db.system.name")).map(text)
    }

    /// What was searched there, such as `user_profiles`.
    pub(super) fn collection(&self) -> Option<&str> {
        let asked = || self.asked_for(&["collection_name", "collection", "index_name"]);
        self.said("db.collection.name").or_else(asked).and_then(Value::as_str)
    }

    /// What was done there, such as `query`.
    pub(super) fn database_operation(&self) -> Option<Cow<'_, str>> {
        self.said("db.operation").or_else(|| self.said("db.operation.name")).map(text)
    }
}

fn has_instructions(value: &Value) -> bool {
    INSTRUCTIONS.iter().any(|name| value.get(name).is_some_and(|said| !said.is_null()))
}

fn members(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_object().into_iter().flat_map(Map::values)
}

fn only(object: &Map<String, Value>) -> Option<&Value> {
    object.values().next().filter(|_| object.len() == 1)
}

fn find_documents(outputs: &Value) -> Option<&Vec<Value>> {
    outputs.as_array().or_else(|| DOCUMENTS.iter().find_map(|name| outputs.get(name)?.as_array()))
}

/// A document that a search found.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) content: Option<Cow<'a, str>>,
    pub(super) score: Option<f64>,
    pub(super) metadata: Option<&'a Value>,
}

impl<'a> Document<'a> {
    fn of(value: &'a Value) -> Self {
        if let Value::String(content) = value {
            return Self { id: None, content: Some(content.as_str().into()), score: None, metadata: None };
        }
        let first = |names: &[&str]| names.iter().find_map(|name| value.get(name).filter(|value| !value.is_null()));
        Self {
            id: first(&["id", "document_id", "doc_id"]).map(text),
            content: first(&["page_content", "content", "text", "document"]).map(text),
            score: first(&["score", "relevance_score", "similarity"]).and_then(Value::as_f64),
            metadata: first(&["metadata", "payload"]).filter(|metadata| metadata.is_object()),
        }
    }
}

/// A value as text: a text as it is, what is none as JSON.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        other => other.to_string().into(),
    }
}

/// A whole number, also where it was written as `27.0`.
pub(super) fn int(value: &Value) -> Option<i64> {
    /// From here on, not every whole number is a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.abs() <= EXACT && number.fract() == 0.0)?;
        Some(number as i64)
    })
}
