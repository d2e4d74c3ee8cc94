//! Requests in: spans as ended runs, log records of evaluations as scores.

use std::fmt;

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    trace::v1::Span,
};
use prost::Message;
use traceable_core::model::RunChange;

use super::{
    bound::{Refusal, check},
    json,
    names::genai::EVALUATION,
    read::{self, Attributes, Ids},
    score,
};

/// The two ways in which a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`: names in camelCase, ids in hexadecimal digits, enums as numbers.
    Json,
}

/// What a request says. A span that cannot be read spoils no other.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Decoded {
    /// What was read, in the order of the request: an `End` for each span, followed by the scores that stand in it.
    pub changes: Vec<RunChange>,
    /// What was not.
    pub problems: Vec<Problem>,
}

/// What can be wrong with a request, or with a span in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// It is no such message, or one that none was made of: a body that says something, and no resource.
    NotARequest,
    /// More than 100 000 spans or log records, or more than two million attributes, values and events in them.
    TooMany,
    /// Values that are nested more than about 30 deep.
    TooDeep,
    /// JSON that is none, or not of this kind: what is wrong, and where.
    Json(String),
    /// JSON with a name as protobuf's own files have it: OTLP's is in camelCase, and what stands under another name would
    /// be passed over.
    SnakeCase(String),
    /// A span without the ids of a trace and a span.
    NoId {
        /// Which span, counted through the request.
        span: usize,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARequest => f.write_str("not an OTLP request"),
            Self::TooMany => f.write_str("too many spans, attributes or values"),
            Self::TooDeep => f.write_str("values are nested too deeply"),
            Self::Json(what) => write!(f, "not an OTLP request in JSON: {what}"),
            Self::SnakeCase(name) => write!(f, "`{name}`: the names of OTLP's JSON are in camelCase"),
            Self::NoId { span } => write!(f, "span {span} has no valid trace id and span id"),
        }
    }
}

impl std::error::Error for Problem {}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Broken => Self::NotARequest,
            Refusal::TooMany => Self::TooMany,
            Refusal::TooDeep => Self::TooDeep,
        }
    }
}

/// Reads `ExportTraceServiceRequest` in protobuf; see [`decode_traces_as`].
pub fn decode_traces(body: &[u8]) -> Decoded {
    decode_traces_as(Format::Protobuf, body)
}

/// Reads `ExportLogsServiceRequest` in protobuf; see [`decode_logs_as`].
pub fn decode_logs(body: &[u8]) -> Decoded {
    decode_logs_as(Format::Protobuf, body)
}

/// Reads `ExportTraceServiceRequest`: spans in the words of any convention as runs that have ended. The caller bounds its
/// length; what it would become is bounded here.
///
/// - A span with a whole run id, of ours or LangSmith's, is that run. Any other gets an id made of its trace's and its
///   own, the same whenever it is read, and with the span's id as its last 8 bytes.
/// - What no field is for is metadata, under its own name.
/// - Of a resource, the project, environment and release are taken over.
///
/// ```
/// use traceable_core::model::{Run, RunChange, RunId};
/// use traceable_wire::otlp::{Conventions, Encoder, Format, MAX_BYTES, Resource, decode_traces_as};
///
/// let run = Run { id: RunId::from_u128(1), name: "answer".into(), end_time: Some(1_000), ..Run::default() };
/// let mut encoder = Encoder::new(Conventions::default(), Resource::default());
/// let encoded = encoder.encode(&[RunChange::End(Box::new(run))], MAX_BYTES);
/// let decoded = decode_traces_as(Format::Protobuf, &encoded.requests[0].body);
/// assert_eq!(decoded.changes[0].run().map(|run| &*run.name), Some("answer"));
/// ```
pub fn decode_traces_as(format: Format, body: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let request = match format {
        Format::Protobuf => {
            protobuf(body, false, |request: &ExportTraceServiceRequest| request.resource_spans.is_empty())
        }
        Format::Json => json::request::<ExportTraceServiceRequest>(body, "resourceSpans"),
    };
    let request = match request {
        Ok(request) => request,
        Err(problem) => return decoded.refuse(problem),
    };
    let mut spans = Vec::new();
    let mut resources = Vec::new();
    for of_resource in request.resource_spans {
        resources.push(Attributes::of(of_resource.resource.unwrap_or_default().attributes));
        for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push((resources.len() - 1, span));
        }
    }
    // A span may stand before the one that it is a part of.
    let mut ids = Ids::new();
    let mut placed = Vec::with_capacity(spans.len());
    for (number, (resource, mut span)) in spans.into_iter().enumerate() {
        let Some(place) = read::place(&span) else {
            decoded.problems.push(Problem::NoId { span: number });
            continue;
        };
        let attributes = Attributes::of(std::mem::take(&mut span.attributes));
        ids.extend(read::whole_id(&attributes).map(|id| (place, id)));
        placed.push((resource, place, span, attributes));
    }
    for (resource, place, span, attributes) in placed {
        decoded.take(span, place, attributes, &resources[resource], &ids);
    }
    decoded
}

/// Reads `ExportLogsServiceRequest`: the events `gen_ai.evaluation.result` as scores. Other records are not for us, and no
/// problem either. The caller bounds its length.
pub fn decode_logs_as(format: Format, body: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let request = match format {
        Format::Protobuf => protobuf(body, true, |request: &ExportLogsServiceRequest| request.resource_logs.is_empty()),
        Format::Json => json::request::<ExportLogsServiceRequest>(body, "resourceLogs"),
    };
    let request = match request {
        Ok(request) => request,
        Err(problem) => return decoded.refuse(problem),
    };
    let scopes = request.resource_logs.into_iter().flat_map(|of_resource| of_resource.scope_logs);
    for record in scopes.flat_map(|scope| scope.log_records) {
        let attributes = Attributes::of(record.attributes);
        let named = attributes.get("event.name").and_then(|name| name.as_str()) == Some(EVALUATION);
        if record.event_name != EVALUATION && !named {
            continue;
        }
        let of_span = Span { trace_id: record.trace_id, span_id: record.span_id, ..Span::default() };
        let place = read::place(&of_span).map(|(trace, span)| (read::derived_id(trace, span), trace));
        let place = place.map(|(run, trace)| (run, traceable_core::model::RunId::from_u128(trace)));
        let time = if record.time_unix_nano == 0 { record.observed_time_unix_nano } else { record.time_unix_nano };
        let score = score::read(attributes, place, time as i64);
        decoded.changes.extend(score.map(|score| RunChange::Score(Box::new(score))));
    }
    decoded
}

/// Reads a message that is not too much when it is made.
fn protobuf<T: Message + Default>(body: &[u8], is_logs: bool, is_empty: fn(&T) -> bool) -> Result<T, Problem> {
    check(body, is_logs)?;
    match T::decode(body) {
        Ok(request) if is_empty(&request) == body.is_empty() => Ok(request),
        _ => Err(Problem::NotARequest),
    }
}

impl Decoded {
    fn refuse(mut self, problem: Problem) -> Self {
        self.problems.push(problem);
        self
    }

    fn take(&mut self, span: Span, place: (u128, u64), attributes: Attributes, resource: &Attributes, ids: &Ids) {
        let (run, scores) = read::run(span, place, attributes, resource, ids);
        self.changes.push(RunChange::End(Box::new(run)));
        self.changes.extend(scores.into_iter().map(|score| RunChange::Score(Box::new(score))));
    }
}
