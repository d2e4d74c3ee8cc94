//! Pieces of a body: what a page leaves out, what is looked for in it, and all of it as a file.
//!
//! Each piece has an address. A script puts it into the page where the link stood; without one it is a page of its own.

use std::sync::Arc;

use axum::{
    extract::{Path, Query as Parameters, State},
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use traceable_core::{
    messages::{Message, Part},
    model::RunId,
};
use traceable_store::StoredRun;

use super::{
    As, Body, Side, json,
    message::{boundary, message, piece},
    side::{content, documents, shown},
};
use crate::{
    http::{App, Refusal},
    print::counted,
    viewer::{Place, Trouble, frame, place::address, text::text},
};

/// Messages that are shown at once.
const MESSAGES: usize = 100;
/// Places that are found at most.
const PLACES: usize = 200;
/// What is shown around a place, in bytes.
const AROUND: usize = 60;

/// Which piece.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    #[serde(rename = "as")]
    how: As,
    /// A JSON pointer.
    at: Option<String>,
    /// The first byte of a text, or the first member of a list.
    from: usize,
    /// The number of a message, and of a part of it.
    message: Option<usize>,
    part: Option<usize>,
    /// The first of several messages, and the one behind the last.
    messages: Option<usize>,
    to: usize,
    /// The number of a document.
    document: Option<usize>,
    /// What is looked for.
    find: Option<String>,
    /// Whether the whole body is wanted as a file.
    raw: bool,
}

/// Answers with a piece.
pub(super) async fn body(
    State(app): State<Arc<App>>,
    Path((id, side)): Path<(RunId, Side)>,
    Parameters(asked): Parameters<Asked>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let is_part = headers.contains_key("x-part");
    let found = app.ask(move |store| Ok(store.run(id)?.map(|stored| answer(&stored, side, &asked, is_part)))).await?;
    Ok(found.ok_or(Refusal::NotFound("there is no such run"))?)
}

fn answer(stored: &StoredRun, side: Side, asked: &Asked, is_part: bool) -> Response {
    let run = &stored.run;
    let value = side.of(stored).unwrap_or_default();
    if asked.raw {
        let file = format!("attachment; filename=\"{}-{}.json\"", run.id, side.as_str());
        let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, file)];
        return (headers, value.to_string()).into_response();
    }
    let shown = piece_of(stored, side, &value, asked);
    if is_part {
        return ([(header::CACHE_CONTROL, "no-store")], shown).into_response();
    }
    let trace = format!("/t/{}", run.trace_id);
    let content = html! {
        main id="main" {
            p { a href=(address(&trace, [("run", run.id.to_string().as_str())])) { (text(&run.name)) } " · " (side.as_str()) }
            (tools(run.id, side, asked.find.as_deref().unwrap_or_default()))
            div.body { (shown) }
        }
    };
    let title = format!("{} of {} · traceable", side.as_str(), run.name);
    frame::page(&title, None, &Place::default(), &["content.js"], &content).into_response()
}

/// What can be done with a body that is too long to be read at once.
pub(super) fn tools(run: RunId, side: Side, find: &str) -> Markup {
    let url = format!("/body/{run}/{}", side.as_str());
    html! {
        form.find action=(url) method="get" role="search" {
            input type="search" name="find" value=(find) placeholder=(format!("Find in the {}", side.as_str())) aria-label="Find";
            button { "Find" }
            a href=(address(&url, [("raw", "true")])) download { "Download" }
        }
    }
}

