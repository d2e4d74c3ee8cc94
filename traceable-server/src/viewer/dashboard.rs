//! How many there were, how long they took, how many failed, and what they cost: over time, and by the values of a field.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Query as Parameters, State},
    response::IntoResponse,
};
use maud::{Markup, html};
use serde::Deserialize;
use traceable_core::model::format_time;
use traceable_store::{Field, List, Of, Order, Quantiles, Query, Result, Stats, StatsBy, Store};

use super::{
    App, Place, Tab, Trouble, bar,
    charts::{self, Bar, Chart},
    frame, show, terms,
};
use crate::print::{self, now};

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// Stretches of time that can be looked at.
const RANGES: [(&str, &str, Option<i64>); 5] = [
    ("1h", "last hour", Some(HOUR)),
    ("24h", "24 hours", Some(DAY)),
    ("7d", "7 days", Some(7 * DAY)),
    ("30d", "30 days", Some(30 * DAY)),
    ("", "all time", None),
];

/// Bars of a chart at most, and how long one may stand for.
const BARS: i64 = 60;
const STEPS: [i64; 16] = [
    SECOND,
    5 * SECOND,
    15 * SECOND,
    60 * SECOND,
    120 * SECOND,
    300 * SECOND,
    900 * SECOND,
    1_800 * SECOND,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
    30 * DAY,
    365 * DAY,
];

/// What it can be split by.
const SPLITS: [(&str, &str, Field); 7] = [
    ("", "Model", Field::Model),
    ("name", "Name", Field::Name),
    ("tag", "Tag", Field::Tag),
    ("user", "User", Field::User),
    ("env", "Environment", Field::Environment),
    ("release", "Release", Field::Release),
    ("project", "Project", Field::Project),
];

/// Values of a split that are shown.
const VALUES: usize = 50;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// One of the ranges.
    range: String,
    /// One of the splits.
    by: String,
    /// `runs`, or traces.
    of: String,
}

impl Wanted {
    fn of(&self) -> Of {
        if self.of == "runs" { Of::Runs } else { Of::Traces }
    }

    fn range(&self) -> (&'static str, &'static str, Option<i64>) {
        RANGES.into_iter().find(|(name, ..)| *name == self.range).unwrap_or(RANGES[4])
    }

    fn by(&self) -> &'static (&'static str, &'static str, Field) {
        SPLITS.iter().find(|(name, ..)| *name == self.by).unwrap_or(&SPLITS[0])
    }

    /// What links on the page keep.
    fn kept(&self) -> [(&'static str, &str); 3] {
        let of = if self.of() == Of::Runs { "runs" } else { "" };
        [("range", self.range().0), ("by", self.by().0), ("of", of)]
    }
}

/// What was found.
struct Found {
    from: i64,
    to: i64,
    step: i64,
    all: Stats,
    over_time: Vec<Stats>,
    split: Vec<Stats>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Parameters(place): Parameters<Place>,
    Parameters(wanted): Parameters<Wanted>,
) -> std::result::Result<impl IntoResponse, Trouble> {
    let (query, wrong) = match place.query() {
        Ok(query) => (query, None),
        Err(wrong) => (place.ground(), Some(wrong)),
    };
    let asked = wanted.clone();
    let found = app.ask(move |store| find(store, query, &asked)).await?;
    let kept = wanted.kept();
    let body = html! {
        main #main.stats {
            h1.unseen { "Dashboard" }
            (bar::bar("/stats", &place, &kept, wrong.as_ref()))
            (switches(&place, &wanted))
            @match &found {
                None => div.nothing { p { "There is nothing in this time." } p { a href=(place.link("/stats", &[("range", "")])) { "All time" } } },
                Some(found) => {
                    (sums(found))
                    (over_time(found, &place, &wanted))
                    (split(found, &place, &wanted))
                }
            }
        }
    };
    Ok(frame::page("Dashboard · traceable", Some(Tab::Dashboard), &place, &["query.js"], &body))
}

