//! Changes as requests: which become spans, which log records, and how many of them go into one body.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use traceable_core::model::{Run, RunChange, RunId, Score, ScoreTarget};

use super::{
    conventions::Conventions,
    names::resource::SERVICE_NAME,
    open::{MAX_BYTES as MAX_OPEN_BYTES, Open},
    proto::{self, Bounds},
    resource::{Group, Resource, scope},
    score,
    span::{Ended, Scratch, trace_id},
    view::{Bodies, View},
};

/// How long a request is made, in bytes, unless one span alone is longer.
pub const TARGET_BYTES: usize = 1 << 20;

/// How long a request may be, in bytes: servers of gRPC take 4 MiB unless told otherwise.
pub const MAX_BYTES: usize = 7 << 19;

/// Room for what stands around spans beside the service's own attributes.
const FRAME: usize = 4096;

/// What a span that is too long for any request is cut down to, one after the other: a fraction of the request for each
/// text, and messages, documents and events of which no more are written.
const CUTS: [(usize, usize); 4] = [(8, 256), (32, 64), (128, 16), (1024, 4)];

/// What a request carries, and so where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// `ExportTraceServiceRequest`.
    Traces,
    /// `ExportLogsServiceRequest`.
    Logs,
}

impl Signal {
    /// The path behind the endpoint of all signals.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Logs => "/v1/logs",
        }
    }
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// What it carries.
    pub signal: Signal,
    /// The message in protobuf.
    pub body: Vec<u8>,
    /// How many spans or log records it has.
    pub items: usize,
    /// Which changes it speaks for. When all requests with this range have been delivered, these changes have.
    pub changes: Range<usize>,
}

#[cfg(feature = "otlp-decode")]
impl Request {
    /// The same request in JSON, on one line: what an OpenTelemetry collector writes to a file.
    ///
    /// `None` for a body that was made by hand, and is no such request.
    pub fn to_json(&self) -> Option<String> {
        use opentelemetry_proto::tonic::collector::{
            logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest,
        };
        match self.signal {
            Signal::Traces => super::json::print::<ExportTraceServiceRequest>(&self.body),
            Signal::Logs => super::json::print::<ExportLogsServiceRequest>(&self.body),
        }
    }
}

/// Requests, and what became of the changes that are in none.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encoded {
    /// What to send, in this order.
    pub requests: Vec<Request>,
    /// How many changes OTLP has no place for: what was added to a run after its end had been sent, files, threads, users.
    pub left_out: u64,
    /// How many spans were cut to fit into a request.
    pub cut: u64,
    /// How many spans and scores fit into no request, even when cut.
    pub refused: u64,
    /// How many announced runs were forgotten for want of room. Their spans will lack what their starts said.
    pub forgotten: u64,
}

/// Makes requests of changes. Only runs that have ended become spans: what a start said is kept until its end comes, in
/// 64 MiB at most.
///
/// - A score becomes an event of the span that it is about when that is in the same batch, else a log record.
/// - What is added to a run goes along while the run is open, or in the batch of its end.
/// - Each batch changes what is kept, so a request that is to be sent again must be kept, not encoded again.
///
/// ```
/// use traceable_core::model::{Run, RunChange, RunId};
/// use traceable_wire::otlp::{Conventions, Encoder, MAX_BYTES, Resource};
///
/// let run = Run { id: RunId::from_u128(1), name: "answer".into(), end_time: Some(1_000), ..Run::default() };
/// let mut encoder = Encoder::new(Conventions::default(), Resource::default());
/// let encoded = encoder.encode(&[RunChange::End(Box::new(run))], MAX_BYTES);
/// assert_eq!((encoded.requests.len(), encoded.requests[0].items), (1, 1));
/// ```
#[derive(Debug)]
pub struct Encoder {
    conventions: Conventions,
    resource: Resource,
    open: Open,
    scratch: Scratch,
}

impl Encoder {
    /// An encoder that writes these conventions, of this service.
    pub fn new(conventions: Conventions, resource: Resource) -> Self {
        Self { conventions, resource, open: Open::default(), scratch: Scratch::default() }
    }

