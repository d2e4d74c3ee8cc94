//! One run: what it was asked, what it answered, and what else is known of it.

use std::{ops::Range, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query as Parameters, State},
    http::header::CACHE_CONTROL,
    response::IntoResponse,
};
use maud::{Markup, html};
use serde::Deserialize;
use traceable_core::model::{RunId, RunType, Score, ScoreTarget, Status, format_time};
use traceable_store::{Result, Row, Store, StoredRun};
use traceable_wire::langsmith::Record;

use super::{
    super::{
        content::{self, As, Side},
        place::address,
        show,
    },
    App, Found, MISSING, Place,
    added::{self, Added},
    chunks, facts, find,
};
use crate::{
    http::Refusal,
    print::{dollars, duration, tokens},
};

/// Calls that a call may go on from.
const CALLS_BEFORE: usize = 4;

/// A run, with what its pane says.
pub(super) struct Shown {
    pub(super) row: Row,
    pub(super) number: i64,
    pub(super) stored: StoredRun,
    pub(super) scores: Vec<Score>,
    pub(super) added: Option<Added>,
}

impl Shown {
    pub(super) fn load(store: &Store, run: RunId) -> Result<Option<Self>> {
        let (Some(row), Some(number), Some(stored)) = (store.row(run)?, store.number_of(run)?, store.run(run)?) else {
            return Ok(None);
        };
        let scores = store.scores(&ScoreTarget::Run(run))?;
        let added = if row.run_type == RunType::Llm && row.trace_id != run {
            Added::of(&stored, &find::calls_ahead_of(store, &row, CALLS_BEFORE)?)
        } else {
            None
        };
        Ok(Some(Self { row, number, stored, scores, added }))
    }
}

/// The switch between the run and all that was said.
pub(super) fn views(found: &Found, run: Option<&str>, place: &Place, how: As) -> Markup {
    let path = format!("/t/{}", found.trace());
    html! {
        nav.views aria-label="View" {
            a href=(place.link(&path, &[("run", run.unwrap_or_default())])) data-view=""
                aria-current=[run.is_some().then_some("true")] { "Run" }
            a href=(place.link(&path, &[("view", "transcript")])) data-view="transcript"
                aria-current=[run.is_none().then_some("true")] title="t" { "Transcript" }
        }
        (content::switch(how, |how| match run {
            Some(run) => place.link(&path, &[("run", run), ("as", how)]),
            None => place.link(&path, &[("view", "transcript"), ("as", how)]),
        }))
    }
}

pub(super) fn pane(shown: &Shown, found: &Found, place: &Place, how: As) -> Markup {
    let Shown { row, number, stored, .. } = shown;
    let id = row.id.to_string();
    let is_open = row.status == Status::Pending;
    html! {
        (views(found, Some(&id), place, how))
        article.run data-run=(id) data-number=(number) data-open[is_open] {
            header {
                h2 { (show::text(&row.name)) " " (show::kind(&row.run_type)) (standing(row)) }
                (line(row))
            }
            @if let Some(error) = &stored.run.error { section.failed aria-label="Error" { (content::error(error)) } }
            (asked(shown, place, how))
            section.answer aria-label="Output" {
                h3 { "Output" @if is_open && stored.progress.is_some() { span.status.pending { "so far" } } }
                @if stored.run.outputs.is_some() || stored.progress.is_some() {
                    (content::side_as(stored, Side::Output, how))
                } @else {
                    p.note { @if is_open { "Nothing yet." } @else { "None." } }
                }
            }
            (content::actions(stored, &shown.scores))
            (chunks::timeline(&stored.run))
            (facts::facts(shown, found, place))
        }
    }
}

/// How the run stands, where that is not well.
fn standing(row: &Row) -> Markup {
    html! {
        @match row.status {
            Status::Pending => span.status.pending { (show::since(row.start_time)) },
            status => (show::status(status)),
        }
    }
}

/// What people ask first: how long, how much, by whom.
fn line(row: &Row) -> Markup {
    let of = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), tokens);
    html! {
        ul.facts {
            @if let Some(model) = &row.model { li.model { (show::text(model)) } }
            @if let Some(took) = row.latency { li { (duration(took)) } }
            @if let Some(first) = row.first_token { li { "first token " (duration(first)) } }
            @if row.input_tokens.is_some() || row.output_tokens.is_some() {
                li { (of(row.input_tokens)) " → " (of(row.output_tokens)) " tokens" }
            }
            @if let Some(cost) = row.cost { li { (dollars(cost)) } }
        }
    }
}

/// The input; of a prompt that goes on from another, what is new.
fn asked(shown: &Shown, place: &Place, how: As) -> Markup {
    let Shown { row, stored, added, .. } = shown;
    html! {
        section.asked aria-label="Input" {
            h3 { "Input" }
            @match added {
                Some(Added { since, before, asked, all }) if how != As::Json => {
                    @let was = place.link(&format!("/t/{}", row.trace_id), &[("run", &since.to_string())]);
                    @let old = |range: Range<usize>| html! {
                        @if !range.is_empty() { p.before { (added::old(row.id, &range)) " as in " a href=(was) { "the call before" } } }
                    };
                    @let new = asked.map_or(0, |asked| asked + 1);
                    @if let Some(asked) = *asked { (old(0..asked)) (content::messages(stored, asked..new, how)) }
                    (old(new..*before))
                    @if before == all { p.note { "Nothing was added." } }
                    @if new < *all { (content::messages(stored, *before..*all, how)) }
                }
                _ if stored.run.inputs.is_some() => (content::side_as(stored, Side::Input, how)),
                _ => p.note { "None." },
            }
        }
    }
}

/// A run's own address.
pub(super) fn link(row: &Row, place: &Place) -> String {
    place.link(&format!("/t/{}", row.trace_id), &[("run", &row.id.to_string())])
}

/// Where the run can be had as data, and where it can be laid beside another.
pub(super) fn ways(row: &Row) -> Markup {
    let id = row.id.to_string();
    let raw = address(&format!("/t/{}/raw", row.trace_id), [("run", id.as_str())]);
    html! {
        ul.ways {
            li { a href=(raw) { "JSON" } }
            li { a href=(address("/compare", [("a", id.as_str())])) { "Compare with …" } }
            li { span.id { (id) } }
            li { time datetime=(format_time(row.start_time)) { (format_time(row.start_time)) } }
        }
    }
}

/// Which run.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    pub(super) run: RunId,
}

/// `GET /t/{trace}/raw`: a run as a file of `traceable export` has it.
pub(super) async fn raw(
    State(app): State<Arc<App>>,
    Path(trace): Path<RunId>,
    Parameters(Which { run }): Parameters<Which>,
) -> std::result::Result<impl IntoResponse, Refusal> {
    let found = app.ask(move |store| store.whole_run(run)).await?;
    let run = found.filter(|run| run.trace_id == trace).ok_or(MISSING)?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(Record::line(&run)).into_response()))
}
