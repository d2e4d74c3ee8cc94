//! Runs that SDKs send.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use traceable_core::model::RunId;
use traceable_wire::langsmith::{
    Decoded, PartError, boundary_of, decode_batch, decode_multipart, decode_patch, decode_post,
};

use crate::http::{App, Refusal};

/// Complaints that are answered; a body may have twenty thousand parts.
const MAX_SAID: usize = 20;

pub(super) async fn multipart(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let Some(boundary) = boundary_of(kind).map(str::to_owned) else {
        return Err(Refusal::Unsupported("expected multipart/form-data with a boundary".into()));
    };
    take(&app, &headers, body, move |bytes| decode_multipart(bytes, &boundary)).await
}

pub(super) async fn batch(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    take(&app, &headers, body, decode_batch).await
}

pub(super) async fn post(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    one(&app, &headers, body, decode_post).await
}

pub(super) async fn patch(
    State(app): State<Arc<App>>,
    Path(id): Path<RunId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    one(&app, &headers, body, move |bytes| decode_patch(id, bytes)).await
}

/// Takes a body apart and writes what is in it. What can be read is kept, also beside what cannot.
async fn take(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    decode: impl FnOnce(&[u8]) -> Decoded + Send + 'static,
) -> Result<Response, Refusal> {
    let taken = app.bodies.read(headers, body).await?;
    let room = taken.room;
    let decoded = tokio::task::spawn_blocking(move || decode(&taken.bytes)).await.map_err(|_| Refusal::Stopped)?;
    app.ingest.take(decoded.changes, room).await?;
    if decoded.errors.is_empty() {
        return Ok((StatusCode::ACCEPTED, Json(json!({}))).into_response());
    }
    let said: Vec<String> = decoded.errors.iter().take(MAX_SAID).map(PartError::to_string).collect();
    let more = decoded.errors.len().saturating_sub(MAX_SAID);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Err(Refusal::Unprocessable(format!("not taken: {}{more}", said.join("; "))))
}

async fn one<E: ToString + Send + 'static>(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    decode: impl FnOnce(&[u8]) -> Result<traceable_core::model::RunChange, E> + Send + 'static,
) -> Result<Response, Refusal> {
    let taken = app.bodies.read(headers, body).await?;
    let room = taken.room;
    let decoded = tokio::task::spawn_blocking(move || decode(&taken.bytes)).await.map_err(|_| Refusal::Stopped)?;
    let change = decoded.map_err(|problem| Refusal::Unprocessable(problem.to_string()))?;
    app.ingest.take(vec![change], room).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))).into_response())
}
