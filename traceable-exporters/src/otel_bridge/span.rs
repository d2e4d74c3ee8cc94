//! One span: what is said of it when it begins, and the rest when it ends.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::{
    Array, Context, KeyValue, StringValue, TraceId, Value,
    global::{BoxedSpan, BoxedTracer},
    trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _},
};
use traceable_wire::otlp::{AttributeValue, Span, SpanStatus};

use super::ids;

/// What a span that begins while its run is open says at once: what samplers go by, and what nothing changes later. No
/// attribute may be said twice.
const AT_START: [&str; 4] =
    ["traceable.run.id", "traceable.run.type", "gen_ai.operation.name", "openinference.span.kind"];

/// Begins the span of a run that is open, as far as it is known.
pub(super) fn begin(tracer: &BoxedTracer, span: &Span, parent: &Context) -> BoxedSpan {
    start(tracer, span, parent, attributes(span).filter(is_of_start).collect())
}

/// Begins the span of a run that has ended, and ends it.
pub(super) fn whole(tracer: &BoxedTracer, span: &Span, parent: &Context) -> BoxedSpan {
    let mut begun = start(tracer, span, parent, attributes(span).collect());
    end(&mut begun, span);
    begun
}

/// Ends a span that was begun while its run was open.
pub(super) fn finish(begun: &mut BoxedSpan, span: &Span) {
    begun.update_name(span.name.clone());
    begun.set_attributes(attributes(span).filter(|attribute| !is_of_start(attribute)));
    end(begun, span);
}

fn start(tracer: &BoxedTracer, span: &Span, parent: &Context, attributes: Vec<KeyValue>) -> BoxedSpan {
    let kind = if span.is_client { SpanKind::Client } else { SpanKind::Internal };
    let builder = SpanBuilder::from_name(span.name.clone())
        .with_kind(kind)
        .with_start_time(moment(span.start_time))
        .with_attributes(attributes);
    let has_parent = parent.span().span_context().is_valid();
    let trace = (!has_parent).then(|| TraceId::from(span.trace_id));
    ids::with(trace, span.span_id.into(), || tracer.build_with_context(builder, parent))
}

fn end(begun: &mut BoxedSpan, span: &Span) {
    for event in &span.events {
        let attributes = event.attributes.iter().map(pair).collect();
        begun.add_event_with_timestamp(event.name.clone(), moment(event.time), attributes);
    }
    begun.set_status(match &span.status {
        SpanStatus::Ok => Status::Ok,
        SpanStatus::Error(error) => Status::error(error.clone()),
        _ => Status::Unset,
    });
    begun.end_with_timestamp(moment(span.end_time));
}

fn is_of_start(attribute: &KeyValue) -> bool {
    AT_START.contains(&attribute.key.as_str())
}

/// Our own first: a provider that keeps only some drops the last.
fn attributes(span: &Span) -> impl Iterator<Item = KeyValue> {
    let is_ours = |name: &str| name.starts_with("traceable.");
    let ours = span.attributes.iter().filter(move |(name, _)| is_ours(name));
    ours.chain(span.attributes.iter().filter(move |(name, _)| !is_ours(name))).map(pair)
}

fn pair((name, value): &(String, AttributeValue)) -> KeyValue {
    let value = match value {
        AttributeValue::Text(text) => Value::from(text.clone()),
        AttributeValue::Bool(flag) => Value::from(*flag),
        AttributeValue::Int(number) => Value::from(*number),
        AttributeValue::Double(number) => Value::from(*number),
        AttributeValue::Texts(texts) => {
            Value::Array(Array::from(texts.iter().cloned().map(StringValue::from).collect::<Vec<_>>()))
        }
        _ => Value::from(""),
    };
    KeyValue::new(name.clone(), value)
}

fn moment(nanos: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos.max(0) as u64)
}
