//! Our own protocol, in JSON: what the viewer's scripts, the commands and other programs ask of a server.
//!
//! `API.md` says what it answers, route by route; a test holds that page against this server.

mod ask;
mod changes;
mod events;
mod export;
mod facts;
mod people;
mod runs;
mod scores;
mod tags;

use axum::http::Method;

pub(crate) use self::{changes::Delete, export::streamed, tags::of_row as tag};
use crate::http::Table;

pub(crate) const CHANGES: &str = "/api/traceable/v1/changes";
pub(crate) const DELETE: &str = "/api/traceable/v1/delete";

pub(crate) fn routes(table: &mut Table) {
    let (get, post, delete) = (&Method::GET, &Method::POST, &Method::DELETE);
    table.add(post, CHANGES, changes::changes);
    table.add(post, DELETE, changes::delete);
    let at = |path: &str| format!("/api/traceable/v1{path}");
    table.add(get, &at("/events"), events::events);
    table.add(get, &at("/export"), export::export);
    table.add(get, &at("/runs"), runs::list);
    table.add(get, &at("/runs/{id}"), runs::one);
    table.add(get, &at("/runs/{id}/messages"), runs::messages);
    table.add(get, &at("/runs/{id}/{body}"), runs::body);
    table.add(post, &at("/runs/{id}/tags"), tags::of_run);
    table.add(get, &at("/traces"), runs::traces);
    table.add(get, &at("/traces/{id}"), runs::trace);
    table.add(get, &at("/traces/{id}/skeleton"), runs::skeleton);
    table.add(post, &at("/traces/{id}/tags"), tags::of_trace);
    table.add(get, &at("/threads"), people::threads);
    table.add(get, &at("/threads/{id}"), people::thread);
    table.add(delete, &at("/threads/{id}"), people::delete_thread);
    table.add(post, &at("/threads/{id}/tags"), tags::of_thread);
    table.add(get, &at("/users"), people::users);
    table.add(get, &at("/users/{id}"), people::user);
    table.add(delete, &at("/users/{id}"), people::delete_user);
    table.add(get, &at("/scores"), scores::list);
    table.add(post, &at("/scores"), scores::add);
    table.add(delete, &at("/scores/{id}"), scores::delete);
    table.add(get, &at("/stats"), facts::stats);
    table.add(get, &at("/fields"), facts::fields);
    table.add(get, &at("/values"), facts::values);
    table.add(get, &at("/facets"), facts::facets);
    table.add(get, &at("/projects"), facts::projects);
    table.add(get, &at("/facts"), facts::facts);
}
