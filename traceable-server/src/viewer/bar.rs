//! The line where it is said what is looked for, and what is wrong with it. It is a form that works without script.

use maud::{Markup, html};
use traceable_store::QueryError;

use super::{
    place::{Place, address},
    show,
};

/// The bar of the page at `path`. `more` are parameters of the page that a new question keeps.
pub(super) fn bar(path: &str, place: &Place, more: &[(&str, &str)], wrong: Option<&QueryError>) -> Markup {
    let kept = [("project", place.project.as_str()), ("env", &place.env)];
    let kept = || kept.into_iter().chain(more.iter().copied()).filter(|(_, value)| !value.is_empty());
    html! {
        form.query role="search" action=(path) method="get" {
            @for (name, value) in kept() { input type="hidden" name=(name) value=(value); }
            div.field {
                input #q name="q" type="search" value=(place.q) placeholder="Search: refund  latency:>2s  has:error  tree.model:gpt-4o"
                    aria-label="Search" autocomplete="off" autocapitalize="off" spellcheck="false"
                    role="combobox" aria-expanded="false" aria-controls="proposals" aria-autocomplete="list"
                    aria-describedby="wrong" aria-invalid=[wrong.map(|_| "true")];
                ul #proposals role="listbox" aria-label="Proposals" hidden {}
            }
            button { "Search" }
            @if !place.q.is_empty() { a.clear href=(address(path, kept())) { "Clear" } }
        }
        div #wrong aria-live="polite" {
            @if let Some(wrong) = wrong { (complaint(path, place, more, wrong)) }
        }
    }
}

/// What is wrong with a query, shown where it stands.
pub(super) fn complaint(path: &str, place: &Place, more: &[(&str, &str)], wrong: &QueryError) -> Markup {
    let text = wrong.to_string();
    let problem = text.split_once(": ").map_or(text.as_str(), |(_, problem)| problem);
    // What was found and what was meant are shown beside.
    let problem = problem.split_once("; did you mean").map_or(problem, |(problem, _)| problem);
    let problem = problem.split_once(", found `").map_or(problem, |(problem, _)| problem);
    let (before, rest) = place.q.split_at_checked(wrong.at()).unwrap_or((&place.q, ""));
    let length = if rest.starts_with(wrong.found()) { wrong.found().len() } else { 0 };
    let (found, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
    html! {
        p.complaint {
            code.said { (show::text(before)) mark { (show::text(if found.is_empty() { "…" } else { found })) } (show::text(after)) }
            " " (show::text(problem))
            @if let Some(nearest) = wrong.nearest().filter(|_| !found.is_empty()) {
                @let better = format!("{before}{nearest}{after}");
                "; did you mean " a.better href=(place.link(path, &[more, &[("q", &better)]].concat())) { (nearest) } "?"
            }
        }
    }
}
