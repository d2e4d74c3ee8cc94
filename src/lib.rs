//! Tracing for LLM applications.
