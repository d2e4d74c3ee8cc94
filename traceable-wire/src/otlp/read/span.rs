//! A span as a run.

use std::collections::HashMap;

use opentelemetry_proto::tonic::trace::v1::{Span, span, span::SpanKind, status::StatusCode};
use serde_json::{Map, Value};
use traceable_core::model::{DottedOrder, Event, Run, RunId, Score, Status, StreamInfo, parse_time};

use super::{Attributes, bodies, kind, model, rest::Rest};
use crate::otlp::{
    names::{foreign, genai, langsmith, openinference as oi, openlit, ours, resource as names},
    span::is_derived,
};

/// The whole ids of the runs of one request, by trace and span.
pub(in crate::otlp) type Ids = HashMap<(u128, u64), RunId>;

/// The ids of a span; `None` when they are none.
pub(in crate::otlp) fn place(span: &Span) -> Option<(u128, u64)> {
    let trace = u128::from_be_bytes(span.trace_id.as_slice().try_into().ok()?);
    let id = u64::from_be_bytes(span.span_id.as_slice().try_into().ok()?);
    (trace != 0 && id != 0).then_some((trace, id))
}

/// The run's whole id, where the span has it.
pub(in crate::otlp) fn whole_id(attributes: &Attributes) -> Option<RunId> {
    let said = |name| attributes.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok());
    said(ours::RUN_ID).or_else(|| said(langsmith::ID))
}

/// The id of a run that has none but its span's: the same for the same span, and with the span's id as its own.
pub(in crate::otlp) fn derived_id(trace: u128, span: u64) -> RunId {
    let mixed = (trace >> 64) as u64 ^ (trace as u64).rotate_left(32);
    // Version 8 of UUIDs: made by whatever rule.
    let high = mixed & !0xf000 | 0x8000;
    RunId::from_u128(u128::from(high) << 64 | u128::from(span))
}

/// Makes a run of a span, and the scores that stand in it.
pub(in crate::otlp) fn run(
    span: Span,
    (trace, id): (u128, u64),
    mut attributes: Attributes,
    resource: &Attributes,
    ids: &Ids,
) -> (Run, Vec<Score>) {
    let is_ours = attributes.has(ours::RUN_ID);
    let mut rest = if is_ours { Some(Rest::take(&mut attributes)) } else { None };
    for name in rest.iter_mut().flat_map(Rest::passed) {
        attributes.take(&name);
    }
    if is_ours {
        attributes.below(langsmith::METADATA);
    }
    let parent = span.parent_span_id.as_slice().try_into().map(u64::from_be_bytes).ok().filter(|id| *id != 0);
    let whole = |attributes: &mut Attributes, names: [&str; 2]| {
        names.into_iter().find_map(|name| attributes.exact_text(name)?.parse::<RunId>().ok())
    };
    let known = |span| ids.get(&(trace, span)).copied().unwrap_or_else(|| derived_id(trace, span));
    let said_parent = whole(&mut attributes, [ours::PARENT_ID, langsmith::PARENT_ID]);
    let mut run = Run {
        id: whole(&mut attributes, [ours::RUN_ID, langsmith::ID]).unwrap_or_else(|| derived_id(trace, id)),
        trace_id: match attributes.text(&[langsmith::TRACE_ID]).and_then(|text| text.parse().ok()) {
            Some(said) if !is_ours => said,
            _ => RunId::from_u128(trace),
        },
        // A run of ours may go on in a foreign span, and is a root all the same.
        parent_id: said_parent.or_else(|| parent.filter(|_| !is_ours).map(known)),
        run_type: kind::run_type(&mut attributes, span.kind == SpanKind::Client as i32),
        start_time: span.start_time_unix_nano as i64,
        // Not ended is 0, and so is a start that nobody knows.
        end_time: Some((span.end_time_unix_nano as i64).max(if is_ours {
            i64::MIN
        } else {
            span.start_time_unix_nano as i64
        })),
        name: span.name.into(),
        ..Run::default()
    };
    if let Some(name) = attributes.exact_text(langsmith::NAME) {
        run.name = name.into();
    }
    // Of a run of ours it is as it was, whatever it says.
    let order = attributes.exact_text(langsmith::ORDER);
    let order = order.and_then(|text| match text.parse() {
        Err(_) if is_ours => serde_json::from_value(Value::String(text)).ok(),
        order => order.ok(),
    });
    run.dotted_order = match order {
        Some(order) => order,
        None if run.is_root() => DottedOrder::root(run.start_time, run.id),
        None => DottedOrder::default(),
    };
    let scores = events(span.events, &mut run);
    status(span.status.unwrap_or_default(), &mut attributes, &mut run);
    if is_ours {
        run.inputs = bodies::exact(&mut attributes, bodies::INPUTS, "input");
        run.outputs = bodies::exact(&mut attributes, bodies::OUTPUTS, "output");
    } else {
        run.inputs = bodies::inputs(&mut attributes);
        run.outputs = bodies::outputs(&mut attributes);
    }
    call(&mut run, &mut attributes, is_ours);
    if !is_ours && resource.get(names::SDK_NAME).and_then(Value::as_str) == Some(openlit::SDK) {
        model::openlit(&mut run);
    }
    about(&mut run, &mut attributes, resource, is_ours);
    match rest {
        Some(rest) => rest.apply(&mut run),
        None => foreign(&mut run, attributes),
    }
    (run, scores)
}

