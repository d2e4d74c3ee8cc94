//! Rows of runs and traces: what was asked, what was answered, and what it took.

use maud::{Markup, html};
use traceable_core::model::Status;
use traceable_store::{Field, Listed, Of, Row, Totals};

use super::{Place, show, streams::Streams, terms};
use crate::print;

/// Tags of a row that are shown.
pub(super) const TAGS: usize = 3;

/// What rows have in common.
pub(super) struct Looks<'a> {
    pub(super) place: &'a Place,
    pub(super) of: Of,
    /// Parameters that links keep.
    pub(super) kept: &'a [(&'a str, &'a str)],
    pub(super) streams: &'a Streams,
}

/// The rows of a table.
pub(super) fn rows(rows: &[Listed], looks: &Looks<'_>) -> Markup {
    let longest = longest(rows);
    html! { @for listed in rows { (one(listed, longest, looks)) } }
}

/// What a bar of full length means: few that are very slow must not make all others the same.
fn longest(rows: &[Listed]) -> i64 {
    let mut all: Vec<i64> = rows.iter().filter_map(|listed| listed.row.latency).collect();
    all.sort_unstable();
    all.get((all.len() * 9).div_ceil(10).saturating_sub(1)).copied().unwrap_or(1).max(1)
}

fn one(listed: &Listed, longest: i64, looks: &Looks<'_>) -> Markup {
    let Listed { row, totals, .. } = listed;
    let is_trace = looks.of == Of::Traces;
    let path = format!("/t/{}", row.trace_id);
    let run = row.id.to_string();
    let url = if is_trace { looks.place.link(&path, &[]) } else { looks.place.link(&path, &[("run", &run)]) };
    let key = if is_trace { row.trace_id } else { row.id };
    let is_open = row.status == Status::Pending;
    html! {
        tr data-id=(key) data-trace=(row.trace_id) .failed[row.error.is_some()] .open[is_open] {
            td.when { (show::moment(row.start_time)) }
            td.title {
                a.whole href=(url) { (show::name(&row.name)) }
                div.about { (facts(row, totals.as_ref(), looks)) }
            }
            td.asked { div.two { (show::text(row.input_preview.as_deref().unwrap_or_default())) } }
            td.answered { div.two { (answer(row, looks)) } }
            td.took {
                @if is_open { span.wait { (show::since(row.start_time)) } }
                @if let Some(latency) = row.latency { (took(latency, first_token(row, totals.as_ref()), longest)) }
            }
            td.used { (used(row, totals.as_ref())) }
        }
    }
}

/// The line below the name.
fn facts(row: &Row, totals: Option<&Totals>, looks: &Looks<'_>) -> Markup {
    let inside = totals.map_or(0, |totals| totals.errors.saturating_sub(u64::from(row.error.is_some())));
    html! {
        (show::kind(&row.run_type))
        @if let Some(model) = &row.model { span { (show::name(model)) } }
        @if let Some(totals) = totals.filter(|totals| totals.runs > 1) { span { (print::counted(totals.runs, "run")) } }
        @if inside > 0 { span.bad { (print::counted(inside, "error")) " inside" } }
        @if row.error.is_none() && row.status != Status::Pending { (show::status(row.status)) }
        @for tag in row.tags.iter().take(TAGS) {
            @let term = terms::is(&Field::Tag, tag).to_string();
            @let q = terms::with(&looks.place.q, &term);
            @if terms::has(&looks.place.q, &term) { span.tag { (show::name(tag)) } }
            @else { a.tag href=(looks.place.link("/", &[looks.kept, &[("q", &q)]].concat())) title="Only these" { (show::name(tag)) } }
        }
        @if row.tags.len() > TAGS { span { "+" (row.tags.len() - TAGS) } }
    }
}

fn answer(row: &Row, looks: &Looks<'_>) -> Markup {
    let stream = looks.streams.get(&row.id);
    html! {
        @if let Some(error) = &row.error {
            span.bad { (show::name(error.lines().find(|line| !line.trim().is_empty()).unwrap_or("failed without a word"))) }
            " "
        }
        @if let Some(text) = &row.output_preview { (show::text(text)) }
        @else if let Some(stream) = stream { span.flow { (show::text(stream)) } }
    }
}

fn first_token(row: &Row, totals: Option<&Totals>) -> Option<i64> {
    totals.and_then(|totals| totals.first_token).or(row.first_token)
}

/// How long it took, as a bar, in which the time before the first token is lighter.
fn took(latency: i64, first: Option<i64>, longest: i64) -> Markup {
    let part = |nanos: i64| (nanos as f64 / longest as f64 * 100.0).clamp(0.5, 100.0);
    let width = part(latency);
    let first_width = first.map(|first| part(first).min(width));
    html! {
        (print::duration(latency))
        @if let Some(first) = first { span.quiet title="to the first token" { " · " (print::duration(first)) } }
        svg.span viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
            rect.all width=(format!("{width:.1}")) height="4" {}
            @if let Some(first) = first_width { rect.first width=(format!("{first:.1}")) height="4" {} }
        }
    }
}

fn used(row: &Row, totals: Option<&Totals>) -> Markup {
    let tokens = totals.map(|totals| totals.total_tokens).filter(|sum| *sum > 0).or(row.total_tokens);
    let cost = totals.map(|totals| totals.cost).filter(|sum| *sum > 0.0).or(row.cost);
    html! {
        div { (show::tokens(tokens.unwrap_or(0))) }
        div.quiet { (show::dollars(cost.unwrap_or(0.0))) }
    }
}
