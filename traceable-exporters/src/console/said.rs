//! What is no run, in one line: who said what of which run, conversation or user.

use traceable_core::model::{AttachmentData, AttachmentFor, RunChange, Score, ScoreTarget, Thread, User};

use super::{
    style::{DIM, Line, Look},
    text,
};

/// Adds the line of a change, where it is one of these.
pub(super) fn print(change: &RunChange, look: Look, page: &mut String) {
    let said = match change {
        RunChange::Score(score) => of_score(score),
        RunChange::Thread(thread) => of_thread(thread),
        RunChange::User(user) => of_user(user),
        RunChange::Attachment(attachment) => of_attachment(attachment),
        _ => return,
    };
    let mut line = Line::new(look);
    line.push(DIM, &text::clean(&said, look.width));
    line.finish(page);
}

fn of_score(score: &Score) -> String {
    let about = match &score.target {
        ScoreTarget::Run(id) => format!("run {id}"),
        ScoreTarget::Trace(id) => format!("trace {id}"),
        ScoreTarget::Thread(id) => format!("thread {id}"),
        _ => String::new(),
    };
    let facts = [
        score.score.map(|score| score.to_string()),
        score.label.clone(),
        score.value.as_ref().map(ToString::to_string),
        score.comment.as_ref().map(|comment| format!("“{comment}”")),
    ];
    // The id is there to be copied, so it stands where nothing cuts it.
    format!("★ {about}  {}{}", score.key, joined(" ", facts))
}

fn of_thread(thread: &Thread) -> String {
    let facts = [thread.name.clone(), thread.user.as_ref().map(|user| format!("of {user}"))];
    let tags = thread.tags.iter().map(|tag| Some(format!("#{tag}")));
    format!("· thread {}{}", thread.id, joined(" · ", facts.into_iter().chain(tags).chain(members(&thread.metadata))))
}

fn of_user(user: &User) -> String {
    format!("· user {}{}", user.identifier, joined(" · ", members(&user.metadata)))
}

fn of_attachment(of: &AttachmentFor) -> String {
    let attachment = &of.attachment;
    let place = match &attachment.data {
        AttachmentData::Bytes(bytes) => format!("{} bytes", bytes.0.len()),
        AttachmentData::Path(path) => path.display().to_string(),
        AttachmentData::Url(url) => url.clone(),
        _ => String::new(),
    };
    format!("· run {}  {} ({}, {place})", of.run_id, attachment.name, attachment.mime)
}

fn members(metadata: &serde_json::Map<String, serde_json::Value>) -> impl Iterator<Item = Option<String>> {
    metadata.iter().map(|(key, value)| Some(format!("{key}={value}")))
}

/// What is there, each behind the mark.
fn joined(mark: &str, facts: impl IntoIterator<Item = Option<String>>) -> String {
    facts.into_iter().flatten().flat_map(|fact| [mark.to_owned(), fact]).collect()
}
