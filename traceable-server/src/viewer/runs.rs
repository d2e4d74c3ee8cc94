//! The first page: traces or runs, the newest first.

use std::sync::Arc;

use axum::{
    extract::{Query as Parameters, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use traceable_store::{Cursor, List, Listed, Of, Order, Query, QueryError, Store};

use super::{
    App, Place, Tab, Trouble, bar, content,
    facets::{self, Facets},
    frame,
    rows::{self, Looks},
    setup, streams,
};
use crate::http::Refusal;

/// Rows of a page.
const LIMIT: usize = 100;

/// What is shown of the list, beside what is looked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// `runs`, or traces.
    of: String,
    /// `oldest`, or the newest first.
    order: String,
    /// Behind which row the page begins.
    after: String,
    /// Before which row it ends.
    before: String,
}

/// A page of the list.
pub(super) struct Found {
    pub(super) rows: Vec<Listed>,
    /// What pages before and behind this one begin at.
    previous: Option<Cursor>,
    next: Option<Cursor>,
    /// The newest of all, so that it is known what is newer.
    newest: Option<Cursor>,
    pub(super) streams: streams::Streams,
}

impl Wanted {
    fn of(&self) -> Of {
        if self.of == "runs" { Of::Runs } else { Of::Traces }
    }

    fn order(&self) -> Order {
        if self.order == "oldest" { Order::Oldest } else { Order::Newest }
    }

    /// What links on the page keep, beside the place.
    fn kept(&self) -> [(&'static str, &str); 2] {
        let of = if self.of() == Of::Runs { "runs" } else { "" };
        [("of", of), ("order", if self.order() == Order::Oldest { "oldest" } else { "" })]
    }

    fn find(&self, store: &Store, query: &Query) -> traceable_store::Result<Found> {
        // An address that somebody has cut off shows the first page.
        let at = |text: &str| text.parse::<Cursor>().ok();
        let list =
            List { query: query.clone(), of: self.of(), order: self.order(), limit: LIMIT, after: at(&self.after) };
        let newest = || {
            let first = store.list(&List { after: None, order: Order::Newest, limit: 1, ..list.clone() })?;
            Ok::<_, traceable_store::Error>(first.rows.first().map(|listed| Cursor::of(&listed.row)))
        };
        let mut found = Found { rows: Vec::new(), previous: None, next: None, newest: None, streams: streams::none() };
        if let Some(before) = at(&self.before) {
            let order = if list.order == Order::Newest { Order::Oldest } else { Order::Newest };
            let page = store.list(&List { order, after: Some(before), ..list.clone() })?;
            if page.next.is_some() {
                found.rows = page.rows;
                found.rows.reverse();
                found.previous = found.rows.first().map(|listed| Cursor::of(&listed.row));
                found.next = found.rows.last().map(|listed| Cursor::of(&listed.row));
            }
        }
        if found.rows.is_empty() {
            let page = store.list(&list)?;
            found.rows = page.rows;
            found.next = page.next;
            found.previous = list.after.and_then(|_| found.rows.first()).map(|listed| Cursor::of(&listed.row));
        }
        let is_first = found.previous.is_none() && list.order == Order::Newest;
        found.newest = if is_first { found.rows.first().map(|listed| Cursor::of(&listed.row)) } else { newest()? };
        found.streams = streams::of(store, &found.rows, list.of)?;
        Ok(found)
    }
}

/// What the page shows.
struct Shown {
    /// What is listed.
    query: Query,
    found: Found,
    facets: Option<Facets>,
    /// When nothing was found, how many runs inside of traces there are.
    elsewhere: u64,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Parameters(place): Parameters<Place>,
    Parameters(wanted): Parameters<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let (query, wrong) = match place.query() {
        Ok(query) => (query, None),
        Err(wrong) => (place.ground(), Some(wrong)),
    };
    let part = frame::part(&headers);
    // Before it is asked what there is, so that no change falls between.
    let n = app.live.n();
    let kept = wanted.kept();
    match part {
        Some("new") => return Ok(frame::fragment(&newer(&app, query, &place, &wanted).await?).into_response()),
        Some("facets") => {
            let of = wanted.of();
            let facets = app.ask(move |store| facets::count(store, &query, of)).await?;
            return Ok(frame::fragment(&facets::side(&facets, &place, &kept)).into_response());
        }
        _ => {}
    }
    let (asked, is_part) = (wanted.clone(), part.is_some());
    let shown = app.ask(move |store| shown(store, &asked, query, is_part)).await?;
    Ok(match (part, &shown) {
        (Some(_), Some(shown)) => frame::fragment(&table(&shown.found, &place, &wanted, n)).into_response(),
        (Some(_), None) => frame::fragment(&html! {}).into_response(),
        (None, None) => {
            let body = setup::content(&headers, true);
            frame::page("Runs · traceable", Some(Tab::Runs), &place, &["setup.js"], &body).into_response()
        }
        (None, Some(shown)) => {
            let body = html! {
                main #main.with-facets {
                    h1.unseen { "Runs" }
                    (bar::bar("/", &place, &kept, wrong.as_ref()))
                    @if let Some(facets) = &shown.facets {
                        details.facets #facets open {
                            summary { "Narrow down" }
                            nav aria-label="Narrow down" { (facets::side(facets, &place, &kept)) }
                        }
                    }
                    div.list { (list(shown, &place, &wanted, wrong.as_ref(), n)) }
                }
            };
            frame::page("Runs · traceable", Some(Tab::Runs), &place, &["rows.js", "query.js"], &body).into_response()
        }
    })
}

