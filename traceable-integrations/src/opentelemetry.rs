//! OpenTelemetry: one trace for its spans and our runs.
//!
//! Two directions, and each works without the other:
//!
//! - [`share_traces`]: a trace of runs that begins inside of a span has that span's trace id, and its root names the span as
//!   its parent.
//! - [`run_as_parent`]: spans that begin inside of a run, such as those of an HTTP client, are children of that run.
//!
//! A span that is not sampled gives its trace id all the same and silences nobody: OpenTelemetry often keeps one trace in a
//! hundred, and which runs are kept is for our own sample to say. Spans below our runs keep to the decision of their trace.
//!
//! ```
//! use opentelemetry::trace::FutureExt as _;
//! use traceable_core::run;
//! use traceable_integrations::opentelemetry::{run_as_parent, share_traces};
//!
//! share_traces();
//! # async fn call_the_model() -> u32 { 7 }
//! # futures::executor::block_on(
//! run("ask").run_type("llm").future(async {
//!     // Spans of the HTTP client stand below the run.
//!     call_the_model().with_context(run_as_parent()).await
//! })
//! # );
//! ```

use std::str::FromStr as _;

use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt as _, TraceState},
};
use traceable_core::{
    Context as RunContext, current,
    model::{OtelContext, RunId},
    propagation::Remote,
    runtime,
};

/// From now on, traces that begin where a span is current have its trace id, and their roots have it as their parent.
pub fn share_traces() {
    runtime::share_traces(|| Context::map_current(span_of));
}

/// The place in a trace that an OpenTelemetry context names: runs that begin in it have its trace id, and the first of them
/// its span as their parent. Without a span in it, a context that changes nothing.
///
/// For contexts that are handed around; of the one that is current, [`share_traces`] takes care.
pub fn from_otel(cx: &Context) -> RunContext {
    let Some(otel) = span_of(cx) else { return RunContext::from_headers::<&str, &str>([]) };
    let mut remote = Remote::from(otel);
    remote.sampled = true;
    RunContext::from_remote(&remote)
}

/// The current OpenTelemetry context with the current run as the parent of the spans that begin in it. Without a run, the
/// current context as it is.
///
/// Where a span of the run is current already, that one stays the parent.
pub fn run_as_parent() -> Context {
    Context::map_current(|cx| parent_in(cx).unwrap_or_else(|| cx.clone()))
}

/// The run that the spans in a context stand below.
struct BelowRun(RunId);

/// A context with the current run as the parent, unless it is that of the run or of a span below it.
pub(crate) fn parent_in(cx: &Context) -> Option<Context> {
    if !runtime::may_record() {
        return None;
    }
    let run = current().id()?;
    if cx.get::<BelowRun>().is_some_and(|below| below.0 == run) {
        return None;
    }
    let outgoing = current().outgoing()?;
    let around = cx.span().span_context().clone();
    let trace_id = TraceId::from(outgoing.trace_id);
    let flags = if around.trace_id() == trace_id {
        around.trace_flags()
    } else {
        TraceFlags::default().with_sampled(outgoing.sampled)
    };
    let state = outgoing.tracestate.and_then(|state| TraceState::from_str(&state).ok()).unwrap_or_default();
    let parent = SpanContext::new(trace_id, SpanId::from(outgoing.span_id), flags, true, state);
    Some(cx.with_remote_span_context(parent).with_value(BelowRun(run)))
}

/// The span of a context, as the runs below it name it.
fn span_of(cx: &Context) -> Option<OtelContext> {
    let span = cx.span();
    let span = span.span_context();
    span.is_valid().then(|| OtelContext {
        trace_id: u128::from_be_bytes(span.trace_id().to_bytes()),
        parent_span_id: Some(u64::from_be_bytes(span.span_id().to_bytes())),
        tracestate: Some(span.trace_state().header()).filter(|state| !state.is_empty()),
        sampled: span.is_sampled(),
    })
}
