//! A conversation: what was asked and answered in it, one trace after the other.

use std::sync::Arc;

use axum::{
    extract::{Path, Query as Parameters, State},
    response::IntoResponse,
};
use maud::{Markup, html};
use serde::Deserialize;
use traceable_core::model::ScoreTarget;
use traceable_store::{Field, List, Listed, Of, Op, Order, Query, StoredRun, ThreadSummary, Value};

use super::{
    App, Place, Tab, Trouble,
    content::{self, As, Body},
    frame, show, terms,
    text::text,
};
use crate::{
    http::Refusal,
    print::{counted, dollars, duration, tokens},
};

/// Traces of one page.
const TRACES: usize = 20;
/// Elements of what is said on a page, and of one exchange.
const ELEMENTS: usize = 900;
const SHARE: usize = 300;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    after: String,
    /// The newest first, where that is asked for.
    order: String,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Parameters(place): Parameters<Place>,
    Parameters(asked): Parameters<Asked>,
) -> Result<impl IntoResponse, Trouble> {
    let after = match asked.after.as_str() {
        "" => None,
        after => Some(after.parse().map_err(|error| Refusal::Wrong(format!("`after` is {error}")))?),
    };
    let is_newest = asked.order == "newest";
    let query = Query::Compare(Field::Thread, Op::Eq, Value::Text(id.clone()));
    let order = if is_newest { Order::Newest } else { Order::Oldest };
    let list = List { query, of: Of::Traces, order, limit: TRACES, after };
    let found = app
        .ask(move |store| {
            let Some(thread) = store.thread(&id)? else { return Ok(None) };
            let page = store.list(&list)?;
            let runs = page.rows.iter().map(|listed| store.run(listed.row.id)).collect::<Result<Vec<_>, _>>()?;
            let scores = store.scores(&ScoreTarget::Thread(id))?;
            Ok(Some((thread, page, runs, scores)))
        })
        .await?;
    let (thread, page, runs, scores) = found.ok_or(Refusal::NotFound("there is no such conversation"))?;
    let ThreadSummary { thread: known, .. } = &thread;
    let path =
        format!("/threads/{}", percent_encoding::utf8_percent_encode(&known.id, percent_encoding::NON_ALPHANUMERIC));
    let name = known.name.as_deref().unwrap_or(&known.id);
    let mut left = ELEMENTS;
    let body = html! {
        main.thread id="main" {
            h1 { (text(name)) }
            (facts(&thread, &place))
            (content::actions_of_thread(known, &scores))
            @if thread.tally.traces > 1 {
                p.order {
                    @if is_newest { a href=(place.link(&path, &[])) { "From the beginning" } }
                    @else { a href=(place.link(&path, &[("order", "newest")])) { "The newest first" } }
                }
            }
            ol.chat {
                @for (listed, stored) in page.rows.iter().zip(&runs) {
                    @if let Some(stored) = stored { (exchange(listed, stored, &mut left, &place)) }
                }
            }
            @if let Some(next) = page.next {
                @let order = if is_newest { "newest" } else { "" };
                p.next { a rel="next" href=(place.link(&path, &[("order", order), ("after", &next.to_string())])) { "Go on" } }
            }
        }
    };
    let title = format!("{} · traceable", super::text::plain(name));
    Ok(frame::page(&title, Some(Tab::Threads), &place, &["content.js", "act.js"], &body))
}

fn facts(ThreadSummary { thread, tally, .. }: &ThreadSummary, place: &Place) -> Markup {
    html! {
        p.none {
            (counted(tally.traces, "trace"))
            @if let Some(user) = &thread.user { " · " a href=(place.link("/", &[("q", &terms::is(&Field::User, user).to_string())])) { (text(user)) } }
            @if tally.total_tokens > 0 { " · " (tokens(tally.total_tokens)) " tokens" }
            @if tally.cost > 0.0 { " · " (dollars(tally.cost)) }
            @if tally.errors > 0 { " · " span.status.error { (counted(tally.errors, "error")) } }
            @if let Some(last) = tally.last_time { " · " (show::moment(last)) }
        }
        @if !thread.metadata.is_empty() {
            details { summary { "Metadata" } (content::tree(&serde_json::Value::Object(thread.metadata.clone()), "", &Body::loose(As::Json))) }
        }
    }
}

fn exchange(listed: &Listed, stored: &StoredRun, left: &mut usize, place: &Place) -> Markup {
    let row = &listed.row;
    let url = Place { q: String::new(), ..place.clone() }.link(&format!("/t/{}", row.trace_id), &[]);
    html! {
        li data-trace=(row.trace_id) {
            (content::exchange(stored, left, SHARE))
            p.by {
                a href=(url) { (text(&row.name)) } " " (show::status(row.status))
                span.id {
                    (show::moment(row.start_time))
                    @if let Some(took) = row.latency { " · " (duration(took)) }
                    @if let Some(totals) = &listed.totals {
                        @if totals.runs > 1 { " · " (counted(totals.runs, "run")) }
                        @if totals.total_tokens > 0 { " · " (tokens(totals.total_tokens)) " tokens" }
                        @if totals.cost > 0.0 { " · " (dollars(totals.cost)) }
                    }
                }
            }
        }
    }
}
