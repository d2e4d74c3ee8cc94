//! LangSmith: what the OTLP exporter of its Python SDK 0.14.17 writes and its collector proxy reads.

pub(in crate::otlp) const KIND: &str = "langsmith.span.kind";
pub(in crate::otlp) const NAME: &str = "langsmith.trace.name";
pub(in crate::otlp) const PROJECT: &str = "langsmith.trace.session_name";
pub(in crate::otlp) const ID: &str = "langsmith.span.id";
pub(in crate::otlp) const TRACE_ID: &str = "langsmith.trace.id";
pub(in crate::otlp) const PARENT_ID: &str = "langsmith.span.parent_id";
pub(in crate::otlp) const ORDER: &str = "langsmith.span.dotted_order";
pub(in crate::otlp) const IS_ROOT: &str = "langsmith.is_root";
/// One text with commas in between.
pub(in crate::otlp) const TAGS: &str = "langsmith.span.tags";
/// Before the name of a metadata value.
pub(in crate::otlp) const METADATA: &str = "langsmith.metadata.";
pub(in crate::otlp) const USAGE: &str = "langsmith.usage_metadata";
pub(in crate::otlp) const STREAMING: &str = "langsmith.request.streaming";

/// The inputs and outputs, whole, as JSON.
pub(in crate::otlp) const INPUTS: &str = "gen_ai.prompt";
pub(in crate::otlp) const OUTPUTS: &str = "gen_ai.completion";
/// Who serves the model; becomes `ls_provider`.
pub(in crate::otlp) const SYSTEM: &str = "gen_ai.system";
