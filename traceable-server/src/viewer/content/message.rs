//! A message: who speaks, and what is said, part by part.

use maud::{Markup, html};
use serde_json::{Value, json};
use traceable_core::messages::{Message, Part, Role, input_messages};

use super::{As, Body, json, markdown::markdown, media};
use crate::{
    print::{bytes, counted},
    viewer::{place::address, text::plain, text::text},
};

/// Lines of a system prompt that are seen at once.
const FOLD: usize = 6;
/// Lines of what a tool answered that are seen at once.
const FOLD_TOOL: usize = 16;
/// Longer Markdown is shown as text.
const MAX_MARKDOWN: usize = 60_000;

/// The `n`th message of a body.
pub(in crate::viewer) fn message(said: &Message, n: usize, body: &Body) -> Markup {
    let class = match said.role {
        Role::System | Role::Developer => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
        _ => "other",
    };
    let number = n.to_string();
    let fold = match said.role {
        Role::System | Role::Developer => FOLD,
        Role::Tool => FOLD_TOOL,
        _ => usize::MAX,
    };
    let lines =
        said.parts.iter().filter_map(words).map(|text| (text.len() / 100).max(text.lines().count())).sum::<usize>();
    html! {
        article.message.(class) data-role=(plain(said.role.as_str())) {
            header {
                span.role { (text(said.role.as_str())) }
                @if let Some(name) = &said.name { span.name { (text(name)) } }
                @if let Some(reason) = said.finish_reason.as_deref().filter(|reason| is_cut(reason)) {
                    span.status { (text(reason)) }
                }
                (forms(&number, body))
            }
            @if lines > fold.saturating_add(2) && !body.is_file { details.fold.(class) { summary { (counted(lines as u64, "line")) } } }
            div.parts {
                @if body.how == As::Json {
                    (body.within(n, |body| json::tree(&serde_json::to_value(said).unwrap_or_default(), "", body)))
                } @else {
                    @let shown = shown(said.parts.len(), body);
                    @for (at, each) in said.parts.iter().enumerate().take(shown) { (part(each, said, n, at, body)) }
                    @if shown < said.parts.len() {
                        (more(said.parts.len() - shown, n, body))
                    }
                    @if said.parts.is_empty() { p.none { "nothing" } }
                }
            }
        }
    }
}

/// How many of so many parts there is room for; the first is seen in any case.
fn shown(parts: usize, body: &Body) -> usize {
    (0..parts).take_while(|at| *at == 0 || body.element()).count()
}

/// Where so many parts are.
fn more(parts: usize, n: usize, body: &Body) -> Markup {
    let what = format!("{} more", counted(parts as u64, "part"));
    body.more(&[("message", &n.to_string()), ("as", "json")], &what)
}

/// Whether the model stopped for another reason than that it had said all.
fn is_cut(reason: &str) -> bool {
    let usual =
        ["stop", "end_turn", "tool_calls", "tool_use", "complete", "completed", "stop_sequence", "function_call"];
    !usual.iter().any(|usual| usual.eq_ignore_ascii_case(reason))
}

fn words(part: &Part) -> Option<&str> {
    match part {
        Part::Text { content } => Some(content),
        Part::ToolResult { response: Value::String(response), .. } => Some(response),
        _ => None,
    }
}

/// The other ways to show this message. Without a script they are pages of their own.
fn forms(number: &str, body: &Body) -> Markup {
    let Some((run, side)) = body.of.filter(|_| !body.is_file) else { return html! {} };
    let url = |form| address(&format!("/body/{run}/{}", side.as_str()), [("message", number), ("as", form)]);
    html! {
        span.forms {
            @for (form, name) in [("markdown", "Markdown"), ("text", "text"), ("json", "JSON")] {
                a href=(url(form)) data-part="message" { (name) }
            }
        }
    }
}

