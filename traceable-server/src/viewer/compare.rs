//! Two runs or traces side by side: what took longer, what cost more, and what was said otherwise.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    extract::{Query as Parameters, State},
    response::IntoResponse,
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use traceable_core::{
    messages::{Part, input_messages, output_messages},
    model::{Json, RunId},
};
use traceable_store::{Field, List, Op, Query, Result, Row, Store, StoredRun, Value as Wants};

use super::{App, Place, Trouble, frame, place::address, show};
use crate::{
    http::Refusal,
    print::{dollars, duration, tokens},
};

/// Runs of a side that are laid beside the other's.
const MAX_RUNS: usize = 1_000;

/// Bytes of a text that is compared, and the time that this may take.
const MAX_TEXT: usize = 200_000;
const MAX_TIME: Duration = Duration::from_millis(300);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    a: String,
    b: String,
}

/// A side: the run, and all below it with the path of names that each is found by.
struct Half {
    stored: StoredRun,
    row: Row,
    below: Vec<(Path, Row)>,
    is_cut: bool,
}

impl Half {
    fn load(store: &Store, id: RunId) -> Result<Option<Self>> {
        let row = match store.row(id)? {
            Some(row) => row,
            // The root of a trace may be missing.
            None => match store.trace(id)?.and_then(|trace| trace.runs.into_iter().find(|row| row.id == trace.head)) {
                Some(row) => row,
                None => return Ok(None),
            },
        };
        let Some(stored) = store.run(row.id)? else { return Ok(None) };
        let runs = store.trace(row.trace_id)?.map(|trace| trace.runs).unwrap_or_default();
        let (below, is_cut) = paths(&row, runs);
        Ok(Some(Self { stored, row, below, is_cut }))
    }
}

/// Where a run stands below another: names, and which of its name it is there.
type Path = Vec<(String, usize)>;

/// A line of two: how deep, and who stands there on either side.
type Line<'a> = (usize, Option<&'a Row>, Option<&'a Row>);

/// The runs below one in the order of the tree, each with its path.
fn paths(top: &Row, runs: Vec<Row>) -> (Vec<(Path, Row)>, bool) {
    let mut children: HashMap<RunId, Vec<Row>> = HashMap::new();
    for row in runs.into_iter().filter(|row| row.id != top.id) {
        if let Some(parent) = row.parent_id {
            children.entry(parent).or_default().push(row);
        }
    }
    let (mut found, mut open) = (Vec::new(), vec![(Vec::new(), top.clone())]);
    while let Some((path, row)) = open.pop() {
        if found.len() == MAX_RUNS {
            return (found, true);
        }
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut below = Vec::new();
        for child in children.remove(&row.id).unwrap_or_default() {
            let n = seen.entry(child.name.clone()).or_default();
            let mut path = path.clone();
            path.push((child.name.clone(), *n));
            *n += 1;
            below.push((path, child));
        }
        open.extend(below.into_iter().rev());
        found.push((path, row));
    }
    (found, false)
}

/// Both sides' runs, those of one path on one line: those of the first side in its order, each of the other's behind what
/// it stands behind there.
fn aligned<'a>(a: &'a Half, b: &'a Half) -> Vec<Line<'a>> {
    let places: HashMap<_, usize> = a.below.iter().enumerate().map(|(at, (path, _))| (path, at)).collect();
    let mut others: Vec<Vec<Line<'_>>> = vec![Vec::new(); a.below.len()];
    let mut twins: Vec<Option<&Row>> = vec![None; a.below.len()];
    let mut behind = 0;
    for (path, row) in &b.below {
        match places.get(path) {
            Some(at) => {
                behind = *at;
                twins[*at] = Some(row);
            }
            None => others[behind].push((path.len(), None, Some(row))),
        }
    }
    let lines = a.below.iter().zip(twins).zip(others);
    lines.flat_map(|(((path, row), twin), more)| std::iter::once((path.len(), Some(row), twin)).chain(more)).collect()
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Parameters(place): Parameters<Place>,
    Parameters(wanted): Parameters<Wanted>,
) -> std::result::Result<impl IntoResponse, Trouble> {
    const MISSING: Refusal = Refusal::NotFound("there is no such run; it may have been removed");
    let id = |text: &str| text.parse::<RunId>().map_err(|_| MISSING);
    let a = id(&wanted.a)?;
    let b = if wanted.b.is_empty() { None } else { Some(id(&wanted.b)?) };
    let loaded = app.ask(move |store| {
        let Some(a) = Half::load(store, a)? else { return Ok(None) };
        let Some(b) = b else { return Ok(Some(candidates(store, &a.row)?)) };
        Ok(Half::load(store, b)?.map(|b| beside(&a, &b)))
    });
    let body = html! { main.compare id="main" { (loaded.await?.ok_or(MISSING)?) } };
    Ok(frame::page("Compare · traceable", None, &place, &[], &body))
}

