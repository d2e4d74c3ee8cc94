//! What is asked for, as all routes read it: parameters of which none is passed over, bodies, and the names of runs.

use std::{fmt::Display, str::FromStr, sync::Arc};

use axum::{
    body::Body,
    extract::{FromRequestParts, Query as Parameters},
    http::{HeaderMap, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use traceable_core::model::RunId;
use traceable_store::{Field, List, Of, Query};

use crate::{
    http::{App, Refusal},
    print::now,
};

/// The parameters of an address.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let read = Parameters::<T>::try_from_uri(&parts.uri);
        read.map(|Parameters(read)| Self(read)).map_err(|error| Refusal::Wrong(error.body_text()))
    }
}

/// Nothing is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The body of a request.
pub(super) async fn body<T: DeserializeOwned>(app: &App, headers: &HeaderMap, body: Body) -> Result<T, Refusal> {
    let taken = app.bodies.read(headers, body).await?;
    Ok(serde_json::from_slice(&taken.bytes)?)
}

/// What is listed, counted or removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[default]
    Runs,
    Traces,
}

impl From<Kind> for Of {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Runs => Self::Runs,
            Kind::Traces => Self::Traces,
        }
    }
}

/// A query in the words of `traceable ls`.
pub(super) fn query(text: &str) -> Result<Query, Refusal> {
    Ok(Query::parse(text, now())?)
}

/// A place between two pages.
pub(super) fn cursor<T: FromStr<Err: Display>>(text: Option<&str>) -> Result<Option<T>, Refusal> {
    let text = text.filter(|text| !text.is_empty());
    text.map(str::parse).transpose().map_err(|error| Refusal::Wrong(format!("`after` is {error}")))
}

/// A field of runs by its name, as queries know it.
pub(super) fn field(name: &str) -> Result<Field, Refusal> {
    match Query::parse(&format!("has:{name}"), 0).map_err(|error| Refusal::Wrong(error.to_string()))? {
        Query::Exists(field) => Ok(field),
        _ => Err(Refusal::Wrong(format!("there is no field `{name}`"))),
    }
}

/// A run by its id, by the beginning of its id that only it has, or as `last`, which is the newest trace's.
pub(super) async fn run_id(app: &Arc<App>, name: String) -> Result<RunId, Refusal> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    if name == "last" {
        let page = app.ask(|store| store.list(&List { of: Of::Traces, limit: 1, ..List::default() })).await?;
        return page.rows.first().map(|listed| listed.row.id).ok_or(Refusal::NotFound("nothing was traced yet"));
    }
    let found = app.ask(move |store| store.runs_by_prefix(&name, 2)).await?;
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(Refusal::NotFound("there is no such run")),
        _ => Err(Refusal::Wrong("more than one run begins like this".into())),
    }
}