fn part(part: &Part, of: &Message, n: usize, at: usize, body: &Body) -> Markup {
    let (number, place) = (n.to_string(), at.to_string());
    let place = [("message", number.as_str()), ("part", place.as_str())];
    let tree = |value: &Value, key: &str| body.within(n, |body| json::tree(value, &format!("/parts/{at}/{key}"), body));
    match part {
        Part::Text { content } => {
            let is_written = of.role == Role::Assistant || body.is_forced;
            written(content, is_written, body, &place)
        }
        Part::Reasoning { content } => html! {
            details.reasoning {
                summary { "Reasoning, " (counted(content.split_whitespace().count() as u64, "word")) }
                (written(content, true, body, &place))
            }
        },
        Part::ToolCall { id, name, arguments } => html! {
            div.call {
                p { span.fn { (text(name)) } @if let Some(id) = id { span.id { (text(id)) } } }
                (tree(arguments, "arguments"))
            }
        },
        Part::ToolResult { id, name, response } => html! {
            div.result {
                @if id.is_some() || name.is_some() {
                    p { @for said in [name, id].into_iter().flatten() { span.id { (text(said)) } } }
                }
                @match response {
                    Value::String(said) => @match json::inner(said).filter(|_| body.how != As::Text) {
                        Some(inner) => (tree(&inner, "response")),
                        None => (written(said, false, body, &place)),
                    },
                    Value::Array(items) if items.iter().any(|item| item.get("type").is_some()) => (answered(response, n, at, body)),
                    other => (tree(other, "response")),
                }
            }
        },
        Part::Refusal { content } => {
            html! { div.refusal { strong { "Refused" } (written(content, true, body, &place)) } }
        }
        Part::Blob { .. } | Part::Uri { .. } | Part::File { .. } => media::part(part, body),
        Part::Other { value } => tree(value, "value"),
        _ => html! {},
    }
}

/// What a tool answered in parts: pictures and texts, as a message has them.
fn answered(response: &Value, n: usize, at: usize, body: &Body) -> Markup {
    let messages = input_messages(&json!([{ "role": "user", "content": response }]));
    let parts = messages.first().map(|message| message.parts.as_slice()).unwrap_or_default();
    let shown = shown(parts.len(), body);
    html! {
        @for each in parts.iter().take(shown) {
            @match each {
                Part::Text { content } => (written(content, false, body, &[("message", &n.to_string()), ("as", "json")])),
                Part::Blob { .. } | Part::Uri { .. } | Part::File { .. } => (media::part(each, body)),
                other => (body.within(n, |body| {
                    json::tree(&serde_json::to_value(other).unwrap_or_default(), &format!("/parts/{at}/response"), body)
                })),
            }
        }
        @if shown < parts.len() { (more(parts.len() - shown, n, body)) }
    }
}

/// A text: as Markdown where that is likely and short enough.
pub(super) fn written(said: &str, is_markdown: bool, body: &Body, place: &[(&str, &str)]) -> Markup {
    // Where there is no room for its elements, Markdown is still a text.
    let has_room = said.len() <= MAX_MARKDOWN.min(body.bytes.get()) && said.lines().count() <= body.elements.get();
    if body.how == As::Markdown && is_markdown && has_room {
        markdown(said, body)
    } else {
        piece(said, 0, usize::MAX, body, place)
    }
}

/// At most so many bytes of a text, from one on, and a link to what follows.
pub(super) fn piece(said: &str, from: usize, most: usize, body: &Body, place: &[(&str, &str)]) -> Markup {
    let from = boundary(said, from);
    let end = boundary(said, from + body.bytes((said.len() - from).min(most)));
    let left = said.len() - end;
    let next = end.to_string();
    let place: Vec<_> = place.iter().copied().chain([("from", next.as_str())]).collect();
    html! {
        @if end > from { pre.said { (text(&said[from..end])) } }
        @if left > 0 { (body.more(&place, &format!("{} more", bytes(left as u64)))) }
    }
}

/// The next place at or before `at` where a character begins.
pub(super) fn boundary(said: &str, at: usize) -> usize {
    (0..=at.min(said.len())).rev().find(|at| said.is_char_boundary(*at)).unwrap_or(0)
}
