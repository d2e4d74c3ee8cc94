//! What a run is when it has been through LangSmith's protocol and back.

use serde_json::{Map, Value};
use traceable_core::model::{Attachment, DottedOrder, Event, Json, Run, RunType, StreamInfo, Usage};

use super::{
    attachment, read,
    record::{COPIES, FIRST_TOKEN},
};
use crate::names::RUN_TYPE;

/// The run as it comes back when it was sent to LangSmith in a multipart body: `decode(encode(run)) == normalise(run)`.
///
/// - Start, end and events are cut to microseconds; the times inside of `stream` are not.
/// - Inputs and outputs that are no object stand under `input` and `output`. `{}` is no output of an open run.
/// - An empty error is none, and neither is an empty usage or an event's `null`.
/// - A stream has an event for its first chunk, and a run with such an event is a stream.
/// - Where a provider's total is what went in, what came out and what was thought, the thoughts are of what came out.
/// - Metadata that LangSmith gives a meaning to (`ls_provider`, `thread_id`, `usage_metadata`, …) is the field of that
///   meaning, unless the run says something else there.
/// - A session is the thread of a run without one, as a `conversation_id` is; a `user_id` is its user, and an `environment`
///   its environment.
/// - Attachments whose bytes are sent come first; their names and media types are those that fit into a part. A batch of
///   JSON has no place for them.
///
/// A number must be finite, as in all JSON.
///
/// ```
/// use traceable_core::model::{Json, Run};
/// use traceable_wire::langsmith::normalise;
///
/// let run = Run { start_time: 1_234, outputs: Json::parse("42").ok(), ..Run::default() };
/// let back = normalise(run);
/// assert_eq!((back.start_time, back.outputs.unwrap().as_str()), (1_000, r#"{"output":42}"#));
/// ```
#[must_use]
pub fn normalise(run: Run) -> Run {
    let mut run = run;
    run.start_time = micros(run.start_time);
    run.end_time = run.end_time.map(micros);
    run.run_type = RunType::from(run.run_type.as_str().to_owned());
    run.dotted_order = match run.dotted_order.depth() {
        0 if run.is_root() => DottedOrder::root(run.start_time, run.id),
        _ => run.dotted_order.as_str().parse().unwrap_or_default(),
    };
    run.inputs = run.inputs.map(|json| object(json, "input"));
    run.outputs = run.outputs.map(|json| object(json, "output"));
    run.error = run.error.filter(|error| !error.is_empty());
    for event in &mut run.events {
        event.time = micros(event.time);
        event.data = event.data.take().filter(|data| !data.is_null());
    }
    if let Some(stream) = run.stream.as_ref().filter(|stream| stream.chunks > 0)
        && !run.events.iter().any(|event| event.name == FIRST_TOKEN)
    {
        run.events.push(Event { name: FIRST_TOKEN.into(), time: micros(stream.first_chunk), data: None });
    }
    run.usage = run.usage.filter(|usage| !usage.is_empty());
    let (beside, named) = attachment::beside(&run.attachments);
    let fit = |(name, of): (String, &Attachment)| Attachment {
        name,
        mime: attachment::mime(&of.mime).to_owned().into(),
        ..of.clone()
    };
    run.attachments = beside.into_iter().map(fit).chain(named.into_iter().cloned()).collect();
    settle(&mut run);
    run
}

fn micros(time: i64) -> i64 {
    time.div_euclid(1_000).saturating_mul(1_000)
}

fn object(json: Json, name: &str) -> Json {
    if json.is_object() {
        return json;
    }
    Json::parse(format!("{{\"{name}\":{}}}", json.as_str())).unwrap_or(json)
}

/// What both a run that was read and one that is normalised still need: what follows from the rest of the record.
pub(super) fn settle(run: &mut Run) {
    if run.end_time.is_none() && run.outputs.as_ref().is_some_and(|outputs| outputs.as_str() == "{}") {
        run.outputs = None;
    }
    if run.dotted_order.depth() == 0 && run.is_root() && run.start_time != 0 {
        run.dotted_order = DottedOrder::root(run.start_time, run.id);
    }
    run.parent_id = run.parent_id.or(run.dotted_order.parent_id());
    if run.trace_id.as_u128() == 0 {
        run.trace_id = run.dotted_order.trace_id().unwrap_or(run.trace_id);
    }
    if run.start_time == 0 {
        run.start_time = run.dotted_order.start_time().unwrap_or(0);
    }
    run.stream = run.stream.take().or_else(|| stream(run));
    lift(run);
    if let Some(usage) = &mut run.usage {
        thoughts(usage);
    }
}

