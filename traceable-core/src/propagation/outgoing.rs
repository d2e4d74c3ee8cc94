//! What goes out.

use std::iter;

use serde_json::{Map, Value};

use super::{BAGGAGE, LANGSMITH_TRACE, MAX_BYTES, TRACEPARENT, TRACESTATE, baggage::Others, w3c};
use crate::model::DottedOrder;

/// What the process that is called is told of the trace.
///
/// ```
/// use traceable_core::{
///     model::{DottedOrder, RunId},
///     propagation::Outgoing,
/// };
///
/// let id = RunId::from_u128(0x0190_163d_8694_7000_8000_0000_0000_002a);
/// let outgoing = Outgoing {
///     dotted_order: Some(DottedOrder::root(1_717_171_717_123_456_000, id)),
///     trace_id: id.otel_trace_id(),
///     span_id: id.span_id(),
///     sampled: true,
///     ..Outgoing::default()
/// };
/// assert_eq!(
///     outgoing.headers(),
///     [
///         ("langsmith-trace", "20240531T160837123456Z0190163d-8694-7000-8000-00000000002a".to_owned()),
///         ("traceparent", "00-0190163d86947000800000000000002a-800000000000002a-01".to_owned()),
///     ],
/// );
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outgoing {
    /// The run that calls. Left out of the headers when it is nested more deeply than
    /// [`MAX_LEVELS`](DottedOrder::MAX_LEVELS), which no reader would take.
    pub dotted_order: Option<DottedOrder>,
    /// The trace for OpenTelemetry: the foreign one's id, or that of the root run. Zero is none.
    pub trace_id: u128,
    /// The run that calls, for OpenTelemetry. Zero is none.
    pub span_id: u64,
    /// What came with a foreign trace; goes on as it is.
    pub tracestate: Option<String>,
    /// Whether the trace is recorded.
    pub sampled: bool,
    /// Metadata for the runs below. What does not fit into the headers is left out.
    pub metadata: Map<String, Value>,
    /// Tags of the run that calls. What does not fit into the headers is left out.
    pub tags: Vec<String>,
    /// The project of the trace. LangSmith's SDKs file their runs there; ours do not, for a stranger could have said it.
    pub project: Option<String>,
}

impl Outgoing {
    /// The headers, as pairs of name and value; each replaces what the request has under its name.
    ///
    /// The values are ASCII that may be seen, and all is not longer than 8 KiB.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        self.headers_beside(iter::empty::<&str>())
    }

    /// The headers for a request that has `baggage` already, of which these are the lines. The entries of others are kept,
    /// and ours are added up to 8 KiB of the whole.
    #[must_use]
    pub fn headers_beside<V: AsRef<[u8]>>(&self, baggage: impl IntoIterator<Item = V>) -> Vec<(&'static str, String)> {
        // An order may have been read from anywhere; what is sent is one that its reader takes.
        let order = self.dotted_order.as_ref().filter(|order| order.as_str().parse::<DottedOrder>().is_ok());
        let parent = w3c::format_parent(self.trace_id, self.span_id, self.sampled);
        let state = self.tracestate.as_deref().filter(|_| parent.is_some()).and_then(w3c::check_state);
        let mut headers = Vec::with_capacity(4);
        let mut room = MAX_BYTES;
        let ids = [(LANGSMITH_TRACE, order.map(ToString::to_string)), (TRACEPARENT, parent), (TRACESTATE, state)];
        for (name, value) in ids {
            if let Some(value) = value {
                room = room.saturating_sub(line(name) + value.len());
                headers.push((name, value));
            }
        }
        if order.is_some() {
            let mut others = Others::default();
            let mut was_there = false;
            for line in baggage {
                others.add(line.as_ref());
                was_there = true;
            }
            let text = others.with_ours(
                room.saturating_sub(line(BAGGAGE)),
                &self.metadata,
                &self.tags,
                self.project.as_deref(),
            );
            if was_there || !text.is_empty() {
                headers.push((BAGGAGE, text));
            }
        }
        headers
    }
}

/// What a header takes besides its value.
fn line(name: &str) -> usize {
    name.len() + ": \r\n".len()
}
