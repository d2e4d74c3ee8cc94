//! Which spans are open, and which runs wait for their parent's.

use std::collections::{HashMap, VecDeque};

use opentelemetry::{
    Context,
    global::{BoxedSpan, BoxedTracer},
    trace::{Span as _, SpanContext, TraceContextExt as _, TraceFlags, TraceState},
};
use traceable_core::model::{OtelContext, Run, RunChange, RunId, Score, ScoreTarget};
use traceable_wire::otlp::{Conventions, Span};

use super::span::{begin, finish, whole};

/// What is kept of open and waiting runs, in bytes.
const MAX_BYTES: usize = 64 << 20;
/// Spans that have ended are known for what ends below them later.
const MAX_ENDED: usize = 16 << 10;
/// Scores may come before the end of their run.
const MAX_SCORES: usize = 1024;

/// See the file.
#[derive(Default)]
pub(super) struct Runs {
    open: HashMap<RunId, Open>,
    /// Where a run's span is, by the run: of open ones, and of the last that ended.
    known: HashMap<RunId, SpanContext>,
    ended: VecDeque<RunId>,
    /// Runs that ended, by their parent, whose span has not begun.
    waiting: HashMap<RunId, Vec<Run>>,
    /// The parents that are waited for.
    order: VecDeque<RunId>,
    scores: VecDeque<(RunId, Score)>,
    /// Bytes of what the open ones said, and of the waiting ones.
    bytes: usize,
}

/// A run whose span has begun.
struct Open {
    span: BoxedSpan,
    /// What its start said, which its end does not say again.
    start: Box<Run>,
    bytes: usize,
}

impl Runs {
    pub(super) fn with<'a>(&'a mut self, tracer: &'a BoxedTracer, conventions: Conventions) -> Taking<'a> {
        Taking { runs: self, tracer, conventions }
    }
}

/// What is known, beside the provider that is told.
pub(super) struct Taking<'a> {
    runs: &'a mut Runs,
    tracer: &'a BoxedTracer,
    conventions: Conventions,
}

