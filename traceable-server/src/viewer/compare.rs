//! Two runs or traces side by side: what took longer, what cost more, and what was said otherwise.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{Query as Parameters, State},
    response::IntoResponse,
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use similar::{ChangeTag, DiffTag, InlineChange, TextDiff};
use traceable_core::{
    messages::{Part, input_messages, output_messages},
    model::{Json, RunId},
};
use traceable_store::{Field, List, Of, Op, Query, Result, Row, Store, StoredRun, Value as Wants};

use super::{App, Place, Trouble, frame, place::address, show};
use crate::{
    http::Refusal,
    print::{bytes, counted, dollars, duration, tokens},
};

/// Runs of a side that are laid beside the other's.
const MAX_RUNS: usize = 500;

/// Bytes of a text that is compared, and the time that this may take.
const MAX_TEXT: usize = 200_000;
const MAX_TIME: Duration = Duration::from_millis(300);

/// Elements that one comparison is made of, and changes that are marked in one line.
const MAX_ELEMENTS: usize = 1_500;
const MAX_CHANGES: usize = 50;

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
            // The root of a trace may be missing.
            None => {
                let query = Query::Compare(Field::Trace, Op::Eq, Wants::Id(id));
                store
                    .list(&List { query, of: Of::Traces, limit: 1, ..List::default() })?
                    .rows
                    .pop()
                    .map(|head| head.row)
            }
            found => found,
        };
        let Some(row) = row else { return Ok(None) };
        let Some(stored) = store.run(row.id)? else { return Ok(None) };
        let (below, is_cut) = below(store, &row)?;
        Ok(Some(Self { stored, row, below, is_cut }))
    }

    /// Where all of one side of the run is shown.
    fn whole(&self, side: &str) -> String {
        if side.is_empty() {
            address(&format!("/t/{}", self.row.trace_id), [("run", self.row.id.to_string().as_str())])
        } else {
            format!("/body/{}/{side}", self.row.id)
        }
    }
}

/// Where a run stands below another: names, and which of its name it is there.
type Path = Vec<(String, usize)>;

/// A line of two: how deep, and who stands there on either side.
type Line<'a> = (usize, Option<&'a Row>, Option<&'a Row>);

