//! Small pieces that many pages show: moments, durations, counts, kinds.

use maud::{Markup, html};
use traceable_core::model::{RunType, Status, format_time};

pub(super) use super::text::{plain, text};
use crate::print;

/// Bytes of a name in a list. Whoever sends it may send megabytes.
const MAX_NAME: usize = 500;

/// As much as one reads of a name, or of the line of an error, among many.
pub(super) fn brief(said: &str) -> &str {
    let end = said.char_indices().map(|(at, _)| at).find(|at| *at > MAX_NAME);
    end.and_then(|end| said.get(..end)).unwrap_or(said)
}

/// The same as a part of a page.
pub(super) fn name(said: &str) -> Markup {
    let brief = brief(said);
    html! { (text(brief)) @if brief.len() < said.len() { "…" } }
}

/// A moment: how long ago, and exactly when the pointer asks. A script keeps it true while the page is open.
pub(super) fn moment(time: i64) -> Markup {
    let exact = format_time(time);
    html! { time.ago datetime=(exact) title=(exact) { (print::ago(time, print::now())) } }
}

/// How long something goes on already that began then.
pub(super) fn since(time: i64) -> Markup {
    let exact = format_time(time);
    let ago = print::ago(time, print::now());
    html! { "pending since " time.since datetime=(exact) title=(exact) { (ago.trim_end_matches(" ago")) } }
}

/// The kind of a run, as a small coloured label.
pub(super) fn kind(run_type: &RunType) -> Markup {
    let name = run_type.as_str();
    let class = match name {
        "llm" | "chain" | "tool" | "retriever" | "embedding" | "agent" => name,
        _ => "other",
    };
    html! { span.kind.(class) { (self::name(name)) } }
}

/// How a run stands; nothing when all is well.
pub(super) fn status(status: Status) -> Markup {
    html! {
        @if status != Status::Ok {
            span.status.(status.as_str()) { (status.as_str()) }
        }
    }
}

/// A sum of tokens; nothing of none.
pub(super) fn tokens(n: u64) -> Markup {
    html! { @if n > 0 { span title={ (print::count(n)) " tokens" } { (print::tokens(n)) } } }
}

/// US dollars; nothing of none.
pub(super) fn dollars(amount: f64) -> Markup {
    html! { @if amount > 0.0 { (print::dollars(amount)) } }
}

/// Errors; nothing of none.
pub(super) fn errors(n: u64) -> Markup {
    html! { @if n > 0 { span.bad { (print::counted(n, "error")) } } }
}