impl Taking<'_> {
    /// Takes changes. Answers how many there is no place for.
    pub(super) fn take(&mut self, changes: &[RunChange]) -> u64 {
        // A score goes along with the end of its run, behind which it may stand.
        let mut refused = changes.iter().map(|change| self.score(change)).sum();
        for change in changes {
            match change {
                RunChange::Start(run) => self.start(run),
                RunChange::End(run) => self.end(run),
                RunChange::Patch(patch) => match self.runs.open.get_mut(&patch.id) {
                    Some(open) => open.start.absorb((**patch).clone()),
                    None => refused += 1,
                },
                RunChange::Attachment(_) | RunChange::Thread(_) | RunChange::User(_) => refused += 1,
                _ => {}
            }
        }
        while self.runs.bytes > MAX_BYTES && self.release_oldest() {}
        refused
    }

    /// Keeps a score until its run ends. Answers how many were refused for it.
    fn score(&mut self, change: &RunChange) -> u64 {
        let RunChange::Score(score) = change else { return 0 };
        let Runs { open, known, scores, .. } = &mut *self.runs;
        let (ScoreTarget::Run(run) | ScoreTarget::Trace(run)) = score.target else { return 1 };
        if known.contains_key(&run) && !open.contains_key(&run) {
            return 1;
        }
        scores.push_back((run, (**score).clone()));
        u64::from(scores.len() > MAX_SCORES && scores.pop_front().is_some())
    }

    fn start(&mut self, run: &Run) {
        let span = Span::of(run, &[], self.conventions);
        let parent = self.parent(run).unwrap_or_else(|| unseen(run));
        let begun = begin(self.tracer, &span, &parent);
        let bytes = weight(run);
        self.runs.bytes += bytes;
        let context = begun.span_context().clone();
        // Beyond the bound, the span lacks what the start said.
        let start = if self.runs.bytes > MAX_BYTES { Box::default() } else { Box::new(run.clone()) };
        self.runs.open.insert(run.id, Open { span: begun, start, bytes });
        self.runs.known.insert(run.id, context);
        self.release(run.id);
    }

    fn end(&mut self, end: &Run) {
        let Some(mut open) = self.runs.open.remove(&end.id) else {
            match self.parent(end) {
                Some(parent) => {
                    self.whole(end, &parent);
                    self.release(end.id);
                }
                None => self.wait(end),
            }
            return;
        };
        self.runs.bytes -= open.bytes;
        // A sampler may have left it out.
        if open.span.is_recording() {
            let mut run = *open.start;
            run.absorb(end.clone());
            (run.id, run.trace_id, run.parent_id, run.start_time) =
                (end.id, end.trace_id, end.parent_id, end.start_time);
            let scores = self.scores_of(run.id);
            finish(&mut open.span, &Span::of(&run, &scores.iter().collect::<Vec<_>>(), self.conventions));
        }
        self.forget_later(end.id);
    }

    /// Begins and ends the span of a run that is over.
    fn whole(&mut self, run: &Run, parent: &Context) {
        let scores = self.scores_of(run.id);
        let span = Span::of(run, &scores.iter().collect::<Vec<_>>(), self.conventions);
        let begun = whole(self.tracer, &span, parent);
        self.runs.known.insert(run.id, begun.span_context().clone());
        self.forget_later(run.id);
    }

    fn wait(&mut self, run: &Run) {
        let Some(parent) = run.parent_id else { return };
        self.runs.bytes += weight(run);
        let siblings = self.runs.waiting.entry(parent).or_default();
        if siblings.is_empty() {
            self.runs.order.push_back(parent);
        }
        siblings.push(run.clone());
    }

    /// Spans of the runs that waited for this one's, and for theirs.
    fn release(&mut self, begun: RunId) {
        let mut parents = vec![begun];
        while let Some(parent) = parents.pop() {
            for run in self.runs.waiting.remove(&parent).unwrap_or_default() {
                self.runs.bytes -= weight(&run);
                let context = self.parent(&run).unwrap_or_else(|| unseen(&run));
                self.whole(&run, &context);
                parents.push(run.id);
            }
        }
        // What is no longer waited for goes before the list outgrows the map.
        let Runs { order, waiting, .. } = &mut *self.runs;
        if order.len() > 2 * waiting.len() + 1024 {
            order.retain(|parent| waiting.contains_key(parent));
        }
    }

    /// Spans of the runs whose parent has been waited for longest.
    fn release_oldest(&mut self) -> bool {
        let oldest = self.runs.order.pop_front();
        oldest.is_some_and(|parent| {
            self.release(parent);
            true
        })
    }

    /// Spans of all runs that wait, whether their parents have any or not.
    pub(super) fn release_all(&mut self) {
        while self.release_oldest() {}
    }

    /// What a run's span is below; `None` where that has not begun and is still to come.
    fn parent(&self, run: &Run) -> Option<Context> {
        let foreign = run.otel.as_ref().and_then(|otel| Some((otel, otel.parent_span_id?)));
        if let Some((otel, parent)) = foreign {
            return Some(remote(otel.trace_id, parent, otel.sampled, Some(otel)));
        }
        let Some(parent) = run.parent_id else { return Some(Context::new()) };
        match self.runs.known.get(&parent) {
            Some(known) => Some(Context::new().with_remote_span_context(known.clone())),
            None if is_of_one_process(parent, run.id) => None,
            None => Some(unseen(run)),
        }
    }

    fn scores_of(&mut self, run: RunId) -> Vec<Score> {
        let (of_it, others) = self.runs.scores.drain(..).partition(|(about, _)| *about == run);
        self.runs.scores = others;
        let of_it: VecDeque<(RunId, Score)> = of_it;
        of_it.into_iter().map(|(_, score)| score).collect()
    }

    fn forget_later(&mut self, run: RunId) {
        self.runs.ended.push_back(run);
        if self.runs.ended.len() > MAX_ENDED
            && let Some(oldest) = self.runs.ended.pop_front()
        {
            self.runs.known.remove(&oldest);
        }
    }
}

/// Below a span that nobody has seen here: of another process, or of a run that was dropped.
fn unseen(run: &Run) -> Context {
    let Some(parent) = run.parent_id else { return Context::new() };
    let trace = run.otel.as_ref().map_or_else(|| run.trace_id.otel_trace_id(), |otel| otel.trace_id);
    remote(trace, parent.span_id(), true, None)
}

fn remote(trace: u128, span: u64, is_sampled: bool, otel: Option<&OtelContext>) -> Context {
    let state = otel.and_then(|otel| otel.tracestate.as_ref()?.parse::<TraceState>().ok()).unwrap_or_default();
    let flags = TraceFlags::default().with_sampled(is_sampled);
    Context::new().with_remote_span_context(SpanContext::new(trace.into(), span.into(), flags, true, state))
}

/// Whether both have the random bits of one process: see [`RunId::new`].
fn is_of_one_process(one: RunId, other: RunId) -> bool {
    const PROCESS: u128 = 0xfff << 64 | 0x3fff_ffff << 32;
    (one.as_u128() ^ other.as_u128()) & PROCESS == 0
}

/// About how much memory a run takes.
fn weight(run: &Run) -> usize {
    let bodies = [&run.inputs, &run.outputs, &run.expected].into_iter().flatten();
    let chunks = run.stream.iter().flat_map(|stream| &stream.raw).map(|(_, chunk)| chunk.as_str().len() + 32);
    size_of::<Run>() + bodies.map(|json| json.as_str().len()).chain(chunks).sum::<usize>() + 64 * run.metadata.len()
}
