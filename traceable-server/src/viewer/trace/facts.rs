//! What is known of a run beside its input and output.

use maud::{Markup, html};
use serde_json::Value;
use traceable_core::model::Usage;

use super::{Found, Place, pane, pane::Shown, segment, sent};
use crate::{
    print::{bytes, count, counted, dollars, duration},
    viewer::{
        content::{self, As, Body},
        show,
        text::text,
    },
};

/// Characters of a value; the whole is in the JSON.
const MAX_VALUE: usize = 4_000;

/// Values of a kind that are listed, and events.
const MAX_VALUES: usize = 200;
const MAX_EVENTS: usize = 200;

pub(super) fn facts(shown: &Shown, found: &Found, place: &Place) -> Markup {
    let Shown { row, stored, .. } = shown;
    let run = &stored.run;
    let is_ours = |name: &str| ["traceable.", "LANGSMITH_", "LANGCHAIN_"].iter().any(|own| name.starts_with(own));
    let (by_sdk, metadata): (Vec<_>, Vec<_>) = run.metadata.iter().partition(|(name, _)| is_ours(name));
    html! {
        (section("Files", stored.files.len(), true, &content::files(&stored.files)))
        (values("Parameters", run.params.iter(), true))
        @if let Some(usage) = run.usage.as_ref().filter(|usage| !usage.is_empty()) { (used(usage)) }
        @if let Some(expected) = &run.expected {
            (section("Expected output", 1, false, &value(&expected.to_value(), &trees())))
        }
        (values("Metadata", metadata.into_iter(), true))
        (values("Prompt variables", run.variables.iter(), false))
        (section("Events", run.events.len(), false, &html! {
            @let trees = trees();
            dl {
                @for event in run.events.iter().take(MAX_EVENTS) {
                    dt { (text(&event.name)) } dd {
                        "+" (duration(event.time.saturating_sub(run.start_time))) " "
                        @if let Some(data) = &event.data { (value(data, &trees)) }
                    }
                }
            }
            @if run.events.len() > MAX_EVENTS { p.note { (counted(run.events.len() as u64, "event")) " in all: see the JSON." } }
        }))
        (section("Origin", 1, false, &html! {
            dl {
                @for (name, said) in [
                    ("project", Some(row.project.as_str())), ("provider", run.provider.as_deref()),
                    ("environment", run.environment.as_deref()), ("release", run.release.as_deref()),
                    ("thread", run.thread_id.as_deref()), ("session", run.session_id.as_deref()),
                    ("user", run.user.as_deref()), ("prompt", run.prompt_ref.as_deref()),
                    ("deployment", run.deployment_ref.as_deref()),
                ] {
                    @if let Some(said) = said {
                        dt { (name) } dd {
                            @match name {
                                "thread" => a href=(place.link(&format!("/threads/{}", segment(said)), &[])) { (text(said)) },
                                _ => (text(said)),
                            }
                        }
                    }
                }
                @if let Some(source) = &run.source {
                    dt { "source" } dd { code { (text(&source.file)) ":" (source.line) } " " (text(&source.module)) }
                }
                @if let Some(otel) = &run.otel { dt { "trace of OpenTelemetry" } dd { code { (format!("{:032x}", otel.trace_id)) } } }
                @if let Some(parent) = row.parent_id.filter(|_| row.id != found.head.id) {
                    dt { "parent" } dd {
                        a href=(place.link(&format!("/t/{}", row.trace_id), &[("run", &parent.to_string())])) { (parent) }
                    }
                }
                dt { "sent to" } dd { (sent::link(row.id)) }
                dt { "began" } dd { (show::moment(row.start_time)) " " @if row.end_time.is_none() { (show::since(row.start_time)) } }
                @let trees = trees();
                @for (name, said) in by_sdk.into_iter().take(MAX_VALUES) { dt { (show::name(name)) } dd { (value(said, &trees)) } }
            }
        }))
        (pane::ways(row))
    }
}

/// A part that can be closed; nothing where it would be empty.
fn section(name: &str, items: usize, is_open: bool, body: &Markup) -> Markup {
    html! {
        @if items > 0 {
            details.section data-section=(name) open[is_open] { summary { (name) } (body) }
        }
    }
}

fn values<'a>(name: &str, values: impl ExactSizeIterator<Item = (&'a String, &'a Value)>, is_open: bool) -> Markup {
    let (all, trees) = (values.len(), trees());
    section(
        name,
        all,
        is_open,
        &html! {
            dl { @for (name, said) in values.take(MAX_VALUES) { dt { (show::name(name)) } dd { (value(said, &trees)) } } }
            @if all > MAX_VALUES { p.note { (counted(all as u64, "value")) " in all: see the JSON." } }
        },
    )
}

/// What trees of one section may take together.
fn trees() -> Body {
    Body::loose(As::Json)
}

/// A value: a text as it is, cut where it is long, or a tree.
fn value(value: &Value, trees: &Body) -> Markup {
    let said = match value {
        Value::String(said) => said.clone(),
        Value::Array(_) | Value::Object(_) => {
            return content::tree(value, "", trees);
        }
        other => other.to_string(),
    };
    let shown: String = said.chars().take(MAX_VALUE).collect();
    html! {
        @if shown.contains('\n') { pre { (text(&shown)) } } @else { (text(&shown)) }
        @if shown.len() < said.len() { span.note { " … " (bytes(said.len() as u64)) " in all: see the JSON" } }
    }
}

fn used(usage: &Usage) -> Markup {
    let side = |name: &str, tokens: Option<u64>, cost: Option<f64>| {
        html! {
            @if tokens.is_some() || cost.is_some() {
                tr { th scope="row" { (name) } td { (tokens.map(count).unwrap_or_default()) } td { (cost.map(dollars).unwrap_or_default()) } }
            }
        }
    };
    let details = |tokens: &std::collections::BTreeMap<String, u64>,
                   costs: &std::collections::BTreeMap<String, f64>| {
        let names: std::collections::BTreeSet<&String> = tokens.keys().chain(costs.keys()).collect();
        html! {
            @for name in names {
                tr.detail {
                    th scope="row" { (text(name)) } td { (tokens.get(name).copied().map(count).unwrap_or_default()) }
                    td { (costs.get(name).copied().map(dollars).unwrap_or_default()) }
                }
            }
        }
    };
    section(
        "Tokens and cost",
        1,
        true,
        &html! {
            table.usage {
                (side("input", usage.input_tokens, usage.input_cost))
                (details(&usage.input_token_details, &usage.input_cost_details))
                (side("output", usage.output_tokens, usage.output_cost))
                (details(&usage.output_token_details, &usage.output_cost_details))
                (side("total", usage.total_tokens, usage.total_cost))
            }
        },
    )
}
