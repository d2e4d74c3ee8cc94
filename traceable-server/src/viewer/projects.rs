//! The choice of a project and an environment, which all pages then keep.

use std::sync::Arc;

use axum::{
    extract::{Query as Parameters, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use traceable_store::{Facet, Field, Of, Query};

use super::{App, Place, Trouble, frame, show};
use crate::print;

/// Environments that are shown, and projects.
const LIMIT: usize = 50;
const PROJECTS: usize = 500;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// The page to go on with.
    to: String,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Parameters(place): Parameters<Place>,
    Parameters(wanted): Parameters<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let found = app.ask(move |store| {
        let counted = store.facets(&Query::default(), Of::Traces, &[Field::Project, Field::Environment], LIMIT)?;
        Ok((store.projects()?, counted.fields))
    });
    let (projects, mut counted) = found.await?;
    let environments = counted.pop().unwrap_or_default();
    let busy = counted.pop().unwrap_or_default();
    // Those with the newest traces first; of others it is only known that they are there.
    let quiet = projects.iter().filter(|project| busy.iter().all(|facet| facet.value != project.name));
    let projects = busy.iter().map(|Facet { value, runs, .. }| (value.as_str(), Some(*runs)));
    let projects: Vec<_> = projects.chain(quiet.map(|project| (project.name.as_str(), None))).collect();
    let environments: Vec<_> = environments.iter().map(|facet| (facet.value.as_str(), Some(facet.runs))).collect();
    let to = if frame::is_tab(&wanted.to) { wanted.to.as_str() } else { "/" };
    let choice = html! {
        (choice("Projects", "project", &place.project, &projects, &place, to))
        @if !environments.is_empty() { (choice("Environments", "env", &place.env, &environments, &place, to)) }
    };
    if frame::part(&headers).is_some() {
        return Ok(frame::fragment(&choice).into_response());
    }
    let body = html! { main #main.narrow { h1.unseen { "Projects and environments" } div.choice { (choice) } } };
    Ok(frame::page("Projects · traceable", None, &place, &[], &body).into_response())
}

fn choice(title: &str, name: &str, now: &str, of: &[(&str, Option<u64>)], place: &Place, to: &str) -> Markup {
    let link = |value: &str| place.link(to, &[(name, value), ("q", "")]);
    html! {
        h2 { (title) }
        ul {
            li { a href=(link("")) aria-current=[now.is_empty().then_some("true")] { "all" } }
            @for (value, traces) in of.iter().take(PROJECTS) {
                li {
                    a href=(link(value)) aria-current=[(*value == now).then_some("true")] {
                        span.value { (show::name(value)) }
                        @if let Some(traces) = traces { span.n { (print::count(*traces)) } }
                    }
                }
            }
            @if of.len() > PROJECTS { li { "… " (print::count((of.len() - PROJECTS) as u64)) " more: search for " code { "project:" } } }
        }
    }
}
