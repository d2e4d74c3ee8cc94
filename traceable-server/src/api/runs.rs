//! Runs and traces: lists, one with all that is known of it, and its parts.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use traceable_core::{
    messages::{input_messages, output_messages},
    model::{Json as Text, RunId, ScoreTarget},
};
use traceable_store::{Body, Cursor, List, Listed, Of, Order, Row, StoredRun};

use super::ask::{self, Asked, Nothing};
use crate::http::{App, Refusal};

/// Rows of a page at most.
const MAX_LIMIT: usize = 1_000;

const NO_RUN: Refusal = Refusal::NotFound("there is no such run");
const NO_TRACE: Refusal = Refusal::NotFound("there is no such trace");

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wanted {
    q: String,
    order: Direction,
    limit: Option<usize>,
    after: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    #[default]
    Newest,
    Oldest,
}

pub(super) async fn list(State(app): State<Arc<App>>, Asked(wanted): Asked<Wanted>) -> Result<Json<Value>, Refusal> {
    let (rows, next) = page(&app, wanted, Of::Runs).await?;
    Ok(Json(json!({ "runs": rows, "next": next })))
}

pub(super) async fn traces(State(app): State<Arc<App>>, Asked(wanted): Asked<Wanted>) -> Result<Json<Value>, Refusal> {
    let (rows, next) = page(&app, wanted, Of::Traces).await?;
    Ok(Json(json!({ "traces": rows, "next": next })))
}

async fn page(app: &Arc<App>, wanted: Wanted, of: Of) -> Result<(Vec<Listed>, Option<String>), Refusal> {
    let Wanted { q, order, limit, after } = wanted;
    let order = match order {
        Direction::Newest => Order::Newest,
        Direction::Oldest => Order::Oldest,
    };
    let after = ask::cursor::<Cursor>(after.as_deref())?;
    let list = List { query: ask::query(&q)?, of, order, limit: limit.unwrap_or(100).clamp(1, MAX_LIMIT), after };
    let page = app.ask(move |store| store.list(&list)).await?;
    Ok((page.rows, page.next.map(|next| next.to_string())))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whole {
    /// Bytes of a body; longer ones are left out.
    max: Option<usize>,
}

/// A run with its bodies, in which long base64 is replaced by the names of blobs.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Asked(Whole { max }): Asked<Whole>,
) -> Result<Json<Value>, Refusal> {
    let id = ask::run_id(&app, name).await?;
    let found = app.ask(move |store| {
        let (Some(run), Some(row)) = (store.run(id)?, store.row(id)?) else { return Ok(None) };
        Ok(Some((run, row, store.scores(&ScoreTarget::Run(id))?)))
    });
    let (StoredRun { mut run, files, blobs, progress, .. }, row, scores) = found.await?.ok_or(NO_RUN)?;
    let mut left_out = Map::new();
    for (name, body) in [("inputs", &mut run.inputs), ("outputs", &mut run.outputs), ("expected", &mut run.expected)] {
        let length = body.as_ref().map_or(0, |body| body.as_str().len());
        if max.is_some_and(|max| length > max) {
            *body = None;
            left_out.insert(name.to_owned(), length.into());
        }
    }
    Ok(Json(json!({
        "row": row, "run": run, "files": files, "blobs": blobs, "progress": progress, "scores": scores,
        "left_out": left_out,
    })))
}

/// What was said, as messages.
pub(super) async fn messages(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Refusal> {
    let id = ask::run_id(&app, name).await?;
    let said = app.ask(move |store| {
        let Some(StoredRun { run, progress, .. }) = store.run(id)? else { return Ok(None) };
        let outputs = run.outputs.or_else(|| progress.and_then(|progress| progress.outputs));
        let inputs = run.inputs.as_ref().map(Text::to_value).unwrap_or_default();
        let outputs = outputs.as_ref().map(Text::to_value).unwrap_or_default();
        Ok(Some(json!({ "input": input_messages(&inputs), "output": output_messages(&outputs) })))
    });
    said.await?.map(Json).ok_or(NO_RUN)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// Where the part begins.
    from: Option<usize>,
    /// How long it is.
    bytes: Option<usize>,
    /// Where this stands.
    find: Option<String>,
}

/// Bytes of a part, and places of a text, at most.
const MAX_PART: usize = 4 << 20;
const MAX_PLACES: usize = 1_000;

/// A body: whole and as it came, a part of it, or where a text stands in it.
pub(super) async fn body(
    State(app): State<Arc<App>>,
    Path((name, body)): Path<(String, String)>,
    Asked(Part { from, bytes, find }): Asked<Part>,
) -> Result<Response, Refusal> {
    const NO_BODY: Refusal = Refusal::NotFound("the run has no such body");
    let which = match body.as_str() {
        "inputs" => Body::Inputs,
        "outputs" => Body::Outputs,
        "expected" => Body::Expected,
        _ => return Err(Refusal::NotFound("there are inputs, outputs, expected and messages of a run")),
    };
    let id = ask::run_id(&app, name).await?;
    if let Some(text) = find {
        let places = app.ask(move |store| store.search_body(id, which, &text, MAX_PLACES)).await?.ok_or(NO_BODY)?;
        return Ok(Json(json!({ "places": places })).into_response());
    }
    if from.is_some() || bytes.is_some() {
        let bytes = bytes.unwrap_or(MAX_PART).min(MAX_PART);
        let slice = app.ask(move |store| store.body_slice(id, which, from.unwrap_or(0), bytes)).await?;
        let slice = slice.ok_or(NO_BODY)?;
        return Ok(Json(json!({ "text": slice.text, "from": slice.from, "total": slice.total })).into_response());
    }
    let run = app.ask(move |store| store.whole_run(id)).await?.ok_or(NO_RUN)?;
    let text = match which {
        Body::Inputs => run.inputs,
        Body::Outputs => run.outputs,
        Body::Expected => run.expected,
    };
    let file = format!("attachment; filename=\"{id}-{body}.json\"");
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, file)];
    Ok((headers, text.ok_or(NO_BODY)?.into_string()).into_response())
}

/// The id of the trace of a run, or of one whose root is missing.
pub(super) async fn trace_id(app: &Arc<App>, name: String) -> Result<RunId, Refusal> {
    let id = ask::run_id(app, name).await?;
    Ok(app.ask(move |store| store.row(id)).await?.map_or(id, |row: Row| row.trace_id))
}

pub(super) async fn trace(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Refusal> {
    let id = trace_id(&app, name).await?;
    let trace = app.ask(move |store| store.trace(id)).await?;
    trace.map(|trace| Json(json!(trace))).ok_or(NO_TRACE)
}

pub(super) async fn skeleton(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Refusal> {
    let id = trace_id(&app, name).await?;
    let skeleton = app.ask(move |store| store.skeleton(id)).await?;
    skeleton.map(|skeleton| Json(json!(skeleton))).ok_or(NO_TRACE)
}
