//! The runs of a trace as a tree over time. The browser is sent columns, of which a script draws the rows in sight; without
//! script a table has them, up to a thousand.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::header::CACHE_CONTROL,
    response::IntoResponse,
};
use maud::{Markup, html};
use serde::Serialize;
use traceable_core::model::{RunId, RunType, Status};
use traceable_store::{Skeleton, Store};

use super::{super::show, App, Found, MISSING, Place};
use crate::{
    http::Refusal,
    print::{counted, dollars, duration, now, tokens},
};

/// Rows of a page that is complete without script.
const MAX_ROWS: u64 = 1_000;

/// Levels that are moved in.
const MAX_LEVELS: u32 = 24;

/// A trace as columns, and which of its runs is the root.
pub(super) struct Tree {
    skeleton: Skeleton,
    root: Option<i64>,
}

impl Tree {
    /// `None` where it has too many rows for a table.
    pub(super) fn load(store: &Store, found: &Found) -> traceable_store::Result<Option<Self>> {
        if found.totals.runs > MAX_ROWS {
            return Ok(None);
        }
        Self::of(store, found.trace())
    }

    fn of(store: &Store, trace: RunId) -> traceable_store::Result<Option<Self>> {
        let root = store.number_of(trace)?;
        Ok(store.skeleton(trace)?.map(|skeleton| Self { skeleton, root }))
    }

    /// From the start of the trace to its end, or to now.
    fn span(&self) -> i64 {
        let Skeleton { totals, starts, durations, .. } = &self.skeleton;
        let ends = starts.iter().zip(durations).map(|(start, duration)| start.saturating_add(duration.unwrap_or(0)));
        let now = (totals.open > 0).then(|| now().saturating_sub(totals.start_time));
        ends.chain(now).max().unwrap_or(0).max(1)
    }
}

/// The columns as they are sent. Times are nanoseconds, from the start of the trace on.
#[derive(Serialize)]
struct Sent<'a> {
    root: Option<i64>,
    span: i64,
    open: u64,
    numbers: &'a [i64],
    depths: &'a [u32],
    names: &'a [u32],
    all_names: &'a [String],
    types: &'a [u32],
    all_types: &'a [String],
    starts: &'a [i64],
    durations: &'a [Option<i64>],
    first_tokens: &'a [Option<i64>],
    statuses: &'a [Status],
    tokens: &'a [Option<u64>],
    costs: &'a [Option<f64>],
}

/// `GET /t/{trace}/skeleton`.
pub(super) async fn skeleton(
    State(app): State<Arc<App>>,
    Path(trace): Path<RunId>,
) -> Result<impl IntoResponse, Refusal> {
    let found = app.ask(move |store| Tree::of(store, trace)).await?.ok_or(MISSING)?;
    let of = &found.skeleton;
    let sent = Json(Sent {
        root: found.root,
        span: found.span(),
        open: of.totals.open,
        numbers: &of.numbers,
        depths: &of.depths,
        names: &of.names,
        all_names: &of.all_names,
        types: &of.types,
        all_types: &of.all_types,
        starts: &of.starts,
        durations: &of.durations,
        first_tokens: &of.first_tokens,
        statuses: &of.statuses,
        tokens: &of.tokens,
        costs: &of.costs,
    });
    Ok(([(CACHE_CONTROL, "no-store")], sent).into_response())
}

/// The place of the tree, and its table.
pub(super) fn tree(found: &Found, tree: Option<&Tree>, place: &Place) -> Markup {
    html! {
        section.forest aria-label="Runs of the trace" {
            div.tools id="tools" hidden {
                input type="search" id="find" placeholder="Find a run by name or kind" aria-label="Find a run by name or kind"
                    title="f; then n and N go to the next and the one before";
                output id="found" {}
                button type="button" id="fold" title="Fold all, or unfold all" { "Fold" }
                button type="button" id="zoom" aria-pressed="false" title="The time of the chosen run alone (z)" { "Zoom" }
            }
            div.grid id="grid" role="treegrid" aria-label="Runs" tabindex="0" hidden {
                div.columns role="row" {
                    span role="columnheader" { "Run" }
                    span.axis id="axis" role="columnheader" aria-label="Time" {}
                    span.number role="columnheader" { "Took" }
                    span.number role="columnheader" { "Tokens" }
                    span.number role="columnheader" { "Cost" }
                }
                div.window id="window" role="rowgroup" { div.rows id="rows" role="presentation" {} }
            }
            noscript {
                @match tree {
                    Some(tree) => (table(found, tree, place)),
                    None => p.note {
                        "This trace has " (counted(found.totals.runs, "run")) ". Its tree needs script; "
                        code { "traceable show --tree " (found.trace()) } " prints it."
                    },
                }
            }
        }
    }
}

fn table(found: &Found, tree: &Tree, place: &Place) -> Markup {
    let of = &tree.skeleton;
    let span = tree.span() as f64;
    let path = format!("/t/{}", found.trace());
    html! {
        table.static {
            thead { tr { th { "Run" } th { "Time" } th { "Took" } th { "Tokens" } th { "Cost" } } }
            tbody {
                @for (at, number) in of.numbers.iter().enumerate() {
                    @let kind = word(&of.all_types, &of.types, at);
                    @let depth = of.depths.get(at).copied().unwrap_or(0);
                    @let took = of.durations.get(at).copied().flatten();
                    @let start = of.starts.get(at).copied().unwrap_or(0);
                    tr {
                        td {
                            svg.indent width=(14 * depth.min(MAX_LEVELS)) height="1" aria-hidden="true" {}
                            a href=(place.link(&path, &[("row", &number.to_string())])) { (show::name(word(&of.all_names, &of.names, at))) }
                            " " (show::kind(&RunType::from(kind.to_owned())))
                            (show::status(of.statuses.get(at).copied().unwrap_or_default()))
                            @if depth == 0 && Some(*number) != tree.root {
                                span.status title="Its parent is not here" { "no parent" }
                            }
                        }
                        td {
                            svg.lane.(kind) viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
                                rect x=(format!("{:.1}", start as f64 / span * 1e3)) y="1" height="8"
                                    width=(format!("{:.1}", (took.unwrap_or(0) as f64 / span * 1e3).max(2.0))) {}
                            }
                        }
                        td.number { (took.map_or_else(|| "open".into(), duration)) }
                        td.number { (of.tokens.get(at).copied().flatten().map(tokens).unwrap_or_default()) }
                        td.number { (of.costs.get(at).copied().flatten().map(dollars).unwrap_or_default()) }
                    }
                }
            }
        }
    }
}

fn word<'a>(all: &'a [String], places: &[u32], at: usize) -> &'a str {
    places.get(at).and_then(|place| all.get(*place as usize)).map_or("", String::as_str)
}