fn piece_of(stored: &StoredRun, side: Side, value: &Value, asked: &Asked) -> Markup {
    let mut body = Body::of(stored.run.id, side, asked.how);
    let gone = || html! { p.none { "There is no such piece." } };
    if let Some(wanted) = asked.find.as_deref().filter(|wanted| !wanted.is_empty()) {
        return places(value, wanted, stored.run.id, side);
    }
    let said = || side.messages(&stored.run.run_type, value);
    if let Some(at) = &asked.at {
        body.message = asked.message;
        let message = asked.message.and_then(|n| serde_json::to_value(said().get(n)?).ok());
        return match json::find(message.as_ref().unwrap_or(value), at) {
            None => gone(),
            Some(found) if asked.how == As::Text && !found.is_string() => {
                piece(&found.to_string(), asked.from, usize::MAX, &body, &[("at", at), ("as", "text")])
            }
            Some(found) => json::rest(&found, at, asked.from, &body),
        };
    }
    if let Some(n) = asked.document {
        let found = documents(value).and_then(|documents| content(documents.get(n)?));
        let number = n.to_string();
        return found.map_or_else(gone, |said| piece(said, asked.from, usize::MAX, &body, &[("document", &number)]));
    }
    if asked.message.is_none() && asked.messages.is_none() {
        return shown(stored, side, &body);
    }
    let said = said();
    if let Some(first) = asked.messages {
        let to = asked.to.min(said.len());
        let end = to.min(first.saturating_add(MESSAGES));
        let [next, last] = [end, to].map(|n| n.to_string());
        return html! {
            @for (n, each) in said.iter().enumerate().take(end).skip(first) { (message(each, n, &body)) }
            @if end < to {
                (body.more(&[("messages", &next), ("to", &last)], &format!("{} more", counted((to - end) as u64, "message"))))
            }
        };
    }
    let number = asked.message.unwrap_or_default();
    let Some(message_of) = said.get(number) else { return gone() };
    match asked.part.and_then(|part| words(message_of, part)) {
        Some((part, said)) => {
            let (number, part) = (number.to_string(), part.to_string());
            piece(said, asked.from, usize::MAX, &body, &[("message", &number), ("part", &part)])
        }
        None => {
            body.is_forced = asked.how == As::Markdown;
            message(message_of, number, &body)
        }
    }
}

/// The text of a part.
fn words(message: &Message, part: usize) -> Option<(usize, &str)> {
    let said = match message.parts.get(part)? {
        Part::Text { content } | Part::Reasoning { content } | Part::Refusal { content } => content,
        Part::ToolResult { response, .. } => response.as_str()?,
        _ => return None,
    };
    Some((part, said))
}

/// Where in a body a text stands, each with what is around it.
fn places(value: &Value, wanted: &str, run: RunId, side: Side) -> Markup {
    let mut found = Vec::new();
    look(value, &mut String::new(), &wanted.to_lowercase(), &mut found);
    let url = format!("/body/{run}/{}", side.as_str());
    html! {
        p.none { (counted(found.len() as u64, "place")) @if found.len() == PLACES { " and maybe more" } }
        ol.places {
            @for (at, from, around) in &found {
                @let place = from.to_string();
                li {
                    a href=(address(&url, [("at", at.as_str()), ("from", if *from == 0 { "" } else { &place })])) { (text(at)) }
                    " " span.said { (text(around)) }
                }
            }
        }
    }
}

/// Looks into all texts, numbers and keys. It goes no deeper than JSON is read.
fn look(value: &Value, at: &mut String, wanted: &str, found: &mut Vec<(String, usize, String)>) {
    if found.len() >= PLACES {
        return;
    }
    let mut below = |key: &str, member: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        if key.to_lowercase().contains(wanted) && found.len() < PLACES {
            found.push((at.clone(), 0, String::new()));
        }
        look(member, at, wanted, found);
        at.truncate(length);
    };
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| below(&n.to_string(), item)),
        Value::Object(members) => members.iter().for_each(|(key, member)| below(key, member)),
        Value::String(said) => {
            // Where lower case has another length, the place is near, which is all that a reader needs.
            let lower = said.to_lowercase();
            for (place, _) in lower.match_indices(wanted).take(PLACES - found.len()) {
                let from = boundary(said, place.saturating_sub(AROUND));
                let to = boundary(said, place + wanted.len() + AROUND);
                found.push((at.clone(), from, said[from..to].to_owned()));
            }
        }
        Value::Number(_) | Value::Bool(_) if value.to_string().contains(wanted) => {
            found.push((at.clone(), 0, value.to_string()));
        }
        _ => {}
    }
}
