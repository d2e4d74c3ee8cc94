//! Runs that SDKs read back.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use traceable_core::model::{RunId, format_time};
use traceable_store::{BlobHash, Field, List, Of, Op, Quantiles, Query, StatsBy, Store, Value as Wanted};

use super::{query, view};
use crate::{
    http::{App, Refusal},
    viewer,
};

pub(super) async fn run(State(app): State<Arc<App>>, Path(id): Path<RunId>) -> Result<Json<Value>, Refusal> {
    let found = app.ask(move |store| {
        let Some(row) = store.row(id)? else { return Ok(None) };
        let of = if row.parent_id.is_none() { Of::Traces } else { Of::Runs };
        let query = Query::Compare(Field::Id, Op::Eq, Wanted::Id(id));
        let page = store.list(&List { query, of, limit: 1, ..List::default() })?;
        page.rows.first().map_or(Ok(None), |listed| view::run(store, listed))
    });
    found.await?.map(Json).ok_or(Refusal::NotFound("there is no such run"))
}

pub(super) async fn query(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Json<Value>, Refusal> {
    let taken = app.bodies.read(&headers, body).await?;
    let wanted: query::Wanted = serde_json::from_slice(&taken.bytes)?;
    let list = wanted.list(&app.ask(Store::projects).await?)?;
    let (runs, next) = app
        .ask(move |store| {
            let page = store.list(&list)?;
            let runs = page.rows.iter().map(|listed| view::run(store, listed)).collect::<Result<Vec<_>, _>>()?;
            Ok((runs.into_iter().flatten().collect::<Vec<_>>(), page.next))
        })
        .await?;
    Ok(Json(json!({ "runs": runs, "cursors": { "next": next.map(|next| next.to_string()) } })))
}

pub(super) async fn stats(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Json<Value>, Refusal> {
    let taken = app.bodies.read(&headers, body).await?;
    let wanted: query::Wanted = serde_json::from_slice(&taken.bytes)?;
    let query = wanted.query(&app.ask(Store::projects).await?)?;
    let of = wanted.of();
    let (stats, last) = app
        .ask(move |store| {
            let stats = store.stats(&query, &StatsBy { of, ..StatsBy::default() })?;
            let last = store.list(&List { query, of, limit: 1, ..List::default() })?;
            Ok((stats.into_iter().next().unwrap_or_default(), last.rows.first().map(|last| last.row.start_time)))
        })
        .await?;
    let seconds = |nanos: Option<i64>| nanos.map(|nanos| nanos as f64 / 1e9);
    let Quantiles { p50, p99, .. } = stats.latency;
    let errors = stats.errors as f64 / stats.count.max(1) as f64;
    Ok(Json(json!({
        "run_count": stats.count,
        "latency_p50": seconds(p50),
        "latency_p99": seconds(p99),
        "first_token_p50": seconds(stats.first_token.p50),
        "first_token_p99": seconds(stats.first_token.p99),
        "total_tokens": stats.total_tokens,
        "prompt_tokens": stats.input_tokens,
        "completion_tokens": stats.output_tokens,
        "total_cost": stats.cost,
        "error_rate": errors,
        "last_run_start_time": last.map(format_time),
        "feedback_stats": {},
    })))
}

/// Where a run can be looked at.
pub(super) async fn url(
    State(app): State<Arc<App>>,
    Path(id): Path<RunId>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let row = app.ask(move |store| store.row(id)).await?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    // The SDKs ask for it while the run still waits to be sent.
    let trace = row.map_or(id, |row| row.trace_id);
    Ok(Json(json!({ "url": format!("http://{host}{}", viewer::of_run(trace, id)) })))
}

/// A file. Pictures and sounds are shown in place, if that is what their bytes are; anything else may be a page with a
/// script, and is only ever saved.
pub(super) async fn blob(State(app): State<Arc<App>>, Path(hash): Path<String>) -> Result<Response, Refusal> {
    let hash: BlobHash = hash.parse().map_err(|_| Refusal::NotFound("there is no such file"))?;
    let bytes = app.ask(move |store| store.blob(hash)).await?.ok_or(Refusal::NotFound("there is no such file"))?;
    let kind = viewer::kind_of(&bytes);
    let headers = [
        (header::CONTENT_TYPE, kind.unwrap_or("application/octet-stream")),
        (header::CONTENT_DISPOSITION, if kind.is_some() { "inline" } else { "attachment" }),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        // What a hash names never changes; who may see it does.
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes).into_response())
}
