//! Conversations by hand in the shape of NeuralTrust's SDK: a trace of a conversation, its messages, and the events
//! below them. A view of [`run`]: every event is an [`ActiveRun`], with all that one can be told.
//!
//! ```
//! use traceable::neuraltrust::{Client, Metadata, User};
//!
//! # fn search() -> Result<Vec<&'static str>, std::io::Error> { Ok(vec!["one", "two"]) }
//! let client = Client::new();
//! let trace = client
//!     .trace("conv_123")
//!     .user(User::new("user_123"))
//!     .metadata(Metadata { environment: "production", ..Metadata::default() });
//!
//! let message = trace.message("User: Tell me about neural networks");
//! let answer = || {
//!     let retrieval = message.retrieval("Searching documentation");
//!     retrieval.end(search()?);
//!     let generation = message.generation("Creating explanation");
//!     generation.end("Generated response about neural networks");
//!     Ok::<_, std::io::Error>("Bot: Neural networks are...")
//! };
//! match answer() {
//!     Ok(answer) => message.end(answer),
//!     Err(error) => message.fail(error),
//! }
//! trace.feedback("THUMBS_UP").text("User marked response as helpful");
//! ```

use std::{
    fmt,
    ops::Deref,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{ActiveRun, Current, Record, RunBuilder, ScoreSource, UserRecord, run};

/// Begins traces.
#[derive(Debug, Clone, Copy, Default)]
pub struct Client {
    /// `None` for the destinations of the process.
    to: Option<crate::Client>,
}

impl Client {
    /// A client whose traces go where all traces of the process go. Needs no runtime and no `init`.
    #[must_use]
    pub const fn new() -> Self {
        Self { to: None }
    }

    /// A trace of this conversation: a run of the kind `chain` with the name `trace`, inside of what is current when its
    /// first event begins.
    #[track_caller]
    pub fn trace(&self, conversation_id: impl AsRef<str>) -> Trace {
        let told = run("trace").thread(conversation_id);
        let told = match self.to {
            Some(client) => told.client(client),
            None => told,
        };
        Trace { told: Mutex::new(Some(told)), root: OnceLock::new(), has_input: AtomicBool::new(false) }
    }
}

impl From<crate::Client> for Client {
    /// A client whose traces go to the destinations of that one.
    fn from(client: crate::Client) -> Self {
        Self { to: Some(client) }
    }
}

/// Who takes part in a conversation.
#[derive(Debug)]
pub struct User {
    id: String,
    /// What else is said of the user.
    record: Option<UserRecord>,
}

impl User {
    /// A user, by what tells the user from all others.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), record: None }
    }

    /// Says something of the user, such as an `email`. It is kept with the user, not with the trace.
    #[must_use]
    pub fn with<T: Record + ?Sized>(self, key: &str, value: &T) -> Self {
        let record = self.record.unwrap_or_else(|| crate::user(&self.id));
        Self { id: self.id, record: Some(record.metadata(key, value)) }
    }
}

/// Where a conversation is held. What is an empty text is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Metadata<'a> {
    /// Such as `production`: the environment of every run of the trace.
    pub environment: &'a str,
    /// The program that speaks for the user, as it names itself.
    pub user_agent: &'a str,
    /// The user's time zone, such as `Europe/Madrid`.
    pub timezone: &'a str,
    /// The browser.
    pub browser: &'a str,
    /// The kind of device.
    pub device: &'a str,
    /// The device's operating system.
    pub os: &'a str,
    /// The user's language and region, such as `es-ES`.
    pub locale: &'a str,
    /// The place.
    pub location: &'a str,
}

impl<'a> Metadata<'a> {
    /// Names and texts of what is metadata to every other system, too.
    fn others(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let Self { environment: _, user_agent, timezone, browser, device, os, locale, location } = *self;
        let others = [
            ("user_agent", user_agent),
            ("timezone", timezone),
            ("browser", browser),
            ("device", device),
            ("os", os),
            ("locale", locale),
            ("location", location),
        ];
        others.into_iter().filter(|(_, text)| !text.is_empty())
    }
}

/// A trace of a conversation. Made by [`Client::trace`].
///
/// It is an [`Event`] as well, from its first use as one on: then it begins. What is said of it before holds for every
/// run of the trace; what is said later, for those that begin afterwards. Its input is that of its first message and its
/// output that of the message that ended last. It ends when it is dropped; with no event there is no run.
#[derive(Debug)]
#[must_use = "dropped, the trace ends"]
pub struct Trace {
    /// What the root will begin with; `None` once it has begun.
    told: Mutex<Option<RunBuilder>>,
    root: OnceLock<Event>,
    has_input: AtomicBool,
}

impl Trace {
    /// Names the trace.
    pub fn name(self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        self.tell(|run| run.name(name), |run| run.set_name(name))
    }

    /// Makes the trace a part of a session.
    pub fn session(self, id: impl AsRef<str>) -> Self {
        let id = id.as_ref();
        self.tell(|run| run.session(id), |run| run.set_session(id))
    }

