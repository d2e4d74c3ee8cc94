//! What stands around every page.

use axum::{
    http::{HeaderMap, header::CACHE_CONTROL},
    response::IntoResponse,
};
use maud::{DOCTYPE, Markup, html};

use super::{
    assets,
    place::Place,
    text::{plain, text},
};

/// The pages of the bar at the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Runs,
    Threads,
    Users,
    Dashboard,
    Setup,
}

const TABS: [(Tab, &str, &str); 5] = [
    (Tab::Runs, "/", "Runs"),
    (Tab::Threads, "/threads", "Threads"),
    (Tab::Users, "/users", "Users"),
    (Tab::Dashboard, "/stats", "Dashboard"),
    (Tab::Setup, "/setup", "Setup"),
];

/// A whole page. `scripts` are the modules that it needs beside `app.js`, which every page has.
pub(super) fn page(
    title: &str,
    tab: Option<Tab>,
    place: &Place,
    scripts: &[&str],
    body: &Markup,
) -> impl IntoResponse + use<> {
    let place = Place { q: String::new(), ..place.clone() };
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (plain(title)) }
                link rel="icon" href=(assets::url("icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(assets::url("style.css"));
                @for name in ["app.js"].iter().chain(scripts) {
                    script type="module" src=(assets::url(name)) {}
                }
            }
            body {
                a.skip href="#main" { "To the content" }
                header.bar {
                    a.brand href=(place.link("/", &[])) { "traceable" }
                    nav aria-label="Pages" {
                        @for (own, path, name) in TABS {
                            a href=(place.link(path, &[])) aria-current=[(tab == Some(own)).then_some("page")] { (name) }
                        }
                    }
                    (switch(tab, &place))
                }
                (body)
                p #said role="status" {}
            }
        }
    };
    ([(CACHE_CONTROL, "no-store")], markup)
}

/// What is looked at: a project, an environment, or all. A script fetches the choice when it is opened; without one, there
/// is a page for it.
fn switch(tab: Option<Tab>, place: &Place) -> Markup {
    let to = TABS.iter().find(|(own, ..)| tab == Some(*own)).map_or("/", |(_, path, _)| *path);
    let choice = place.link("/projects", &[("to", to)]);
    html! {
        details.switch {
            summary title="Project and environment" {
                span.quiet { "Project " }
                b { @if place.project.is_empty() { "all" } @else { (text(&place.project)) } }
                @if !place.env.is_empty() { span.quiet { " in " } b { (text(&place.env)) } }
            }
            div.choice data-part=(choice) { a href=(choice) { "All projects and environments" } }
        }
    }
}

/// Whether `path` is that of a page of the bar.
pub(super) fn is_tab(path: &str) -> bool {
    TABS.iter().any(|(_, own, _)| *own == path)
}

/// The part of the page that a script asks for.
pub(super) fn part(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-part")?.to_str().ok()
}

/// A part of a page.
pub(super) fn fragment(markup: &Markup) -> impl IntoResponse + use<> {
    ([(CACHE_CONTROL, "no-store")], markup.clone())
}