/// Runs of the same name, to choose the other side from.
fn candidates(store: &Store, row: &Row) -> Result<Markup> {
    let query = Query::Compare(Field::Name, Op::Eq, Wants::Text(row.name.clone()));
    let list = List { query, limit: 51, ..List::default() };
    let found = store.list(&list)?;
    Ok(html! {
        h1 { "Compare " (show::text(&row.name)) " with …" }
        form method="get" action="/compare" {
            input type="hidden" name="a" value=(row.id);
            label { "The id of a run or a trace " input name="b" required size="36"; } " "
            button { "Compare" }
        }
        table.candidates {
            thead { tr { th { "When" } th { "Question" } th { "Answer" } th.number { "Took" } } }
            tbody {
                @for other in found.rows.iter().map(|listed| &listed.row).filter(|other| other.id != row.id) {
                    tr {
                        td { a href=(to(Some(row), Some(other))) { (show::moment(other.start_time)) } (show::status(other.status)) }
                        td { (show::text(other.input_preview.as_deref().unwrap_or_default())) }
                        td { (show::text(other.output_preview.as_deref().unwrap_or_default())) }
                        td.number { (other.latency.map(duration).unwrap_or_default()) }
                    }
                }
            }
        }
    })
}

fn to(a: Option<&Row>, b: Option<&Row>) -> String {
    let id = |row: Option<&Row>| row.map(|row| row.id.to_string()).unwrap_or_default();
    let (a, b) = (id(a), id(b));
    address("/compare", [("a", a.as_str()), ("b", b.as_str())])
}

fn beside(a: &Half, b: &Half) -> Markup {
    let lines = aligned(a, b);
    let side = |letter: &str, half: &Half| {
        let row = &half.row;
        html! {
            th scope="col" {
                span.side { (letter) } " "
                a href=(address(&format!("/t/{}", row.trace_id), [("run", row.id.to_string().as_str())])) { (show::text(&row.name)) }
                " " (show::kind(&row.run_type)) (show::status(row.status))
                span.note { (show::moment(row.start_time)) @if let Some(model) = &row.model { " · " (show::text(model)) } }
            }
        }
    };
    html! {
        h1 { "Compare" }
        table.sides {
            thead { tr { (side("A", a)) (side("B", b)) } }
        }
        p.note { a href=(to(Some(&b.row), Some(&a.row))) { "Swap" } }
        (texts("Input", a.stored.run.inputs.as_ref(), b.stored.run.inputs.as_ref(), input_messages))
        (texts("Output", a.stored.run.outputs.as_ref(), b.stored.run.outputs.as_ref(), output_messages))
        @if a.row.error.is_some() || b.row.error.is_some() {
            (difference("Error", a.stored.run.error.as_deref().unwrap_or_default(), b.stored.run.error.as_deref().unwrap_or_default()))
        }
        section {
            h2 { "Runs" }
            table.aligned {
                thead { tr {
                    th { "Run" }
                    th.number { "Took A" } th.number { "B" } th.number { "Δ" }
                    th.number { "Tokens A" } th.number { "B" } th.number { "Δ" }
                    th.number { "Cost A" } th.number { "B" } th.number { "Δ" }
                } }
                tbody { @for (depth, one, two) in &lines { (line(*depth, *one, *two)) } }
            }
            @if a.is_cut || b.is_cut { p.note { "Only the first " (MAX_RUNS) " runs of each side." } }
        }
    }
}

