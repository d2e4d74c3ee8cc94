//! Conversations and users.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Value, json};
use traceable_store::{People, ThreadSummary, UserSummary};

use super::ask::{self, Asked, Nothing};
use crate::http::{App, Refusal};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wanted {
    /// A part of the id or the name.
    text: String,
    limit: Option<usize>,
    after: Option<String>,
    /// Conversations of this user.
    user: Option<String>,
}

impl Wanted {
    fn people(&self) -> Result<People, Refusal> {
        let after = ask::cursor(self.after.as_deref())?;
        Ok(People { text: self.text.clone(), limit: self.limit.unwrap_or(100).clamp(1, 1_000), after })
    }
}

pub(super) async fn threads(State(app): State<Arc<App>>, Asked(wanted): Asked<Wanted>) -> Result<Json<Value>, Refusal> {
    let people = wanted.people()?;
    let page = app.ask(move |store| store.threads(wanted.user.as_deref(), &people)).await?;
    Ok(Json(json!({ "threads": page.rows, "next": page.next.map(|next| next.to_string()) })))
}

pub(super) async fn users(State(app): State<Arc<App>>, Asked(wanted): Asked<Wanted>) -> Result<Json<Value>, Refusal> {
    if wanted.user.is_some() {
        return Err(Refusal::Wrong("`user` narrows conversations; `text` looks for users".into()));
    }
    let people = wanted.people()?;
    let page = app.ask(move |store| store.users(&people)).await?;
    Ok(Json(json!({ "users": page.rows, "next": page.next.map(|next| next.to_string()) })))
}

pub(super) async fn thread(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<ThreadSummary>, Refusal> {
    let found = app.ask(move |store| store.thread(&id)).await?;
    found.map(Json).ok_or(Refusal::NotFound("there is no such conversation"))
}

pub(super) async fn user(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<UserSummary>, Refusal> {
    let found = app.ask(move |store| store.user(&id)).await?;
    found.map(Json).ok_or(Refusal::NotFound("there is no such user"))
}

pub(super) async fn delete_thread(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let removed = app.ask(move |store| store.delete_thread(&id)).await?;
    app.live.tell_all();
    Ok(Json(json!(removed)))
}

pub(super) async fn delete_user(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let removed = app.ask(move |store| store.delete_user(&id)).await?;
    app.live.tell_all();
    Ok(Json(json!(removed)))
}