fn find(store: &Store, query: Query, wanted: &Wanted) -> Result<Option<Found>> {
    let of = wanted.of();
    let to = now();
    let mut query = query;
    let mut from = to;
    if let Some(range) = wanted.range().2 {
        from = to - range;
        query = query.and(terms::between(from, to));
    }
    let end = |order| {
        let list = List { query: query.clone(), of, order, limit: 1, ..List::default() };
        Ok::<_, traceable_store::Error>(store.list(&list)?.rows.first().map(|listed| listed.row.start_time))
    };
    let (Some(first), Some(last)) = (end(Order::Oldest)?, end(Order::Newest)?) else { return Ok(None) };
    let to = if wanted.range().2.is_some() { to } else { last.saturating_add(1) };
    from = if wanted.range().2.is_some() { from } else { first };
    let all = to.saturating_sub(from);
    let step = STEPS.into_iter().find(|step| all / step < BARS).unwrap_or(all / BARS + 1);
    let by = |bucket, field| StatsBy { of, bucket, field };
    let all = store.stats(&query, &by(None, None))?.into_iter().next().unwrap_or_default();
    let over_time = store.stats(&query, &by(Some(Duration::from_nanos(step.unsigned_abs())), None))?;
    let field = wanted.by().2.clone();
    let mut split = if field == Field::Model {
        // A model is a matter of single runs, not of what stands for a trace.
        store.stats(&of_models(query, of), &StatsBy { of: Of::Runs, bucket: None, field: Some(field) })?
    } else {
        store.stats(&query, &by(None, Some(field)))?
    };
    split.sort_by_key(|row| std::cmp::Reverse(row.count));
    split.truncate(VALUES);
    Ok(Some(Found { from: from.div_euclid(step).saturating_mul(step), to, step, all, over_time, split }))
}

/// The calls of models in the traces that a query fits.
fn of_models(query: Query, of: Of) -> Query {
    let within =
        if of == Of::Traces && query != Query::default() { query.within(traceable_store::Scope::Root) } else { query };
    within.and(Query::Exists(Field::Model))
}

fn switches(place: &Place, wanted: &Wanted) -> Markup {
    let [range, by, of] = wanted.kept();
    html! {
        div.over {
            nav.switches aria-label="Time" {
                @for (name, title, _) in RANGES {
                    a href=(place.link("/stats", &[("range", name), by, of])) aria-current=[(name == range.1).then_some("page")] { (title) }
                }
            }
            nav.switches aria-label="What is counted" {
                @for (name, value) in [("traces", ""), ("runs", "runs")] {
                    a href=(place.link("/stats", &[range, by, ("of", value)])) aria-current=[(value == of.1).then_some("page")] { (name) }
                }
            }
        }
    }
}

fn nanos(value: Option<i64>) -> String {
    value.map(print::duration).unwrap_or_default()
}

fn sums(found: &Found) -> Markup {
    let Stats { count, errors, open, latency, first_token, total_tokens, cost, .. } = &found.all;
    let share = *errors as f64 / (*count).max(1) as f64 * 100.0;
    html! {
        dl.sums {
            div { dt { "Count" } dd { (print::count(*count)) @if *open > 0 { span.wait { " " (print::count(*open)) " open" } } } }
            div { dt { "Errors" } dd { @if *errors > 0 { span.bad { (print::count(*errors)) } span.quiet { " " (format!("{share:.1} %")) } } @else { "0" } } }
            div { dt { "Latency p50" } dd { (nanos(latency.p50)) } }
            div { dt { "p95" } dd { (nanos(latency.p95)) } }
            div { dt { "p99" } dd { (nanos(latency.p99)) } }
            @if let Some(first) = first_token.p50 { div { dt { "First token p50" } dd { (print::duration(first)) } } }
            div { dt { "Tokens" } dd { (print::tokens(*total_tokens)) } }
            div { dt { "Cost" } dd { (print::dollars(*cost)) } }
        }
    }
}

/// What each quantile adds to the one before.
fn layers(Quantiles { p50, p95, p99, .. }: &Quantiles) -> Vec<f64> {
    let [p50, p95, p99] = [p50, p95, p99].map(|value| value.unwrap_or(0) as f64);
    vec![p50, (p95 - p50).max(0.0), (p99 - p95.max(p50)).max(0.0)]
}

/// A moment, as exactly as the stretches of time are.
fn label(time: i64, step: i64) -> String {
    let text = format_time(time).replace('T', " ");
    let length = if step >= DAY {
        10
    } else if step >= 60 * SECOND {
        16
    } else {
        19
    };
    text.get(..length).unwrap_or(&text).to_owned()
}

