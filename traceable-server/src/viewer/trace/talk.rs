//! A trace read as one conversation: what was asked, what models answered, and the tools in between on a line each.

use maud::{Markup, html};
use traceable_core::{
    messages::{Message, output_messages},
    model::{Json, RunType, Status},
};
use traceable_store::{Cursor, List, Of, Order, Query, Result, Row, Store, StoredRun};

use super::{
    super::{
        content::{self, Side},
        show,
    },
    Found, Place,
    added::{messages, told},
    find::{kinds, within},
    pane,
};
use crate::print::{counted, duration};

/// Runs of a page, and bytes of what they said.
const PAGE: usize = 100;
const MAX_BYTES: usize = 4 << 20;

/// Earlier calls that a call may go on from.
const CALLS_BEFORE: usize = 8;

/// The kinds of runs that have something to say.
const KINDS: [RunType; 4] = [RunType::Llm, RunType::Tool, RunType::Retriever, RunType::Message];

/// One run's part of the conversation.
struct Turn {
    row: Row,
    stored: StoredRun,
    /// What a model was told that it had not been told before.
    new: Option<StoredRun>,
}

pub(super) struct Talk {
    turns: Vec<Turn>,
    /// How many runs have something to say, and where the next page begins.
    total: u64,
    next: Option<Cursor>,
    is_first: bool,
}

fn query(found: &Found) -> Query {
    within(found.id()).and(kinds(&KINDS))
}

impl Talk {
    pub(super) fn load(store: &Store, found: &Found, after: Option<Cursor>) -> Result<Self> {
        let total = store.count(&query(found), Of::Runs)?;
        let list = List { query: query(found), of: Of::Runs, order: Order::Oldest, limit: PAGE, after };
        let page = store.list(&list)?;
        let mut rows: Vec<Row> = page.rows.into_iter().map(|listed| listed.row).collect();
        if !rows.iter().any(|row| row.run_type == RunType::Llm) && after.is_none() {
            rows.insert(0, found.head.clone());
            rows.dedup_by_key(|row| row.id);
        }
        let mut talk = Self { turns: Vec::new(), total, next: page.next, is_first: after.is_none() };
        let mut known: Vec<Vec<Message>> = Vec::new();
        let mut bytes = 0;
        for row in rows {
            let Some(stored) = store.run(row.id)? else { continue };
            bytes += [&stored.run.inputs, &stored.run.outputs].into_iter().flatten().map(size).sum::<usize>();
            if bytes > MAX_BYTES && !talk.turns.is_empty() {
                talk.next = talk.turns.last().map(|turn| Cursor::of(&turn.row));
                break;
            }
            let new = (row.run_type == RunType::Llm).then(|| new(&stored, &mut known)).flatten();
            talk.turns.push(Turn { row, stored, new });
        }
        Ok(talk)
    }
}

fn size(body: &Json) -> usize {
    body.as_str().len()
}

/// What is new in a call's prompt, beside all that was said in earlier ones; `None` where that is everything.
fn new(stored: &StoredRun, known: &mut Vec<Vec<Message>>) -> Option<StoredRun> {
    let told_now = messages(stored);
    let is_same = |(one, two): &(&Message, &Message)| one.role == two.role && one.parts == two.parts;
    let common = known.iter().map(|said| said.iter().zip(&told_now).take_while(is_same).count()).max().unwrap_or(0);
    let new = (common > 0).then(|| told(stored, told_now.get(common..).unwrap_or_default()));
    let outputs = stored.run.outputs.as_ref().filter(|outputs| size(outputs) <= MAX_BYTES);
    let answered = outputs.map(|outputs| output_messages(&outputs.to_value())).unwrap_or_default();
    known.insert(0, told_now.into_iter().chain(answered).collect());
    known.truncate(CALLS_BEFORE);
    new
}

pub(super) fn talk(talk: &Talk, found: &Found, place: &Place) -> Markup {
    let more = talk
        .next
        .map(|next| place.link(&format!("/t/{}", found.id()), &[("view", "transcript"), ("after", &next.to_string())]));
    html! {
        (pane::views(found, None, place))
        article.talk aria-label="Transcript" {
            @if !talk.is_first {
                p.note { a href=(place.link(&format!("/t/{}", found.id()), &[("view", "transcript")])) { "From the beginning" } }
            }
            ol { @for turn in &talk.turns { (one(turn, found, place)) } }
            @if let Some(more) = more {
                p.more { a href=(more) rel="next" { "Go on" } span.note { " · " (counted(talk.total, "run")) " of models and tools in all" } }
            }
        }
    }
}

fn one(turn: &Turn, found: &Found, place: &Place) -> Markup {
    let Turn { row, stored, new } = turn;
    let is_call = row.run_type == RunType::Llm || row.id == found.head.id;
    let has_news = new.as_ref().is_none_or(|new| !messages(new).is_empty());
    let link = html! {
        a.to href=(pane::link(row, place)) data-to=(row.id) { (row.name) } " " (show::status(row.status))
        span.note {
            @if let Some(model) = &row.model { (model) " · " }
            "+" (duration(row.start_time - found.totals.start_time))
            @if let Some(took) = row.latency { " · took " (duration(took)) }
        }
    };
    let error = html! { @if let Some(error) = &stored.run.error { (content::error(error)) } };
    let said = stored.run.outputs.is_some() || stored.progress.is_some();
    html! {
        @if is_call {
            li.turn {
                @if has_news { (content::side(new.as_ref().unwrap_or(stored), Side::Input)) }
                p.by { (show::kind(&row.run_type)) " " (link) }
                div.answer { @if said { (content::side(stored, Side::Output)) } (error) }
                @if row.status == Status::Pending && !said { p.note { "Nothing yet." } }
            }
        } @else {
            li.step {
                details {
                    summary {
                        (show::kind(&row.run_type)) " " b { (row.name) } " "
                        span.gist {
                            (row.input_preview.as_deref().unwrap_or_default())
                            " → "
                            @match &row.error {
                                Some(error) => span.bad { (error.lines().next().unwrap_or("failed")) },
                                None => (row.output_preview.as_deref().unwrap_or("…")),
                            }
                        }
                    }
                    p.by { (link) }
                    (content::side(stored, Side::Input))
                    (content::side(stored, Side::Output))
                    (error)
                }
            }
        }
    }
}
