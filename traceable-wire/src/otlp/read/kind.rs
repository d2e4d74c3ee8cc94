//! What kind of work a span is, by the first convention that says so.

use traceable_core::model::RunType;

use super::Attributes;
use crate::otlp::names::{foreign, genai, langsmith, openinference, ours};

/// A request over HTTP that a library has noted below the call that it is a part of.
pub(super) const HTTP: &str = "http";

pub(super) fn run_type(attributes: &mut Attributes, is_client: bool) -> RunType {
    if let Some(ours) = attributes.exact_text(ours::RUN_TYPE) {
        return RunType::from(ours);
    }
    let looks = looks(attributes, is_client);
    let mut said = |name| attributes.text(&[name]).map(|word| word.to_ascii_lowercase());
    let langsmith = said(langsmith::KIND).map(RunType::from);
    let openinference = said(openinference::KIND).filter(|word| word != "unknown").map(RunType::from);
    let genai = said(genai::OPERATION).map(|word| operation(&word));
    let request = said(foreign::REQUEST_TYPE).map(|word| operation(&word));
    let traceloop = said(foreign::TRACELOOP_KIND).map(|word| match &*word {
        "agent" => RunType::Agent,
        "tool" => RunType::Tool,
        _ => RunType::Chain,
    });
    let langfuse = said(foreign::LANGFUSE_TYPE).map(|word| match &*word {
        "generation" => RunType::Llm,
        "span" | "event" => RunType::Chain,
        _ => RunType::from(word),
    });
    langsmith.or(openinference).or(genai).or(request).or(traceloop).or(langfuse).unwrap_or(looks)
}

/// An operation of GenAI's, OpenLIT's or OpenLLMetry's.
fn operation(word: &str) -> RunType {
    match word {
        "chat" | "text_completion" | "generate_content" | "completion" | "generate" => RunType::Llm,
        "embeddings" | "embedding" => RunType::Embedding,
        "execute_tool" => RunType::Tool,
        "retrieval" | "vectordb" => RunType::Retriever,
        "rerank" => RunType::Reranker,
        "invoke_agent" | "create_agent" => RunType::Agent,
        "invoke_workflow" | "framework" | "execute_task" | "plan" => RunType::Chain,
        other => RunType::from(other.to_owned()),
    }
}

/// What a span is that nobody gave a kind.
fn looks(attributes: &Attributes, is_client: bool) -> RunType {
    let has = |names: &[&str]| names.iter().any(|name| attributes.has(name));
    match () {
        () if has(&[genai::TOOL_NAME, openinference::TOOL_NAME]) => RunType::Tool,
        () if has(&[genai::REQUEST_MODEL, genai::RESPONSE_MODEL, openinference::MODEL, foreign::LANGFUSE_MODEL]) => {
            RunType::Llm
        }
        () if is_client && has(&foreign::HTTP_METHODS) => RunType::from(HTTP),
        () => RunType::Chain,
    }
}
