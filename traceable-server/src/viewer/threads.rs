//! Conversations: what was asked first, what was answered last, and what they came to.

use std::sync::Arc;

use axum::{
    extract::{Query as Parameters, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use traceable_store::{People, PeopleCursor, ThreadSummary};

use super::{App, Place, Tab, Trouble, frame, rows::TAGS, show, users::finder};
use crate::print;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// A part of the id or of the title.
    q: String,
    /// Whose.
    user: String,
    after: String,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Parameters(place): Parameters<Place>,
    Parameters(Wanted { q, user, after }): Parameters<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let people = People { text: q, after: after.parse::<PeopleCursor>().ok(), ..People::default() };
    let (is_first, n) = (people.after.is_none(), app.live.n());
    let whose = Some(user.clone()).filter(|user| !user.is_empty());
    let found = app.ask(move |store| store.threads(whose.as_deref(), &people)).await?;
    let table = table(&found.rows, &place, is_first, n);
    if frame::part(&headers).is_some() {
        return Ok(frame::fragment(&table).into_response());
    }
    let next = found.next.map(|next| place.link("/threads", &[("user", &user), ("after", &next.to_string())]));
    let body = html! {
        main #main {
            h1.unseen { "Threads" }
            (finder("/threads", "Find by id or title", &place, &[("user", &user)]))
            @if !user.is_empty() {
                p { "Of " b { (show::name(&user)) } " · " a href=(place.link("/threads", &[])) { "of all users" } }
            }
            (table)
            @if found.rows.is_empty() {
                div.nothing {
                    p { "There is no thread here." }
                    p { "Traces with the same thread id are a conversation: " code { "metadata(thread_id = id)" } " in the attribute, "
                        code { "thread_id" } " or " code { "session_id" } " in the metadata of other SDKs." }
                }
            }
            nav.pages aria-label="Pages of the list" {
                @if !is_first { a href=(place.link("/threads", &[("user", &user)])) { "← First" } }
                @if let Some(next) = next { a rel="next" href=(next) { "Next →" } }
            }
        }
    };
    Ok(frame::page("Threads · traceable", Some(Tab::Threads), &place, &["rows.js"], &body).into_response())
}

fn table(rows: &[ThreadSummary], place: &Place, is_first: bool, n: u64) -> Markup {
    html! {
        table.people {
            thead {
                tr {
                    th.when { "Last" }
                    th.title { "Thread" }
                    th.asked { "First question" }
                    th.answered { "Last answer" }
                    th.n { "Traces" }
                    th.n { "Tokens" }
                    th.n { "Cost" }
                    th.who { "User" }
                }
            }
            tbody #rows data-n=(n) data-live=(if is_first { "first" } else { "later" }) {
                @for row in rows { (one(row, place)) }
            }
        }
    }
}

fn one(ThreadSummary { thread, tally, first_input, last_output, .. }: &ThreadSummary, place: &Place) -> Markup {
    let id = percent_encoding::utf8_percent_encode(&thread.id, percent_encoding::NON_ALPHANUMERIC);
    let url = Place { q: String::new(), ..place.clone() }.link(&format!("/threads/{id}"), &[]);
    html! {
        tr data-id=(thread.id) {
            td.when { @if let Some(last) = tally.last_time { (show::moment(last)) } }
            td.title {
                a.whole href=(url) { (show::name(thread.name.as_deref().unwrap_or(&thread.id))) }
                div.about {
                    (show::errors(tally.errors))
                    @for tag in thread.tags.iter().take(TAGS) { span.tag { (show::name(tag)) } }
                    @if thread.tags.len() > TAGS { span { "+" (thread.tags.len() - TAGS) } }
                }
            }
            td.asked { div.two { (show::text(first_input.as_deref().unwrap_or_default())) } }
            td.answered { div.two { (show::text(last_output.as_deref().unwrap_or_default())) } }
            td.n data-label="Traces" { (print::count(tally.traces)) }
            td.n data-label="Tokens" { (show::tokens(tally.total_tokens)) }
            td.n data-label="Cost" { (show::dollars(tally.cost)) }
            td.who { (show::name(thread.user.as_deref().unwrap_or_default())) }
        }
    }
}
