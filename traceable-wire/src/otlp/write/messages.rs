//! Messages as OpenInference lays them out: one attribute for each thing that each message says.

use traceable_core::messages::{Message, Part};

use super::Attributes;
use crate::otlp::view::text;

/// Writes `<prefix>.<i>.message.…` of each message; where not all fit, of the last ones.
pub(super) fn write(prefix: &str, messages: &[Message], out: &mut Attributes) {
    let first = messages.len().saturating_sub(out.bounds.items);
    for (i, message) in messages.iter().enumerate().skip(first) {
        one(&format!("{prefix}.{i}.message"), message, out);
    }
}

fn one(at: &str, message: &Message, out: &mut Attributes) {
    out.text_at(format_args!("{at}.role"), message.role.as_str());
    if let Some(name) = &message.name {
        out.text_at(format_args!("{at}.name"), name);
    }
    let spoken = |part: &&Part| !matches!(part, Part::ToolCall { .. } | Part::ToolResult { .. });
    match message.parts.iter().filter(spoken).collect::<Vec<_>>().as_slice() {
        [] => {}
        [Part::Text { content } | Part::Refusal { content }] => out.text_at(format_args!("{at}.content"), content),
        parts => {
            for (j, part) in parts.iter().enumerate().take(out.bounds.items) {
                content(&format!("{at}.contents.{j}.message_content"), part, out);
            }
        }
    }
    for part in &message.parts {
        if let Part::ToolResult { id, response, .. } = part {
            // A message of several answers has one place for them; the first is what Phoenix shows.
            out.text_at(format_args!("{at}.content"), &text(response));
            if let Some(id) = id {
                out.text_at(format_args!("{at}.tool_call_id"), id);
            }
            break;
        }
    }
    let calls = message.parts.iter().filter_map(|part| match part {
        Part::ToolCall { id, name, arguments } => Some((id, name, arguments)),
        _ => None,
    });
    for (k, (id, name, arguments)) in calls.enumerate().take(out.bounds.items) {
        if let Some(id) = id {
            out.text_at(format_args!("{at}.tool_calls.{k}.tool_call.id"), id);
        }
        out.text_at(format_args!("{at}.tool_calls.{k}.tool_call.function.name"), name);
        out.text_at(format_args!("{at}.tool_calls.{k}.tool_call.function.arguments"), &text(arguments));
    }
}

fn content(at: &str, part: &Part, out: &mut Attributes) {
    let kind = |out: &mut Attributes, kind: &str| out.text_at(format_args!("{at}.type"), kind);
    match part {
        Part::Text { content } | Part::Refusal { content } => {
            kind(out, "text");
            out.text_at(format_args!("{at}.text"), content);
        }
        Part::Reasoning { content } => {
            kind(out, "reasoning");
            out.text_at(format_args!("{at}.text"), content);
        }
        Part::Uri { modality, uri, .. } => {
            kind(out, modality);
            out.text_at(format_args!("{at}.{modality}.{modality}.url"), uri);
        }
        Part::Blob { modality, content, mime_type } => {
            kind(out, modality);
            let mime = mime_type.as_deref().unwrap_or("application/octet-stream");
            out.text_at(format_args!("{at}.{modality}.{modality}.url"), &format!("data:{mime};base64,{content}"));
        }
        other => {
            kind(out, "text");
            out.json_at(format_args!("{at}.text"), other);
        }
    }
}
