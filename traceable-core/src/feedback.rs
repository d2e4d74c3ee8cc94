//! Scores of runs, traces and threads: what users, programs and models say of an answer.

use serde::Serialize;

use crate::{
    by_hand::ActiveRun,
    clock,
    current::Current,
    frame::Frame,
    local,
    model::{RunId, ScoreSource, ScoreTarget},
    notice,
    record::SaidKind,
    said::Said,
};

/// Begins a score: `key` says what is judged, such as `helpfulness`. [`Feedback::send`] sends it.
///
/// `target` is a [`RunId`], the handle of the current run, or a [`ScoreTarget`]. The run may have ended long ago, in
/// another process, or not be known yet: it is not looked up. A handle of a run that is not recorded makes a score that
/// is not sent.
///
/// ```
/// use traceable_core::{feedback, model::{RunId, ScoreTarget}};
///
/// let run: RunId = "0190163d-8694-7000-8000-00000000002a".parse()?;
/// feedback(run, "helpfulness").score(0.9).comment("clear and short").user("ada@example.com").send();
/// feedback(ScoreTarget::Thread("chat-7".into()), "rating").thumbs("THUMBS_UP").send();
/// # Ok::<(), traceable_core::model::ParseRunIdError>(())
/// ```
pub fn feedback(target: impl Into<Target>, key: &str) -> Feedback {
    let Target { frame, target } = target.into();
    let mut said = match target {
        Some(_) => Said::new(frame.as_ref()),
        None => Said::off(),
    };
    said.field("key", key);
    said.field("target", &target);
    Feedback { said, id: None, source: None, user: false }
}

/// What a score is about, as [`feedback`] takes it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The run, where it is one that is known here.
    frame: Option<Frame>,
    /// `None` for a run that is not recorded.
    target: Option<ScoreTarget>,
}

impl From<ScoreTarget> for Target {
    fn from(target: ScoreTarget) -> Self {
        Self { frame: None, target: Some(target) }
    }
}

impl From<RunId> for Target {
    fn from(run: RunId) -> Self {
        ScoreTarget::Run(run).into()
    }
}

impl From<Current> for Target {
    fn from(run: Current) -> Self {
        Self { frame: Some(run.frame()), target: run.id().map(ScoreTarget::Run) }
    }
}

impl From<&Current> for Target {
    fn from(run: &Current) -> Self {
        (*run).into()
    }
}

impl From<&ActiveRun> for Target {
    fn from(run: &ActiveRun) -> Self {
        Self::from(**run)
    }
}

/// A score in the making. See [`feedback`].
#[derive(Debug)]
#[must_use = "a score is not sent before `send`"]
pub struct Feedback {
    said: Said,
    id: Option<RunId>,
    source: Option<ScoreSource>,
    /// Whether a user gave it.
    user: bool,
}

impl Feedback {
    /// The number; `true` is 1, `false` is 0. One that is not finite is left out, and a line on standard error says so.
    pub fn score(mut self, score: impl Into<f64>) -> Self {
        let score = score.into();
        if score.is_finite() {
            self.said.field("score", &score);
        } else if !self.said.is_off() {
            notice::say(format_args!("a score of {score} is left out: scores are finite numbers"));
        }
        self
    }

    /// A value that is no number.
    pub fn value<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.said.field("value", value);
        self
    }

    /// A class, such as `positive`.
    pub fn label(mut self, label: &str) -> Self {
        self.said.field("label", label);
        self
    }

    /// What a button said, as the label: `THUMBS_UP`, `positive` and `like` also score 1, `THUMBS_DOWN`, `negative`
    /// and `dislike` score 0, in any case of letters; whatever else is said scores nothing.
    pub fn thumbs(self, said: &str) -> Self {
        let is_one_of = |names: [&str; 3]| names.iter().any(|name| name.eq_ignore_ascii_case(said));
        let feedback = if is_one_of(["THUMBS_UP", "positive", "like"]) {
            self.score(1)
        } else if is_one_of(["THUMBS_DOWN", "negative", "dislike"]) {
            self.score(0)
        } else {
            self
        };
        feedback.label(said)
    }

    /// A remark.
    pub fn comment(mut self, comment: &str) -> Self {
        self.said.field("comment", comment);
        self
    }

    /// What the output should have been.
    pub fn correction<T: Serialize + ?Sized>(mut self, output: &T) -> Self {
        self.said.field("correction", output);
        self
    }

    /// Who gave it. Without this, a person where [`Feedback::user`] names one, else a program.
    pub fn source(mut self, source: ScoreSource) -> Self {
        self.source = Some(source);
        self
    }

    /// The user who gave it, by an identifier such as an e-mail address.
    pub fn user(mut self, identifier: &str) -> Self {
        self.said.field("user", identifier);
        self.user = true;
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, tag: &str) -> Self {
        self.said.tag(tag);
        self
    }

    /// Adds a metadata value.
    pub fn metadata<T: Serialize + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.said.metadata(key, value);
        self
    }

    /// The score's own id. Sent again with the same id, it replaces the one before.
    pub fn id(mut self, id: RunId) -> Self {
        self.id = Some(id);
        self
    }

    /// Sends the score on its way, without waiting. Answers its id, and `None` when it is not sent: tracing is off, the
    /// run is not recorded, or there is no room, which is counted.
    #[allow(clippy::must_use_candidate, reason = "most callers need no id")]
    pub fn send(mut self) -> Option<RunId> {
        if self.said.is_off() {
            return None;
        }
        let time = clock::now();
        let id = self.id.unwrap_or_else(|| local::new_id(time));
        let by_default = if self.user { ScoreSource::Human } else { ScoreSource::Code };
        self.said.field("id", &id);
        self.said.field("time", &time);
        self.said.field("source", &self.source.unwrap_or(by_default));
        self.said.send(SaidKind::Score).then_some(id)
    }
}
