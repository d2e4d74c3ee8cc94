//! Users: how much they asked, and what it came to.

use std::sync::Arc;

use axum::{
    extract::{Query as Parameters, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use traceable_store::{Field, People, PeopleCursor, UserSummary};

use super::{App, Place, Tab, Trouble, frame, place, show, terms};
use crate::print;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// A part of the name.
    q: String,
    after: String,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Parameters(place): Parameters<Place>,
    Parameters(Wanted { q, after }): Parameters<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let people = People { text: q, after: after.parse::<PeopleCursor>().ok(), ..People::default() };
    let (is_first, n) = (people.after.is_none(), app.live.n());
    let found = app.ask(move |store| store.users(&people)).await?;
    let table = table(&found.rows, &place, is_first, n);
    if frame::part(&headers).is_some() {
        return Ok(frame::fragment(&table).into_response());
    }
    let next = found.next.map(|next| place.link("/users", &[("after", &next.to_string())]));
    let body = html! {
        main #main {
            h1.unseen { "Users" }
            (finder("/users", "Find by name", &place, &[]))
            (table)
            @if found.rows.is_empty() {
                div.nothing {
                    p { "There is no user here." }
                    p { "Runs name their user in their metadata, as " code { "user_id" } "." }
                }
            }
            nav.pages aria-label="Pages of the list" {
                @if !is_first { a href=(place.link("/users", &[])) { "← First" } }
                @if let Some(next) = next { a rel="next" href=(next) { "Next →" } }
            }
        }
    };
    Ok(frame::page("Users · traceable", Some(Tab::Users), &place, &["rows.js"], &body).into_response())
}

/// A line that finds people or their conversations by name.
pub(super) fn finder(path: &str, about: &str, at: &Place, more: &[(&str, &str)]) -> Markup {
    let kept = [("project", at.project.as_str()), ("env", &at.env)];
    let kept = || kept.into_iter().chain(more.iter().copied()).filter(|(_, value)| !value.is_empty());
    html! {
        form.query role="search" action=(path) method="get" {
            @for (name, value) in kept() { input type="hidden" name=(name) value=(value); }
            div.field { input #q name="q" type="search" value=(at.q) placeholder=(about) aria-label=(about) autocomplete="off"; }
            button { "Find" }
            @if !at.q.is_empty() { a.clear href=(place::address(path, kept())) { "Clear" } }
        }
        // The store knows people of the whole store only.
        @if !at.project.is_empty() || !at.env.is_empty() {
            p.quiet { "Of all projects and environments: people and their conversations may have runs in several." }
        }
    }
}

fn table(rows: &[UserSummary], place: &Place, is_first: bool, n: u64) -> Markup {
    let place = Place { q: String::new(), ..place.clone() };
    html! {
        table.people.users {
            thead {
                tr {
                    th.title { "User" }
                    th.n { "Threads" }
                    th.n { "Traces" }
                    th.n { "Errors" }
                    th.n { "Tokens" }
                    th.n { "Cost" }
                    th.when { "Last seen" }
                }
            }
            tbody #rows data-n=(n) data-live=(if is_first { "first" } else { "later" }) {
                @for UserSummary { user, tally, threads, .. } in rows {
                    @let id = &user.identifier;
                    @let own = terms::is(&Field::User, id).to_string();
                    tr data-id=(id) {
                        td.title { a.whole href=(place.link("/", &[("q", &own)])) { (show::name(id)) } }
                        td.n data-label="Threads" {
                            @if *threads > 0 { a.over href=(place.link("/threads", &[("user", id)])) { (print::count(*threads)) } }
                        }
                        td.n data-label="Traces" { (print::count(tally.traces)) }
                        td.n data-label="Errors" { @if tally.errors > 0 { span.bad { (print::count(tally.errors)) } } }
                        td.n data-label="Tokens" { (show::tokens(tally.total_tokens)) }
                        td.n data-label="Cost" { (show::dollars(tally.cost)) }
                        td.when { @if let Some(last) = tally.last_time { (show::moment(last)) } }
                    }
                }
            }
        }
    }
}
