//! Names that are read and never written: Traceloop's (traceloop-sdk 0.62.4, OpenLLMetry's semconv-ai 0.5.1), Langfuse's
//! (its OTLP endpoint of 2026-08-22), MLflow's, and older ones of OpenTelemetry's drafts.

pub(in crate::otlp) const REQUEST_TYPE: &str = "llm.request.type";
pub(in crate::otlp) const TRACELOOP_KIND: &str = "traceloop.span.kind";
pub(in crate::otlp) const TRACELOOP_NAME: &str = "traceloop.entity.name";
pub(in crate::otlp) const TRACELOOP_INPUT: &str = "traceloop.entity.input";
pub(in crate::otlp) const TRACELOOP_OUTPUT: &str = "traceloop.entity.output";
/// Before the name of a metadata value.
pub(in crate::otlp) const TRACELOOP_PROPERTIES: &str = "traceloop.association.properties.";
pub(in crate::otlp) const TRACELOOP_PROMPT: &str = "traceloop.prompt.key";
pub(in crate::otlp) const TRACELOOP_PROMPT_VERSION: &str = "traceloop.prompt.version";
pub(in crate::otlp) const IS_STREAMING: &str = "gen_ai.is_streaming";
pub(in crate::otlp) const GENAI_USER: &str = "gen_ai.user";

pub(in crate::otlp) const LANGFUSE_TYPE: &str = "langfuse.observation.type";
pub(in crate::otlp) const LANGFUSE_INPUT: &str = "langfuse.observation.input";
pub(in crate::otlp) const LANGFUSE_OUTPUT: &str = "langfuse.observation.output";
pub(in crate::otlp) const LANGFUSE_TRACE_INPUT: &str = "langfuse.trace.input";
pub(in crate::otlp) const LANGFUSE_TRACE_OUTPUT: &str = "langfuse.trace.output";
/// When the answer began, as text or as JSON of one.
pub(in crate::otlp) const LANGFUSE_FIRST: &str = "langfuse.observation.completion_start_time";
pub(in crate::otlp) const LANGFUSE_MODEL: &str = "langfuse.observation.model.name";
pub(in crate::otlp) const LANGFUSE_PARAMETERS: &str = "langfuse.observation.model.parameters";
pub(in crate::otlp) const LANGFUSE_USAGE: &str = "langfuse.observation.usage_details";
pub(in crate::otlp) const LANGFUSE_COST: &str = "langfuse.observation.cost_details";
pub(in crate::otlp) const LANGFUSE_PROMPT: &str = "langfuse.observation.prompt.name";
pub(in crate::otlp) const LANGFUSE_PROMPT_VERSION: &str = "langfuse.observation.prompt.version";
pub(in crate::otlp) const LANGFUSE_LEVEL: &str = "langfuse.observation.level";
pub(in crate::otlp) const LANGFUSE_MESSAGE: &str = "langfuse.observation.status_message";
pub(in crate::otlp) const LANGFUSE_TAGS: &str = "langfuse.trace.tags";
pub(in crate::otlp) const LANGFUSE_ENVIRONMENT: &str = "langfuse.environment";
pub(in crate::otlp) const LANGFUSE_RELEASE: &str = "langfuse.release";
/// Before the name of a metadata value; also the whole of it, as JSON, without the dot.
pub(in crate::otlp) const LANGFUSE_METADATA: [&str; 2] = ["langfuse.observation.metadata", "langfuse.trace.metadata"];

pub(in crate::otlp) const MLFLOW_INPUT: &str = "mlflow.spanInputs";
pub(in crate::otlp) const MLFLOW_OUTPUT: &str = "mlflow.spanOutputs";

/// What a client of HTTP asks with, in the names of today and of before.
pub(in crate::otlp) const HTTP_METHODS: [&str; 2] = ["http.request.method", "http.method"];

/// Events of chunks that came: OpenInference's of the first, OpenLLMetry's of each.
pub(in crate::otlp) const CHUNKS: [&str; 2] = ["First Token Stream Event", "llm.content.completion.chunk"];

/// What users, conversations and sessions are called.
pub(in crate::otlp) const USERS: [&str; 7] = [
    "user.id",
    "langsmith.metadata.user_id",
    "enduser.id",
    "gen_ai.request.user",
    GENAI_USER,
    "langfuse.user.id",
    "traceloop.association.properties.user_id",
];
pub(in crate::otlp) const THREADS: [&str; 4] = [
    "gen_ai.conversation.id",
    "langsmith.metadata.thread_id",
    "langsmith.metadata.conversation_id",
    "traceloop.association.properties.thread_id",
];
pub(in crate::otlp) const SESSIONS: [&str; 5] = [
    "session.id",
    "langsmith.metadata.session_id",
    "langsmith.trace.session_id",
    "langfuse.session.id",
    "traceloop.association.properties.session_id",
];
