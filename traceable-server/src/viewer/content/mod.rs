//! What was said: messages, JSON, errors.

use maud::{Markup, html};
use serde_json::Value;
use traceable_core::messages::{Message, Part, input_messages, output_messages};
use traceable_store::StoredRun;

/// A side of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Input,
    Output,
}

/// The inputs or the outputs: as a conversation where they are one.
pub(super) fn side(stored: &StoredRun, side: Side) -> Markup {
    let run = &stored.run;
    let body = match side {
        Side::Input => run.inputs.as_ref(),
        Side::Output => run.outputs.as_ref().or_else(|| stored.progress.as_ref()?.outputs.as_ref()),
    };
    let value = body.map(traceable_core::model::Json::to_value).unwrap_or_default();
    let said = if side == Side::Input { input_messages(&value) } else { output_messages(&value) };
    html! {
        @if said.is_empty() && !value.is_null() { pre { (serde_json::to_string_pretty(&value).unwrap_or_default()) } }
        @for message in &said {
            div.message { span.role { (message.role.as_str()) } pre { (text(message)) } }
        }
    }
}

fn text(message: &Message) -> String {
    let part = |part: &Part| match part {
        Part::Text { content } => content.clone(),
        other => serde_json::to_value(other).as_ref().map(Value::to_string).unwrap_or_default(),
    };
    message.parts.iter().map(part).collect::<Vec<_>>().join("\n")
}

/// What went wrong.
pub(super) fn error(text: &str) -> Markup {
    html! { pre.error { (text) } }
}