/// The model that was called.
fn call(run: &mut Run, attributes: &mut Attributes, is_ours: bool) {
    run.provider = model::provider(attributes);
    run.model = model::asked(attributes);
    run.params = model::parameters(attributes).unwrap_or_default();
    run.usage = model::usage(attributes);
    let first = attributes.double(&[genai::TIME_TO_FIRST_CHUNK, openlit::TIME_TO_FIRST_TOKEN]);
    if is_ours {
        return;
    }
    let is_at_once = attributes.get(genai::STREAM).and_then(Value::as_bool) == Some(false);
    let answered = attributes.get(genai::RESPONSE_MODEL).or_else(|| attributes.get(oi::RESPONSE_MODEL));
    run.model = run.model.take().or_else(|| answered?.as_str().map(str::to_owned));
    for (name, value) in model::requested(attributes) {
        run.params.entry(name).or_insert(value);
    }
    let first = first.filter(|seconds| (0.0..1e9).contains(seconds));
    let first = first.map(|seconds| run.start_time.saturating_add((seconds * 1e9) as i64));
    // JSON of a text, or the text.
    let langfuse = attributes.text(&[foreign::LANGFUSE_FIRST]);
    let langfuse = langfuse.and_then(|text| parse_time(text.trim_matches('"')));
    // OpenLIT gives a time also to answers that came at once.
    let noted = run.events.iter().find(|event| foreign::CHUNKS.contains(&&*event.name)).map(|event| event.time);
    if let Some(first_chunk) = first.or(langfuse).or(noted).filter(|_| !is_at_once) {
        let last_chunk = run.end_time.unwrap_or(first_chunk).max(first_chunk);
        run.stream = Some(StreamInfo { first_chunk, last_chunk, ..StreamInfo::default() });
    }
}