fn line(depth: usize, a: Option<&Row>, b: Option<&Row>) -> Markup {
    let Some(row) = a.or(b) else { return html! {} };
    let only = match (a, b) {
        (Some(_), None) => "only in A",
        (None, Some(_)) => "only in B",
        _ => "",
    };
    let number = |row: Option<&Row>, of: fn(&Row) -> Option<f64>| row.and_then(of);
    let took: fn(&Row) -> Option<f64> = |row| row.latency.map(|nanos| nanos as f64);
    let sum: fn(&Row) -> Option<f64> = |row| row.total_tokens.map(|n| n as f64);
    let cost: fn(&Row) -> Option<f64> = |row| row.cost;
    html! {
        tr.only[!only.is_empty()] {
            td {
                svg.indent width=(14 * depth.min(24)) height="1" aria-hidden="true" {}
                @if only.is_empty() { a href=(to(a, b)) { (show::text(&row.name)) } } @else { (show::text(&row.name)) }
                " " (show::kind(&row.run_type))
                @if !only.is_empty() { " " span.note { (only) } }
                @for (letter, row) in [("A", a), ("B", b)] { @if let Some(row) = row.filter(|row| row.error.is_some()) {
                    " " span.status.error title=(show::plain(row.error.as_deref().unwrap_or_default())) { "error in " (letter) }
                } }
            }
            (three(number(a, took), number(b, took), |n| duration(n as i64)))
            (three(number(a, sum), number(b, sum), |n| tokens(n as u64)))
            (three(number(a, cost), number(b, cost), dollars))
        }
    }
}

/// A figure of both sides, and by how much they differ.
fn three(a: Option<f64>, b: Option<f64>, text: impl Fn(f64) -> String) -> Markup {
    let shown = |n: Option<f64>| n.map(&text).unwrap_or_default();
    let change = a.zip(b).map(|(a, b)| b - a).filter(|change| *change != 0.0);
    html! {
        td.number { (shown(a)) } td.number { (shown(b)) }
        @match change {
            Some(change) if change > 0.0 => td.number.more { "+" (text(change)) },
            Some(change) => td.number.less { "−" (text(-change)) },
            None => td.number {},
        }
    }
}

/// A body as text: a conversation where it is one.
fn plain(body: Option<&Json>, read: fn(&Value) -> Vec<traceable_core::messages::Message>) -> String {
    let value = body.map(Json::to_value).unwrap_or_default();
    let said = read(&value);
    let text = if said.is_empty() {
        match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => serde_json::to_string_pretty(&other).unwrap_or_default(),
        }
    } else {
        let part = |part: &Part| match part {
            Part::Text { content } => content.clone(),
            other => serde_json::to_string_pretty(other).unwrap_or_default(),
        };
        let message = |message: &traceable_core::messages::Message| {
            let parts: Vec<String> = message.parts.iter().map(part).collect();
            format!("{}:\n{}", message.role.as_str(), parts.join("\n"))
        };
        said.iter().map(message).collect::<Vec<_>>().join("\n\n")
    };
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}

fn texts(
    name: &str,
    a: Option<&Json>,
    b: Option<&Json>,
    read: fn(&Value) -> Vec<traceable_core::messages::Message>,
) -> Markup {
    difference(name, &plain(a, read), &plain(b, read))
}

/// Two texts, line by line; in lines that were changed, the words that were.
fn difference(name: &str, a: &str, b: &str) -> Markup {
    if a == b {
        return html! { section { h2 { (name) " " span.note { "the same" } } } };
    }
    // A last line is the same with and without a line behind it.
    let (a, b) = (&format!("{a}\n"), &format!("{b}\n"));
    let diff = TextDiff::configure().timeout(MAX_TIME).diff_lines(a, b);
    html! {
        section {
            h2 { (name) }
            div.diff {
                @for (at, group) in diff.grouped_ops(3).iter().enumerate() {
                    @if at > 0 { hr; }
                    @for op in group {
                        @for change in diff.iter_inline_changes(op) {
                            @let (class, sign) = match change.tag() {
                                ChangeTag::Delete => ("a", "−"),
                                ChangeTag::Insert => ("b", "+"),
                                ChangeTag::Equal => ("same", " "),
                            };
                            div.(class) {
                                span.sign { (sign) }
                                span {
                                    @for (is_changed, text) in change.iter_strings_lossy() {
                                        @let text = text.trim_end_matches('\n');
                                        @if is_changed { mark { (show::text(text)) } } @else { (show::text(text)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
