//! The page of a trace: its runs as a tree over time, and beside it the run that was chosen, or all that was said.

mod added;
mod chunks;
mod facts;
mod find;
mod pane;
mod sent;
mod talk;
mod tree;

use std::sync::Arc;

use axum::{
    extract::{Path, Query as Parameters, State},
    http::{HeaderMap, Method, header::CACHE_CONTROL},
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use traceable_core::model::RunId;
use traceable_store::{Field, Store};

use self::{find::Found, pane::Shown, talk::Talk, tree::Tree};
use super::{App, Place, Trouble, content::As, frame, place::address, show, terms};
use crate::{
    http::{Refusal, Table},
    print::{counted, dollars, duration, tokens},
};

pub(super) fn routes(table: &mut Table) {
    let get = Method::GET;
    table.add(&get, "/t/{trace}", page);
    table.add(&get, "/t/{trace}/skeleton", tree::skeleton);
    table.add(&get, "/t/{trace}/chunks", chunks::chunks);
    table.add(&get, "/t/{trace}/raw", pane::raw);
    table.add(&get, "/sent/{run}", sent::sent);
}

const MISSING: Refusal = Refusal::NotFound("there is no such trace; it may have been removed");

/// What of a trace is wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    /// The chosen run.
    run: String,
    /// The chosen run, by its number in the skeleton.
    row: Option<i64>,
    /// `transcript`, or the run.
    view: String,
    /// Behind which run the transcript goes on.
    after: String,
    /// How texts are shown.
    #[serde(rename = "as")]
    how: As,
}

/// What stands beside the tree.
enum Beside {
    Run(Box<Shown>),
    Talk(Talk),
}

struct Loaded {
    found: Found,
    tree: Option<Tree>,
    beside: Option<Beside>,
}

/// The page, or a part of it: `head`, or what stands `beside` the tree.
async fn page(
    State(app): State<Arc<App>>,
    Path(trace): Path<String>,
    Parameters(place): Parameters<Place>,
    Parameters(wanted): Parameters<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let id: RunId = trace.parse().map_err(|_| MISSING)?;
    let part = headers.get("x-part").and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned();
    let (asked, how) = (part.clone(), wanted.how);
    // Before it is asked what there is, so that no change falls between.
    let n = app.live.n();
    let loaded = app.ask(move |store| load(store, id, &wanted, &asked)).await?;
    let Loaded { found, tree, beside } = loaded.ok_or(MISSING)?;
    let beside = beside.map(|beside| match beside {
        Beside::Run(shown) => pane::pane(&shown, &found, &place, how),
        Beside::Talk(talk) => talk::talk(&talk, &found, &place, how),
    });
    let answer = match part.as_str() {
        "head" => head(&found, &place),
        "beside" => beside.unwrap_or_default(),
        _ => return Ok(whole(&found, tree.as_ref(), &beside.unwrap_or_default(), &place, n)),
    };
    Ok(([(CACHE_CONTROL, "no-store")], answer).into_response())
}

fn load(store: &Store, id: RunId, wanted: &Wanted, part: &str) -> traceable_store::Result<Option<Loaded>> {
    let Some(found) = find::trace(store, id)? else { return Ok(None) };
    if part == "head" {
        return Ok(Some(Loaded { found, tree: None, beside: None }));
    }
    let trace = found.trace();
    let tree = if part.is_empty() { Tree::load(store, &found)? } else { None };
    let beside = if wanted.view == "transcript" {
        Beside::Talk(Talk::load(store, &found, wanted.after.parse().ok())?)
    } else {
        let numbered = wanted.row.map(|row| store.run_at(trace, row)).transpose()?.flatten();
        // The address of a trace may be that of one of its runs.
        let named = wanted.run.parse().ok().or((id != trace).then_some(id));
        let chosen = match numbered.or(named) {
            Some(run) => Shown::load(store, run)?.filter(|shown| shown.row.trace_id == trace),
            None => None,
        };
        let chosen = match chosen {
            Some(shown) => Some(shown),
            None => Shown::load(store, find::speaker(store, &found)?)?,
        };
        let Some(shown) = chosen else { return Ok(None) };
        Beside::Run(Box::new(shown))
    };
    Ok(Some(Loaded { found, tree, beside: Some(beside) }))
}

fn whole(found: &Found, tree: Option<&Tree>, beside: &Markup, place: &Place, n: u64) -> Response {
    let body = html! {
        main.trace id="main" data-trace=(found.trace()) data-n=(n) data-open=(found.totals.open) {
            (head(found, place))
            div.split {
                (tree::tree(found, tree, place))
                div.grip role="separator" tabindex="0" aria-orientation="vertical" aria-label="Width of the tree" {}
                section.beside id="beside" aria-label="The chosen run" aria-live="off" { (beside) }
            }
        }
    };
    let title = format!("{} · traceable", show::plain(&found.head.name));
    frame::page(&title, None, place, &["content.js", "act.js", "trace.js"], &body).into_response()
}

/// The trace in one line.
fn head(found: &Found, place: &Place) -> Markup {
    let Found { head, totals, .. } = found;
    let runs_of = |user: &str| address("/", [("q", terms::is(&Field::User, user).to_string().as_str())]);
    html! {
        header.trace-head id="head" {
            h1 { (show::kind(&head.run_type)) " " (show::text(&head.name)) (show::status(head.status)) }
            ul.facts {
                li { (counted(totals.runs, "run")) }
                @if let Some(end) = totals.end_time.filter(|_| totals.open == 0) {
                    li { (duration(end.saturating_sub(totals.start_time))) }
                }
                @if let Some(first) = totals.first_token { li { "first token " (duration(first)) } }
                @if totals.total_tokens > 0 {
                    li { (tokens(totals.input_tokens)) " → " (tokens(totals.output_tokens)) " tokens" }
                }
                @if totals.cost > 0.0 { li { (dollars(totals.cost)) } }
                @if totals.errors > 0 { li.bad { (counted(totals.errors, "error")) } }
                @if totals.open > 0 { li.wait { (totals.open) " still open" } }
                li { (show::moment(totals.start_time)) }
                @if let Some(thread) = &head.thread_id {
                    li { "thread " a href=(place.link(&format!("/threads/{}", segment(thread)), &[])) { (show::text(thread)) } }
                }
                @if let Some(user) = &head.user { li { "user " a href=(runs_of(user)) { (show::text(user)) } } }
                li { "project " a href=(address("/", [("project", head.project.as_str())])) { (show::text(&head.project)) } }
                @if let Some(environment) = &head.environment { li { (show::text(environment)) } }
            }
            @if head.id != found.trace() {
                p.note { "The root of this trace is missing: it was not sent, or is still on its way." }
            }
        }
    }
}

/// A text as a part of a path.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
