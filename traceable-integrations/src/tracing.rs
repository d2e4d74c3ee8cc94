//! `tracing` with tracing-opentelemetry: one trace for its spans and our runs.

use std::cell::RefCell;

use opentelemetry::{Context, ContextGuard};
use tracing_core::{
    Subscriber,
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer, registry::LookupSpan};

use crate::opentelemetry::{parent_in, share_traces};

/// Makes one trace of our runs and of the spans that `layer`, one of tracing-opentelemetry's, sends to OpenTelemetry: a
/// run that begins in a span has its trace id, and a span that begins in a run is a child of that run.
///
/// The layer must make its spans the current ones in OpenTelemetry, as it does unless told otherwise
/// (`with_context_activation`). Spans that name a parent of their own keep it.
///
/// ```
/// # use opentelemetry::trace::TracerProvider as _;
/// # let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
/// # let tracer = provider.tracer("docs");
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// let spans = tracing_opentelemetry::layer().with_tracer(tracer);
/// let subscriber = tracing_subscriber::registry().with(traceable_integrations::tracing::with_runs(spans));
/// # let _ = subscriber;
/// ```
pub fn with_runs<S, L>(layer: L) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    L: Layer<S>,
{
    share_traces();
    Before.and_then(layer).and_then(After)
}

thread_local! {
    /// The run is OpenTelemetry's current span between the two layers.
    static BETWEEN: RefCell<Option<ContextGuard>> = const { RefCell::new(None) };
}

/// Told of a new span before the layer that looks for its parent.
struct Before;

/// Told of it afterwards.
struct After;

impl<S: Subscriber> Layer<S> for Before {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: layer::Context<'_, S>) {
        if span.is_contextual()
            && let Some(parent) = Context::map_current(parent_in)
        {
            keep(Some(parent.attach()));
        }
    }
}

impl<S: Subscriber> Layer<S> for After {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: layer::Context<'_, S>) {
        keep(None);
    }
}

fn keep(guard: Option<ContextGuard>) {
    // While the thread ends there is nothing to keep it in. What was there is dropped when nobody looks at it.
    let before = BETWEEN.try_with(|between| between.replace(guard));
    drop(before);
}
