//! What stands around every page.

use axum::{http::header::CACHE_CONTROL, response::IntoResponse};
use maud::{DOCTYPE, Markup, html};

use super::{assets, place::Place};

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
                title { (title) }
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
                }
                (body)
            }
        }
    };
    ([(CACHE_CONTROL, "no-store")], markup)
}
