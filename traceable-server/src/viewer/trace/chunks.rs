//! How a streamed answer came in: its first token, its pace, and where it stood still.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query as Parameters, State},
    http::header::CACHE_CONTROL,
    response::IntoResponse,
};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::{Value, json};
use traceable_core::{
    messages::output_messages,
    model::{Run, RunId},
};

use super::{App, MISSING, pane::Which};
use crate::{
    http::Refusal,
    print::{count, counted, duration},
};

/// The picture's width in its own units, and how many bars it has at most.
const WIDTH: f64 = 600.0;
const COLUMNS: usize = 200;

/// Chunks that are sent to be played, and bytes of their text.
const MAX_CHUNKS: usize = 4_000;
const MAX_TEXT: usize = 1 << 20;

/// A pause of this length and of so many usual ones is a stall.
const STALL: i64 = 250_000_000;
const STALL_FACTOR: i64 = 4;

/// When chunks came: those that were kept, else the events of LangSmith's SDKs.
fn times(run: &Run) -> Vec<i64> {
    let raw = run.stream.as_ref().map(|stream| stream.raw.iter().map(|(time, _)| *time).collect::<Vec<_>>());
    let mut times = raw.filter(|times| !times.is_empty()).unwrap_or_else(|| {
        run.events.iter().filter(|event| event.name == "new_token").map(|event| event.time).collect()
    });
    times.sort_unstable();
    times
}

/// The pauses between chunks that stand out: from, to.
fn stalls(times: &[i64]) -> Vec<(i64, i64)> {
    let mut gaps: Vec<i64> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(0);
    let stands_out = |gap: i64| gap > STALL && gap > usual.saturating_mul(STALL_FACTOR);
    times.windows(2).map(|pair| (pair[0], pair[1])).filter(|(from, to)| stands_out(to.saturating_sub(*from))).collect()
}

/// The picture; nothing for a run that did not stream.
pub(super) fn timeline(run: &Run) -> Markup {
    let times = times(run);
    let stream = run.stream.as_ref();
    let first = stream.map(|stream| stream.first_chunk).or(times.first().copied());
    let last = stream.map(|stream| stream.last_chunk).max(times.last().copied());
    let (Some(first), Some(last)) = (first, last) else { return html! {} };
    let chunks = stream.map_or(0, |stream| stream.chunks).max(times.len() as u64);
    let end = run.end_time.unwrap_or(last).max(last);
    let took = end.saturating_sub(run.start_time);
    let span = took.max(1) as f64;
    let x = |time: i64| time.saturating_sub(run.start_time) as f64 / span * WIDTH;
    let streamed = last.saturating_sub(first).max(0);
    let waited = first.saturating_sub(run.start_time);
    let stalls = stalls(&times);
    let tokens = run.usage.as_ref().and_then(|usage| usage.output_tokens);
    let pace = |n: u64| format!("{:.0}", n as f64 / (streamed as f64 / 1e9));
    let longest = stalls.iter().map(|(from, to)| to.saturating_sub(*from)).max();
    let bars = bars(&times, run.start_time, span);
    html! {
        section.stream aria-label="Stream" data-from=(run.start_time) {
            h3 { "Stream" }
            ul.facts {
                li { "first after " (duration(waited)) }
                li { (counted(chunks, "chunk")) @if streamed > 0 { " in " (duration(streamed)) } }
                @if streamed > 0 {
                    @match tokens {
                        Some(tokens) if tokens > 0 => li { (pace(tokens)) " tokens/s" },
                        _ => @if chunks > 1 { li { (pace(chunks)) " chunks/s" } },
                    }
                }
                @if let Some(longest) = longest {
                    li.wait { (counted(stalls.len() as u64, "stall")) ", the longest " (duration(longest)) }
                }
            }
            svg.timeline viewBox=(format!("0 0 {WIDTH} 40")) preserveAspectRatio="none" role="img"
                aria-label=(format!("Chunks over {}: the first after {}", duration(took), duration(waited))) {
                rect.waiting x="0" y="30" height="4" width=(fixed(x(first))) {}
                rect.flowing x=(fixed(x(first))) y="30" height="4" width=(fixed((x(last) - x(first)).max(1.0))) {}
                @for (from, to) in stalls.iter().take(COLUMNS) {
                    rect.stall x=(fixed(x(*from))) y="2" height="32" width=(fixed(x(*to) - x(*from))) {
                        title { "nothing for " (duration(to.saturating_sub(*from))) }
                    }
                }
                @for (at, height) in bars { rect.chunk x=(fixed(at)) y=(fixed(28.0 - height)) height=(fixed(height)) width="2" {} }
                rect.first x=(fixed(x(first))) y="0" height="36" width="1.5" { title { "first token" } }
                line.at x1="0" x2="0" y1="0" y2="40" {}
            }
            @if run.stream.as_ref().is_some_and(|stream| !stream.raw.is_empty()) || times.len() > 1 {
                div.play hidden data-chunks=(format!("/t/{}/chunks?run={}", run.trace_id, run.id)) data-span=(took) {
                    input type="range" min="0" max="1000" value="1000" aria-label="Moment of the stream";
                    output {}
                    pre.said hidden aria-label="What was said up to that moment" {}
                }
            } @else if chunks > 1 {
                p.note { "Only the first and the last of " (count(chunks)) " chunks have their times; " code { "raw_chunks" } " keeps all." }
            }
        }
    }
}

