//! Records that are no runs, without the feature `enable`.

use crate::{ActiveRun, Current, RunId};

/// What a score is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScoreTarget {
    /// One run.
    Run(RunId),
    /// A trace, by the id of its root.
    Trace(RunId),
    /// A conversation.
    Thread(String),
}

/// Who gave a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ScoreSource {
    /// A person.
    Human,
    /// A program.
    #[default]
    Code,
    /// A model.
    Ai,
}

/// What a score is about, as [`feedback`] takes it.
#[derive(Debug, Clone)]
pub struct Target(());

impl From<ScoreTarget> for Target {
    fn from(_: ScoreTarget) -> Self {
        Self(())
    }
}

impl From<RunId> for Target {
    fn from(run: RunId) -> Self {
        match run {}
    }
}

impl From<Current> for Target {
    fn from(_: Current) -> Self {
        Self(())
    }
}

impl From<&Current> for Target {
    fn from(_: &Current) -> Self {
        Self(())
    }
}

impl From<&ActiveRun> for Target {
    fn from(_: &ActiveRun) -> Self {
        Self(())
    }
}

/// A score that is never sent.
pub fn feedback(_target: impl Into<Target>, _key: &str) -> Feedback {
    Feedback(())
}

/// A score that is never sent.
#[derive(Debug)]
#[must_use = "a score is not sent before `send`"]
pub struct Feedback(());

impl Feedback {
    /// Does nothing.
    pub fn score(self, _score: impl Into<f64>) -> Self {
        self
    }

    /// Does nothing.
    pub fn value<T: ?Sized>(self, _value: &T) -> Self {
        self
    }

    /// Does nothing.
    pub fn label(self, _label: &str) -> Self {
        self
    }

    /// Does nothing.
    pub fn thumbs(self, _said: &str) -> Self {
        self
    }

    /// Does nothing.
    pub fn comment(self, _comment: &str) -> Self {
        self
    }

    /// Does nothing.
    pub fn correction<T: ?Sized>(self, _output: &T) -> Self {
        self
    }

    /// Does nothing.
    pub fn source(self, _source: ScoreSource) -> Self {
        self
    }

    /// Does nothing.
    pub fn user(self, _identifier: &str) -> Self {
        self
    }

    /// Does nothing.
    pub fn tag(self, _tag: &str) -> Self {
        self
    }

    /// Does nothing.
    pub fn metadata<T: ?Sized>(self, _key: &str, _value: &T) -> Self {
        self
    }

    /// Does nothing.
    pub fn id(self, id: RunId) -> Self {
        match id {}
    }

    /// `None`.
    pub fn send(self) -> Option<RunId> {
        None
    }
}

/// Says nothing of a conversation.
pub fn thread(_id: &str) -> ThreadRecord {
    ThreadRecord(())
}

/// What is never said of a conversation.
#[derive(Debug)]
#[must_use = "nothing is said before `send`"]
pub struct ThreadRecord(());

impl ThreadRecord {
    /// Does nothing.
    pub fn name(self, _name: &str) -> Self {
        self
    }

    /// Does nothing.
    pub fn user(self, _user: &str) -> Self {
        self
    }

    /// Does nothing.
    pub fn tag(self, _tag: &str) -> Self {
        self
    }

    /// Does nothing.
    pub fn metadata<T: ?Sized>(self, _key: &str, _value: &T) -> Self {
        self
    }

    /// Does nothing.
    pub fn send(self) {}
}

/// Says nothing of a user.
pub fn user(_identifier: &str) -> UserRecord {
    UserRecord(())
}

/// What is never said of a user.
#[derive(Debug)]
#[must_use = "nothing is said before `send`"]
pub struct UserRecord(());

impl UserRecord {
    /// Does nothing.
    pub fn metadata<T: ?Sized>(self, _key: &str, _value: &T) -> Self {
        self
    }

    /// Does nothing.
    pub fn send(self) {}
}