/// A run and those below it in the order of the tree, each with its path; and whether there are more.
fn below(store: &Store, top: &Row) -> Result<(Vec<(Path, Row)>, bool)> {
    let mut found = vec![(Path::new(), top.clone())];
    let (Some(tree), Some(number)) = (store.skeleton(top.trace_id)?, store.number_of(top.id)?) else {
        return Ok((found, false));
    };
    let mut rows = tree.numbers.iter().zip(&tree.depths).zip(&tree.names).skip_while(|((at, _), _)| **at != number);
    let base = rows.next().map_or(0, |((_, depth), _)| *depth);
    let (mut path, mut seen) = (Path::new(), Vec::<HashMap<u32, usize>>::new());
    for ((number, depth), word) in rows.take_while(|((_, depth), _)| **depth > base) {
        if found.len() == MAX_RUNS {
            return Ok((found, true));
        }
        let level = (depth - base) as usize;
        path.truncate(level - 1);
        seen.resize_with(level, HashMap::new);
        let n = seen.last_mut().map_or(0, |seen| {
            let n = seen.entry(*word).or_default();
            *n += 1;
            *n
        });
        path.push((tree.all_names.get(*word as usize).cloned().unwrap_or_default(), n));
        let run = store.run_at(top.trace_id, *number)?;
        if let Some(row) = run.map_or(Ok(None), |run| store.row(run))? {
            found.push((path.clone(), row));
        }
    }
    Ok((found, false))
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
        h1 { "Compare " (show::name(&row.name)) " with …" }
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
                a href=(half.whole("")) { (show::name(&row.name)) }
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
        @let [input, output, error] = ["input", "output", ""].map(|side| [a.whole(side), b.whole(side)]);
        (difference("Input", &[a, b].map(|half| plain(half.stored.run.inputs.as_ref(), input_messages)), &input))
        (difference("Output", &[a, b].map(|half| plain(half.stored.run.outputs.as_ref(), output_messages)), &output))
        @if a.row.error.is_some() || b.row.error.is_some() {
            (difference("Error", &[a, b].map(|half| half.stored.run.error.clone().unwrap_or_default()), &error))
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
                @if only.is_empty() { a href=(to(a, b)) { (show::name(&row.name)) } } @else { (show::name(&row.name)) }
                " " (show::kind(&row.run_type))
                @if !only.is_empty() { " " span.note { (only) } }
                @for (letter, row) in [("A", a), ("B", b)] { @if let Some(row) = row.filter(|row| row.error.is_some()) {
                    " " span.status.error title=(show::plain(show::brief(row.error.as_deref().unwrap_or_default()))) { "error in " (letter) }
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
    if said.is_empty() {
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
    }
}

/// Two texts, line by line; in lines that were changed, the words that were. `whole` says where all of each is shown.
fn difference(name: &str, texts: &[String; 2], whole: &[String; 2]) -> Markup {
    let [a, b] = texts;
    if a == b {
        return html! { section { h2 { (name) " " span.note { "the same" } } } };
    }
    let is_cut = a.len().max(b.len()) > MAX_TEXT;
    // A last line is the same with and without a line behind it.
    let [a, b] = texts.each_ref().map(|text| format!("{}\n", begin(text)));
    let until = Instant::now() + MAX_TIME;
    let diff = TextDiff::configure().deadline(until).diff_lines(&a, &b);
    let groups = diff.grouped_ops(3);
    let mut left = MAX_ELEMENTS;
    let (mut lines, mut more) = (Vec::new(), 0);
    for (at, group) in groups.iter().enumerate() {
        if at > 0 && left > 0 {
            lines.push(html! { hr; });
        }
        for op in group {
            let mut shown = 0;
            // What comes too late to look for words is shown line by line.
            for change in diff.iter_inline_changes_deadline(op, Some(until)) {
                if left == 0 {
                    break;
                }
                let line = line_of(&change);
                left = left.saturating_sub(line.0.matches("</").count());
                lines.push(line);
                shown += 1;
            }
            let (_, old, new) = op.as_tag_tuple();
            let all = if op.tag() == DiffTag::Equal { old.len() } else { old.len() + new.len() };
            more += all.saturating_sub(shown);
        }
    }
    html! {
        section {
            h2 { (name) }
            div.diff { @for line in &lines { (line) } }
            @if more > 0 || is_cut {
                p.note {
                    @if more > 0 { "… " (counted(more as u64, "line")) " more. " }
                    @if is_cut { "Only the first " (bytes(MAX_TEXT as u64)) " of each were compared. " }
                    "All of it: " a href=(whole[0]) { "A" } ", " a href=(whole[1]) { "B" }
                }
            }
        }
    }
}

/// As much of a text as is compared.
fn begin(text: &str) -> &str {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

fn line_of(change: &InlineChange<'_, str>) -> Markup {
    let (class, sign) = match change.tag() {
        ChangeTag::Delete => ("a", "−"),
        ChangeTag::Insert => ("b", "+"),
        ChangeTag::Equal => ("same", " "),
    };
    let mut pieces: Vec<_> = change.iter_strings_lossy().collect();
    if pieces.len() > MAX_CHANGES {
        pieces = vec![(true, pieces.iter().map(|(_, text)| &**text).collect::<String>().into())];
    }
    html! {
        div.(class) {
            span.sign { (sign) }
            span {
                @for (is_changed, text) in &pieces {
                    @let text = text.trim_end_matches('\n');
                    @if *is_changed { mark { (show::text(text)) } } @else { (show::text(text)) }
                }
            }
        }
    }
}
