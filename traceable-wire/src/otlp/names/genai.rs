//! OpenTelemetry's GenAI conventions: `open-telemetry/semantic-conventions-genai` as of its migration notes from
//! semantic conventions v1.41.1, and the names of v1.41.1 where they differ (`old`).

pub(in crate::otlp) const OPERATION: &str = "gen_ai.operation.name";
pub(in crate::otlp) const PROVIDER: &str = "gen_ai.provider.name";

pub(in crate::otlp) const REQUEST_MODEL: &str = "gen_ai.request.model";
pub(in crate::otlp) const TEMPERATURE: &str = "gen_ai.request.temperature";
pub(in crate::otlp) const TOP_P: &str = "gen_ai.request.top_p";
pub(in crate::otlp) const TOP_K: &str = "gen_ai.request.top_k";
pub(in crate::otlp) const MAX_TOKENS: &str = "gen_ai.request.max_tokens";
pub(in crate::otlp) const SEED: &str = "gen_ai.request.seed";
pub(in crate::otlp) const FREQUENCY_PENALTY: &str = "gen_ai.request.frequency_penalty";
pub(in crate::otlp) const PRESENCE_PENALTY: &str = "gen_ai.request.presence_penalty";
pub(in crate::otlp) const STOP: &str = "gen_ai.request.stop_sequences";
pub(in crate::otlp) const CHOICES: &str = "gen_ai.request.choice.count";
pub(in crate::otlp) const ENCODINGS: &str = "gen_ai.request.encoding_formats";
pub(in crate::otlp) const REASONING_LEVEL: &str = "gen_ai.request.reasoning.level";
pub(in crate::otlp) const PREVIOUS_RESPONSE: &str = "gen_ai.request.previous_response.id";
pub(in crate::otlp) const STREAM: &str = "gen_ai.request.stream";
pub(in crate::otlp) const OUTPUT_TYPE: &str = "gen_ai.output.type";

pub(in crate::otlp) const RESPONSE_ID: &str = "gen_ai.response.id";
pub(in crate::otlp) const RESPONSE_MODEL: &str = "gen_ai.response.model";
pub(in crate::otlp) const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
pub(in crate::otlp) const TIME_TO_FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";

pub(in crate::otlp) const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
pub(in crate::otlp) const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
pub(in crate::otlp) const CACHE_READ: &str = "gen_ai.usage.cache_read.input_tokens";
pub(in crate::otlp) const CACHE_WRITE: &str = "gen_ai.usage.cache_write.input_tokens";
pub(in crate::otlp) const REASONING: &str = "gen_ai.usage.reasoning.output_tokens";

pub(in crate::otlp) const INPUT_MESSAGES: &str = "gen_ai.input.messages";
pub(in crate::otlp) const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
pub(in crate::otlp) const SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
pub(in crate::otlp) const TOOL_DEFINITIONS: &str = "gen_ai.tool.definitions";

pub(in crate::otlp) const TOOL_NAME: &str = "gen_ai.tool.name";
pub(in crate::otlp) const TOOL_TYPE: &str = "gen_ai.tool.type";
pub(in crate::otlp) const TOOL_CALL_ID: &str = "gen_ai.tool.call.id";
pub(in crate::otlp) const TOOL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
pub(in crate::otlp) const TOOL_RESULT: &str = "gen_ai.tool.call.result";

pub(in crate::otlp) const AGENT_NAME: &str = "gen_ai.agent.name";
pub(in crate::otlp) const WORKFLOW_NAME: &str = "gen_ai.workflow.name";
pub(in crate::otlp) const CONVERSATION_ID: &str = "gen_ai.conversation.id";
pub(in crate::otlp) const PROMPT_NAME: &str = "gen_ai.prompt.name";
pub(in crate::otlp) const PROMPT_VERSION: &str = "gen_ai.prompt.version";

pub(in crate::otlp) const QUERY: &str = "gen_ai.retrieval.query.text";
pub(in crate::otlp) const DOCUMENTS: &str = "gen_ai.retrieval.documents";
pub(in crate::otlp) const RETRIEVAL_TOP_K: &str = "gen_ai.retrieval.top_k";
pub(in crate::otlp) const DATA_SOURCE: &str = "gen_ai.data_source.id";
pub(in crate::otlp) const DIMENSIONS: &str = "gen_ai.embeddings.dimension.count";

/// The name of the event of a score.
pub(in crate::otlp) const EVALUATION: &str = "gen_ai.evaluation.result";
pub(in crate::otlp) const EVALUATION_NAME: &str = "gen_ai.evaluation.name";
pub(in crate::otlp) const EVALUATION_SCORE: &str = "gen_ai.evaluation.score.value";
pub(in crate::otlp) const EVALUATION_LABEL: &str = "gen_ai.evaluation.score.label";
pub(in crate::otlp) const EVALUATION_EXPLANATION: &str = "gen_ai.evaluation.explanation";

/// What was written to a cache, up to v1.41.
pub(in crate::otlp) const OLD_CACHE_WRITE: &str = "gen_ai.usage.cache_creation.input_tokens";
/// Who serves the model, up to v1.36.
pub(in crate::otlp) const OLD_SYSTEM: &str = "gen_ai.system";

/// What systems are called in `gen_ai.provider.name`, and what they are called elsewhere.
pub(in crate::otlp) const PROVIDERS: [(&str, &str); 20] = [
    ("azure", "azure.ai.openai"),
    ("azure_openai", "azure.ai.openai"),
    ("azure_ai", "azure.ai.inference"),
    ("bedrock", "aws.bedrock"),
    ("amazon_bedrock", "aws.bedrock"),
    ("aws_bedrock", "aws.bedrock"),
    ("gemini", "gcp.gemini"),
    ("google", "gcp.gemini"),
    ("google_genai", "gcp.gemini"),
    ("google_vertexai", "gcp.vertex_ai"),
    ("vertexai", "gcp.vertex_ai"),
    ("vertex_ai", "gcp.vertex_ai"),
    ("ibm", "ibm.watsonx.ai"),
    ("watsonx", "ibm.watsonx.ai"),
    ("mistral", "mistral_ai"),
    ("mistralai", "mistral_ai"),
    ("moonshot", "moonshot_ai"),
    ("moonshotai", "moonshot_ai"),
    ("xai", "x_ai"),
    ("grok", "x_ai"),
];
