//! Conversations: what runs in one belongs to it, and to its participant.

use super::Client;
use crate::{Entered, InScope, Record, Scope, ThreadRecord};

/// A conversation. Made by [`Client::thread`].
///
/// The application owns the id: every run that begins in a thread of one id, in whatever request or process, belongs to
/// one conversation.
///
/// ```
/// use traceable::literal::Client;
///
/// # fn answer(_: &str) {}
/// # async fn answer_later(_: &str) {}
/// # async fn serve() {
/// let client = Client::new();
/// let chat = || client.thread("conversation-7").participant_id("ada@example.com");
/// chat().name("Where is my order?").tags(["support"]).scope(|| answer("Where is my order?"));
/// chat().future(answer_later("And my other one?")).await;
/// {
///     let _thread = chat().enter();
///     answer("Thanks!");
/// }
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a thread holds what is called in it"]
pub struct Thread {
    /// What is said of the conversation itself.
    record: ThreadRecord,
    /// What is said of the runs in it.
    scope: Scope,
}

impl Thread {
    pub(super) fn new(client: &Client, id: &str) -> Self {
        let (mut record, mut scope) = (crate::thread(id), crate::scope().thread(id));
        if let Some(environment) = &client.environment {
            scope = scope.environment(environment);
        }
        if let Some(release) = &client.release {
            scope = scope.release(release).metadata("release", release);
            record = record.metadata("release", release);
        }
        Self { record, scope }
    }

    /// Binds the thread, and every run in it, to a user: by the user's id, or better by the identifier, such as an e-mail
    /// address.
    #[doc(alias = "participant")]
    pub fn participant_id(mut self, user: impl AsRef<str>) -> Self {
        self.record = self.record.user(user.as_ref());
        self.scope = self.scope.user(user);
        self
    }

    /// Gives the thread a title.
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.record = self.record.name(name.as_ref());
        self
    }

    /// Adds tags to the thread.
    pub fn tags<T: AsRef<str>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.record = tags.into_iter().fold(self.record, |record, tag| record.tag(tag.as_ref()));
        self
    }

    /// Adds a metadata value to the thread.
    pub fn metadata<T: Record + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.record = self.record.metadata(key, value);
        self
    }

    /// Says what was told of the thread, and calls `f` in it.
    pub fn scope<T>(self, f: impl FnOnce() -> T) -> T {
        self.record.send();
        self.scope.call(f)
    }

    /// Says what was told of the thread. What it answers polls a future or stream in it.
    pub fn future<F>(self, future: F) -> InScope<F> {
        self.record.send();
        self.scope.future(future)
    }

    /// Says what was told of the thread, and stays in it until the answer is dropped. For code without an `.await`.
    #[must_use = "the thread holds only while the answer is kept"]
    pub fn enter(self) -> Entered<'static> {
        self.record.send();
        self.scope.enter()
    }

    /// Says what was told of the thread, and no more.
    pub fn send(self) {
        self.record.send();
    }
}
