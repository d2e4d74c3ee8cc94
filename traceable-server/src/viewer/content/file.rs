//! Traces as one page that stands alone: the same pieces, with styles and pictures inside, and nothing that is loaded.

use std::{collections::HashMap, rc::Rc, sync::Arc};

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use traceable_core::model::{RunId, Score, format_time};
use traceable_store::{BlobHash, Field, FilePlace, List, Of, Op, Query, StoredRun, Trace, Value};

use super::{
    As, Body, Side,
    actions::worth,
    error::error_in,
    json,
    media::{inline, listed},
    side::shown,
};
use crate::{
    api::streamed,
    export::{Export, Format, What},
    http::{App, Refusal},
    print::{counted, dollars, duration, tokens},
    viewer::{Trouble, assets, show, text::text},
};

/// Elements and bytes of one body.
const ELEMENTS: usize = 20_000;
const BYTES: usize = 5_000_000;
/// Bytes of one picture.
const PICTURE: usize = 5_000_000;
/// Runs whose line stands in the tree; all of them stand below it.
const TREE: usize = 2_000;

/// A trace as a file.
pub(super) async fn file(State(app): State<Arc<App>>, Path(id): Path<RunId>) -> Result<Response, Trouble> {
    let query = Query::Compare(Field::Trace, Op::Eq, Value::Id(id));
    let list = List { query: query.clone(), of: Of::Traces, limit: 1, ..List::default() };
    if app.ask(move |store| store.list(&list)).await?.rows.is_empty() {
        return Err(Refusal::NotFound("there is no such trace").into());
    }
    let export = Export::new(Format::Html, What::Fitting(query, Of::Traces), None, Some(1));
    Ok(streamed(app, export, Format::Html, &format!("trace-{id}")).await?)
}

/// What stands before all traces. The elements around it may be left out in HTML, so what follows can come in pieces.
pub(crate) fn head() -> String {
    html! {
        (DOCTYPE)
        meta charset="utf-8";
        meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        meta name="referrer" content="no-referrer";
        title { "Traces" }
        // Our own styles, as they were built in: nothing of a run.
        style { (PreEscaped(assets::own_style())) }
    }
    .into_string()
}

/// The heading of a trace, or of the part of it below a run, and its tree.
pub(crate) fn trace(trace: &Trace, below: Option<RunId>) -> String {
    let top = below.unwrap_or(trace.head);
    let head = trace.runs.iter().find(|row| row.id == top);
    let totals = &trace.totals;
    let depths = depths(trace);
    html! {
        header.trace {
            h1 { (text(head.map_or("?", |row| &row.name))) }
            p.none {
                (counted(trace.runs.len() as u64, "run"))
                @if let Some(end) = totals.end_time { " · " (duration(end.saturating_sub(totals.start_time))) }
                @if totals.total_tokens > 0 { " · " (tokens(totals.total_tokens)) " tokens" }
                @if totals.cost > 0.0 { " · " (dollars(totals.cost)) }
                " · " (format_time(totals.start_time))
            }
            @if trace.runs.len() > 1 {
                ol.tree {
                    @for (row, depth) in trace.runs.iter().zip(depths).take(TREE) {
                        li.{ "d" (depth.min(12)) } {
                            a href={ "#r-" (row.id) } { (text(&row.name)) } " " (show::kind(&row.run_type)) (show::status(row.status))
                            @if let Some(took) = row.latency { span.id { (duration(took)) } }
                        }
                    }
                }
            }
        }
    }
    .into_string()
}

/// How deep each run stands, as far as its parents are there.
fn depths(trace: &Trace) -> Vec<usize> {
    let mut known: HashMap<RunId, usize> = HashMap::new();
    let of = |row: &traceable_store::Row| {
        let depth = row.parent_id.and_then(|parent| known.get(&parent)).map_or(0, |above| above + 1);
        known.insert(row.id, depth);
        depth
    };
    trace.runs.iter().map(of).collect()
}

/// A run with all that is known of it. `blob` has the bytes of its pictures.
pub(crate) fn run(
    stored: &StoredRun,
    depth: usize,
    scores: &[Score],
    blob: impl Fn(BlobHash) -> Option<Vec<u8>>,
) -> String {
    let run = &stored.run;
    let of_files = stored.files.iter().filter_map(|file| match &file.place {
        FilePlace::Blob { hash, size } if *size <= PICTURE as u64 => Some(*hash),
        _ => None,
    });
    let hashes = stored.blobs.iter().copied().chain(of_files);
    let picture = |hash| Some((hash, inline(&blob(hash).filter(|bytes| bytes.len() <= PICTURE)?)?));
    let pictures: Rc<HashMap<BlobHash, String>> = Rc::new(hashes.filter_map(picture).collect());
    let body = |side| {
        let mut body = Body::of(run.id, side, As::default());
        (body.is_file, body.pictures) = (true, Rc::clone(&pictures));
        body.elements.set(ELEMENTS);
        body.bytes.set(BYTES);
        body
    };
    let side = |side: Side, name: &str| -> Markup {
        html! { @if side.of(stored).is_some() { h3 { (name) } div.side.(side.as_str()) { (shown(stored, side, &body(side))) } } }
    };
    html! {
        section.run.{ "d" (depth.min(12)) } id={ "r-" (run.id) } {
            h2 { (text(&run.name)) " " (show::kind(&run.run_type)) (show::status(run.status)) }
            p.none {
                @if let Some(model) = &run.model { (text(model)) " · " }
                @if let Some(took) = run.duration() { (duration(took)) " · " }
                @if let Some(usage) = &run.usage {
                    @if let Some(total) = usage.total_tokens { (tokens(total)) " tokens · " }
                    @if let Some(cost) = usage.total_cost { (dollars(cost)) " · " }
                }
                (format_time(run.start_time))
                @for tag in &run.tags { " · " (text(tag)) }
            }
            (side(Side::Input, "Input"))
            (side(Side::Output, "Output"))
            @if let Some(said) = &run.error { (error_in(said, &Body { of: None, ..body(Side::Output) })) }
            (listed(&stored.files, &body(Side::Input)))
            @if !run.metadata.is_empty() { details { summary { "Metadata" } (json::tree(&serde_json::Value::Object(run.metadata.clone()), "", &body(Side::Metadata))) } }
            @for score in scores {
                p { strong { (text(&score.key)) } " " (text(&worth(score).unwrap_or_default())) " " @if let Some(comment) = &score.comment { (text(comment)) } }
            }
        }
    }
    .into_string()
}
