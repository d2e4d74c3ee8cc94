//! Our own protocol: what the commands ask of a server that holds the store.

mod events;

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, Method},
};
use serde::{Deserialize, Serialize};
use traceable_core::model::RunChange;
use traceable_store::{Of, Query, Removed};

use crate::{
    http::{App, Refusal, Table},
    print::now,
};

pub(crate) const CHANGES: &str = "/api/traceable/v1/changes";
pub(crate) const EVENTS: &str = "/api/traceable/v1/events";
pub(crate) const DELETE: &str = "/api/traceable/v1/delete";

/// What is to be removed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Delete {
    /// In the words of `traceable ls`.
    pub(crate) query: String,
    /// Single runs, and not whole traces.
    #[serde(default)]
    pub(crate) runs: bool,
}

pub(crate) fn routes(table: &mut Table) {
    table.add(&Method::GET, EVENTS, events::events);
    table.add(&Method::POST, CHANGES, changes);
    table.add(&Method::POST, DELETE, delete);
}

/// Takes a list of changes, as the spool writes them.
async fn changes(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<(), Refusal> {
    let taken = app.bodies.read(&headers, body).await?;
    let changes: Vec<RunChange> = serde_json::from_slice(&taken.bytes)?;
    app.ingest.take(changes, taken.room).await
}

async fn delete(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Json<Removed>, Refusal> {
    let taken = app.bodies.read(&headers, body).await?;
    let Delete { query, runs } = serde_json::from_slice(&taken.bytes)?;
    let query = Query::parse(&query, now())?;
    let of = if runs { Of::Runs } else { Of::Traces };
    let removed = app.ask(move |store| store.delete(&query, of)).await?;
    app.live.tell_all();
    Ok(Json(removed))
}
