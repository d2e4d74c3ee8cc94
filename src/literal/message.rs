//! Messages of a conversation.

use std::collections::BTreeMap;

use super::StepType;
use crate::{Record, RunBuilder, RunId};

/// A message of a conversation, to be sent. Made by [`Client::message`](super::Client::message).
#[derive(Debug)]
#[must_use = "a message is not recorded before `send`"]
pub struct Message {
    run: RunBuilder,
    content: String,
    /// One of the three types of messages.
    step_type: StepType,
}

impl Message {
    pub(super) fn new(run: RunBuilder, content: String) -> Self {
        Self { run, content, step_type: StepType::AssistantMessage }
    }

    /// Says that the user said it.
    pub fn by_user(self) -> Self {
        self.of(StepType::UserMessage)
    }

    /// Says that the system said it.
    pub fn by_system(self) -> Self {
        self.of(StepType::SystemMessage)
    }

    /// Names who said it, such as the agent. Without this the name is `message`.
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.run = self.run.name(name);
        self
    }

    /// Makes it a part of a conversation, where no [`Thread`](super::Thread) is around.
    pub fn thread_id(mut self, id: impl AsRef<str>) -> Self {
        self.run = self.run.thread(id);
        self
    }

    /// Adds tags.
    pub fn tags<T: AsRef<str>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.run = self.run.tags(tags);
        self
    }

    /// Adds a metadata value.
    pub fn metadata<T: Record + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.run = self.run.metadata(key, value);
        self
    }

    /// Records the message as a run that begins and ends now. Answers its id, and `None` when it is not recorded.
    #[allow(clippy::must_use_candidate, reason = "most callers need no id")]
    pub fn send(self) -> Option<RunId> {
        let role = self.step_type.role().unwrap_or("assistant");
        let message = self.step_type.tell(self.run).start();
        message.set_outputs(&BTreeMap::from([("role", role), ("content", &self.content)]));
        message.id()
    }

    fn of(mut self, step_type: StepType) -> Self {
        self.step_type = step_type;
        self
    }
}
