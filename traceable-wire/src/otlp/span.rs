//! A run as a span: ids, times, status and events, and in between what the chosen conventions say of it.

use traceable_core::model::{Event, Run, RunId, RunType, Score, Status};

use super::{
    conventions::{Convention, Conventions},
    names::{ours, resource as names},
    proto::{self, Attributes, Bounds, cut},
    score,
    view::View,
    write::{self, Said},
};
use crate::names::PREFIX;

/// `Span.kind`.
const INTERNAL: u64 = 1;
pub(super) const CLIENT: u64 = 3;

/// `Span.flags`: the trace is recorded, and it is known whether the parent is of another process.
const SAMPLED: u32 = 0x101;
const REMOTE_PARENT: u32 = 0x200;

/// Memory that is used again for each span.
#[derive(Debug)]
pub(super) struct Scratch {
    attributes: Attributes,
    event: Attributes,
    /// The message of an event or a status.
    message: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { attributes: Attributes::new(9), event: Attributes::new(3), message: Vec::new() }
    }
}

/// A run that has ended, with the scores that are known of it.
#[derive(Debug)]
pub(super) struct Ended<'a> {
    pub(super) view: View<'a>,
    pub(super) scores: &'a [&'a Score],
    pub(super) conventions: Conventions,
    /// What the service is called.
    pub(super) service: Option<&'a str>,
}

impl Ended<'_> {
    /// Writes the span's message.
    pub(super) fn write(&self, bounds: Bounds, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let Scratch { attributes, event, message } = scratch;
        let run = self.view.run;
        proto::bytes(out, 1, &trace_id(run).to_be_bytes());
        proto::bytes(out, 2, &run.id.span_id().to_be_bytes());
        let foreign = run.otel.as_ref();
        if let Some(state) = foreign.and_then(|otel| otel.tracestate.as_deref()) {
            proto::bytes(out, 3, state.as_bytes());
        }
        let remote = foreign.and_then(|otel| otel.parent_span_id);
        let parent = remote.or_else(|| run.parent_id.map(RunId::span_id));
        if let Some(parent) = parent {
            proto::bytes(out, 4, &parent.to_be_bytes());
        }
        let name = self.name();
        proto::text(out, 5, &name, bounds);
        proto::uint(out, 6, self.kind());
        let end = run.end_time.unwrap_or(run.start_time);
        proto::fixed64(out, 7, run.start_time as u64);
        proto::fixed64(out, 8, end as u64);

        attributes.clear(bounds);
        let mut said = Said::default();
        if name == run.name {
            said.exactly(write::Field::Name);
        }
        write::conventions(self, attributes, &mut said);
        write::ours(run, attributes, &said);
        out.extend_from_slice(attributes.as_bytes());

        for happened in run.events.iter().take(bounds.items) {
            event.clear(bounds);
            event_attributes(happened, event);
            put_event(out, message, cut(&happened.name, bounds.text).0, happened.time, event);
        }
        if let Some(error) = &run.error {
            event.clear(bounds);
            event.text(names::EXCEPTION_TYPE, error_type(run));
            event.text(names::EXCEPTION_MESSAGE, error.as_str());
            put_event(out, message, names::EXCEPTION, end, event);
        }
        for given in self.scores.iter().take(bounds.items) {
            event.clear(bounds);
            score::attributes(given, event);
            put_event(out, message, score::EVENT, given.time, event);
        }
        if let Some(dropped @ 1..) = run.events.len().checked_sub(bounds.items) {
            proto::uint(out, 12, dropped as u64);
        }
        status(run, bounds, message, out);
        proto::fixed32(out, 16, if remote.is_some() { SAMPLED | REMOTE_PARENT } else { SAMPLED });
    }

    /// The run's name, by which its author knows it. OpenLIT's spans are called by what is done and with what.
    fn name(&self) -> String {
        let run = self.view.run;
        let endpoint = || {
            let what = self.view.database_operation().or_else(|| Some(write::operation(run)?.into()))?;
            let with = run.model.as_deref().or_else(|| self.view.collection())?;
            Some(format!("{what} {with}"))
        };
        if self.conventions.has(Convention::OpenLit)
            && let Some(endpoint) = endpoint()
        {
            return endpoint;
        }
        if run.name.is_empty() { endpoint().unwrap_or_else(|| run.run_type.to_string()) } else { run.name.to_string() }
    }

    fn kind(&self) -> u64 {
        match self.view.run.run_type {
            RunType::Llm | RunType::Embedding | RunType::Retriever | RunType::Reranker => CLIENT,
            // So it is with OpenLIT, for all spans.
            _ if self.conventions.has(Convention::OpenLit) => CLIENT,
            _ => INTERNAL,
        }
    }
}

/// The trace as OpenTelemetry knows it.
pub(super) fn trace_id(run: &Run) -> u128 {
    run.otel.as_ref().map_or_else(|| run.trace_id.otel_trace_id(), |otel| otel.trace_id)
}

/// What kind of error it is: what metadata says, or the name that the error's text begins with.
pub(super) fn error_type(run: &Run) -> &str {
    if let Some(said) = run.metadata.get(names::ERROR_TYPE).and_then(|said| said.as_str()) {
        return said;
    }
    let error = run.error.as_deref().unwrap_or_default();
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.');
    let end = error.find(|c| !is_part(c)).unwrap_or(error.len());
    let name = error[..end].trim_end_matches(':');
    let last = name.rsplit([':', '.']).next().unwrap_or_default();
    // `TimeoutError: …`, `reqwest::Error { … }`, `NotFound(…)`; but no word that a sentence begins with.
    let is_type = last.starts_with(|c: char| c.is_ascii_uppercase())
        && (error[..end].ends_with(':') || error[end..].trim_start().starts_with(['(', '{']));
    if is_type && name.len() <= 100 { name } else { names::OTHER_ERROR }
}

/// Whether an event needs a mark that it is the run's own, and no view of something else that the span says.
pub(super) fn is_derived(name: &str) -> bool {
    name == names::EXCEPTION || name == score::EVENT
}

fn event_attributes(happened: &Event, out: &mut Attributes) {
    if let Some(data) = &happened.data {
        for (name, value) in data.as_object().into_iter().flatten().take(out.bounds.items) {
            if !name.starts_with(PREFIX) {
                write::scalar(name, value, out);
            }
        }
        out.json(ours::EVENT_DATA, data);
    } else if is_derived(&happened.name) {
        out.text(ours::EVENT_DATA, "");
    }
}

fn put_event(out: &mut Vec<u8>, message: &mut Vec<u8>, name: &str, time: i64, attributes: &Attributes) {
    message.clear();
    proto::fixed64(message, 1, time as u64);
    proto::bytes(message, 2, name.as_bytes());
    message.extend_from_slice(attributes.as_bytes());
    proto::bytes(out, 11, message);
}

/// `Status`: how the run ended, as far as OpenTelemetry knows words for it.
fn status(run: &Run, bounds: Bounds, message: &mut Vec<u8>, out: &mut Vec<u8>) {
    message.clear();
    match run.status {
        Status::Error | Status::Aborted => {
            proto::text(message, 2, run.error.as_deref().unwrap_or_default(), bounds);
            proto::uint(message, 3, 2);
        }
        Status::Ok => proto::uint(message, 3, 1),
        // Nobody failed.
        _ => {}
    }
    proto::bytes(out, 15, message);
}
