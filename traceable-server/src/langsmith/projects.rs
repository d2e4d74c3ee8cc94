//! Projects, which LangSmith's protocol calls sessions. The store knows them by name; their ids are made of that.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::HeaderMap,
};
use serde::Deserialize;
use serde_json::{Value, json};
use traceable_core::model::{RunId, format_time};
use traceable_store::{DEFAULT_PROJECT, Project};

use crate::http::{App, Refusal};

/// There is one tenant.
fn tenant() -> RunId {
    Project::id_of("\0tenant")
}

fn view(name: &str, time: i64) -> Value {
    json!({
        "id": Project::id_of(name),
        "name": name,
        "tenant_id": tenant(),
        "reference_dataset_id": null,
        "start_time": format_time(time),
        "extra": {},
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    name: Option<String>,
    name_contains: Option<String>,
    limit: Option<usize>,
    offset: usize,
}

pub(super) async fn list(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Result<Json<Value>, Refusal> {
    let projects = app.ask(traceable_store::Store::projects).await?;
    // The SDKs look at the first one to learn the tenant, also of a store that is empty.
    if projects.is_empty() && wanted.name.is_none() {
        return Ok(Json(json!([view(DEFAULT_PROJECT, 0)])));
    }
    let is_wanted = |project: &&Project| {
        wanted.name.as_ref().is_none_or(|name| *name == project.name)
            && wanted.name_contains.as_ref().is_none_or(|part| project.name.contains(part))
    };
    let page = projects.iter().filter(is_wanted).skip(wanted.offset).take(wanted.limit.unwrap_or(100));
    Ok(Json(page.map(|project| view(&project.name, project.time)).collect()))
}

pub(super) async fn get(State(app): State<Arc<App>>, Path(id): Path<RunId>) -> Result<Json<Value>, Refusal> {
    let projects = app.ask(traceable_store::Store::projects).await?;
    let project = projects.iter().find(|project| project.id == id);
    project.map(|project| Json(view(&project.name, project.time))).ok_or(Refusal::NotFound("there is no such project"))
}

/// A project is there as soon as a run names it; there is nothing to be done before.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    #[derive(Deserialize)]
    struct Created {
        name: String,
    }
    let taken = app.bodies.read(&headers, body).await?;
    let Created { name } = serde_json::from_slice(&taken.bytes)?;
    let project = app.ask(move |store| store.ensure_project(&name)).await?;
    Ok(Json(view(&project.name, project.time)))
}

pub(super) async fn settings() -> Json<Value> {
    Json(json!({
        "id": tenant(),
        "display_name": "traceable",
        "created_at": format_time(0),
        "tenant_handle": null,
    }))
}
