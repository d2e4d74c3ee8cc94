//! The ids that the span that begins now is to have, for a provider that asks.

use std::cell::Cell;

use opentelemetry::{SpanId, TraceId};

thread_local! {
    static TRACE: Cell<Option<TraceId>> = const { Cell::new(None) };
    static SPAN: Cell<Option<SpanId>> = const { Cell::new(None) };
}

/// Begins a span. What else begins meanwhile, such as spans of a processor, has ids of its own: each is taken once.
pub(super) fn with<T>(trace: Option<TraceId>, span: SpanId, begin: impl FnOnce() -> T) -> T {
    struct Forget;
    impl Drop for Forget {
        fn drop(&mut self) {
            TRACE.set(None);
            SPAN.set(None);
        }
    }
    let _forget = Forget;
    TRACE.set(trace);
    SPAN.set(Some(span));
    begin()
}

pub(super) fn take_trace() -> Option<TraceId> {
    // A thread that ends has nothing to say.
    TRACE.try_with(Cell::take).ok().flatten()
}

pub(super) fn take_span() -> Option<SpanId> {
    SPAN.try_with(Cell::take).ok().flatten()
}
