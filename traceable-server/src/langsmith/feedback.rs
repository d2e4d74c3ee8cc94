//! Scores, which LangSmith calls feedback.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::HeaderMap,
};
use serde::Deserialize;
use serde_json::{Value, json};
use traceable_core::model::{RunChange, RunId, Score, ScoreTarget};
use traceable_wire::langsmith::{Feedback, decode_feedback};

use crate::{
    http::{App, Refusal, Room},
    print::now,
};

/// Feedback as it is read back. The SDKs need some names to be there.
fn view(score: &Score) -> Value {
    let mut said = serde_json::to_value(Feedback::new(score)).unwrap_or_default();
    if let Value::Object(said) = &mut said {
        for name in ["run_id", "trace_id", "score", "value", "comment", "correction"] {
            said.entry(name).or_insert(Value::Null);
        }
        let time = said.get("created_at").cloned().unwrap_or_default();
        said.insert("modified_at".into(), time);
    }
    said
}

async fn write(app: &App, score: Score) -> Result<Json<Value>, Refusal> {
    let said = view(&score);
    app.ingest.take(vec![RunChange::Score(Box::new(score))], Room::none()).await?;
    Ok(Json(said))
}

pub(super) async fn post(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Json<Value>, Refusal> {
    let taken = app.bodies.read(&headers, body).await?;
    let mut score = decode_feedback(&taken.bytes).map_err(|problem| Refusal::Unprocessable(problem.to_string()))?;
    if score.time == 0 {
        score.time = now();
    }
    write(&app, score).await
}

pub(super) async fn get(State(app): State<Arc<App>>, Path(id): Path<RunId>) -> Result<Json<Value>, Refusal> {
    Ok(Json(view(&find(&app, id).await?)))
}

async fn find(app: &Arc<App>, id: RunId) -> Result<Score, Refusal> {
    app.ask(move |store| store.score(id)).await?.ok_or(Refusal::NotFound("there is no such feedback"))
}

pub(super) async fn patch(
    State(app): State<Arc<App>>,
    Path(id): Path<RunId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    #[derive(Deserialize)]
    struct Change {
        score: Option<Value>,
        value: Option<Value>,
        correction: Option<Value>,
        comment: Option<String>,
    }
    let taken = app.bodies.read(&headers, body).await?;
    let Change { score, value, correction, comment } = serde_json::from_slice(&taken.bytes)?;
    let mut known = find(&app, id).await?;
    if let Some(score) = score {
        known.score = score.as_bool().map(|yes| f64::from(u8::from(yes))).or(score.as_f64());
    }
    match value {
        Some(Value::String(label)) => (known.value, known.label) = (None, Some(label)),
        Some(value) => known.value = Some(value),
        None => {}
    }
    known.correction = correction.or(known.correction);
    known.comment = comment.or(known.comment);
    write(&app, known).await
}

pub(super) async fn delete(State(app): State<Arc<App>>, Path(id): Path<RunId>) -> Result<Json<Value>, Refusal> {
    let was_there = app.ask(move |store| store.delete_score(id)).await?;
    was_there.then(|| Json(json!({}))).ok_or(Refusal::NotFound("there is no such feedback"))
}

/// Feedback of the runs that are named; `key` and `source` may be named too.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(wanted): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, Refusal> {
    let all = |name: &'static str| wanted.iter().filter(move |(known, _)| known == name).map(|(_, value)| value);
    let number = |name| all(name).next().and_then(|number| number.parse::<usize>().ok());
    let runs: Result<Vec<RunId>, _> = all("run").map(|id| id.parse()).collect();
    let runs = runs.map_err(|_| Refusal::Wrong("`run` is not the id of a run".into()))?;
    if runs.is_empty() {
        return Err(Refusal::Wrong("name the runs whose feedback is wanted".into()));
    }
    let found = app
        .ask(move |store| {
            let of = |run: RunId| store.scores(&ScoreTarget::Run(run));
            Ok(runs.into_iter().map(of).collect::<Result<Vec<_>, _>>()?.concat())
        })
        .await?;
    let is_wanted = |score: &&Score| {
        let source = if score.source == traceable_core::model::ScoreSource::Ai { "model" } else { "api" };
        (all("key").next().is_none() || all("key").any(|key| *key == score.key))
            && (all("source").next().is_none() || all("source").any(|wanted| wanted == source))
    };
    let page = found.iter().filter(is_wanted).skip(number("offset").unwrap_or(0));
    Ok(Json(json!(page.take(number("limit").unwrap_or(100)).map(view).collect::<Vec<_>>())))
}
