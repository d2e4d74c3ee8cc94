//! `GET /export`: runs in the forms of other programs, as long as somebody takes them.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use clap::ValueEnum as _;
use futures_util::StreamExt as _;
use serde::Deserialize;
use traceable_core::model::RunId;

use super::ask::{self, Asked, Kind};
use crate::{
    export::{Export, Format, What},
    http::{App, Refusal},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// One of the forms of `traceable export`.
    format: String,
    #[serde(default)]
    q: String,
    /// Runs that fit, or all runs of the traces that do.
    of: Option<Kind>,
    /// A run and all below it, in place of a query.
    below: Option<RunId>,
    after: Option<String>,
    limit: Option<u64>,
}

pub(super) async fn export(
    State(app): State<Arc<App>>,
    Asked(Wanted { format, q, of, below, after, limit }): Asked<Wanted>,
) -> Result<Response, Refusal> {
    let format = Format::from_str(&format, true).map_err(|_| {
        let known: Vec<String> = Format::value_variants().iter().map(|format| format.name()).collect();
        Refusal::Wrong(format!("there is no form `{format}`; there are {}", known.join(", ")))
    })?;
    let what = match below {
        Some(run) => {
            app.ask(move |store| store.row(run)).await?.ok_or(Refusal::NotFound("there is no such run"))?;
            What::Below(run)
        }
        None => What::Fitting(ask::query(&q)?, of.map_or(format.usual(), Kind::into)),
    };
    let export = Export::new(format, what, ask::cursor(after.as_deref())?, limit);
    streamed(app, export, format, "traceable").await
}

/// An export as a file of this name, made as fast as somebody takes it.
pub(crate) async fn streamed(app: Arc<App>, export: Export, format: Format, name: &str) -> Result<Response, Refusal> {
    // The first piece shows whether it works; what goes wrong behind it breaks the answer off.
    let (first, export) = piece(Arc::clone(&app), export).await?;
    let rest = futures_util::stream::unfold(Some((first, export)), move |state| {
        let app = Arc::clone(&app);
        async move {
            let (made, export) = state?;
            let made = made?;
            match piece(app, export).await {
                Ok(next) => Some((Ok(made), Some(next))),
                Err(refusal) => Some((Err(refusal.detail()), None)),
            }
        }
    });
    let name = format!("attachment; filename=\"{name}.{}\"", format.extension());
    let headers = [(header::CONTENT_TYPE, format.media_type().to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(rest.fuse())).into_response())
}

type Piece = Option<Vec<u8>>;

async fn piece(app: Arc<App>, mut export: Export) -> Result<(Piece, Export), Refusal> {
    app.ask(move |store| {
        let piece = export.piece(store)?;
        Ok((piece, export))
    })
    .await
}