    /// Names the user, and keeps what is said of the user.
    pub fn user(self, user: User) -> Self {
        if let Some(record) = user.record {
            record.send();
        }
        self.tell(|run| run.user(&user.id), |run| run.set_user(&user.id))
    }

    /// Says where the conversation is held.
    pub fn metadata(self, metadata: Metadata<'_>) -> Self {
        let named = match metadata.environment {
            "" => self,
            name => self.tell(|run| run.environment(name), |run| run.set_environment(name)),
        };
        metadata.others().fold(named, |trace, (key, text)| trace.custom(key, text))
    }

    /// Adds a metadata value of your own.
    pub fn custom<T: Record + ?Sized>(self, key: &str, value: &T) -> Self {
        self.tell(|run| run.metadata(key, value), |run| run.add_metadata(key, value))
    }

    /// What the user says; [`Event::end`] takes what the bot answers.
    #[track_caller]
    pub fn message(&self, input: impl Record) -> Event {
        let root: &Event = self;
        if !self.has_input.swap(true, Ordering::Relaxed) {
            root.set_inputs(&input);
        }
        Event { answers: Some(***root), ..root.message(input) }
    }

    /// Says something of the root, which may have begun.
    fn tell(self, before: impl FnOnce(RunBuilder) -> RunBuilder, after: impl FnOnce(Current)) -> Self {
        match self.root.get() {
            Some(root) => after(***root),
            None => {
                let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                *told = told.take().map(before);
            }
        }
        self
    }
}

impl Deref for Trace {
    type Target = Event;

    fn deref(&self) -> &Event {
        self.root.get_or_init(|| {
            let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).take();
            Event { run: told.unwrap_or_else(|| run("trace")).start(), answers: None }
        })
    }
}

/// Something that happens in a conversation. Dropped, it ends.
///
/// It is nobody's current run: events below it are begun by its methods, and calls of traced functions belong to it
/// inside of [`ActiveRun::enter`], [`ActiveRun::scope`] and [`ActiveRun::future`].
#[derive(Debug)]
#[must_use = "dropped, the event ends"]
pub struct Event {
    run: ActiveRun,
    /// The trace, if this is a message of it: what ends the message is the trace's, too.
    answers: Option<Current>,
}

/// Methods that begin events below an event.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident: $run_type:literal;)*) => {
        $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, input: impl Record) -> Event {
                Event::begin(self.child(stringify!($name)).run_type($run_type), input)
            }
        )*
    };
}

impl Event {
    events! {
        /// A message: the main flow of the conversation.
        message: "message";
        /// A call of a tool, an API or a database.
        tool: "tool";
        /// The making of a prompt and the model's answer to it. [`Current::set_model`] and [`Current::set_usage`] say
        /// more of it.
        generation: "llm";
        /// An agent's thoughts and what it decides.
        agent: "agent";
        /// A search for documents.
        retrieval: "retriever";
        /// A choice between ways to go on.
        router: "router";
        /// An event of the system around the application.
        system: "system";
    }

    /// An event of your own kind.
    #[track_caller]
    pub fn event(&self, name: &str, input: impl Record) -> Event {
        Event::begin(self.child(name).run_type(name.to_owned()), input)
    }

    /// Takes a user's feedback: any tag, of which `THUMBS_UP`, `positive` and `like` score 1, `THUMBS_DOWN`, `negative`
    /// and `dislike` score 0. It is sent when the answer is dropped.
    pub fn feedback(&self, tag: &str) -> Feedback {
        let said = crate::feedback(*self.run, "feedback");
        Feedback { said: Some(said.thumbs(tag).source(ScoreSource::Human)) }
    }

    /// Ends the event with its output. Only the first end counts.
    pub fn end(&self, output: impl Record) {
        if self.run.is_ended() {
            return;
        }
        if let Some(trace) = self.answers {
            trace.set_outputs(&output);
        }
        self.run.end_with(&output);
    }

    /// Ends the event with an error; a message's is the trace's, too. Only the first end counts.
    pub fn fail(&self, error: impl fmt::Display) {
        if self.run.is_ended() {
            return;
        }
        if let Some(trace) = self.answers {
            trace.set_error(&error);
        }
        self.run.fail(error);
    }

    fn begin(run: RunBuilder, input: impl Record) -> Self {
        Self { run: run.inputs(&input).start(), answers: None }
    }
}

impl Deref for Event {
    type Target = ActiveRun;

    fn deref(&self) -> &ActiveRun {
        &self.run
    }
}

/// A user's feedback. Made by [`Event::feedback`]; dropped, it is sent.
#[derive(Debug)]
pub struct Feedback {
    /// `None` once it is sent.
    said: Option<crate::Feedback>,
}

impl Feedback {
    /// What the user wrote, or what the feedback rests on.
    #[allow(clippy::return_self_not_must_use, reason = "dropped, it is sent")]
    pub fn text(mut self, text: &str) -> Self {
        self.said = self.said.take().map(|said| said.comment(text));
        self
    }
}

impl Drop for Feedback {
    fn drop(&mut self) {
        if let Some(said) = self.said.take() {
            said.send();
        }
    }
}
