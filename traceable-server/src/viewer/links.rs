//! Addresses that LangSmith's SDKs make by themselves: they lead to the run.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Redirect,
};
use traceable_core::model::RunId;

use super::{App, Trouble};

/// Where a run is shown.
pub(crate) fn of_run(trace: RunId, run: RunId) -> String {
    format!("/t/{trace}?run={run}")
}

/// `/o/{tenant}/projects/p/{project}/r/{run}`
pub(super) async fn run(
    State(app): State<Arc<App>>,
    Path((_, _, run)): Path<(String, String, RunId)>,
) -> Result<Redirect, Trouble> {
    to(&app, run).await
}

/// `/trace/{id}`: of a run, also of a root, whose id is its trace's.
pub(super) async fn trace(State(app): State<Arc<App>>, Path(run): Path<RunId>) -> Result<Redirect, Trouble> {
    to(&app, run).await
}

async fn to(app: &Arc<App>, run: RunId) -> Result<Redirect, Trouble> {
    let row = app.ask(move |store| store.row(run)).await?;
    // It may still be on its way.
    let trace = row.map_or(run, |row| row.trace_id);
    Ok(Redirect::to(&of_run(trace, run)))
}
