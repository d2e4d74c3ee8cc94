//! One side of a run: what went in, or what came out.

use std::ops::Range;

use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use traceable_core::{
    messages::{Message, Role, input_messages, output_messages},
    model::{Json, RunType},
};
use traceable_store::StoredRun;

use super::{
    As, BYTES, Body,
    body::tools as tools_of,
    error, json,
    message::{message, written},
};
use crate::{
    print::{count, counted},
    viewer::text::text,
};

/// Messages of one body that are shown at once: the first and the last.
const FIRST: usize = 4;
const LAST: usize = 26;
/// Documents that are shown at once.
const DOCUMENTS: usize = 50;

/// One body of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::viewer) enum Side {
    /// The arguments.
    Input,
    /// The result; while the run is open, what has come of it.
    Output,
    /// The answer that was wanted.
    Expected,
    /// Named values.
    Metadata,
}

impl Side {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Expected => "expected",
            Self::Metadata => "metadata",
        }
    }

    /// The body itself.
    pub(super) fn of(self, stored: &StoredRun) -> Option<Value> {
        let StoredRun { run, progress, .. } = stored;
        let so_far = || progress.as_ref().and_then(|progress| progress.outputs.as_ref());
        match self {
            Self::Input => run.inputs.as_ref().map(Json::to_value),
            Self::Output => run.outputs.as_ref().or_else(so_far).map(Json::to_value),
            Self::Expected => run.expected.as_ref().map(Json::to_value),
            Self::Metadata => Some(Value::Object(run.metadata.clone())),
        }
    }

    /// The messages that a body holds; none where it is no conversation.
    pub(super) fn messages(self, run_type: &RunType, value: &Value) -> Vec<Message> {
        let is_spoken =
            !matches!(run_type, RunType::Tool | RunType::Retriever | RunType::Embedding | RunType::Reranker);
        match self {
            Self::Input if is_spoken => input_messages(value),
            // A text that is an answer needs no role beside it.
            Self::Output | Self::Expected if is_spoken && alone(value).is_none() => output_messages(value),
            _ => Vec::new(),
        }
    }
}

/// Shows one side of a run.
pub(in crate::viewer) fn side_as(stored: &StoredRun, side: Side, how: As) -> Markup {
    let run = &stored.run;
    let length = match side {
        Side::Input => run.inputs.as_ref().map_or(0, |body| body.as_str().len()),
        Side::Output => run.outputs.as_ref().map_or(0, |body| body.as_str().len()),
        _ => 0,
    };
    html! {
        (shown(stored, side, &Body::of(run.id, side, how)))
        @if length > BYTES { (tools_of(run.id, side, "")) }
    }
}

/// Of the messages of a run's input, those of a range, by their numbers: what is new, or what was said before.
pub(in crate::viewer) fn messages(stored: &StoredRun, range: Range<usize>, how: As) -> Markup {
    let body = Body::of(stored.run.id, Side::Input, how);
    let value = Side::Input.of(stored).unwrap_or_default();
    let said = Side::Input.messages(&stored.run.run_type, &value);
    let is_last = range.end >= said.len();
    html! { (conversation(&said, range, &body)) @if is_last { (tools(&value, &body)) } }
}

/// What a run was asked and what it answered, as one exchange: of its input, the last that the user said. Takes what it
/// needs from `elements`, and no more than its `share` of them.
pub(in crate::viewer) fn exchange(stored: &StoredRun, elements: &mut usize, share: usize) -> Markup {
    let allowed = share.min(*elements);
    let of = |side, allowed| Body::of(stored.run.id, side, As::default()).at_most(allowed);
    let inputs = of(Side::Input, allowed);
    let value = Side::Input.of(stored).unwrap_or_default();
    let said = Side::Input.messages(&stored.run.run_type, &value);
    let asked = said.iter().rposition(|message| message.role == Role::User).and_then(|n| Some((n, said.get(n)?)));
    let question = html! {
        @if let Some((n, asked)) = asked {
            (message(asked, n, &inputs))
        } @else if stored.run.inputs.is_some() {
            article.message.user {
                div.parts {
                    @match only(&value) {
                        Some(asked) => (written(asked, false, &inputs, &[("at", "")])),
                        None => (value_of(&value, Side::Input, &inputs)),
                    }
                }
            }
        }
    };
    let outputs = of(Side::Output, inputs.elements.get());
    let answer = html! {
        @if stored.run.outputs.is_some() || stored.progress.is_some() {
            article.message.assistant { div.parts { (shown(stored, Side::Output, &outputs)) } }
        }
        @if let Some(said) = &stored.run.error { (error(said)) }
    };
    *elements = elements.saturating_sub(allowed - outputs.elements.get());
    html! { (question) (answer) }
}

/// The same within an allowance that was given.
pub(in crate::viewer) fn shown(stored: &StoredRun, side: Side, body: &Body) -> Markup {
    let Some(value) = side.of(stored) else { return html! { p.none { "nothing" } } };
    if body.how == As::Json || side == Side::Metadata {
        return json::tree(&value, "", body);
    }
    let said = side.messages(&stored.run.run_type, &value);
    html! {
        @if said.is_empty() { (value_of(&value, side, body)) } @else { (conversation(&said, 0..said.len(), body)) }
        @if side == Side::Input { (tools(&value, body)) }
    }
}

