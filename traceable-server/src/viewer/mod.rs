//! What people see in a browser: pages, rendered here, and the few modules of script and style that they load.
//!
//! A page is complete without script up to a thousand rows. Scripts add what only a browser can do: keys, live updates,
//! and a window over long trees. Everything of a run is text for [`maud`], which escapes it.

mod assets;
mod bar;
mod charts;
mod compare;
mod complete;
mod content;
mod dashboard;
mod facets;
mod frame;
mod links;
mod place;
mod projects;
mod rows;
mod runs;
mod setup;
mod show;
mod streams;
mod terms;
mod text;
mod thread;
mod threads;
mod trace;
mod users;

use axum::{
    http::Method,
    response::{IntoResponse, Response},
};
use maud::html;

pub(crate) use self::content::{file_head, file_run, file_trace, kind_of};
pub(crate) use self::links::of_run;
use self::{
    frame::{Tab, page},
    place::Place,
};
use crate::http::{App, Refusal, Table};

pub(crate) fn routes(table: &mut Table) {
    let get = Method::GET;
    table.add(&get, "/assets/{version}/{name}", assets::asset);
    table.add(&get, "/", runs::page);
    trace::routes(table);
    table.add(&get, "/compare", compare::page);
    content::routes(table);
    table.add(&get, "/threads/{id}", thread::page);
    table.add(&get, "/complete", complete::part);
    table.add(&get, "/projects", projects::page);
    table.add(&get, "/threads", threads::page);
    table.add(&get, "/users", users::page);
    table.add(&get, "/stats", dashboard::page);
    table.add(&get, "/setup", setup::page);
    table.add(&get, "/trace/{id}", links::trace);
    table.add(&get, "/o/{tenant}/projects/p/{project}/r/{run}", links::run);
}

/// A refusal as a page.
struct Trouble(Refusal);

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let status = self.0.status();
        let text = self.0.detail();
        let body = html! {
            main.narrow {
                h1 { (status.canonical_reason().unwrap_or("It does not work")) }
                p { (show::text(&text)) }
                p { a href="/" { "All runs" } }
            }
        };
        (status, page("traceable", None, &Place::default(), &[], &body)).into_response()
    }
}