    /// Requests of about [`TARGET_BYTES`] and at most `max_bytes`, which is [`MAX_BYTES`] unless a server takes less. A
    /// span that is longer has its longest texts cut, with a mark that says so.
    pub fn encode<'c>(&mut self, changes: impl IntoIterator<Item = &'c RunChange>, max_bytes: usize) -> Encoded {
        let changes: Vec<&RunChange> = changes.into_iter().collect();
        let Self { conventions, resource, open, scratch } = self;
        let room = max_bytes.saturating_sub(resource.len() + FRAME);
        let mut batch = Batch::new(resource, TARGET_BYTES.min(room));
        let mut encoded = Encoded::default();
        let beside = Beside::of(&changes);
        let mut message = Vec::new();
        for (place, &change) in changes.iter().enumerate() {
            match change {
                RunChange::Start(run) => encoded.forgotten += open.announce(run, MAX_OPEN_BYTES),
                RunChange::End(end) => {
                    let run = whole(end, open, &beside);
                    let service = resource.get(SERVICE_NAME);
                    let scores = beside.scores.get(&run.id).map_or(&[][..], Vec::as_slice);
                    let bodies = Bodies::of(&run);
                    let view = View::new(&run, &bodies);
                    let ended = Ended { view, scores, conventions: *conventions, service };
                    match write(&ended, room, scratch, &mut message) {
                        Fit::Whole => batch.put(Signal::Traces, &run, &message, place),
                        Fit::Cut => {
                            encoded.cut += 1;
                            batch.put(Signal::Traces, &run, &message, place);
                        }
                        Fit::None => encoded.refused += 1,
                    }
                }
                RunChange::Patch(patch) if beside.patches.contains_key(&patch.id) || open.add(patch) => {}
                RunChange::Score(score) if beside.is_attached(score) => {}
                RunChange::Score(score) => match record(score, open, room) {
                    Some(record) => batch.put(Signal::Logs, &Run::default(), &record, place),
                    None => encoded.refused += 1,
                },
                RunChange::Progress(_) | RunChange::Report(_) => {}
                _ => encoded.left_out += 1,
            }
        }
        encoded.requests = batch.finish(changes.len());
        encoded
    }
}

/// The run with what its start said, and with what is added to it in the same batch.
fn whole<'c>(end: &'c Run, open: &mut Open, beside: &Beside<'_>) -> Cow<'c, Run> {
    let mut whole = match open.take(end.id) {
        Some(mut start) => {
            start.absorb(end.clone());
            Cow::Owned(*start)
        }
        None => Cow::Borrowed(end),
    };
    for patch in beside.patches.get(&end.id).into_iter().flatten() {
        whole.to_mut().absorb((*patch).clone());
    }
    whole
}

/// A score as a log record of at most `room` bytes.
fn record(score: &Score, open: &Open, room: usize) -> Option<Vec<u8>> {
    let trace = target(score).and_then(|run| open.get(run)).map(trace_id);
    let bounds = |(part, items)| Bounds { text: room / part, items };
    let mut tries = std::iter::once(Bounds::NONE).chain(CUTS.map(bounds));
    tries.find_map(|bounds| Some(score::record(score, bounds, trace)).filter(|record| record.len() <= room))
}

/// How a span fits into a request.
enum Fit {
    Whole,
    Cut,
    None,
}

/// Writes a span of at most `room` bytes.
fn write(ended: &Ended<'_>, room: usize, scratch: &mut Scratch, out: &mut Vec<u8>) -> Fit {
    out.clear();
    ended.write(Bounds::NONE, scratch, out);
    if out.len() <= room {
        return Fit::Whole;
    }
    for (part, items) in CUTS {
        out.clear();
        ended.write(Bounds { text: room / part, items }, scratch, out);
        if out.len() <= room {
            return Fit::Cut;
        }
    }
    Fit::None
}

/// What is said of runs that end in the same batch, before or after their end.
#[derive(Debug, Default)]
struct Beside<'c> {
    patches: HashMap<RunId, Vec<&'c Run>>,
    scores: HashMap<RunId, Vec<&'c Score>>,
}

