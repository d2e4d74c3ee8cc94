//! Rows of a dataset: what went in, what came out, and where it is from.

use serde_json::{Map, Value, json};
use traceable_core::model::{Json, Run};
use traceable_store::Result;

/// A run without inputs asks for nothing, so it is no row. What should have come out is preferred to what did.
pub(super) fn write(run: &Run, out: &mut Vec<u8>) -> Result<()> {
    let Some(inputs) = &run.inputs else { return Ok(()) };
    let outputs = run.expected.as_ref().or(run.outputs.as_ref());
    let own = run.metadata.iter().filter(|(name, _)| !name.starts_with("traceable."));
    let mut metadata: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    metadata.insert("source_run_id".into(), json!(run.id));
    metadata.insert("source_run_name".into(), json!(run.name));
    if !run.tags.is_empty() {
        metadata.insert("source_run_tags".into(), json!(run.tags));
    }
    if let Some(error) = &run.error {
        metadata.insert("source_run_error".into(), json!(error));
    }
    super::line(
        &json!({
            "inputs": object(inputs, "input"),
            "outputs": outputs.map(|outputs| object(outputs, "output")),
            "metadata": metadata,
        }),
        out,
    )
}

/// An object in any case, as datasets have it.
fn object(body: &Json, name: &str) -> Value {
    match body.to_value() {
        object @ Value::Object(_) => object,
        other => json!({ name: other }),
    }
}
