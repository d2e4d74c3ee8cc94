//! What one can do with a run or a conversation: judge it, note something, tag it, copy it, remove it. A trace is judged and
//! tagged by its root; it is removed by any of its runs.
//!
//! Requests are JSON, which a foreign page cannot send, so what changes something needs the script `act.js`; without
//! scripts the styles hide it. What only reads is a link.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{Method, header},
    response::IntoResponse,
};
use maud::{Markup, html};
use traceable_core::model::{Run, RunId, Score, ScoreTarget, Thread};
use traceable_store::{Field, Of, Query, StoredRun};

use super::{body, copy, file};
use crate::{
    http::{App, Refusal, Table},
    print::{count, counted},
    viewer::{
        Trouble,
        place::address,
        show, terms,
        text::{plain, text},
    },
};

/// Scores that are shown at once.
const SCORES: usize = 50;
/// Tags that are shown; who tags here can give no more.
const TAGS: usize = 200;
/// The key of a thumb.
const THUMB: &str = "thumbs";
/// Where exports come from.
const EXPORT: &str = "/api/traceable/v1/export";

pub(in crate::viewer) fn routes(table: &mut Table) {
    let get = Method::GET;
    table.add(&get, "/body/{id}/{side}", body::body);
    table.add(&get, "/act/run/{id}", of_run);
    table.add(&get, "/act/thread/{id}", of_thread);
    table.add(&get, "/copy/{id}/curl", copy::curl);
    table.add(&get, "/t/{id}/file", file::file);
}

/// The section anew, as it is after something was done.
async fn of_run(State(app): State<Arc<App>>, Path(id): Path<RunId>) -> Result<impl IntoResponse, Trouble> {
    let found = app.ask(move |store| Ok((store.run(id)?, store.scores(&ScoreTarget::Run(id))?))).await?;
    let (Some(stored), scores) = found else { return Err(Refusal::NotFound("there is no such run").into()) };
    Ok(([(header::CACHE_CONTROL, "no-store")], actions(&stored, &scores)))
}

async fn of_thread(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<impl IntoResponse, Trouble> {
    let target = ScoreTarget::Thread(id.clone());
    let (found, scores) = app.ask(move |store| Ok((store.thread(&id)?, store.scores(&target)?))).await?;
    let found = found.ok_or(Refusal::NotFound("there is no such conversation"))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], actions_of_thread(&found.thread, &scores)))
}

/// What the section is about.
struct About<'a> {
    /// `run` or `thread`.
    kind: &'static str,
    id: String,
    tags: &'a [String],
    /// Where the tags are changed.
    tag_url: String,
    /// What is removed, each with the request for it.
    removals: Vec<(String, &'static str, String)>,
}

/// Of a run; of a root, also what concerns its trace. `scores` are those of the run.
pub(in crate::viewer) fn actions(stored: &StoredRun, scores: &[Score]) -> Markup {
    let run = &stored.run;
    let of = |query: String, runs: bool| serde_json::json!({ "query": query, "runs": runs }).to_string();
    let mut removals = Vec::new();
    if !run.is_root() {
        removals.push(("Delete this run".to_owned(), "/api/traceable/v1/delete", of(format!("id:{}", run.id), true)));
    }
    let all = of(format!("trace:{}", run.trace_id), false);
    removals.push(("Delete the whole trace".to_owned(), "/api/traceable/v1/delete", all));
    let about = About {
        kind: "run",
        id: run.id.to_string(),
        tags: &run.tags,
        tag_url: format!("/api/traceable/v1/runs/{}/tags", run.id),
        removals,
    };
    section(&about, scores, &copies(run))
}

/// Of a conversation.
pub(in crate::viewer) fn actions_of_thread(thread: &Thread, scores: &[Score]) -> Markup {
    let url = format!("/api/traceable/v1/threads/{}", segment(&thread.id));
    let about = About {
        kind: "thread",
        id: thread.id.clone(),
        tags: &thread.tags,
        tag_url: format!("{url}/tags"),
        removals: vec![("Delete the conversation with all its traces".to_owned(), "", url)],
    };
    let query = terms::is(&Field::Thread, &thread.id).to_string();
    section(&about, scores, &exports(&query, Of::Traces))
}