fn fixed(number: f64) -> String {
    format!("{number:.1}")
}

/// How many chunks came, column by column: where, and how high.
fn bars(times: &[i64], start: i64, span: f64) -> Vec<(f64, f64)> {
    let mut columns = vec![0_u32; COLUMNS];
    for time in times {
        let at = (time.saturating_sub(start) as f64 / span * COLUMNS as f64) as usize;
        if let Some(column) = columns.get_mut(at.min(COLUMNS - 1)) {
            *column += 1;
        }
    }
    let most = columns.iter().copied().max().unwrap_or(0).max(1);
    let height = |n: u32| 4.0 + 22.0 * f64::from(n) / f64::from(most);
    let full = columns.iter().enumerate().filter(|(_, n)| **n > 0);
    full.map(|(at, n)| (at as f64 / COLUMNS as f64 * WIDTH, height(*n))).collect()
}

/// What was said when.
#[derive(Debug, Default, Serialize)]
struct Played {
    /// Nanoseconds from the start of the run on.
    times: Vec<i64>,
    texts: Vec<String>,
}

/// `GET /t/{trace}/chunks`.
pub(super) async fn chunks(
    State(app): State<Arc<App>>,
    Path(trace): Path<RunId>,
    Parameters(Which { run }): Parameters<Which>,
) -> Result<impl IntoResponse, Refusal> {
    let found = app.ask(move |store| store.run(run)).await?;
    let run = found.map(|stored| stored.run).filter(|run| run.trace_id == trace).ok_or(MISSING)?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(played(&run))))
}

fn played(run: &Run) -> Played {
    let raw = run.stream.iter().flat_map(|stream| &stream.raw).map(|(time, chunk)| (*time, text(&chunk.to_value())));
    let mut said: Vec<(i64, String)> = raw.collect();
    if said.is_empty() {
        let tokens = run.events.iter().filter(|event| event.name == "new_token");
        said = tokens.map(|event| (event.time, event.data.as_ref().map(text).unwrap_or_default())).collect();
    }
    said.sort_by_key(|(time, _)| *time);
    let together = said.len().div_ceil(MAX_CHUNKS).max(1);
    let mut played = Played::default();
    let mut room = MAX_TEXT;
    for chunks in said.chunks(together) {
        let text: String = chunks.iter().map(|(_, text)| text.as_str()).collect();
        room = room.saturating_sub(text.len());
        if room == 0 {
            break;
        }
        played.times.extend(chunks.last().map(|(time, _)| time.saturating_sub(run.start_time)));
        played.texts.push(text);
    }
    played
}

/// The text of a chunk in any provider's shape.
fn text(chunk: &Value) -> String {
    match chunk {
        Value::String(text) => text.clone(),
        Value::Object(of) => match of.get("token").and_then(Value::as_str) {
            Some(token) => token.to_owned(),
            None => {
                output_messages(&json!([chunk])).first().map(|message| message.text().into_owned()).unwrap_or_default()
            }
        },
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_long_and_longer_than_usual() {
        let ms = |millis: i64| millis * 1_000_000;
        let quick = [0, 20, 40, 60, 460, 480].map(ms);
        assert_eq!(stalls(&quick), [(ms(60), ms(460))]);
        let slow = [0, 300, 600, 900, 1_300].map(ms);
        assert_eq!(stalls(&slow), []);
        assert_eq!(stalls(&[]), []);
    }

    #[test]
    fn chunks_of_any_shape_are_text() {
        let openai = json!({ "choices": [{ "index": 0, "delta": { "content": "Sure" } }] });
        for chunk in [json!("Sure"), json!({ "token": "Sure" }), openai] {
            assert_eq!(text(&chunk), "Sure", "{chunk}");
        }
        assert_eq!(text(&json!(7)), "");
    }
}
