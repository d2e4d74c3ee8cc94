//! A trace read as one conversation: what was asked, what models answered, and the tools in between on a line each.

use maud::{Markup, html};
use traceable_core::{
    messages::{Message, Role, output_messages},
    model::{Json, RunType, Status},
};
use traceable_store::{Cursor, List, Of, Order, Query, Result, Row, Store, StoredRun};

use super::{
    super::{
        content::{self, As, Body, Side},
        show,
    },
    Found, Place,
    added::{common, messages},
    find::{kinds, within},
    pane,
};
use crate::print::{counted, duration};

/// Runs of a page, bytes of what they said, and elements of what one of them said.
const PAGE: usize = 60;
const MAX_BYTES: usize = 4 << 20;
const MAX_ELEMENTS: usize = 60;

/// New messages of one call.
const MAX_NEWS: usize = 20;

/// Earlier calls that a call may go on from.
const CALLS_BEFORE: usize = 8;

/// The kinds of runs that have something to say.
const KINDS: [RunType; 4] = [RunType::Llm, RunType::Tool, RunType::Retriever, RunType::Message];

/// One run's part of the conversation.
struct Turn {
    row: Row,
    stored: StoredRun,
    /// What a model was told, and how many of these messages are known from earlier calls.
    told: Vec<Message>,
    known: usize,
}

pub(super) struct Talk {
    turns: Vec<Turn>,
    /// How many runs have something to say, and where the next page begins.
    total: u64,
    next: Option<Cursor>,
    is_first: bool,
}

fn query(found: &Found) -> Query {
    within(found.trace()).and(kinds(&KINDS))
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
            let (told, count) =
                if row.run_type == RunType::Llm { read(&stored, &mut known) } else { Default::default() };
            talk.turns.push(Turn { row, stored, told, known: count });
        }
        Ok(talk)
    }
}

fn size(body: &Json) -> usize {
    body.as_str().len()
}

/// What a call was told, and how much of that was said in earlier ones.
fn read(stored: &StoredRun, known: &mut Vec<Vec<Message>>) -> (Vec<Message>, usize) {
    let told = messages(stored);
    let count = known.iter().map(|said| common(said, &told)).max().unwrap_or(0);
    let outputs = stored.run.outputs.as_ref().filter(|outputs| size(outputs) <= MAX_BYTES);
    let answered = outputs.map(|outputs| output_messages(&outputs.to_value())).unwrap_or_default();
    known.insert(0, told.iter().cloned().chain(answered).collect());
    known.truncate(CALLS_BEFORE);
    (told, count)
}

pub(super) fn talk(talk: &Talk, found: &Found, place: &Place, how: As) -> Markup {
    let has_tools = talk.turns.iter().any(|turn| turn.row.run_type == RunType::Tool);
    let more = talk.next.map(|next| {
        place.link(&format!("/t/{}", found.trace()), &[("view", "transcript"), ("after", &next.to_string())])
    });
    html! {
        (pane::views(found, None, place, how))
        article.talk aria-label="Transcript" {
            @if !talk.is_first {
                p.note { a href=(place.link(&format!("/t/{}", found.trace()), &[("view", "transcript")])) { "From the beginning" } }
            }
            ol { @for turn in &talk.turns { (one(turn, has_tools, found, place, how)) } }
            @if let Some(more) = more {
                p.more { a href=(more) rel="next" { "Go on" } span.note { " · " (counted(talk.total, "run")) " of models and tools in all" } }
            }
        }
    }
}

/// The last of the new messages. Answers of tools are left out where their runs stand beside.
fn news(told: &[Message], known: usize, has_tools: bool, body: &Body) -> Markup {
    let first = known.max(told.len().saturating_sub(MAX_NEWS));
    let is_shown = |message: &Message| !(has_tools && message.role == Role::Tool);
    html! {
        @if first > known { p.note { "… " (counted((first - known) as u64, "message")) " before" } }
        @for (n, message) in told.iter().enumerate().skip(first).filter(|(_, message)| is_shown(message)) {
            (content::message(message, n, body))
        }
    }
}

fn one(turn: &Turn, has_tools: bool, found: &Found, place: &Place, how: As) -> Markup {
    let Turn { row, stored, told, known } = turn;
    let is_call = row.run_type == RunType::Llm || row.id == found.head.id;
    let side = |side: Side| content::shown(stored, side, &Body::of(row.id, side, how).at_most(MAX_ELEMENTS));
    let link = html! {
        a.to href=(pane::link(row, place)) data-to=(row.id) { (show::name(&row.name)) } " " (show::status(row.status))
        span.note {
            @if let Some(model) = &row.model { (show::name(model)) " · " }
            "+" (duration(row.start_time.saturating_sub(found.totals.start_time)))
            @if let Some(took) = row.latency { " · took " (duration(took)) }
        }
    };
    let error = html! { @if let Some(error) = &stored.run.error { (content::error(error)) } };
    let said = stored.run.outputs.is_some() || stored.progress.is_some();
    html! {
        @if is_call {
            li.turn {
                @if told.is_empty() {
                    (side(Side::Input))
                } @else {
                    (news(told, *known, has_tools, &Body::of(row.id, Side::Input, how).at_most(MAX_ELEMENTS)))
                }
                p.by { (show::kind(&row.run_type)) " " (link) }
                div.told { @if said { (side(Side::Output)) } (error) }
                @if row.status == Status::Pending && !said { p.note { "Nothing yet." } }
            }
        } @else {
            li.step {
                details {
                    summary {
                        (show::kind(&row.run_type)) " " b { (show::name(&row.name)) } " "
                        span.gist {
                            (show::text(row.input_preview.as_deref().unwrap_or_default()))
                            " → "
                            @match &row.error {
                                Some(error) => span.bad { (show::name(error.lines().next().unwrap_or("failed"))) },
                                None => (show::text(row.output_preview.as_deref().unwrap_or("…"))),
                            }
                        }
                    }
                    p.by { (link) }
                    (side(Side::Input))
                    (side(Side::Output))
                    (error)
                }
            }
        }
    }
}
