//! Scores of runs, traces and conversations. A note is a score with the key `note` and a comment.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use traceable_core::model::{RunChange, RunId, Score, ScoreSource, ScoreTarget};
use traceable_store::ScoreList;

use super::ask::{self, Asked};
use crate::{
    http::{App, Refusal, Room},
    print::{new_id, now},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wanted {
    run: Option<RunId>,
    trace: Option<RunId>,
    thread: Option<String>,
    key: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

pub(super) async fn list(State(app): State<Arc<App>>, Asked(wanted): Asked<Wanted>) -> Result<Json<Value>, Refusal> {
    let Wanted { run, trace, thread, key, limit, after } = wanted;
    let after = ask::cursor(after.as_deref())?;
    let limit = limit.unwrap_or(100).clamp(1, 1_000);
    let list = ScoreList { runs: run.into_iter().collect(), trace, thread, key, limit, after };
    let page = app.ask(move |store| store.score_list(&list)).await?;
    Ok(Json(json!({ "scores": page.scores, "next": page.next.map(|next| next.to_string()) })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    run: Option<RunId>,
    trace: Option<RunId>,
    thread: Option<String>,
    key: String,
    score: Option<f64>,
    label: Option<String>,
    comment: Option<String>,
    user: Option<String>,
    source: Option<ScoreSource>,
    /// Said again, it replaces the one before.
    id: Option<RunId>,
}

pub(super) async fn add(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Json<Score>, Refusal> {
    let given: Given = ask::body(&app, &headers, body).await?;
    let target = match (given.run, given.trace, given.thread) {
        (Some(run), None, None) => ScoreTarget::Run(run),
        (None, Some(trace), None) => ScoreTarget::Trace(trace),
        (None, None, Some(thread)) => ScoreTarget::Thread(thread),
        _ => return Err(Refusal::Wrong("name one of `run`, `trace` and `thread`".into())),
    };
    if given.key.trim().is_empty() {
        return Err(Refusal::Wrong("`key` says what is judged, such as helpfulness; or it is note".into()));
    }
    if given.score.is_none() && given.label.is_none() && given.comment.is_none() {
        return Err(Refusal::Wrong("say a `score`, a `label` or a `comment`".into()));
    }
    let time = now();
    let score = Score {
        id: given.id.unwrap_or_else(|| new_id(time)),
        target,
        key: given.key,
        score: given.score.filter(|score| score.is_finite()),
        value: None,
        label: given.label,
        comment: given.comment,
        correction: None,
        source: given.source.unwrap_or(ScoreSource::Human),
        user: given.user,
        time,
        tags: Vec::new(),
        metadata: Map::new(),
    };
    app.ingest.take(vec![RunChange::Score(Box::new(score.clone()))], Room::none()).await?;
    Ok(Json(score))
}

pub(super) async fn delete(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let id: RunId = id.parse().map_err(|error| Refusal::Wrong(format!("{error}")))?;
    if !app.ask(move |store| store.delete_score(id)).await? {
        return Err(Refusal::NotFound("there is no such score"));
    }
    app.live.tell_all();
    Ok(Json(json!({ "scores": 1 })))
}
