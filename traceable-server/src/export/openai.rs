//! OpenAI's form for fine-tuning: the conversation of a model's call, with its answer at the end.

use serde_json::{Value, json};
use traceable_core::{
    messages::{Role, input_messages, output_messages},
    model::{Json, Run, RunType},
};
use traceable_store::Result;

use super::chat;

/// Only a call that was asked something, and answered, teaches anything.
pub(super) fn write(run: &Run, out: &mut Vec<u8>) -> Result<()> {
    if run.run_type != RunType::Llm || run.error.is_some() || run.end_time.is_none() {
        return Ok(());
    }
    let (Some(inputs), Some(outputs)) = (&run.inputs, &run.outputs) else { return Ok(()) };
    let inputs = inputs.to_value();
    let answered = output_messages(&Json::to_value(outputs));
    let answer = answered.iter().find(|message| message.role == Role::Assistant).map(std::slice::from_ref);
    let answer = chat::messages(answer.unwrap_or_default());
    let mut messages = chat::messages(&input_messages(&inputs));
    if answer.is_empty() || messages.is_empty() {
        return Ok(());
    }
    messages.extend(answer);
    let mut row = json!({ "messages": messages });
    let tools = chat::tools(tools_of(run, &inputs));
    if !tools.is_empty() {
        row["tools"] = tools.into();
    }
    super::line(&row, out)
}

/// The tools stand among the inputs, an argument below, or among the parameters.
pub(crate) fn tools_of<'a>(run: &'a Run, inputs: &'a Value) -> &'a Value {
    let below = || inputs.as_object()?.values().find_map(|value| value.get("tools"));
    inputs.get("tools").or_else(below).or_else(|| run.params.get("tools")).unwrap_or(&Value::Null)
}