/// A text as one part of a path.
fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn section(about: &About<'_>, scores: &[Score], copies: &Markup) -> Markup {
    let thumb = scores.iter().rfind(|score| score.key == THUMB);
    let pressed = |value: f64| thumb.filter(|thumb| thumb.score == Some(value));
    let url = format!("/act/{}/{}", about.kind, segment(&about.id));
    html! {
        section.actions data-kind=(about.kind) data-id=(about.id) data-self=(url) aria-label="Do" {
            div.row {
                @for (value, name) in [(1.0, "Good"), (0.0, "Bad")] {
                    button.needs type="button" data-act="thumb" data-score=(value) aria-pressed=(pressed(value).is_some()) data-given=[pressed(value).map(|thumb| thumb.id)] { (name) }
                }
                (menu("Note", &form("note", "Add", &html! {
                    textarea name="comment" rows="3" required aria-label="Note" placeholder="A note" {}
                })))
                (menu("Score", &form("score", "Give", &html! {
                    input name="key" required placeholder="helpfulness" aria-label="What is judged";
                    input name="score" inputmode="decimal" placeholder="0.8, or a word" required aria-label="Number or word";
                    input name="comment" placeholder="why" aria-label="Comment";
                })))
                (menu("Tag", &form("tag", "Add", &html! { input name="tag" required maxlength="200" aria-label="Tag"; })))
                details.menu { summary { "Copy" } (copies) }
                (menu("Delete", &html! {
                    @for (what, url, body) in &about.removals {
                        // A conversation has an address of its own that is deleted; runs are deleted by a query.
                        @let (method, url, body) = if url.is_empty() { ("DELETE", body.as_str(), "") } else { ("POST", *url, body.as_str()) };
                        p { button.bad type="button" data-act="delete" data-method=(method) data-url=(url) data-body=(body) { (what) } }
                    }
                    p.none { "It cannot be undone." }
                }))
            }
            p.trouble role="status" hidden {}
            @if !about.tags.is_empty() {
                ul.tags aria-label="Tags" data-url=(about.tag_url) {
                    @for tag in about.tags.iter().take(TAGS) {
                        li { (text(tag)) button.needs type="button" data-act="untag" data-tag=(tag) aria-label={ "Remove the tag " (plain(tag)) } { "×" } }
                    }
                    @if about.tags.len() > TAGS { li { "… " (counted((about.tags.len() - TAGS) as u64, "tag")) " more" } }
                }
            } @else { ul.tags hidden data-url=(about.tag_url) {} }
            (given(scores))
        }
    }
}

fn menu(name: &str, inner: &Markup) -> Markup {
    html! { details.menu.needs { summary { (name) } div { (inner) } } }
}

fn form(act: &str, does: &str, fields: &Markup) -> Markup {
    html! { form data-act=(act) autocomplete="off" { (fields) button type="submit" { (does) } } }
}

/// The scores that there are.
fn given(scores: &[Score]) -> Markup {
    let shown = scores.iter().rev().take(SCORES);
    html! {
        @if !scores.is_empty() {
            ul.scores aria-label="Feedback" {
                @for score in shown {
                    li data-score=(score.id) {
                        strong { (text(&score.key)) } " "
                        @if let Some(value) = worth(score) { span.worth { (text(&value)) } " " }
                        @if let Some(comment) = &score.comment { span.said { (text(comment)) } " " }
                        span.id { (score.source.as_str()) @if let Some(user) = &score.user { " " (text(user)) } " · " (show::moment(score.time)) }
                        button.needs type="button" data-act="unscore" data-score=(score.id) aria-label={ "Remove " (plain(&score.key)) } { "×" }
                    }
                }
                @if scores.len() > SCORES { li { "… " (count((scores.len() - SCORES) as u64)) " earlier: see the JSON" } }
            }
        }
    }
}

/// What a score says: its number, its word or its value.
pub(super) fn worth(score: &Score) -> Option<String> {
    let number = score.score.map(|number| number.to_string());
    number.or_else(|| score.label.clone()).or_else(|| score.value.as_ref().map(ToString::to_string))
}

/// A run in the forms of other programs. With a script it is copied, without one it is a file.
fn copies(run: &Run) -> Markup {
    let id = run.id.to_string();
    let below = |format: &str| address(EXPORT, [("format", format), ("below", id.as_str())]);
    let query = format!("id:{id}");
    let only = |format: &str| address(EXPORT, [("format", format), ("q", query.as_str()), ("of", "runs")]);
    let mut all = vec![
        ("Markdown, with all below", below("markdown")),
        ("JSON, with all below", below("jsonl")),
        ("JSON of this run", only("jsonl")),
    ];
    if run.run_type == traceable_core::model::RunType::Llm {
        all.push(("curl, for OpenAI's API", format!("/copy/{id}/curl")));
        all.push(("A line for fine-tuning", only("openai")));
    }
    html! {
        ul {
            @for (name, url) in &all { li { a href=(url) data-act="copy" { (name) } } }
            li { a href={ "/t/" (run.trace_id) "/file" } download { "The trace as one HTML file" } }
        }
    }
}

/// What a list shows, in every form.
pub(in crate::viewer) fn export_menu(query: &Query, of: Of) -> Markup {
    html! { details.menu { summary { "Export" } (exports(&query.to_string(), of)) } }
}

fn exports(query: &str, of: Of) -> Markup {
    let mut forms = vec![
        ("jsonl", "JSON Lines"),
        ("csv", "CSV"),
        ("markdown", "Markdown"),
        ("html", "HTML, one file"),
        ("otlp", "OpenTelemetry (OTLP)"),
        ("openai", "OpenAI fine-tuning"),
        ("dataset", "Dataset"),
    ];
    let of = if of == Of::Runs { "runs" } else { "traces" };
    // A run alone has no place in time to be drawn.
    if of == "traces" {
        forms.push(("chrome", "Chrome trace"));
    }
    html! {
        ul {
            @for (format, name) in forms {
                li { a href=(address(EXPORT, [("format", format), ("q", query), ("of", of)])) download { (name) } }
            }
        }
    }
}
