//! What people see in a browser: pages, rendered here, and the few modules of script and style that they load.
//!
//! A page is complete without script up to a thousand rows. Scripts add what only a browser can do: keys, live updates,
//! and a window over long lists. Everything of a run is text for [`maud`], which escapes it.

mod assets;
mod frame;
mod place;
mod runs;
mod show;

use axum::{
    http::Method,
    response::{IntoResponse, Response},
};
use maud::html;

use self::{
    frame::{Tab, page},
    place::Place,
};
use crate::http::{App, Refusal, Table};

pub(crate) fn routes(table: &mut Table) {
    let get = Method::GET;
    table.add(&get, "/assets/{version}/{name}", assets::asset);
    table.add(&get, "/", runs::page);
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
                p { (text) }
                p { a href="/" { "All runs" } }
            }
        };
        (status, page("traceable", None, &Place::default(), &[], &body)).into_response()
    }
}