impl<'c> Beside<'c> {
    fn of(changes: &[&'c RunChange]) -> Self {
        let mut beside = Self::default();
        for &change in changes {
            match change {
                RunChange::Patch(patch) => beside.patches.entry(patch.id).or_default().push(patch),
                RunChange::Score(score) => {
                    beside.scores.entry(target(score).unwrap_or_default()).or_default().push(score);
                }
                _ => {}
            }
        }
        if !beside.patches.is_empty() || !beside.scores.is_empty() {
            let ends = changes.iter().filter_map(|change| match change {
                RunChange::End(run) => Some(run.id),
                _ => None,
            });
            let ends: std::collections::HashSet<_> = ends.collect();
            beside.patches.retain(|id, _| ends.contains(id));
            beside.scores.retain(|id, _| ends.contains(id));
        }
        beside
    }

    fn is_attached(&self, score: &Score) -> bool {
        target(score).is_some_and(|run| self.scores.contains_key(&run))
    }
}

/// The run that a score is about; that of a trace is its root.
fn target(score: &Score) -> Option<RunId> {
    match score.target {
        ScoreTarget::Run(run) | ScoreTarget::Trace(run) => Some(run),
        _ => None,
    }
}

/// Requests that are being filled, one of each signal.
struct Batch<'r> {
    resource: &'r Resource,
    target: usize,
    full: Vec<Request>,
    traces: Filling,
    logs: Filling,
    /// The first change that the requests being filled speak for.
    from: usize,
}

/// The spans or log records of one request, by their resource.
#[derive(Default)]
struct Filling {
    groups: Vec<(Group, Vec<u8>)>,
    bytes: usize,
    items: usize,
}

impl<'r> Batch<'r> {
    fn new(resource: &'r Resource, target: usize) -> Self {
        Self { resource, target, full: Vec::new(), traces: Filling::default(), logs: Filling::default(), from: 0 }
    }

    /// Adds a span or a log record, which the change at `place` says.
    fn put(&mut self, signal: Signal, run: &Run, message: &[u8], place: usize) {
        let bytes = proto::field_len(message.len());
        let filled = if signal == Signal::Traces { &self.traces } else { &self.logs };
        if filled.items > 0 && filled.bytes + bytes > self.target {
            self.flush(place);
        }
        let filling = if signal == Signal::Traces { &mut self.traces } else { &mut self.logs };
        let known = filling.groups.iter().position(|(group, _)| group.is_of(run));
        let at = known.unwrap_or_else(|| {
            filling.groups.push((Group::of(run), Vec::new()));
            filling.bytes += FRAME + self.resource.len();
            filling.groups.len() - 1
        });
        proto::bytes(&mut filling.groups[at].1, 2, message);
        filling.bytes += bytes;
        filling.items += 1;
    }

    /// Closes both requests, so that each range of changes has all that it says before it.
    fn flush(&mut self, until: usize) {
        for signal in [Signal::Traces, Signal::Logs] {
            let filling = std::mem::take(if signal == Signal::Traces { &mut self.traces } else { &mut self.logs });
            if filling.items > 0 {
                let changes = self.from..until;
                self.full.push(Request { signal, items: filling.items, body: filling.body(self.resource), changes });
            }
        }
        self.from = until;
    }

    fn finish(mut self, changes: usize) -> Vec<Request> {
        self.flush(changes);
        self.full
    }
}

impl Filling {
    /// `ResourceSpans` or `ResourceLogs`: both are laid out the same way.
    fn body(self, resource: &Resource) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.bytes + FRAME);
        let scope = scope();
        for (group, items) in self.groups {
            let resource = resource.encode(&group);
            let scoped = proto::field_len(scope.len()) + items.len();
            proto::open(&mut body, 1, proto::field_len(resource.len()) + proto::field_len(scoped));
            proto::bytes(&mut body, 1, &resource);
            proto::open(&mut body, 2, scoped);
            proto::bytes(&mut body, 1, &scope);
            body.extend_from_slice(&items);
        }
        body
    }
}