/// Messages; of many the first, which say what it is about, and the last.
fn conversation(said: &[Message], range: Range<usize>, body: &Body) -> Markup {
    let range = range.start.min(said.len())..range.end.min(said.len());
    let is_long = range.len() > FIRST + LAST + 4 && !body.is_file;
    let skipped = if is_long { range.start + FIRST..range.end - LAST } else { 0..0 };
    html! {
        div.conversation {
            @for (n, each) in said.iter().enumerate().take(range.end).skip(range.start) {
                @if n == skipped.start && !skipped.is_empty() {
                    (body.more(
                        &[("messages", &skipped.start.to_string()), ("to", &skipped.end.to_string())],
                        &format!("{} more", counted(skipped.len() as u64, "message")),
                    ))
                }
                @if !skipped.contains(&n) { (message(each, n, body)) }
            }
        }
    }
}

/// A text that stands alone, as it is or as the only value.
fn alone(value: &Value) -> Option<&str> {
    match value {
        Value::String(said) => Some(said),
        Value::Object(members) if members.len() == 1 => {
            members.get("output").or_else(|| members.get("input")).and_then(Value::as_str)
        }
        _ => None,
    }
}

/// The only value, if it is a short text: then its name says nothing more.
fn only(value: &Value) -> Option<&str> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    members.values().next()?.as_str().filter(|said| said.len() < 20_000)
}

/// What is no conversation: a text, documents, or JSON.
fn value_of(value: &Value, side: Side, body: &Body) -> Markup {
    if let Some(said) = alone(value).filter(|said| json::inner(said).is_none()) {
        let at = if value.is_string() { String::new() } else { format!("/{}", side.as_str()) };
        let is_written = side != Side::Input;
        return html! { div.answer[is_written] { (written(said, is_written, body, &[("at", &at)])) } };
    }
    match documents(value).filter(|_| side == Side::Output) {
        Some(found) => list(found, body),
        None => json::tree(value, "", body),
    }
}

/// What a search found: objects that each have a text.
pub(super) fn documents(value: &Value) -> Option<&[Value]> {
    let items = match value {
        Value::Array(items) => items,
        Value::Object(members) => {
            let keys = ["output", "documents", "docs", "results", "matches"].iter();
            keys.filter_map(|key| members.get(*key)).find_map(Value::as_array)?
        }
        _ => return None,
    };
    (!items.is_empty() && items.iter().all(|item| content(item).is_some())).then_some(items)
}

pub(super) fn content(document: &Value) -> Option<&str> {
    ["page_content", "pageContent", "content", "text", "document"].iter().find_map(|key| document.get(key)?.as_str())
}

fn list(found: &[Value], body: &Body) -> Markup {
    let named = |document: &Value| {
        let metadata = document.get("metadata").unwrap_or(document);
        let name = ["title", "source", "url", "id", "name"].iter().find_map(|key| metadata.get(key)).cloned();
        name.map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned)).unwrap_or_default()
    };
    html! {
        ol.documents {
            @for (n, document) in found.iter().enumerate().take(DOCUMENTS) {
                @let said = content(document).unwrap_or_default();
                @let score = ["score", "relevance_score", "similarity", "distance"].iter().find_map(|key| document.get(key)?.as_f64());
                li {
                    p { strong { (text(&named(document))) } @if let Some(score) = score { span.id { (format!("{score:.3}")) } } }
                    @let place = n.to_string();
                    (super::message::piece(said, 0, 2_000, body, &[("document", &place)]))
                }
            }
            @if found.len() > DOCUMENTS {
                li { (body.more(&[("as", "json")], &format!("{} more", count((found.len() - DOCUMENTS) as u64)))) }
            }
        }
    }
}

/// The tools that a model could ask for.
fn tools(value: &Value, body: &Body) -> Markup {
    // At the top, or in an argument.
    let top = [(String::new(), value)].into_iter();
    let below = value.as_object().into_iter().flatten();
    let below = below.map(|(key, value)| (format!("/{}", key.replace('~', "~0").replace('/', "~1")), value));
    let found = top.chain(below).find_map(|(at, value)| {
        let of = |key: &&str| Some((format!("{at}/{key}"), value.get(key)?)).filter(|(_, tools)| tools.is_array());
        ["tools", "functions"].iter().find_map(of)
    });
    let Some((at, list)) = found else { return html! {} };
    let found = list.as_array().map(Vec::as_slice).unwrap_or_default();
    if found.is_empty() {
        return html! {};
    }
    let name = |tool: &Value| {
        let named = tool.get("function").unwrap_or(tool).get("name").and_then(Value::as_str);
        named.or_else(|| tool.get("type").and_then(Value::as_str)).unwrap_or("?").to_owned()
    };
    let names: Vec<String> = found.iter().take(12).map(name).collect();
    let dots = if found.len() > names.len() { ", …" } else { "" };
    html! {
        details.tools {
            summary { (counted(found.len() as u64, "tool")) " " span.id { (text(&names.join(", "))) (dots) } }
            (json::tree(list, &at, body))
        }
    }
}
