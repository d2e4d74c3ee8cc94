//! Runs as spans of the application's own OpenTelemetry: its provider, resource, sampler, processors and exporters.
//!
//! A span must begin before the spans below it, for only then is it known which ids it has and whether it is kept. So a run
//! that was announced begins its span at once (`runs`), and one that ended before that waits for its parent's.

mod ids;
mod runs;
mod span;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use opentelemetry::{
    InstrumentationScope, SpanId, TraceId,
    global::{self, BoxedTracer},
    trace::{Tracer, TracerProvider},
};
use traceable_core::{
    export::{Ack, Batch, BoxFuture, ExportError, Exporter},
    runtime::say,
};
use traceable_wire::otlp::Conventions;

use self::runs::Runs;

const CONVENTIONS: &str = "TRACEABLE_OTEL_CONVENTIONS";

/// Makes spans of runs in the application's own tracer provider.
///
/// They have the attributes that [`Otlp`](crate::Otlp) sends, in the words of the conventions, the run's own times, events,
/// error and scores. Where spans go, what is known of the service, and which traces are kept, is for the provider to say:
/// a run's project, environment and release are not told it. Runs that began in a span of the application are below it.
///
/// **Ids.** OpenTelemetry has it that the provider makes all ids. Then spans are below each other as their runs are, but
/// other ids were told to the services that were called, and to spans that began in a run. Give the provider the ids of
/// the runs, and all of it is one trace:
///
/// ```
/// use opentelemetry::{SpanId, TraceId};
/// use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracerProvider};
/// use traceable_exporters::OtelBridge;
///
/// #[derive(Debug, Default)]
/// struct RunIds(RandomIdGenerator);
///
/// impl IdGenerator for RunIds {
///     fn new_trace_id(&self) -> TraceId {
///         OtelBridge::next_trace_id().unwrap_or_else(|| self.0.new_trace_id())
///     }
///
///     fn new_span_id(&self) -> SpanId {
///         OtelBridge::next_span_id().unwrap_or_else(|| self.0.new_span_id())
///     }
/// }
///
/// let provider = SdkTracerProvider::builder().with_id_generator(RunIds::default()).build();
/// let bridge = OtelBridge::new(&provider);
/// ```
///
/// **What is kept.** The provider's queues are in memory, and bounded; a run is counted as delivered when the bridge
/// has been given it, though its span may still wait for that of its parent. At the end, call [`flush`](traceable_core::runtime::flush) first, and then that of the provider. OpenTelemetry
/// keeps 128 attributes of a span unless told otherwise: set more (`with_max_attributes_per_span`) for long conversations.
/// What is added to a run after its end, files, and scores that come after it, are counted as refused.
pub struct OtelBridge {
    tracer: Option<BoxedTracer>,
    conventions: Conventions,
    runs: Runs,
}

impl fmt::Debug for OtelBridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtelBridge").field("conventions", &self.conventions).finish_non_exhaustive()
    }
}

impl OtelBridge {
    /// Spans of this provider, in the conventions that `TRACEABLE_OTEL_CONVENTIONS` names.
    pub fn new<P>(provider: &P) -> Self
    where
        P: TracerProvider,
        P::Tracer: Send + Sync + 'static,
        <P::Tracer as Tracer>::Span: Send + Sync + 'static,
    {
        Self::of(Some(BoxedTracer::new(Box::new(provider.tracer_with_scope(scope())))))
    }

    /// Spans of the global provider, whichever that is when a run is handed over.
    pub fn global() -> Self {
        Self::of(None)
    }

    fn of(tracer: Option<BoxedTracer>) -> Self {
        let conventions = std::env::var(CONVENTIONS).unwrap_or_default().parse().unwrap_or_else(|error| {
            // What spans are called is no reason to go without them.
            say(format_args!("{CONVENTIONS}: {error}; spans have the default's names"));
            Conventions::default()
        });
        Self { tracer, conventions, runs: Runs::default() }
    }

    /// In which words spans say what is known of a run.
    #[must_use]
    pub fn conventions(self, conventions: Conventions) -> Self {
        Self { conventions, ..self }
    }

    /// The trace that a run's span is about to begin; `None` where the span is not a run's. For the provider's id
    /// generator, which asks once a span.
    pub fn next_trace_id() -> Option<TraceId> {
        ids::take_trace()
    }

    /// The id that a run's span is to have. As [`next_trace_id`](Self::next_trace_id).
    pub fn next_span_id() -> Option<SpanId> {
        ids::take_span()
    }

    /// Does something with the provider, whose processors are the application's and may panic.
    fn guarded<T>(&mut self, act: impl FnOnce(&mut Runs, &BoxedTracer, Conventions) -> T) -> Result<T, ExportError> {
        let Self { tracer, conventions, runs } = self;
        let global = tracer.is_none().then(|| global::tracer_with_scope(scope()));
        let Some(tracer) = tracer.as_ref().or(global.as_ref()) else { return Err(ExportError::refuse("no tracer")) };
        catch_unwind(AssertUnwindSafe(|| act(runs, tracer, *conventions)))
            .map_err(|_| ExportError::refuse("the application's OpenTelemetry panicked, so spans are missing there"))
    }
}

impl Exporter for OtelBridge {
    fn name(&self) -> &'static str {
        "opentelemetry"
    }

    fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
        let taken = self.guarded(|runs, tracer, conventions| runs.with(tracer, conventions).take(&batch.changes));
        let ack = taken.map(|refused| {
            let mut ack = Ack::default();
            ack.refused = refused;
            ack
        });
        Box::pin(std::future::ready(ack))
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<(), ExportError>> {
        let flushed = self.guarded(|runs, tracer, conventions| runs.with(tracer, conventions).release_all());
        Box::pin(std::future::ready(flushed))
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("traceable").with_version(env!("CARGO_PKG_VERSION")).build()
}
