//! The handle to the current run, for the code inside of it.

use std::{fmt, time::Duration};

use serde::Serialize;

use crate::{
    adapters,
    by_hand::{RunBuilder, run},
    context::Context,
    frame::Frame,
    local,
    model::{Attachment, RunId, Status, Usage},
    record::{self, item},
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
    pub(crate) const fn of(frame: Frame) -> Self {
        Self { frame }
    }

    pub(crate) fn frame(self) -> Frame {
        self.frame
    }

    /// Whether the run is recorded.
    #[must_use]
    pub fn is_recording(self) -> bool {
        self.frame.is_run()
    }

    /// The run's id: the one that every backend shows. `None` when the run is not recorded.
    #[must_use]
    pub fn id(self) -> Option<RunId> {
        if self.is_recording() { self.frame.id() } else { None }
    }

    /// The id of the trace's root.
    #[must_use]
    pub fn trace_id(self) -> Option<RunId> {
        if self.is_recording() { self.frame.trace_id() } else { None }
    }

    /// The run, to be carried to other tasks and threads.
    pub fn context(self) -> Context {
        if local::top().key == self.frame.key {
            return Context::current();
        }
        Context::of(self.frame, None)
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

    /// Sets the output, as [`Current::set_outputs`].
    pub fn set_result<T: Serialize + ?Sized>(self, result: &T) {
        self.set_outputs(result);
    }

    /// Sets all inputs, in place of those that were recorded. A value that is no object stands under `input`.
    pub fn set_inputs<T: Serialize + ?Sized>(self, inputs: &T) {
        self.note(|body| {
            body.push(item::INPUTS);
            tape::write_serialize(body, inputs);
        });
    }

    /// Adds each member of an object to the metadata. Any other value is added under `metadata`.
    pub fn set_metadata<T: Serialize + ?Sized>(self, metadata: &T) {
        self.note(|body| tape::write_members(body, metadata));
    }

    /// Sets the answer that was wanted.
    pub fn set_expected<T: Serialize + ?Sized>(self, expected: &T) {
        self.note(|body| {
            body.push(item::EXPECTED);
            tape::write_serialize(body, expected);
        });
    }

    /// Says what a placeholder of the prompt was filled with.
    pub fn add_variable<T: Serialize + ?Sized>(self, name: &str, value: &T) {
        self.note(|body| {
            adapters::text(body, item::VARIABLE, name);
            tape::write_serialize(body, value);
        });
    }

    /// Names who serves the model and the model, such as `openai` and `gpt-4o`.
    pub fn set_model(self, provider: &str, model: &str) {
        self.add_metadata("ls_provider", provider);
        self.add_metadata("ls_model_name", model);
    }

    /// Sets what the call cost, in US dollars; what its tokens would cost does not replace it.
    pub fn set_cost(self, dollars: f64) {
        self.note(|body| {
            body.push(item::COST);
            body.extend_from_slice(&dollars.to_bits().to_le_bytes());
        });
    }

    /// Keeps the text of a stream as it came, beside the output that was made of it.
    pub fn set_raw_stream(self, text: &str) {
        self.note(|body| {
            body.push(item::RAW_TEXT);
            tape::write_str(body, text);
        });
    }

    /// Says when the first token of the answer came, counted from the start of the run; for an answer that was not traced
    /// as a stream.
    pub fn set_time_to_first_token(self, latency: Duration) {
        self.note(|body| {
            let latency = i64::try_from(latency.as_nanos()).unwrap_or(i64::MAX);
            let first = self.frame.start.saturating_add(latency);
            body.push(item::STREAM);
            body.extend_from_slice(&first.to_le_bytes());
            body.extend_from_slice(&first.max(self.frame.now()).to_le_bytes());
            body.extend_from_slice(&1_u64.to_le_bytes());
        });
    }

    /// Names the prompt that was used, and its deployed version, in the words of the platform that keeps them.
    pub fn set_prompt(self, prompt: Option<&str>, deployment: Option<&str>) {
        self.note(|body| {
            if let Some(prompt) = prompt {
                adapters::text(body, item::PROMPT_REF, prompt);
            }
            if let Some(deployment) = deployment {
                adapters::text(body, item::DEPLOYMENT_REF, deployment);
            }
        });
    }

    /// Sets the kind of work.
    pub fn set_run_type(self, run_type: &str) {
        self.note(|body| adapters::text(body, item::RUN_TYPE, run_type));
    }

    /// Sets how the run stands, whatever becomes of its function.
    pub fn set_status(self, status: Status) {
        self.note(|body| body.extend_from_slice(&[item::STATUS, record::status_byte(status)]));
    }

    /// Makes the run, and those that begin below it afterwards, a part of a conversation.
    pub fn set_thread(self, id: &str) {
        self.note(|body| adapters::text(body, item::THREAD, id));
    }

    /// Makes the run, and those that begin below it afterwards, a part of a session.
    pub fn set_session(self, id: &str) {
        self.note(|body| adapters::text(body, item::SESSION, id));
    }

    /// Names the environment of the run, and of those that begin below it afterwards, such as `production`.
    pub fn set_environment(self, name: &str) {
        self.note(|body| adapters::text(body, item::ENVIRONMENT, name));
    }

    /// Names the user of the run, and of those that begin below it afterwards.
    pub fn set_user(self, id: &str) {
        self.note(|body| adapters::text(body, item::USER, id));
    }

    /// A run below this one, to be begun by hand.
    #[track_caller]
    pub fn child(self, name: impl AsRef<str>) -> RunBuilder {
        run(name).parent(self)
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