/// How the answer came in, by LangSmith's events: its SDK for Python notes the first chunk, the one for JavaScript each.
pub(super) fn stream(run: &Run) -> Option<StreamInfo> {
    let mut times = run.events.iter().filter(|event| event.name == FIRST_TOKEN).map(|event| micros(event.time));
    let first_chunk = times.next()?;
    let (last_chunk, chunks) = match times.clone().next_back() {
        Some(last) => (last, times.count() as u64 + 1),
        None => (run.end_time.map_or(first_chunk, micros), 0),
    };
    Some(StreamInfo { first_chunk, last_chunk: last_chunk.max(first_chunk), chunks, ..StreamInfo::default() })
}

/// Counts as output what a model thought: LangSmith's wrapper of Gemini leaves it beside.
fn thoughts(usage: &mut Usage) {
    let (Some(input), Some(output), Some(total)) = (usage.input_tokens, usage.output_tokens, usage.total_tokens) else {
        return;
    };
    let thought = usage.output_token_details.get("reasoning").copied().filter(|tokens| *tokens > 0);
    if let Some(thought) = thought
        && input.checked_add(output).and_then(|sum| sum.checked_add(thought)) == Some(total)
    {
        usage.output_tokens = output.checked_add(thought);
    }
}

/// Makes fields of the metadata that has a meaning. What a field says already, otherwise, stays in the metadata.
fn lift(run: &mut Run) {
    let own = &mut run.metadata;
    for (name, slot) in [
        ("ls_provider", &mut run.provider),
        ("ls_model_name", &mut run.model),
        ("thread_id", &mut run.thread_id),
        ("session_id", &mut run.session_id),
        ("ls_user_id", &mut run.user),
        ("revision_id", &mut run.release),
    ] {
        if let Some(Value::String(said)) = own.get(name)
            && slot.get_or_insert_with(|| said.clone()) == said
        {
            own.remove(name);
        }
    }
    let text = |name: &str, own: &Map<String, Value>| own.get(name).and_then(Value::as_str).map(str::to_owned);
    run.thread_id = run.thread_id.take().or_else(|| text("conversation_id", own)).or_else(|| run.session_id.clone());
    run.user = run.user.take().or_else(|| text("user_id", own));
    run.environment = run.environment.take().or_else(|| text("environment", own));
    if let Some(Value::String(kind)) = own.get(RUN_TYPE) {
        if run.run_type == RunType::default() {
            run.run_type = RunType::from(kind.clone());
        }
        if run.run_type.as_str() == kind {
            own.remove(RUN_TYPE);
        }
    }
    if let Some(Value::Object(params)) =
        own.get("ls_invocation_params").filter(|own| **own != Value::Object(Map::new()))
    {
        if run.params.is_empty() {
            run.params = params.clone().into_iter().collect();
        }
        if run.params.iter().eq(params) {
            own.remove("ls_invocation_params");
        }
    }
    for (name, param) in COPIES {
        let Some(said) = own.get(name) else { continue };
        if !said.is_null() && !run.params.contains_key(param) {
            run.params.insert(param.to_owned(), said.clone());
        }
        if run.params.get(param) == Some(said) {
            own.remove(name);
        }
    }
    if let Some(said) = own.get("usage_metadata")
        && let Some(usage) = read::usage(said)
    {
        let is_all = serde_json::to_value(&usage).is_ok_and(|usage| usage == *said);
        if *run.usage.get_or_insert_with(|| usage.clone()) == usage && is_all {
            own.remove("usage_metadata");
        }
    }
    run.usage = run.usage.take().or_else(|| run.outputs.as_ref().and_then(usage_of));
}

/// The usage that LangSmith's SDKs look for in the outputs.
fn usage_of(outputs: &Json) -> Option<Usage> {
    #[derive(serde::Deserialize)]
    struct Outputs {
        usage_metadata: Value,
    }
    serde_json::from_str::<Outputs>(outputs.as_str()).ok().and_then(|outputs| read::usage(&outputs.usage_metadata))
}
