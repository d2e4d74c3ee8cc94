//! Records that are no runs: as in `traceable-core`, and the environment is asked first whether this process traces. So
//! a program that traces nothing itself, such as one that takes feedback, needs no `init` either.

use traceable_core::{
    Feedback, Target, ThreadRecord, UserRecord,
    model::{Attachment, RunId},
    runtime,
};

use crate::boot::BOOT;

/// Begins a score: `key` says what is judged, such as `helpfulness`. [`Feedback::send`] sends it.
///
/// `target` is a [`RunId`], the handle of the current run, or a [`ScoreTarget`](crate::ScoreTarget). The run may
/// have ended long ago, in another process, or not be known yet: it is not looked up. A handle of a run that is not
/// recorded makes a score that is not sent.
///
/// ```
/// use traceable::{RunId, ScoreTarget, feedback};
///
/// let run: RunId = "0190163d-8694-7000-8000-00000000002a".parse()?;
/// feedback(run, "helpfulness").score(0.9).comment("clear and short").user("ada@example.com").send();
/// feedback(ScoreTarget::Thread("chat-7".into()), "rating").thumbs("THUMBS_UP").send();
/// # Ok::<(), traceable::model::ParseRunIdError>(())
/// ```
pub fn feedback(target: impl Into<Target>, key: &str) -> Feedback {
    runtime::ask(BOOT);
    traceable_core::feedback(target, key)
}

/// Begins to say something of a conversation, by the id that the application gave it. [`ThreadRecord::send`] sends it.
///
/// The conversation need not be known: to name it first and to change it later are the same.
///
/// ```
/// traceable::thread("chat-7").name("Where is my order?").user("ada@example.com").tag("support").send();
/// ```
pub fn thread(id: &str) -> ThreadRecord {
    runtime::ask(BOOT);
    traceable_core::thread(id)
}

/// Begins to say something of a user, by what tells the user from all others, such as an e-mail address.
/// [`UserRecord::send`] sends it.
///
/// The user need not be known: to create one and to change one are the same, and values are merged key by key.
///
/// ```
/// traceable::user("ada@example.com").metadata("plan", "team").send();
/// ```
pub fn user(identifier: &str) -> UserRecord {
    runtime::ask(BOOT);
    traceable_core::user(identifier)
}

/// Adds a file to a run that may be anywhere: ended long ago, in another process, or not known yet.
///
/// Without a name of its own it is called `attachment`; one of the same name is replaced. The current run takes files by
/// [`Current::attach`](crate::Current::attach). What finds no room is counted.
///
/// ```
/// use traceable::{Attachment, RunId, attach_to};
///
/// let run: RunId = "0190163d-8694-7000-8000-00000000002a".parse()?;
/// attach_to(run, &Attachment::path("application/pdf", "/srv/report.pdf").named("report"));
/// # Ok::<(), traceable::model::ParseRunIdError>(())
/// ```
pub fn attach_to(run: RunId, attachment: &Attachment) {
    runtime::ask(BOOT);
    traceable_core::attach_to(run, attachment);
}
