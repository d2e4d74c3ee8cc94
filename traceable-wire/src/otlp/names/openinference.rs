//! OpenInference: `Arize-ai/openinference`, specification of 2026-08-21, package openinference-semantic-conventions 0.1.42.

/// Of a resource: what Phoenix files spans under.
pub(in crate::otlp) const PROJECT: &str = "openinference.project.name";

pub(in crate::otlp) const KIND: &str = "openinference.span.kind";
pub(in crate::otlp) const INPUT: &str = "input.value";
pub(in crate::otlp) const INPUT_MIME: &str = "input.mime_type";
pub(in crate::otlp) const OUTPUT: &str = "output.value";
pub(in crate::otlp) const OUTPUT_MIME: &str = "output.mime_type";
pub(in crate::otlp) const JSON: &str = "application/json";

pub(in crate::otlp) const METADATA: &str = "metadata";
pub(in crate::otlp) const TAGS: &str = "tag.tags";

pub(in crate::otlp) const PROVIDER: &str = "llm.provider";
pub(in crate::otlp) const SYSTEM: &str = "llm.system";
pub(in crate::otlp) const MODEL: &str = "llm.model_name";
pub(in crate::otlp) const REQUEST_MODEL: &str = "llm.request.model_name";
pub(in crate::otlp) const RESPONSE_MODEL: &str = "llm.response.model_name";
pub(in crate::otlp) const EMBEDDING_MODEL: &str = "embedding.model_name";
pub(in crate::otlp) const RERANKER_MODEL: &str = "reranker.model_name";
pub(in crate::otlp) const PARAMETERS: &str = "llm.invocation_parameters";
pub(in crate::otlp) const FINISH_REASON: &str = "llm.finish_reason";

/// Before the number of a message.
pub(in crate::otlp) const INPUT_MESSAGES: &str = "llm.input_messages";
pub(in crate::otlp) const OUTPUT_MESSAGES: &str = "llm.output_messages";
/// Before the number of a document.
pub(in crate::otlp) const DOCUMENTS: &str = "retrieval.documents";
pub(in crate::otlp) const RERANKED: &str = "reranker.output_documents";
pub(in crate::otlp) const RERANKER_QUERY: &str = "reranker.query";

pub(in crate::otlp) const PROMPT_TOKENS: &str = "llm.token_count.prompt";
pub(in crate::otlp) const COMPLETION_TOKENS: &str = "llm.token_count.completion";
pub(in crate::otlp) const TOTAL_TOKENS: &str = "llm.token_count.total";
/// Before the name of a part of the tokens, by what the run calls it.
pub(in crate::otlp) const PROMPT_DETAILS: [(&str, &str); 3] = [
    ("cache_read", "llm.token_count.prompt_details.cache_read"),
    ("cache_creation", "llm.token_count.prompt_details.cache_write"),
    ("audio", "llm.token_count.prompt_details.audio"),
];
pub(in crate::otlp) const COMPLETION_DETAILS: [(&str, &str); 2] = [
    ("reasoning", "llm.token_count.completion_details.reasoning"),
    ("audio", "llm.token_count.completion_details.audio"),
];
pub(in crate::otlp) const COST: &str = "llm.cost.total";
pub(in crate::otlp) const PROMPT_COST: &str = "llm.cost.prompt";
pub(in crate::otlp) const COMPLETION_COST: &str = "llm.cost.completion";

pub(in crate::otlp) const TOOL_NAME: &str = "tool.name";
pub(in crate::otlp) const TOOL_ID: &str = "tool.id";
pub(in crate::otlp) const AGENT_NAME: &str = "agent.name";

pub(in crate::otlp) const PROMPT_ID: &str = "prompt.id";
pub(in crate::otlp) const TEMPLATE_VARIABLES: &str = "llm.prompt_template.variables";
pub(in crate::otlp) const TEMPLATE_VERSION: &str = "llm.prompt_template.version";
