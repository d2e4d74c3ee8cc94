//! What comes in.

use serde_json::{Map, Value};

use super::{BAGGAGE, LANGSMITH_TRACE, MAX_BYTES, SPACE, TRACEPARENT, TRACESTATE, baggage, w3c};
use crate::model::{DottedOrder, OtelContext};

/// What a caller said of the trace that it wants this process to go on with.
///
/// ```
/// use traceable_core::propagation::Remote;
///
/// let remote = Remote::from_headers([
///     ("langsmith-trace", "20240531T160837123456Z0190163d-8694-7000-8000-00000000002a"),
///     ("baggage", "langsmith-metadata=%7B%22user_id%22%3A%22u-1%22%7D,langsmith-tags=beta"),
/// ])
/// .unwrap();
/// let parent = remote.dotted_order.unwrap().id().unwrap();
/// assert_eq!(parent.to_string(), "0190163d-8694-7000-8000-00000000002a");
/// assert_eq!(remote.metadata["user_id"], "u-1");
/// assert_eq!(remote.tags, ["beta"]);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Remote {
    /// The caller's run, as LangSmith names it.
    pub dotted_order: Option<DottedOrder>,
    /// The caller's span, as OpenTelemetry names it.
    pub otel: Option<OtelContext>,
    /// Whether the caller records the trace. With a dotted order it does, whatever `traceparent` says: that is of
    /// another tracer, which may keep one trace in a hundred.
    pub sampled: bool,
    /// Metadata of the caller's run. At most 64 values of at most 1 KiB.
    pub metadata: Map<String, Value>,
    /// Tags of the caller's run. At most 64 of at most 256 bytes.
    pub tags: Vec<String>,
}

impl Remote {
    /// Reads the headers of a request, as pairs of name and value; `None` when there is no caller in them.
    ///
    /// Names may be in any case, and a header may be there in several lines. A header that is wrong, or longer than 8 KiB
    /// in all, is as if it were not there.
    pub fn from_headers<N: AsRef<str>, V: AsRef<[u8]>>(headers: impl IntoIterator<Item = (N, V)>) -> Option<Self> {
        let mut trace = Lines::default();
        let mut baggage = Lines::default();
        let mut parent = Lines::default();
        let mut state = Lines::default();
        for (name, value) in headers {
            let name = name.as_ref();
            for (known, lines) in [
                (LANGSMITH_TRACE, &mut trace),
                (BAGGAGE, &mut baggage),
                (TRACEPARENT, &mut parent),
                (TRACESTATE, &mut state),
            ] {
                if name.eq_ignore_ascii_case(known) {
                    lines.push(value.as_ref());
                }
            }
        }
        let dotted_order = trace.text().and_then(|text| text.trim_matches(SPACE).parse::<DottedOrder>().ok());
        let mut otel = parent.text().and_then(w3c::parse_parent);
        if let Some(otel) = &mut otel {
            otel.tracestate = state.text().and_then(w3c::check_state);
        }
        let mut remote = match (dotted_order, otel) {
            (None, None) => return None,
            (None, Some(otel)) => return Some(Self::from(otel)),
            (Some(order), otel) => Self { otel, ..Self::from(order) },
        };
        if let Some(text) = baggage.text() {
            (remote.metadata, remote.tags) = baggage::read(text);
        }
        Some(remote)
    }
}

/// A caller that gives its place and no more.
impl From<DottedOrder> for Remote {
    fn from(order: DottedOrder) -> Self {
        Self { dotted_order: Some(order), otel: None, sampled: true, metadata: Map::new(), tags: Vec::new() }
    }
}

/// A caller that is traced by OpenTelemetry.
impl From<OtelContext> for Remote {
    fn from(otel: OtelContext) -> Self {
        Self { dotted_order: None, sampled: otel.sampled, otel: Some(otel), metadata: Map::new(), tags: Vec::new() }
    }
}

/// The lines of one header, joined by commas, as long as they are worth reading.
#[derive(Debug, Default)]
struct Lines {
    text: String,
    is_wrong: bool,
}

impl Lines {
    fn push(&mut self, line: &[u8]) {
        match str::from_utf8(line) {
            Ok(line) if !self.is_wrong && self.text.len() + 1 + line.len() <= MAX_BYTES => {
                if !self.text.is_empty() {
                    self.text.push(',');
                }
                self.text.push_str(line);
            }
            _ => self.is_wrong = true,
        }
    }

    fn text(&self) -> Option<&str> {
        (!self.is_wrong).then_some(&*self.text)
    }
}
