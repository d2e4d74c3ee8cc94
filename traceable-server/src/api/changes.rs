//! What commands ask of the server that holds the store: to take changes, and to remove.

use std::sync::Arc;

use axum::{Json, body::Body, extract::State, http::HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use traceable_core::model::RunChange;
use traceable_store::Of;

use super::ask;
use crate::http::{App, Refusal};

/// What is to be removed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delete {
    /// In the words of `traceable ls`.
    pub(crate) query: String,
    /// Single runs, and not whole traces.
    #[serde(default)]
    pub(crate) runs: bool,
    /// Only say how much it would be.
    #[serde(default)]
    pub(crate) dry: bool,
}

/// Takes a list of changes, as the spool writes them.
pub(super) async fn changes(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    let taken = app.bodies.read(&headers, body).await?;
    let changes: Vec<RunChange> = serde_json::from_slice(&taken.bytes)?;
    let count = changes.len();
    app.ingest.take(changes, taken.room).await?;
    Ok(Json(json!({ "changes": count })))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    let Delete { query, runs, dry } = ask::body(&app, &headers, body).await?;
    let query = ask::query(&query)?;
    let of = if runs { Of::Runs } else { Of::Traces };
    if dry {
        let found = app.ask(move |store| store.count(&query, of)).await?;
        return Ok(Json(if runs { json!({ "runs": found }) } else { json!({ "traces": found }) }));
    }
    let removed = app.ask(move |store| store.delete(&query, of)).await?;
    app.live.tell_all();
    Ok(Json(json!(removed)))
}