/// Who, where, and by what labels.
fn about(run: &mut Run, attributes: &mut Attributes, resource: &Attributes, is_ours: bool) {
    let of_resource = |name: &str| resource.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut said = |names: &[&str]| attributes.text(names);
    run.thread_id = said(&foreign::THREADS);
    run.session_id = said(&foreign::SESSIONS);
    run.user = said(&foreign::USERS);
    run.prompt_ref = said(&[genai::PROMPT_NAME, oi::PROMPT_ID, foreign::LANGFUSE_PROMPT, foreign::TRACELOOP_PROMPT]);
    run.deployment_ref = said(&[
        genai::PROMPT_VERSION,
        oi::TEMPLATE_VERSION,
        foreign::LANGFUSE_PROMPT_VERSION,
        foreign::TRACELOOP_PROMPT_VERSION,
    ]);
    let environment = said(&["langsmith.metadata.environment", openlit::ENVIRONMENT, foreign::LANGFUSE_ENVIRONMENT]);
    let release = said(&["langsmith.metadata.revision_id", foreign::LANGFUSE_RELEASE]);
    let project = said(&[langsmith::PROJECT, openlit::APPLICATION]);
    let older = "deployment.environment";
    run.environment = of_resource(names::ENVIRONMENT).or_else(|| of_resource(older)).or(environment);
    run.release = of_resource(names::SERVICE_VERSION).or(release);
    run.project = of_resource(oi::PROJECT).map(Into::into);
    if !is_ours {
        let service = || of_resource(names::SERVICE_NAME).filter(|name| !name.starts_with("unknown_service"));
        run.project = run.project.take().or_else(|| project.or_else(service).map(Into::into));
        run.thread_id = run.thread_id.take().or_else(|| run.session_id.clone());
    }
    match attributes.take(oi::TAGS) {
        Some(Value::Array(tags)) => run.tags = tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect(),
        Some(Value::String(tag)) => run.tags = vec![tag],
        _ => {}
    }
    let joined = attributes.text(&[langsmith::TAGS]);
    if run.tags.is_empty() && !is_ours {
        let listed = attributes.json(foreign::LANGFUSE_TAGS).and_then(|tags| tags.as_array().cloned());
        let listed = listed.into_iter().flatten().filter_map(|tag| tag.as_str().map(str::to_owned));
        let joined = joined.iter().flat_map(|tags| tags.split(',')).map(|tag| tag.trim().to_owned());
        run.tags = joined.filter(|tag| !tag.is_empty()).chain(listed).collect();
    }
    if let Some(Value::Object(variables)) = attributes.json(oi::TEMPLATE_VARIABLES) {
        run.variables = variables;
    }
    if let Some(Value::Object(metadata)) = attributes.json(oi::METADATA) {
        run.metadata = metadata;
    }
}

/// Metadata of a span of somebody else's: what conventions have as such, and what no one knows.
fn foreign(run: &mut Run, mut attributes: Attributes) {
    for prefix in [langsmith::METADATA, foreign::TRACELOOP_PROPERTIES] {
        run.metadata.extend(attributes.below(prefix));
    }
    for name in foreign::LANGFUSE_METADATA {
        if let Some(Value::Object(whole)) = attributes.json(name) {
            run.metadata.extend(whole);
        }
        run.metadata.extend(attributes.below(&format!("{name}.")));
    }
    for name in [langsmith::IS_ROOT, foreign::TRACELOOP_NAME, names::SDK_NAME, oi::FINISH_REASON] {
        attributes.take(name);
    }
    let left: Map<_, _> = attributes.left().filter(|(_, value)| !value.is_null()).collect();
    for (name, value) in left {
        run.metadata.entry(name).or_insert(value);
    }
}

/// Takes over what happened; answers the scores among it. The first exception is the run's error.
fn events(happened: Vec<span::Event>, run: &mut Run) -> Vec<Score> {
    let mut scores = Vec::new();
    for event in happened {
        let time = event.time_unix_nano as i64;
        let mut attributes = Attributes::of(event.attributes);
        let own = attributes.exact_text(ours::EVENT_DATA);
        if own.is_none() && is_derived(&event.name) {
            if event.name == names::EXCEPTION && run.error.is_none() {
                run.error = Some(error(&mut attributes));
                continue;
            }
            let of = (run.id, run.trace_id);
            if let Some(score) = crate::otlp::score::read(attributes.clone(), Some(of), time) {
                scores.push(score);
                continue;
            }
        }
        let data = match own {
            Some(json) => serde_json::from_str(&json).ok(),
            None => {
                let members: Map<_, _> = attributes.left().collect();
                (!members.is_empty()).then_some(Value::Object(members))
            }
        };
        run.events.push(Event { name: event.name.into(), time, data });
    }
    scores
}

fn error(attributes: &mut Attributes) -> String {
    let message = attributes.exact_text(names::EXCEPTION_MESSAGE).unwrap_or_default();
    match attributes.exact_text("exception.stacktrace").filter(|stack| !stack.is_empty()) {
        Some(stack) => format!("{message}\n\n{stack}"),
        None => message,
    }
}

fn status(status: opentelemetry_proto::tonic::trace::v1::Status, attributes: &mut Attributes, run: &mut Run) {
    let level = attributes.text(&[foreign::LANGFUSE_LEVEL]);
    let said = attributes.text(&[foreign::LANGFUSE_MESSAGE]);
    let failed = status.code() == StatusCode::Error || level.as_deref() == Some("ERROR");
    run.status = if failed { Status::Error } else { Status::Ok };
    if failed && run.error.is_none() {
        run.error = Some(status.message).filter(|message| !message.is_empty()).or(said);
    }
}
