//! OpenLIT: the 71 attributes of its documentation of semantic conventions, and what openlit 1.45.0 has beside those of
//! OpenTelemetry today.

pub(in crate::otlp) const APPLICATION: &str = "gen_ai.application_name";
pub(in crate::otlp) const SDK_NAME: &str = "telemetry.sdk.name";
pub(in crate::otlp) const SDK: &str = "openlit";
pub(in crate::otlp) const OPERATION: &str = "gen_ai.operation.name";
pub(in crate::otlp) const SYSTEM: &str = "gen_ai.system";
pub(in crate::otlp) const ENVIRONMENT: &str = "gen_ai.environment";
pub(in crate::otlp) const HUB_OWNER: &str = "gen_ai.hub.owner";
pub(in crate::otlp) const HUB_REPO: &str = "gen_ai.hub.repo";
pub(in crate::otlp) const REQUEST_MODEL: &str = "gen_ai.request.model";
pub(in crate::otlp) const IS_STREAM: &str = "gen_ai.request.is_stream";
pub(in crate::otlp) const USER: &str = "gen_ai.request.user";
pub(in crate::otlp) const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
pub(in crate::otlp) const PROMPT_TOKENS: &str = "gen_ai.usage.prompt_tokens";
pub(in crate::otlp) const COMPLETION_TOKENS: &str = "gen_ai.usage.completion_tokens";
pub(in crate::otlp) const TOTAL_TOKENS: &str = "gen_ai.usage.total_tokens";
pub(in crate::otlp) const COST: &str = "gen_ai.usage.cost";
pub(in crate::otlp) const PROMPT: &str = "gen_ai.prompt";
pub(in crate::otlp) const COMPLETION: &str = "gen_ai.completion";
pub(in crate::otlp) const DB_SYSTEM: &str = "db.system";
pub(in crate::otlp) const DB_OPERATION: &str = "db.operation";
pub(in crate::otlp) const DB_COLLECTION: &str = "db.collection.name";

// What openlit 1.45.0 writes and OpenTelemetry does not.
pub(in crate::otlp) const TOKENS: &str = "gen_ai.client.token.usage";
pub(in crate::otlp) const TIME_TO_FIRST_TOKEN: &str = "gen_ai.server.time_to_first_token";
pub(in crate::otlp) const CACHED_TOKENS: &str = "gen_ai.usage.prompt_tokens_details.cached_tokens";
pub(in crate::otlp) const REASONING_TOKENS: &str = "gen_ai.usage.completion_tokens_details.reasoning_tokens";
pub(in crate::otlp) const REASONING: &str = "gen_ai.content.reasoning";

/// What openlit 1.45.0 writes and is only read here.
#[cfg(feature = "otlp-decode")]
pub(in crate::otlp) mod read {
    pub(in crate::otlp) const TOOL_ARGUMENTS: &str = "gen_ai.tool.args";
    /// What a decorated function was called with, as Python prints it.
    pub(in crate::otlp) const FUNCTION_ARGS: &str = "function.args";
    pub(in crate::otlp) const FUNCTION_KWARGS: &str = "function.kwargs";
    /// What is looked for in a vector database.
    pub(in crate::otlp) const DB_QUERY: &str = "db.query.text";
}

/// How a value is written, or counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::otlp) enum Kind {
    /// As text; what is none, as JSON.
    Text,
    Int,
    Double,
    Bool,
    /// How many a list has.
    Count,
}

