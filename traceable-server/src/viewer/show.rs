//! Small pieces that many pages show: moments, durations, counts, kinds.

use maud::{Markup, html};
use traceable_core::model::{RunType, Status, format_time};

use crate::print;

/// A moment: how long ago, and exactly when the pointer asks.
pub(super) fn moment(time: i64) -> Markup {
    let exact = format_time(time);
    html! { time datetime=(exact) title=(exact) { (print::ago(time, print::now())) } }
}

/// The kind of a run, as a small coloured label.
pub(super) fn kind(run_type: &RunType) -> Markup {
    let name = run_type.as_str();
    let class = match name {
        "llm" | "chain" | "tool" | "retriever" | "embedding" | "agent" => name,
        _ => "other",
    };
    html! { span.kind.(class) { (name) } }
}

/// How a run stands; nothing when all is well.
pub(super) fn status(status: Status) -> Markup {
    html! {
        @if status != Status::Ok {
            span.status.(status.as_str()) { (status.as_str()) }
        }
    }
}
