//! The handle to the current run, for the code inside of it.

use std::fmt;

use serde::Serialize;

use crate::{
    adapters,
    context::Context,
    local::{self, Frame},
    model::{Attachment, RunId, Usage},
    record::item,
    tape,
};

/// The current run; outside of any, a handle that does nothing.
///
/// ```
/// let run = traceable_core::current();
/// run.add_metadata("attempt", &2);
/// if let Some(id) = run.id() {
///     println!("send this to the analytics system: {id}");
/// }
/// ```
#[must_use]
pub fn current() -> Current {
    Current { frame: local::top() }
}

/// A handle to a run. See [`current`].
#[derive(Debug, Clone, Copy)]
pub struct Current {
    frame: Frame,
}

impl Current {
    pub(crate) fn frame(self) -> Frame {
        self.frame
    }

    /// Whether the run is recorded.
    #[must_use]
    pub fn is_recording(self) -> bool {
        self.frame.is_recorded()
    }

    /// The run's id: the one that every backend shows. `None` when the run is not recorded.
    #[must_use]
    pub fn id(self) -> Option<RunId> {
        self.is_recording().then(|| self.frame.id())
    }

    /// The id of the trace's root.
    #[must_use]
    pub fn trace_id(self) -> Option<RunId> {
        self.is_recording().then(|| self.frame.trace_id())
    }

    /// The run, to be carried to other tasks and threads.
    pub fn context(self) -> Context {
        Context::of(self.frame)
    }

    /// Adds a metadata value. Runs that begin below afterwards inherit it.
    pub fn add_metadata<T: Serialize + ?Sized>(self, key: &str, value: &T) {
        self.note(|body| {
            adapters::text(body, item::METADATA, key);
            tape::write_serialize(body, value);
        });
    }

    /// Adds a tag.
    pub fn add_tag(self, tag: &str) {
        self.note(|body| adapters::text(body, item::TAG, tag));
    }

    /// Adds tags.
    pub fn add_tags<T: AsRef<str>>(self, tags: impl IntoIterator<Item = T>) {
        self.note(|body| tags.into_iter().for_each(|tag| adapters::text(body, item::TAG, tag.as_ref())));
    }

    /// Notes that something happens now.
    pub fn add_event<T: Serialize + ?Sized>(self, name: &str, data: &T) {
        self.note(|body| {
            adapters::text(body, item::EVENT, name);
            body.extend_from_slice(&self.frame.now().to_le_bytes());
            tape::write_serialize(body, data);
        });
    }

    /// Sets the usage; what stands in the output does not replace it.
    pub fn set_usage(self, usage: &Usage) {
        self.note(|body| {
            body.push(item::USAGE);
            tape::write_serialize(body, usage);
        });
    }

    /// Sets the output; what the function returns does not replace it.
    pub fn set_outputs<T: Serialize + ?Sized>(self, outputs: &T) {
        self.note(|body| {
            body.push(item::SET_OUTPUT);
            tape::write_serialize(body, outputs);
        });
    }

    /// Sets the error: the run has failed, also if the function returns a value.
    pub fn set_error(self, error: impl fmt::Display) {
        self.note(|body| {
            body.push(item::ERROR);
            tape::write_error_text(body, |out| write!(out, "{error:#}"));
        });
    }

    /// Gives the run another name.
    pub fn set_name(self, name: &str) {
        self.note(|body| adapters::text(body, item::NAME, name));
    }

    /// Adds a file, under this name; one of the same name is replaced. Its bytes are shared and not copied.
    pub fn attach(self, name: &str, attachment: &Attachment) {
        self.note(|body| {
            adapters::text(body, item::ATTACHMENT, name);
            tape::write_serialize(body, attachment);
        });
    }

    fn note(self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_recording() {
            let mut body = local::take_scratch();
            write(&mut body);
            local::write_note(self.frame.key, self.frame.now(), &body);
            local::give_scratch(body);
        }
    }
}