/// An attribute, how it is written, and what the value is called among the parameters and inputs of a call. Metadata of
/// the attribute's own name wins.
pub(in crate::otlp) type Row = (&'static str, Kind, &'static [&'static str]);

use Kind::{Bool, Count, Double, Int, Text};

/// What may stand on any run.
#[rustfmt::skip]
pub(in crate::otlp) const GENERAL: [Row; 2] = [
    ("gen_ai.endpoint", Text, &["base_url", "endpoint", "api_base"]),
    ("gen_ai.retrieval.source", Text, &[]),
];

/// What a call of a model asks for.
#[rustfmt::skip]
pub(in crate::otlp) const REQUEST: [Row; 23] = [
    ("gen_ai.request.temperature", Double, &["temperature"]),
    ("gen_ai.request.top_p", Double, &["top_p"]),
    ("gen_ai.request.top_k", Double, &["top_k"]),
    ("gen_ai.request.max_tokens", Int, &["max_tokens", "max_completion_tokens", "max_output_tokens"]),
    ("gen_ai.request.seed", Int, &["seed"]),
    ("gen_ai.request.frequency_penalty", Double, &["frequency_penalty"]),
    ("gen_ai.request.presence_penalty", Double, &["presence_penalty"]),
    ("gen_ai.request.embedding_format", Text, &["encoding_format"]),
    ("gen_ai.request.embedding_dimension", Int, &["dimensions", "output_dimensionality"]),
    ("gen_ai.request.tool_choice", Text, &["tool_choice"]),
    ("gen_ai.request.audio_voice", Text, &["voice"]),
    ("gen_ai.request.audio_response_format", Text, &["audio_response_format"]),
    ("gen_ai.request.audio_speed", Double, &["speed"]),
    ("gen_ai.request.fine_tune_status", Text, &["fine_tune_status"]),
    ("gen_ai.request.fine_tune_model_suffix", Text, &["suffix"]),
    ("gen_ai.request.fine_tune_n_epochs", Int, &["n_epochs"]),
    ("gen_ai.request.learning_rate_multiplier", Double, &["learning_rate_multiplier"]),
    ("gen_ai.request.fine_tune_batch_size", Int, &["batch_size"]),
    ("gen_ai.request.validation_file", Text, &["validation_file"]),
    ("gen_ai.request.training_file", Text, &["training_file"]),
    ("gen_ai.request.image_size", Text, &["size"]),
    ("gen_ai.request.image_quality", Int, &["quality"]),
    ("gen_ai.request.image_style", Text, &["style"]),
];

/// What a model answers: looked for in the outputs, and in the first item of their `data`.
#[rustfmt::skip]
pub(in crate::otlp) const RESPONSE: [Row; 3] = [
    ("gen_ai.response.id", Text, &["id", "response_id", "responseId"]),
    ("gen_ai.response.image", Text, &["url", "b64_json"]),
    ("gen_ai.content.revised_prompt", Text, &["revised_prompt"]),
];

/// What is done with a vector database.
#[rustfmt::skip]
pub(in crate::otlp) const DATABASE: [Row; 24] = [
    (DB_COLLECTION, Text, &["collection_name", "collection"]),
    ("db.operation.status", Text, &[]),
    ("db.operation.cost", Double, &[]),
    ("db.ids_count", Count, &["ids"]),
    ("db.vector_count", Count, &["vectors", "embeddings", "query_embeddings", "points"]),
    ("db.metadatas_count", Count, &["metadatas"]),
    ("db.documents_count", Count, &["documents"]),
    ("db.payload_count", Count, &["payload", "payloads"]),
    ("db.limit", Int, &["limit"]),
    ("db.offset", Int, &["offset"]),
    ("db.where_document", Text, &["where_document"]),
    ("db.filter", Text, &["filter", "where", "query_filter"]),
    ("db.statement", Text, &["statement", "query", "query_texts", "query_vector", "vector"]),
    ("db.n_results", Int, &["n_results", "top_k"]),
    ("db.delete_all", Bool, &["delete_all"]),
    ("db.index.name", Text, &["index_name", "index"]),
    ("db.index.dimension", Int, &["index_dimension"]),
    ("db.collection.dimension", Int, &["dimension"]),
    ("db.create_index.metric", Text, &["metric", "metric_type"]),
    ("db.create_index.spec", Text, &["spec"]),
    ("db.query.namespace", Text, &["namespace"]),
    ("db.update.metadata", Text, &["set_metadata"]),
    ("db.update.values", Text, &["values"]),
    ("db.update.id", Text, &["id"]),
];

/// What openlit 1.45.0 calls some of them.
#[rustfmt::skip]
pub(in crate::otlp) const DATABASE_NOW: [Row; 6] = [
    ("db.system.name", Text, &["db.system"]),
    ("db.operation.name", Text, &["db.operation"]),
    ("db.query.text", Text, &["db.statement", "statement", "query", "query_texts"]),
    ("db.namespace", Text, &["namespace"]),
    ("db.vector.count", Count, &["vectors", "embeddings", "query_embeddings", "points"]),
    ("db.vector.query.top_k", Int, &["n_results", "top_k", "limit"]),
];