fn over_time(found: &Found, place: &Place, wanted: &Wanted) -> Markup {
    let Found { from, to, step, over_time, .. } = found;
    let stretches = usize::try_from(to.saturating_sub(*from) / step + 1).unwrap_or(1);
    let of = wanted.kept()[2];
    let link = |row: &Stats| {
        let time = row.time.unwrap_or_default();
        let within = terms::between(time, time.saturating_add(*step)).to_string();
        place.link("/", &[("q", &terms::with(&place.q, &within)), of])
    };
    let bars = |parts: fn(&Stats) -> Vec<f64>, about: fn(&Stats) -> String| {
        let bar = |row: &Stats| {
            let time = row.time.unwrap_or_default();
            let at = usize::try_from(time.saturating_sub(*from) / step).unwrap_or(0);
            Bar { at, parts: parts(row), url: link(row), about: format!("{}: {}", label(time, *step), about(row)) }
        };
        over_time.iter().map(bar).collect::<Vec<_>>()
    };
    let time = |value: f64| print::duration(value as i64);
    let number = |value: f64| print::tokens(value as u64);
    let levels = [("p50", "half"), ("p95", "most"), ("p99", "nearly-all")];
    let noun = if wanted.of() == Of::Runs { "Runs" } else { "Traces" };
    let charts = [
        Chart {
            title: noun,
            parts: &[("failed", "bad"), ("others", "good")],
            unit: |value| print::count(value as u64),
            bars: bars(
                |row| vec![row.errors as f64, row.count.saturating_sub(row.errors) as f64],
                |row| format!("{}, {}", print::count(row.count), print::counted(row.errors, "error")),
            ),
        },
        Chart {
            title: "Latency",
            parts: &levels,
            unit: time,
            bars: bars(|row| layers(&row.latency), |row| three(&row.latency)),
        },
        Chart {
            title: "First token",
            parts: &levels,
            unit: time,
            bars: bars(|row| layers(&row.first_token), |row| three(&row.first_token)),
        },
        Chart {
            title: "Tokens",
            parts: &[("prompts", "prompts"), ("answers", "answers")],
            unit: number,
            bars: bars(
                |row| vec![row.input_tokens as f64, row.output_tokens as f64],
                |row| {
                    format!(
                        "{} of prompts, {} of answers",
                        print::tokens(row.input_tokens),
                        print::tokens(row.output_tokens)
                    )
                },
            ),
        },
        Chart {
            title: "Cost",
            parts: &[("cost", "cost")],
            unit: print::dollars,
            bars: bars(|row| vec![row.cost], |row| print::dollars(row.cost)),
        },
    ];
    let ends = [label(*from, *step), label(*to, *step) + " UTC"];
    html! {
        div.charts { @for chart in charts.iter().filter(|chart| !chart.is_empty()) { (chart.draw(stretches, [&ends[0], &ends[1]])) } }
        details.numbers {
            summary { "The same as a table" }
            table {
                (head("Time (UTC)", noun))
                tbody {
                    @for row in over_time {
                        (numbers(&html! { a href=(link(row)) { (label(row.time.unwrap_or_default(), *step)) } }, row, None))
                    }
                }
            }
        }
    }
}

fn three(Quantiles { p50, p95, p99, .. }: &Quantiles) -> String {
    format!("p50 {}, p95 {}, p99 {}", nanos(*p50), nanos(*p95), nanos(*p99))
}

fn head(first: &str, noun: &str) -> Markup {
    html! {
        thead {
            tr {
                th { (first) }
                @for name in [noun, "Errors", "p50", "p95", "p99", "First token p50", "Tokens", "Cost"] { th.n { (name) } }
            }
        }
    }
}

fn numbers(first: &Markup, row: &Stats, largest: Option<f64>) -> Markup {
    html! {
        tr {
            td { (first) @if let Some(largest) = largest { (charts::share(row.count as f64, largest)) } }
            td.n { (print::count(row.count)) }
            td.n { @if row.errors > 0 { span.bad { (print::count(row.errors)) } } }
            td.n { (nanos(row.latency.p50)) }
            td.n { (nanos(row.latency.p95)) }
            td.n { (nanos(row.latency.p99)) }
            td.n { (nanos(row.first_token.p50)) }
            td.n { (show::tokens(row.total_tokens)) }
            td.n { (show::dollars(row.cost)) }
        }
    }
}

fn split(found: &Found, place: &Place, wanted: &Wanted) -> Markup {
    let [range, (_, by), of] = wanted.kept();
    let (_, title, field) = wanted.by();
    let is_model = *field == Field::Model;
    let noun = if is_model || wanted.of() == Of::Runs { "Runs" } else { "Traces" };
    let within = wanted.range().2.map(|_| terms::between(found.from, found.to).to_string());
    let link = |value: &str| {
        let mut q = terms::with(&place.q, &terms::is(field, value).to_string());
        if let Some(within) = &within {
            q = terms::with(&q, within);
        }
        place.link("/", &[("q", &q), if is_model { ("of", "runs") } else { of }])
    };
    let largest = found.split.iter().map(|row| row.count as f64).fold(0.0, f64::max);
    html! {
        section.by-value {
            nav.switches aria-label="Split by" {
                @for (name, title, _) in &SPLITS {
                    a href=(place.link("/stats", &[range, ("by", name), of])) aria-current=[(*name == by).then_some("page")] { (title) }
                }
            }
            table {
                (head(title, noun))
                tbody {
                    @for row in &found.split {
                        @let first = html! {
                            @if let Some(value) = &row.value { a href=(link(value)) { (show::name(value)) } }
                            @else { span.quiet { "without" } }
                        };
                        (numbers(&first, row, Some(largest)))
                    }
                }
            }
            @if found.split.is_empty() { p.quiet { "No run has it." } }
            @if found.split.len() == VALUES { p.quiet { "The " (VALUES) " most frequent." } }
        }
    }
}
