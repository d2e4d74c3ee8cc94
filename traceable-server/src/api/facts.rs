//! Statistics, what can be asked for, and what is known of the server itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};
use traceable_store::{Facet, Of, Query, StatsBy};

use super::ask::{self, Asked, Kind, Nothing};
use crate::{
    cli::stretch,
    http::{App, Refusal},
    print::counted,
};

/// Values of a field, and names of metadata, at most.
const MAX_VALUES: usize = 1_000;

/// Rows of statistics at once.
const MAX_STATS: usize = 10_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Counted {
    q: String,
    of: Kind,
    by: Option<String>,
    every: Option<String>,
}

pub(super) async fn stats(State(app): State<Arc<App>>, Asked(wanted): Asked<Counted>) -> Result<Json<Value>, Refusal> {
    let Counted { q, of, by, every } = wanted;
    let query = ask::query(&q)?;
    let field = by.as_deref().map(ask::field).transpose()?;
    let bucket = every.as_deref().map(stretch).transpose().map_err(Refusal::Wrong)?;
    let by = StatsBy { of: of.into(), bucket, field };
    let rows = app.ask(move |store| store.stats(&query, &by)).await?;
    if rows.len() > MAX_STATS {
        let many = counted(rows.len() as u64, "row");
        return Err(Refusal::Wrong(format!("these are {many}: take a longer `every`, or look for less with `q`")));
    }
    Ok(Json(json!({ "stats": rows })))
}

/// What queries know, for help and completion.
pub(super) async fn fields(
    State(app): State<Arc<App>>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Refusal> {
    let fields: Vec<Value> = traceable_store::fields()
        .map(|field| {
            let kind = format!("{:?}", field.kind).to_lowercase();
            json!({ "name": field.name, "aliases": field.aliases, "kind": kind, "doc": field.doc })
        })
        .collect();
    let metadata = app.ask(|store| store.metadata_keys(MAX_VALUES)).await?;
    Ok(Json(json!({ "fields": fields, "metadata": metadata })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfField {
    field: String,
    limit: Option<usize>,
}

pub(super) async fn values(
    State(app): State<Arc<App>>,
    Asked(OfField { field, limit }): Asked<OfField>,
) -> Result<Json<Value>, Refusal> {
    let field = ask::field(&field)?;
    let limit = limit.unwrap_or(20).clamp(1, MAX_VALUES);
    let values = app.ask(move |store| store.values(&field, limit)).await?;
    Ok(Json(json!({ "values": values })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfFields {
    #[serde(default)]
    q: String,
    #[serde(default)]
    of: Kind,
    /// Names between commas.
    fields: String,
    limit: Option<usize>,
}

/// The values of fields among what fits.
pub(super) async fn facets(
    State(app): State<Arc<App>>,
    Asked(OfFields { q, of, fields, limit }): Asked<OfFields>,
) -> Result<Json<Value>, Refusal> {
    let query = ask::query(&q)?;
    let names: Vec<String> = fields.split(',').take(32).map(|name| name.trim().to_owned()).collect();
    let fields = names.iter().map(|name| ask::field(name)).collect::<Result<Vec<_>, _>>()?;
    let limit = limit.unwrap_or(20).clamp(1, MAX_VALUES);
    let found = app.ask(move |store| store.facets(&query, of.into(), &fields, limit)).await?;
    let facets: BTreeMap<String, Vec<Facet>> = names.into_iter().zip(found.fields).collect();
    Ok(Json(json!({ "facets": facets, "counted": found.counted, "is_all": found.is_all })))
}

pub(super) async fn projects(
    State(app): State<Arc<App>>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Refusal> {
    let projects = app.ask(traceable_store::Store::projects).await?;
    Ok(Json(json!({ "projects": projects })))
}

/// What `traceable doctor` wants to know of a server.
pub(super) async fn facts(
    State(app): State<Arc<App>>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Refusal> {
    let (store, dropped) = app
        .ask(|store| {
            let facts = json!({
                "bytes": store.size()?,
                "runs": store.count(&Query::default(), Of::Runs)?,
                "traces": store.count(&Query::default(), Of::Traces)?,
                "not_indexed": store.pending_texts()?,
            });
            Ok((facts, store.reports()?))
        })
        .await?;
    let not_served = app.not_served.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let not_kept = app.not_kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "n": app.live.n(),
        "store": store,
        "dropped": dropped,
        "not_served": not_served,
        "not_kept": not_kept,
    })))
}
