//! Tags of runs, traces and conversations, given and taken away.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
};
use serde::Deserialize;
use serde_json::{Value, json};
use traceable_core::model::{Run, RunChange, RunId, Thread};
use traceable_store::Row;

use super::{ask, runs::trace_id};
use crate::{
    http::{App, Refusal, Room},
    print::now,
};

/// Tags of one run, and bytes of one of them.
const MAX_TAGS: usize = 200;
const MAX_TAG: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

impl Change {
    /// The tags as they are to be.
    fn of(self, mut tags: Vec<String>) -> Result<Vec<String>, Refusal> {
        tags.retain(|tag| !self.remove.contains(tag));
        for tag in self.add {
            if tag.trim().is_empty() || tag.len() > MAX_TAG {
                return Err(Refusal::Wrong(format!("a tag has 1 to {MAX_TAG} bytes")));
            }
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        if tags.len() > MAX_TAGS { Err(Refusal::Wrong(format!("no more than {MAX_TAGS} tags"))) } else { Ok(tags) }
    }
}

/// What says which tags there are: where there are none, one without a name, for what is empty says nothing.
pub(crate) fn said(tags: &[String]) -> Vec<String> {
    if tags.is_empty() { vec![String::new()] } else { tags.to_vec() }
}

/// A change by which a run has these tags, and no others.
pub(crate) fn of_row(row: &Row, tags: &[String]) -> RunChange {
    RunChange::Patch(Box::new(Run {
        id: row.id,
        trace_id: row.trace_id,
        tags: said(tags),
        // The run keeps its own start. A patch that says the same as an earlier one would count as that one come again.
        start_time: now(),
        ..Run::default()
    }))
}

pub(super) async fn of_run(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    let change = ask::body(&app, &headers, body).await?;
    let id = ask::run_id(&app, name).await?;
    tag(&app, id, change).await
}

/// Tags of a trace are those of the run that stands for it.
pub(super) async fn of_trace(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    let change = ask::body(&app, &headers, body).await?;
    let id = trace_id(&app, name).await?;
    let trace = app.ask(move |store| store.trace(id)).await?.ok_or(Refusal::NotFound("there is no such trace"))?;
    tag(&app, trace.head, change).await
}

async fn tag(app: &Arc<App>, id: RunId, change: Change) -> Result<Json<Value>, Refusal> {
    let row = app.ask(move |store| store.row(id)).await?.ok_or(Refusal::NotFound("there is no such run"))?;
    let tags = change.of(row.tags.clone())?;
    app.ingest.take(vec![of_row(&row, &tags)], Room::none()).await?;
    Ok(Json(json!({ "tags": tags })))
}

pub(super) async fn of_thread(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    let change: Change = ask::body(&app, &headers, body).await?;
    let wanted = id.clone();
    let known = app.ask(move |store| store.thread(&wanted)).await?;
    let known = known.ok_or(Refusal::NotFound("there is no such conversation"))?.thread;
    let tags = change.of(known.tags)?;
    let thread = Thread { id, tags: said(&tags), time: now(), ..Thread::default() };
    app.ingest.take(vec![RunChange::Thread(Box::new(thread))], Room::none()).await?;
    Ok(Json(json!({ "tags": tags })))
}