/// Asks for the list; `None` when the store is empty.
fn shown(store: &Store, wanted: &Wanted, query: Query, is_part: bool) -> traceable_store::Result<Option<Shown>> {
    let found = wanted.find(store, &query)?;
    if found.rows.is_empty() && store.list(&List { limit: 1, ..List::default() })?.rows.is_empty() {
        return Ok(None);
    }
    let facets = if is_part { None } else { Some(facets::count(store, &query, wanted.of())?) };
    // What a root does not have, a run below it may.
    let is_missing = found.rows.is_empty() && wanted.of() == Of::Traces && !is_part;
    let elsewhere = if is_missing { store.count(&query, Of::Runs)? } else { 0 };
    Ok(Some(Shown { query, found, facets, elsewhere }))
}

/// How many rows are newer than one, for a page that does not show them.
async fn newer(app: &Arc<App>, query: Query, place: &Place, wanted: &Wanted) -> Result<Markup, Refusal> {
    let after = wanted.before.parse::<Cursor>().ok();
    let list = List { query, of: wanted.of(), order: Order::Oldest, limit: LIMIT, after };
    let page = app.ask(move |store| store.list(&list)).await?;
    let n = page.rows.len();
    let first = place.link("/", &wanted.kept());
    Ok(html! { @if n > 0 { a.chip href=(first) { (n) @if page.next.is_some() { "+" } " new" } } })
}

fn list(shown: &Shown, place: &Place, wanted: &Wanted, wrong: Option<&QueryError>, n: u64) -> Markup {
    let Shown { query, found, elsewhere, .. } = shown;
    let kept = wanted.kept();
    let [(_, of), (_, order)] = kept;
    let tabs = [
        ("traces", place.link("/", &[("order", order)])),
        ("runs", place.link("/", &[("of", "runs"), ("order", order)])),
    ];
    html! {
        div.over {
            nav.switches aria-label="What is listed" {
                @for (name, url) in tabs {
                    a href=(url) aria-current=[((of == "runs") == (name == "runs")).then_some("page")] { (name) }
                }
                a href=(Place { q: String::new(), ..place.clone() }.link("/threads", &[])) { "threads" }
            }
            span #chip role="status" {}
            (content::export_menu(query, wanted.of()))
            @if wrong.is_some() { span.quiet { "What you look for cannot be read; this is the list without it." } }
        }
        (table(found, place, wanted, n))
        @if found.rows.is_empty() {
            div.nothing {
                p { "Nothing fits." }
                @if *elsewhere > 0 {
                    p {
                        "But " a href=(place.link("/", &[("of", "runs")])) { (crate::print::counted(*elsewhere, "run")) }
                        " inside of traces. Put " code { "tree." } " before a term to find traces by any of their runs, such as "
                        code { "tree.model:gpt-4o" } "."
                    }
                }
                p { a href=(Place::default().link("/", &[])) { "All runs" } }
            }
        }
        nav.pages aria-label="Pages of the list" {
            @let at = |name, cursor: Option<Cursor>| cursor.map(|cursor| place.link("/", &[&kept[..], &[(name, &cursor.to_string())]].concat()));
            @if let Some(url) = at("before", found.previous) { a rel="prev" href=(url) { "← Previous" } }
            @if let Some(url) = at("after", found.next) { a rel="next" href=(url) { "Next →" } }
        }
    }
}

fn table(found: &Found, place: &Place, wanted: &Wanted, n: u64) -> Markup {
    let looks = Looks { place, of: wanted.of(), kept: &wanted.kept(), streams: &found.streams };
    let is_newest = found.previous.is_none() && wanted.order() == Order::Newest;
    let other = if wanted.order() == Order::Oldest { "" } else { "oldest" };
    let turned = place.link("/", &[wanted.kept()[0], ("order", other)]);
    html! {
        table.log {
            thead {
                tr {
                    th.when { a href=(turned) title="Turn the order round" { "When" @if other.is_empty() { " ↑" } @else { " ↓" } } }
                    th.title { "Name" }
                    th.asked { "Question" }
                    th.answered { "Answer" }
                    th.took { "Latency" span.quiet { " · first token" } }
                    th.used { "Tokens" span.quiet { " · cost" } }
                }
            }
            tbody #rows data-n=(n) data-live=(if is_newest { "first" } else { "later" }) data-newest=[found.newest.map(|newest| newest.to_string())] {
                (rows::rows(&found.rows, &looks))
            }
        }
    }
}
