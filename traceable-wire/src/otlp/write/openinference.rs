//! OpenInference, as Phoenix and others show it.

use serde_json::Value;
use traceable_core::model::{Run, RunType, Usage};

use super::{Attributes, Field, Said, messages};
use crate::otlp::{
    names::{openinference as names, resource},
    view::{Document, View},
};

pub(super) fn write(view: &View<'_>, out: &mut Attributes, said: &mut Said) {
    let run = view.run;
    out.text(names::KIND, kind(run));
    for (name, mime, field, body) in [
        (names::INPUT, names::INPUT_MIME, Field::Inputs, &run.inputs),
        (names::OUTPUT, names::OUTPUT_MIME, Field::Outputs, &run.outputs),
    ] {
        if let Some(body) = body {
            out.text(name, body.as_str());
            out.text(mime, names::JSON);
            said.surely(field);
        }
    }
    about(run, out, said);
    model(view, out, said);
    if let Some(usage) = &run.usage {
        self::usage(usage, out, said);
    }
    match run.run_type {
        RunType::Llm => {
            messages::write(names::INPUT_MESSAGES, &view.asked, out);
            messages::write(names::OUTPUT_MESSAGES, &view.answered, out);
            for (i, tool) in view.tools().iter().enumerate().take(out.bounds.items) {
                out.json_at(format_args!("llm.tools.{i}.tool.json_schema"), tool);
            }
        }
        RunType::Tool => {
            out.text(names::TOOL_NAME, &*run.name);
            out.text(names::TOOL_ID, view.said("tool_call_id").and_then(Value::as_str));
        }
        RunType::Agent => out.text(names::AGENT_NAME, &*run.name),
        RunType::Retriever => documents(names::DOCUMENTS, &view.documents(), out),
        RunType::Reranker => {
            out.text(names::RERANKER_QUERY, view.query());
            documents(names::RERANKED, &view.documents(), out);
        }
        _ => {}
    }
}

/// The kind of span, of those that OpenInference knows.
fn kind(run: &Run) -> &'static str {
    match run.run_type {
        RunType::Llm => "LLM",
        RunType::Tool => "TOOL",
        RunType::Retriever => "RETRIEVER",
        RunType::Embedding => "EMBEDDING",
        RunType::Prompt => "PROMPT",
        RunType::Agent => "AGENT",
        RunType::Reranker => "RERANKER",
        RunType::Guardrail => "GUARDRAIL",
        RunType::Evaluator => "EVALUATOR",
        _ => "CHAIN",
    }
}

fn about(run: &Run, out: &mut Attributes, said: &mut Said) {
    // Phoenix calls a conversation a session. GenAI, where it is written as well, has a name for each.
    let session = run.session_id.as_deref().or(run.thread_id.as_deref());
    if !out.has(resource::SESSION_ID) {
        out.text(resource::SESSION_ID, session);
        said.text(Field::Session, run.session_id.as_deref(), session);
    }
    out.text(resource::USER_ID, run.user.as_deref());
    said.text(Field::User, run.user.as_deref(), run.user.as_deref());
    if !run.tags.is_empty() {
        out.texts(names::TAGS, &run.tags);
        said.exactly(Field::Tags);
    }
    if !run.metadata.is_empty() {
        out.json(names::METADATA, &run.metadata);
        said.exactly(Field::Metadata);
    }
    if !run.variables.is_empty() {
        out.json(names::TEMPLATE_VARIABLES, &run.variables);
        said.exactly(Field::Variables);
    }
    out.text(names::PROMPT_ID, run.prompt_ref.as_deref());
    said.text(Field::Prompt, run.prompt_ref.as_deref(), run.prompt_ref.as_deref());
    out.text(names::TEMPLATE_VERSION, run.deployment_ref.as_deref());
    said.text(Field::Deployment, run.deployment_ref.as_deref(), run.deployment_ref.as_deref());
}

fn model(view: &View<'_>, out: &mut Attributes, said: &mut Said) {
    let run = view.run;
    out.text(names::PROVIDER, run.provider.as_deref());
    if run.provider.as_ref().is_some_and(|provider| !provider.is_empty()) {
        // Read before all others, so what they say otherwise does no harm.
        said.surely(Field::Provider);
    }
    let name = match run.run_type {
        RunType::Embedding => names::EMBEDDING_MODEL,
        RunType::Reranker => names::RERANKER_MODEL,
        _ => names::MODEL,
    };
    out.text(name, run.model.as_deref());
    said.text(Field::Model, run.model.as_deref(), run.model.as_deref());
    if run.run_type == RunType::Llm {
        out.text(names::SYSTEM, run.provider.as_deref());
        out.text(names::REQUEST_MODEL, run.model.as_deref());
        out.text(
            names::RESPONSE_MODEL,
            view.answer(&["model", "modelVersion", "model_version"]).and_then(Value::as_str),
        );
        out.text(names::FINISH_REASON, view.finish_reasons().first().copied());
    }
    if !run.params.is_empty() {
        out.json(names::PARAMETERS, &run.params);
        said.surely(Field::Params);
    }
}

fn usage(usage: &Usage, out: &mut Attributes, said: &mut Said) {
    /// What a reader finds is counted along, to know whether it is all.
    fn put(out: &mut Attributes, name: &str, tokens: Option<u64>) -> Option<u64> {
        let tokens = tokens.and_then(|tokens| i64::try_from(tokens).ok())?;
        out.int(name, tokens);
        Some(tokens as u64)
    }
    let mut found = Usage::default();
    found.input_tokens = put(out, names::PROMPT_TOKENS, usage.input_tokens);
    found.output_tokens = put(out, names::COMPLETION_TOKENS, usage.output_tokens);
    found.total_tokens = put(out, names::TOTAL_TOKENS, usage.total_tokens);
    for (part, name) in names::PROMPT_DETAILS {
        let tokens = put(out, name, usage.input_token_details.get(part).copied());
        found.input_token_details.extend(tokens.map(|tokens| (part.to_owned(), tokens)));
    }
    for (part, name) in names::COMPLETION_DETAILS {
        let tokens = put(out, name, usage.output_token_details.get(part).copied());
        found.output_token_details.extend(tokens.map(|tokens| (part.to_owned(), tokens)));
    }
    out.double(names::COST, usage.total_cost);
    out.double(names::PROMPT_COST, usage.input_cost);
    out.double(names::COMPLETION_COST, usage.output_cost);
    (found.total_cost, found.input_cost, found.output_cost) = (usage.total_cost, usage.input_cost, usage.output_cost);
    if found == *usage && !usage.is_empty() {
        said.surely(Field::Usage);
    } else {
        said.otherwise(Field::Usage);
    }
}

fn documents(prefix: &str, documents: &[Document<'_>], out: &mut Attributes) {
    for (i, document) in documents.iter().enumerate().take(out.bounds.items) {
        let at = format!("{prefix}.{i}.document");
        if let Some(id) = &document.id {
            out.text_at(format_args!("{at}.id"), id);
        }
        if let Some(content) = &document.content {
            out.text_at(format_args!("{at}.content"), content);
        }
        if let Some(score) = document.score {
            out.double_at(format_args!("{at}.score"), score);
        }
        if let Some(metadata) = document.metadata {
            out.json_at(format_args!("{at}.metadata"), metadata);
        }
    }
}
